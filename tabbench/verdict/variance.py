"""How far a mean difference may be off: the two-component variance, its components pooled over everything measured.

Two kinds of luck move the mean over the splits: which rows were tested (seen in the row-level losses) and which rows
were trained on (what is left between splits). Knows no decision and no quantile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.verdict.evidence import Evidence

NEGLIGIBLE = 1e-12
"""A difference whose variance is this share of its parts' variances is rounding: the two predict the same."""

SHARED_LUCK = 0.5
"""Correlation between a row's luck when it is tested and its luck when others are trained on it. A row that suits an approach
suits it both ways, which splits cannot show, since none does both with it. By simulation it is about 0 for least squares and
0.5 for small trees under AUC."""


@dataclass(frozen=True, eq=False)
class RowMoments:
    """What row-level losses say about every cell at once, so that any contrast is a quadratic form.

    `mean_of` (c, c): covariances of the cells' means over all splits, from which units were tested. `split_of` (c, c): the
    same for the mean of a single split, averaged over splits, between cells of one size.
    """

    mean_of: np.ndarray
    split_of: np.ndarray


@dataclass(frozen=True, eq=False)
class Contrasts:
    """M differences of losses between two cells, or single cells (`second` is -1).

    Parameters
    ----------
    first, second : int64 (M,), positions of the cells.  size : int64 (M,).
    difference : (M,) mean over splits.  between : (M,) variance between splits, NaN for one split.
    between_by_rows : (M,) what the tested rows alone contribute to `between` in expectation.
    mean_by_rows : (M,) variance of `difference` that the tested rows cause, NaN without row-level losses.
    alike : (M,) sum of squared correlations between this and all contrasts over the splits, 1..M.
    """

    first: np.ndarray
    second: np.ndarray
    size: np.ndarray
    difference: np.ndarray
    between: np.ndarray
    between_by_rows: np.ndarray
    mean_by_rows: np.ndarray
    alike: np.ndarray


@dataclass(frozen=True, eq=False)
class Spread:
    """Standard errors (M,) of contrasts, their common degrees of freedom, and the share (M,) of their variance that the
    tested rows cause. An infinite standard error means that nothing can be said."""

    standard_error: np.ndarray
    degrees: float
    row_share: np.ndarray


def row_moments(evidence: Evidence, cells: Sequence[tuple[str, int]], *, are_compared: bool = True) -> RowMoments | None:
    """Row-level covariances of all cells, clustered by unit; None where there are no row-level losses or fewer than two units.

    A unit that is tested in several repeats counts once, with its losses averaged. Cells that are not compared with each
    other need only their variances, which is quicker.
    """
    units, unit = np.unique(evidence.unit, return_inverse=True)
    if not all(cell in evidence.row_loss for cell in cells) or len(units) < 2:
        return None
    splits, split = evidence.n_splits, evidence.split
    weight = np.ones(len(split)) if evidence.weight is None else np.asarray(evidence.weight, dtype=np.float64)
    share = weight / np.bincount(split, weights=weight)[split]
    places, place = np.unique(split * len(units) + unit, return_inverse=True)
    split_of_place = places // len(units)
    tested = np.bincount(split_of_place, minlength=splits)
    # A split with a single unit shows no spread of its own; all that lies between splits is then laid to training luck.
    scale = np.sqrt(np.where(tested > 1, tested / np.maximum(tested - 1, 1), 0.0) / splits)[split_of_place]
    of_mean, of_split = np.empty((len(cells), len(units))), np.empty((len(cells), len(places)))
    for position, cell in enumerate(cells):
        loss = evidence.row_loss[cell].astype(np.float64)
        mean_of_split = np.bincount(split, weights=share * loss)
        of_mean[position] = np.bincount(unit, weights=share * (loss - mean_of_split.mean())) / splits
        of_split[position] = np.bincount(place, weights=share * (loss - mean_of_split[split])) * scale
    size = np.array([size for _, size in cells]) if are_compared else np.arange(len(cells))
    mean_of = _blockwise_products(of_mean, np.zeros(len(cells)) if are_compared else size)
    return RowMoments(mean_of * len(units) / (len(units) - 1), _blockwise_products(of_split, size))


def make_contrasts(
    evidence: Evidence, cells: Sequence[tuple[str, int]], moments: RowMoments | None, pairs: Sequence[tuple[int, int]],
) -> Contrasts:
    """The contrasts between cells given by position; (a, -1) is cell a alone."""
    first, second = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    loss = np.vstack([*(evidence.loss[cell] for cell in cells), np.zeros(evidence.n_splits)])
    by_split = loss[first] - loss[second]
    splits = evidence.n_splits
    between = by_split.var(axis=1, ddof=1) if splits > 1 else np.full(len(pairs), np.nan)
    mean_by_rows = np.full(len(pairs), np.nan)
    between_by_rows = np.zeros(len(pairs))
    if moments is not None:
        mean_by_rows = _quadratic(moments.mean_of, first, second)
        if splits > 1:
            of_split = _quadratic(moments.split_of, first, second)
            between_by_rows = np.maximum(of_split - mean_by_rows, 0.0) * splits / (splits - 1)
    return Contrasts(first, second, np.array([cells[each][1] for each in first]), by_split.mean(axis=1), between, between_by_rows,
                     mean_by_rows, _alikeness(by_split))


def spread(evidence: Evidence, contrasts: Contrasts) -> Spread:
    """Standard errors of the contrasts.

    Up to half of the rows the variance has two components, `t = a2 (1/J + r/(1-r))` and v, and their covariance
    (`SHARED_LUCK`): r is the overlap of the training rows, v the variance by tested rows, and a2 what lies between the splits
    beyond what tested rows explain. Above half there is nearly one training set, and t, a small difference times r/(1-r), is
    mostly noise: there the variance is Nadeau and Bengio's `s2 (1/J + test/train)` (doi:10.1023/A:1024068626366), but at
    least v. On mirror twins of trees and boosting that is as safe as the larger of both, and up to a sixth narrower. The
    variance between splits is moderated: drawn towards what the other contrasts show at this size (`_moderated`).

    With one split only the tested rows' luck is seen: nothing is known about another training set. With neither
    row-level losses nor a second split nothing can be said.
    """
    splits, has_rows = evidence.n_splits, not np.isnan(contrasts.mean_by_rows).any()
    count = len(contrasts.first)
    if splits < 2:
        error = np.sqrt(contrasts.mean_by_rows) if has_rows else np.full(count, np.inf)
        return Spread(error, _units(evidence) - 1.0, np.ones(count))
    own = splits - 1.0
    if not has_rows:
        return Spread(np.sqrt(contrasts.between * (1 / splits + evidence.test_ratio)), own, np.zeros(count))
    between, degrees = _moderated(contrasts, own)
    overlap = np.array([evidence.overlap[int(size)] for size in contrasts.size])
    training = np.maximum(between - contrasts.between_by_rows, 0.0) * (1 / splits + overlap / (1 - overlap))
    variance = contrasts.mean_by_rows + training
    covariance = 2 * SHARED_LUCK * np.sqrt(contrasts.mean_by_rows * training)
    is_large = contrasts.size > evidence.pool_rows / 2
    nadeau_bengio = between * (1 / splits + evidence.test_ratio)
    variance = np.where(is_large, np.maximum(contrasts.mean_by_rows, nadeau_bengio), variance + covariance)
    share = np.divide(contrasts.mean_by_rows, variance, out=np.ones(count), where=variance > 0)
    return Spread(np.sqrt(variance), min(degrees, _units(evidence) - 1.0), share)


def _moderated(contrasts: Contrasts, own: float) -> tuple[np.ndarray, float]:
    """Variance between splits, each contrast's own drawn towards the common one, and the degrees of freedom it then has.

    What is common is the ratio to the part by tested rows, 1 without training luck, falling as the size grows. How
    strongly it counts is estimated from how much the ratios differ (Smyth 2004, doi:10.2202/1544-6115.1027), with as many
    independent contrasts as their correlations leave.
    """
    usable = (contrasts.between > 0) & (contrasts.between_by_rows > 0)
    if usable.sum() < 2:
        return contrasts.between, own
    ratio = np.divide(contrasts.between, contrasts.between_by_rows, out=np.zeros(len(usable)), where=usable)
    common = _falling_mean(contrasts.size, ratio, usable)
    correlation = contrasts.alike[usable].sum()
    count = float(usable.sum())
    independent = count**2 / correlation
    prior = min(_prior_degrees(np.log(ratio[usable] / common[usable]), correlation, own), own * (independent - 1))
    pooled = (prior * common * contrasts.between_by_rows + own * contrasts.between) / (prior + own)
    return np.where(usable, pooled, contrasts.between), prior + own


def _falling_mean(size: np.ndarray, ratio: np.ndarray, usable: np.ndarray) -> np.ndarray:
    from scipy.optimize import isotonic_regression

    sizes, position = np.unique(size, return_inverse=True)
    count = np.bincount(position, weights=usable)
    mean = np.divide(np.bincount(position, weights=ratio * usable), count, out=np.ones(len(sizes)), where=count > 0)
    fitted = isotonic_regression(mean, weights=np.maximum(count, NEGLIGIBLE), increasing=False).x
    return np.asarray(np.maximum(fitted, 1.0)[position])


def _prior_degrees(log_ratio: np.ndarray, correlation: float, own: float) -> float:
    from scipy.optimize import brentq
    from scipy.special import polygamma

    count = len(log_ratio)
    mean_correlation = (correlation - count) / (count * (count - 1))
    # Correlated contrasts differ less than independent ones would.
    seen = float(np.var(log_ratio, ddof=1)) / max(1 - mean_correlation, NEGLIGIBLE)
    excess = seen - float(polygamma(1, own / 2))
    lowest, highest = 1e-3, 1e6
    if excess <= float(polygamma(1, highest)):
        return 2 * highest
    if excess >= float(polygamma(1, lowest)):
        return 2 * lowest
    root: Any = brentq(lambda half: float(polygamma(1, half)) - excess, lowest, highest)
    return 2 * float(root)


def _blockwise_products(rows: np.ndarray, block: np.ndarray) -> np.ndarray:
    # einsum, not BLAS: its sums don't depend on the number of threads. Sizes are compared only within themselves.
    products = np.zeros((len(rows), len(rows)))
    for each in np.unique(block):
        chosen = np.flatnonzero(block == each)
        products[np.ix_(chosen, chosen)] = np.einsum("iu,ju->ij", rows[chosen], rows[chosen])
    return products


def _quadratic(covariance: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    padded = np.zeros((len(covariance) + 1, len(covariance) + 1))
    padded[:-1, :-1] = covariance
    parts = padded[first, first] + padded[second, second]
    variance = parts - 2 * padded[first, second]
    return np.where(variance > NEGLIGIBLE * parts, variance, 0.0)


def _alikeness(by_split: np.ndarray) -> np.ndarray:
    centred = by_split - by_split.mean(axis=1, keepdims=True)
    length = np.sqrt(np.sum(centred**2, axis=1, keepdims=True))
    direction = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    common = np.einsum("ij,ik->jk", direction, direction)
    return np.asarray(np.einsum("ij,jk,ik->i", direction, common, direction))


def _units(evidence: Evidence) -> int:
    return max(len(np.unique(evidence.unit)), 2)
