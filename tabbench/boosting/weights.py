"""Weights of an ensemble, chosen on predictions for rows that the members did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

PICKS = 25
"""A weight is a multiple of 1/25: finer steps would fit the noise of the held-out rows."""
ROWS_WORTH_OF_EQUALITY = 500
"""With so many held-out rows the choice counts as much as plain equal weights, which few rows rarely beat."""
HOPELESS = 1.1
"""A member whose own loss is this many times the best one's has no share in the equal weights."""
SMALLEST_WEIGHT = 0.5 / PICKS
"""A member with less costs prediction time and moves nothing."""
MOST_ROWS = 20_000
"""Weights are few; more rows than this make them no better."""

LossFunction = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
"""(target, predictions, weight) -> mean loss, an average over rows."""


def choose_weights(predictions: Sequence[np.ndarray], target: np.ndarray, weight: np.ndarray | None,
                   loss: LossFunction) -> list[float]:
    """One weight a member, adding up to one.

    Greedy selection with replacement (doi:10.1145/1015330.1015432), drawn towards equal weights where rows are few.

    Parameters
    ----------
    predictions : Sequence[ndarray]
        One array (v, classes) or (v,) a member.
    target : ndarray
        (v,).
    weight : ndarray | None
        (v,) or None.
    loss : LossFunction
        Positive and defined for any rows, as log loss is and AUC is not.
    """
    step = -(-len(target) // MOST_ROWS)
    candidates = [member[::step] for member in predictions]
    truth, row_weight = target[::step], None if weight is None else weight[::step]
    alone = np.array([loss(truth, candidate, row_weight) for candidate in candidates])
    picks = np.zeros(len(candidates))
    total = np.zeros_like(candidates[0])
    for pick in range(1, PICKS + 1):
        losses = [loss(truth, (total + candidate) / pick, row_weight) for candidate in candidates]
        best = int(np.argmin(losses))
        picks[best] += 1
        total = total + candidates[best]
    is_contender = alone <= HOPELESS * alone.min()
    trust = len(target) / (len(target) + ROWS_WORTH_OF_EQUALITY)
    weights = trust * picks / PICKS + (1.0 - trust) * is_contender / is_contender.sum()
    weights[weights < SMALLEST_WEIGHT] = 0.0
    return [float(each) for each in weights / weights.sum()]
