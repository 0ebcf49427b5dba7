"""Measures what a small comparison waits for: the first fit, a second command, and what lies between and around cells."""

from __future__ import annotations

import io
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.comparison.plan import choose_contestants, plan_batches
from tabbench.comparison.prepare import prepare
from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.executor import Needs
from tabbench.execution.child import Child, preload
from tabbench.execution.local import LocalExecutor
from tabbench.execution.schedule import Schedule
from tabbench.execution.worker import Event
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.store.database import Store
from tabbench.store.folder import SPOOL, RunFolder
from tabbench.store.setups import save_setup
from tabbench.store.spool import SUFFIX, unpack

RUNS = 3
ROWS, COLUMNS = 1_000, 20
LOOK_SECONDS = 0.002
OF_SMALL_CELLS = Options(target="y", approaches="dummy,linear", effort=0.02, folds=5, repeats=10, sizes="50")

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""


def start() -> list[Row]:
    """Everything here: less than a minute on two cores."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table(ROWS, COLUMNS).to_csv(folder / "table.csv", index=False)
        commands = [command_seconds(folder, number) for number in range(RUNS)]
        waits, extras = around_cells(folder)
    first, again, busy = (statistics.median(each) for each in zip(*commands, strict=True))
    what = f"{ROWS:,} × {COLUMNS}"
    return [(f"from the command to the first result, {what}, default approaches", f"{first:.2f} s", "≤ 1.5 s"),
            ("the same command again, nothing left to run", f"{again:.2f} s", "≤ 2 s"),
            ("the same, processor seconds", f"{busy:.2f} s", ""),
            (f"between the batches of a worker, median of {len(waits)}", f"{1e3 * statistics.median(waits):.1f} ms", "≤ 2 ms"),
            (f"of a cell but its fit and prediction, median of {len(extras)}", f"{1e3 * statistics.median(extras):.1f} ms",
             "≤ 10 ms")]


def command_seconds(folder: Path, number: int) -> tuple[float, float, float]:
    """Seconds to the first result of a run, and wall and processor seconds of the same command again."""
    run = folder / f"run{number}"
    command = [sys.executable, "-m", "tabbench", "compare", str(folder / "table.csv"), "--target", "y", "--effort", "0.02",
               "--folds", "2", "--repeats", "1", "--sizes", "full", "--out", str(run), "--quiet"]
    began = time.perf_counter()
    with subprocess.Popen(command) as process:
        first = seconds_until_result(run, process, began)
        process.wait()
    used, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True)
    wall, now = time.perf_counter() - began, os.times()
    return first, wall, now.children_user + now.children_system - used.children_user - used.children_system


def seconds_until_result(run: Path, process: subprocess.Popen[bytes], began: float) -> float:
    """When the first cell, the constant predictor's, has written its result."""
    while process.poll() is None:
        if any((run / SPOOL).glob("*")):
            return time.perf_counter() - began
        time.sleep(LOOK_SECONDS)
    raise SystemExit(f"the comparison ended with exit code {process.returncode} before a result was seen")


class Noting(queue.Queue[Event]):
    """Remembers when what event came."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, dict[str, Any]]] = []

    def put(self, item: Event, block: bool = True, timeout: float | None = None) -> None:
        """Note it, then pass it on."""
        self.seen.append((time.perf_counter(), item.values or {}))
        super().put(item, block, timeout)


class Deaf:
    """Implements `Observer`."""

    def learn(self, cell: Cell, result: Result) -> None:
        """Nothing is done."""

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        """Nothing is shown."""


def around_cells(place: Path) -> tuple[list[float], list[float]]:
    """Seconds that a worker waits between two batches, and that a cell takes beyond its fit and prediction."""
    options = OF_SMALL_CELLS.checked()
    prepared = prepare(table(120, 4), options, make_display(quiet=True, to_json=False))
    contestants = choose_contestants(options)
    planned = plan_batches(prepared.setup, contestants, [50], effort=options.work, device="cpu")
    batches = [Batch((cell,)) for batch in planned for cell in batch.cells]  # alone each bears all of its costs
    with RunFolder.open(place / "small") as folder, Store(folder.path) as store:
        folder.keep()
        save_setup(prepared.setup, folder.path)
        store.declare(batches)
        return gaps(store, batches), overheads(folder.path, batches)


def gaps(store: Store, batches: list[Batch]) -> list[float]:
    """From the end of a batch to the beginning of the next one's cell, as the supervisor of one worker sees it."""
    executor = LocalExecutor(store, jobs=1, needs=Needs(), starts_early=False)
    executor._events = noting = Noting()
    with executor:
        executor.run(Schedule(batches, jobs=1), Deaf())
    ends = [when for when, values in noting.seen if "idle" in values]
    begins = [when for when, values in noting.seen if "started" in values]
    return [begin - end for end, begin in zip(ends, begins[1:], strict=False)]


def overheads(folder: Path, batches: list[Batch]) -> list[float]:
    """What a worker needs for a batch of one cell, less the cell's own seconds."""
    preload()
    child, found = Child(folder, io.StringIO()), []
    for batch in batches:
        began = time.perf_counter()
        child.do_run(str(folder), [cell.to_json() for cell in batch.cells], {}, 1, 1, None)
        took = time.perf_counter() - began
        header, _ = unpack((folder / SPOOL / f"{batch.cells[0].key}{SUFFIX}").read_bytes())
        found.append(took - header["fit_seconds"] - header["predict_seconds"])
    return found[1:]  # the first one has opened the table


def table(rows: int, columns: int) -> pd.DataFrame:
    """Numbers and a target that some of them give, with an interaction and noise."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(rows, columns))
    signal = features[:, 0] + features[:, 1] * features[:, 2] + rng.normal(size=rows)
    return pd.DataFrame(features, columns=[f"x{number}" for number in range(columns)]).round(4).assign(
        y=np.where(signal > 0, "yes", "no"))


if __name__ == "__main__":
    for row in start():
        print(" | ".join(row))
