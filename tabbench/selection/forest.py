"""Features in the order of their importance to a random forest. Looks at the target, so it belongs inside the approach.

Importance is corrected by permuted shadow columns: what a column of noise gains by its many values, its shadow gains too.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Any

import numpy as np

from tabbench.core.approach import SELECTORS, Selector, Settings, TrainingSet, Workload
from tabbench.core.effort import counted
from tabbench.core.task import Task
from tabbench.selection.columns import ANY_VIEW, ColumnMatrix, OrderedColumns, as_numbers, restore_columns

BLOCK_ROWS = 1 << 14
"""Rows that are shuffled at a time."""
TREES = {"fast": 50, "balanced": 100, "thorough": 300}
FEWEST_TREES = 20
MOST_ROWS_PER_TREE = {"fast": 2_000, "balanced": 5_000, "thorough": 20_000}
"""The order of the strong features is settled by a few thousand rows a tree; more trees steady the rest."""
FOREST_CELLS = {"fast": 3_000_000, "balanced": 12_000_000, "thorough": 100_000_000}
"""Bounds trees x rows a tree x columns tried a split; about 20 million a second."""
LEAF_SHARE = 0.01
FEWEST_LEAF_ROWS = 3
"""Leaves of at least this share of a tree's rows, or so many: splits further down measure noise."""
SHARE_TRIED = 0.33
"""Of the columns, real and shadow, at each split. On planted noise a third ranked the columns better than the square root
of them wherever there was time for it."""


def forest_importances(values: Any, target: np.ndarray, task: Task, weight: np.ndarray | None, settings: Settings,
                       seed: int, threads: int) -> np.ndarray:
    """Corrected importances (k,): decrease of impurity by a column minus that by its shadow. Noise has zero on average.

    Parameters
    ----------
    values : Any
        (n, k) dense or CSR, nothing missing.
    settings : Settings
        Trees, rows_per_tree, forest_cells.

    Notes
    -----
    Shadows are one permutation of all rows, so that they depend on each other as the columns do. After Nembrini, Koenig and
    Wright (doi:10.1093/bioinformatics/bty373), with extremely randomised trees (doi:10.1007/s10994-006-6226-1): at a
    quarter of the cost they ranked planted columns above noise better than trees that search every threshold.
    """
    importances = _both_importances(values, target, task, weight, settings, seed, threads)
    return np.asarray(importances[0] - importances[1])


def shadow_importances(matrix: ColumnMatrix, training: TrainingSet, times: int) -> np.ndarray:
    """Importances (times, p) of the columns' shadows alone, each time in another permutation and other trees: pure noise."""
    numbers, columns = as_numbers(matrix, training), len(matrix.names)
    return np.array([numbers.by_column(_both_importances(
        numbers.values, training.target, training.task, training.weight, training.settings,
        (training.shared_seed + 1 + repeat) % 2**32, training.threads)[1], columns) for repeat in range(times)])


def _both_importances(values: Any, target: np.ndarray, task: Task, weight: np.ndarray | None, settings: Settings, seed: int,
                      threads: int) -> np.ndarray:
    """Decrease of impurity (2, k) by the columns, and by their shadows."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    rows, columns = values.shape
    per_tree = min(rows, settings["rows_per_tree"])
    affordable = settings["forest_cells"] // (settings["trees"] * per_tree)
    tried = int(np.clip(affordable, np.sqrt(2 * columns), max(1.0, SHARE_TRIED * 2 * columns)))
    # Of two classes the variance is half of Gini's impurity: the same trees, without a look at the classes for each of them.
    forest = _copying(ExtraTreesRegressor if task.n_classes <= 2 else ExtraTreesClassifier)(
        settings["trees"], min_samples_leaf=max(FEWEST_LEAF_ROWS, round(LEAF_SHARE * per_tree)), max_features=max(1, tried),
        bootstrap=True, max_samples=per_tree, random_state=seed, n_jobs=threads)
    forest.fit(_with_shadows(values, seed), target, sample_weight=weight)
    return np.asarray(forest.feature_importances_.reshape(2, columns))


@cache
def _copying(forest: Any) -> Any:
    """The kind of forest, with trees that are copies of one: scikit-learn looks up each parameter of each tree anew."""

    class CopyingForest(forest):  # type: ignore[misc]
        _pattern: Any = None

        def _make_estimator(self, append: bool = True, random_state: Any = None) -> Any:
            if self._pattern is None:
                self._pattern = super()._make_estimator(append=False)
            tree = copy(self._pattern)
            tree.random_state = random_state.randint(np.iinfo(np.int32).max)
            if append:
                self.estimators_.append(tree)
            return tree

    return CopyingForest


def fit_forest_selection(matrix: ColumnMatrix, training: TrainingSet) -> OrderedColumns:
    """Columns by corrected importance."""
    numbers = as_numbers(matrix, training)
    worth = forest_importances(numbers.values, training.target, training.task, training.weight, training.settings,
                               training.shared_seed, training.threads)
    return OrderedColumns.by_importance(numbers.by_column(worth, len(matrix.names)))


def forest_settings(workload: Workload) -> Settings:
    """Trees, rows a tree and the bound on both times columns."""
    effort = workload.effort
    return {"trees": counted(effort, **TREES, least=FEWEST_TREES), "rows_per_tree": counted(effort, **MOST_ROWS_PER_TREE),
            "forest_cells": counted(effort, **FOREST_CELLS)}


def _with_shadows(values: Any, seed: int) -> Any:
    from scipy.sparse import hstack

    order = np.random.default_rng(seed).permutation(values.shape[0])
    if isinstance(values, np.ndarray):
        both = np.empty((len(values), 2 * values.shape[1]), dtype=np.float32)
        both[:, :values.shape[1]] = values
        for start in range(0, len(values), BLOCK_ROWS):  # a whole shuffled copy would be as large as both
            both[start:start + BLOCK_ROWS, values.shape[1]:] = values[order[start:start + BLOCK_ROWS]]
        return both
    return hstack([values, values[order]], format="csc", dtype=np.float32)


SELECTORS.register(Selector(
    name="forest", version=3, cost_rank=3, summary="the features most important to a random forest", views=ANY_VIEW,
    settings=forest_settings, fit=fit_forest_selection, restore=restore_columns, orders_columns=True,
    requires=("sklearn.ensemble",)))
