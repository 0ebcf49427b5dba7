"""Check: the order of the rows in the file tells the target."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.checks.columns import LEAST_ROWS_FOR_A_SHARE, Sample, dated_columns, has_own_splits, per_cent
from tabbench.checks.neighbours import told_by_neighbours
from tabbench.checks.quick_model import QuickModel
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding, Remedy
from tabbench.core.table import Table

ALARM_SHARE = 0.1
"""Share of the target's variance that the neighbouring rows tell; chance stays below nought."""
BEYOND_SHARE = 0.15
"""The same of what a quick model leaves. In a file that is sorted by one of its columns the model knows what the order knows;
house prices listed from place to place reach 0.10."""
RUNS_OF_A_CLASS = 3
"""A file put together of a few parts that are each sorted by class is a sorted one."""
SORTED_STEPS = 0.99
"""A number that hardly ever falls (or rises) from row to row has been sorted by, bar a few parts."""


def check_row_order(checked: CheckedTable) -> list[Finding]:
    """Say that the file is sorted by the target or that its order tells it; warn where it tells more than the columns do."""
    table = checked.table
    if len(table) < LEAST_ROWS_FOR_A_SHARE or table.time is not None:
        return []
    if is_sorted(table.rows, checked.target, checked.task.is_regression):
        return [Finding("sorted-by-target", "info", "rows",
                        f"the file is sorted by `{table.target_name}`; rows are shuffled before splitting, no harm is done")]
    sample = Sample.of(checked)
    share = told_by_neighbours(table.rows[sample.positions].astype(np.float64), sample.outcomes)
    if share < ALARM_SHARE or table.group is not None or has_own_splits(checked):
        return []
    model = QuickModel.of(checked)
    left = model.outcomes - model.predictions()
    beyond = told_by_neighbours(table.rows[model.positions].astype(np.float64), left)
    return [_finding(table, share, beyond)]


def _finding(table: Table, share: float, beyond: float) -> Finding:
    told = f"the neighbouring rows in the file tell {share:.1%} of the target's variance"
    date = next((name for name in dated_columns(table) if is_in_file_order(table, table.features[name])), None)
    if date is not None and beyond >= BEYOND_SHARE:
        in_time = Remedy("time", (date,))
        return Finding("ordered-target", "warn", date,
                       f"{told}, and rows are in the order of `{date}`, so rows of one time are alike",
                       f"split forward in time by {in_time}", spoils=True, remedy=in_time)
    if beyond >= BEYOND_SHARE:
        return Finding("ordered-target", "warn", "rows",
                       f"{told}, and {beyond:.1%} of what a quick model of all columns leaves, so rows near each other belong "
                       "together, by time, place or source, and lie in training and test",
                       "name what they share by --time or --group, adding a column for it if there is none", spoils=True)
    return Finding("ordered-target", "info", "rows", f"{told}, no more than the columns do",
                   "if rows near each other belong together, name what they share by --time or --group")


def is_in_file_order(table: Table, series: pd.Series) -> bool:
    """Whether a column never goes the other way in the file."""
    values = series.iloc[np.argsort(table.rows, kind="stable")].dropna()
    return bool(values.is_monotonic_increasing or values.is_monotonic_decreasing)


def is_sorted(rows: np.ndarray, target: np.ndarray, is_regression: bool) -> bool:
    """Whether the target rises or falls nearly throughout, or each class lies in a few runs."""
    steps = np.diff(target[np.argsort(rows, kind="stable")])
    if is_regression:
        return max(float((steps >= 0).mean()), float((steps <= 0).mean())) >= SORTED_STEPS and len(np.unique(target)) > 2
    return int(np.count_nonzero(steps)) + 1 <= RUNS_OF_A_CLASS * len(np.unique(target))


CHECKS.register(Check("row-order", "the order of the rows tells the target", check_row_order, (
    PossibleFinding("sorted-by-target", "info",
                    f"{per_cent(SORTED_STEPS)} of the steps along the file go one way, or every class lies in "
                    f"{RUNS_OF_A_CLASS} runs"),
    PossibleFinding("ordered-target", "warn", f"neighbouring rows tell {per_cent(ALARM_SHARE)} of the target's variance and "
                    f"{per_cent(BEYOND_SHARE)} of what a quick model leaves; in {LEAST_ROWS_FOR_A_SHARE} rows or more"),
    PossibleFinding("ordered-target", "info", f"they tell {per_cent(ALARM_SHARE)}, and no more than the columns do"),
)))
