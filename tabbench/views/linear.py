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
from tabbench.views.expansion import Expanded, Expansion
from tabbench.views.scaling import RobustScale
from tabbench.views.tails import LongTails, drawn_in

FEWEST_ROWS = 3
"""A coefficient for a level with fewer rows is noise; such levels share one column."""
MOST_LEVELS = 300
"""One-hot columns that one category may take: p x p matrices of several such categories still are quick to factorise."""
MOST_DENSE_CELLS = 10_000_000
"""80 MB of float64; beyond it a matrix that is mostly zeros is kept sparse, which halved time and memory at 45 million."""
MOST_SPARSE_SHARE = 0.25
"""A sparse matrix with more entries than this is slower than a dense one."""
WIDE_COLUMNS, MOST_SPARSE_SHARE_OF_WIDE = 200, 0.1
"""Tables with more numbers, most of them zero (counts of words, indicators), are kept sparse however few their rows are."""


@dataclass(frozen=True, eq=False)
class LinearView:
    """Columns in this order: p numbers, the f far ends of those with long tails, indicators of missing numbers, one-hot levels.

    `gaps` holds the number columns with an indicator; `mean` and `deviation` (p + f,) standardise what the robust scale left. In
    a sparse matrix columns that are mostly zero keep their zeros: the intercept takes the place of their mean.
    """

    name: ClassVar[ViewName] = "linear"
    expansion: Expansion
    scale: RobustScale
    tails: LongTails
    mean: np.ndarray
    deviation: np.ndarray
    gaps: np.ndarray
    is_sparse: bool

    @classmethod
    def fit(cls, features: pd.DataFrame, columns: tuple[Column, ...], seed: int) -> LinearView:
        """Learn scales, levels and text directions from training rows."""
        expansion = Expansion.fit(features, columns, seed, FEWEST_ROWS, MOST_LEVELS)
        scale, tails, mean, deviation, gaps, filled_share = _fitted(expansion, features)
        one_hot = sum(_width(levels.n_codes, levels.has_missing) for levels in expansion.levels.values())
        is_filled = filled_share > MOST_SPARSE_SHARE
        entries = float(np.where(is_filled, 1.0, filled_share).sum()) + len(gaps) + len(expansion.levels)
        is_sparse = _is_better_sparse(len(features), len(mean) + len(gaps) + one_hot, entries, len(scale.center))
        return cls(expansion, scale, tails, np.where(is_filled, mean, 0.0) if is_sparse else mean, deviation, gaps, is_sparse)

    def transform(self, features: pd.DataFrame) -> LinearMatrix:
        """Float64 (n, p), all finite."""
        from scipy.sparse import csr_array, hstack, vstack

        names, n_dense = self.names, len(self.mean) + len(self.gaps)
        if self.is_sparse and len(features):
            blocks = [hstack([csr_array(self._numbers(expanded.numbers)), self._one_hot(expanded)], format="csr")
                      for _, expanded in self.expansion.row_blocks(features)]
            return LinearMatrix(vstack(blocks, format="csr"), names)
        values = np.empty((len(features), len(names)))
        for rows, expanded in self.expansion.row_blocks(features):
            values[rows, :n_dense] = self._numbers(expanded.numbers)
            values[rows, n_dense:] = self._one_hot(expanded).toarray()
        return LinearMatrix(values, names)

    @property
    def far_columns(self) -> np.ndarray:
        """Positions of the far ends among the columns."""
        numbers = len(self.scale.center)
        return np.arange(numbers, numbers + len(self.tails.columns))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, `column=level` for a level."""
        numbers = self.expansion.number_names
        names = [*numbers, *(f"{numbers[tail]} (far)" for tail in self.tails.columns)]
        names += [f"{numbers[gap]} (missing)" for gap in self.gaps]
        for column, levels in self.expansion.levels.items():
            names += [f"{column}={level}" for level in levels.code_names()]
            names += [f"{column} (missing)"] if levels.has_missing else []
        return tuple(names)

    def _numbers(self, numbers: np.ndarray) -> np.ndarray:
        is_missing = np.isnan(numbers)
        # The median is 0 after scaling.
        scaled = np.where(is_missing, 0.0, self.scale.apply(numbers))
        filled = np.concatenate([drawn_in(scaled), self.tails.apply(scaled)], axis=1)
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
                  "deviation": self.deviation, "gaps": self.gaps, "tails": self.tails.columns, "tail_unit": self.tails.unit}
        values = {"view": self.name, "is_sparse": self.is_sparse}
        return Parts(values, arrays, children={"expansion": self.expansion.to_parts()})

    @classmethod
    def restore(cls, parts: Parts) -> LinearView:
        """From `to_parts`."""
        arrays = parts.arrays
        return cls(Expansion.restore(parts.children["expansion"]), RobustScale(arrays["center"], arrays["scale"]),
                   LongTails(arrays["tails"], arrays["tail_unit"]), arrays["mean"], arrays["deviation"], arrays["gaps"],
                   parts.values["is_sparse"])


def _fitted(expansion: Expansion, features: pd.DataFrame
            ) -> tuple[RobustScale, LongTails, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Robust scale and long tails; mean and deviation of what they make, the columns with missing values, and the share of what
    is made that is not zero; group by group."""
    width, is_boolean = len(expansion.number_names), expansion.is_boolean
    center, scale, mean, deviation, share = np.zeros(width), np.ones(width), np.zeros(width), np.ones(width), np.ones(width)
    has_gaps, tails, ends = np.zeros(width, dtype=bool), [], []
    for places, numbers in expansion.number_columns(features):
        robust = RobustScale.fit(numbers)
        center[places], has_gaps[places] = robust.center, np.isnan(numbers).any(axis=0)
        if is_boolean[places].any():  # not scaled; only the median is needed, to take a missing one's place
            mean[places], share[places] = -robust.center, _share_of_entries(numbers)
            continue
        scale[places] = robust.scale
        scaled = np.nan_to_num(robust.apply(numbers))  # the median, 0, for missing values
        long = LongTails.fit(scaled)
        mean[places], deviation[places], share[places] = _moments(drawn_in(scaled))
        tails.append(LongTails(long.columns + places.start, long.unit))
        ends.append(_moments(long.apply(scaled)))
    mean, deviation, share = (np.concatenate([inner, *far]) for inner, *far in zip((mean, deviation, share), *ends, strict=True))
    return RobustScale(center, scale), LongTails.joined(tails), mean, deviation, np.flatnonzero(has_gaps), share


def _moments(filled: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation and share of entries; a constant column gets deviation 1."""
    deviation = filled.std(axis=0)
    return filled.mean(axis=0), np.where(deviation > 0, deviation, 1.0), _share_of_entries(filled)


def _share_of_entries(filled: np.ndarray) -> np.ndarray:
    return np.asarray(np.count_nonzero(filled, axis=0) / max(1, len(filled)))


def _width(n_codes: int, has_missing: bool) -> int:
    return n_codes + has_missing


def _is_better_sparse(rows: int, columns: int, entries: float, numbers: int) -> bool:
    """Whether rows with so many entries on average, in so many columns, are worth a sparse matrix."""
    if rows * columns > MOST_DENSE_CELLS and entries <= MOST_SPARSE_SHARE * columns:
        return True
    return numbers > WIDE_COLUMNS and entries <= MOST_SPARSE_SHARE_OF_WIDE * columns
