"""Measures `tabbench compare` against the script that one writes by hand: wall time, and scores at the full size.

    python tools/bench_by_hand.py SCRIPT FILE=TARGET:TASK ...

FILE is a CSV with a column `fold`. SCRIPT is called with FILE TARGET TASK OUT.json and writes {"cells": [{approach, size, fold,
score or error}, ...]}, `fold` counting the column's sorted values. It may run some folds only; its time is then multiplied.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench_peers import SplitTable, geometric_mean, run_tabbench, shuffled_folds

from tabbench.comparison.resume import recall_run
from tabbench.core.metric import METRICS
from tabbench.store.database import Store
from tabbench.verdict.scoring import Question, score_cell

FOLDS = 5
TIME_GOAL, MEAN_GOAL, WORST_GOAL = 8.0, 1.005, 1.03
NAMES_BY_HAND = {"linear": "linear", "linear+forest": "linear+forest-selection", "xgboost": "xgboost", "lightgbm": "lightgbm",
                 "boosting": "boosting", "mlp": "mlp"}
"""Our approach -> the script's name of the same."""

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""


@dataclass(frozen=True)
class FoldTable:
    """A CSV file with a column `fold`."""

    path: Path
    target: str
    task: str


def main() -> None:
    """Print the rows."""
    for row in by_hand(Path(sys.argv[1]), [read_fold_table(text) for text in sys.argv[2:]]):
        print(" | ".join(row))


def by_hand(script: Path, tables: Sequence[FoldTable]) -> list[Row]:
    """Seconds of both and their ratio for each table; the scores' ratios at the full size over all of them."""
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    for table in tables:
        with tempfile.TemporaryDirectory() as place:
            cells, their_seconds, note = run_script(script, table, Path(place))
            our_seconds = run_ours(table, sorted(set(cells["size"])), f"{place}/run")
            found = score_ratios(Path(place) / "run", cells)
        name, seconds = table.path.stem, f"{their_seconds:.0f} s against {our_seconds:.0f} s"
        rows += [(f"{name}: wall time by hand{note} against ours", f"{their_seconds / our_seconds:.1f} × ({seconds})",
                  f"≥ {TIME_GOAL:.0f} ×"),
                 (f"{name}: our score divided by the one by hand, {cells['size'].max():,} training rows",
                  ", ".join(f"{approach} {ratio:.3f}" for approach, ratio in found.items()), f"≤ {WORST_GOAL}")]
        ratios |= {f"{approach} on {name}": ratio for approach, ratio in found.items()}
    worst = max(ratios, key=lambda each: ratios[each])
    mean = geometric_mean(ratios.values())
    return [*rows, ("the same, geometric mean over approaches and tables", f"{mean:.4f}", f"≤ {MEAN_GOAL}"),
            ("the same, the worst", f"{ratios[worst]:.3f} ({worst})", f"≤ {WORST_GOAL}")]


def run_ours(table: FoldTable, sizes: Sequence[int], out: str) -> float:
    """Wall seconds of our comparison with the script's approaches, sizes and folds."""
    return run_tabbench("compare", str(table.path), "--target", table.target, "--task", table.task, "--fold", "fold", "--preset",
                        "balanced", "--approaches", ",".join(NAMES_BY_HAND), "--sizes",
                        ",".join([*map(str, sizes[:-1]), "full"]), "--quiet", "--out", out)


def run_script(script: Path, table: FoldTable, place: Path) -> tuple[pd.DataFrame, float, str]:
    """The script's cells, its seconds for all folds, and a note where it ran only some of them."""
    out, start = place / "by_hand.json", time.perf_counter()
    subprocess.run([sys.executable, str(script), str(table.path), table.target, table.task, str(out)], check=True,
                   stdout=subprocess.DEVNULL)
    seconds, cells = time.perf_counter() - start, pd.DataFrame(json.loads(out.read_text())["cells"])
    run, all_folds = cells["fold"].nunique(), pd.read_csv(table.path, usecols=["fold"])["fold"].nunique()
    note = "" if run == all_folds else f" ({run} of {all_folds} folds, multiplied by {all_folds / run:g})"
    return cells, seconds * all_folds / run, note


def score_ratios(run_folder: Path, cells: pd.DataFrame) -> dict[str, float]:
    """Our mean score at the full size divided by the script's, on the folds that it ran; failures of either are left out."""
    at_full = cells[cells["size"] == cells["size"].max()].pivot(index="fold", columns="approach", values="score")
    at_full = at_full.reindex(columns=list(NAMES_BY_HAND.values()))
    found = {}
    with Store(run_folder) as store:
        run = recall_run(store)
        places, setup = run.cells(), run.setup
        metric, question = METRICS.get(setup.task.metric), Question(setup.task, setup.target, setup.splits, setup.table.weight)

        def predictions(*place: Any) -> np.ndarray | None:
            result = store.result(places[place].key)
            return None if result is None else result.predictions

        for ours, theirs in NAMES_BY_HAND.items():
            scored = score_cell(question, metric, predictions, ours, setup.splits.full_size)
            mine = np.where(scored.imputed, np.nan, scored.score)[at_full.index]
            ratio = mine.mean() / at_full[theirs].to_numpy().mean()
            if np.isfinite(ratio):
                found[ours] = float(ratio)
    return found


def write_with_folds(folder: Path, place: Path) -> FoldTable:
    """All rows of a split table as one CSV with a column `fold`."""
    table = SplitTable.read(folder)
    frame = table.whole()
    fold = np.zeros(len(frame), dtype=int)
    for number, (_, test) in enumerate(shuffled_folds(frame, table.target, table.task, FOLDS)):
        fold[test] = number
    path = place / f"{folder.name}.csv"
    frame.assign(fold=fold).to_csv(path, index=False)
    return FoldTable(path, table.target, table.task)


def read_fold_table(text: str) -> FoldTable:
    """From FILE=TARGET:TASK."""
    path, _, rest = text.partition("=")
    target, _, task = rest.rpartition(":")
    if not target or task not in ("binary", "multiclass", "regression"):
        raise SystemExit(f"{text!r} is not FILE=TARGET:TASK with task binary, multiclass or regression")
    return FoldTable(Path(path), target, task)


if __name__ == "__main__":
    main()
