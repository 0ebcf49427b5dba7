"""How far intervals must reach to hold all at once (max-t). Knows neither approaches nor sizes."""

from __future__ import annotations

import numpy as np

DRAWS = 40_000
"""Draws of the farthest t; their own error in a quantile is about 0.01."""

DRAWS_AT_ONCE = 2_000
"""Draws held in memory at a time: 16 MB for a thousand contrasts."""

LARGEST_SHARED_SHARE = 0.95
"""Correlations are estimates: this much of them is believed, the rest is taken as luck of unrelated cells, which widens."""

DEGREES_STEP, MOST_DEGREES = 1.25, 1_000.0
"""Degrees of freedom are rounded down to steps, so that contrasts share them; beyond the most, Student's t is the normal."""

DIGITS = 6
"""Quantiles are rounded far below their own error, so that the last bits of a linear-algebra library never show."""


def simultaneous_quantiles(
    covariance: np.ndarray | None, first: np.ndarray, second: np.ndarray, *,
    shared: np.ndarray, degrees: np.ndarray, alpha: float, seed: int,
) -> np.ndarray:
    """How many standard errors (M,) each of M intervals must reach for all to hold at once with 1 - alpha.

    Each t is a normal variable over a chi with its own `degrees` (M,); the larger chis contain the smaller ones. The normals'
    part `shared` (M,) follows `covariance` (c, c) of the cells that `first` and `second` (M,) point to (Hothorn, Bretz and
    Westfall 2008, doi:10.1002/bimj.200810425). Of the rest, or of all without a covariance, nothing more is known. Where every
    cell is compared with every other, cells are taken as independent and of one variance, where their differences reach farthest
    (Tukey and Kramer's procedure; Hayter 1984, doi:10.1214/aos/1176346392). Differences of cells only some of which are compared
    are themselves taken as independent, as differences from one cell of little luck would be. Ts of different degrees are
    compared on the normal scale: few degrees widen a contrast's own interval and no other.

    >>> pair = np.array([0]), np.array([1])
    >>> simultaneous_quantiles(np.eye(2), *pair, shared=np.ones(1), degrees=np.array([10.0]), alpha=0.05, seed=0)
    array([2.228139])
    """
    from scipy.special import stdtrit  # without scipy.stats, which takes half a second to load

    if len(first) < 2:
        return np.asarray(np.round(stdtrit(degrees, 1 - alpha / 2), DIGITS))
    steps, step = np.unique(_rounded_down(degrees), return_inverse=True)
    random = np.random.default_rng([seed, len(first)])
    factor = None if covariance is None else _factor(covariance)
    part = np.sqrt(LARGEST_SHARED_SHARE * shared) if factor is not None else np.zeros(len(first))
    cells, of_cell = np.unique([first, second], return_inverse=True)
    minuend, subtrahend = of_cell.reshape(2, -1)
    is_complete = _all_are_compared(minuend, subtrahend)
    farthest = np.empty(DRAWS)
    for start in range(0, DRAWS, DRAWS_AT_ONCE):
        alone = random.standard_normal((DRAWS_AT_ONCE, len(cells)))
        rest = alone[:, minuend] - alone[:, subtrahend]
        if not is_complete.all():
            rest[:, ~is_complete] = np.sqrt(2) * random.standard_normal((DRAWS_AT_ONCE, int((~is_complete).sum())))
        normal = np.sqrt((1 - part**2) / 2) * rest
        if factor is not None:
            luck = random.standard_normal((DRAWS_AT_ONCE, len(factor))) @ factor.T
            normal += part * _standardised(luck[:, first] - luck[:, second], factor[first] - factor[second])
        largest = np.column_stack([np.abs(normal[:, step == each]).max(axis=1) for each in range(len(steps))])
        squares = np.cumsum(random.chisquare(np.diff(steps, prepend=0.0), (DRAWS_AT_ONCE, len(steps))), axis=1)
        farthest[start : start + DRAWS_AT_ONCE] = _to_normal(largest / np.sqrt(squares / steps), steps).max(axis=1)
    reach = float(np.quantile(farthest, 1 - alpha))
    return np.asarray(np.round(_from_normal(reach, steps)[step], DIGITS))


def _all_are_compared(minuend: np.ndarray, subtrahend: np.ndarray) -> np.ndarray:
    """For each contrast (M,) whether all cells that it is connected with are compared with each other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    cells = int(max(minuend.max(), subtrahend.max())) + 1
    joined = coo_array((np.ones(len(minuend)), (minuend, subtrahend)), shape=(cells, cells))
    part = connected_components(joined, directed=False)[1]
    of_part, pairs = np.bincount(part), np.bincount(part[minuend], minlength=part.max() + 1)
    return np.asarray((pairs == of_part * (of_part - 1) // 2)[part[minuend]])


def _rounded_down(degrees: np.ndarray) -> np.ndarray:
    exponent = np.floor(np.log(np.clip(degrees, 1.0, MOST_DEGREES)) / np.log(DEGREES_STEP) + 1e-9)
    return np.asarray(DEGREES_STEP**exponent)


def _to_normal(t: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """About the standard normal variable that is as rare as Student's t (Wallace 1959).

    Intervals hold at once whatever the scale; how near it is only says how evenly the risk is shared.
    """
    return np.asarray((8 * degrees + 1) / (8 * degrees + 3) * np.sqrt(degrees * np.log1p(t**2 / degrees)))


def _from_normal(normal: float, degrees: np.ndarray) -> np.ndarray:
    scaled = normal * (8 * degrees + 3) / (8 * degrees + 1)
    return np.asarray(np.sqrt(degrees * np.expm1(scaled**2 / degrees)))


def _factor(covariance: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.maximum(np.diag(covariance), np.finfo(float).tiny))
    correlation = covariance / np.outer(scale, scale)
    # The ridge lets approaches that predict the same pass; it is far below what the draws can tell.
    return np.asarray(np.linalg.cholesky(correlation + 1e-8 * np.eye(len(scale)))) * scale[:, None]


def _standardised(luck: np.ndarray, factor: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.sum(factor**2, axis=1))
    return np.asarray(np.divide(luck, length, out=np.zeros_like(luck), where=length > 0))
