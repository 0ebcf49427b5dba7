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

APPROACH = "mlp"
"""Its nets are of the same kind, so that `tabbench predict` reads them as well."""
ESTIMATOR = "estimator"


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
    described = saved.model.children.get(ESTIMATOR)
    name = None if described is None else described.values["class"]
    if described is None or name != kind.__name__:
        raise BadData(f"{path} holds {'no estimator, but a model of a run' if name is None else f'a {name}'}; "
                      f"{'call tabbench.predict' if name is None else f'call {name}.load'}")
    model = _restored(saved, given.get("module"))
    estimator = kind(**{key: _from_plain(value) for key, value in described.values["parameters"].items()} | dict(given))
    for key, value in described.values["fitted"].items():
        setattr(estimator, key, _from_plain(value))
    estimator.incidents_ = [Incident.from_json(each) for each in estimator.incidents_]
    estimator._columns, estimator._task, estimator._view = saved.columns, saved.task, model.view
    estimator._model = model.model.bare()  # type: ignore[attr-defined]
    return estimator


def _restored(saved: SavedModel, module: Callable[[int, int], Any] | None) -> FittedModel:
    from tabbench.nets.ensemble import restore_fitted

    return restore_model(saved, lambda name: replace(find_approach(name), restore=partial(restore_fitted, module=module)))


def _parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters that are plain values."""
    given = {name: _as_plain(value) for name, value in estimator.get_params(deep=False).items()}
    return {name: value for name, value in given.items() if value is not _UNKNOWN}


def _fitted(estimator: Any) -> dict[str, Any]:
    """Return the public fitted attributes; labels of rows that are no plain values, such as dates, become text."""
    fitted = {name: value for name, value in vars(estimator).items() if name.endswith("_") and not name.startswith("_")}
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
    kind = next(iter(plain.keys() - {"dtype"}))
    if kind == "number":
        return float(plain[kind])
    items = [_from_plain(item) for item in plain[kind]]
    if kind == "array":
        return np.array(items, dtype=np.dtype(plain["dtype"]))
    makers: dict[str, Callable[[Any], Any]] = {
        "list": list, "tuple": tuple, "pairs": dict, "frame": lambda columns: pd.DataFrame(dict(columns))}
    return makers[kind](items)
