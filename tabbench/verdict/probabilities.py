"""What a difference and its standard error say in probabilities, and what it would take to settle it. Knows no approach."""

from __future__ import annotations

import numpy as np

MOST_TIMES_ROWS = 100.0
"""A forecast of more rows than this many times those at hand is no advice."""


def correlated_t(difference: np.ndarray, standard_error: np.ndarray, degrees: float, margin: float
                 ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that the first is better by more than the margin, that both are practically equal, that the second is.

    The Bayesian correlated t test (Corani and Benavoli 2015, doi:10.1007/s10994-015-5486-z): with a flat prior the mean
    difference follows Student's t around the one seen, scaled by its standard error, which knows that splits share rows.

    Parameters
    ----------
    difference, standard_error : (M,), loss(first) - loss(second). A standard error of 0 is certainty, an infinite one NaN.

    >>> [round(float(each), 3) for each in correlated_t(np.array(-0.1), np.array(0.05), 14.0, 0.05)]
    [0.833, 0.163, 0.005]
    """
    from scipy.stats import t as student

    difference, standard_error = np.asarray(difference, dtype=np.float64), np.asarray(standard_error, dtype=np.float64)
    is_spread = np.isfinite(standard_error) & (standard_error > 0)
    scale = np.where(is_spread, standard_error, 1.0)
    below = student.cdf((-margin - difference) / scale, degrees)
    above = student.sf((margin - difference) / scale, degrees)
    unknown = ~np.isfinite(standard_error)
    first = np.where(is_spread, below, np.where(unknown, np.nan, difference < -margin))
    second = np.where(is_spread, above, np.where(unknown, np.nan, difference > margin))
    return first, np.where(unknown, np.nan, np.clip(1 - first - second, 0.0, 1.0)), second


def rows_to_settle(difference: np.ndarray, half_width: np.ndarray, margin: float, rows: int) -> np.ndarray:
    """About how many rows in all it would take to decide what is undecided, if the difference stays as it is.

    Intervals shrink with the root of the rows: either until they leave nought, or until they lie inside the margin.

    Parameters
    ----------
    difference, half_width : (M,), of simultaneous intervals.  rows : those at hand.

    Returns
    -------
    (M,) : 0 where it is decided, NaN where no interval is known, infinite beyond a hundred times the rows.

    >>> rows_to_settle(np.array([0.1, 0.001, 0.3]), np.array([0.2, 0.02, 0.2]), 0.01, 1000)
    array([4000.        , 4938.27160494,    0.        ])
    """
    size = np.abs(difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_win = np.where(size > 0, half_width / size, np.inf)
        to_equal = np.where(size < margin, half_width / (margin - size), np.inf)
        times = np.minimum(to_win, to_equal) ** 2
    times = np.where(times <= 1, 0.0, np.where(times > MOST_TIMES_ROWS, np.inf, times))
    return np.asarray(np.where(np.isfinite(half_width), times * rows, np.nan))
