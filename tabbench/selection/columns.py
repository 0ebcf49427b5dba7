"""Any view's columns as numbers that selectors can weigh against each other, and the columns in order of importance.

Knows no importance measure: those are one file each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.core.approach import TrainingSet, ViewName
from tabbench.core.matrices import LinearMatrix, NetMatrix, TreeMatrix
from tabbench.core.parts import Parts

ANY_VIEW: tuple[ViewName, ...] = ("linear", "trees", "net")
ENCODING_FOLDS = 5
PRIOR_ROWS = 5.0
"""A level's mean is drawn towards the target's as if it had so many average rows more."""
MOST_CLASSES = 10
"""Which features tell the largest classes apart says enough, and categories are encoded once a class."""
FEWEST_ENCODED_LEVELS = 3
"""A category of two levels is a 0/1 column as it stands."""

ColumnMatrix = LinearMatrix | TreeMatrix | NetMatrix


@dataclass(frozen=True, eq=False)
class OrderedColumns:
    """`order` (p,) holds column positions, the most important first; `importances` (p,) is in the columns' order."""

    order: np.ndarray
    importances: np.ndarray

    @classmethod
    def by_importance(cls, importances: np.ndarray) -> OrderedColumns:
        """Of equally important columns the first comes first."""
        return cls(np.argsort(-importances, kind="stable"), importances)

    @property
    def n_features(self) -> int:
        """How many features there are to take."""
        return len(self.order)

    def transform(self, matrix: ColumnMatrix, n_features: int) -> ColumnMatrix:
        """The `n_features` most important columns, in the matrix' order."""
        return matrix.select(np.sort(self.order[:n_features]))

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts(arrays={"order": self.order, "importances": self.importances})


def all_columns(matrix: ColumnMatrix) -> OrderedColumns:
    """The columns in the matrix' order, where all are taken and nobody asks which of them count."""
    columns = len(matrix.names)
    return OrderedColumns(np.arange(columns), np.zeros(columns))


def restore_columns(parts: Parts) -> OrderedColumns:
    """From `to_parts`."""
    importances = parts.array("importances", (None,))
    return OrderedColumns(parts.positions("order", importances.shape, len(importances)), importances)


@dataclass(frozen=True, eq=False)
class Numbers:
    """`values` (n, k) dense or CSR, nothing missing; `column` (k,) is the position of the matrix' column each comes from."""

    values: Any
    column: np.ndarray

    def by_column(self, worth: np.ndarray, n_columns: int) -> np.ndarray:
        """What the numbers are worth (k,), added up for each column (p,)."""
        return np.bincount(self.column, weights=worth, minlength=n_columns)


def as_numbers(matrix: ColumnMatrix, training: TrainingSet) -> Numbers:
    """A matrix' columns as numbers in which order alone counts outside the linear view.

    The linear view is numbers already. Elsewhere a number becomes its rank, and a category the target's mean in each level,
    learnt on other folds of the rows, so that many levels gain nothing.
    """
    if isinstance(matrix, LinearMatrix):
        return Numbers(matrix.values, np.arange(matrix.values.shape[1]))
    numbers, codes, cardinalities = _parted(matrix)
    n_numbers = numbers.shape[1]
    encoded = [position for position, levels in enumerate(cardinalities) if levels >= FEWEST_ENCODED_LEVELS]
    plain = [position for position, levels in enumerate(cardinalities) if levels < FEWEST_ENCODED_LEVELS]
    parts, column = [_ranks(numbers), codes[:, plain].astype(float)], [np.arange(n_numbers), n_numbers + np.array(plain, int)]
    if encoded:
        means = _level_means(codes[:, encoded], [cardinalities[position] for position in encoded], training)
        parts.append(means)
        column.append(n_numbers + np.repeat(encoded, means.shape[1] // len(encoded)))
    places = _original_places(matrix)
    return Numbers(np.concatenate(parts, axis=1), places[np.concatenate(column)])


def _parted(matrix: TreeMatrix | NetMatrix) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Numbers (n, p) with NaN, codes (n, q) from 0 for missing, how many codes each has."""
    if isinstance(matrix, NetMatrix):
        return matrix.numbers, matrix.codes, list(matrix.cardinalities)
    levels = np.array(matrix.levels)
    codes = np.nan_to_num(matrix.values[:, levels > 0] + 1, nan=0.0).astype(np.int64)
    return matrix.values[:, levels == 0], codes, [int(each) + 1 for each in levels[levels > 0]]


def _original_places(matrix: TreeMatrix | NetMatrix) -> np.ndarray:
    """Where numbers, then codes, stand in the matrix."""
    if isinstance(matrix, NetMatrix):
        return np.arange(len(matrix.names))
    return np.argsort(np.array(matrix.levels) > 0, kind="stable")


def _ranks(numbers: np.ndarray) -> np.ndarray:
    """Ranks of each column in (0, 1], equal for equal numbers; missing ones stand in the middle."""
    from scipy.stats import rankdata

    ranks = rankdata(numbers, axis=0, nan_policy="omit") / max(len(numbers), 1)
    return np.where(np.isnan(ranks), 0.5, ranks)


def target_columns(training: TrainingSet) -> np.ndarray:
    """The target as centred columns (n, t): a number's rank, or one indicator a class, of two classes one, of many the largest.

    Ranks keep a few huge targets from deciding which feature counts.
    """
    from scipy.stats import rankdata

    target = training.target
    if training.task.is_regression:
        columns = rankdata(target)[:, None] / len(target)
    elif training.task.n_classes == 2:
        columns = (target == 1)[:, None].astype(float)
    else:
        largest = np.argsort(-np.bincount(target, minlength=training.task.n_classes), kind="stable")[:MOST_CLASSES]
        columns = (target[:, None] == np.sort(largest)).astype(float)
    centred: np.ndarray = columns - np.average(columns, axis=0, weights=training.weight)
    return centred


def _level_means(codes: np.ndarray, cardinalities: list[int], training: TrainingSet) -> np.ndarray:
    """The target's smoothed mean by level (n, q t), learnt on other folds of the rows."""
    targets = target_columns(training)
    weight = np.ones(len(training)) if training.weight is None else training.weight / training.weight.mean()
    fold = np.random.default_rng(training.shared_seed).permutation(len(training)) % ENCODING_FOLDS
    means = np.empty((len(training), codes.shape[1] * targets.shape[1]))
    for category, levels in enumerate(cardinalities):
        place = fold * levels + codes[:, category]

        def outside(values: np.ndarray, place: np.ndarray = place, levels: int = levels) -> np.ndarray:
            within = np.bincount(place, weights=values, minlength=ENCODING_FOLDS * levels).reshape(ENCODING_FOLDS, levels)
            return np.asarray((within.sum(axis=0) - within).ravel()[place])

        rows = outside(weight)
        for target in range(targets.shape[1]):
            total = outside(weight * targets[:, target])
            means[:, category * targets.shape[1] + target] = total / (rows + PRIOR_ROWS)
    return means
