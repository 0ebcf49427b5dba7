"""Check: rows that belong together (a patient's, a customer's) where nobody named the group, and whether that matters."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tabbench.checks.columns import LEAST_ROWS_FOR_A_SHARE, Sample, has_own_splits, per_cent, quoted
from tabbench.checks.entities import columns_of_entities
from tabbench.checks.quick_model import MOST_ASKED_ABOUT, QuickModel
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding, Remedy
from tabbench.core.table import Column, Table

NAME_OF_A_GROUP = re.compile(
    r"(?:^|[\W_])(?i:id|ids|uuid|guid|patient|subject|person|user|customer|client|account|household|member|device|session)$"
    r"|[a-z]I[Dd]$"
)
"""Words that name the person or thing that a row belongs to, at the end of the column's name; or a name such as patientId."""
FEWEST_GROUPS = 20
FEWEST_ROWS_PER_GROUP = 1.5
"""On average; else the column names rows and not groups."""
CODE_SHARE = 0.9
"""Levels of letters and digits without blanks that make a column of codes, such as tail numbers."""
FEWEST_CODES = 200
"""Levels of a column of codes; fewer are ordinary categories (sizes, grades)."""
ALARM_LOSS = 0.05
"""Share of the target's variance that is lost when rows of one group are held out together; by chance a hundredth or two."""
UNNAMED_LOSS = 0.08
"""The same where the group is only guessed from columns that repeat together."""
SHARED_SHARE = 0.1
"""Of the test rows of the user's own splits, so many are of a group that is trained on."""


def check_undeclared_group(checked: CheckedTable) -> list[Finding]:
    """Suggest --group where a column looks like repeated identifiers; warn where a model lives on knowing the group."""
    table = checked.table
    if table.group is not None:
        return []
    names = [column.name for column in table.columns if _looks_like_groups(table, column)]
    if has_own_splits(checked):
        return _on_both_sides(checked, names)
    for name in names[:MOST_ASKED_ABOUT]:
        loss = _loss(checked, pd.factorize(table.features[name], use_na_sentinel=False)[0])
        if loss:
            together = Remedy("group", (name,))
            return [_warning(name, f"rows of one `{name}`", loss, f"keep them together with {together}", together)]
    if not names:
        return _unnamed(checked)
    together = Remedy("group", (names[0],))
    return [Finding("undeclared-group", "info", names[0],
                    f"{quoted(names)} repeat{'s' if len(names) == 1 else ''} like the name of a person or thing; rows of one may "
                    "be in training and test",
                    f"if new ones are to be predicted, give {together}", remedy=together)]


def _on_both_sides(checked: CheckedTable, names: list[str]) -> list[Finding]:
    """The first few columns whose values lie in training and test of the user's own splits, where that matters."""
    for name in names[:MOST_ASKED_ABOUT]:
        group = pd.factorize(checked.table.features[name], use_na_sentinel=False)[0]
        splits = checked.splits.splits if checked.splits is not None else ()
        shared = np.mean([np.isin(group[split.test], group[split.train]).mean() for split in splits])
        loss = _loss(checked, group) if shared >= SHARED_SHARE else None
        if loss:
            return [_warning(name, f"rows of one `{name}`", loss, "keep them on one side of your own splits")]
    return []


def _unnamed(checked: CheckedTable) -> list[Finding]:
    """Rows of one entity that no single column names."""
    names = columns_of_entities(Sample.of(checked))
    if not names:
        return []
    features = checked.table.features[names]
    loss = _loss(checked, features.groupby(names, dropna=False, observed=True, sort=False).ngroup().to_numpy())
    return [] if not loss or loss[0] - loss[1] < UNNAMED_LOSS else [_warning(
        names[0], f"rows that are equal in {quoted(names)}, which seem to be of one person or thing,", loss,
        "add a column that numbers them and name it by --group")]


def _warning(subject: str, rows: str, loss: tuple[float, float], cure: str, remedy: Remedy | None = None) -> Finding:
    before, after = loss
    return Finding("undeclared-group", "warn", subject,
                   f"{rows} lie in training and test: a quick model tells {before:.1%} of the target's variance so, but "
                   f"{max(after, 0.0):.1%} when they are held out together",
                   f"if new ones are to be predicted, {cure}", spoils=True, remedy=remedy)


def _loss(checked: CheckedTable, group: np.ndarray) -> tuple[float, float] | None:
    """What a quick model tells with groups (n,) on both sides and when they are kept whole, if that is much less."""
    sizes = np.bincount(group)
    if len(group) < LEAST_ROWS_FOR_A_SHARE or len(sizes) < FEWEST_GROUPS:
        return None
    model = QuickModel.over(checked, group)
    whole = model.share()
    apart = model.share(unit=checked.table.tie[model.positions])
    return (apart, whole) if apart - whole >= ALARM_LOSS else None


def _looks_like_groups(table: Table, column: Column) -> bool:
    has_name = NAME_OF_A_GROUP.search(column.name) is not None
    if column.kind not in ("number", "category", "text") or (column.kind == "number" and not has_name):
        return False
    series = table.features[column.name]
    if column.kind == "number" and not pd.api.types.is_integer_dtype(series):
        return False
    levels = series.dropna().unique()
    if len(levels) < FEWEST_GROUPS or len(series) < FEWEST_ROWS_PER_GROUP * len(levels):
        return False
    return has_name or (len(levels) >= FEWEST_CODES and _are_codes(levels))


def _are_codes(levels: np.ndarray) -> bool:
    texts = pd.Series(levels).astype("string")
    return bool(texts.str.fullmatch(r"(?=.*[A-Za-z])(?=.*\d)\S+").mean() >= CODE_SHARE)


CHECKS.register(Check("undeclared-group", "repeated identifiers that look like a group", check_undeclared_group, (
    PossibleFinding("undeclared-group", "warn",
                    f"a quick model tells {per_cent(ALARM_LOSS)} less of the target's variance when rows of one "
                    f"are held out together, {per_cent(UNNAMED_LOSS)} where the group is guessed from several columns; "
                    f"in {LEAST_ROWS_FOR_A_SHARE} rows or more"),
    PossibleFinding("undeclared-group", "info",
                    f"a column has {FEWEST_GROUPS} values or more that repeat like the name of a person or thing"),
)))
