"""What the libraries have in common: the rows they learn from, the shape of their trees, and a booster that grows by rounds.

Imports no library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tabbench.boosting.objective import Objective
from tabbench.core.matrices import TreeMatrix


@dataclass(frozen=True, eq=False)
class LearningRows:
    """Rows to learn from: codes or a standardised target (n,), weights (n,) or None."""

    matrix: TreeMatrix
    target: np.ndarray
    weight: np.ndarray | None

    def take(self, rows: np.ndarray) -> LearningRows:
        """Some of the rows."""
        return LearningRows(self.matrix.take(rows), self.target[rows], None if self.weight is None else self.weight[rows])

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class TreeSettings:
    """A configuration on so many rows with so much work.

    `leaf_rows` is LightGBM's smallest leaf, `child_weight` XGBoost's smallest sum of hessians; `rounds` and `patience` are for a
    library that has to grow all of them at once.
    """

    leaves: int
    depth: int
    leaf_rows: int
    child_weight: float
    rounds: int
    patience: int
    learning_rate: float
    row_share: float
    column_share: float
    ridge: float
    bins: int
    random_cuts: bool


class Trees(Protocol):
    """A finished booster."""

    def scores(self, matrix: TreeMatrix) -> np.ndarray:
        """Raw scores (m,) or (m, classes)."""
        ...

    def gains(self, columns: int) -> np.ndarray:
        """How much each of the columns (p,) lowered the loss in all."""
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
    """XGBoost, LightGBM or CatBoost."""

    @property
    def name(self) -> str:
        """As in `--approaches`."""
        ...

    @property
    def hides_zeros(self) -> bool:
        """Whether it goes through what is not missing, so that many indicators are best shown by their ones alone."""
        ...

    def bin(self, fit: LearningRows, valid: LearningRows, bins: int, threads: int) -> Any:
        """Binned data of one fold, used by all configurations."""
        ...

    def start(self, binned: Any, objective: Objective, settings: TreeSettings, threads: int, seed: int) -> GrowingBooster:
        """A booster without trees on one fold."""
        ...

    def restore(self, blobs: Sequence[bytes]) -> Sequence[Trees]:
        """The trees that `to_blob` wrote; the blobs may come from a stranger's file.

        Raises
        ------
        BadData
            The library could not have written one of them.
        """
        ...
