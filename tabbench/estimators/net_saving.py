"""A fitted guarded net as a saved model, like those of a run, and back. What no file can hold is left out; nothing is pickled."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabbench.approaches.composed import find_approach
from tabbench.core.errors import BadData
from tabbench.core.finding import Incident
from tabbench.core.parts import Parts
from tabbench.core.versions import versions
from tabbench.model import FittedModel, SavedModel, load_model, restore_model, save_model
from tabbench.model.predicting import parts_suspected

APPROACH = "mlp"
"""Its nets are of the same kind, so that `tabbench predict` reads them as well."""
ESTIMATOR = "estimator"
FITTED: dict[str, Any] = {
    "batch_size_": int, "best_epoch_": int, "best_loss_": float | int, "classes_": np.ndarray, "feature_names_in_": np.ndarray,
    "guard_overhead_": float | int, "hidden_sizes_": tuple | None, "history_": pd.DataFrame, "incidents_": list,
    "learning_rate_": float | int | None, "n_epochs_": int, "n_features_in_": int, "n_iter_": int, "n_rollbacks_": int,
    "quarantined_rows_": list, "rates_tried_": pd.DataFrame | None}
"""The fitted attributes that a file holds, and what they are; it can set no other one."""
OPTIONAL = frozenset({"classes_", "feature_names_in_", "learning_rate_"})
"""Those that not every fitted estimator has."""


def save_net(path: str | Path, estimator: Any) -> Path:
    """Write a fitted estimator and return the path: a single file if the name has a suffix, else a folder.

    Raises
    ------
    BadOption
        Something else is in the way, or the place cannot be written.
    """
    parts = estimator._model.to_parts()
    columns, task = estimator._columns, estimator._task
    about = {"table": "X", "target": "y", "metric": task.metric, "identifiers": [], "versions": versions()}
    described = Parts({"class": type(estimator).__name__, "parameters": _parameters(estimator), "fitted": _fitted(estimator)})
    return save_model(path, SavedModel(
        APPROACH, find_approach(APPROACH).version, task, columns, "net", estimator._view.to_parts(),
        replace(parts, children={**parts.children, ESTIMATOR: described}), about))


def load_net(path: str | Path, kind: type, given: Mapping[str, Any]) -> Any:
    """Return the estimator of a class that `save_net` wrote, with parameters that are `given` in place of the saved ones.

    Raises
    ------
    BadData
        There is no such model, or it is damaged.
    BadOption
        Its architecture is the user's own, and `module` does not make it.
    """
    saved = load_model(path)
    described = _description(path, saved, kind)
    model, estimator = _restored(saved, given.get("module")), kind(**given)
    with parts_suspected(kind.__name__):
        _fill(estimator, described, given)
        estimator._columns, estimator._task, estimator._view = saved.columns, saved.task, model.view
        estimator._model = model.model.bare()  # type: ignore[attr-defined]
        _require_classes(estimator)
    return estimator


def _description(path: str | Path, saved: SavedModel, kind: type) -> dict[str, Any]:
    """Return what is saved of an estimator of this class, besides its nets."""
    if ESTIMATOR not in saved.model.children:
        raise BadData(f"{path} holds no estimator, but a model of a run; call tabbench.predict")
    described = saved.model.children[ESTIMATOR].values
    with parts_suspected(kind.__name__):
        name = described["class"]
    if name != kind.__name__:
        raise BadData(f"{path} holds a {name}; call {name}.load")
    return described


def _fill(estimator: Any, saved: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Set parameters and fitted attributes, and nothing else that a file may name."""
    parameters, fitted = ({name: _from_plain(value) for name, value in saved[part].items()} for part in ("parameters", "fitted"))
    if not parameters.keys() <= estimator.get_params(deep=False).keys() or FITTED.keys() - fitted.keys() - OPTIONAL:
        raise ValueError("parameters that it does not have, or too few attributes")
    if not all(isinstance(value, FITTED[name]) for name, value in fitted.items()):
        raise TypeError("attributes that are something else")
    for name, value in (parameters | dict(given) | fitted).items():
        setattr(estimator, name, value)
    estimator.incidents_ = [Incident.from_json(each) for each in estimator.incidents_]


def _require_classes(estimator: Any) -> None:
    labels = getattr(estimator, "classes_", ())
    if np.shape(labels) != np.shape(estimator._task.classes):
        raise ValueError("labels that are not those of the task")


def _restored(saved: SavedModel, module: Callable[[int, int], Any] | None) -> FittedModel:
    from tabbench.nets.ensemble import restore_fitted

    return restore_model(saved, lambda name: replace(find_approach(name), restore=partial(restore_fitted, module=module)))


def _parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters that are plain values."""
    given = {name: _as_plain(value) for name, value in estimator.get_params(deep=False).items()}
    return {name: value for name, value in given.items() if value is not _UNKNOWN}


def _fitted(estimator: Any) -> dict[str, Any]:
    """Return the public fitted attributes; labels of rows that are no plain values, such as dates, become text."""
    fitted = {name: value for name, value in vars(estimator).items() if name in FITTED}
    fitted["incidents_"] = [each.to_json() for each in fitted["incidents_"]]
    return {name: _as_plain(value, of_others=str) for name, value in fitted.items()}


_UNKNOWN = object()


def _as_plain(value: Any, of_others: Callable[[Any], Any] = lambda _: _UNKNOWN) -> Any:
    """Return a value as JSON that `_from_plain` reads; what is none becomes what `of_others` says."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"number": str(value)}
    named = _named(value)
    if named is None:
        return of_others(value)
    kind, items = named
    plain = [_as_plain(item, of_others) for item in items]
    if any(item is _UNKNOWN for item in plain):
        return _UNKNOWN
    return {kind: plain, "dtype": value.dtype.str} if kind == "array" else {kind: plain}


def _named(value: Any) -> tuple[str, list[Any]] | None:
    """Return the kind of a collection and its items."""
    if isinstance(value, pd.DataFrame):
        return "frame", [[name, value[name].tolist()] for name in value]
    if isinstance(value, np.ndarray):
        return ("array", value.tolist()) if value.ndim == 1 else None
    if isinstance(value, dict):
        return "pairs", [[key, item] for key, item in value.items()]
    return (type(value).__name__, list(value)) if type(value) in (list, tuple) else None


def _from_plain(plain: Any) -> Any:
    """Return the value that `_as_plain` wrote."""
    if not isinstance(plain, dict):
        return plain
    kind, = plain.keys() - {"dtype"}
    if kind == "number":
        return float(plain[kind])
    items = [_from_plain(item) for item in plain[kind]]
    if kind == "array":
        return np.array(items, dtype=np.dtype(plain["dtype"]))
    makers: dict[str, Callable[[Any], Any]] = {
        "list": list, "tuple": tuple, "pairs": dict, "frame": lambda columns: pd.DataFrame(dict(columns))}
    return makers[kind](items)
