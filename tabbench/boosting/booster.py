"""What the two libraries have in common: the rows they learn from, their configurations, and a booster that grows by rounds.

Imports neither library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tabbench.boosting.objective import Objective
from tabbench.core.matrices import TreeMatrix

Fold = tuple[np.ndarray, np.ndarray]
"""Positions (fit, validation)."""


@dataclass(frozen=True, eq=False)
class LearningRows:
    """Rows to learn from: codes or a standardised target (n,), weights (n,) or None."""

    matrix: TreeMatrix
    target: np.ndarray
    weight: np.ndarray | None

    def weight_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Their weights."""
        return None if self.weight is None else self.weight[rows]


@dataclass(frozen=True)
class Configuration:
    """How the trees of one model look.

    `depth` bounds XGBoost's trees, `leaves` and `leaf_rows` LightGBM's; `child_weight` is XGBoost's smallest sum of
    hessians, `ridge` the l2 penalty of a leaf.
    """

    depth: int
    leaves: int
    leaf_rows: int
    child_weight: float
    learning_rate: float
    row_share: float
    column_share: float
    ridge: float
    bins: int


class Trees(Protocol):
    """A finished booster."""

    def scores(self, matrix: TreeMatrix) -> np.ndarray:
        """Raw scores (m,) or (m, classes)."""
        ...

    def to_blob(self) -> bytes:
        """The library's own text form."""
        ...


class GrowingBooster(Protocol):
    """A booster on one inner fold."""

    def advance(self) -> float:
        """Grow one round; the validation loss after it (squared error without the root)."""
        ...

    def trees(self, rounds: int) -> Trees:
        """The first rounds."""
        ...


class Library(Protocol):
    """XGBoost or LightGBM."""

    @property
    def name(self) -> str:
        """As in `--approaches`."""
        ...

    def bin(self, rows: LearningRows, folds: Sequence[Fold], bins: int, threads: int) -> list[Any]:
        """Binned data for each fold, used by all configurations."""
        ...

    def start(self, binned: Any, objective: Objective, configuration: Configuration, threads: int, seed: int) -> GrowingBooster:
        """A booster without trees on one fold."""
        ...

    def restore(self, blob: bytes) -> Trees:
        """The trees that `to_blob` wrote."""
        ...


def library(name: str) -> Library:
    """The library of that name, imported only now."""
    if name == "xgboost":
        from tabbench.boosting.xgboost_library import XGBoostLibrary

        return XGBoostLibrary()
    from tabbench.boosting.lightgbm_library import LightGBMLibrary

    return LightGBMLibrary()
