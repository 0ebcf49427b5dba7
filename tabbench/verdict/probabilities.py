"""P(better), P(equivalent) and P(worse) of two approaches, and the rows needed to decide between them.

Knows no approach and no decision.
"""

from __future__ import annotations

import numpy as np

MOST_TIMES_ROWS = 100.0
"""A forecast of more rows than this many times those at hand is no advice."""

FOUR_OF_FIVE = 0.84
"""Standard errors beyond the interval at which a difference is found in four of five tries."""

USUAL_DIFFERENCE, MORE_OFTEN_EQUAL = 12.0, 1.5
"""Beyond about so many margins every order of magnitude of a difference is as probable before any is seen, and within the margin
the prior is so many times as dense."""

USUAL_ERROR = 0.8
"""By how many standard errors a difference is off: these are as large as the worst kinds of tables need, most need less. All
three are a compromise between kinds of tables (docs/calibration.md)."""

CELLS_TO_MARGIN, CELLS = 20, 200
"""So many cells reach from no difference to the margin, and so many, ever wider ones, to 9,000 margins."""


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


def shrunk_t(difference: np.ndarray, standard_error: np.ndarray, degrees: np.ndarray, margin: float
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The probabilities of `correlated_t`, for a difference of which small values are the more probable before any is seen.

    Before the run the density of a difference is constant far below `USUAL_DIFFERENCE` margins, falls like 1 / difference far
    above, and is higher within the margin: without that a difference that is large by luck is believed in full.

    >>> [round(float(each[0]), 2) for each in shrunk_t(np.array([-1.5]), np.array([1.0]), np.array([30.0]), 0.5)]
    [0.82, 0.17, 0.01]
    """
    from scipy.special import stdtr

    standard_error = USUAL_ERROR * standard_error
    is_spread = np.isfinite(standard_error) & (standard_error > np.finfo(np.float64).tiny)
    found = np.array(correlated_t(difference, standard_error, degrees, margin))
    if margin == 0 or not is_spread.any():
        return found[0], found[1], found[2]
    edges = margin * _edges_in_margins()
    below = stdtr(degrees[is_spread, None], (edges - difference[is_spread, None]) / standard_error[is_spread, None])
    likelihood = np.diff(below, prepend=0.0, append=1.0)
    middle = np.abs(np.concatenate([edges[:1], (edges[1:] + edges[:-1]) / 2, edges[-1:]])) / margin
    weight = likelihood * np.where(middle < 1, MORE_OFTEN_EQUAL, 1.0) / (1 + middle / USUAL_DIFFERENCE)
    weight /= weight.sum(axis=1, keepdims=True)
    first, second = (weight[:, part].sum(axis=1) for part in _outside_of_margin())
    found[:, is_spread] = first, np.maximum(1 - first - second, 0.0), second
    return found[0], found[1], found[2]


def _edges_in_margins() -> np.ndarray:
    """Edges of cells, symmetric, two of which lie on the margin."""
    steps = np.arange(-CELLS, CELLS + 1) / CELLS_TO_MARGIN
    return np.asarray(np.sinh(steps) / np.sinh(1.0))


def _outside_of_margin() -> tuple[slice, slice]:
    """The cells below and above the margin; one beyond either end counts, too."""
    return slice(0, CELLS - CELLS_TO_MARGIN + 1), slice(CELLS + CELLS_TO_MARGIN + 1, None)


def rows_needed(
    difference: np.ndarray, half_width: np.ndarray, standard_error: np.ndarray, margin: float, rows: int,
) -> np.ndarray:
    """About how many rows in all decide what is undecided, in four of five tries.

    Intervals shrink with the root of the rows: either until they exclude zero, or until they lie inside the margin. An observed
    difference tends to be larger than the true one, so it is shrunk (the positive part of James and Stein's rule).

    Parameters
    ----------
    difference, half_width, standard_error : ndarray
        (M,), of simultaneous intervals.
    rows : int
        Those at hand.

    Returns
    -------
    ndarray
        (M,) : 0 where it is decided, NaN where no interval is known, infinite beyond a hundred times the rows.

    >>> rows_needed(np.array([0.1, 0.0, 0.3]), np.array([0.2, 0.02, 0.2]), np.array([0.05, 0.01, 0.1]), 0.01, 1000).round()
    array([10411.,  8066.,     0.])
    """
    size = np.abs(difference)
    is_decided = (size > half_width) | (size + half_width <= margin)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrunk = np.where(size > standard_error, size - standard_error**2 / size, 0.0)
        reach = half_width + FOUR_OF_FIVE * standard_error
        to_win, to_equal = reach / shrunk, np.where(shrunk < margin, reach / (margin - shrunk), np.inf)
        times = np.maximum(np.fmin(to_win, to_equal) ** 2, 1.0)
    times = np.where(is_decided, 0.0, np.where(times > MOST_TIMES_ROWS, np.inf, times))
    return np.asarray(np.where(np.isfinite(half_width), times * rows, np.nan))
