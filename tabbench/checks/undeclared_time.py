"""Check: a column of dates that nobody named as the time, and whether rows of one time are alike."""

from __future__ import annotations

import re

import numpy as np

from tabbench.checks.columns import FEWEST_DATES, dated_columns, per_cent, plain_values, quoted
from tabbench.checks.neighbours import told_by_neighbours
from tabbench.checks.quick_model import MOST_ASKED_ABOUT, QuickModel
from tabbench.checks.row_order import is_in_file_order
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding, Remedy
from tabbench.core.table import Column, Table

NAME_OF_A_TIME = re.compile(r"(?i:unix_?)?(?i:time|timestamp|date|datetime|epoch|period|week|day|step|tick|time_?index)")
"""Names of a column of numbers that says when a row was taken, if rows are in its order; many a duration is called time."""
NAME_OF_A_BIRTH = re.compile(r"(?i:birth|born|dob)")
"""A date that identifies a person, not when the row was recorded."""
FEWEST_TIMES = 50
BEYOND_SHARE = 0.08
"""Share of the variance that a quick model without the dates leaves which the rows nearest in time tell. It is below 0.02 where a
date is a plain feature, such as the day of joining, and 0.06 for flight delays over a year."""
LEAST_ROWS_OVER_TIME = 200
"""Rows with a date that it takes to tell a drift from chance."""


def check_undeclared_time(checked: CheckedTable) -> list[Finding]:
    """Suggest --time where there is a column of dates; warn where the target follows the time."""
    table = checked.table
    if any(role is not None for role in (table.time, table.group, table.fold, table.test)):
        return []
    dates = [name for name in dated_columns(table) if not NAME_OF_A_BIRTH.search(name)]
    times = dates + [column.name for column in table.columns if _is_numbered_time(table, column)]
    for name in times[:MOST_ASKED_ABOUT]:
        found = _following(checked, name)
        if found:
            return [found]
    if not dates:
        return []
    in_time = Remedy("time", (dates[0],))
    return [Finding("undeclared-time", "info", dates[0],
                    f"{quoted(dates)} hold{'s' if len(dates) == 1 else ''} dates, but training and test rows are of the same "
                    "time",
                    f"if the future is to be predicted, give {in_time}", remedy=in_time)]


def _is_numbered_time(table: Table, column: Column) -> bool:
    return (column.kind == "number" and NAME_OF_A_TIME.fullmatch(column.name) is not None
            and table.features[column.name].nunique() >= FEWEST_TIMES
            and is_in_file_order(table, table.features[column.name]))


def _following(checked: CheckedTable, name: str) -> Finding | None:
    """A warning if rows of about the same time are more alike than a model without dates can tell."""
    model, columns = QuickModel.of(checked), checked.table.columns
    if len(model.positions) < LEAST_ROWS_OVER_TIME:
        return None
    number = next(number for number, column in enumerate(columns) if column.name == name)
    others = [each for each, column in enumerate(columns) if column.kind != "date" and each != number]
    time = plain_values(checked.table.features[name].iloc[model.positions], columns[number])
    is_known = ~np.isnan(time)
    if is_known.sum() < LEAST_ROWS_OVER_TIME:
        return None
    left = (model.outcomes - model.predictions(columns=others))[is_known]
    beyond = told_by_neighbours(time[is_known], left)
    if beyond < BEYOND_SHARE:
        return None
    in_time = Remedy("time", (name,))
    return Finding("undeclared-time", "warn", name,
                   f"the target follows `{name}`: rows of about the same time tell {beyond:.1%} of what a quick model of the "
                   "other columns leaves, and training and test rows are of the same time",
                   f"split forward in time by {in_time}", spoils=True, remedy=in_time)


CHECKS.register(Check("undeclared-time", "dates that look like the time", check_undeclared_time, (
    PossibleFinding("undeclared-time", "warn",
                    f"the rows nearest in time tell {per_cent(BEYOND_SHARE)} of what a quick model of the other "
                    f"columns leaves; in {LEAST_ROWS_OVER_TIME} rows or more"),
    PossibleFinding("undeclared-time", "info", f"a column holds {FEWEST_DATES} different dates or more"),
)))
