"""Fit the winner once more on all rows, with as much work as the rest of a time limit allows.

A child fits it with the most work that should be done in time. When that turns out to be late, another one begins with the
comparison's own amount of work, for which there is time left.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabbench.comparison.planning import Planner
from tabbench.core.errors import BadOption
from tabbench.executors.local import LocalExecutor
from tabbench.store.folder import SPOOL, WINNER

SAVE = "tabbench.winner:save_refit"
SAFE_FACTOR, CROWDED_FACTOR = 1.5, 2.2
"""More work is chosen so that it may take so many times as long as expected, the second number of times where something else
keeps the machine busy: what ten times the work costs is known to half as much again (measured)."""
LATE_FACTOR = 2.0
"""The comparison's own amount of work has so many times the seconds that it should take, as it has to share the cores."""
ALONE_FACTOR = 1.25
"""A fit that has no other to fall back on is chosen so much more carefully."""
MOST_ALONE = 0.4
"""Where the comparison's own amount of work takes a larger part of the time that is left, it is not increased."""
OVERHEAD_SECONDS = 1.0
"""Opening the table, preparing its view and writing the model."""
SAVING_SECONDS = 0.5
"""Moving the model into its place, and leaving."""


@dataclass(eq=False)
class Refit:
    """The fits of one approach: `efforts` are those that are tried, the first from now on, the second from `late` on."""

    executor: LocalExecutor
    folder: Path
    order: dict[str, Any]
    efforts: tuple[float, ...]
    late: float
    deadline: float

    @classmethod
    def begin(cls, executor: LocalExecutor, folder: Path, planner: Planner, approach: str, effort: float, deadline: float
              ) -> Refit:
        """Have a child begin. `deadline` is the clock's reading at which the model must be in its place."""
        deadline -= SAVING_SECONDS
        safe = CROWDED_FACTOR if planner.prior.is_crowded else SAFE_FACTOR
        now, own = time.monotonic(), planner.refit_seconds(approach, effort)
        late = deadline - OVERHEAD_SECONDS - LATE_FACTOR * own
        # More work has to be done before the other fit would have to begin: side by side, neither would be in time.
        more = planner.most_refit_effort(approach, effort, (late - now - OVERHEAD_SECONDS) / safe)
        if more == effort:  # there is time for one fit alone
            left, late = deadline - now - OVERHEAD_SECONDS, deadline
            if own < MOST_ALONE * left:
                more = planner.most_refit_effort(approach, effort, left / (ALONE_FACTOR * safe))
        order = {"name": planner.contestants.aliases.get(approach, approach), "device": planner.device,
                 "side_by_side": planner.jobs}
        refit = cls(executor, folder, order, (more, effort) if late < deadline else (more,), late, deadline)
        refit._clean()
        refit._call(0)
        return refit

    def take(self) -> float:
        """Wait for them as long as there is time, put the one with most work into the run's folder; gives its effort.

        Raises
        ------
        BadOption : none was ready in time, or all have failed.
        """
        try:
            returned = self.executor.await_calls(self.late if len(self.efforts) > 1 else self.deadline)
            if len(self.efforts) > 1 and returned.get(0) != "":
                if not self.executor.has_idle_child:
                    self.executor.end_calls()
                self._call(1)
                returned = self.executor.await_calls(self.deadline)
            self.executor.end_calls()
            ready = min((number for number, error in returned.items() if not error), default=None)
            if ready is None:
                why = next(iter(returned.values()), "the time limit was too short to fit it on all rows")
                raise BadOption(f"the winner is not saved: {why}; tabbench export {self.folder} --out MODEL fits and writes it")
            shutil.rmtree(self.folder / WINNER, ignore_errors=True)
            self._place(ready).rename(self.folder / WINNER)
            return self.efforts[ready]
        finally:
            self._clean()

    def _clean(self) -> None:
        for number in range(len(self.efforts)):
            shutil.rmtree(self._place(number), ignore_errors=True)

    def _call(self, number: int) -> None:
        self.executor.call(SAVE, self.order | {"effort": self.efforts[number], "place": str(self._place(number))})

    def _place(self, number: int) -> Path:
        return self.folder / SPOOL / f"{WINNER}-{number}"
