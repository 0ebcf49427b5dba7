"""What an approach predicted, checked and with a column for every class of the task."""

from __future__ import annotations

import numpy as np

from tabbench.core.errors import TabbenchError


class UnusablePrediction(TabbenchError):
    """An approach returned something that is no prediction: wrong shape, not finite, not probabilities."""


def complete(raw: np.ndarray, present: np.ndarray | None, n_classes: int, size: int, rows: int) -> np.ndarray:
    """Check what an approach predicted and give every class of the task its column.

    A class unseen in the training prefix gets 1 / (size + classes), the rest shares what is left.

    Raises
    ------
    UnusablePrediction
        Wrong shape, values that are not finite, probabilities outside [0, 1] or not summing to one.
    """
    raw = np.asarray(raw, dtype=np.float64)
    shape = (rows,) if present is None else (rows, len(present))
    if raw.shape != shape:
        raise UnusablePrediction(f"predictions have the shape {raw.shape}, not {shape}")
    if not np.isfinite(raw).all():
        raise UnusablePrediction(f"{int((~np.isfinite(raw)).sum())} predicted values are not finite")
    if present is None:
        if np.abs(raw).max(initial=0.0) > np.finfo(np.float32).max:
            raise UnusablePrediction("a predicted number is larger than float32 can hold")
        return raw
    if raw.min(initial=0.0) < 0 or np.abs(raw.sum(axis=1) - 1).max(initial=0.0) > 1e-3:
        raise UnusablePrediction("predicted probabilities are negative or don't sum to one")
    floor = 1.0 / (size + n_classes)
    everything = np.full((rows, n_classes), floor)
    everything[:, present] = raw * (1.0 - floor * (n_classes - len(present)))
    return everything


def with_ranking(predictions: np.ndarray, scores: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Probabilities (m, C) with the scores that rank rows beside them, (m, 2C); a class unseen in training is ranked last.

    Raises
    ------
    UnusablePrediction
        A score is not finite.
    """
    if scores.shape != (len(predictions), len(present)) or not np.isfinite(scores).all():
        raise UnusablePrediction("the decision function gave scores of another shape, or scores that are not finite")
    largest = np.finfo(np.float32).max
    everything = np.full(predictions.shape, max(scores.min(initial=0.0) - 1, -largest))
    everything[:, present] = np.clip(scores, -largest, largest)
    return np.hstack([predictions, everything])
