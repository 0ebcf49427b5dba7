"""Check: a column that is the target in other words."""

from __future__ import annotations

from shlex import quote

import numpy as np
import pandas as pd

from tabbench.checks.columns import Sample, Values
from tabbench.core.check import CHECKS, Check, Evidence
from tabbench.core.finding import Finding

LEAST_PRESENT_SHARE = 0.5
"""A copy with gaps is still a copy."""
LEAST_ROWS_OF_A_CLASS = 5
"""Fewer could be matched by a column by chance."""
LEAST_VALUES = 10
"""Distinct numbers that must agree in order before it counts as a copy."""
EQUAL_CORRELATION = 1 - 1e-9
"""A copy in other units differs by rounding only."""


def check_target_copy(evidence: Evidence) -> list[Finding]:
    """Find columns that are equal to the target, its levels renamed, or a monotone function of it."""
    sample = Sample.of(evidence)
    return [
        Finding("target-copy", "block", values.column.name,
                f"the column `{values.column.name}` tells the target `{evidence.table.target_name}` exactly, so every score "
                "would be about nothing",
                f"leave it out with --drop {quote(values.column.name)}", spoils=True)
        for values in sample.columns if is_target_copy(values, sample)
    ]


def is_target_copy(values: Values, sample: Sample) -> bool:
    """Whether this column is the target in other words."""
    if sample.evidence.task.is_regression:
        return _follows(values, sample.target)
    return _renames(values, sample.target)


def _renames(values: Values, target: np.ndarray) -> bool:
    """Whether levels (missing is one) and classes are matched one to one."""
    class_counts = np.bincount(target)
    codes, levels = pd.factorize(values.values, use_na_sentinel=False)
    if np.count_nonzero(class_counts >= LEAST_ROWS_OF_A_CLASS) < 2 or len(levels) != np.count_nonzero(class_counts):
        return False
    return len(np.unique(codes * len(class_counts) + target)) == len(levels)


def _follows(values: Values, target: np.ndarray) -> bool:
    """Whether the present values rise or fall strictly with the target, or are linear in it but for rounding."""
    present = np.isfinite(values.values)
    if values.is_nominal or present.mean() < LEAST_PRESENT_SHARE:
        return False
    numbers, target = values.values[present], target[present]
    order = np.argsort(numbers, kind="stable")
    steps, target_steps = np.sign(np.diff(numbers[order])), np.sign(np.diff(target[order]))
    if np.count_nonzero(steps) < LEAST_VALUES - 1:
        return False
    if np.array_equal(steps, target_steps) or np.array_equal(steps, -target_steps):
        return True
    numbers, target = numbers / np.abs(numbers).max(), target / max(np.abs(target).max(), np.finfo(float).tiny)
    spread = float(numbers.std() * target.std())
    return spread > 0 and abs(float(np.mean((numbers - numbers.mean()) * (target - target.mean())))) >= EQUAL_CORRELATION * spread


CHECKS.register(Check("target-copy", "a column that is the target in other words", check_target_copy))
