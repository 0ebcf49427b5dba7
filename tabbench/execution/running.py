"""What a supervisor knows while batches run: what is done, what is tried again, what was given up. Knows no process."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field

from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.executor import Keeping, Observer
from tabbench.costs.forecast import members
from tabbench.execution.schedule import place_of
from tabbench.execution.work import InFlight, Work

OWN_CELL_SHARE = 0.2
"""Of the time until the deadline: an own estimator whose cell takes longer could not be compared in that time anyway."""
LEAST_OWN_CELL_SECONDS = 2.0


@dataclass
class Running:
    """What is known while batches run."""

    schedule: Work
    observer: Observer
    keeping: Keeping | None = None
    done: set[str] = field(default_factory=set)
    tries: Counter[str] = field(default_factory=Counter)
    alone: list[Batch] = field(default_factory=list)
    exclusive: set[str] = field(default_factory=set)
    cells: dict[str, Cell] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def own_cell_seconds(self) -> float:
        """The longest that a cell of an own estimator may take: under a time limit a share of it."""
        deadline = self.schedule.deadline
        return math.inf if deadline is None else max(OWN_CELL_SHARE * (deadline - self.began), LEAST_OWN_CELL_SECONDS)

    def kept_effort(self, batch: Batch) -> float | None:
        """The effort of a batch whose models are kept; None where they are not."""
        is_kept = self.keeping is not None and place_of(batch) == (self.keeping.size, self.keeping.split)
        return self.keeping.effort if self.keeping is not None and is_kept else None

    def learn(self, result: Result, running: InFlight | None = None) -> None:
        """A result has arrived in the store; `running` is how its batch stood then."""
        if result.key in self.done:  # foreign code can say anything twice
            return
        self.done.add(result.key)
        cell, costs = self.cells[result.key], self.schedule.costs
        if running is not None and running.left[0].key == cell.key:
            if not running.is_side_by_side:
                costs.learn(cell, running.seconds, running.done)
            elif result.fit_seconds is not None and not list(members(cell.settings)):
                costs.learn(cell, result.fit_seconds + (result.predict_seconds or 0.0))  # the supervisor can't tell fits apart
            if result.peak_mb is not None:
                costs.learn_peak(cell, result.peak_mb, running.done)
        self.observer.learn(cell, result)
