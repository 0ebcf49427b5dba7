"""Small tables for the checks."""

import numpy as np
import pandas as pd
import pytest

from tabbench.core.check import CheckedTable
from tabbench.core.table import Column, Table
from tabbench.core.task import Task


def column_of(name, series):
    if isinstance(series.dtype, pd.CategoricalDtype):
        return Column(name, "category", tuple(series.cat.categories))
    if pd.api.types.is_datetime64_any_dtype(series):
        return Column(name, "date")
    return Column(name, "boolean" if isinstance(series.dtype, pd.BooleanDtype) else "number")


def build_checked(features, target, kind="binary", rows=None, **roles):
    """A table of these columns; strings become categories, equal rows ties."""
    frame = pd.DataFrame(features)
    for name in frame:
        if pd.api.types.is_string_dtype(frame[name]) and not isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype("category")
    target = np.asarray(target, dtype=float if kind == "regression" else int)
    n_classes = 0 if kind == "regression" else int(target.max()) + 1
    tie = pd.util.hash_pandas_object(frame.assign(target_=target), index=False).to_numpy()
    table = Table("t", frame, tuple(column_of(name, frame[name]) for name in frame), pd.Series(target), "outcome", True,
                  np.arange(len(frame)) if rows is None else rows, tie, "f", **roles)
    return CheckedTable(table, Task(kind, tuple(f"c{code}" for code in range(n_classes)), "m", ("m",)), target)


@pytest.fixture(scope="session")
def checked_of():
    return build_checked


@pytest.fixture(scope="session")
def clean():
    """Function of rows, kind and seed: an honest table of mixed columns, gaps included, that explain part of the target."""
    def build(rows=600, kind="binary", seed=0, **extra):
        rng = np.random.default_rng(seed)
        signal, noise = rng.normal(size=rows), rng.normal(size=rows)
        level = rng.integers(0, 6, size=rows)
        score = signal + 0.3 * level + noise
        gappy = np.where(rng.random(rows) < 0.2, np.nan, signal + rng.normal(size=rows))
        target = score if kind == "regression" else np.digitize(score, [0.7] if kind == "binary" else [0.0, 1.5])
        features = {"signal": signal, "gappy": gappy, "level": np.array(list("abcdef"))[level], "age": rng.integers(18, 90, rows),
                    "flag": pd.array(rng.random(rows) < 0.4, dtype="boolean")}
        return features | {name: make(rng, target) for name, make in extra.items()}, target

    return build
