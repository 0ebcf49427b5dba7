"""Shows that a refactoring changed no number: six runs are recorded once, and compared with what the present code makes of them.

    python tools/same_results.py record DIR      runs the comparisons and keeps their folders
    python tools/same_results.py compare DIR [--again]

`compare` reports every recorded folder once more from its store, and result.json must be equal but for its sentences, whose
words may be edited. With --again it also runs the comparisons anew: every cell's predictions, what it has tuned and its seed must
be equal, and the saved winner's files.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

CLOCKED = ("seconds", "fit_seconds", "predict_seconds", "peak_mb", "environment", "started", "ended")
"""Of a cell's header: what depends on the machine and the moment."""
WORDS = ("sentence",)
"""Of result.json: what people read."""
TABLE = "own.csv"
RUNS: dict[str, list[str]] = {
    "credit_g": ["credit_g", "--preset", "fast", "--sizes", "62,250,full", "--repeats", "1", "--save-winner"],
    "diamonds": ["diamonds", "--effort", "0.1", "--sizes", "250,1000", "--repeats", "1", "--extrapolate"],
    "penguins": ["penguins", "--approaches", "linear,linear+pca,forest,lightgbm,xgboost,mlp", "--sizes", "60,full", "--folds",
                 "3"],
    "what_if": [TABLE, "--target", "y", "--preset", "fast", "--approaches", "linear,lightgbm", "--what-if"],
    "grouped": [TABLE, "--target", "kind", "--group", "unit", "--weight", "w", "--effort", "0.1", "--approaches",
                "linear,linear+forest,catboost,tabm"],
    "raced": [TABLE, "--target", "y", "--time", "day", "--preset", "fast", "--race", "--metric", "mae"],
}
"""Name -> arguments of `tabbench compare`."""


def main() -> None:
    """Record, or compare and exit with 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("record", "compare"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    if given.do == "record":
        for name in RUNS:
            run(name, given.folder)
        return
    differences = [each for name in RUNS for each in reported_again(name, given.folder)]
    if given.again:
        with tempfile.TemporaryDirectory() as place:
            for name in RUNS:
                run(name, Path(place))
                differences += run_again(given.folder / name, Path(place) / name)
    print("\n".join(differences) or "no difference")
    sys.exit(bool(differences))


def run(name: str, folder: Path) -> None:
    """One comparison, into folder/name."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / TABLE).exists():
        own_table().to_csv(folder / TABLE, index=False)
    tabbench(["compare", *RUNS[name], "--jobs", "2", "--quiet", "--out", name], folder, allowed=(0, 3))


def tabbench(arguments: list[str], folder: Path, allowed: tuple[int, ...] = (0,)) -> str:
    """What a command prints, which must end well."""
    command = [sys.executable, "-m", "tabbench", *arguments]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in allowed:
        raise SystemExit(f"tabbench {' '.join(arguments)} ended with exit code {done.returncode}")
    return done.stdout


def own_table() -> pd.DataFrame:
    """Numbers, categories, dates, gaps, groups and weights."""
    rng = np.random.default_rng(0)
    rows = 400
    number, kind = rng.normal(size=(rows, 3)), rng.choice(["red", "green", "blue"], rows, p=[0.5, 0.3, 0.2])
    frame = pd.DataFrame(number, columns=["a", "b", "c"]).mask(rng.random((rows, 3)) < 0.05)
    return frame.assign(colour=rng.choice(["x", "y", "z"], rows), kind=kind, unit=rng.integers(0, 80, rows),
                        w=rng.uniform(0.5, 2.0, rows).round(3), day=pd.date_range("2020-01-01", periods=rows).astype(str),
                        y=(number[:, 0] * number[:, 1] + (kind == "red") + 0.3 * rng.standard_t(4, rows)).round(4))


def reported_again(name: str, folder: Path) -> list[str]:
    """Whether `tabbench report` makes the recorded result.json."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / name
        shutil.copytree(folder / name, copy)
        told = tabbench(["report", str(copy), "--format", "json"], folder)
        recorded = (folder / name / "result.json").read_text()
        is_same = without(json.loads(told), WORDS) == without(json.loads(recorded), WORDS)
        return [] if is_same else [f"{name}: result.json differs"]


def run_again(old: Path, new: Path) -> list[str]:
    """Cells and winners of two runs."""
    before, after = cells(old), cells(new)
    found = [f"{old.name}: cell {before[key][0] if key in before else after[key][0]} differs"
             for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    winners = sorted(path.relative_to(old) for path in (old / "winner").rglob("*") if path.is_file())
    return found + [f"{old.name}: {path} differs" for path in winners if not files_equal(old / path, new / path)]


def cells(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Key -> specification, status, header without clocks, and predictions of every result."""
    with sqlite3.connect(folder / "run.db") as store:
        rows = store.execute("SELECT key, specification, status, header, body, body_file "
                             "FROM result JOIN cell USING (key)").fetchall()
    return {key: (specification, status, without(json.loads(header), CLOCKED), body, body_file)
            for key, specification, status, header, body, body_file in rows}


def without(value: Any, names: Collection[str]) -> Any:
    """Plain values without these keys, at any depth."""
    if isinstance(value, dict):
        return {name: without(each, names) for name, each in value.items() if name not in names}
    return [without(each, names) for each in value] if isinstance(value, list) else value


def files_equal(first: Path, second: Path) -> bool:
    """Byte by byte."""
    return second.exists() and first.read_bytes() == second.read_bytes()


if __name__ == "__main__":
    main()
