"""Check: rows that repeat each other, and equal features with different targets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.checks.blocks import BLOCK_CELLS
from tabbench.checks.columns import MIXER, NAMING_SHARE, matrix_of, per_cent
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding

WORTH_SAYING = 0.01
"""Shares below this change no comparison."""
COPIED_SHARE = 0.05
"""From this share on, rows that were copied are an alarm."""
FEWEST_NAMES = 30
HALF = np.uint64(32)
"""Folds the higher bits of a digest, which the mixer fills, down to the lower ones."""


def check_duplicates(checked: CheckedTable) -> list[Finding]:
    """Say how many rows repeat another, and what error no approach can avoid for that equal features differ in target."""
    rows = len(checked.table)
    repeated = rows - len(pd.unique(checked.table.tie))
    findings = []
    if repeated >= COPIED_SHARE * rows and _have_names(checked, repeated):
        findings.append(Finding("copied-rows", "warn", "rows",
                                f"{repeated:,} of {rows:,} rows ({repeated / rows:.1%}) are copies of other rows, down to "
                                "numbers that hardly any two rows share; training and scores weigh a row as often as it was "
                                "copied", "leave repeated rows out", spoils=True))
    elif repeated >= WORTH_SAYING * rows:
        findings.append(Finding("duplicate-rows", "info", "rows",
                                f"{repeated:,} of {rows:,} rows ({repeated / rows:.1%}) repeat an earlier row exactly"))
    error = _unavoidable_error(pd.factorize(_row_digests(checked))[0], checked)
    if error >= WORTH_SAYING:
        limit = (f"no approach can explain more than {1 - error:.1%} of the target's variance" if checked.task.is_regression
                 else f"no approach can be right on more than {1 - error:.1%} of these rows")
        findings.append(Finding("conflicting-rows", "info", "rows", f"rows with equal features have different targets; {limit}",
                                "add columns that tell these rows apart, if there are any"))
    return findings


def _have_names(checked: CheckedTable, repeated: int) -> bool:
    """Whether some number is different in most of the rows that are different, and rows that share it mostly share all."""
    first = np.unique(checked.table.tie, return_index=True)[1]
    for column in checked.table.columns:
        values = checked.table.features[column.name]
        if column.kind in ("number", "date") and values.iloc[first].nunique() >= max(NAMING_SHARE * len(first), FEWEST_NAMES):
            chance = len(first) - values.iloc[first].nunique(dropna=False)
            if repeated >= chance:
                return True
    return False


def _row_digests(checked: CheckedTable) -> np.ndarray:
    """A number (n,) for each row's features, equal for equal rows."""
    digests = np.zeros(len(checked.table), dtype=np.uint64)
    step = max(1, BLOCK_CELLS // len(digests))
    for start in range(0, len(checked.table.columns), step):
        for values in matrix_of(checked.table, slice(None), slice(start, start + step)) + 0.0:  # which makes -0 a 0
            digests ^= np.where(np.isnan(values), np.nan, values).view(np.uint64)
            digests *= MIXER
            digests ^= digests >> HALF
            digests *= MIXER
    return digests


def _unavoidable_error(unit: np.ndarray, checked: CheckedTable) -> float:
    """Share of rows (or of the variance) that differs from its unit's commonest class (or mean)."""
    target = checked.target
    if checked.task.is_regression:
        means = np.bincount(unit, weights=target) / np.bincount(unit)
        total = float(((target - target.mean()) ** 2).sum())
        return float(((target - means[unit]) ** 2).sum()) / total if total > 0 else 0.0
    pairs, counts = np.unique(unit * checked.task.n_classes + target, return_counts=True)
    commonest = np.zeros(int(unit.max()) + 1, dtype=np.int64)
    np.maximum.at(commonest, pairs // checked.task.n_classes, counts)
    return 1 - float(commonest.sum()) / len(unit)


CHECKS.register(Check("duplicates", "rows that repeat each other, equal features with different targets", check_duplicates, (
    PossibleFinding("copied-rows", "warn",
                    f"{per_cent(COPIED_SHARE)} of the rows are copies, down to numbers that hardly any two share"),
    PossibleFinding("duplicate-rows", "info", f"{per_cent(WORTH_SAYING)} of the rows repeat an earlier one"),
    PossibleFinding("conflicting-rows", "info",
                    f"equal features with other targets make an error of {per_cent(WORTH_SAYING)} unavoidable"),
)))
