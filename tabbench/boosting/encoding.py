"""How rows are shown to trees: categories with many levels as smoothed means of the target, numbers also in pairs.

What is learnt comes from fit rows alone, and a fit row's own target never takes part in its own number. Knows no library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from tabbench.core.matrices import TreeMatrix
from tabbench.core.parts import Parts

FEWEST_LEVELS = 10
"""Trees split fewer levels well by themselves; means of more say in one column what would take many splits."""
PRIOR_ROWS = 10.0
"""A level's mean counts for as much as the mean of all rows when it has this many rows."""
INNER_FOLDS = 10
"""A fit row's mean comes from the other nine tenths of the fit rows."""
MOST_STATISTICS = 60
"""Columns of means in all: a target of many classes would need one a class and category."""
PAIRED_COLUMNS = 6
PAIR_COLUMNS = PAIRED_COLUMNS * (PAIRED_COLUMNS - 1)
"""Of so many numbers all sums and differences are added, 30 columns: most of the gain that pairs of all would give."""
MOST_COLUMNS, MOST_COLUMNS_A_ROW, KEPT_COLUMNS = 2000, 2, 1000
"""Of more columns than both, the trees see those that tell most in the fit rows: growing takes time by columns, and noise wins
splits. On 77 fit rows of 7,000 columns that takes a fifth of the time, and the loss of `boosting` is up to 2 % lower; on 960 rows
of 3,000 counts it takes half, and the loss is 3 % lower (on two more such tables 0.5 % lower and 0.8 % higher)."""

FEWEST_INDICATORS, MOST_ONES = 200, 0.1
"""From so many columns of zeros and ones on, most of them zeros, XGBoost is told the ones alone: it goes through what is there.
That took a third of the time on 600 of them, and finds the same splits."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """`columns` are replaced by means: `means[i]` (levels + 1, outputs), the last row for missing levels."""

    columns: tuple[int, ...]
    means: tuple[np.ndarray, ...]

    def transform(self, matrix: TreeMatrix) -> TreeMatrix:
        """Rows that the means were not learnt from."""
        return self.replaced(matrix, [means[_codes(matrix, column)]
                                      for column, means in zip(self.columns, self.means, strict=True)])

    def replaced(self, matrix: TreeMatrix, statistics: Sequence[np.ndarray]) -> TreeMatrix:
        """The other columns, then these numbers (n, outputs) for each of the replaced ones."""
        if not self.columns:
            return matrix
        names = [f"{matrix.names[column]} (mean {output + 1})"
                 for column, means in zip(self.columns, self.means, strict=True) for output in range(means.shape[1])]
        rest = matrix.select(np.setdiff1d(np.arange(matrix.values.shape[1]), self.columns))
        return _with(rest, np.concatenate(statistics, axis=1), names)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Standardised sums and differences of all pairs of `columns`; `center` and `scale` are theirs."""

    columns: tuple[int, ...]
    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, matrix: TreeMatrix, columns: Sequence[int]) -> Pairs:
        """Learn the scales from fit rows; missing values stay out of them."""
        numbers = matrix.values[:, columns].astype(np.float64)
        center, scale = np.nanmean(numbers, axis=0), np.nanstd(numbers, axis=0)
        return cls(tuple(columns), center, np.where(scale > 0, scale, 1.0))

    def transform(self, matrix: TreeMatrix) -> TreeMatrix:
        """The rows with the pairs behind their columns; missing where one of the two is."""
        standard = (matrix.values[:, self.columns].astype(np.float64) - self.center) / self.scale
        added, names = [], []
        for (first, one), (second, other) in combinations(zip(self.columns, standard.T, strict=True), 2):
            added += [one + other, one - other]
            names += [f"{matrix.names[first]} {sign} {matrix.names[second]}" for sign in "+-"]
        return _with(matrix, np.column_stack(added), names)


@dataclass(frozen=True, eq=False)
class TreeEncoding:
    """What is done to rows before trees see them; None for what is not. First numbers are paired, then categories replaced, and
    of the columns that come of it those at the positions `kept` (k,) are taken. Of these, what is below one at the positions
    `indicators` (i,) is shown as missing, and the rest as one."""

    statistics: Statistics | None = None
    pairs: Pairs | None = None
    kept: np.ndarray | None = None
    indicators: np.ndarray | None = None

    def transform(self, matrix: TreeMatrix) -> TreeMatrix:
        """Rows that nothing was learnt from."""
        if self.pairs is not None:
            matrix = self.pairs.transform(matrix)
        if self.statistics is not None:
            matrix = self.statistics.transform(matrix)
        if self.kept is not None:
            matrix = matrix.select(self.kept)
        return matrix if self.indicators is None else ones_alone(matrix, self.indicators)

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        values: dict[str, list[int]] = {}
        arrays: dict[str, np.ndarray] = {}
        if self.statistics is not None:
            values["statistics"] = list(self.statistics.columns)
            arrays |= {f"means{i}": means for i, means in enumerate(self.statistics.means)}
        if self.pairs is not None:
            values["pairs"] = list(self.pairs.columns)
            arrays |= {"center": self.pairs.center, "scale": self.pairs.scale}
        if self.kept is not None:
            arrays["kept"] = self.kept
        if self.indicators is not None:
            arrays["indicators"] = self.indicators
        return Parts(values, arrays)

    @classmethod
    def restore(cls, parts: Parts) -> TreeEncoding:
        """From `to_parts`."""
        values, arrays, statistics, pairs = parts.values, parts.arrays, None, None
        if "statistics" in values:
            columns = tuple(values["statistics"])
            statistics = Statistics(columns, tuple(arrays[f"means{i}"] for i in range(len(columns))))
        if "pairs" in values:
            pairs = Pairs(tuple(values["pairs"]), arrays["center"], arrays["scale"])
        return cls(statistics, pairs, arrays.get("kept"), arrays.get("indicators"))


AS_THEY_ARE = TreeEncoding()


def wordy_columns(matrix: TreeMatrix, classes: int) -> tuple[int, ...]:
    """Categories with many levels; none where the means would be too many. `classes` is 0 for a target of numbers."""
    columns = tuple(column for column, levels in enumerate(matrix.levels) if levels >= FEWEST_LEVELS)
    return columns if len(columns) * max(1, classes - 1) <= MOST_STATISTICS else ()


def telling_numbers(matrix: TreeMatrix, gains: np.ndarray) -> tuple[int, ...]:
    """The number columns with the highest gains (p,), in the matrix's order; none where there are not two."""
    numbers = [column for column, levels in enumerate(matrix.levels) if not levels and gains[column] > 0]
    best = sorted(sorted(numbers, key=lambda column: -gains[column])[:PAIRED_COLUMNS])
    return tuple(best) if len(best) > 1 else ()


def encode(matrix: TreeMatrix, target: np.ndarray, weight: np.ndarray | None, classes: int, seed: int, *,
           replaced: Sequence[int] = (), paired: Sequence[int] = (), hides_zeros: bool = False
           ) -> tuple[TreeEncoding, TreeMatrix]:
    """An encoding learnt from fit rows, and these rows as the trees learn from them.

    Parameters
    ----------
    target : ndarray
        (n,) codes of `classes` classes, or numbers where `classes` is 0.
    replaced : Sequence[int]
        Categories to be replaced by means.
    paired : Sequence[int]
        Numbers to be paired.
    hides_zeros : bool
        Whether many indicators that are mostly zero are to be shown by their ones alone.
    """
    pairs, statistics, kept = Pairs.fit(matrix, paired) if paired else None, None, None
    if pairs is not None:
        matrix = pairs.transform(matrix)
    outputs = _outputs(target, classes)
    row_weight = np.ones(len(target)) if weight is None else weight / weight.mean()
    if replaced:
        fold = np.random.default_rng(seed).permutation(len(target)) % INNER_FOLDS
        learnt = [_column_means(_codes(matrix, column), matrix.levels[column] + 1, outputs, row_weight, fold)
                  for column in replaced]
        statistics = Statistics(tuple(replaced), tuple(means for means, _ in learnt))
        matrix = statistics.replaced(matrix, [own for _, own in learnt])
    if len(matrix.levels) > max(MOST_COLUMNS, MOST_COLUMNS_A_ROW * len(matrix)):
        kept = most_telling(matrix, outputs, row_weight)
        matrix = matrix.select(kept)
    indicators = rare_indicators(matrix) if hides_zeros else None
    if indicators is not None:
        matrix = ones_alone(matrix, indicators)
    is_plain = pairs is None and statistics is None and kept is None and indicators is None
    return AS_THEY_ARE if is_plain else TreeEncoding(statistics, pairs, kept, indicators), matrix


def rare_indicators(matrix: TreeMatrix) -> np.ndarray | None:
    """Positions (i,) of the columns of zeros and few ones, None where they are not many."""
    if len(matrix.levels) < FEWEST_INDICATORS:
        return None
    is_one = matrix.values == 1
    is_rare = ((matrix.values == 0) | is_one).all(axis=0) & (is_one.mean(axis=0) <= MOST_ONES) & (np.array(matrix.levels) == 0)
    return np.flatnonzero(is_rare) if np.count_nonzero(is_rare) >= FEWEST_INDICATORS else None


def ones_alone(matrix: TreeMatrix, indicators: np.ndarray) -> TreeMatrix:
    """The matrix with NaN for what is below one in these columns, and one for the rest."""
    values = matrix.values.copy()
    values[:, indicators] = np.where(values[:, indicators] >= 1, np.float32(1), np.float32(np.nan))
    return replace(matrix, values=values)


def most_telling(matrix: TreeMatrix, outputs: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Positions (k,) of the columns with the highest correlation with any of the outputs (n, o); all categories are among them.

    Parameters
    ----------
    weight : ndarray
        (n,) with mean one.
    """
    values = matrix.values.astype(np.float64)
    is_missing = np.isnan(values)
    if is_missing.any():
        means = np.where(is_missing, 0, values).sum(axis=0) / np.maximum((~is_missing).sum(axis=0), 1)
        values = np.where(is_missing, means, values)
    values -= values.mean(axis=0)
    centred = outputs - np.average(outputs, axis=0, weights=weight)
    spreads, spread = np.sqrt(weight @ values**2), np.sqrt(weight @ centred**2)
    products = np.abs(values.T @ (centred * weight[:, None])) / np.where(spread > 0, spread, np.inf)
    strength = products.max(axis=1) / np.where(spreads > 0, spreads, np.inf)
    is_category = np.array(matrix.levels) > 0
    order = np.argsort(np.where(is_category, -np.inf, -strength), kind="stable")
    return np.sort(order[:max(KEPT_COLUMNS, int(is_category.sum()))])


def _with(matrix: TreeMatrix, added: np.ndarray, names: Sequence[str]) -> TreeMatrix:
    """Numbers behind the columns of a matrix."""
    largest = np.finfo(np.float32).max
    values = np.concatenate([matrix.values, np.clip(added, -largest, largest).astype(np.float32)], axis=1)
    return TreeMatrix(values, matrix.levels + (0,) * added.shape[1], matrix.names + tuple(names))


def _outputs(target: np.ndarray, classes: int) -> np.ndarray:
    """(n, k): what is averaged. The last class of several follows from the others."""
    if not classes:
        return np.asarray(target, dtype=np.float64)[:, None]
    indicators: np.ndarray = target[:, None] == np.arange(1, classes)
    return indicators.astype(np.float64)


def _codes(matrix: TreeMatrix, column: int) -> np.ndarray:
    values = matrix.values[:, column]
    codes: np.ndarray = np.where(np.isnan(values), matrix.levels[column], values).astype(np.int64)
    return codes


def _column_means(codes: np.ndarray, levels: int, outputs: np.ndarray, weight: np.ndarray,
                  fold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means by level (levels, k), and for each row the mean of its level over the other folds (n, k)."""
    cell = fold * levels + codes
    counts = np.bincount(cell, weights=weight, minlength=INNER_FOLDS * levels).reshape(INNER_FOLDS, levels)
    sums = np.stack([np.bincount(cell, weights=weight * output, minlength=INNER_FOLDS * levels).reshape(INNER_FOLDS, levels)
                     for output in outputs.T], axis=2)
    prior = np.average(outputs, axis=0, weights=weight)
    all_counts, all_sums = counts.sum(axis=0), sums.sum(axis=0)
    means = (all_sums + PRIOR_ROWS * prior) / (all_counts + PRIOR_ROWS)[:, None]
    other_sums, other_counts = all_sums[codes] - sums[fold, codes], all_counts[codes] - counts[fold, codes]
    own: np.ndarray = (other_sums + PRIOR_ROWS * prior) / (other_counts + PRIOR_ROWS)[:, None]
    return means, own
