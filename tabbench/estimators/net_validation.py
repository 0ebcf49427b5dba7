"""From `eval_set`, `validation_split` and `stopping_metric` to the validation of a guarded net. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tabbench.core.errors import BadData, BadOption
from tabbench.core.metric import METRICS
from tabbench.core.task import Task
from tabbench.options import choice

Criterion = Callable[[np.ndarray, np.ndarray], float]
Positions = list[tuple[np.ndarray, np.ndarray]]


def splits_of(given: Any, X: Any, y: Any, groups: Any) -> Positions:
    """Return the (training, validation) positions of a splitter or an iterable of such pairs.

    Raises
    ------
    BadOption
        It is neither, or one of the parts is empty or reaches beyond the rows.
    """
    try:
        pairs = given.split(X, y, groups) if hasattr(given, "split") else given
        splits = [(np.asarray(train, dtype=np.int64), np.asarray(valid, dtype=np.int64)) for train, valid in pairs]
    except (TypeError, ValueError) as error:
        raise BadOption(f"validation_split must be a splitter or (training, validation) positions, not {given!r}: "
                        f"{error}") from error
    n_rows = len(y)
    for part in (part for split in splits for part in split):
        if not len(part) or part.min() < 0 or part.max() >= n_rows:
            raise BadOption(f"validation_split must give parts that are not empty, with positions from 0 to {n_rows - 1}")
    if not splits:
        raise BadOption("validation_split gives no split")
    return splits


def folds_of_rows(splits: Positions, members: Sequence[np.ndarray], n_rows: int) -> Positions:
    """Return the splits in terms of distinct rows, each of which stands for the `members` rows of X.

    A row that stands for rows of both parts is not validated on.
    """
    folds = []
    for train, valid in splits:
        is_train, is_valid = (np.isin(np.arange(n_rows), part) for part in (train, valid))
        learnt = np.array([is_train[rows].any() for rows in members])
        judged = np.array([is_valid[rows].any() for rows in members]) & ~learnt
        if not learnt.any() or not judged.any():
            raise BadOption("validation_split leaves a part without rows of its own: all of them equal rows of the other part, "
                            "or have no weight")
        folds.append((np.flatnonzero(learnt), np.flatnonzero(judged)))
    return folds


def codes_of(y: Any, classes: np.ndarray) -> np.ndarray:
    """Return the codes of the labels of `eval_set`.

    Raises
    ------
    BadData
        A label does not occur in training.
    """
    labels = np.asarray(y)
    codes = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    if (unknown := classes[codes] != labels).any():
        raise BadData(f"eval_set holds the label {str(labels[unknown][0])!r}, which is not among the training labels; leave its "
                      "rows out")
    return codes.astype(np.int64)


def criterion_of(given: Any, task: Task, target: np.ndarray, classes: np.ndarray | None,
                 weight: np.ndarray | None) -> Criterion | None:
    """Return what judges epochs, lower is better: a metric by its name, or a function of target and prediction.

    Raises
    ------
    BadOption
        There is no such metric for the task.
    """
    if given is None:
        return None
    if callable(given):
        return lambda rows, predicted: _number(given(target[rows] if classes is None else classes[target[rows]], predicted))
    if not isinstance(given, str):
        raise BadOption(f"stopping_metric must be the name of a metric or a function of target and prediction, not {given!r}")
    names = [each.name for each in METRICS if task.kind in each.tasks]
    metric = METRICS.get(choice("stopping_metric", given, names))
    sign = -1.0 if metric.higher_is_better else 1.0
    return lambda rows, predicted: sign * metric.score(target[rows], predicted, None if weight is None else weight[rows])


def _number(given: Any) -> float:
    value = np.asarray(given)
    if value.shape != () or value.dtype.kind not in "fiub":
        raise BadOption(f"stopping_metric must return one number, not {given!r}")
    return float(value)
