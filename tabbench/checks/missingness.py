"""Check: columns that are mostly missing, and columns whose being missing tells the target."""

from __future__ import annotations

import numpy as np

from tabbench.checks.columns import (
    LEAST_ROWS_OF_A_SIDE,
    MOST_NAMED,
    Sample,
    Values,
    dropping,
    learners_of,
    per_cent,
    quoted,
    told_share,
)
from tabbench.checks.quick_model import ask_out_of_fold, folds_of
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding
from tabbench.core.table import Column

MOSTLY = 0.5
ALARM_SHARE = 0.25
"""Share of the target's variance that being missing tells. Honest gaps tell some (people without a job have no employer); a field
that is filled in with the outcome tells most."""

MOST_JOINED = 20
"""Columns whose gaps are looked at together."""


def check_missingness(checked: CheckedTable) -> list[Finding]:
    """Name mostly missing columns and those whose gaps predict."""
    sample = Sample.of(checked)
    gaps = {sample.columns[number].column.name: np.isnan(sample.matrix[number])
            for number in np.flatnonzero(sample.repeats.missing)}
    findings = []
    mostly = [name for name, is_missing in gaps.items() if is_missing.mean() > MOSTLY]
    if mostly:
        findings.append(Finding("mostly-missing", "info", mostly[0], f"more than half is missing in {quoted(mostly)}"))
    telling: list[Finding] = []
    for name, is_missing in gaps.items():
        if min(is_missing.sum(), (~is_missing).sum()) < LEAST_ROWS_OF_A_SIDE or len(telling) == MOST_NAMED:
            continue
        share = _told(sample, is_missing)
        if share >= ALARM_SHARE:
            telling.append(Finding("missingness-predicts", "warn", name,
                                   f"whether `{name}` is missing tells {share:.1%} of the target's variance; it may be filled "
                                   "in with the outcome",
                                   f"if so, leave it out with {dropping(name)}", spoils=True, remedy=dropping(name)))
    return findings + (telling or _together(sample, gaps))


def _together(sample: Sample, gaps: dict[str, np.ndarray]) -> list[Finding]:
    """The gaps of several columns that tell the target together, though none does alone."""
    named = [name for name, is_missing in gaps.items() if min(is_missing.sum(), (~is_missing).sum()) >= LEAST_ROWS_OF_A_SIDE]
    if len(named) < 2:
        return []
    named = sorted(named, key=lambda name: -_told(sample, gaps[name]))[:MOST_JOINED]
    matrix = np.column_stack([gaps[name] for name in named]).astype(np.float64)
    fold = folds_of(sample.checked.table.tie[sample.positions], sample.checked.seed)
    predicted = ask_out_of_fold(learners_of(sample.checked), matrix, np.zeros(len(named), dtype=bool), sample.outcomes,
                                sample.checked.task.is_regression, fold)
    share = told_share(sample.outcomes, predicted())
    if share < ALARM_SHARE:
        return []
    return [Finding("missingness-predicts", "warn", named[0],
                    f"which of {quoted(named)} are missing tells {share:.1%} of the target's variance; they may be filled in "
                    "with the outcome", f"if so, leave them out with {dropping(*named)}",
                    spoils=True, remedy=dropping(*named))]


def _told(sample: Sample, is_missing: np.ndarray) -> float:
    return sample.explained_share(Values(Column("gaps", "category"), is_missing.astype(np.float64)))


CHECKS.register(Check("missingness", "columns that are mostly missing or whose gaps predict", check_missingness, (
    PossibleFinding("mostly-missing", "info", f"more than {per_cent(MOSTLY)} of a column is missing"),
    PossibleFinding("missingness-predicts", "warn",
                    f"whether columns are missing tells {per_cent(ALARM_SHARE)} of the target's variance"),
)))
