"""Measures what tabbench promises about speed and memory, as ratios within one run. About four minutes on two cores."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from tabbench.comparison.prepare import prepare
from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.executor import Needs
from tabbench.core.setup import Setup
from tabbench.execution.local import LocalExecutor
from tabbench.execution.machine import usable_cores
from tabbench.execution.schedule import Schedule
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder
from tabbench.store.setups import save_setup

ROWS, RUNS = 1_000_000, 5

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""


def promises() -> list[Row]:
    """Everything here, one after the other."""
    rows: list[Row] = []
    for measure in (help_seconds, reading, overhead, comparisons):
        print(f"{measure.__name__} ...", file=sys.stderr, flush=True)
        rows += measure()
    return rows


def help_seconds() -> list[Row]:
    """A new process that prints the help."""
    seconds = median(lambda: subprocess.run([sys.executable, "-m", "tabbench", "--help"], check=True, capture_output=True))
    return [("`tabbench --help`", f"{seconds:.2f} s", "≤ 0.5 s")]


def reading() -> list[Row]:
    """A million rows × 30 columns of CSV against pyarrow's own reader, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        wide_table().to_csv(path, index=False)
        ours, theirs = (in_new_process(code, path) for code in (READ_OURS, READ_PYARROW))
        table_bytes = theirs["table_bytes"]
    ratio, memory = ours["seconds"] / theirs["seconds"], ours["peak_bytes"] / table_bytes
    return [("typed columns from a CSV of 1,000,000 rows × 30 columns, wall time against pyarrow's reader",
             f"{ratio:.2f} × ({ours['seconds']:.2f} s against {theirs['seconds']:.2f} s)", "≤ 1.5 ×"),
            ("the same, peak memory above the start against the Arrow table", f"{memory:.2f} ×", "≤ 3 ×")]


def overhead() -> list[Row]:
    """What the supervisor and the store add to cells of half a second, on every core."""
    with tempfile.TemporaryDirectory() as place:
        options = Options(target="y", folds=5, repeats=12).checked()
        prepared = prepare(small_table(), options, make_display(quiet=True, to_json=False))
        with RunFolder.open(Path(place) / "run") as folder, Store(folder.path) as store:
            folder.keep()
            save_setup(prepared.setup, folder.path)
            wall, busy, cells = run_sleepers(store, prepared.setup)
    return [(f"share of the wall time that is not the work of {cells} cells of 0.5 s, {usable_cores()} children",
             f"{1 - busy / wall:.1%}", "≤ 5 %")]


def comparisons() -> list[Row]:
    """Whole comparisons of shipped tables by the fast preset, and the same again with nothing left to do."""
    rows = []
    for name in ("penguins", "credit_g", "diamonds"):
        with tempfile.TemporaryDirectory() as place:
            command = [sys.executable, "-m", "tabbench", "compare", name, "--preset", "fast", "--out", f"{place}/run", "--json",
                       "--quiet"]
            first, again = (timed(command) for _ in range(2))
            result = json.loads(first[1])
            cells = sum(row["splits"] for row in result["scores"] if row["metric"] == result["protocol"]["metric"])
            rows += [(f"`tabbench compare {name} --preset fast`: {result['table']['rows']:,} rows, {cells:,} cells",
                      f"{first[0]:.0f} s", "about 2 min up to 50,000 rows"),
                     (f"the same command again ({name}), nothing left to run", f"{again[0]:.1f} s", "≤ 2 s")]
    return rows


class Sleeper(ClassifierMixin, BaseEstimator):
    """Takes half a second to learn nothing."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Sleeper:
        """Sleep."""
        self.classes_ = np.unique(y)
        time.sleep(0.5)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """All classes alike."""
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """The first class."""
        return np.repeat(self.classes_[:1], len(X))


class Deaf:
    """Implements `Observer`."""

    def learn(self, cell: Cell, result: Result) -> None:
        """Nothing is done."""

    def show(self, running: tuple[str, ...], seconds_left: float | None) -> None:
        """Nothing is shown."""


def run_sleepers(store: Store, setup: Setup) -> tuple[float, float, int]:
    """Wall seconds of the run, seconds that cells alone need on these children, number of cells."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    own = {"sleeper": cloudpickle.dumps(Sleeper())}
    cells = [Cell(setup.table.fingerprint, "t", setup.splits_digest, "sleeper", 1, {}, size, split.repeat, split.fold, 0, "cpu")
             for size in (100, 200) for split in setup.splits.splits]
    batches = [Batch((cell,)) for cell in cells]
    store.declare(batches)
    jobs = usable_cores()
    with LocalExecutor(store, jobs=jobs, needs=Needs(own=own)) as executor:
        executor.wait_until_warm()
        executor.open_setup()
        start = time.perf_counter()
        executor.run(Schedule(batches, jobs=jobs), Deaf())
        wall = time.perf_counter() - start
    headers = [store.header(cell.key) for cell in cells]
    return wall, sum(each["fit_seconds"] + each["predict_seconds"] for each in headers) / jobs, len(cells)


READ_OURS = "from tabbench.reading.reading import read_table; made = read_table(path, 'y')"
READ_PYARROW = "import pyarrow.csv; made = pyarrow.csv.read_csv(path)"
MEASURED = """
import json, sys, threading, time
import pyarrow.csv, tabbench.reading.reading, psutil
path, process = sys.argv[1], psutil.Process()
pyarrow.csv.read_csv(path); start_bytes = process.memory_info().rss
peak, stop = [start_bytes], threading.Event()
def watch():
    while not stop.wait(0.005):
        peak.append(process.memory_info().rss)
thread = threading.Thread(target=watch); thread.start()
seconds = []
for _ in range(RUNS):
    start = time.perf_counter()
    CODE
    seconds.append(time.perf_counter() - start)
stop.set(); thread.join()
print(json.dumps({"seconds": sorted(seconds)[RUNS // 2], "peak_bytes": max(peak) - start_bytes,
                  "table_bytes": getattr(made, "nbytes", 0)}))
"""


def in_new_process(code: str, path: Path) -> dict[str, float]:
    """Median seconds and peak memory of a reader, after one cold read of the file."""
    script = MEASURED.replace("CODE", code.replace("; ", "\n    ")).replace("RUNS", str(RUNS))
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def wide_table() -> pd.DataFrame:
    """Thirty columns as they come: whole and fractional numbers, words, dates, a free text, a target."""
    rng = np.random.default_rng(0)
    columns: dict[str, object] = {f"whole{n}": rng.integers(0, 10**5, ROWS) for n in range(10)}
    columns |= {f"fraction{n}": rng.normal(size=ROWS).round(4) for n in range(12)}
    columns |= {f"word{n}": rng.choice(["alpha", "beta", "gamma", "delta"], ROWS) for n in range(5)}
    columns["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, ROWS), unit="D")
    columns["code"] = np.char.add("K", rng.integers(0, 5000, ROWS).astype(str))
    return pd.DataFrame(columns | {"y": rng.choice(["yes", "no"], ROWS)})


def small_table() -> pd.DataFrame:
    """Four hundred rows for cells that only sleep."""
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(size=400), "y": rng.choice(["yes", "no"], 400)})


def median(measured: Callable[[], object]) -> float:
    """Median seconds of five calls after one that warms up."""
    measured()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        measured()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def timed(command: list[str]) -> tuple[float, str]:
    """Seconds and standard output of a command."""
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - start, done.stdout
