"""Labels become a category, or text where they hardly ever come back. Here it is settled which of them are missing or alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.finding import Finding, Severity
from tabbench.core.phrases import counted, shown
from tabbench.core.table import Column
from tabbench.reading.labels import alike, in_quotes
from tabbench.reading.missing_words import DASHES, NOT_AVAILABLE
from tabbench.reading.rules import Rules
from tabbench.reading.spelled import Spelled
from tabbench.reading.typed_column import TypedColumn, as_strings, category_type

TEXT_FROM_LEVELS = 50
"""Fewer labels are a category whatever the number of rows."""
TEXT_BELOW_ROWS_A_LEVEL = 5
"""Labels that come back less often on average say nothing as labels."""
MOST_ALIKE_GROUPS = 3
"""Groups of labels that one finding names."""


def category_column(name: str, spelled: Spelled, rules: Rules, *, is_declared: bool = True) -> TypedColumn:
    """Labels as a category, or as text where they hardly ever come back; whoever declares a category gets one."""
    if not rules.is_target and not pc.any(pc.equal(spelled.spellings, "+")).as_py():
        spelled = spelled.without(DASHES)
    findings = merge_findings(name, spelled)
    if rules.missing is None:
        spelled, said = _settle_na(name, spelled, rules.is_target)
        findings += said
    if not is_declared and _hardly_come_back(spelled):
        return text_column(name, spelled, findings)
    if rules.merge_labels:
        spelled = spelled.with_labels_merged()
    else:
        findings += _alike_findings(name, spelled, rules.is_target)
    order = pc.sort_indices(spelled.spellings).to_numpy()
    rank = np.empty(len(order) + 1, dtype=np.int32)
    rank[order], rank[-1] = np.arange(len(order)), -1
    codes = rank[spelled.codes]
    levels = tuple(spelled.spellings.take(pa.array(order)).to_pylist())
    values = pd.Categorical.from_codes(codes, dtype=category_type(levels))
    return TypedColumn(Column(name, "category", levels, merges_labels=rules.merge_labels), values, codes,
                       int((codes < 0).sum()), spelled.spellings, findings)


def text_column(name: str, spelled: Spelled, findings: tuple[Finding, ...] = ()) -> TypedColumn:
    """Labels as text."""
    missing = int((spelled.codes < 0).sum())
    return TypedColumn(Column(name, "text"), as_strings(spelled.texts()), spelled.codes, missing, spelled.spellings, findings)


def _hardly_come_back(spelled: Spelled) -> bool:
    distinct = len(spelled.spellings)
    return distinct > TEXT_FROM_LEVELS and int((spelled.codes >= 0).sum()) < TEXT_BELOW_ROWS_A_LEVEL * distinct


def _settle_na(name: str, spelled: Spelled, is_target: bool) -> tuple[Spelled, tuple[Finding, ...]]:
    """NA stays a label where the others are two-letter codes, too, or where it is as usual as they are."""
    is_na = pc.equal(spelled.spellings, NOT_AVAILABLE).to_numpy(zero_copy_only=False)
    if not is_na.any():
        return spelled, ()
    rows, others = spelled.rows(), spelled.spellings.filter(pa.array(~is_na))
    cells, usual = int(rows[is_na][0]), rows[~is_na]
    is_code = len(others) > 1 and pc.all(pc.match_substring_regex(others, "^[A-Z]{2}$")).as_py()
    is_usual = 1 < len(others) <= TEXT_FROM_LEVELS and usual.min() <= cells <= usual.max()
    where = f"'NA' in {counted(cells, 'row')} of {shown(name)}"
    severity: Severity = "warn" if is_target else "info"
    if is_code or is_usual:
        reason = "a code like the others" if is_code else "as frequent as the others"
        return spelled, (Finding("na-label", severity, shown(name), f"{where} is kept as a label, as it is {reason}",
                                 "if it means missing, say so with --missing NA"),)
    return spelled.without((NOT_AVAILABLE,)), (
        Finding("na-missing", severity, shown(name), f"{where} is read as missing",
                "if it is a label, name the codes for missing without it, such as --missing N/A"),)


def _alike_findings(name: str, spelled: Spelled, is_target: bool) -> tuple[Finding, ...]:
    groups = alike(spelled.spellings.to_pylist())
    if not groups:
        return ()
    message = f"{shown(name)} has labels that differ only in case, blanks or a final full stop: " + "; ".join(
        in_quotes(group) for group in groups[:MOST_ALIKE_GROUPS])
    return (Finding("alike-labels", "warn" if is_target else "info", shown(name), message,
                    "if they mean the same, make them one with --merge-labels"),)


def merge_findings(name: str, spelled: Spelled) -> tuple[Finding, ...]:
    """Labels from which blanks were trimmed, so that they became one with others."""
    if not spelled.merged:
        return ()
    label = spelled.merged[0]
    return (Finding("merged-labels", "info", shown(name), f"in {shown(name)}, {' ' + shown(label)!r} and {shown(label)!r} are "
                    f"one label; blanks around {counted(len(spelled.merged), 'label')} were trimmed"),)
