"""Measures how seconds and memory grow with the rows, for each approach of the fast preset; draws docs/scale.png.

    python tools/bench_scale.py [FILE=TARGET ...]

Generated tables of 50 columns, and real ones where files are given. Each measurement has a process of its own, so that its peak
is its own; one runs on each core, and its processor seconds are counted. About ten minutes and 20 GB on two cores.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.approaches.composed import find_approach
from tabbench.comparison.plan import settings_of
from tabbench.comparison.prepare import prepare
from tabbench.core.cell import Batch, Cell
from tabbench.core.effort import POINTS
from tabbench.core.setup import Setup
from tabbench.execution.machine import PeakMemory, usable_cores
from tabbench.execution.run import execute
from tabbench.options import Options, default_approaches
from tabbench.report.live import make_display
from tabbench.store.setups import load_setup, save_setup

PICTURE = Path(__file__).parents[1] / "docs" / "scale.png"
ROWS = (10_000, 30_000, 100_000, 500_000, 1_000_000)
NUMBERS, CATEGORIES, BOOLEANS = 38, 8, 4
PRESET = "fast"
GROWTH_FROM_ROWS = 100_000
"""Growth is taken over the sizes where fixed costs and caps on the amount of work no longer hide it."""
GOAL_ROWS, MOST_MB = 400_000, 4_000
"""At so many training rows: two children in 8 GB, the table counted in each."""
GOALS = {"linear": "≤ 60 s; ≤ 2,500 MB", "linear+forest": "about linear; ≤ 3,000 MB"}
LONGEST_SECONDS = 900
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""


@dataclass(frozen=True)
class Measured:
    """One cell at the full size of a table: rows it learnt from, processor seconds, the process's highest MB."""

    table: str
    approach: str
    rows: int
    seconds: float
    peak_mb: float


def main() -> None:
    """Measure, draw and print; or be the process of one measurement."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(MEASUREMENTS[sys.argv[2]](*sys.argv[3:])))
        return
    for row in scale(dict(each.split("=", 1) for each in sys.argv[1:])):
        print(" | ".join(row))


def scale(files: dict[str, str] | None = None) -> list[Row]:
    """Measure every approach on every table, draw the picture, give the page's rows. `files`: path -> target."""
    approaches = default_approaches(POINTS[PRESET])
    generated = {f"{rows:,} rows": ("generated", str(rows)) for rows in ROWS}
    real = {Path(path).name.split(".")[0]: ("file", path, target) for path, target in (files or {}).items()}
    with tempfile.TemporaryDirectory() as place:
        folders = {name: str(Path(place) / str(number)) for number, name in enumerate(generated | real)}
        orders = [("cell", folders[name], name, approach) for name in folders for approach in approaches]
        with ThreadPoolExecutor(usable_cores()) as pool:  # the longest first
            list(pool.map(lambda each: in_new_process("setup", folders[each[0]], *each[1]), (generated | real).items()))
            measured = [Measured(**values) for values in pool.map(lambda order: in_new_process(*order), orders[::-1])]
        sharing = in_new_process("sharing", folders[list(generated)[-1]])
    draw([each for each in measured if each.table in generated], approaches)
    rows = [growth(approach, [each for each in measured if each.table in generated]) for approach in approaches]
    rows += [(f"{each.approach}: {each.table}, {each.rows:,} training rows", f"{each.seconds:.1f} s; {each.peak_mb:,.0f} MB",
              f"≤ {MOST_MB:,} MB") for each in measured[::-1] if each.table in real]
    return [*rows, (f"memory of its own that a child takes for a table of {sharing['table_mb']:.0f} MB, all of it read",
                    f"{sharing['own_mb']:.0f} MB", "≤ 10 % of the table")]


def growth(approach: str, measured: list[Measured]) -> Row:
    """The approach's figures where they have goals and on the largest generated table, and how its seconds grow up to there."""
    mine = sorted((each for each in measured if each.approach == approach), key=lambda each: each.rows)
    start, goal = (next(each for each in mine if each.rows >= rows) for rows in (0.75 * GROWTH_FROM_ROWS, GOAL_ROWS))
    end = mine[-1]
    exponent = math.log(end.seconds / start.seconds) / math.log(end.rows / start.rows)
    power = f", growing as rows^{exponent:.2f}" if end.seconds > 1 else ""
    return (f"{approach}: {goal.rows:,} training rows × {NUMBERS + CATEGORIES + BOOLEANS}",
            f"{goal.seconds:.1f} s, {goal.peak_mb:,.0f} MB; {end.rows:,}: {end.seconds:.1f} s, {end.peak_mb:,.0f} MB{power}",
            GOALS.get(approach, f"about linear; ≤ {MOST_MB:,} MB"))


def in_new_process(*order: str) -> dict[str, Any]:
    """What a measurement in a process of its own prints."""
    done = subprocess.run([sys.executable, __file__, "--one", *order], check=True, capture_output=True, text=True,
                          env=os.environ | THREADS, timeout=LONGEST_SECONDS)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def make_setup(folder: str, kind: str, source: str, target: str = "y") -> dict[str, Any]:
    """Freeze the setup of a table into a folder."""
    data: Any = generated_table(int(source)) if kind == "generated" else source
    prepared = prepare(data, Options(target=target, folds=5, repeats=1).checked(), make_display(quiet=True, to_json=False))
    Path(folder).mkdir()
    save_setup(prepared.setup, Path(folder))
    return {}


def measure_cell(folder: str, table: str, name: str) -> dict[str, Any]:
    """Fit and predict one cell at the full size, as a child does."""
    setup = load_setup(Path(folder))
    for module in find_approach(name).requires:  # as a child does before its first cell
        importlib.import_module(module)
    memory, start = PeakMemory(), time.process_time()
    (result,) = execute(setup, Batch((cell_of(setup, name),)))
    seconds = time.process_time() - start
    if result.status != "ok":
        raise SystemExit(f"{name} on {table}: {result.reason}")
    return {"table": table, "approach": name, "rows": setup.splits.full_size, "seconds": seconds,
            "peak_mb": memory.peak_mb()}


def cell_of(setup: Setup, name: str) -> Cell:
    """The approach's cell of the first split at the full size."""
    approach, size = find_approach(name), setup.splits.full_size
    return Cell(setup.table.fingerprint, setup.task.kind, setup.splits_digest, name, approach.version,
                settings_of(approach, setup, size, POINTS[PRESET]), size, 0, 0, 0, "cpu")


def measure_sharing(folder: str) -> dict[str, Any]:
    """Private memory that a child needs for a table that another one has open too."""
    import psutil

    other = subprocess.Popen([sys.executable, __file__, "--one", "hold", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if other.stdout is None or not other.stdout.readline():
        raise SystemExit("the other child did not open the table")
    load_setup(Path(folder))  # what loading imports and keeps is not the table's
    before = psutil.Process().memory_full_info().uss
    table = load_setup(Path(folder)).table
    read_all(table.features)
    own = psutil.Process().memory_full_info().uss - before
    other.communicate()
    return {"own_mb": own / 1e6, "table_mb": (Path(folder) / "table.arrow").stat().st_size / 1e6}


def hold(folder: str) -> dict[str, Any]:
    """Open the table and keep it until standard input ends."""
    table = load_setup(Path(folder)).table
    read_all(table.features)
    print("open", flush=True)
    sys.stdin.read()
    return {}


def read_all(features: pd.DataFrame) -> None:
    """Touch every value."""
    for name in features:
        values = features[name]
        (values.cat.codes if isinstance(values.dtype, pd.CategoricalDtype) else values).to_numpy().max()


def generated_table(rows: int, numbers: int = NUMBERS) -> pd.DataFrame:
    """Numbers, categories, yes/no and a binary target that depends on some of each."""
    rng = np.random.default_rng(rows)
    columns: dict[str, Any] = {f"number{n}": rng.normal(size=rows) for n in range(numbers)}
    columns |= {f"boolean{n}": rng.random(rows) < 0.3 for n in range(BOOLEANS)}
    signal = columns["number0"] - columns["number1"] * columns["number2"] + columns["boolean0"] * 1.0
    for n in range(CATEGORIES):
        codes = rng.integers(0, 4 * (n + 1) ** 2, rows)
        signal = signal + np.sin(codes) * (n < 3)
        columns[f"category{n}"] = pd.Categorical.from_codes(codes, [f"level {code}" for code in range(4 * (n + 1) ** 2)])
    is_yes = rng.random(rows) < 1 / (1 + np.exp(-signal))
    return pd.DataFrame(columns | {"y": np.where(is_yes, "yes", "no")})


def draw(measured: list[Measured], approaches: tuple[str, ...]) -> None:
    """Seconds and peak memory against training rows, a line an approach."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    shown = (("processor seconds to fit and predict", "seconds"), ("peak memory of the process, MB", "peak_mb"))
    for panel, (title, value) in zip(panels, shown, strict=True):
        for number, approach in enumerate(approaches):
            mine = sorted((each for each in measured if each.approach == approach), key=lambda each: each.rows)
            panel.loglog([each.rows for each in mine], [getattr(each, value) for each in mine], label=approach,
                         color=f"C{number}", marker="osD^vPXh"[number % 8], markersize=5)
        panel.set(title=title, xlabel="training rows")
        panel.grid(which="both", color="0.92")
    rows = np.array([each.rows for each in measured if each.approach == approaches[0]])
    ends = np.array([rows.min(), rows.max()])
    panels[0].loglog(ends, ends / 30_000, color="0.6", linestyle=":", label="linear growth")
    panels[1].axhline(MOST_MB, color="0.6", linestyle="--", linewidth=1)
    panels[1].text(ends[0], MOST_MB * 0.96, "half of 8 GB", color="0.4", va="top", fontsize=9)
    panels[0].legend(fontsize=8)
    figure.savefig(PICTURE, dpi=110)


MEASUREMENTS = {"setup": make_setup, "cell": measure_cell, "sharing": measure_sharing, "hold": hold}

if __name__ == "__main__":
    main()
