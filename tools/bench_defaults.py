"""Measures xgboost, lightgbm and boosting against XGBoost and LightGBM as they come: losses on the same held-out rows.

    python tools/bench_defaults.py [TABLE ...]

TABLE is a card's name. Tables are cut to some rows, and each is split in three; one thread.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tabbench.comparison.plan import choose_contestants, plan_batches
from tabbench.comparison.prepare import read_and_split
from tabbench.core.matrices import TreeMatrix
from tabbench.core.metric import METRICS
from tabbench.core.setup import Setup
from tabbench.execution.run import execute
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.views import fit_view

TABLES = ("letter", "chess_krk", "yeast", "splice", "wine_quality", "credit_g", "adult", "california_housing",
          "concrete_strength")
EFFORTS = {"fast": 0.1, "the default": 0.3, "balanced": 1.0}
LIBRARIES, APPROACHES = ("xgboost", "lightgbm"), ("xgboost", "lightgbm", "boosting")
MOST_ROWS, FOLDS = 3000, 3
GOAL = "≤ 1.02"

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""


def main() -> None:
    """Print the rows."""
    for row in defaults(sys.argv[1:] or TABLES):
        print(" | ".join(row))


def defaults(tables: Sequence[str] = TABLES, efforts: dict[str, float] = EFFORTS, most_rows: int = MOST_ROWS) -> list[Row]:
    """By effort and approach the geometric mean of the ratios over tables, and the worst.

    `boosting` is divided by the better of the two libraries.
    """
    ratios = {name: dict(ratios_of(name, efforts, most_rows)) for name in tables}
    rows = []
    for place in next(iter(ratios.values())):
        found = {name: of_table[place] for name, of_table in ratios.items()}
        worst = max(found, key=lambda name: found[name])
        rows.append((f"{place}: loss divided by that of the library's defaults, {len(found)} tables",
                     f"{np.exp(np.mean(np.log(list(found.values())))):.3f} (worst {found[worst]:.3f}, {worst})", GOAL))
    return rows


def ratios_of(name: str, efforts: dict[str, float], most_rows: int) -> Iterator[tuple[str, float]]:
    """For each effort and approach on one table the mean loss over the splits, divided by that of the defaults."""
    theirs: dict[str, float] = {}
    for words, effort in efforts.items():
        options = Options(effort=effort, approaches=",".join(APPROACHES), folds=FOLDS, repeats=1).checked()
        setup = read_and_split(name, options, make_display(quiet=True, to_json=False)).setup
        size = min(most_rows, setup.splits.full_size)
        theirs = theirs or {library: loss_by_default(library, setup, size) for library in LIBRARIES}
        theirs.setdefault("boosting", min(theirs.values()))
        for approach, loss in our_losses(setup, options, size, effort).items():
            yield f"{approach}, {words}", loss / theirs[approach]


def our_losses(setup: Setup, options: Options, size: int, effort: float) -> dict[str, float]:
    """Mean losses over the splits."""
    losses: dict[str, list[float]] = {name: [] for name in APPROACHES}
    for batch in plan_batches(setup, choose_contestants(options), [size], effort=effort, device="cpu"):
        for cell, result in zip(batch.cells, execute(setup, batch), strict=True):
            if cell.approach in losses and result.predictions is not None:
                losses[cell.approach].append(loss_of(setup, setup.split(cell.repeat, cell.fold).test, result.predictions))
    return {name: float(np.mean(each)) for name, each in losses.items()}


def loss_by_default(library: str, setup: Setup, size: int) -> float:
    """Mean loss of a library over the splits, given the trees' view with its categories."""
    losses = []
    for split in setup.splits.splits:
        rows, features = split.train[:size], setup.table.features
        view = fit_view("trees", features.iloc[rows].reset_index(drop=True), setup.table.columns, setup.seed)
        train, test = (view.transform(features.iloc[some].reset_index(drop=True)) for some in (rows, split.test))
        losses.append(loss_of(setup, split.test, predicted(library, setup, train, setup.target[rows], test)))
    return float(np.mean(losses))


def predicted(library: str, setup: Setup, train: TreeMatrix, target: np.ndarray, test: TreeMatrix) -> np.ndarray:
    """Numbers (m,) or probabilities (m, classes) of a library that was told nothing but the kinds of the columns."""
    import lightgbm
    import xgboost

    is_regression = setup.task.is_regression
    if library == "xgboost":
        kinds = ["c" if levels else "q" for levels in train.levels]
        model: Any = (xgboost.XGBRegressor if is_regression else xgboost.XGBClassifier)(
            n_jobs=1, enable_categorical=True, feature_types=kinds).fit(train.values, target)
    else:
        categories = [place for place, levels in enumerate(train.levels) if levels]
        model = (lightgbm.LGBMRegressor if is_regression else lightgbm.LGBMClassifier)(n_jobs=1, verbosity=-1).fit(
            train.values, target, categorical_feature=categories)
    return np.asarray(model.predict(test.values) if is_regression else model.predict_proba(test.values), dtype=np.float64)


def loss_of(setup: Setup, test: np.ndarray, predictions: np.ndarray) -> float:
    """By the deciding metric."""
    metric = METRICS.get(setup.task.metric)
    return float(metric.loss(metric.value(setup.target[test], predictions, None)))


if __name__ == "__main__":
    main()
