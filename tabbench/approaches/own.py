"""A user's own scikit-learn estimator or pipeline as an approach: it gets the rows and the labels as they were given."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from tabbench.approaches.identity import Unidentifiable, identity_of
from tabbench.approaches.own_metadata import changed_config, chosen_parameters, fit_parameters, with_group_folds
from tabbench.core.approach import Approach, Settings, TrainingSet, Workload
from tabbench.core.cell import IDENTITY
from tabbench.core.errors import BadOption
from tabbench.core.finding import Incident
from tabbench.core.given import GivenRows
from tabbench.core.parts import Parts
from tabbench.splitting.inner_splits import inner_folds

COST_RANK = 45
"""Costlier than what comes with tabbench, short of the net: of equals the product's own is recommended."""
MEMORY_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
CALIBRATION_FOLDS = 5
"""As in scikit-learn's own calibration."""


def own_approach(name: str, estimator: Any, *, calibrate: bool = False) -> Approach:
    """An approach that fits clones of `estimator`.

    Every `random_state` that is None, nested ones included, is set from the cell's seed. Sample weights and groups are passed on
    where they are taken. A classifier without `predict_proba` ranks rows by its `decision_function` and counts as sure of its
    label, as far as n training rows allow (every other class gets 1 / (n + classes)), or with `calibrate` is calibrated on
    inner folds.

    Raises
    ------
    BadOption
        Not a scikit-learn estimator.
    """
    if isinstance(estimator, type) or not all(hasattr(estimator, each) for each in ("fit", "predict", "get_params")):
        raise BadOption(f"approach {name!r} is no scikit-learn estimator but {type(estimator).__name__}; pass an object with "
                        "fit, predict and get_params")
    return Approach(
        name=name, version=1, family="own", cost_rank=COST_RANK, view="given", summary=type(estimator).__name__,
        settings=partial(_settings, estimator, cache(partial(_identity, estimator)), calibrate),
        fit=partial(_fit_own, name, estimator), restore=None)


def why_unidentified(estimator: Any) -> str | None:
    """Why an estimator can't be compared with that of an earlier call, which is why it is fitted again; None where it can."""
    try:
        identity_of(estimator)
    except Unidentifiable as error:
        return str(error)
    return None


def _settings(estimator: Any, identity: Callable[[], str], calibrate: bool, workload: Workload) -> Settings:
    """The estimator as written and its identity, so that another one makes another cell."""
    try:
        text = estimator.__repr__(N_CHAR_MAX=10**6)
    except TypeError:
        text = repr(estimator)
    kind = type(estimator)
    settings: Settings = {"estimator": f"{kind.__module__}.{kind.__qualname__}", "parameters": MEMORY_ADDRESS.sub("", text),
                          IDENTITY: identity()}
    if calibrate and workload.classes and not hasattr(estimator, "predict_proba"):
        settings["calibrated"] = True
    config = changed_config()
    return settings | ({"sklearn_config": config} if config else {})


def _identity(estimator: Any) -> str:
    try:
        return identity_of(estimator)
    except Unidentifiable:
        return f"of this call only: {uuid.uuid4().hex}"


@dataclass(frozen=True, eq=False)
class FittedOwn:
    """A fitted clone.

    Parameters
    ----------
    labels : ndarray | None
        Of shape (n_classes,), the classes as the estimator knows them; None for numbers.
    config : dict
        Settings of scikit-learn that differ from its defaults.
    """

    name: str
    estimator: Any
    labels: np.ndarray | None
    n_rows: int
    tuned: dict[str, Any] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)

    def predict(self, features: Any) -> np.ndarray:
        """Probabilities (m, n_classes) in the order of the task's classes, or numbers (m,)."""
        X = _handed(features)
        with _configured(self.config):
            if self.labels is None:
                return _as_numbers(self.estimator.predict(X)).reshape(len(X))
            if hasattr(self.estimator, "predict_proba"):
                return _as_numbers(self.estimator.predict_proba(X))[:, self._columns()]
            floor = 1.0 / (self.n_rows + len(self.labels))
            predicted = np.asarray(self.estimator.predict(X)).reshape(-1, 1)
        is_predicted = predicted.astype(object) == self.labels.astype(object)
        return np.where(is_predicted, 1 - floor * (len(self.labels) - 1), floor)

    def ranking(self, features: Any) -> np.ndarray | None:
        """Scores (m, n_classes) that rank rows, of a classifier with a `decision_function` and without probabilities."""
        if self.labels is None or hasattr(self.estimator, "predict_proba") or not hasattr(self.estimator, "decision_function"):
            return None
        with _configured(self.config):
            scores = _as_numbers(self.estimator.decision_function(_handed(features)))
        if scores.ndim == 1:
            scores = np.column_stack([-scores, scores])
        # One against one has a score for each pair of classes, which rank no single one.
        return scores[:, self._columns()] if scores.shape[1] == len(self.labels) else None

    def to_parts(self) -> Parts:
        """An estimator of the user's own has no pickle-free form."""
        raise BadOption(f"approach {self.name!r} is your own estimator and cannot be exported; name a built-in one, or refit "
                        "and save it yourself")

    def _columns(self) -> list[int]:
        assert self.labels is not None
        column = {label: position for position, label in enumerate(np.asarray(self.estimator.classes_).tolist())}
        spelled = {str(label): position for label, position in column.items()}
        return [column[label] if label in column else spelled[str(label)] for label in self.labels.tolist()]


def _handed(features: Any) -> Any:
    return features.X if isinstance(features, GivenRows) else features


def _configured(config: dict[str, Any]) -> Any:
    from sklearn import config_context

    return config_context(**config)


def _as_numbers(predicted: Any) -> np.ndarray:
    """Float64 of what an estimator gives; to drop an imaginary part in silence would be another number."""
    if np.iscomplexobj(predicted):
        raise TypeError("predictions are complex numbers")
    return np.asarray(predicted, dtype=np.float64)


def _fit_own(name: str, estimator: Any, training: TrainingSet) -> FittedOwn:
    from sklearn.base import clone

    config = training.settings.get("sklearn_config", {})
    with _configured(config):
        own = clone(estimator)
        states = [key for key, value in own.get_params(deep=True).items()
                  if value is None and (key == "random_state" or key.endswith("__random_state"))]
        own.set_params(**dict.fromkeys(sorted(states), training.seed))
        X, labels, target = _handed(training.features), *_labelled(training)
        own = with_group_folds(own, X, target, training.group)
        if training.settings.get("calibrated"):
            own = _calibrated(own, training)
        given = fit_parameters(own, weight=training.weight, groups=training.group)
        own.fit(X, target, **given)
    tuned: dict[str, Any] = {} if training.weight is None else {"weighted": any(key.endswith("sample_weight") for key in given)}
    tuned |= chosen_parameters(own)
    if labels is not None and not hasattr(own, "predict_proba"):
        tuned["gives"] = "scores and labels" if hasattr(own, "decision_function") else "labels"
    return FittedOwn(name, own, labels, len(training), tuned, config=config)


def _calibrated(own: Any, training: TrainingSet) -> Any:
    """The classifier with a sigmoid fitted to its scores on inner folds, which keep together what the outer ones do."""
    from sklearn.calibration import CalibratedClassifierCV

    return CalibratedClassifierCV(own, cv=inner_folds(training, CALIBRATION_FOLDS, training.seed), ensemble=False)


def _labelled(training: TrainingSet) -> tuple[np.ndarray | None, Any]:
    """The classes as the estimator will know them (None for numbers), and its target: as given, where that is known."""
    given = training.features.target if isinstance(training.features, GivenRows) else None
    if training.task.is_regression:
        return None, training.target if given is None else given
    if given is None:
        labels = _read_labels(training.task.classes)
        return labels, labels[training.target]
    first = [int(np.flatnonzero(training.target == code)[0]) for code in range(training.task.n_classes)]
    values = np.asarray(given, dtype=object)
    labels = values[first]
    if not (values == labels[training.target]).all():  # rare classes are merged into one
        labels = np.array(training.task.classes, dtype=object)
        return labels, pd.Series(labels[training.target], index=given.index, name=given.name)
    return labels, np.asarray(given) if training.features.is_array else given


def _read_labels(classes: tuple[str, ...]) -> np.ndarray:
    """Whole numbers or numbers where all labels are spelled as such and stay different, else strings."""
    for kind in (np.int64, np.float64):
        try:
            labels = np.array([kind(label) for label in classes])
        except (ValueError, OverflowError):
            continue
        if np.isfinite(labels).all() and len(np.unique(labels)) == len(classes):
            return labels
    return np.array(classes, dtype=object)
