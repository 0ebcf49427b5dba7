"""Splits inside the training rows, for tuning, selection, early stopping and stacking.

The one place they come from, so that every approach obeys the outer rules: groups, time, ties, strata. Knows no approach.
"""

from __future__ import annotations

import numpy as np

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import TabbenchError
from tabbench.splitting.partition import deal_units, forward_cuts, shuffled_order, strata_of, tied_units, unit_codes

Positions = tuple[np.ndarray, np.ndarray]

LEAST_VALIDATION_ROWS = 5
"""Folds are reduced until each validates about so many rows: fewer say nothing about a setting."""
FORWARD_FIRST_SHARE = 0.5
"""Share of the rows before the first of several cuts in time; the inner folds lie in the newer half."""
LARGEST_HOLDOUT_SHARE = 0.5
"""A hold-out never takes more than this."""


def inner_folds(training: TrainingSet, folds: int, seed: int) -> list[Positions]:
    """(fit, validation) positions into the training rows, both sorted.

    Rows are stratified; tied rows and groups stay whole; with `time` each fit part is older than its validation part, which
    then cover the newer half only (else every row that may be validated is validated once). Rules for small data:

    * fewer folds, two at least, so that each has about 5 validation rows and, if grouped, one group at least;
    * a class of one row, or of rows all tied together, is in every fit part and never validated (unless all classes are so);
    * a fold whose fit part would hold one class only is left out;
    * where groups or times leave no fold at all (a single group, say), rows are dealt as if there were none.

    Raises
    ------
    TabbenchError
        Fewer than four rows or two folds are asked for.
    """
    _require(training, folds >= 2)
    folds = max(2, min(folds, len(training) // LEAST_VALIDATION_ROWS))
    if training.time is not None:
        parts = _usable(training, _without_shared_groups(training, forward_cuts(training.time, folds, FORWARD_FIRST_SHARE)))
    elif training.group is not None:
        unit = unit_codes(training.group)
        parts = _usable(training, _dealt(training, unit, min(folds, int(unit.max()) + 1), seed)) if unit.max() else []
    else:
        parts = []
    return parts or _usable(training, _dealt(training, _tie_units(training, folds), folds, seed))


def inner_holdout(training: TrainingSet, fraction: float, seed: int) -> Positions:
    """(fit, validation) positions into the training rows, both sorted; about `fraction` of them validate.

    Stratified, with whole ties and groups; with `time` the newest rows validate. Without groups and times every class keeps a
    row in the fit part. Where groups or times cannot be obeyed (a single group, or a fit part of one class), rows are drawn as
    if there were none.

    Raises
    ------
    TabbenchError
        Fewer than four rows, or `fraction` not in (0, 0.5].
    """
    _require(training, 0 < fraction <= LARGEST_HOLDOUT_SHARE)
    parts: list[Positions] = []
    if training.time is not None:
        parts = _usable(training, _without_shared_groups(training, forward_cuts(training.time, 1, 1 - fraction)))
    elif training.group is not None:
        parts = _usable(training, _drawn(training, unit_codes(training.group), fraction, seed))
    parts = parts or _usable(training, _drawn(training, _tie_units(training, round(1 / fraction)), fraction, seed))
    return parts[0]


def _require(training: TrainingSet, is_sensible: bool) -> None:
    if len(training) < 4 or not is_sensible:
        raise TabbenchError(f"no inner split of {len(training)} rows by these arguments")


def _strata(training: TrainingSet, folds: int) -> np.ndarray:
    return strata_of(training.target, training.task.is_regression, folds)


def _tie_units(training: TrainingSet, folds: int) -> np.ndarray:
    return np.arange(len(training)) if training.tie is None else tied_units(training.tie, folds)[0]


def _dealt(training: TrainingSet, unit: np.ndarray, folds: int, seed: int) -> list[Positions]:
    strata = _strata(training, folds)
    fold = deal_units(unit, strata, folds, np.random.default_rng([seed, folds]))
    never_validated = _sole_units(training, unit)[unit]
    if training.group is None and not never_validated.all():
        fold[never_validated] = -1
    return [(np.flatnonzero(fold != each), np.flatnonzero(fold == each)) for each in range(folds)]


def _sole_units(training: TrainingSet, unit: np.ndarray) -> np.ndarray:
    """For each unit whether it holds all rows of some class."""
    is_sole = np.zeros(int(unit.max()) + 1, dtype=bool)
    if not training.task.is_regression:
        lowest, highest = np.full(training.task.n_classes, len(unit)), np.full(training.task.n_classes, -1)
        np.minimum.at(lowest, training.target, unit)
        np.maximum.at(highest, training.target, unit)
        is_sole[lowest[lowest == highest]] = True
    return is_sole


def _drawn(training: TrainingSet, unit: np.ndarray, fraction: float, seed: int) -> list[Positions]:
    """The first units of a stratified order that fit in, others passed over."""
    wanted = max(1, round(fraction * len(training)))
    order = shuffled_order(_strata(training, 2), np.random.default_rng([seed, wanted]), unit)
    sizes = np.bincount(unit)
    may_validate = sizes <= max(wanted, sizes.min())
    if training.group is None and not training.task.is_regression:
        last_of_class = np.zeros(training.task.n_classes, dtype=np.int64)
        last_of_class[training.target[order]] = order
        may_validate[unit[last_of_class]] = False
    candidates = order[may_validate[unit[order]]]
    candidates = candidates if len(candidates) else order
    ends = np.append(np.flatnonzero(np.diff(unit[candidates])) + 1, len(candidates))
    end = int(ends[np.argmin(np.abs(ends - wanted))])
    is_validation = np.zeros(len(unit), dtype=bool)
    is_validation[candidates[:end]] = True
    return [(np.flatnonzero(~is_validation), np.flatnonzero(is_validation))]


def _without_shared_groups(training: TrainingSet, parts: list[Positions]) -> list[Positions]:
    """Fit parts without the groups of their validation part, where that leaves at least half of them."""
    if training.group is None:
        return parts
    kept = []
    for fit, validation in parts:
        is_foreign = ~np.isin(training.group[fit], training.group[validation])
        kept.append((fit[is_foreign] if 2 * is_foreign.sum() >= len(fit) else fit, validation))
    return kept


def _usable(training: TrainingSet, parts: list[Positions]) -> list[Positions]:
    """The parts that can be learnt from, sorted."""
    fewest_classes = 1 if training.task.is_regression else min(2, len(np.unique(training.target)))
    return [
        (np.sort(fit), np.sort(validation))
        for fit, validation in parts
        if len(fit) and len(validation)
        and (training.task.is_regression or len(np.unique(training.target[fit])) >= fewest_classes)
    ]
