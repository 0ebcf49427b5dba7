"""What a person sees of a run while it goes on: cells, time left, and who leads at each size. Decides nothing."""

from __future__ import annotations

import math
import os
import time
from collections import defaultdict
from dataclasses import dataclass, replace

import psutil

from tabbench.core.cell import Cell, Result
from tabbench.core.metric import METRICS
from tabbench.core.progress import Progress
from tabbench.core.setup import Setup
from tabbench.executors.cost_model import CostModel
from tabbench.judging import Run
from tabbench.store.database import Store


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
    """Counts results, keeps each size's leader and teaches the cost model, also with what an earlier call had finished."""

    def __init__(self, run: Run, store: Store, clock: Clock, costs: CostModel) -> None:
        self._run = run
        self._clock = clock
        self._losses: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._failed = self._done = 0
        settled = store.settled()
        for cell in run.planned:
            if cell.key in settled and (result := store.result(cell.key)) is not None:
                self.learn(cell, result)
                if result.fit_seconds is not None:
                    costs.learn(cell, result.fit_seconds + (result.predict_seconds or 0.0))
                if result.peak_mb is not None:
                    costs.learn_peak(cell, result.peak_mb)

    def learn(self, cell: Cell, result: Result) -> None:
        """A cell has a result."""
        self._done += 1
        self._failed += result.status != "ok"
        if result.status == "ok" and math.isfinite(loss := _loss(self._run.setup, cell, result)):
            self._losses[cell.size][cell.approach].append(loss)

    def snapshot(self, running: tuple[str, ...], remaining_seconds: float | None) -> Progress:
        """What the display shows."""
        return Progress(self._done, self._failed, len(self._run.planned), running, self._leaders(), self._clock.elapsed_seconds,
                        remaining_seconds)

    def plan_line(self, missing: int) -> str:
        """What is about to run, in one line."""
        run, total = self._run, len(self._run.planned)
        done = f", {total - missing:,} of them done before" if missing < total else ""
        names, sizes = ", ".join(entry.name for entry in run.entries), ", ".join(f"{size:,}" for size in run.sizes)
        return (f"{len(run.entries)} approaches ({names}) at {len(run.sizes)} sizes ({sizes}) "
                f"on {len(run.setup.splits.splits)} splits: {total:,} cells{done}")

    def _leaders(self) -> dict[int, str]:
        means = {size: {name: sum(losses) / len(losses) for name, losses in by_name.items()}
                 for size, by_name in sorted(self._losses.items())}
        return {size: min(by_name, key=lambda name: by_name[name]) for size, by_name in means.items()}


def _loss(setup: Setup, cell: Cell, result: Result) -> float:
    metric = METRICS.get(setup.task.metric)
    test = setup.split(cell.repeat, cell.fold).test
    weight = None if setup.table.weight is None else setup.table.weight[test]
    return metric.loss(metric.value(setup.target[test], result.predictions, weight))  # type: ignore[arg-type]


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
