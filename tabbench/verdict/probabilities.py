"""How probable it is that one of two approaches is better, or that they are practically equal. Knows no decision."""

from __future__ import annotations

import numpy as np


def correlated_t(
    difference: np.ndarray | float, standard_error: np.ndarray | float, degrees: np.ndarray | float, margin: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that the first is better, that the two are practically equal, that the second is better.

    The posterior of the true difference is Student's t around `difference` = loss(first) - loss(second), with the scale
    `standard_error` (doi:10.1007/s10994-015-5486-z): the masses below -margin, within the margin and above it. Without any
    spread all mass lies on the difference. All arguments are numbers or arrays (M,), and so is what comes back.

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
    return first, np.maximum(1.0 - first - second, 0.0), second
