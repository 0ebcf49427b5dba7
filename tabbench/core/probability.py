"""The floor under predicted probabilities. Knows nothing of what predicts them."""

from __future__ import annotations

import numpy as np

PROBABILITY_FLOOR = 1e-6
"""Keeps every probability inside (0, 1) in float32 too, where 1 - 6e-8 is the last number below one."""


def floored(probabilities: np.ndarray) -> np.ndarray:
    """Raise probabilities (m, classes) to the floor and make the rows sum to one again.

    >>> floored(np.array([[0.0, 1.0]])).round(6).tolist()
    [[1e-06, 0.999999]]
    """
    raised = np.maximum(probabilities, PROBABILITY_FLOOR)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
