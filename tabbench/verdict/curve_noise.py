"""How far measured learning curves may be off, jointly over sizes and approaches, and draws of that.

The errors are the verdict's: tested rows and training rows, pooled over all pairs. Knows no curve and no forecast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.row_moments import row_moments
from tabbench.verdict.variance import make_contrasts, spread

RIDGE = 1e-4
"""Share of each variance that is taken as the size's own, so that a few splits never make a covariance singular."""

FEWEST_DEGREES = 3.0
"""Below it draws of errors would have no variance."""


@dataclass(frozen=True, eq=False)
class PairNoise:
    """Two measured curves at K sizes, their errors' covariance (2K, 2K), first approach first, and draws of it (B, 2K)."""

    sizes: np.ndarray
    loss: np.ndarray
    covariance: np.ndarray
    noise: np.ndarray

    @property
    def is_usable(self) -> bool:
        """Whether anything is known of the errors, and there are any at the largest size."""
        return bool(np.isfinite(self.noise).all() and self.noise_of_difference[:, -1].std() > 0)

    @property
    def difference(self) -> np.ndarray:
        """loss(first) - loss(second), (K,)."""
        return np.asarray(self.loss[: len(self.sizes)] - self.loss[len(self.sizes) :])

    @property
    def noise_of_difference(self) -> np.ndarray:
        """(B, K)."""
        return np.asarray(self.noise[:, : len(self.sizes)] - self.noise[:, len(self.sizes) :])

    def sides(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Loss (K,), covariance (K, K) and noise (B, K) of the first, then of the second."""
        count = len(self.sizes)
        parts = (slice(0, count), slice(count, 2 * count))
        return [(self.loss[part], self.covariance[part, part], self.noise[:, part]) for part in parts]

    def up_to(self, count: int) -> PairNoise:
        """The same at the first `count` sizes."""
        kept = np.concatenate([np.arange(count), len(self.sizes) + np.arange(count)])
        return PairNoise(self.sizes[:count], self.loss[kept], self.covariance[np.ix_(kept, kept)], self.noise[:, kept])


@dataclass(frozen=True, eq=False)
class CurveNoise:
    """The measured curves of some approaches and how they scatter.

    Parameters
    ----------
    place : Mapping[tuple[str, int], int]
        (approach, size) -> position of its cell.
    loss : ndarray
        (c,) mean losses.
    by_rows : ndarray
        (c, c) covariance from the tested rows.
    between : ndarray
        (c, c) covariance between splits.
    error : Mapping[tuple[str, str, int], float]
        (first, second, size) -> standard error of the difference.
    training : Mapping[tuple[str, str, int], float]
        The same -> by how much the deviation between splits is to be multiplied for what training rows cause.
    degrees : float
        Of freedom of the errors.
    """

    place: Mapping[tuple[str, int], int]
    loss: np.ndarray
    by_rows: np.ndarray
    between: np.ndarray
    error: Mapping[tuple[str, str, int], float]
    training: Mapping[tuple[str, str, int], float]
    degrees: float

    @classmethod
    def of(cls, evidence: LossEvidence, names: Sequence[str]) -> CurveNoise:
        """From the evidence of `names`."""
        cells = [(name, size) for size in evidence.sizes for name in names if (name, size) in evidence.loss]
        pairs = [pair for pair in combinations(range(len(cells)), 2) if cells[pair[0]][1] == cells[pair[1]][1]]
        place = {cell: position for position, cell in enumerate(cells)}
        by_split = np.array([evidence.loss[cell] for cell in cells]).reshape(len(cells), evidence.n_splits)
        if not pairs or evidence.n_splits < 2:
            nothing = np.zeros((len(cells), len(cells)))
            return cls(place, by_split.mean(axis=1), nothing, nothing, {}, {}, FEWEST_DEGREES)
        moments = row_moments(evidence, cells, spans_sizes=True)
        contrasts = make_contrasts(evidence, cells, moments, pairs)
        errors = spread(evidence, contrasts)
        by_rows = np.zeros((len(cells), len(cells))) if moments is None else moments.mean_of
        excess = 1 - np.divide(contrasts.between_by_rows, contrasts.between, out=np.ones(len(pairs)), where=contrasts.between > 0)
        overlap = np.array([evidence.overlap[int(size)] for size in contrasts.size])
        factor = np.sqrt(np.maximum(excess, 0.0) * (1 / evidence.n_splits + overlap / (1 - overlap)))
        keys = [(cells[first][0], *cells[second]) for first, second in pairs]
        centred = by_split - by_split.mean(axis=1, keepdims=True)
        return cls(place, by_split.mean(axis=1), by_rows, np.einsum("ij,kj->ik", centred, centred) / (evidence.n_splits - 1),
                   dict(zip(keys, errors.standard_error.tolist(), strict=True)), dict(zip(keys, factor.tolist(), strict=True)),
                   max(float(len(pairs) / np.sum(1 / errors.degrees)), FEWEST_DEGREES))

    def pair(self, first: str, second: str, sizes: Sequence[int], *, draws: int, seed: int) -> PairNoise:
        """Both curves of a pair, named in listing order; the errors of the difference are as large as in the verdict."""
        cells = np.array([self.place[name, size] for name in (first, second) for size in sizes])
        training = np.array([self.training[first, second, size] for size in sizes])
        covariance = self._covariance(cells, sizes, training)
        noise = _draws(covariance, self.degrees, draws, seed)
        count = len(sizes)
        of_first, of_second = noise[:, :count], noise[:, count:]
        together, apart = of_first + of_second, of_first - of_second
        scale = np.diag(covariance)[:count] + np.diag(covariance)[count:] - 2 * np.diag(covariance[:count, count:])
        wanted = np.array([self.error[first, second, size] for size in sizes])
        apart = apart * np.divide(wanted, np.sqrt(scale), out=np.zeros(count), where=scale > 0)
        paired = np.hstack([together + apart, together - apart]) / 2
        return PairNoise(np.array(sizes), self.loss[cells], covariance, paired)

    def single(self, name: str, sizes: Sequence[int], *, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Loss (K,), covariance (K, K) and noise (B, K) of one curve; training luck as in its luckiest pair."""
        cells = np.array([self.place[name, size] for size in sizes])
        training = np.array([max((factor for (first, second, at), factor in self.training.items()
                                  if at == size and name in (first, second)), default=0.0) for size in sizes])
        covariance = self._covariance(cells, sizes, training)
        return self.loss[cells], covariance, _draws(covariance, self.degrees, draws, seed)

    def _covariance(self, cells: np.ndarray, sizes: Sequence[int], training: np.ndarray) -> np.ndarray:
        """Of one approach's cells at all sizes, or of two approaches' one after the other; `training` is by size.

        A dozen splits can't show how the luck of the training rows goes together over so many sizes. Sizes are nested: of two,
        the smaller is a part of the larger one, which correlates them by the square root of their ratio. How it goes
        together between two approaches is taken as the same at all sizes.
        """
        between = self.between[np.ix_(cells, cells)]
        deviation = np.sqrt(np.diag(between)) * np.tile(training, len(cells) // len(sizes))
        ratio = np.divide.outer(np.array(sizes, dtype=np.float64), np.array(sizes))
        nested = np.sqrt(np.minimum(ratio, 1 / ratio))
        correlation = nested if len(cells) == len(sizes) else np.kron(_common_correlation(between), nested)
        covariance = self.by_rows[np.ix_(cells, cells)] + deviation[:, None] * correlation * deviation
        tiny = np.finfo(float).tiny
        return np.asarray(covariance + np.diag(np.maximum(RIDGE * np.diag(covariance), tiny)))


def _common_correlation(between: np.ndarray) -> np.ndarray:
    """(2, 2) correlation of two approaches, averaged over sizes, from the covariance (2K, 2K) between splits."""
    count = len(between) // 2
    variance = np.diag(between)
    product = np.sqrt(variance[:count] * variance[count:])
    shared = np.diag(between[:count, count:])
    mean = float(np.mean(np.divide(shared, product, out=np.zeros(count), where=product > 0)))
    return np.array([[1.0, mean], [mean, 1.0]])


def _draws(covariance: np.ndarray, degrees: float, count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng([seed, len(covariance)])
    normal = random.standard_normal((count, len(covariance)))
    scale = np.sqrt(degrees / random.chisquare(degrees, count))
    return np.asarray(np.einsum("bk,jk->bj", normal, np.linalg.cholesky(covariance)) * scale[:, None])
