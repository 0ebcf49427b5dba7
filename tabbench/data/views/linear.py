"""The linear view: scaled numbers, 0/1 columns and one-hot levels, nothing missing, dense or sparse by size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tabbench.core.approach import ViewName
from tabbench.core.matrices import LinearMatrix
from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.data.views.expansion import Expanded, Expansion
from tabbench.data.views.scaling import RobustScale

FEWEST_ROWS = 5
"""A coefficient for a level with fewer rows is noise; such levels share one column."""
MOST_LEVELS = 100
"""One-hot columns that one category may take."""
STRAIGHT = 8.0
"""Up to this many quartile distances from the median a number stays as it is; beyond, it grows as slowly as the logarithm of a
logarithm, so that 1e39 neither flattens the column nor decides the fit."""
MOST_DENSE_CELLS = 50_000_000
"""400 MB of float64; beyond it a matrix that is mostly zeros is kept sparse."""
MOST_SPARSE_SHARE = 0.25
"""A sparse matrix with more entries than this is slower than a dense one."""


@dataclass(frozen=True, eq=False)
class LinearView:
    """Columns in this order: numbers, indicators of missing numbers, one-hot levels.

    `gaps` holds the number columns with an indicator; `mean` and `deviation` (p,) standardise what the robust scale left.
    """

    name: ClassVar[ViewName] = "linear"
    expansion: Expansion
    scale: RobustScale
    mean: np.ndarray
    deviation: np.ndarray
    gaps: np.ndarray
    is_sparse: bool

    @classmethod
    def fit(cls, features: pd.DataFrame, columns: tuple[Column, ...], seed: int) -> LinearView:
        """Learn scales, levels and text directions from training rows."""
        expansion = Expansion.fit(features, columns, seed, FEWEST_ROWS, MOST_LEVELS)
        expanded = expansion.expand(features)
        scale = _scale_of(expanded.numbers, expansion.is_boolean)
        mean, deviation = _moments(_straightened(scale, expanded.numbers))
        mean, deviation = np.where(expansion.is_boolean, -scale.center, mean), np.where(expansion.is_boolean, 1.0, deviation)
        gaps = np.flatnonzero(np.isnan(expanded.numbers).any(axis=0))
        one_hot = sum(_width(levels.n_codes, levels.has_missing) for levels in expansion.levels.values())
        dense = expanded.numbers.shape[1] + len(gaps)
        is_sparse = _is_better_sparse(len(features), dense, one_hot, ones=len(expansion.levels))
        return cls(expansion, scale, mean, deviation, gaps, is_sparse)

    def transform(self, features: pd.DataFrame) -> LinearMatrix:
        """Float64 (n, p), all finite."""
        from scipy.sparse import csr_array, hstack

        expanded = self.expansion.expand(features)
        numbers = self._numbers(expanded.numbers)
        one_hot = self._one_hot(expanded)
        values: Any
        if self.is_sparse:
            values = hstack([csr_array(numbers), one_hot], format="csr")
        else:
            values = np.concatenate([numbers, one_hot.toarray()], axis=1)
        return LinearMatrix(values, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, `column=level` for a level."""
        numbers = self.expansion.number_names
        names = [*numbers, *(f"{numbers[gap]} (missing)" for gap in self.gaps)]
        for column, levels in self.expansion.levels.items():
            names += [f"{column}={level}" for level in levels.code_names()]
            names += [f"{column} (missing)"] if levels.has_missing else []
        return tuple(names)

    def _numbers(self, numbers: np.ndarray) -> np.ndarray:
        is_missing = np.isnan(numbers)
        # The median is 0 after scaling.
        filled = np.where(is_missing, 0.0, _straightened(self.scale, numbers))
        return np.concatenate([(filled - self.mean) / self.deviation, is_missing[:, self.gaps]], axis=1)

    def _one_hot(self, expanded: Expanded) -> Any:
        """CSR (n, one-hot columns): a one in each row for each category, none where unseen and nothing was pooled."""
        from scipy.sparse import csr_array

        positions = np.empty_like(expanded.codes)
        start = 0
        for column, levels in enumerate(self.expansion.levels.values()):
            codes = expanded.codes[:, column]
            missing = levels.n_codes if levels.has_missing else -1
            positions[:, column] = np.where(codes < 0, missing if missing < 0 else start + missing, start + codes)
            start += _width(levels.n_codes, levels.has_missing)
        is_known = positions >= 0
        # Solvers written in C take 32-bit positions only.
        ends = np.concatenate([[0], np.cumsum(is_known.sum(axis=1))]).astype(np.int32)
        indices = positions[is_known].astype(np.int32)
        return csr_array((np.ones(len(indices)), indices, ends), shape=(len(positions), start))

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        arrays = {"center": self.scale.center, "scale": self.scale.scale, "mean": self.mean,
                  "deviation": self.deviation, "gaps": self.gaps}
        values = {"view": self.name, "is_sparse": self.is_sparse}
        return Parts(values, arrays, children={"expansion": self.expansion.to_parts()})

    @classmethod
    def restore(cls, parts: Parts) -> LinearView:
        """From `to_parts`."""
        arrays = parts.arrays
        return cls(Expansion.restore(parts.children["expansion"]), RobustScale(arrays["center"], arrays["scale"]),
                   arrays["mean"], arrays["deviation"], arrays["gaps"], parts.values["is_sparse"])


def _scale_of(numbers: np.ndarray, is_boolean: np.ndarray) -> RobustScale:
    """Booleans are not scaled; only their median is needed, to take a missing one's place."""
    scale = RobustScale.fit(numbers)
    return RobustScale(scale.center, np.where(is_boolean, 1.0, scale.scale))


def _straightened(scale: RobustScale, numbers: np.ndarray) -> np.ndarray:
    """Scaled numbers with their far ends drawn in: order is kept, leverage is not."""
    scaled = scale.apply(numbers)
    beyond = np.maximum(np.abs(scaled) - STRAIGHT, 0.0)
    straightened: np.ndarray = np.sign(scaled) * (np.minimum(np.abs(scaled), STRAIGHT) + np.log1p(np.log1p(beyond)))
    return straightened


def _moments(straightened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation with the median, 0, for missing values; a constant column gets deviation 1."""
    filled = np.where(np.isnan(straightened), 0.0, straightened)
    deviation = filled.std(axis=0)
    return filled.mean(axis=0), np.where(deviation > 0, deviation, 1.0)


def _width(n_codes: int, has_missing: bool) -> int:
    return n_codes + has_missing


def _is_better_sparse(rows: int, dense: int, one_hot: int, ones: int) -> bool:
    columns = dense + one_hot
    return rows * columns > MOST_DENSE_CELLS and dense + ones <= MOST_SPARSE_SHARE * columns
