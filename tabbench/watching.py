"""What a person sees of a run while it goes on: cells, time left, and who leads at each size. Decides nothing."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.metric import METRICS
from tabbench.core.progress import Progress
from tabbench.core.setup import Setup
from tabbench.store.database import Store

LEAST_RESERVE_SECONDS, RESERVE_SHARE = 4.0, 0.1
"""Kept back from a time limit for scores, intervals and figures, which take a few seconds on any table."""


@dataclass(frozen=True)
class Clock:
    """When a call began (a reading of `time.monotonic`), what was used by then, and its limit."""

    began: float
    cpu_began: float
    limit_seconds: float | None

    @classmethod
    def start(cls, limit_seconds: float | None) -> Clock:
        """A clock that starts now."""
        return cls(time.monotonic(), _cpu_seconds(), limit_seconds)

    @property
    def deadline(self) -> float | None:
        """When the last cell must have ended."""
        if self.limit_seconds is None:
            return None
        reserve = max(LEAST_RESERVE_SECONDS, RESERVE_SHARE * self.limit_seconds)
        return self.began + max(self.limit_seconds - reserve, self.limit_seconds / 2)

    @property
    def elapsed_seconds(self) -> float:
        """Since the call began."""
        return time.monotonic() - self.began

    def timing(self, earlier: dict[str, float]) -> dict[str, float]:
        """Wall and processor seconds of this call and the earlier ones of the same run."""
        return {"wall_seconds": round(self.elapsed_seconds + earlier.get("wall_seconds", 0.0), 3),
                "cpu_seconds": round(_cpu_seconds() - self.cpu_began + earlier.get("cpu_seconds", 0.0), 3)}


class Watch:
    """Counts results and keeps each size's leader, also over what an earlier call had finished."""

    def __init__(self, setup: Setup, batches: Sequence[Batch], store: Store, clock: Clock) -> None:
        self._setup = setup
        self._clock = clock
        self._losses: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._failed = self._done = 0
        cells = [cell for batch in batches for cell in batch.cells]
        self._total = len(cells)
        finished = store.finished()
        for cell in cells:
            if cell.key in finished and (result := store.result(cell.key)) is not None:
                self.learn(cell, result)

    def learn(self, cell: Cell, result: Result) -> None:
        """A cell has a result."""
        self._done += 1
        self._failed += result.status != "ok"
        if result.status == "ok":
            self._losses[cell.size][cell.approach].append(_loss(self._setup, cell, result))

    def snapshot(self, running: tuple[str, ...], remaining_seconds: float | None) -> Progress:
        """What the display shows."""
        return Progress(self._done, self._failed, self._total, running, self._leaders(), self._clock.elapsed_seconds,
                        remaining_seconds)

    def plan_line(self, names: Sequence[str], sizes: Sequence[int], missing: int) -> str:
        """What is about to run, in one line."""
        done = f", {self._total - missing:,} of them done before" if missing < self._total else ""
        listed = ", ".join(f"{size:,}" for size in sizes)
        return (f"{len(names)} approaches ({', '.join(names)}) at {len(sizes)} sizes ({listed}) "
                f"on {len(self._setup.splits.splits)} splits: {self._total:,} cells{done}")

    def _leaders(self) -> dict[int, str]:
        means = {size: {name: sum(losses) / len(losses) for name, losses in by_name.items()}
                 for size, by_name in sorted(self._losses.items())}
        return {size: min(by_name, key=lambda name: by_name[name]) for size, by_name in means.items()}


def _loss(setup: Setup, cell: Cell, result: Result) -> float:
    metric = METRICS.get(setup.task.metric)
    test = setup.split(cell.repeat, cell.fold).test
    weight = None if setup.table.weight is None else setup.table.weight[test]
    return metric.loss(metric.score(setup.target[test], result.predictions, weight))  # type: ignore[arg-type]


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
