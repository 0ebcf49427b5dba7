"""How much the rows before and after a row, in some order, tell of its outcome. Registers no check."""

from __future__ import annotations

import numpy as np

from tabbench.checks.columns import told_share

REACHES = (2, 5, 20, 80)
"""Rows on either side that are averaged: short blocks need few, slow drifts under much noise many."""


def told_by_neighbours(place: np.ndarray, outcomes: np.ndarray) -> float:
    """Share of the variance of outcomes (m, k) that the mean of the neighbours in the order of place (m,) tells.

    The best of four reaches. Without any order it is below 0. Rows of one place are taken in any order, never in the file's.

    >>> round(told_by_neighbours(np.arange(100.0), np.repeat([[0.0], [1.0]], 50, axis=0)), 1)
    1.0
    """
    tied_at_random = np.random.default_rng(len(place)).random(len(place))
    ordered = outcomes[np.lexsort((tied_at_random, place))]
    return max(told_share(ordered, _mean_of_others(ordered, reach)) for reach in REACHES if 2 * reach < len(ordered))


def _mean_of_others(ordered: np.ndarray, reach: int) -> np.ndarray:
    """Mean (m, k) of up to `reach` rows on either side, without the row itself."""
    sums = np.vstack([np.zeros(ordered.shape[1]), np.cumsum(ordered, axis=0)])
    row = np.arange(len(ordered))
    low, high = np.maximum(row - reach, 0), np.minimum(row + reach + 1, len(ordered))
    return np.asarray((sums[high] - sums[low] - ordered) / (high - low - 1)[:, None])
