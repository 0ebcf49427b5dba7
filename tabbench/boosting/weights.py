"""Weights of an ensemble, chosen on predictions for rows that the members did not learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tabbench.boosting.objective import Objective

PICKS = 20
"""A weight is a multiple of 1/20: finer steps would fit the noise of the held-out rows."""
ROWS_WORTH_OF_EQUALITY = 500
"""With so many held-out rows the choice counts as much as plain equal weights, which few rows rarely beat."""
SMALLEST_WEIGHT = 0.5 / PICKS
"""A member with less costs prediction time and moves nothing."""
MOST_ROWS = 20_000
"""Weights are few; more rows than this make them no better."""


def choose_weights(predictions: Sequence[np.ndarray], target: np.ndarray, weight: np.ndarray | None,
                   objective: Objective) -> list[float]:
    """One weight a member, adding up to one.

    Greedy selection with replacement (doi:10.1145/1015330.1015432), drawn towards equal weights where rows are few.

    Parameters
    ----------
    predictions : one array (v, classes) or (v,) a member.
    target : (v,).  weight : (v,) or None.
    """
    step = -(-len(target) // MOST_ROWS)
    candidates = [member[::step] for member in predictions]
    truth, row_weight = target[::step], None if weight is None else weight[::step]
    picks = np.zeros(len(candidates))
    total = np.zeros_like(candidates[0])
    for pick in range(1, PICKS + 1):
        losses = [objective.loss(truth, (total + candidate) / pick, row_weight) for candidate in candidates]
        best = int(np.argmin(losses))
        picks[best] += 1
        total = total + candidates[best]
    trust = len(target) / (len(target) + ROWS_WORTH_OF_EQUALITY)
    weights = trust * picks / PICKS + (1.0 - trust) / len(candidates)
    weights[weights < SMALLEST_WEIGHT] = 0.0
    return [float(weight) for weight in weights / weights.sum()]
