"""How far a mean difference may be off: the two-component variance, its components pooled over everything measured.

Two kinds of luck move the mean over the splits: which rows were tested (seen in the row-level losses) and which rows
were trained on (what is left between splits). Knows no decision and no quantile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from tabbench.verdict.evidence import MOST_OVERLAP, LossEvidence
from tabbench.verdict.large_units import Parts, in_parts
from tabbench.verdict.row_moments import RowMoments, between_splits, by_split_of, quadratic
from tabbench.verdict.steps import Steps, nested_steps
from tabbench.verdict.tails import noise_errors

USUAL_LUCK, LUCK_SPREAD, LUCK_TAIL = 0.45, 0.65, 4.0
"""Before anything is seen the logarithm of training luck is Student's t around this median, on this scale, with these degrees of
freedom: between what least squares, trees and small nets of fixed parameters showed on mirror twins, 0.25, and what the
approaches themselves do, which tune, stop early and blend, 0.8 (docs/calibration.md), with a tail so that luck far beyond is
believed once it shows."""

INHERITED = 0.5
"""How much of its logarithm goes on to the next larger size."""

LEAST_OWN = 3.0
"""The variance between two or three splits is taken as if it were known as well as between four: with fewer degrees of
freedom any luck would go with it, and the mean over all of it would have no end."""

LEAST_DEGREES = 5.0
"""Where a few rows decide, or luck is hardly known, the variance is uncertain, but t has not the tail of so few degrees: rows
that blow up the mean blow up the variance with it, and the mean over all luck is wide already."""

NORMAL_95 = 1.96

LUCK_GRID, LUCK_POINTS = (-8.0, 12.0), 161
"""Logarithms of training luck between which it is looked for, in steps of an eighth."""


@dataclass(frozen=True, eq=False)
class Contrasts:
    """M differences of losses between two cells, or single cells (`second` is -1).

    Parameters
    ----------
    first, second : ndarray
        int64 (M,), positions of the cells.
    size : ndarray
        int64 (M,).
    difference : ndarray
        (M,) mean over splits.
    between : ndarray
        (M,) variance between splits, NaN for one split.
    between_by_rows : ndarray
        (M,) what the tested rows alone contribute to `between` in expectation.
    mean_by_rows : ndarray
        (M,) variance of `difference` that the tested rows cause, NaN without row-level losses.
    row_degrees : ndarray
        (M,) degrees of freedom of `mean_by_rows`: as many as units if they add alike, few where few units decide.
    moved : ndarray
        (M,) variance that training luck is seen to have by how the difference moves between sizes, NaN with a single size.
    by_noise : ndarray
        (M,) standard error from not knowing how noisy the rows are, 0 unless a few rows carry the loss (`tails`).
    alike : ndarray
        (M,) sum of squared correlations over the splits between this and all contrasts of its size, 1..M.
    steps : Steps
        From the next smaller size.
    parts : Parts | None
        The differences apart in large units and in all others, of a single split that has both.
    """

    first: np.ndarray
    second: np.ndarray
    size: np.ndarray
    difference: np.ndarray
    between: np.ndarray
    between_by_rows: np.ndarray
    mean_by_rows: np.ndarray
    row_degrees: np.ndarray
    moved: np.ndarray
    by_noise: np.ndarray
    alike: np.ndarray
    steps: Steps
    parts: Parts | None


@dataclass(frozen=True, eq=False)
class Spread:
    """Standard errors (M,) of contrasts, their degrees of freedom (M,), and the share (M,) of their variance that the tested
    rows cause. An infinite standard error means that nothing can be said.

    `below` and `above` (M,): how far an interval reaches beyond what luck makes of it, since parts of the rows lie so far off.
    """

    standard_error: np.ndarray
    degrees: np.ndarray
    row_share: np.ndarray
    below: np.ndarray | float = 0.0
    above: np.ndarray | float = 0.0

    @property
    def by_luck(self) -> np.ndarray:
        """Standard errors (M,) without what lies beyond luck, which counts as a standard error where no interval is made."""
        return np.asarray(self.standard_error - np.maximum(self.below, self.above) / NORMAL_95)


def make_contrasts(
    evidence: LossEvidence, cells: Sequence[tuple[str, int]], moments: RowMoments | None, pairs: Sequence[tuple[int, int]],
) -> Contrasts:
    """The contrasts between cells given by position; (a, -1) is cell a alone."""
    first, second = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    by_split, size = by_split_of(evidence, cells, first, second), np.array([cells[each][1] for each in first])
    mean_by_rows, row_degrees = np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
    if moments is not None:
        mean_by_rows = quadratic(moments.mean_of, first, second)
        row_degrees = np.array([_degrees_by_rows(moments.by_unit, *pair) for pair in pairs])
    parts = None
    if moments is not None and evidence.n_splits == 1:
        parts = in_parts(evidence, moments, first, second, by_split.mean(axis=1))
    return Contrasts(first, second, size, by_split.mean(axis=1), *between_splits(by_split, moments, first, second),
                     mean_by_rows, row_degrees, _moved(cells, pairs, by_split.mean(axis=1)),
                     _by_noise(evidence, cells, pairs), _alikeness(by_split, size), nested_steps(evidence, cells, first, second),
                     parts)


def _moved(cells: Sequence[tuple[str, int]], pairs: Sequence[tuple[int, int]], difference: np.ndarray) -> np.ndarray:
    """The mean of the squares by which each difference lies off those at other sizes, as if luck alone moved it: with nested
    training rows it moves by as much as the variances, which shrink like 1 / size, differ."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    named = [(cells[first][0], cells[second][0] if second >= 0 else "", cells[first][1]) for first, second in pairs]
    for (first, second, size), value in zip(named, difference, strict=True):
        found.setdefault((first, second), {})[size] = float(value)
    return np.array([_from_others(found[first, second], size) for first, second, size in named])


def _from_others(by_size: Mapping[int, float], size: int) -> float:
    squares = [(value - by_size[size]) ** 2 * other / abs(size - other) for other, value in by_size.items() if other != size]
    return float(np.mean(squares)) if squares else np.nan


def _by_noise(evidence: LossEvidence, cells: Sequence[tuple[str, int]], pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    error, at_size = np.zeros(len(pairs)), dict[int, list[int]]()
    for place, (first, second) in enumerate(pairs):
        if second >= 0:
            at_size.setdefault(cells[first][1], []).append(place)
    for size, places in at_size.items():
        error[places] = noise_errors(evidence, size, [(cells[pairs[each][0]][0], cells[pairs[each][1]][0]) for each in places])
    return error


def spread(evidence: LossEvidence, contrasts: Contrasts) -> Spread:
    """Standard errors of the contrasts: of tested rows and training luck, and more where a few rows carry the loss (`tails`)."""
    found = _two_components(evidence, contrasts)
    is_wider = (contrasts.by_noise > 0) & np.isfinite(found.standard_error)
    if not is_wider.any():
        return found
    # Added, not squared and added: heavier noise moves a difference to one side.
    error = found.standard_error + np.where(is_wider, contrasts.by_noise, 0.0)
    by_luck = np.where(is_wider, found.by_luck + contrasts.by_noise, 1.0)
    share = np.where(is_wider, found.row_share * (1 - contrasts.by_noise / by_luck) ** 2, found.row_share)
    return replace(found, standard_error=error, row_share=share)


def _two_components(evidence: LossEvidence, contrasts: Contrasts) -> Spread:
    """Standard errors by tested rows and training luck.

    The variance of a difference is `R (1 + k N/n (r + (1 - r)/J) + 2 c sqrt(k))`. R is the part that the N tested rows cause. The
    root of k says how much a row moves the difference by being trained on, in units of how much it does by being tested; n
    rows are trained on, and r is the overlap of the J training sets. c is the correlation of the two, a property of the metric
    (`Metric.shared_luck`). Splits show k only through what lies between them beyond the tested rows, at the full size next to
    nothing, so k is estimated with a prior (`_training_luck`).

    With one split only the tested rows' luck is seen; that of its training rows is taken to be usual. Splits forward in time are
    few and their rows not independent: there the split is the unit, and the variance Nadeau and Bengio's `s2 (1/J + test/train)`
    (doi:10.1023/A:1024068626366), as for metrics without row-level losses, but at least R. Of a single one of them, or without
    row-level losses, nothing can be said; nor where every row of a class that decides is alone in its split. Where ranks or hits
    are counted, rows that all lose the same are no certainty: R is at least what one more row would make of it (`Metric.step`).
    """
    splits, has_rows = evidence.n_splits, not np.isnan(contrasts.mean_by_rows).any()
    count, of_one_set = len(contrasts.first), _tested_rows(evidence) / contrasts.size
    rows_are_units = has_rows and evidence.split_kind != "ordered"
    most, least_error = _limits_of_rows(evidence)
    if (rows_are_units and most < 1) or (not rows_are_units and splits < 2):
        return Spread(np.full(count, np.inf), np.ones(count), np.ones(count))
    row_degrees = np.minimum(contrasts.row_degrees, most)
    by_rows = np.maximum(contrasts.mean_by_rows, least_error**2)
    if splits < 2:
        found = _of_one_split(row_degrees, by_rows, of_one_set, contrasts.moved)
        if contrasts.parts is None:
            return found
        return _in_parts(found, contrasts.parts.limited(most, least_error), of_one_set, contrasts.moved)
    nadeau_bengio = contrasts.between * (1 / splits + evidence.test_ratio)
    if not rows_are_units:
        return Spread(np.sqrt(np.fmax(nadeau_bengio, by_rows)), np.full(count, splits - 1.0), np.zeros(count))
    overlap = np.array([evidence.overlap[int(size)] for size in contrasts.size])
    # Trained on all rows of a training file again and again, models differ by seeds alone: that tells nothing of other rows.
    is_file = evidence.split_kind == "test"
    by_seed = is_file & (overlap >= MOST_OVERLAP)
    visible = contrasts.mean_by_rows * of_one_set * (1 - overlap)
    luck = _training_luck(contrasts, visible, contrasts.mean_by_rows * of_one_set * contrasts.steps.luck,
                          max(splits - 1.0, LEAST_OWN), ~by_seed)
    of_all_sets = of_one_set * (overlap + (1 - overlap) / splits)
    shared = 0.0 if is_file else evidence.metric.shared_luck  # no row of a test file is trained on
    inflation = 1 + luck.grid * of_all_sets[:, None] + 2 * shared * np.sqrt(luck.grid)
    mean = np.sum(luck.weights * inflation, axis=1)
    # Of the logarithm, which a tail of luck that is hardly believed does not blow up.
    logarithm = np.log(inflation)
    relative = np.sum(luck.weights * logarithm**2, axis=1) - np.sum(luck.weights * logarithm, axis=1) ** 2
    variance = np.where(contrasts.mean_by_rows > 0, by_rows * mean, np.maximum(by_rows * mean, nadeau_bengio))
    variance = variance + np.where(by_seed, contrasts.between / splits, 0.0)
    least = min(LEAST_DEGREES, most)
    return Spread(np.sqrt(variance), np.maximum(2 / (2 / row_degrees + relative), least), 1 / mean)


def _limits_of_rows(evidence: LossEvidence) -> tuple[float, float]:
    """The most degrees of freedom that tested rows can have, and the least standard error, that of one more rank or hit."""
    units, step = len(np.unique(evidence.unit)), evidence.metric.step
    if evidence.class_degrees is None or evidence.class_step is None:
        return units - 1.0, step / units
    repeats = evidence.repeats
    return (min(units - 1.0, float(evidence.class_degrees.sum() / repeats)),
            step * float(evidence.class_step.max()) * repeats / evidence.n_splits)


def _of_one_split(row_degrees: np.ndarray, by_rows: np.ndarray, of_one_set: np.ndarray, moved: np.ndarray) -> Spread:
    """No row is both trained on and tested, and training luck shows in other sizes alone: that, or what is usual."""
    usual = by_rows * USUAL_LUCK * np.exp(LUCK_SPREAD**2) * of_one_set
    inflation = 1 + np.divide(np.fmax(usual, moved), by_rows, out=np.zeros_like(by_rows), where=by_rows > 0)
    relative = ((1 - 1 / inflation) * np.sqrt(LUCK_TAIL / (LUCK_TAIL - 2)) * LUCK_SPREAD) ** 2
    degrees = np.maximum(2 / (2 / row_degrees + relative), 1.0)
    return Spread(np.sqrt(by_rows * inflation), degrees, 1 / inflation)


def _in_parts(whole: Spread, parts: Parts, of_one_set: np.ndarray, moved: np.ndarray) -> Spread:
    """Where the spread over all rows rests on fewer than `LEAST_DEGREES` units, intervals hold the differences of all parts."""
    rest = _of_one_split(parts.degrees, parts.by_rest, of_one_set, moved)
    error = rest.standard_error + np.maximum(parts.below, parts.above) / NORMAL_95
    apart = replace(rest, standard_error=error, below=parts.below, above=parts.above)
    is_apart = whole.degrees < LEAST_DEGREES
    return Spread(*(np.where(is_apart, getattr(apart, each.name), getattr(whole, each.name)) for each in fields(Spread)))


def _tested_rows(evidence: LossEvidence) -> float:
    """How many different rows are tested: the part of a difference by tested rows shrinks with them."""
    return min(float(evidence.pool_rows), len(evidence.split) / evidence.repeats)


@dataclass(frozen=True, eq=False)
class _Luck:
    """Training luck k on a grid (g,), with each contrast's posterior weights (M, g)."""

    grid: np.ndarray
    weights: np.ndarray


def _training_luck(contrasts: Contrasts, visible: np.ndarray, of_step: np.ndarray, own: float, is_seen: np.ndarray) -> _Luck:
    """How much being trained on counts, for each contrast.

    The variance between splits is that of the tested rows and k times `visible`, times a chi-square over its degrees of freedom.
    The logarithm of k is Student's t around what the other contrasts of this size say, and that around what the next smaller size
    said, drawn halfway back to the usual (`USUAL_LUCK`); a size inherits since luck shrinks slowly as rows are added.
    """
    grid = np.exp(np.linspace(*LUCK_GRID, LUCK_POINTS))
    likelihood = _likelihood(contrasts.between, contrasts.between_by_rows, visible, grid, own)
    likelihood += np.nan_to_num(_likelihood(contrasts.steps.between, contrasts.steps.by_rows, of_step, grid, own))
    likelihood[(contrasts.mean_by_rows <= 0) | ~is_seen] = 0.0
    weights, centre = np.empty_like(likelihood), np.log(USUAL_LUCK)
    for size in np.unique(contrasts.size):
        chosen = np.flatnonzero(contrasts.size == size)
        seen = chosen[(contrasts.mean_by_rows[chosen] > 0) & is_seen[chosen]]  # the same predictions say nothing about luck
        others = max(_independent(contrasts, seen) - 1, 0.0) / max(len(seen), 1)
        common = _posterior(grid, centre, others * likelihood[chosen].sum(axis=0))
        middle = float(np.sum(common * np.log(grid)))
        weights[chosen] = _posterior(grid, middle, likelihood[chosen])
        if len(seen):
            mean = float(np.mean(np.sum(weights[seen] * np.log(grid), axis=1)))
            centre = (1 - INHERITED) * np.log(USUAL_LUCK) + INHERITED * mean
    return _Luck(grid, weights)


def _likelihood(between: np.ndarray, by_rows: np.ndarray, by_luck: np.ndarray, grid: np.ndarray, degrees: float) -> np.ndarray:
    """Logarithms (M, g) of how probable a variance between splits is with each training luck, but for a constant."""
    expected = np.maximum(by_rows[:, None] + by_luck[:, None] * grid, np.finfo(float).tiny)
    return np.asarray(-degrees / 2 * (np.log(expected) + between[:, None] / expected))


def _posterior(grid: np.ndarray, centre: float, likelihood: np.ndarray) -> np.ndarray:
    distance = (np.log(grid) - centre) / LUCK_SPREAD
    logarithm = likelihood - (LUCK_TAIL + 1) / 2 * np.log1p(distance**2 / LUCK_TAIL)
    weight = np.exp(logarithm - logarithm.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def _independent(contrasts: Contrasts, chosen: np.ndarray) -> float:
    """As how many independent contrasts the chosen ones count, by their correlations over the splits."""
    alike = contrasts.alike[chosen]
    return float(len(chosen) ** 2 / alike.sum()) if alike.sum() > 0 else 1.0


def _degrees_by_rows(by_unit: np.ndarray, first: int, second: int) -> float:
    """Satterthwaite's: twice the squared mean of a variance over the variance that it is estimated with."""
    squares = (by_unit[first] - by_unit[second] if second >= 0 else by_unit[first]) ** 2
    total = float(squares.sum())
    if total == 0:
        return len(squares) - 1.0
    # Equal squares would look certain; a normal luck's sum of squares is as uncertain as its number of units says.
    uncertain = max(float(np.sum(squares**2)) / total**2 - 1 / len(squares), 2 / (len(squares) - 1))
    return 2 / uncertain


def _alikeness(by_split: np.ndarray, size: np.ndarray) -> np.ndarray:
    centred = by_split - by_split.mean(axis=1, keepdims=True)
    length = np.sqrt(np.sum(centred**2, axis=1, keepdims=True))
    direction = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    alike = np.empty(len(size))
    for each in np.unique(size):
        chosen = direction[size == each]
        alike[size == each] = np.einsum("ij,jk,ik->i", chosen, np.einsum("ij,ik->jk", chosen, chosen), chosen)
    return alike

