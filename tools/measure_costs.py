"""Measures what cells cost on generated tables of many shapes, and writes tabbench/costs/costs.json from it.

    python tools/measure_costs.py --minutes 30 [--presets fast,balanced,thorough] [--processes 2] [--largest WORK]
        [--approaches mlp,tabm] [--cells FILE]

Cells are appended to FILE (default: cost_cells.jsonl in the folder for temporary files), and all that FILE holds of the present
versions of approaches are used, so that a second call goes on with other shapes. Processor seconds are measured, not wall time:
the machine should do little else, but need not be idle. Every shape has a process of its own, so that peaks are honest.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tabbench.execution.machine import trim_memory

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
DEFAULT_CELLS = Path(tempfile.gettempdir()) / "cost_cells.jsonl"
PRESETS = ("fast", "balanced", "thorough")
LARGEST_WORK = 3_000_000
"""Rows x columns x square root of the outputs of the largest table measured: one shape must not eat the time of twenty."""
CLASSES = (0, 2, 0, 2, 3, 2, 0, 10, 2, 25)
CATEGORY_SHARES = (0.0, 0.0, 0.3, 0.8)
WIDE_FROM, WIDEST = 0.95, 1_600
"""One shape in twenty has as many columns as the widest tables that are meant to work."""
LONGEST_SECONDS = 900
MOST_SHAPES = 512
GENERIC = (0.0, 0.4, 0.7, 0.7, 0.4, 0.7, 0.4, 0.6, 0.0)
"""Exponents where nothing was measured; see `tabbench.costs.prior.FEATURES`."""
LEAST_SECONDS, LEAST_MB = 1e-4, 1.0
CHILD_MB = 20.0
"""What a child holds besides its libraries: the opened setup and its pipes (seen in whole runs)."""
CLOSING = {"closing_seconds": 2.5, "reporting_seconds": 0.9, "closing_cell_seconds": 0.004, "closing_million_seconds": 0.8}
"""Scores, verdicts and reports: at all, of these the reports, a cell, a million stored values. Taken from whole runs by hand
(tools/bench_profile.py): they change rarely."""


def main() -> None:
    """Measure for a while, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--approaches", help="comma-separated (the default ones)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--largest", type=float, default=LARGEST_WORK)
    parser.add_argument("--cells", type=Path, default=DEFAULT_CELLS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        measure_one(**json.loads(given.one))
        return
    done = read_cells(given.cells)
    deadline = time.monotonic() + 60 * given.minutes
    first = max((cell["number"] for cell in done), default=-1) + 1
    orders = iter([shape_of(number, given.presets, given.largest) | {"approaches": given.approaches}
                   for number in range(first, first + MOST_SHAPES)])
    with ThreadPoolExecutor(given.processes) as pool, given.cells.open("a") as sink:
        def work(_: int) -> None:
            while time.monotonic() < deadline:
                lines = in_new_process(next(orders), deadline - time.monotonic())
                sink.write(lines)
                sink.flush()

        list(pool.map(work, range(given.processes)))
    write_costs(read_cells(given.cells))


def shape_of(number: int, presets: str, largest: float) -> dict[str, Any]:
    """The shape with this number, from low-discrepancy points: any first part of them covers the range."""
    from scipy.stats import qmc

    point = qmc.Sobol(6, scramble=True, rng=7).random(number + 1)[-1]
    columns = int(4 * 125 ** point[1]) if point[5] < WIDE_FROM else WIDEST
    classes = CLASSES[int(point[2] * len(CLASSES))]
    rows = int(min(100 * 1000 ** point[0], largest / columns / max(classes, 1) ** 0.5))
    test_rows = int(min(20_000, max(50, rows * 0.25 * 8 ** point[3])))
    return {"number": number, "presets": presets, "rows": max(rows, 100), "columns": columns, "classes": classes,
            "test_rows": test_rows, "category_share": CATEGORY_SHARES[int(point[4] * 4)] if columns < WIDEST else 0.0}


def in_new_process(order: dict[str, Any], seconds_left: float) -> str:
    """The lines that one measurement prints; whatever it could not finish in time is missing."""
    command = [sys.executable, __file__, "--one", json.dumps(order)]
    try:
        done = subprocess.run(command, env=os.environ | THREADS, capture_output=True, text=True, check=False,
                              timeout=max(30.0, min(LONGEST_SECONDS, seconds_left)))
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode() if isinstance(late.stdout, bytes | None) else late.stdout
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
    print(".", end="", file=sys.stderr, flush=True)
    return done.stdout


class Timed:
    """A fitted approach whose predictions are timed."""

    def __init__(self, fitted: Any, spent: dict[str, float]) -> None:
        self._fitted = fitted
        self._spent = spent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fitted, name)

    def predict(self, features: Any) -> np.ndarray:
        """The same predictions."""
        began = time.process_time()
        try:
            return self._fitted.predict(features)
        finally:
            self._spent["predict"] += time.process_time() - began


def timed(approach: Any, spent: dict[str, float]) -> Any:
    """The same approach; `spent` gets the processor seconds of its fit and predict."""
    def fit(training: Any) -> Any:
        began = time.process_time()
        try:
            return Timed(approach.fit(training), spent)
        finally:
            spent["fit"] += time.process_time() - began

    return replace(approach, fit=fit)


def measure_one(number: int, presets: str, rows: int, columns: int, classes: int, test_rows: int, category_share: float,
                approaches: str | None) -> None:
    """Run these approaches (None: the default ones) of these presets on one generated table; prints one JSON line a cell."""
    import psutil

    from tabbench.comparison.plan import choose_contestants
    from tabbench.costs.forecast import shape_of_cells
    from tabbench.execution.run import why_it_does_not_load
    from tabbench.options import Options
    from tabbench.store.setups import load_setup, save_setup

    began = time.process_time()
    for approach in choose_contestants(Options(approaches=approaches).checked()).approaches:
        for module in approach.requires:
            why_it_does_not_load(module)
    common = {"number": number, "startup_seconds": time.process_time() - began,
              "base_mb": psutil.Process().memory_info().rss / 1e6}
    with tempfile.TemporaryDirectory() as place:
        save_setup(generated_setup(number, rows, columns, classes, test_rows, category_share), Path(place))
        setup = load_setup(Path(place))
        for preset in presets.split(","):
            gc.collect()
            trim_memory()
            about = common | {"preset": preset, "shape": vars(shape_of_cells(setup, rows))}
            for cell in measured_cells(setup, preset, rows, approaches):
                print(json.dumps(about | cell), flush=True)


def measured_cells(setup: Any, preset: str, rows: int, names: str | None) -> Iterator[dict[str, Any]]:
    """Seconds and memory of the cells of one split, in batches as a run has them."""
    import psutil

    from tabbench.comparison.plan import choose_contestants, plan_batches
    from tabbench.core.effort import POINTS
    from tabbench.execution.run import execute
    from tabbench.options import Options

    contestants = choose_contestants(Options(preset=preset, approaches=names).checked())
    approaches = {each.name: each for each in contestants.approaches}
    for batch in plan_batches(setup, contestants, [rows], effort=POINTS[preset], device="cpu"):
        gc.collect()
        trim_memory()
        spent = {cell.approach: {"fit": 0.0, "predict": 0.0} for cell in batch.cells}
        own = {name: timed(approaches[name], spent[name]) for name in spent}
        base_mb, seen = psutil.Process().memory_info().rss / 1e6, set()
        began = time.process_time()
        for cell, result in zip(batch.cells, execute(setup, batch, own=own), strict=True):
            approach = approaches[cell.approach]
            rest = time.process_time() - began - sum(spent[approach.name].values())
            if result.status == "ok":
                yield {"approach": approach.name, "version": approach.version, **spent[approach.name], "view_seconds": rest,
                       "view": None if approach.view in seen else approach.view,
                       "work_mb": (result.peak_mb or base_mb) - base_mb}
            seen.add(approach.view)
            began = time.process_time()


def generated_setup(number: int, rows: int, columns: int, classes: int, test_rows: int, category_share: float) -> Any:
    """A table of this shape with signal in a third of its columns, and one split."""
    from tabbench.core.setup import Setup
    from tabbench.core.split import Split, SplitPlan
    from tabbench.core.task import Task
    from tabbench.metrics.choice import choose_metrics
    from tabbench.reading.reading import read_table
    from tabbench.reading.target import read_target
    from tabbench.splitting.splits import splits_fingerprint

    table = read_table(generated_frame(number, rows + test_rows, columns, classes, category_share), "target")
    target = read_target(table, "regression" if classes == 0 else "multiclass" if classes > 2 else "binary", 5)
    metrics = choose_metrics(target.kind, None)
    order = np.random.default_rng(number).permutation(len(target.table))
    split = Split(0, 0, order[:rows], np.sort(order[rows:]))
    plan = SplitPlan("stratified", (split,), 5, 1, rows, np.arange(len(order)))
    task = Task(target.kind, target.classes, metrics[0], metrics)
    return Setup(target.table, task, target.values, plan, splits_fingerprint(plan), 0)


def generated_frame(number: int, rows: int, columns: int, classes: int, category_share: float) -> Any:
    """Columns of numbers and of categories with 3 to 60 levels, and a target."""
    import pandas as pd

    rng = np.random.default_rng(number)
    noise = rng.choice([0.3, 1.0, 2.0])
    score, frame = np.zeros(rows), {}
    for column in range(columns):
        values = rng.normal(size=rows)
        if rng.random() < category_share:
            levels = int(3 * 20 ** rng.random())
            codes = np.clip((values * levels / 5 + levels / 2).astype(int), 0, levels - 1)
            frame[f"c{column}"] = np.char.add("level ", codes.astype(str))
            values = rng.normal(size=levels)[codes]
        else:
            frame[f"n{column}"] = values.round(4)
        if column % 3 == 0:
            score += [values, np.sin(2 * values), np.abs(values)][column // 3 % 3] / np.sqrt(columns / 3)
    score += noise * rng.normal(size=rows)
    if classes == 0:
        return pd.DataFrame(frame | {"target": score.round(5)})
    bounds = np.quantile(score, np.arange(1, classes) / classes)
    return pd.DataFrame(frame | {"target": np.char.add("class ", np.searchsorted(bounds, score).astype(str))})


def read_cells(path: Path) -> list[dict[str, Any]]:
    """What was measured of the approaches' present versions."""
    from tabbench.approaches.composed import find_approach

    cells = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    versions = {name: find_approach(name).version for name in {cell["approach"] for cell in cells}}
    return [cell for cell in cells if cell["version"] == versions[cell["approach"]]]


def write_costs(cells: list[dict[str, Any]]) -> None:
    """Fit every model and write the file of the package."""
    from tabbench.costs.prior import COSTS, Shape, fit_costs, probe

    models: dict[str, dict[str, Any]] = {}
    for name in sorted({cell["approach"] for cell in cells}):
        near = dict.fromkeys(("fit", "predict", "work_mb"), GENERIC)
        for preset in sorted({cell["preset"] for cell in cells if cell["approach"] == name}):
            chosen = [cell for cell in cells if cell["approach"] == name and cell["preset"] == preset]
            shapes = [Shape(**cell["shape"]) for cell in chosen]
            tested = [replace(shape, rows=shape.test_rows) for shape in shapes]
            fitted = {"fit": fit_costs(shapes, positive(chosen, "fit", LEAST_SECONDS), near["fit"]),
                      "predict": fit_costs(tested, positive(chosen, "predict", LEAST_SECONDS), near["predict"]),
                      "work_mb": fit_costs(shapes, positive(chosen, "work_mb", LEAST_MB), near["work_mb"])}
            models.setdefault(name, {})[preset] = fitted
            near = {quantity: model["coefficients"] for quantity, model in fitted.items()}
    for view in sorted({cell["view"] for cell in cells if cell["view"]}):
        chosen = [cell for cell in cells if cell["view"] == view]
        shapes = [replace(Shape(**cell["shape"]), rows=cell["shape"]["rows"] + cell["shape"]["test_rows"]) for cell in chosen]
        models[f"view:{view}"] = {"any": {"fit": fit_costs(shapes, positive(chosen, "view_seconds", LEAST_SECONDS), GENERIC)}}
    machine = {"probe_seconds": min(probe()[0] for _ in range(5)),
               "startup_seconds": float(np.median([cell["startup_seconds"] for cell in cells])),
               "base_mb": CHILD_MB + float(np.median([cell["base_mb"] for cell in cells])), **CLOSING}
    versions = {cell["approach"]: cell["version"] for cell in cells}
    COSTS.write_text(json.dumps({"machine": {name: round(value, 5) for name, value in machine.items()},
                                 "versions": dict(sorted(versions.items())), "models": models}, indent=1) + "\n")
    print(f"\n{len(cells):,} cells, {COSTS}", file=sys.stderr)
    for name, presets in models.items():
        print(name, {preset: {quantity: (model["spread"], model["cells"]) for quantity, model in fitted.items()}
                     for preset, fitted in presets.items()}, file=sys.stderr)


def positive(cells: list[dict[str, Any]], name: str, least: float) -> np.ndarray:
    """(n,) values, at least `least`."""
    return np.maximum([cell[name] for cell in cells], least)


if __name__ == "__main__":
    main()
