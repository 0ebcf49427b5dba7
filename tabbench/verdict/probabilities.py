"""P(better), P(equivalent) and P(worse) of two approaches, and the rows needed to decide between them.

Knows no approach and no decision.
"""

from __future__ import annotations

import numpy as np

MOST_TIMES_ROWS = 100.0
"""A forecast of more rows than this many times those at hand is no advice."""


def correlated_t(
    difference: np.ndarray | float, standard_error: np.ndarray | float, degrees: np.ndarray | float, margin: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that the first is better, that the two are practically equal, that the second is better.

    The posterior of the true difference is Student's t around `difference` = loss(first) - loss(second), with the scale
    `standard_error` (doi:10.1007/s10994-015-5486-z): the masses below -margin, within the margin and above it. Without any
    spread all mass lies on the difference; an infinite standard error gives NaN. All arguments are numbers or arrays
    (M,), and so is what comes back.

    >>> [round(float(each), 3) for each in correlated_t(0.0, 1.0, 4.0, 1.0)]
    [0.187, 0.626, 0.187]
    """
    from scipy.special import stdtr

    difference, error, degrees, margin = np.broadcast_arrays(*(
        np.asarray(each, dtype=np.float64) for each in (difference, standard_error, degrees, margin)))
    is_spread = error > np.finfo(np.float64).tiny  # dividing by less would overflow
    scale = np.where(is_spread, error, 1.0)
    first = np.where(is_spread, stdtr(degrees, (-margin - difference) / scale), difference < -margin)
    second = np.where(is_spread, stdtr(degrees, (difference - margin) / scale), difference > margin)
    first, second = (np.where(np.isinf(error), np.nan, each) for each in (first, second))
    return first, np.maximum(1.0 - first - second, 0.0), second


def rows_needed(difference: np.ndarray, half_width: np.ndarray, margin: float, rows: int) -> np.ndarray:
    """About how many rows in all are needed to decide what is undecided, if the difference stays as it is.

    Intervals shrink with the root of the rows: either until they exclude zero, or until they lie inside the margin.

    Parameters
    ----------
    difference, half_width : ndarray
        (M,), of simultaneous intervals.
    rows : int
        Those at hand.

    Returns
    -------
    ndarray
        (M,) : 0 where it is decided, NaN where no interval is known, infinite beyond a hundred times the rows.

    >>> rows_needed(np.array([0.1, 0.001, 0.3]), np.array([0.2, 0.02, 0.2]), 0.01, 1000)
    array([4000.        , 4938.27160494,    0.        ])
    """
    size = np.abs(difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_win = np.where(size > 0, half_width / size, np.inf)
        to_equal = np.where(size < margin, half_width / (margin - size), np.inf)
        times = np.minimum(to_win, to_equal) ** 2
    times = np.where(times < 1, 0.0, np.where(times > MOST_TIMES_ROWS, np.inf, times))
    return np.asarray(np.where(np.isfinite(half_width), times * rows, np.nan))
