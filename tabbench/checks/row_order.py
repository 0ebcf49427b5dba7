"""Check: the order of the rows in the file tells the target."""

from __future__ import annotations

import numpy as np

from tabbench.checks.columns import Sample, Values
from tabbench.core.check import CHECKS, Check, Evidence
from tabbench.core.finding import Finding
from tabbench.core.table import Column, Table

ALARM_SHARE = 0.1
"""Share of the target's variance that a row's place in the file predicts; chance stays below nought."""
LEAST_ROWS = 100
FEWEST_DATES = 10
"""Different dates that it takes to call a file ordered in time."""


def check_row_order(evidence: Evidence) -> list[Finding]:
    """Say that the file is sorted by the target or that its order tells it; warn where it is the order of a column of dates.

    Without dates it is no more than a remark: honest files are often sorted by something that goes with the target.
    """
    table = evidence.table
    if len(table) < LEAST_ROWS or table.time is not None:
        return []
    if _is_sorted(table.rows, evidence.target, evidence.task.is_regression):
        return [Finding("sorted-by-target", "info", "rows",
                        f"the file is sorted by `{table.target_name}`; rows are shuffled before splitting, no harm is done")]
    sample = Sample.of(evidence)
    share = sample.predicted_share(Values(Column("place in the file", "number"), table.rows[sample.positions].astype(np.float64)))
    if share < ALARM_SHARE or table.group is not None:
        return []
    told = f"a row's place in the file predicts {share:.1%} of the target's variance"
    for column in table.columns:
        if column.kind == "date" and _is_in_order(table, column.name):
            return [Finding("ordered-target", "warn", column.name,
                            f"{told}, and rows are in the order of `{column.name}`, so rows of one time are alike",
                            f"split forward in time by --time {column.name}", spoils=True)]
    return [Finding("ordered-target", "info", "rows", f"{told}, so rows near each other may belong together",
                    "if they do, name what they share by --time or --group")]


def _is_in_order(table: Table, name: str) -> bool:
    """Whether a column of dates never goes the other way in the file."""
    dates = table.features[name].iloc[np.argsort(table.rows, kind="stable")].dropna()
    return bool(dates.is_monotonic_increasing or dates.is_monotonic_decreasing) and dates.nunique() >= FEWEST_DATES


def _is_sorted(rows: np.ndarray, target: np.ndarray, is_regression: bool) -> bool:
    """Whether the target rises or falls throughout, or each class lies in one run."""
    steps = np.diff(target[np.argsort(rows, kind="stable")])
    is_monotone = bool((steps >= 0).all() or (steps <= 0).all())
    return is_monotone or (not is_regression and np.count_nonzero(steps) + 1 == len(np.unique(target)))


CHECKS.register(Check("row-order", "the order of the rows tells the target", check_row_order))
