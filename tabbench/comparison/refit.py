"""Fit the winner once more on all rows, with as much work as the rest of a time limit allows.

A worker fits it with the comparison's own effort, which tells how fast fits are at the moment, and then with as much more
as should be done in time; where there is no time for two fits, with a little more than the comparison's. The last one that is
complete when time is up is the winner; where none is, what the first split's cell has fitted.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabbench.comparison.planner import Planner
from tabbench.core.errors import BadOption
from tabbench.core.executor import Executor
from tabbench.core.progress import Display
from tabbench.execution.kept_models import kept_place
from tabbench.store.folder import SPOOL, WINNER

SAVE = "tabbench.comparison.export:save_refits"
SAVING_SECONDS = 0.5
"""Moving the model into its place, and leaving."""


@dataclass(eq=False)
class Refit:
    """The fits of one approach with growing `efforts`, as they are made in a worker."""

    executor: Executor[Any]
    folder: Path
    approach: str
    efforts: list[float]
    deadline: float

    @classmethod
    def begin(cls, executor: Executor[Any], folder: Path, planner: Planner, approach: str, effort: float, deadline: float
              ) -> Refit:
        """Have a worker begin. `deadline` is the clock's reading at which the model must be in its place."""
        deadline -= SAVING_SECONDS
        steps = planner.refit_steps(approach, effort)
        executor.call(SAVE, {"name": planner.contestants.aliases.get(approach, approach), "steps": steps, "deadline": deadline,
                             "device": planner.device, "place": str(folder / SPOOL / WINNER), "side_by_side": planner.jobs})
        return cls(executor, folder, approach, [each for each, _ in steps], deadline)

    def take(self, display: Display) -> float:
        """Wait as long as there is time, put the fit with most work into the run's folder; gives its effort.

        Raises
        ------
        BadOption
            None was ready in time, or the first has failed.
        """
        try:
            error = self.executor.await_call(self.deadline) or ""
            self.executor.end_call()
            number = max((number for number in range(len(self.efforts)) if self._place(number).exists()), default=None)
            why = error or "the time limit was too short to fit it on all rows"
            cure = f"tabbench export {self.folder} --out MODEL fits and writes it"
            ready = kept_place(self.folder / SPOOL, self.approach) if number is None else self._place(number)
            if not ready.exists():
                raise BadOption(f"the winner is not saved: {why}; {cure}")
            if number is None:
                display.say(f"the winner is saved as it was fitted on the first split: {why}; {cure}")
            elif error:
                display.say(f"the winner is saved with --effort {self.efforts[number]:g}, as a fit with more failed: {error}")
            shutil.rmtree(self.folder / WINNER, ignore_errors=True)
            ready.rename(self.folder / WINNER)
            return self.efforts[number or 0]
        finally:
            self._remove(f"{WINNER}-*", "kept-*")

    def give_up(self) -> None:
        """End the fits, as another approach has won; what cells have kept stays."""
        self.executor.end_call()
        self._remove(f"{WINNER}-*")

    def _remove(self, *patterns: str) -> None:
        for left_over in (each for pattern in patterns for each in (self.folder / SPOOL).glob(pattern)):
            shutil.rmtree(left_over, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self.folder / SPOOL / f"{WINNER}-{number}"
