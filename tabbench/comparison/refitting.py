"""Fit the winner once more on all rows, with as much work as the rest of a time limit allows.

Two children begin at the same time: one with the comparison's own amount of work, which should be done in time, one with more.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tabbench.comparison.planning import Planner
from tabbench.core.errors import BadOption
from tabbench.executors.local import LocalExecutor
from tabbench.store.folder import WINNER

SAVE = "tabbench.winner:save_refit"
SAFE_FACTOR, CROWDED_FACTOR = 1.3, 2.0
"""More work is chosen so that it may take so many times as long as expected, where something else keeps the machine busy twice as
long; if it is late for all that, the other fit is kept."""
WORTH_MORE = 1.2
"""Less than this factor more work is not worth a second fit."""
SAVING_SECONDS = 0.5
"""Moving the model into its place, and leaving."""


@dataclass(eq=False)
class Refit:
    """Fits of one approach that are under way, by ascending effort, until the deadline."""

    executor: LocalExecutor
    folder: Path
    efforts: tuple[float, ...]
    deadline: float

    @classmethod
    def begin(cls, executor: LocalExecutor, folder: Path, planner: Planner, approach: str, effort: float, deadline: float
              ) -> Refit:
        """Have children begin. `deadline` is the clock's reading at which the model must be in its place."""
        deadline -= SAVING_SECONDS
        # The first fit takes its part of the processor from the other one.
        left = deadline - time.monotonic() - planner.refit_seconds(approach, effort)
        safe = CROWDED_FACTOR if planner.prior.is_crowded else SAFE_FACTOR
        more = planner.most_refit_effort(approach, effort, left / safe)
        efforts = (effort, more) if more >= WORTH_MORE * effort else (effort,)
        order = {"name": planner.contestants.aliases.get(approach, approach), "device": planner.device}
        executor.call_all(SAVE, [order | {"effort": each, "place": str(_place(folder, number)),
                                          "side_by_side": planner.jobs if number == len(efforts) - 1 else 1}
                                 for number, each in enumerate(efforts)])
        return cls(executor, folder, efforts, deadline)

    def take(self) -> float:
        """Wait for them as long as there is time, put the one with most work into the run's folder; gives its effort.

        Raises
        ------
        BadOption : none was ready in time, or all have failed.
        """
        returned = self.executor.await_calls(self.deadline)
        try:
            ready = [number for number, error in returned.items() if not error]
            if not ready:
                why = next(iter(returned.values()), "the time limit was too short to fit it on all rows")
                raise BadOption(f"the winner is not saved: {why}; tabbench export {self.folder} --out MODEL fits and writes it")
            winner = self.folder / WINNER
            shutil.rmtree(winner, ignore_errors=True)
            _place(self.folder, max(ready)).rename(winner)
            return self.efforts[max(ready)]
        finally:
            for number in range(len(self.efforts)):
                shutil.rmtree(_place(self.folder, number), ignore_errors=True)


def _place(folder: Path, number: int) -> Path:
    return folder / f".{WINNER}-{number}"
