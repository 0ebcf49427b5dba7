"""Columns of plain numbers looked at together: how often values come back, and how much of the target each column tells alone.

A wide table has thousands of columns, so no step here is taken for each of them. Knows no check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

BLOCK_CELLS = 1 << 20
"""Cells that are worked on at a time: what comes and goes on the way stays small."""


@dataclass(frozen=True, eq=False)
class Repeats:
    """Of each of p columns: how many different values (missing is one), missing cells, the rows of its commonest value, the
    values that come back and the rows that have one of these."""

    distinct: np.ndarray
    missing: np.ndarray
    commonest: np.ndarray
    repeated_values: np.ndarray
    repeated_rows: np.ndarray


@dataclass(frozen=True, eq=False)
class _Sorted:
    """Columns (p, m), each sorted, missing values last: where rows went, and where a value differs from the one before it."""

    order: np.ndarray
    values: np.ndarray
    is_new: np.ndarray

    @classmethod
    def of(cls, columns: np.ndarray) -> _Sorted:
        order = np.argsort(columns, axis=1, kind="stable")
        values = np.take_along_axis(columns, order, axis=1)
        is_new = np.ones(values.shape, dtype=bool)
        is_new[:, 1:] = (values[:, 1:] != values[:, :-1]) & ~(np.isnan(values[:, 1:]) & np.isnan(values[:, :-1]))
        return cls(order, values, is_new)

    @property
    def exact(self) -> np.ndarray:
        """Codes (p, m) from 0 in the rows' own order, equal where values are equal; missing is a value."""
        return self.in_rows(self.is_new)

    def bins(self, count: int) -> np.ndarray:
        """Codes (p, m) of quantile bins of equal values together, at most so many; missing is one more."""
        begins = np.zeros(self.is_new.shape, dtype=bool)
        begins[:, 0] = True
        places = np.maximum.accumulate(np.where(self.is_new, np.arange(self.is_new.shape[1]), 0), axis=1)
        present = (~np.isnan(self.values)).sum(axis=1)
        for rows in np.unique(present[present > 0]):
            alike = np.flatnonzero(present == rows)
            begins[alike[:, None], places[np.ix_(alike, _edges(int(rows), count))]] = True
        has_gaps = np.flatnonzero((present > 0) & (present < self.values.shape[1]))
        begins[has_gaps, present[has_gaps]] = True
        return self.in_rows(begins)

    def in_rows(self, begins: np.ndarray) -> np.ndarray:
        """Codes (p, m) from 0 that rise where they begin along the sorted values, in the rows' own order."""
        codes = np.empty(begins.shape, dtype=np.int64)
        np.put_along_axis(codes, self.order, np.cumsum(begins, axis=1) - 1, axis=1)
        return codes


@lru_cache(1000)
def _edges(rows: int, count: int) -> np.ndarray:
    """Where in so many sorted rows the next bin begins."""
    return np.quantile(np.arange(rows), np.linspace(0, 1, count + 1)[1:-1], method="lower")


def repeats(columns: np.ndarray) -> Repeats:
    """How often values come back in columns (p, m) of numbers, NaN for missing."""
    found = [_repeats(_Sorted.of(block)) for block in in_blocks(columns)]
    return Repeats(*(np.concatenate([np.zeros(0, dtype=np.int64), *parts]) for parts in zip(*found, strict=True))
                   ) if found else Repeats(*np.zeros((5, 0), dtype=np.int64))


def _repeats(ordered: _Sorted) -> tuple[np.ndarray, ...]:
    rows = ordered.is_new.shape[1]
    starts = np.flatnonzero(ordered.is_new)  # of the columns one after the other, so that the last run of one ends with it
    lengths = np.diff(np.append(starts, ordered.is_new.size))
    distinct = ordered.is_new.sum(axis=1)
    first = np.cumsum(distinct) - distinct
    return (distinct, np.isnan(ordered.values).sum(axis=1), np.maximum.reduceat(lengths, first),
            np.add.reduceat((lengths > 1).astype(np.int64), first),
            np.add.reduceat(np.where(lengths > 1, lengths, 0), first)) if rows else tuple(np.zeros((5, len(distinct)), np.int64))


def exact_codes_of(columns: np.ndarray) -> np.ndarray:
    """Codes (p, m) from 0 in each column, equal where values are equal; missing is a value."""
    parts = [_Sorted.of(block).exact for block in in_blocks(columns)]
    return np.concatenate(parts) if parts else np.zeros(columns.shape, dtype=np.int64)


def shares_alone(columns: np.ndarray, outcomes: np.ndarray, bins: int) -> np.ndarray:
    """The larger of `explained` by quantile bins and `repeated` by equal values, for each of p columns (p, m) of numbers."""
    parts = [np.zeros(0)]
    for block in in_blocks(columns):
        ordered = _Sorted.of(block)
        parts.append(np.maximum(explained(ordered.bins(bins), outcomes), repeated(ordered.exact, outcomes)))
    return np.concatenate(parts)


def quantile_bins(columns: np.ndarray, count: int) -> np.ndarray:
    """Codes (p, m) from 0 of at most so many bins of each column (p, m) of numbers; missing is one more."""
    return _Sorted.of(columns).bins(count)


def pooled(codes: np.ndarray, fewest_rows: int) -> np.ndarray:
    """Codes (p, m) whose rare ones are one in each column."""
    by_code = _ByCode.of(codes)
    return np.where(by_code.counts.ravel()[by_code.places].reshape(codes.shape) < fewest_rows, codes.max(initial=0) + 1, codes)


def explained(codes: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Share (p,) of the variance of outcomes (m, k) that the means by code (p, m) tell, levels counted against it."""
    by_code = _ByCode.of(codes)
    rows, levels = codes.shape[1], (by_code.counts > 0).sum(axis=1)
    within = sum((outcome**2).sum() - (by_code.sums(outcome)**2 / np.maximum(by_code.counts, 1)).sum(axis=1)
                 for outcome in _centred(outcomes).T)
    return _share(within * (rows - 1) / np.maximum(rows - levels, 1), outcomes)


def repeated(codes: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Share (p,) of the variance that the mean of the other rows with a row's code tells; of all rows where it is alone."""
    by_code = _ByCode.of(codes)
    counts, left = by_code.counts, np.zeros(len(codes))
    for outcome in _centred(outcomes).T:
        sums, squares = by_code.sums(outcome), by_code.sums(outcome**2)
        # A row's outcome less the mean of its n - 1 fellows is (n y - sum) / (n - 1).
        of_fellows = (counts**2 * squares - counts * sums**2) / np.maximum(counts - 1, 1)**2
        left += np.where(counts > 1, of_fellows, squares).sum(axis=1)
    return _share(left, outcomes)


@dataclass(frozen=True, eq=False)
class _ByCode:
    """Rows of p columns by their codes (p, m): each row's place among all codes of all columns, and the `counts` (p, codes)."""

    places: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray) -> _ByCode:
        width = int(codes.max(initial=-1)) + 1
        places = (codes + width * np.arange(len(codes))[:, None]).ravel()
        return cls(places, np.bincount(places, minlength=len(codes) * width).reshape(len(codes), width))

    def sums(self, numbers: np.ndarray) -> np.ndarray:
        """Of numbers (m,) by code (p, codes)."""
        weights = np.tile(numbers, len(self.counts))
        return np.bincount(self.places, weights=weights, minlength=self.counts.size).reshape(self.counts.shape)

def _centred(outcomes: np.ndarray) -> np.ndarray:
    return np.asarray(outcomes - outcomes.mean(axis=0))


def _share(left: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """What of the squares of outcomes (m, k) is not left (p,); 0 where there is nothing to tell."""
    total = float((_centred(outcomes)**2).sum())
    return 1 - left / total if total > 0 else np.zeros(len(left))


def in_blocks(columns: np.ndarray) -> Iterator[np.ndarray]:
    """Columns (p, m) a few at a time."""
    step = max(1, BLOCK_CELLS // max(columns.shape[1], 1))
    for start in range(0, len(columns), step):
        yield columns[start:start + step]
