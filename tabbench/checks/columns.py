"""What the checks measure with: a sample of rows, columns as plain values, how much of the target one column explains.

Knows no check and says nothing to a user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from tabbench.checks.blocks import Repeats, exact_codes_of, explained, pooled, quantile_bins, repeats, shares_alone
from tabbench.checks.learners import LearnersHere
from tabbench.core.check import CheckedTable, Learners
from tabbench.core.finding import Remedy
from tabbench.core.split import OWN_SPLITS
from tabbench.core.table import Column, Table

SAMPLE_ROWS = 20_000
"""Rows a check looks at: shares are known to within a per cent, and a wide or long table takes about a second."""
BINS = 32
"""Quantile bins for the quick look at a number."""
FEWEST_ROWS_PER_LEVEL = 5
"""Levels with fewer rows are one level together, else each would explain its own few rows."""
VALIDATION_FOLDS = 3
TREE_DEPTH = 8
"""Enough steps to follow a monotone curve closely, few enough to be quick."""
CANDIDATES = 5
"""Columns that the quick look ranks first get the careful one."""
LEAST_ROWS_FOR_A_SHARE = 100
"""In a table of fewer rows the share of the target's variance that something tells is mostly chance."""
LEAST_ROWS_OF_A_SIDE = 20
"""Rows that have it and rows that don't (a value, a word, a gap; training and test), to be told from each other."""
LEAST_EQUAL_VALUES = 10
"""Distinct values that must agree with the target, or with means of it; fewer could by chance."""
NAMING_SHARE = 0.5
"""A number with so many different values all but identifies a row: two rows that share it share little else."""
MIXER = np.uint64(0x9E3779B97F4A7C15)
"""Odd and without pattern: multiplied by it, the hashes of several columns add up to one of the row."""
FEWEST_DATES = 10
"""Different dates from which a column of them tells one time from another."""
MOST_NAMED = 5
"""Names listed in a sentence."""


@dataclass(frozen=True, eq=False)
class Values:
    """One column's sampled values (m,): numbers, or codes from 0 if nominal; NaN is missing."""

    column: Column
    values: np.ndarray

    @property
    def is_nominal(self) -> bool:
        """Whether the values are codes without order."""
        return self.column.kind in ("category", "text")

    @cached_property
    def exact_codes(self) -> np.ndarray:
        """Codes (m,) from 0, equal where values are equal; missing is a value."""
        return exact_codes(self.values)


@dataclass(frozen=True, eq=False)
class Sample:
    """Up to 20,000 rows of a table: positions, and the target as a matrix (m, k) of class indicators or one column of numbers."""

    checked: CheckedTable
    positions: np.ndarray
    target: np.ndarray
    outcomes: np.ndarray

    @classmethod
    def of(cls, checked: CheckedTable) -> Sample:
        """Rows drawn by the seed, in the table's order; the same object for all checks."""
        if "sample" not in checked.shared:
            checked.shared["sample"] = cls._drawn(checked)
        sample: Sample = checked.shared["sample"]
        return sample

    @classmethod
    def _drawn(cls, checked: CheckedTable) -> Sample:
        rows = len(checked.table)
        positions = np.arange(rows)
        if rows > SAMPLE_ROWS:
            positions = np.sort(np.random.default_rng(checked.seed).choice(rows, size=SAMPLE_ROWS, replace=False))
        target = checked.target[positions]
        return cls(checked, positions, target, outcomes_of(target, checked.task.is_regression))

    @cached_property
    def matrix(self) -> np.ndarray:
        """The feature columns' values (p, m), in the table's order."""
        return matrix_of(self.checked.table, self.positions)

    @cached_property
    def columns(self) -> list[Values]:
        """The same one by one."""
        return [Values(column, values) for column, values in zip(self.checked.table.columns, self.matrix, strict=True)]

    @cached_property
    def repeats(self) -> Repeats:
        """How often the values of each column come back."""
        return repeats(self.matrix)

    @cached_property
    def shares_alone(self) -> np.ndarray:
        """What a quick look says that each column (p,) tells of the target alone: by near values, levels or equal values."""
        is_nominal = np.array([values.is_nominal for values in self.columns], dtype=bool)
        shares = np.zeros(len(self.columns))
        shares[~is_nominal] = shares_alone(self.matrix[~is_nominal], self.outcomes, BINS)
        for number in np.flatnonzero(is_nominal):
            values = self.columns[number]
            shares[number] = max(self.explained_share(values), self.repeated_share(values.exact_codes))
        return shares

    def strongest(self) -> list[tuple[Values, float]]:
        """The few columns that a quick look says tell most of the target alone, each with its `predicted_share`."""
        best = np.argsort(-self.shares_alone, kind="stable")[:CANDIDATES]
        return [(self.columns[number], self.predicted_share(self.columns[number])) for number in best]

    def told_share(self, predictions: np.ndarray) -> float:
        """Share of the target's variance (Brier score of the class indicators) that predictions (m, k) tell."""
        return told_share(self.outcomes, predictions)

    def explained_share(self, values: Values) -> float:
        """A quick look at the share of the target's variance that the column explains, from 0 to 1, levels counted against it."""
        codes = _levels(values)
        counts = np.bincount(codes)
        means = level_means(codes, self.outcomes, counts)
        within = float(((self.outcomes - means[codes]) ** 2).sum())
        total = float(((self.outcomes - self.outcomes.mean(axis=0)) ** 2).sum())
        freedom = (len(codes) - 1) / max(len(codes) - len(counts), 1)
        return 1 - within / total * freedom if total > 0 else 0.0

    def explained_shares(self, columns: Sequence[Values]) -> np.ndarray:
        """The same of several columns at once, of as many rows each."""
        is_nominal = np.array([values.is_nominal for values in columns], dtype=bool)
        shares = np.zeros(len(columns))
        for places in (np.flatnonzero(is_nominal), np.flatnonzero(~is_nominal)):
            if len(places):
                matrix = np.stack([columns[int(place)].values for place in places])
                shares[places] = explained(pooled(exact_codes_of(matrix), FEWEST_ROWS_PER_LEVEL) if is_nominal[places[0]]
                                           else quantile_bins(matrix, BINS), self.outcomes)
        return shares

    def repeated_share(self, codes: np.ndarray) -> float:
        """Share of the variance that the other rows with the same code (m,) tell; a row that is alone is told by the mean."""
        return told_share(self.outcomes, told_by_others(codes, self.outcomes))

    def predicted_share(self, values: Values) -> float:
        """The same on rows that were not learnt from: a small tree for numbers, the mean of each level for codes.

        Where equal values tell more than near ones, as codes written as numbers do, that counts.
        """
        fold = np.random.default_rng(self.checked.seed).permutation(len(self.positions)) % VALIDATION_FOLDS
        predictions = np.empty_like(self.outcomes)
        for each in range(VALIDATION_FOLDS):
            fit, validation = fold != each, fold == each
            predictions[validation] = self._predict(values, fit, validation)
        return max(told_share(self.outcomes, predictions), self.repeated_share(values.exact_codes))

    def _predict(self, values: Values, fit: np.ndarray, validation: np.ndarray) -> np.ndarray:
        if values.is_nominal:
            codes = _levels(values)
            counts = np.bincount(codes[fit], minlength=int(codes.max()) + 1)
            means = level_means(codes[fit], self.outcomes[fit], counts)
            means[counts == 0] = self.outcomes[fit].mean(axis=0)
            return np.asarray(means[codes[validation]])
        # Ranks, since the tree's own float32 would merge large numbers that differ.
        ranks = np.unique(values.values, return_inverse=True, equal_nan=True)[1].astype(np.float32)[:, None]
        ranks[np.isnan(values.values)] = np.nan
        return learners_of(self.checked).ask("tree", ranks[fit], self.outcomes[fit], ranks[validation], max_depth=TREE_DEPTH,
                                             min_samples_leaf=FEWEST_ROWS_PER_LEVEL)()


def learners_of(checked: CheckedTable) -> Learners:
    """What answers for the models that checks of the table ask."""
    return LearnersHere() if checked.learners is None else checked.learners


def has_own_splits(checked: CheckedTable) -> bool:
    """Whether the user says which rows are for training and which for testing."""
    return checked.splits is not None and checked.splits.kind in OWN_SPLITS


def dated_columns(table: Table) -> list[str]:
    """The columns whose dates tell one time from another."""
    return [column.name for column in table.columns
            if column.kind == "date" and table.features[column.name].nunique() >= FEWEST_DATES]


def matrix_of(table: Table, rows: np.ndarray | slice, places: slice = slice(None)) -> np.ndarray:
    """The `plain_values` of a table's columns, or of those at some places, in these rows (p, m); those of all numbers at once."""
    columns, taken = table.columns[places], table.features.iloc[:, places].iloc[rows]
    is_number = np.array([column.kind == "number" for column in columns], dtype=bool)
    matrix = np.empty((len(columns), len(taken)))
    matrix[is_number] = taken.iloc[:, np.flatnonzero(is_number)].to_numpy(dtype=np.float64).T
    for number in np.flatnonzero(~is_number):
        matrix[number] = plain_values(taken.iloc[:, number], columns[number])
    return matrix


def plain_values(series: pd.Series, column: Column) -> np.ndarray:
    """A column (m,) as float64: numbers, microseconds for dates, codes for categories and texts; NaN is missing."""
    if column.kind == "category":
        codes = series.cat.codes.to_numpy()
    elif column.kind == "text":
        codes = pd.factorize(series)[0]
    elif column.kind == "date":
        present = series.notna().to_numpy()
        return np.where(present, series.to_numpy().astype("datetime64[us]").astype(np.int64).astype(np.float64), np.nan)
    else:
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.where(codes < 0, np.nan, codes)


def dropping(*names: str) -> Remedy:
    """To leave columns out."""
    return Remedy("drop", names)


def per_cent(share: float | Mapping[str, float]) -> str:
    """A limit in words, where there is one for each kind of task with that of numbers in brackets.

    >>> per_cent(0.05), per_cent({"binary": 0.95, "multiclass": 0.95, "regression": 0.98})
    ('5 %', '95 % (of a number 98 %)')
    """
    if isinstance(share, Mapping):
        return f"{per_cent(share['binary'])} (of a number {per_cent(share['regression'])})"
    return f"{100 * share:.3g} %"


def quoted(names: list[str]) -> str:
    """Names for a sentence, the first five.

    >>> quoted(["a", "b"])
    '`a`, `b`'
    >>> quoted(list("abcdefg"))
    '`a`, `b`, `c`, `d`, `e` and 2 more'
    """
    shown = ", ".join(f"`{name}`" for name in names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"


def _levels(values: Values) -> np.ndarray:
    """Codes (m,) from 0, none empty: quantile bins of numbers, levels of codes with the rare ones as one; missing is a level."""
    numbers = values.values
    is_missing = np.isnan(numbers)
    present = numbers[~is_missing]
    if not len(present):
        return np.zeros(len(numbers), dtype=np.int64)
    codes = np.full(len(numbers), -1, dtype=np.int64)
    if values.is_nominal:
        counts = np.bincount(present.astype(np.int64))
        of_level = np.where(counts < FEWEST_ROWS_PER_LEVEL, len(counts), np.arange(len(counts)))
        codes[~is_missing] = of_level[present.astype(np.int64)]
    else:
        edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
        codes[~is_missing] = np.searchsorted(edges, present, side="right")
    return np.asarray(np.unique(codes, return_inverse=True)[1], dtype=np.int64)


def outcomes_of(target: np.ndarray, is_regression: bool) -> np.ndarray:
    """The target (m,) as one column of numbers or indicators (m, k) of the classes that occur; two classes are one indicator."""
    if is_regression:
        return target[:, None].astype(np.float64)
    indicators = target[:, None] == np.unique(target)
    return np.asarray(indicators[:, 1:] if indicators.shape[1] == 2 else indicators, dtype=np.float64)


def told_share(outcomes: np.ndarray, predictions: np.ndarray) -> float:
    """1 - squared error of predictions (m, k) over that of the mean; 0 where there is nothing to tell."""
    total = float(((outcomes - outcomes.mean(axis=0)) ** 2).sum())
    return 1 - float(((outcomes - predictions) ** 2).sum()) / total if total > 0 else 0.0


def exact_codes(values: np.ndarray) -> np.ndarray:
    """Codes (m,) from 0, equal where values are equal; missing is a value."""
    return np.asarray(pd.factorize(values, use_na_sentinel=False)[0], dtype=np.int64)


def told_by_others(codes: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """The mean outcome (m, k) of the other rows of the same code; of all rows for a row that is alone."""
    counts = np.bincount(codes)
    sums = level_means(codes, outcomes, counts) * counts[:, None]
    others = counts[codes] - 1
    means = (sums[codes] - outcomes) / np.maximum(others, 1)[:, None]
    means[others == 0] = outcomes.mean(axis=0)
    return np.asarray(means)


def level_means(codes: np.ndarray, outcomes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean outcome (levels, k) of the rows of each code."""
    sums = np.column_stack([np.bincount(codes, weights=outcome, minlength=len(counts)) for outcome in outcomes.T])
    return np.asarray(sums / np.maximum(counts, 1)[:, None])
