"""Features in the order in which they enter an L1 path: each for what it adds to those before it.

Looks at the target, so it belongs inside the approach.
"""

from __future__ import annotations

import numpy as np

from tabbench.core.approach import SELECTORS, Selector, Settings, TrainingSet, Workload
from tabbench.core.effort import counted
from tabbench.core.process_settings import silent_warnings
from tabbench.selection.columns import ANY_VIEW, ColumnMatrix, OrderedColumns, as_numbers, restore_columns
from tabbench.selection.moments import Moments

POINTS = {"fast": 30, "balanced": 60, "thorough": 100}
SMALLEST_SHARE = 0.01
"""The path ends at this share of the penalty at which the first feature enters: later ones enter by chance."""
MOST_PATH_COLUMNS = 2000
"""The path's cost grows with the square of the columns: of more, those that alone tell most take part, and the others follow
in that order (sure independence screening, doi:10.1111/j.1467-9868.2008.00674.x)."""
RIDGE = 1e-6
"""Keeps the moments of collinear columns positive definite, in shares of a column's variance."""


def fit_l1_selection(matrix: ColumnMatrix, training: TrainingSet) -> OrderedColumns:
    """Columns by the penalty at which the lasso takes them up, for two classes that of the indicator, of many the first of them.

    The lasso on indicators orders features as L1 logistic regression does up to ties, at the cost of one pass over the rows.
    """
    numbers = as_numbers(matrix, training)
    moments = Moments.of(numbers.values, training)
    alone = moments.explained_share()
    taking_part = np.sort(np.argsort(-alone, kind="stable")[:MOST_PATH_COLUMNS])
    entry = np.zeros(len(alone))
    entry[taking_part] = entry_penalties(*moments.correlations(taking_part), training.settings["points"])
    # Those that never enter come last, the more telling first: penalties are shares of the first one, at most 1.
    worth = np.where(entry > 0, 1.0 + entry, np.minimum(alone, 1.0))
    best = np.zeros(len(matrix.names))
    np.maximum.at(best, numbers.column, worth)
    return OrderedColumns.by_importance(best)


def entry_penalties(gram: np.ndarray, products: np.ndarray, points: int) -> np.ndarray:
    """For each column the largest penalty (c,), as a share of the first one, at which the lasso takes it up; 0 for never.

    Columns that enter between two points of the path are told apart by the size of their coefficients there.
    """
    
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lasso_path

    columns = len(gram)
    gram = gram + RIDGE * np.eye(columns)
    root = np.linalg.cholesky(gram + RIDGE * np.eye(columns)).T  # rows that have these moments
    penalties = np.geomspace(1.0, SMALLEST_SHARE, points)
    entry = np.zeros(columns)
    for product in products.T:
        largest = np.abs(product).max()
        if largest == 0:
            continue
        with silent_warnings(ConvergenceWarning):  # the order of entry needs no exact coefficients
            _, path, _ = lasso_path(
                np.asfortranarray(root), np.linalg.solve(root.T, product), precompute=gram, Xy=product,
                alphas=penalties * largest / columns, tol=1e-3, max_iter=200)
        is_in = np.abs(path) > 0
        first = np.where(is_in.any(axis=1), is_in.argmax(axis=1), -1)
        size = np.abs(path[np.arange(columns), first])
        within = size / max(size.max(), np.finfo(float).tiny)
        step = penalties[0] / penalties[1] if points > 1 else 1.0
        here = np.where(first < 0, 0.0, penalties[first] * step ** (within * 0.5))
        entry = np.maximum(entry, here / step)
    return entry


def _settings(workload: Workload) -> Settings:
    return {"points": counted(workload.effort, **POINTS)}


SELECTORS.register(Selector(
    name="l1", version=1, cost_rank=2, summary="the features that enter an L1 path first", views=ANY_VIEW,
    settings=_settings, fit=fit_l1_selection, restore=restore_columns, orders_columns=True, requires=("sklearn.linear_model",)))
