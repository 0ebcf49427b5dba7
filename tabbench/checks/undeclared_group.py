"""Check: a column of repeated identifiers (a patient, a customer) that nobody named as the group."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tabbench.checks.columns import listed
from tabbench.core.check import CHECKS, Check, Evidence
from tabbench.core.finding import Finding
from tabbench.core.table import Column, Table

NAME_OF_A_GROUP = re.compile(
    r"(?:^|[\W_])(?i:id|ids|uuid|guid|patient|subject|person|user|customer|client|account|household|member|device|session)$"
    r"|[a-z]I[Dd]$"
)
"""Words that name who or what a row belongs to, standing last in the column's name; or a name such as patientId."""
FEWEST_GROUPS = 20
FEWEST_ROWS_PER_GROUP = 1.5
"""On average; else the column names rows and not groups."""
CODE_SHARE = 0.9
"""Levels of letters and digits without blanks that make a column of codes, such as tail numbers."""
FEWEST_CODES = 200
"""Levels of a column of codes; fewer are ordinary categories (sizes, grades)."""


def check_undeclared_group(evidence: Evidence) -> list[Finding]:
    """Suggest --group where a column looks like repeated identifiers."""
    table = evidence.table
    if table.group is not None or table.fold is not None or table.test is not None:
        return []
    names = [column.name for column in table.columns if _looks_like_groups(table, column)]
    if not names:
        return []
    return [Finding("undeclared-group", "info", names[0],
                    f"{listed(names)} repeat{'s' if len(names) == 1 else ''} like the name of a person or thing; rows of one may "
                    "be in training and test",
                    f"if new ones are to be predicted, give --group {names[0]}")]


def _looks_like_groups(table: Table, column: Column) -> bool:
    series = table.features[column.name]
    is_whole = column.kind == "number" and pd.api.types.is_integer_dtype(series)
    if not is_whole and column.kind not in ("category", "text"):
        return False
    has_name = NAME_OF_A_GROUP.search(column.name) is not None
    if is_whole and not has_name:
        return False
    levels = series.dropna().unique()
    if len(levels) < FEWEST_GROUPS or len(series) < FEWEST_ROWS_PER_GROUP * len(levels):
        return False
    return has_name or (len(levels) >= FEWEST_CODES and _are_codes(levels))


def _are_codes(levels: np.ndarray) -> bool:
    texts = pd.Series(levels).astype("string")
    return bool(texts.str.fullmatch(r"(?=.*[A-Za-z])(?=.*\d)\S+").mean() >= CODE_SHARE)


CHECKS.register(Check("undeclared-group", "repeated identifiers that look like a group", check_undeclared_group))
