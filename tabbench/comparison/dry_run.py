"""What a comparison would do and cost, before any of it is done: `--dry-run`. Writes no folder and fits no cell."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import psutil

from tabbench.comparison.progress import Clock
from tabbench.comparison.run import Run
from tabbench.core.cell import Batch
from tabbench.core.effort import point_name
from tabbench.core.phrases import counted, listed
from tabbench.core.setup import Setup
from tabbench.core.skip import REASONS, SkipKind
from tabbench.costs.cost_model import CostModel
from tabbench.costs.prior import PriorCosts
from tabbench.execution.local import require_memory
from tabbench.execution.machine import usable_cores
from tabbench.execution.schedule import Schedule
from tabbench.options import Options
from tabbench.wording.numbers import duration
from tabbench.wording.safe_text import plain

LOW, HIGH = 0.1, 0.9
"""Ends of the 80 % intervals."""
HIGH_DEVIATIONS = 1.28
"""The same of a normal distribution."""
STARTING_SHARE = 0.7
"""The part of the workers' start that does not pass while the table is being read."""
CLOSING_SPREAD = 0.3
BASE_SPREAD = 0.06
"""What the libraries themselves take differs by so much from machine to machine, as a standard deviation of the logarithm."""
LONGEST_WORK = 100

CELL_COLUMNS = ("approach", "size", "cells", "seconds", "low", "high", "peak_mb", "known", "skipped")


@dataclass(frozen=True, eq=False)
class ExpectedRun:
    """The plan of a comparison with its expected cost; shows itself.

    Parameters
    ----------
    table : dict[str, Any]
        Name, rows, columns, target, task.
    protocol : dict[str, Any]
        Preset (None for another effort), effort, sizes, folds, repeats, splits, jobs, device, limits.
    approaches : DataFrame
        Frame of approach, family, known (measured, composed, unknown) and work, its amount at the full size in words.
    cells : DataFrame
        Frame, one row an approach and size: seconds of all its cells with their 80 % interval, the peak of a worker in MB, and
        whether a limit would skip it, with the reason.
    seconds, peak_mb : dict[str, float]
        Expected, low and high of the whole call's wall time and of the whole process tree's memory.
    plan : str, default ""
        How much of it is planned and why, in one line.
    """

    table: dict[str, Any]
    protocol: dict[str, Any]
    approaches: pd.DataFrame
    cells: pd.DataFrame
    seconds: dict[str, float]
    peak_mb: dict[str, float]
    unknown: tuple[str, ...] = field(default=())
    plan: str = ""

    def to_json(self) -> str:
        """The same as JSON."""
        plan = {"table": self.table, "protocol": self.protocol, "approaches": self.approaches.to_dict("records"),
                "cells": self.cells.to_dict("records"), "seconds": self.seconds, "peak_mb": self.peak_mb,
                "unknown": list(self.unknown)}
        return json.dumps(plan, indent=1, allow_nan=False) + "\n"

    def __str__(self) -> str:
        table, protocol = self.table, self.protocol
        lines = [f"{table['name']}: {table['rows']:,} rows, {table['columns']} columns, {table['task']}; "
                 f"{counted(len(self.approaches), 'approach')}, {counted(len(protocol['sizes']), 'size')}, "
                 f"{counted(protocol['splits'], 'split')}", ""]
        width = max(len(name) for name in self.approaches["approach"])
        lines += [f"{row['approach']:{width}}  {row['work']}" for row in self.approaches.to_dict("records")]
        lines += ["", self.plan, "", *self._sizes(), *self._limits(), self._sentence()]
        return "\n".join(map(plain, lines))

    def _sizes(self) -> list[str]:
        kept = self.cells[self.cells["skipped"] == ""]
        lines = [f"{size:<13,}  {rows['cells'].sum():<5,}  {duration(rows['seconds'].sum())}"
                 for size, rows in kept.groupby("size")]
        return ["training rows  cells  one after the other", *lines, ""] if lines else []

    def _limits(self) -> list[str]:
        """What would be skipped, one line for all approaches and sizes that share it."""
        names: dict[tuple[str, int], list[str]] = {}
        for row in self.cells[self.cells["skipped"] != ""].to_dict("records"):
            names.setdefault((row["skipped"], row["size"]), []).append(row["approach"])
        sizes: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for (reason, size), dropped in names.items():
            sizes.setdefault((reason, tuple(dropped)), []).append(f"{size:,}")
        return [f"skipped: {'every approach' if len(dropped) == len(self.approaches) else listed(dropped)} at "
                f"{listed(at)} rows: {reason}" for (reason, dropped), at in sizes.items()]

    def _sentence(self) -> str:
        if (self.cells["skipped"] != "").all():
            return "Nothing would be run within these limits: give more time or memory, or lower --jobs."
        unknown = f" Nothing is known of {', '.join(self.unknown)} before the first cell." if self.unknown else ""
        less = " It is less if the race stops an approach." if self.protocol["race"] else ""
        more = " The repetitions of --what-if, each at one size, come on top." if self.protocol["what_if"] else ""
        return (f"Expected with {self.protocol['jobs']} at a time: {duration(self.seconds['expected'])} "
                f"(80 %: {duration(self.seconds['low'])} to {duration(self.seconds['high'])}), at most "
                f"{self.peak_mb['expected'] / 1e3:.1f} GB of memory (80 %: {self.peak_mb['low'] / 1e3:.1f} to "
                f"{self.peak_mb['high'] / 1e3:.1f} GB).{unknown}{less}{more}")

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def expect_run(run: Run, batches: Sequence[Batch], costs: CostModel, options: Options, *, prior: PriorCosts, clock: Clock,
               device: str, plan: str, reserve_seconds: float = 0.0) -> ExpectedRun:
    """What these batches would cost on this machine.

    Parameters
    ----------
    run : Run
        With every cell that is wanted; those that `batches` lack are left out for lack of time.
    plan : str
        What is planned and why, in one line.
    reserve_seconds : float, default 0.0
        For fitting the winner once more.

    Raises
    ------
    BadOption
        A memory limit that leaves no room for a cell, as in the run itself.
    """
    jobs = options.jobs or usable_cores()
    schedule = Schedule(batches, jobs=jobs, costs=costs)
    parent_mb = psutil.Process().memory_info().rss / 1e6
    if options.limit_bytes is not None:
        workers = min(jobs, len(schedule.waiting))
        require_memory(options.limit_bytes, workers, 1e6 * (parent_mb + workers * costs.base_mb))
        room_mb = options.limit_bytes / 1e6 - parent_mb - (jobs - 1) * costs.base_mb
        schedule.drop_too_large(room_mb, "it would need about {need}, more than --memory-limit leaves")
    planned = {cell.key for batch in batches for cell in batch.cells}
    skipped = {(cell.approach, cell.size): REASONS[SkipKind.TIME] for cell in run.planned if cell.key not in planned}
    skipped = {pair: reason for pair, reason in skipped.items()
               if not any((cell.approach, cell.size) == pair for batch in batches for cell in batch.cells)}
    skipped |= {(skip.approach, skip.size): skip.reason for skip in schedule.skips}
    ran = list(iter(lambda: schedule.next(0.0), None))
    starting = STARTING_SHARE * prior.machine("startup_seconds")
    after = reserve_seconds + closing_seconds(run.setup, prior, sum(len(batch.cells) for batch in ran))
    wall = costs.work(ran).wall_seconds(jobs)
    wall = wall + clock.elapsed_seconds + starting + after * np.exp(CLOSING_SPREAD * _normal(len(wall)))
    cells = cells_frame([*batches, *_one_cell_each(run, skipped, planned)], costs, skipped)
    known = {row["approach"]: row["known"] for row in cells.to_dict("records")}
    cells = _with_left_out(cells, run)
    return ExpectedRun(_table(run), _protocol(run, options, jobs, device) | {"plan": run.plan}, _approaches(run, known), cells,
                       _interval(wall), _peak(ran, costs, jobs, parent_mb),
                       tuple(name for name, how in known.items() if how == "unknown"), plan)


def _one_cell_each(run: Run, skipped: Mapping[tuple[str, int], str], planned: Collection[str]) -> list[Batch]:
    """The cells of what will not be run, each on its own: their costs are shown, too."""
    return [Batch((cell,)) for cell in run.planned if cell.key not in planned and (cell.approach, cell.size) in skipped]


def closing_seconds(setup: Setup, prior: PriorCosts, cells: int, *, has_refit: bool = False) -> float:
    """What scores, verdicts and reports of so many cells take after the last one; a refit goes on while reports are written."""
    values = cells * np.mean([len(split.test) for split in setup.splits.splits]) * max(setup.task.n_classes, 1)
    meanwhile = prior.machine("reporting_seconds") if has_refit else 0.0
    return float(prior.machine("closing_seconds") - meanwhile + prior.machine("closing_cell_seconds") * cells
                 + prior.machine("closing_million_seconds") * values / 1e6)


def cells_frame(batches: Sequence[Batch], costs: CostModel, skipped: Mapping[tuple[str, int], str]) -> pd.DataFrame:
    """One row an approach and size, in the order of the plan."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for batch in batches:
        for place, cell in enumerate(batch.cells):
            done = [each.approach for each in batch.cells[:place]]
            pair = (cell.approach, cell.size)
            row = rows.setdefault(pair, {"cells": 0, "seconds": np.zeros(1), "peak_mb": 0.0})
            row["cells"] += 1
            row["seconds"] = row["seconds"] + costs.work([Batch((cell,))], done).seconds[0]
            row["peak_mb"] = max(row["peak_mb"], costs.cell_peak_mb(cell).median)
    frame = [{"approach": approach, "size": size, "cells": row["cells"], **_named(_interval(row["seconds"])),
              "peak_mb": round(row["peak_mb"]), "known": costs.prices.own(approach, size).known,
              "skipped": skipped.get((approach, size), "")}
             for (approach, size), row in sorted(rows.items(), key=lambda each: each[0][1])]
    return pd.DataFrame(frame, columns=list(CELL_COLUMNS))


def _with_left_out(cells: pd.DataFrame, run: Run) -> pd.DataFrame:
    """The same with a row for each approach and size that was left out before anything was planned: no package, no cells."""
    left_out = [{"approach": skip.approach, "size": skip.size, "cells": 0, **_named(_interval(np.zeros(1))), "peak_mb": 0,
                 "known": "not run", "skipped": skip.reason} for skip in run.skips]
    if not left_out:
        return cells
    both = pd.DataFrame([*cells.to_dict("records"), *left_out], columns=list(CELL_COLUMNS))
    return both.sort_values("size", kind="stable", ignore_index=True)


def in_words(settings: Mapping[str, Any]) -> str:
    """An approach's settings on one line.

    >>> in_words({"rounds": 400, "inner_folds": 4, "C": [0.1, 1.0]})
    'rounds 400, inner folds 4, 2 values of C'
    >>> in_words({"members": {"xgboost": {}, "lightgbm": {}}})
    'fits of xgboost, lightgbm'
    """
    words = []
    for name, value in settings.items():
        label = name.replace("_", " ")
        if name == "versions":
            continue  # of what is reused: no work of its own
        if name == "members" and isinstance(value, Mapping):
            words.append(f"fits of {', '.join(map(str, value))}")
        elif isinstance(value, Mapping):
            words.append(f"{label} ({in_words(value)})")
        elif isinstance(value, list | tuple):
            words.append(f"{len(value)} values of {label}" if len(value) > 1 else f"{label} {value[0] if value else 'none'}")
        else:
            words.append(f"{label} {value:,}" if isinstance(value, int) and not isinstance(value, bool) else f"{label} {value}")
    line = ", ".join(words) or "nothing to tune"
    return line if len(line) <= LONGEST_WORK else line[:LONGEST_WORK].rsplit(", ", 1)[0] + ", ..."


def _table(run: Run) -> dict[str, Any]:
    table = run.setup.table
    return {"name": table.name, "rows": len(table), "columns": len(table.columns), "target": table.target_name,
            "task": run.setup.task.kind}


def _protocol(run: Run, options: Options, jobs: int, device: str) -> dict[str, Any]:
    splits = run.setup.splits
    return {"preset": point_name(run.effort), "effort": run.effort, "metric": run.setup.task.metric, "sizes": list(run.sizes),
            "folds": splits.folds, "repeats": splits.repeats, "splits": len(splits.splits), "jobs": jobs, "device": device,
            "time_limit_seconds": options.limit_seconds, "memory_limit_bytes": options.limit_bytes,
            "race": options.race, "what_if": options.what_if}


def _approaches(run: Run, known: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame([{"approach": entry.name, "family": entry.family, "known": known.get(entry.name, "not run"),
                          "work": in_words(entry.settings)} for entry in run.entries])


def _peak(ran: Sequence[Batch], costs: CostModel, jobs: int, parent_mb: float) -> dict[str, float]:
    """The tree's memory when the workers hold the largest batches at the same time."""
    peaks = sorted((costs.peak_mb(batch.cells) for batch in ran), key=lambda peak: -peak.median)[:jobs]
    idle = max(jobs - len(peaks), 0) * costs.base_mb
    ends = {"expected": 0.0, "low": -HIGH_DEVIATIONS, "high": HIGH_DEVIATIONS}
    return {name: round(float(np.exp(far * BASE_SPREAD)) * (parent_mb + idle + sum(
        costs.base_mb + (peak.median - costs.base_mb) * float(np.exp(far * peak.spread)) for peak in peaks)))
        for name, far in ends.items()}


def _interval(draws: np.ndarray) -> dict[str, float]:
    return {"expected": round(float(np.median(draws)), 2), "low": round(float(np.quantile(draws, LOW)), 2),
            "high": round(float(np.quantile(draws, HIGH)), 2)}


def _named(interval: Mapping[str, float]) -> dict[str, float]:
    return {"seconds": interval["expected"], "low": interval["low"], "high": interval["high"]}


def _normal(count: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=count)
