"""Which batch comes next, and what a time limit drops: whole sizes or whole approaches, never part of a size.

Knows batches, seconds and the clock's readings that it is given; no process and no file.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tabbench.core.cell import Batch, Cell

FORECAST_SAFETY = 1.15
"""Forecasts are means; a size is begun only if it fits with this much to spare."""
STEEPEST_GROWTH, FLATTEST_GROWTH = 1.3, 0.3
"""Bounds on the exponent of seconds against rows: at small sizes fixed costs hide the growth, at large ones noise adds to it."""
DEFAULT_GROWTH = 0.6
"""The exponent as long as only one size was seen, and beyond what the sizes seen can tell."""
FARTHEST_RATIO = 4.0
"""How many times the largest size seen the growth between two sizes is trusted: at small sizes it is mostly noise."""
HOG_SHARE = 0.5
"""An approach that takes more than this share of a size's cost is dropped before the size is."""

TIME_LIMIT = "the time limit (--time-limit) would have been exceeded"
"""The reason of a skip. No figures: what comes from a clock must not stand among what is the same in every run."""


@dataclass(frozen=True)
class Skip:
    """An approach that will not run at a size, and why."""

    approach: str
    size: int
    reason: str


class CostModel:
    """Seconds of a cell by approach and size, learnt from the cells that have finished."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))

    def learn(self, approach: str, size: int, seconds: float) -> None:
        """One finished cell."""
        self._seen[approach][size].append(seconds)

    def forecast(self, approach: str, size: int) -> float | None:
        """Expected seconds of one cell, or None when nothing is known of the approach."""
        means = {each: sum(seconds) / len(seconds) for each, seconds in self._seen[approach].items()}
        if not means:
            return None
        if size in means:
            return means[size]
        smaller = sorted(each for each in means if each < size) or [min(means)]
        last = smaller[-1]
        growth = DEFAULT_GROWTH
        if len(smaller) > 1 and means[smaller[-2]] > 0 and means[last] > 0:
            growth = math.log(means[last] / means[smaller[-2]]) / math.log(last / smaller[-2])
        growth = min(max(growth, FLATTEST_GROWTH), STEEPEST_GROWTH)
        ratio = max(size / last, 1.0)
        near = min(ratio, FARTHEST_RATIO)
        return float(means[last] * near**growth * (ratio / near) ** DEFAULT_GROWTH)


class Schedule:
    """Batches in order, smallest size first, all approaches of a split together.

    Parameters
    ----------
    batches : what is missing; cells that already have results are not among them.
    jobs : how many children share the work.
    deadline : the clock's reading at which the last cell must have ended, or None.
    refit_rows : rows on which the winner will be fitted once more before the deadline, 0 for no refit.
    """

    def __init__(self, batches: Iterable[Batch], *, jobs: int, deadline: float | None = None, refit_rows: int = 0) -> None:
        self.costs = CostModel()
        self._refit_rows = refit_rows
        self.skips: list[Skip] = []
        self._jobs = jobs
        self._deadline = deadline
        self._queues: dict[int, deque[Batch]] = defaultdict(deque)
        batches = list(batches)
        smallest = min((batch.cells[0].size for batch in batches), default=0)
        # Under a limit the first size goes approach by approach: what it can't finish is then a few whole approaches.
        first = smallest if deadline is not None else 0
        for batch in sorted(batches, key=lambda batch: _order(batch, by_approach=batch.cells[0].size == first)):
            self._queues[batch.cells[0].size].append(batch)
        self._begun: set[int] = set()

    @property
    def waiting(self) -> list[Cell]:
        """Cells that have not been handed out."""
        return [cell for queue in self._queues.values() for batch in queue for cell in batch.cells]

    def next(self, now: float, running: Iterable[Cell] = ()) -> Batch | None:
        """The next batch, or None when nothing is left; what cannot be finished in time is dropped on the way."""
        for size in sorted(self._queues):
            if not self._queues[size]:
                continue
            if size not in self._begun:
                self._drop_what_does_not_fit(size, now, list(running))
                self._begun.add(size)
            if self._queues[size]:
                return self._queues[size].popleft()
        return None

    def again(self, batch: Batch) -> None:
        """Put a batch back in front of its size."""
        self._queues[batch.cells[0].size].appendleft(batch)

    def drop_rest(self, reason: str, running: Iterable[Cell] = ()) -> None:
        """Give up everything that is waiting, and the sizes of what was running."""
        for approach, size in sorted({(cell.approach, cell.size) for cell in [*self.waiting, *running]}):
            self.skips.append(Skip(approach, size, reason))
        self._queues.clear()

    def drop_approaches(self, reasons: Mapping[str, str]) -> None:
        """Take approaches out of every size."""
        for name, reason in reasons.items():
            for size in list(self._queues):
                self._drop(name, size, reason)

    def remaining_seconds(self, running: Iterable[Cell] = ()) -> float | None:
        """Expected seconds until the end, or None as long as an approach has not been seen."""
        forecasts = [self.costs.forecast(cell.approach, cell.size) for cell in [*self.waiting, *running]]
        if any(forecast is None for forecast in forecasts):
            return None
        return sum(forecast for forecast in forecasts if forecast is not None) / self._jobs

    def _drop_what_does_not_fit(self, size: int, now: float, running: list[Cell]) -> None:
        if self._deadline is None:
            return
        left = self._deadline - now - self._refit_seconds(size)
        share = self._shares(size)
        busy = sum(self.costs.forecast(cell.approach, cell.size) or 0.0 for cell in running) / self._jobs
        if (busy + sum(share.values())) * FORECAST_SAFETY <= left and left > 0:
            return
        hog = max(share, key=lambda name: share[name])
        without_hog = (busy + sum(share.values()) - share[hog]) * FORECAST_SAFETY
        if share[hog] > HOG_SHARE * sum(share.values()) and without_hog <= left and len(share) > 1:
            for later in [each for each in self._queues if each >= size]:
                self._drop(hog, later, TIME_LIMIT)
            return
        for later in sorted(each for each in self._queues if each >= size):
            for name in sorted({cell.approach for batch in self._queues[later] for cell in batch.cells}):
                self._drop(name, later, TIME_LIMIT)

    def _refit_seconds(self, size: int) -> float:
        """What fitting the winner on all rows may take: the costliest approach of this size."""
        if not self._refit_rows:
            return 0.0
        names = {cell.approach for batch in self._queues[size] for cell in batch.cells}
        return max((self.costs.forecast(name, self._refit_rows) or 0.0 for name in names), default=0.0)

    def _shares(self, size: int) -> dict[str, float]:
        share: dict[str, float] = defaultdict(float)
        for batch in self._queues[size]:
            for cell in batch.cells:
                share[cell.approach] += (self.costs.forecast(cell.approach, size) or 0.0) / self._jobs
        return dict(share)

    def _drop(self, approach: str, size: int, reason: str) -> None:
        kept: deque[Batch] = deque()
        is_there = False
        for batch in self._queues[size]:
            cells = tuple(cell for cell in batch.cells if cell.approach != approach)
            is_there |= len(cells) < len(batch.cells)
            if cells:
                kept.append(Batch(cells))
        self._queues[size] = kept
        if is_there:
            self.skips.append(Skip(approach, size, reason))


def _order(batch: Batch, *, by_approach: bool) -> tuple[int, int, int]:
    first = batch.cells[0]  # batches come approach by approach, the cheapest first, and sorting keeps that among equals
    return (first.size, 0, 0) if by_approach else (first.size, first.repeat, first.fold)
