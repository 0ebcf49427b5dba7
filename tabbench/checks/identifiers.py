"""Check: an identifier that predicts the target, which it cannot for new rows."""

from __future__ import annotations

import shlex

import numpy as np
import pandas as pd

from tabbench.checks.columns import LEAST_ROWS_FOR_A_SHARE, Sample, Values, dropping, per_cent
from tabbench.checks.neighbours import told_by_neighbours
from tabbench.checks.row_order import is_in_file_order, is_sorted
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding, Remedy
from tabbench.core.table import Column, Table

DISTINCT_SHARE = 0.95
"""Share of rows with a value of their own from which a column names rows rather than describes them."""
LIKELY_SHARE = 0.9
"""The same share in a sample of rows, which a column that names rows does not miss by much."""
DENSITY = 2
"""Whole numbers that name rows lie close: their range is at most so many times the number of rows."""
ALARM_SHARE = 0.1
"""Share of the target's variance that the order of identifiers predicts; chance stays below nought."""


def check_identifiers(checked: CheckedTable) -> list[Finding]:
    """Find columns of row names (dense whole numbers, codes without blanks) whose order tells the target."""
    table = checked.table
    if len(table) < LEAST_ROWS_FOR_A_SHARE or table.time is not None or table.group is not None:
        return []
    sample, findings = Sample.of(checked), []
    named = {column.name: table.features[column.name] for column in _naming_columns(table, sample)}
    is_sorted_by_target = is_sorted(table.rows, checked.target, checked.task.is_regression)
    for name, series in (named | table.identifiers).items():
        if is_sorted_by_target and is_in_file_order(table, series):
            continue  # it tells what sorting did, and no more
        places = series.rank(method="dense").to_numpy(dtype=np.float64, na_value=np.nan)
        places = places[sample.positions]
        share = max(sample.predicted_share(Values(Column(name, "number"), places)), told_by_neighbours(places, sample.outcomes))
        if share >= ALARM_SHARE:
            findings.append(_finding(name, share, is_left_out=name in table.identifiers))
    return findings


def _finding(name: str, share: float, *, is_left_out: bool) -> Finding:
    told = f"the column `{name}` names rows, yet its order predicts {share:.1%} of the target's variance"
    if not is_left_out:
        return Finding("identifier-predicts", "warn", name, told,
                       f"leave it out with {dropping(name)}, or name what it stands for by --time or --group",
                       spoils=True, remedy=dropping(name))
    in_time = Remedy("time", (name,))
    return Finding("identifier-predicts", "warn", name,
                   f"{told}; it is no feature, but rows seem to be numbered by when, where or with what outcome they were "
                   "collected, which training and test rows share",
                   f"split by it with {in_time}; if it is measured and known when predicting, keep it with "
                   f"--type {shlex.quote(name + '=number')}; if the numbers mean nothing, say so by {dropping(name)}",
                   spoils=True, remedy=in_time)


def _naming_columns(table: Table, sample: Sample) -> list[Column]:
    """The columns that name rows; those with few different values in the sample, or with fractions, are not asked."""
    may_name = sample.repeats.distinct >= LIKELY_SHARE * len(sample.positions)
    may_name &= (table.features.dtypes != np.float64).to_numpy()
    return [table.columns[number] for number in np.flatnonzero(may_name) if _names_rows(table, table.columns[number])]


def _names_rows(table: Table, column: Column) -> bool:
    series = table.features[column.name]
    if column.kind == "number" and pd.api.types.is_integer_dtype(series):
        values = series.to_numpy()
        return (int(values.max()) - int(values.min()) < DENSITY * len(values)
                and len(np.unique(values)) >= DISTINCT_SHARE * len(values))
    if column.kind in ("category", "text") and series.nunique() >= DISTINCT_SHARE * len(series):
        return not series.astype("string").str.contains(r"\s", na=False).any()
    return False


CHECKS.register(Check("identifiers", "an identifier that predicts the target", check_identifiers, (
    PossibleFinding("identifier-predicts", "warn",
                    f"the order of a column that names rows tells {per_cent(ALARM_SHARE)} of the target's "
                    f"variance; in {LEAST_ROWS_FOR_A_SHARE} rows or more"),
)))
