"""Fit the winner once more on all rows, with as much work as the rest of a time limit allows.

A child fits it with the comparison's own amount of work, which tells how fast fits are at the moment, and then with as much more
as should be done in time. The last one that is complete when time is up is the winner.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tabbench.comparison.planning import Planner
from tabbench.core.errors import BadOption
from tabbench.core.progress import Display
from tabbench.executors.local import LocalExecutor
from tabbench.store.folder import SPOOL, WINNER

SAVE = "tabbench.winner:save_refits"
SAVING_SECONDS = 0.5
"""Moving the model into its place, and leaving."""


@dataclass(eq=False)
class Refit:
    """The fits of one approach with growing `efforts`, as they are made in a child."""

    executor: LocalExecutor
    folder: Path
    efforts: list[float]
    deadline: float

    @classmethod
    def begin(cls, executor: LocalExecutor, folder: Path, planner: Planner, approach: str, effort: float, deadline: float
              ) -> Refit:
        """Have a child begin. `deadline` is the clock's reading at which the model must be in its place."""
        deadline -= SAVING_SECONDS
        steps = planner.refit_steps(approach, effort)
        refit = cls(executor, folder, [each for each, _ in steps], deadline)
        refit._clean()
        executor.call(SAVE, {"name": planner.contestants.aliases.get(approach, approach), "steps": steps, "deadline": deadline,
                             "device": planner.device, "place": str(folder / SPOOL / WINNER), "side_by_side": planner.jobs})
        return refit

    def take(self, display: Display) -> float:
        """Wait as long as there is time, put the fit with most work into the run's folder; gives its effort.

        Raises
        ------
        BadOption : none was ready in time, or the first has failed.
        """
        try:
            error = self.executor.await_calls(self.deadline).get(0, "")
            self.executor.end_calls()
            ready = max((number for number in range(len(self.efforts)) if self._place(number).exists()), default=None)
            if ready is None:
                why = error or "the time limit was too short to fit it on all rows"
                raise BadOption(f"the winner is not saved: {why}; tabbench export {self.folder} --out MODEL fits and writes it")
            if error:
                display.say(f"the winner is saved with --effort {self.efforts[ready]:g}, as a fit with more failed: {error}")
            shutil.rmtree(self.folder / WINNER, ignore_errors=True)
            self._place(ready).rename(self.folder / WINNER)
            return self.efforts[ready]
        finally:
            self._clean()

    def _clean(self) -> None:
        for left_over in (self.folder / SPOOL).glob(f"{WINNER}-*"):
            shutil.rmtree(left_over, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self.folder / SPOOL / f"{WINNER}-{number}"
