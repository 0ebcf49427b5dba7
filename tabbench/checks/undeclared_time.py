"""Check: a column of dates that nobody named as the time."""

from __future__ import annotations

from tabbench.checks.columns import listed
from tabbench.core.check import CHECKS, Check, Evidence
from tabbench.core.finding import Finding

FEWEST_DATES = 10
"""Different dates from which splitting forward in time makes sense."""


def check_undeclared_time(evidence: Evidence) -> list[Finding]:
    """Suggest --time where there is a column of dates."""
    table = evidence.table
    if any(role is not None for role in (table.time, table.group, table.fold, table.test)):
        return []
    names = [column.name for column in table.columns
             if column.kind == "date" and table.features[column.name].nunique() >= FEWEST_DATES]
    if not names:
        return []
    return [Finding("undeclared-time", "info", names[0],
                    f"{listed(names)} hold{'s' if len(names) == 1 else ''} dates, but training and test rows are of the same "
                    "time",
                    f"if the future is to be predicted, give --time {names[0]}")]


CHECKS.register(Check("undeclared-time", "dates that look like the time", check_undeclared_time))
