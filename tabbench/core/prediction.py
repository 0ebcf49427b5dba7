"""Which part of a stored prediction a metric takes: probabilities, or the scores that rank rows where there are any."""

from __future__ import annotations

from typing import overload

import numpy as np

from tabbench.core.metric import Takes
from tabbench.core.task import Task


@overload
def as_taken(prediction: np.ndarray, task: Task, takes: Takes) -> np.ndarray: ...
@overload
def as_taken(prediction: np.ndarray | None, task: Task, takes: Takes) -> np.ndarray | None: ...
def as_taken(prediction: np.ndarray | None, task: Task, takes: Takes) -> np.ndarray | None:
    """Return what a metric takes of a prediction; a classifier without probabilities has left scores (m, C) beside its labels.

    >>> task = Task("binary", ("no", "yes"), "auc", ("auc",))
    >>> both = np.array([[0.99, 0.01, -0.3, 0.3]])
    >>> as_taken(both, task, "probabilities").tolist(), as_taken(both, task, "ranking").tolist()
    ([[0.99, 0.01]], [[-0.3, 0.3]])
    """
    if prediction is None or task.is_regression or prediction.shape[1] == task.n_classes:
        return prediction
    return prediction[:, task.n_classes:] if takes == "ranking" else prediction[:, : task.n_classes]
