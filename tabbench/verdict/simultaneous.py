"""How far intervals must reach to hold all at once (max-t). Knows neither approaches nor sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

DRAWS = 40_000
"""Draws of the farthest t; their own error in a quantile is about 0.01."""

DRAWS_AT_ONCE = 2_000
"""Draws held in memory at a time: 8 MB for a thousand contrasts."""

LARGEST_SHARED_SHARE = 0.95
"""Correlations are estimates: this much of them is believed, the rest is taken as luck of unrelated cells, which widens."""

DEGREES_STEP, MOST_DEGREES = 1.25, 1_000.0
"""Degrees of freedom are rounded down to steps, so that contrasts share them; beyond the most, Student's t is the normal."""

DIGITS = 6
"""Quantiles are rounded far below their own error, so that the last bits of a linear-algebra library never show."""


def simultaneous_quantiles(
    covariance: np.ndarray | None, first: np.ndarray, second: np.ndarray, *,
    shared: np.ndarray, degrees: np.ndarray, alpha: float, seed: int,
) -> np.ndarray:
    """How many standard errors (M,) each of M intervals must reach for all to hold at once with 1 - alpha.

    Each t is a normal variable over a chi with its own `degrees` (M,); the larger chis contain the smaller ones. The normals'
    part `shared` (M,) follows `covariance` (c, c) of the cells that `first` and `second` (M,) point to (Hothorn, Bretz and
    Westfall 2008, doi:10.1002/bimj.200810425). Of the rest, or of all without a covariance, nothing more is known. Where every
    cell is compared with every other, cells are taken as independent and of one variance, where their differences reach farthest
    (Tukey and Kramer's procedure; Hayter 1984, doi:10.1214/aos/1176346392). Differences of cells only some of which are compared
    are themselves taken as independent, as differences from one cell of little luck would be. Ts of different degrees are
    compared on the normal scale: few degrees widen a contrast's own interval and no other.

    >>> pair = np.array([0]), np.array([1])
    >>> simultaneous_quantiles(np.eye(2), *pair, shared=np.ones(1), degrees=np.array([10.0]), alpha=0.05, seed=0)
    array([2.228139])
    """
    families = [(np.ones(len(first), dtype=bool), alpha)]
    return quantiles_of_families(covariance, first, second, shared=shared, degrees=degrees, families=families, seed=seed)[0]


def quantiles_of_families(
    covariance: np.ndarray | None, first: np.ndarray, second: np.ndarray, *,
    shared: np.ndarray, degrees: np.ndarray, families: Sequence[tuple[np.ndarray, float]], seed: int,
) -> list[np.ndarray]:
    """The `simultaneous_quantiles` (M,) of several families of the same contrasts, from the same draws; NaN outside a family.

    Parameters
    ----------
    families : Sequence[tuple[ndarray, float]]
        Boolean (M,), which of the contrasts hold at once, and with which alpha.
    """
    from scipy.special import stdtrit  # without scipy.stats, which takes half a second to load

    steps, step = np.unique(_rounded_down(degrees), return_inverse=True)
    quantiles = [np.full(len(first), np.nan) for _ in families]
    drawn: list[tuple[np.ndarray, float, np.ndarray, _Family]] = []
    for (mask, alpha), quantile in zip(families, quantiles, strict=True):
        if mask.sum() > 1:
            drawn.append((mask, alpha, quantile, _Family.of(first[mask], second[mask], np.flatnonzero(mask), step)))
        else:
            quantile[mask] = np.round(stdtrit(degrees[mask], 1 - alpha / 2), DIGITS)
    if drawn:
        normals = _Normals.of(covariance, first, second, shared, [family for *_, family in drawn])
        farthest = _farthest(normals, [family for *_, family in drawn], steps, np.random.default_rng([seed, len(first)]))
        for (mask, alpha, quantile, _), draws in zip(drawn, farthest, strict=True):
            quantile[mask] = np.round(_from_normal(float(np.quantile(draws, 1 - alpha)), steps)[step[mask]], DIGITS)
    return quantiles


@dataclass(frozen=True, eq=False)
class _Family:
    """Contrasts (m,) by their degrees' step, whether all cells that each is connected with are compared, and where steps end."""

    contrasts: np.ndarray
    is_complete: np.ndarray
    steps: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray, contrasts: np.ndarray, step: np.ndarray) -> _Family:
        """Of the family's own `first`, `second` and `contrasts` (m,), and the step (M,) of every contrast."""
        order = np.argsort(step[contrasts], kind="stable")
        steps, starts = np.unique(step[contrasts[order]], return_index=True)
        return cls(contrasts[order], _all_are_compared(first, second)[order], steps, np.r_[starts, len(contrasts)])

    @property
    def variants(self) -> np.ndarray:
        """Each contrast (m,) as `_Normals` counts them: twice its number, and one more where it is incomplete."""
        return np.asarray(2 * self.contrasts + ~self.is_complete)


def _farthest(normals: _Normals, families: Sequence[_Family], steps: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draws (families, DRAWS) of the farthest t on the normal scale."""
    farthest, gained = np.empty((len(families), DRAWS)), np.diff(steps, prepend=0.0)[:, None]
    rows = [np.searchsorted(normals.variants, family.variants) for family in families]
    for start in range(0, DRAWS, DRAWS_AT_ONCE):
        lengths = normals.lengths(random, DRAWS_AT_ONCE)
        chi = np.sqrt(np.cumsum(random.chisquare(gained, (len(steps), DRAWS_AT_ONCE)), axis=0) / steps[:, None])
        for family, of_family, draws in zip(families, rows, farthest, strict=True):
            own = lengths[of_family]
            largest = np.stack([own[begin:end].max(axis=0) for begin, end in pairwise(family.bounds)])
            t = _to_normal(largest / chi[family.steps], steps[family.steps, None])
            draws[start : start + DRAWS_AT_ONCE] = t.max(axis=0)
    return farthest


@dataclass(frozen=True, eq=False)
class _Normals:
    """The normal variables of contrasts: what follows the covariance (M, c), and what is luck of cells or of a contrast alone.

    A contrast that is complete in one family and incomplete in another has two of them: `variants` (v,).
    """

    variants: np.ndarray
    minuend: np.ndarray
    subtrahend: np.ndarray
    alone: np.ndarray
    shared: np.ndarray | None

    @classmethod
    def of(cls, covariance: np.ndarray | None, first: np.ndarray, second: np.ndarray, share: np.ndarray,
           families: Sequence[_Family]) -> _Normals:
        """Of the contrasts of `first` and `second` (M,), of whose variance `share` (M,) follows the covariance of all cells."""
        variants = np.unique(np.concatenate([family.variants for family in families]))
        cells, place = np.unique([first, second], return_inverse=True)
        minuend, subtrahend = place.reshape(2, -1)
        part, shared = np.zeros(len(first)), None
        if covariance is not None:
            part, factor = np.sqrt(LARGEST_SHARED_SHARE * share), _factor(covariance[np.ix_(cells, cells)])
            shared = part[:, None] * _standardised(factor[minuend] - factor[subtrahend])
        return cls(variants, minuend, subtrahend, np.sqrt(1 - part**2).astype(np.float32)[:, None], shared)

    def lengths(self, random: np.random.Generator, draws: int) -> np.ndarray:
        """Absolute values (v, draws), in single precision: what that rounds off is nothing beside the draws' own error."""
        contrast, is_complete = self.variants // 2, self.variants % 2 == 0
        cells, complete, count = int(self.subtrahend.max()) + 1, contrast[is_complete], int((~is_complete).sum())
        normal = np.empty((len(contrast), draws), dtype=np.float32)
        normal[~is_complete] = random.standard_normal((count, draws), dtype=np.float32)
        if len(complete):
            of_cell = random.standard_normal((cells, draws), dtype=np.float32) * np.float32(np.sqrt(0.5))
            normal[is_complete] = of_cell[self.minuend[complete]] - of_cell[self.subtrahend[complete]]
        normal *= self.alone[contrast]
        if self.shared is not None:
            normal += (self.shared @ random.standard_normal((cells, draws))).astype(np.float32)[contrast]
        return np.abs(normal, out=normal)


def _all_are_compared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """For each contrast (m,) whether all cells that it is connected with are compared with each other."""
    minuend, subtrahend = np.unique([first, second], return_inverse=True)[1].reshape(2, -1)
    part = np.arange(int(max(minuend.max(), subtrahend.max())) + 1)
    for one, other in zip(minuend, subtrahend, strict=True):
        part[part == part[other]] = part[one]
    cells, pairs = (np.bincount(each, minlength=len(part)) for each in (part, part[minuend]))
    return np.asarray((pairs == cells * (cells - 1) // 2)[part[minuend]])


def _rounded_down(degrees: np.ndarray) -> np.ndarray:
    exponent = np.floor(np.log(np.clip(degrees, 1.0, MOST_DEGREES)) / np.log(DEGREES_STEP) + 1e-9)
    return np.asarray(DEGREES_STEP**exponent)


def _to_normal(t: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """About the standard normal variable that is as rare as Student's t (Wallace 1959).

    Intervals hold at once whatever the scale; how near it is only says how evenly the risk is shared.
    """
    return np.asarray((8 * degrees + 1) / (8 * degrees + 3) * np.sqrt(degrees * np.log1p(t**2 / degrees)))


def _from_normal(normal: float, degrees: np.ndarray) -> np.ndarray:
    scaled = normal * (8 * degrees + 3) / (8 * degrees + 1)
    return np.asarray(np.sqrt(degrees * np.expm1(scaled**2 / degrees)))


def _factor(covariance: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.maximum(np.diag(covariance), np.finfo(float).tiny))
    correlation = covariance / np.outer(scale, scale)
    # The ridge lets approaches that predict the same pass; it is far below what the draws can tell.
    return np.asarray(np.linalg.cholesky(correlation + 1e-8 * np.eye(len(scale)))) * scale[:, None]


def _standardised(rows: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.sum(rows**2, axis=1, keepdims=True))
    return np.asarray(np.divide(rows, length, out=np.zeros_like(rows), where=length > 0))
