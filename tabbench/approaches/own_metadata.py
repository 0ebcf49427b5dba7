"""How sample weights and groups reach a user's own estimator, with scikit-learn's metadata routing and without."""

from __future__ import annotations

from typing import Any

import numpy as np

PLAIN = (type(None), bool, int, float, str)
"""Types of values that JSON has words for."""


def changed_config() -> dict[str, Any]:
    """The settings of scikit-learn in this process that differ from its defaults and can change what an estimator does."""
    import sys

    if "sklearn" not in sys.modules:
        return {}
    from sklearn import get_config

    usual = {"enable_metadata_routing": False, "transform_output": "default", "array_api_dispatch": False, "assume_finite": False,
             "skip_parameter_validation": False}
    now = get_config()
    return {name: now[name] for name, value in usual.items() if name in now and now[name] != value}


def fit_parameters(estimator: Any, *, weight: np.ndarray | None, groups: np.ndarray | None) -> dict[str, np.ndarray]:
    """What `fit` is given besides X and y: of weights and groups those that it takes, under the names by which it does."""
    from sklearn import get_config

    metadata = {name: values for name, values in (("sample_weight", weight), ("groups", groups)) if values is not None}
    if not metadata:
        return {}
    if get_config()["enable_metadata_routing"] and hasattr(estimator, "get_metadata_routing"):
        return {name: values for name, values in metadata.items() if name in _consumed(estimator, set(metadata))}
    names = {name: _parameter(estimator, name) for name in metadata}
    return {parameter: metadata[name] for name, parameter in names.items() if parameter is not None}


def with_group_folds(estimator: Any, X: Any, y: Any, groups: np.ndarray | None) -> Any:
    """The estimator with every splitter that asks for groups replaced by its folds of these rows.

    That needs no routing, and reaches a search that is the last step of a pipeline, whose steps keep the rows. Where routing is
    on, groups are routed.
    """
    from sklearn import get_config

    if groups is None or get_config()["enable_metadata_routing"]:
        return estimator
    inner, prefix = _last_step(estimator)
    splitter: Any = getattr(inner, "cv", None)
    if hasattr(splitter, "get_metadata_routing") and splitter.get_metadata_routing().split.requests.get("groups"):
        estimator.set_params(**{f"{prefix}cv": list(splitter.split(X, y, groups))})
    return estimator


def chosen_parameters(estimator: Any) -> dict[str, Any]:
    """What a search, which may be the last step of a pipeline, has chosen, as plain values or as spelled; {} of any other."""
    found = getattr(_last_step(estimator)[0], "best_params_", {})
    values = {name: value.item() if isinstance(value, np.generic) else value for name, value in found.items()}
    return {name: value if isinstance(value, PLAIN) and value not in (np.inf, -np.inf) else repr(value)
            for name, value in values.items()}


def _consumed(estimator: Any, names: set[str]) -> set[str]:
    from sklearn.utils.metadata_routing import get_routing_for_object

    found: set[str] = set(get_routing_for_object(estimator).consumes("fit", names))
    return found


def _parameter(estimator: Any, name: str) -> str | None:
    """The name by which `fit` takes weights or groups, through pipelines and searches; None if it takes none."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection._search import BaseSearchCV
    from sklearn.utils.validation import has_fit_parameter

    inner, prefix = _last_step(estimator)
    if has_fit_parameter(inner, name):
        return f"{prefix}{name}"
    # These hand what else they are given to what is inside.
    wrapped = inner.estimator if isinstance(inner, BaseSearchCV) else inner.regressor if isinstance(
        inner, TransformedTargetRegressor) else None
    below = None if wrapped is None or name == "groups" else _parameter(wrapped, name)
    return None if below is None else prefix + below


def _last_step(estimator: Any) -> tuple[Any, str]:
    """What a pipeline ends in, however deep, and the prefix of its parameters."""
    from sklearn.pipeline import Pipeline

    prefix = ""
    while isinstance(estimator, Pipeline):
        step, estimator = estimator.steps[-1]
        prefix += f"{step}__"
    return estimator, prefix
