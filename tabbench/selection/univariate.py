"""Features in the order in which each alone tells the target: the F test of analysis of variance, or of correlation.

Looks at the target, so it belongs inside the approach.
"""

from __future__ import annotations

import numpy as np

from tabbench.core.approach import SELECTORS, Selector, Settings, TrainingSet, Workload
from tabbench.selection.columns import ANY_VIEW, ColumnMatrix, OrderedColumns, as_numbers, restore_columns
from tabbench.selection.moments import Moments


def fit_univariate_selection(matrix: ColumnMatrix, training: TrainingSet) -> OrderedColumns:
    """Columns by the share of their variance between classes, or by squared correlation with the number's rank.

    Both order columns as the F test does. A column that became several numbers counts by their mean share.
    """
    numbers = as_numbers(matrix, training)
    share = Moments.of(numbers.values, training).explained_share()
    columns = len(matrix.names)
    counts = np.maximum(np.bincount(numbers.column, minlength=columns), 1)
    return OrderedColumns.by_importance(numbers.by_column(share, columns) / counts)


def _settings(workload: Workload) -> Settings:
    return {}


SELECTORS.register(Selector(
    name="univariate", version=1, cost_rank=1, summary="the features that alone tell most by the F test", views=ANY_VIEW,
    settings=_settings, fit=fit_univariate_selection, restore=restore_columns, orders_columns=True))
