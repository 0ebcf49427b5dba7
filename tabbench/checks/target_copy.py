"""Check: a column that is the target in other words."""

from __future__ import annotations

import numpy as np

from tabbench.checks.columns import LEAST_EQUAL_VALUES, Sample, Values, dropping, quoted
from tabbench.core.check import CHECKS, Check, CheckedTable, PossibleFinding
from tabbench.core.finding import Finding

LEAST_PRESENT_SHARE, LEAST_COPIED_ROWS = 0.5, 100
"""A copy with gaps is still a copy: of half of the rows, or of so many."""
LEAST_BANDS, LEAST_ROWS_OF_A_BAND = 4, 5
LEAST_ROWS_OF_A_CLASS = 5
"""Fewer could be matched by a column by chance."""
QUICK_LOOK_ROWS = 100
COPY_CORRELATION = 1 - 1e-9
"""A copy in other units differs by rounding only."""


def check_target_copy(checked: CheckedTable) -> list[Finding]:
    """Find columns that are equal to the target, its levels renamed, or a monotone function of it."""
    sample = Sample.of(checked)
    marking = _marking_columns(sample)
    if marking:
        names = [values.column.name for values in marking]
        return [Finding("target-copy", "block", names[0],
                        f"the columns {quoted(names)} mark the classes of the target `{checked.table.target_name}`, so every "
                        "score would be about nothing", f"leave them out with {dropping(*names)}",
                        spoils=True, remedy=dropping(*names))]
    return [
        Finding("target-copy", "block", values.column.name,
                f"the column `{values.column.name}` tells the target `{checked.table.target_name}` exactly, so every score "
                "would be about nothing",
                f"leave it out with {dropping(values.column.name)}", spoils=True, remedy=dropping(values.column.name))
        for values in _may_copy(sample) if is_target_copy(values, sample)
    ]


def _may_copy(sample: Sample) -> list[Values]:
    """The columns that have enough different values, and not too many."""
    distinct = sample.repeats.distinct
    if sample.checked.task.is_regression:
        return [sample.columns[number] for number in np.flatnonzero(distinct >= LEAST_BANDS)]
    # A gap is a level, or there are gaps in a copy.
    n_classes = len(np.unique(sample.target))
    return [sample.columns[number] for number in np.flatnonzero((distinct >= n_classes) & (distinct <= n_classes + 1))]


def is_target_copy(values: Values, sample: Sample) -> bool:
    """Whether this column is the target in other words."""
    if sample.checked.task.is_regression:
        return _follows(values, sample.target)
    return _renames(values, sample.target)


def _marking_columns(sample: Sample) -> list[Values]:
    """The columns of two values that each mark one class of many, where all classes but one are marked."""
    outcomes = sample.outcomes
    if sample.checked.task.is_regression or outcomes.shape[1] < 3:
        return []
    marks: dict[int, Values] = {}
    for values in sample.columns:
        if values.exact_codes.max() == 1:
            same = (outcomes == values.exact_codes[:, None]).mean(axis=0)
            for outcome in np.flatnonzero((same == 0) | (same == 1)):
                marks.setdefault(int(outcome), values)
    return list(marks.values()) if len(marks) >= outcomes.shape[1] - 1 else []


def _renames(values: Values, target: np.ndarray) -> bool:
    """Whether levels and classes are matched one to one; missing is a level, or a gap in the copy."""
    present = ~np.isnan(values.values)
    return _are_matched(values.values, target) or (LEAST_COPIED_ROWS <= present.sum() < len(present) and _are_matched(
        values.values[present], target[present]))


def _are_matched(values: np.ndarray, target: np.ndarray) -> bool:
    class_counts = np.bincount(target)
    if np.count_nonzero(class_counts >= LEAST_ROWS_OF_A_CLASS) < 2:
        return False
    first = np.zeros(len(class_counts), dtype=np.int64)
    first[target[::-1]] = np.arange(len(target))[::-1]
    of_class = values[first]
    for rows in (slice(QUICK_LOOK_ROWS), slice(None)):  # the first rows tell of nearly all columns that they are none
        level, expected = values[rows], of_class[target[rows]]
        if not ((level == expected) | (np.isnan(level) & np.isnan(expected))).all():
            return False
    present = of_class[class_counts > 0]
    return len(np.unique(present)) == len(present)


def _follows(values: Values, target: np.ndarray) -> bool:
    """Whether the present values rise or fall strictly with the target, or are linear in it but for rounding."""
    present = np.isfinite(values.values)
    if present.mean() < LEAST_PRESENT_SHARE and present.sum() < LEAST_COPIED_ROWS:
        return False
    if _are_bands(values.exact_codes[present], target[present]):
        return True
    if values.is_nominal:
        return False
    numbers, target = values.values[present], target[present]
    order = np.argsort(numbers, kind="stable")
    steps, target_steps = np.sign(np.diff(numbers[order])), np.sign(np.diff(target[order]))
    if np.count_nonzero(steps) < LEAST_EQUAL_VALUES - 1:
        return False
    if np.array_equal(steps, target_steps) or np.array_equal(steps, -target_steps):
        return True
    numbers, target = numbers / np.abs(numbers).max(), target / max(np.abs(target).max(), np.finfo(float).tiny)
    spread = float(numbers.std() * target.std())
    return spread > 0 and abs(float(np.mean((numbers - numbers.mean()) * (target - target.mean())))) >= COPY_CORRELATION * spread


def _are_bands(codes: np.ndarray, target: np.ndarray) -> bool:
    """Whether levels are ranges of the target that don't overlap."""
    counts = np.bincount(codes)
    counts = counts[counts > 0]
    if len(counts) < LEAST_BANDS or counts.min() < LEAST_ROWS_OF_A_BAND:
        return False
    order = np.argsort(target, kind="stable")
    is_new = target[order][1:] > target[order][:-1]
    changes = codes[order][1:] != codes[order][:-1]
    # As many runs along the target as there are levels, and none begins within equal targets.
    return int(np.count_nonzero(changes)) + 1 == len(counts) and bool(is_new[changes].all())


CHECKS.register(Check("target-copy", "a column that is the target in other words", check_target_copy, (
    PossibleFinding("target-copy", "block",
                    "every level stands for one class, or a number rises or falls strictly with the target"),
)))
