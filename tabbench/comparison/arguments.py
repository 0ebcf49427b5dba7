"""What `compare` takes by scikit-learn's habits, as the table, the options and the splits that it is made of.

`compare(X, y, groups=…, sample_weight=…)` becomes a frame with columns for these; `cv`, `scoring`, `random_state` and `n_jobs`
are other names of options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.errors import BadData, BadOption
from tabbench.core.frames import as_arrow_table, as_frame, is_foreign_frame
from tabbench.execution.machine import usable_cores
from tabbench.metrics.own import adopted
from tabbench.reading.source import NamedTable

ALIASES = {"scoring": "metric", "random_state": "seed", "n_jobs": "jobs"}
"""Name in scikit-learn -> name of the option."""
ROLES = {"groups": "group", "sample_weight": "weight"}
"""Argument that holds one value a row, or names a column -> option that names a column."""


def settled(data: Any, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any], Any]:
    """Return the table, the options and the splits (positions, a splitter, or None).

    Raises
    ------
    BadOption
        Two names of one option are given, or what cannot be used.
    BadData
        X, y, groups and sample_weight do not have the same number of rows.
    """
    options = dict(given)
    splits = _splits(options)
    for alias, name in ALIASES.items():
        _rename(options, alias, name)
    data, options = _one_table(data, options)
    options["test"] = readable(options["test"])
    options["jobs"] = _jobs(options["jobs"])
    options["seed"] = _seed(options["seed"])
    options["metric"] = adopted(options["metric"])
    return data, options, splits


def _rename(options: dict[str, Any], alias: str, name: str) -> None:
    value = options.pop(alias)
    if value is None:
        return
    if options[name] is not None and not (name == "seed" and options[name] == 0):
        raise BadOption(f"{alias} and {name} are two names of the same option; give one of them")
    options[name] = value


def _splits(options: dict[str, Any]) -> Any:
    """Take `splits` and `cv` out of the options; a number of folds becomes `folds`."""
    splits, cv = options.pop("splits"), options.pop("cv")
    if splits is not None and cv is not None:
        raise BadOption("cv and splits both say how to split; give one of them")
    splits = cv if splits is None else splits
    if isinstance(splits, int | np.integer) and not isinstance(splits, bool):
        options["folds"] = int(splits)
        return None
    if splits is None:
        return None
    from sklearn.model_selection import PredefinedSplit  # only here, as the command needs no splitter

    if isinstance(splits, PredefinedSplit):  # knows the rows as given
        splits = splits.split()
    if hasattr(splits, "split") and not isinstance(splits, str):
        return splits
    try:
        return [(train, test) for train, test in splits]
    except (TypeError, ValueError) as error:
        raise BadOption("splits must hold pairs of training and test positions, or be a splitter such as KFold(5), "
                        f"not {splits!r:.80}") from error


def _one_table(data: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Join X, y and one value a row of groups and weights to one frame; columns that are named stay names."""
    columns = {name: options.pop(name) for name in ROLES}
    for name in [name for name, values in columns.items() if values is None or isinstance(values, str)]:
        _rename(options | {name: columns[name]}, name, ROLES[name])
        options[ROLES[name]] = columns.pop(name) or options[ROLES[name]]
    is_named = options["target"] is None or isinstance(options["target"], str)
    if is_named and not columns:
        return readable(data), options
    frame = as_frame(data)
    if not is_named:
        frame, options["target"] = _with_column(frame, "y", options["target"])
    for name, values in columns.items():
        if options[ROLES[name]] is not None:
            raise BadOption(f"{name} and {ROLES[name]} are two names of the same option; give one of them")
        frame, options[ROLES[name]] = _with_column(frame, name, values)
    return frame, options


def readable(data: Any) -> Any:
    """Return a frame of another library than pandas and polars as a table that can be read; anything else as it is."""
    if hasattr(data, "to_arrow") or not is_foreign_frame(data):
        return data
    return NamedTable("frame", as_arrow_table(data), f"{type(data).__module__.split('.')[0]} frame")


def _with_column(frame: pd.DataFrame, name: str, values: Any) -> tuple[pd.DataFrame, str]:
    """Add a column by position, under the values' own name or `name`, made unique."""
    column = as_frame(values)
    if column.shape[1] != 1:
        raise BadData(f"{name} has {column.shape[1]} columns where one is needed; compare them one at a time")
    if len(column) != len(frame):
        raise BadData(f"{name} has {len(column):,} rows and X has {len(frame):,}; give as many of both")
    wanted = str(getattr(values, "name", None) or name)
    while wanted in map(str, frame.columns):
        wanted += "_"
    return frame.assign(**{wanted: column.iloc[:, 0].set_axis(frame.index)}), wanted


def _jobs(given: Any) -> Any:
    """Return the number of jobs; as in joblib, -1 is the number of cores, -2 one less."""
    if isinstance(given, int | np.integer) and not isinstance(given, bool) and given < 0:
        return max(usable_cores() + 1 + int(given), 1)
    return given


def _seed(given: Any) -> Any:
    """Return the seed; a random state draws one."""
    if isinstance(given, np.random.RandomState):
        return int(given.randint(2**31 - 1))
    return int(given.integers(2**31 - 1)) if isinstance(given, np.random.Generator) else given
