"""The small models that checks ask, and all that these import of scikit-learn, which takes longer than to read most tables.

A learner is a function of arrays, so that another process can answer for it: `python -m tabbench.checks.learners` imports it
all and answers requests from standard input. Imports nothing else that takes long, knows no check, says nothing to a user.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, Any

import numpy as np

from tabbench.core.garbage import look_seldom

MODULES = ("sklearn.ensemble", "sklearn.tree", "sklearn.neighbors")
"""What the learners import."""


def boosted_trees(fit: np.ndarray, labels: np.ndarray, is_nominal: np.ndarray, asked: np.ndarray, *, is_regression: bool,
                  **settings: Any) -> np.ndarray:
    """Predictions (q,) of numbers or probabilities (q, C) of the classes in the labels (m,) for the rows asked about (q, p)."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    settings["categorical_features"] = is_nominal if is_nominal.any() else None
    if is_regression:
        return np.asarray(HistGradientBoostingRegressor(**settings).fit(fit, labels).predict(asked))
    return np.asarray(HistGradientBoostingClassifier(**settings).fit(fit, labels).predict_proba(asked))


def tree(fit: np.ndarray, outcomes: np.ndarray, asked: np.ndarray, **settings: Any) -> np.ndarray:
    """Predictions (q, k) of one small tree for the rows asked about (q, p)."""
    from sklearn.tree import DecisionTreeRegressor

    model = DecisionTreeRegressor(random_state=0, **settings).fit(fit, outcomes)
    return np.asarray(model.predict(asked)).reshape(-1, outcomes.shape[1])


def neighbours(points: np.ndarray, queries: np.ndarray, *, count: int) -> np.ndarray:
    """Distances and numbers (2, q, count) of the points (m, p) nearest to each of the queries (q, p)."""
    from sklearn.neighbors import NearestNeighbors

    model = NearestNeighbors(n_neighbors=count, algorithm="brute", n_jobs=1).fit(points)
    return np.stack(model.kneighbors(queries))


LEARNERS: dict[str, Callable[..., np.ndarray]] = {each.__name__: each for each in (boosted_trees, tree, neighbours)}


class LearnersHere:
    """Implements `Learners` in this process, when the answer is wanted."""

    def ask(self, name: str, *arrays: np.ndarray, **settings: Any) -> Callable[[], np.ndarray]:
        """Have a learner answer."""
        return partial(LEARNERS[name], *arrays, **settings)


def send(stream: IO[bytes], about: dict[str, Any], arrays: Sequence[np.ndarray]) -> None:
    """Write a message: a line of JSON, then the arrays' bytes."""
    arrays = [np.ascontiguousarray(array) for array in arrays]
    about = about | {"arrays": [[array.dtype.str, array.shape] for array in arrays]}
    stream.write(json.dumps(about).encode() + b"\n")
    for array in arrays:
        stream.write(array.tobytes())
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read a message; raises EOFError where the other side is gone."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    about, arrays = json.loads(line), []
    for dtype, shape in about["arrays"]:
        array = np.empty(shape, dtype)
        read = stream.read(array.nbytes)
        if len(read) < array.nbytes:
            raise EOFError
        array.data.cast("B")[:] = read
        arrays.append(array)
    return about, arrays


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints
    look_seldom()
    for module in MODULES:
        importlib.import_module(module)
    while True:
        try:
            about, arrays = receive(sys.stdin.buffer)
        except EOFError:
            return
        send(answers, {}, [LEARNERS[about["name"]](*arrays, **about["settings"])])


if __name__ == "__main__":
    main()
