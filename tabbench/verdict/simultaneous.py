"""The quantile that makes a whole family of intervals hold at once (max-t). Knows neither approaches nor sizes."""

from __future__ import annotations

import numpy as np

DRAWS = 40_000
"""Draws of the largest |t|; their own error in the quantile is about 0.01."""

DRAWS_AT_ONCE = 2_000
"""Draws held in memory at a time: 16 MB for a thousand contrasts."""

LARGEST_SHARED_SHARE = 0.95
"""Correlations are estimates: this much of them is believed, the rest is taken as independent, which widens."""

DIGITS = 6
"""The quantile is rounded far below its own error, so that the last bits of a linear-algebra library never show."""


def simultaneous_quantile(
    covariance: np.ndarray | None, first: np.ndarray, second: np.ndarray, *,
    shared: np.ndarray, degrees: float, alpha: float, seed: int,
) -> float:
    """The 1 - alpha quantile of the largest |t| of M contrasts.

    Each t is a normal variable over a common chi: its part `shared` (M,) follows `covariance` (c, c) of the cells that
    `first` and `second` (M,) point to; the rest, or all without a covariance, is independent, which is the wide side
    (Hothorn, Bretz and Westfall 2008, doi:10.1002/bimj.200810425).

    >>> pair = np.array([0]), np.array([1])
    >>> simultaneous_quantile(np.eye(2), *pair, shared=np.ones(1), degrees=10.0, alpha=0.05, seed=0)
    2.228139
    """
    from scipy.stats import t as student

    if len(first) < 2:
        return round(float(student.ppf(1 - alpha / 2, degrees)), DIGITS)
    random = np.random.default_rng([seed, len(first)])
    factor = None if covariance is None else _factor(covariance)
    part = np.sqrt(LARGEST_SHARED_SHARE * shared) if factor is not None else np.zeros(len(first))
    largest = np.empty(DRAWS)
    for start in range(0, DRAWS, DRAWS_AT_ONCE):
        normal = np.sqrt(1 - part**2) * random.standard_normal((DRAWS_AT_ONCE, len(first)))
        if factor is not None:
            luck = random.standard_normal((DRAWS_AT_ONCE, len(factor))) @ factor.T
            normal += part * _standardised(luck[:, first] - luck[:, second], factor[first] - factor[second])
        chi = np.sqrt(random.chisquare(degrees, DRAWS_AT_ONCE) / degrees)
        largest[start : start + DRAWS_AT_ONCE] = np.abs(normal).max(axis=1) / chi
    return round(float(np.quantile(largest, 1 - alpha)), DIGITS)


def _factor(covariance: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.maximum(np.diag(covariance), np.finfo(float).tiny))
    correlation = covariance / np.outer(scale, scale)
    # The ridge lets approaches that predict the same pass; it is far below what the draws can tell.
    return np.asarray(np.linalg.cholesky(correlation + 1e-8 * np.eye(len(scale)))) * scale[:, None]


def _standardised(luck: np.ndarray, factor: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.sum(factor**2, axis=1))
    return np.asarray(np.divide(luck, length, out=np.zeros_like(luck), where=length > 0))
