"""What a person sees of a run while it goes on: cells, time left, which approach leads at each size and, early, in each family.

Decides nothing.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import psutil

from tabbench.comparison.run import Run
from tabbench.core.approach import BASELINE as BASELINE_NAME
from tabbench.core.cell import Cell, Result
from tabbench.core.metric import METRICS
from tabbench.core.prediction import as_taken
from tabbench.core.progress import FamilyLeader, Progress, Provisional
from tabbench.core.setup import Setup
from tabbench.costs.cost_model import CostModel
from tabbench.store.database import Store
from tabbench.verdict.scoring import margin_value
from tabbench.verdict.winners import BASELINE

Losses = dict[str, list[float]]
"""An approach's losses, one a split; cells that failed have none."""

ABOUT_AS_GOOD = 0.5
"""Of the margin. Bounds of regret decide at the end, which are larger than the differences that have been seen."""
FRONT = 3
"""So many approaches may still win when all have been fitted on some splits."""


@dataclass(frozen=True)
class Clock:
    """When a call began (a reading of `time.monotonic`), what was used by then, and its limit."""

    began: float
    cpu_began: float
    limit_seconds: float | None

    @classmethod
    def start(cls, limit_seconds: float | None, *, with_process: bool = False) -> Clock:
        """A clock that starts now, or did so when this process was started: to a person, the command's own start counts too."""
        age = time.time() - psutil.Process().create_time() if with_process else 0.0
        return cls(time.monotonic() - max(age, 0.0), _cpu_seconds(), limit_seconds)

    @property
    def deadline(self) -> float | None:
        """When the call must have ended, if it has a limit."""
        return None if self.limit_seconds is None else self.began + self.limit_seconds

    def part(self, share: float) -> Clock:
        """The same clock with a part of its limit."""
        return replace(self, limit_seconds=None if self.limit_seconds is None else share * self.limit_seconds)

    @property
    def elapsed_seconds(self) -> float:
        """Since the call began."""
        return time.monotonic() - self.began

    def timing(self, earlier: dict[str, float]) -> dict[str, float]:
        """Wall and processor seconds of this call and the earlier ones of the same run."""
        return {"wall_seconds": round(self.elapsed_seconds + earlier.get("wall_seconds", 0.0), 3),
                "cpu_seconds": round(_cpu_seconds() - self.cpu_began + earlier.get("cpu_seconds", 0.0), 3)}


class Watch:
    """Counts results, keeps the leaders and teaches the cost model, also with what an earlier call had finished.

    `first_look` holds the keys of cells that are not planned: one of each family's representative with little effort, at the
    largest size. They neither count as done nor lead a size: they only tell of the families until planned cells do.
    """

    def __init__(self, run: Run, store: Store, clock: Clock, costs: CostModel, first_look: Collection[str] = ()) -> None:
        self._run = run
        self._clock = clock
        self._families = {entry.name: entry.family for entry in run.entries if entry.family != BASELINE}
        self._largest = max((cell.size for cell in run.planned), default=0)
        self._expected = {cell.approach for cell in run.planned if cell.size == self._largest} & self._families.keys()
        self._ended: Counter[str] = Counter()  # an approach's results at the largest size, failures among them
        self._first_look = frozenset(first_look)
        self._first_losses: Losses = defaultdict(list)
        self._losses: dict[int, Losses] = defaultdict(lambda: defaultdict(list))
        self._failed = self._done = self._looked = 0
        self._has_begun_plan = False
        for cell in store.cells(self._first_look & store.finished()):
            if (result := store.result(cell.key)) is not None:
                self.learn(cell, result)  # its effort is not the plan's, so it teaches no costs
        settled = store.settled()
        for cell in run.planned:
            if cell.key in settled and (result := store.result(cell.key)) is not None:
                self.learn(cell, result)
                if result.fit_seconds is not None:
                    costs.learn(cell, result.fit_seconds + (result.predict_seconds or 0.0))
                if result.peak_mb is not None:
                    costs.learn_peak(cell, result.peak_mb)
        self._has_begun_plan = False

    def learn(self, cell: Cell, result: Result) -> None:
        """A cell has a result."""
        is_first_look = cell.key in self._first_look
        if is_first_look:
            self._looked += 1
        else:
            self._done += 1
            self._has_begun_plan = self._has_begun_plan or cell.approach in self._families  # a constant is part of a first look
            self._failed += result.status != "ok"
            if cell.size == self._largest:
                self._ended[cell.approach] += 1
        if result.status == "ok" and math.isfinite(loss := _loss(self._run.setup, cell, result)):
            (self._first_losses if is_first_look else self._losses[cell.size])[cell.approach].append(loss)

    def snapshot(self, running: tuple[str, ...], remaining_seconds: float | None) -> Progress:
        """What the display shows."""
        # Under a limit more than was planned may be run.
        total = max(len(self._run.planned), self._done + (0 if self._is_looking else len(running)))
        return Progress(self._done, self._failed, total, running, self._leaders(), self._clock.elapsed_seconds,
                        remaining_seconds, self._provisional())

    @property
    def front(self) -> tuple[str, ...]:
        """The best approaches of the largest size, one of which is likely to win; none before all have a result there."""
        is_complete = self._expected <= self._ended.keys()
        losses = {name: each for name, each in self._losses[self._largest].items() if name in self._families}
        return tuple(sorted(_best_first(losses)[:FRONT])) if is_complete else ()

    @property
    def leader(self) -> str | None:
        """What is likely to be recommended: the simplest of those about as good as the best at the largest size."""
        losses = {name: _mean(each) for name, each in self._losses[self._largest].items()}
        if BASELINE_NAME not in losses or len(losses) == 1:
            return None
        metric = METRICS.get(self._run.setup.task.metric)
        best = min(losses.values())
        near = best + ABOUT_AS_GOOD * margin_value(metric, self._run.margin, losses[BASELINE_NAME], best)
        ranks = {entry.name: entry.cost_rank for entry in self._run.entries}
        return min((name for name, loss in losses.items() if name in self._families and loss <= near), key=ranks.__getitem__,
                   default=None)

    @property
    def splits_done(self) -> int:
        """On how many splits all approaches have a result at the largest size."""
        return min((self._ended[name] for name in self._expected), default=0)

    @property
    def _is_looking(self) -> bool:
        # A cell that was given up has no result; that planned cells end shows that it is not waited for.
        return self._looked < len(self._first_look) and not self._has_begun_plan

    def _leaders(self) -> dict[int, str]:
        # The baseline is always there first; alone it leads nothing.
        return {size: _best_first(losses)[0] for size, losses in sorted(self._losses.items())
                if losses.keys() & self._families.keys()}

    def _provisional(self) -> Provisional | None:
        """From planned results as soon as they stand for all families, else from the first look where it has any."""
        is_over = not self._is_looking
        # An approach of the first look is waited for, lest a family's leader change because it is not there yet.
        is_enough = (self._expected & self._first_losses.keys() <= self._ended.keys() if is_over and self._first_losses
                     else self._families_of(self._expected) <= self._families_of(self._ended))
        if is_enough or not self._first_losses:
            return self._standing(self._losses.get(self._largest, {}), is_first_look=False, is_complete=is_enough)
        return self._standing(self._first_losses, is_first_look=True, is_complete=is_over)

    def _standing(self, losses: Losses, *, is_first_look: bool, is_complete: bool) -> Provisional | None:
        best: dict[str, str] = {}
        for name in _best_first(losses):
            if name in self._families:
                best.setdefault(self._families[name], name)
        if not best:
            return None
        metric = METRICS.get(self._run.setup.task.metric)
        # Turning a loss's sign gives the score, as turning a score's gives the loss.
        leaders = tuple(FamilyLeader(family, name, metric.loss(_mean(losses[name]))) for family, name in best.items())
        return Provisional(self._largest, min(len(losses[name]) for name in best.values()), leaders, metric.name, is_first_look,
                           is_complete)

    def _families_of(self, names: Collection[str]) -> set[str]:
        return {self._families[name] for name in names if name in self._families}


def _best_first(losses: Mapping[str, list[float]]) -> list[str]:
    return sorted(losses, key=lambda name: _mean(losses[name]))


def _mean(losses: list[float]) -> float:
    return sum(losses) / len(losses)


def _loss(setup: Setup, cell: Cell, result: Result) -> float:
    metric = METRICS.get(setup.task.metric)
    test = setup.split(cell.repeat, cell.fold).test
    weight = None if setup.table.weight is None else setup.table.weight[test]
    return metric.loss(metric.value(setup.target[test], as_taken(result.predictions, setup.task, metric.takes), weight))  # type: ignore[arg-type]


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
