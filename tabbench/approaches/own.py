"""A user's own scikit-learn estimator or pipeline as an approach: it gets the raw frame and the labels as they were."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.approach import Approach, Settings, TrainingSet, Workload
from tabbench.core.errors import BadOption
from tabbench.core.finding import Incident
from tabbench.core.parts import Parts

COST_RANK = 45
"""Costlier than what comes with tabbench, short of the net: of equals the product's own is recommended."""
MEMORY_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def own_approach(name: str, estimator: Any) -> Approach:
    """An approach that fits clones of `estimator`.

    Every `random_state` that is None, nested ones included, is set from the cell's seed. Sample weights are passed on where
    `fit` takes them (in a pipeline: the last step's). A classifier without `predict_proba` counts as sure of its label, as far
    as n training rows allow: every other class gets 1 / (n + classes).

    Raises
    ------
    BadOption
        Not a scikit-learn estimator.
    """
    if isinstance(estimator, type) or not all(hasattr(estimator, each) for each in ("fit", "predict", "get_params")):
        raise BadOption(f"approach {name!r} is no scikit-learn estimator but {type(estimator).__name__}; pass an object with "
                        "fit, predict and get_params")
    return Approach(
        name=name, version=1, family="own", cost_rank=COST_RANK, view="raw", summary=type(estimator).__name__,
        settings=partial(_settings, estimator), fit=partial(_fit_own, name, estimator), restore=None)


def _settings(estimator: Any, workload: Workload) -> Settings:
    """The estimator as written, so that another one makes another cell."""
    try:
        text = estimator.__repr__(N_CHAR_MAX=10**6)
    except TypeError:
        text = repr(estimator)
    kind = type(estimator)
    return {"estimator": f"{kind.__module__}.{kind.__qualname__}", "parameters": MEMORY_ADDRESS.sub("", text)}


@dataclass(frozen=True, eq=False)
class FittedOwn:
    """A fitted clone; `labels` (n_classes,) are the classes as the estimator knows them, None for numbers."""

    name: str
    estimator: Any
    labels: np.ndarray | None
    n_rows: int
    tuned: dict[str, Any] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Probabilities (m, n_classes) in the order of the task's classes, or numbers (m,)."""
        if self.labels is None:
            return _as_numbers(self.estimator.predict(features)).reshape(len(features))
        if hasattr(self.estimator, "predict_proba"):
            column = {label: position for position, label in enumerate(self.estimator.classes_)}
            probabilities = _as_numbers(self.estimator.predict_proba(features))
            return probabilities[:, [column[label] for label in self.labels]]
        floor = 1.0 / (self.n_rows + len(self.labels))
        is_predicted = np.asarray(self.estimator.predict(features)).reshape(-1, 1) == self.labels
        return np.where(is_predicted, 1 - floor * (len(self.labels) - 1), floor)

    def to_parts(self) -> Parts:
        """An estimator of the user's own has no pickle-free form."""
        raise BadOption(f"approach {self.name!r} is your own estimator and cannot be exported; name a built-in one, or refit "
                        "and save it yourself")


def _as_numbers(predicted: Any) -> np.ndarray:
    """Float64 of what an estimator gives; to drop an imaginary part in silence would be another number."""
    if np.iscomplexobj(predicted):
        raise TypeError("predictions are complex numbers")
    return np.asarray(predicted, dtype=np.float64)


def _fit_own(name: str, estimator: Any, training: TrainingSet) -> FittedOwn:
    from sklearn.base import clone

    own = clone(estimator)
    states = [key for key, value in own.get_params(deep=True).items()
              if value is None and (key == "random_state" or key.endswith("__random_state"))]
    own.set_params(**dict.fromkeys(sorted(states), training.seed))
    labels = None if training.task.is_regression else _labels(training.task.classes)
    target = training.target if labels is None else labels[training.target]
    weights = {} if training.weight is None else _weight_parameter(own, training.weight)
    own.fit(training.features, target, **weights)
    tuned = {} if training.weight is None else {"weighted": bool(weights)}
    return FittedOwn(name, own, labels, len(training), tuned)


def _labels(classes: tuple[str, ...]) -> np.ndarray:
    """Whole numbers or numbers where all labels are spelled as such and stay different, else strings."""
    for kind in (np.int64, np.float64):
        try:
            labels = np.array([kind(label) for label in classes])
        except (ValueError, OverflowError):
            continue
        if np.isfinite(labels).all() and len(np.unique(labels)) == len(classes):
            return labels
    return np.array(classes, dtype=object)


def _weight_parameter(estimator: Any, weight: np.ndarray) -> dict[str, np.ndarray]:
    """The weights under the name by which the estimator's `fit` takes them; empty if it takes none."""
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    prefix = ""
    while isinstance(estimator, Pipeline):
        step, estimator = estimator.steps[-1]
        prefix += f"{step}__"
    return {f"{prefix}sample_weight": weight} if has_fit_parameter(estimator, "sample_weight") else {}
