"""What row-level losses say of the variances of mean losses and of their differences. Knows no training luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tabbench.verdict.evidence import LossEvidence

NEGLIGIBLE = 1e-12
"""A difference whose variance is this share of its parts' variances is rounding: the two lose the same with every row."""


@dataclass(frozen=True, eq=False)
class RowMoments:
    """What row-level losses say about every cell at once, so that any contrast is a quadratic form.

    `mean_of` (c, c): covariances of the cells' means over all splits, from which units were tested, between cells of one size
    unless more was asked for. `split_of` (c, c): the same for the mean of a single split, averaged over splits, between cells of
    one size. `by_unit` (c, u): what each unit adds to the cells' means. `share` (u,): the share of the tested rows that each unit
    holds, by weight, adding up to 1.
    """

    mean_of: np.ndarray
    split_of: np.ndarray
    by_unit: np.ndarray
    share: np.ndarray

    @property
    def of_all(self) -> np.ndarray:
        """Covariances (c, c) of all cells' means, at whatever size; their last bits may depend on the number of threads."""
        units = self.by_unit.shape[1]
        return np.asarray(self.by_unit @ self.by_unit.T * units / (units - 1))


def row_moments(evidence: LossEvidence, cells: Sequence[tuple[str, int]], *, are_compared: bool = True,
                spans_sizes: bool = False) -> RowMoments | None:
    """Row-level covariances of all cells, clustered by unit; None where there are no row-level losses or fewer than two units.

    A unit that is tested in several repeats counts once, with its losses averaged. Cells that are not compared with each
    other need only their variances, which is quicker; `mean_of` covers those of different sizes with `spans_sizes`.
    """
    units, unit = np.unique(evidence.unit, return_inverse=True)
    if not all(cell in evidence.row_loss for cell in cells) or len(units) < 2:
        return None
    splits, split = evidence.n_splits, evidence.split
    weight = np.ones(len(split)) if evidence.weight is None else np.asarray(evidence.weight, dtype=np.float64)
    share = weight / np.bincount(split, weights=weight)[split]
    by_unit, by_place = _Sums.of(unit), _Sums.of(split * len(units) + unit)
    split_of_place = split[by_place.first]
    tested = np.bincount(split_of_place, minlength=splits)
    # A split with a single unit shows no spread of its own; all that lies between splits is then laid to training luck.
    scale = np.sqrt(np.where(tested > 1, tested / np.maximum(tested - 1, 1), 0.0) / splits)[split_of_place]
    of_mean, of_split = np.empty((len(cells), len(units))), np.empty((len(cells), len(scale)))
    for position, cell in enumerate(cells):
        loss = np.asarray(evidence.row_loss[cell], dtype=np.float64)
        mean_of_split = np.bincount(split, weights=share * loss)
        by_unit.sum(share * (loss - mean_of_split.mean()), out=of_mean[position])
        by_place.sum(share * (loss - mean_of_split[split]), out=of_split[position])
    of_mean /= splits
    of_split *= scale
    size = np.array([size for _, size in cells]) if are_compared else np.arange(len(cells))
    mean_of = _blockwise_products(of_mean, np.zeros(len(cells)) if spans_sizes else size)
    return RowMoments(mean_of * len(units) / (len(units) - 1), _blockwise_products(of_split, size), of_mean,
                      np.bincount(unit, weights=share) / splits)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of values (m,) by place (m,): `first` (p,) is where each place is met first, `again` the positions of all others.

    As a rule hardly a row is met again, so that its value is the sum.
    """

    place: np.ndarray
    first: np.ndarray
    again: np.ndarray

    @classmethod
    def of(cls, key: np.ndarray) -> _Sums:
        """Places in ascending order of the keys (m,)."""
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        is_again = np.ones(len(key), dtype=bool)
        is_again[first] = False
        return cls(place, first, np.flatnonzero(is_again))

    def sum(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write the sums (p,) to `out`."""
        if 8 * len(self.again) > len(self.first):
            out[:] = np.bincount(self.place, weights=values)
        else:
            np.take(values, self.first, out=out, mode="clip")
            np.add.at(out, self.place[self.again], values[self.again])


def by_split_of(evidence: LossEvidence, cells: Sequence[tuple[str, int]], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Differences of mean losses between cells given by position (M, J); (a, -1) is cell a alone."""
    loss = np.vstack([*(evidence.loss[cell] for cell in cells), np.zeros(evidence.n_splits)])
    return np.asarray(loss[first] - loss[second])


def between_splits(by_split: np.ndarray, moments: RowMoments | None, first: np.ndarray, second: np.ndarray
             ) -> tuple[np.ndarray, np.ndarray]:
    """The variance between splits, and what the tested rows alone contribute to it."""
    splits = by_split.shape[1]
    if splits < 2:
        return np.full(len(first), np.nan), np.zeros(len(first))
    by_rows = np.zeros(len(first))
    if moments is not None:
        beyond_mean = quadratic(moments.split_of, first, second) - quadratic(moments.mean_of, first, second)
        by_rows = np.maximum(beyond_mean, 0.0) * splits / (splits - 1)
    return by_split.var(axis=1, ddof=1), by_rows


def _blockwise_products(rows: np.ndarray, block: np.ndarray) -> np.ndarray:
    # einsum, not BLAS: its sums don't depend on the number of threads. Sizes are compared only within themselves.
    products = np.zeros((len(rows), len(rows)))
    for each in np.unique(block):
        chosen = np.flatnonzero(block == each)
        own = rows[chosen]
        products[np.ix_(chosen, chosen)] = np.einsum("iu,ju->ij", own, own)
    return products


def quadratic(covariance: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Variances (M,) of differences between cells given by position, from the cells' covariances (c, c)."""
    padded = np.zeros((len(covariance) + 1, len(covariance) + 1))
    padded[:-1, :-1] = covariance
    parts = padded[first, first] + padded[second, second]
    variance = parts - 2 * padded[first, second]
    return np.where(variance > NEGLIGIBLE * parts, variance, 0.0)
