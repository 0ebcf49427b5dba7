"""Costs of cells while a run goes on: what was expected, corrected by what the first cells cost.

A Gaussian process over the logarithm of observed / expected: a part common to all cells (this machine, this table), a part of
each approach, and a part that fades from size to size. Knows cells and seconds; no process and no clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from tabbench.core.cell import Batch, Cell
from tabbench.costs.forecast import Prices
from tabbench.costs.prior import Expected

COMMON_SPREAD, CROWDED_SPREAD = 0.25, 0.5
"""How far this machine and table are off altogether, as a standard deviation of the logarithm; what else keeps a crowded
machine busy may stop or double."""
LASTING_SHARE = 0.7
"""The part of an approach's spread that holds at every size; the rest fades over `FADING_RATIO` in rows."""
FADING_RATIO = 8.0
MOST_DRIFT = 0.4
CELL_NOISE, NOISE_FLOOR = 0.2, 0.05
"""Of one cell against another of the same approach and size, and of all of them together."""
CLOCK_SECONDS = 0.05
"""Observations are this exact; a cell of a few milliseconds says nothing about the others."""
DRAWS = 200
MOST_FOLLOWED = 50
"""So many batches a worker are followed one by one; with more, the last one to end hardly matters."""
LEAST_MB, EXACT_MB = 1.0, 10.0
"""Peaks are this exact: what the cells before left behind differs."""

Pair = tuple[str, int]
"""(approach, size)."""


class Corrections:
    """Logarithms of observed / expected by approach and size, as a Gaussian process.

    `spreads` holds how far each approach's expectation may be off; `common` how far all are off together.
    """

    def __init__(self, common: float) -> None:
        self._common = common
        self._spreads: dict[str, float] = {}
        # Sums over observations, not these: there may be 100,000 of them.
        self._weights: dict[Pair, float] = defaultdict(float)
        self._weighted: dict[Pair, float] = defaultdict(float)
        self._kept: dict[tuple[Pair, ...], tuple[np.ndarray, np.ndarray]] = {}

    def expect(self, approach: str, spread: float) -> None:
        """Name an approach before it is asked for."""
        if spread > self._spreads.get(approach, 0.0):
            self._spreads[approach] = spread
            self._kept.clear()

    def learn(self, pair: Pair, ratio: float, noise: float) -> None:
        """One observation; `noise` is its standard deviation."""
        self._weights[pair] += noise**-2
        self._weighted[pair] += ratio * noise**-2
        self._kept.clear()

    def posterior(self, pairs: tuple[Pair, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Mean (k,) and covariance (k, k) at these pairs."""
        if pairs not in self._kept:
            self._kept[pairs] = self._solve(pairs)
        return self._kept[pairs]

    def _solve(self, pairs: tuple[Pair, ...]) -> tuple[np.ndarray, np.ndarray]:
        prior = self._kernel(pairs, pairs)
        seen = tuple(self._weights)
        if not seen:
            return np.zeros(len(pairs)), prior
        weights = np.array([self._weights[pair] for pair in seen])
        means = np.array([self._weighted[pair] for pair in seen]) / weights
        noise = 1 / weights + NOISE_FLOOR**2
        between = self._kernel(pairs, seen)
        gain = np.linalg.solve(self._kernel(seen, seen) + np.diag(noise), between.T).T
        return gain @ means, prior - gain @ between.T

    def _kernel(self, first: Sequence[Pair], second: Sequence[Pair]) -> np.ndarray:
        names = np.array([name for name, _ in first])[:, None] == np.array([name for name, _ in second])[None, :]
        distance = np.log([size for _, size in first])[:, None] - np.log([size for _, size in second])[None, :]
        spread = np.array([self._spreads.get(name, 1.0) for name, _ in first])[:, None]
        drift = np.minimum(spread * np.sqrt(1 - LASTING_SHARE), MOST_DRIFT)
        fading = np.exp(-0.5 * (distance / np.log(FADING_RATIO)) ** 2)
        return np.asarray(self._common**2 + names * (spread**2 - drift**2 + drift**2 * fading))


@dataclass(frozen=True, eq=False)
class Work:
    """Batches with what they cost: (batches, draws) seconds of each, a draw being one way in which the costs may turn out."""

    seconds: np.ndarray

    def wall_seconds(self, jobs: int, busy: np.ndarray | None = None, counts: Sequence[int] | None = None) -> np.ndarray:
        """(draws,) seconds until all are done by so many workers, in order, each taken by whoever is free first.

        `busy` (workers, draws) is how long workers go on with what they have; `counts` is how often there is a batch like each of
        these. Where there are very many, no worker is taken to wait for the others.
        """
        free = np.zeros((jobs, self.seconds.shape[1]))
        if busy is not None:
            free[:len(busy)] = busy[:jobs]
        counts = [1] * len(self.seconds) if counts is None else counts
        if sum(counts) > MOST_FOLLOWED * jobs:
            evenly = (free.sum(axis=0) + np.asarray(counts) @ self.seconds) / jobs
            return np.asarray(np.maximum(evenly, free.max(axis=0)))
        columns = np.arange(free.shape[1])
        for seconds, count in zip(self.seconds, counts, strict=True):
            for _ in range(count):
                free[free.argmin(axis=0), columns] += seconds
        return np.asarray(free.max(axis=0))


class CostModel:
    """Seconds and memory of cells, learnt as they finish.

    Parameters
    ----------
    prices : Prices | None, default None
        What is expected before anything ran; without it the first cells say everything.
    base_mb : float, default 0.0
        Memory of a worker before its first cell.
    is_crowded : bool, default False
        Whether something else keeps the machine busy.
    """

    def __init__(self, prices: Prices | None = None, base_mb: float = 0.0, *, is_crowded: bool = False) -> None:
        self.prices = Prices() if prices is None else prices
        self.base_mb = base_mb
        self._seconds = Corrections(CROWDED_SPREAD if is_crowded else COMMON_SPREAD)
        self._work_mb = Corrections(0.0)
        self._learnt: set[str] = set()
        self._normal = np.random.default_rng(0).normal(size=(512, DRAWS))

    def at(self, prices: Prices) -> CostModel:
        """The same knowledge of this machine and table, for cells of other prices: those of another effort."""
        other = copy(self)
        other.prices = prices
        return other

    def learn(self, cell: Cell, seconds: float, done: Sequence[str] = ()) -> None:
        """A cell took this long, after `done` had been fitted in its batch."""
        expected = self.prices.in_batch([cell], done)[0].seconds
        self._expect([cell])
        self._learnt.add(cell.approach)
        self._seconds.learn((cell.approach, cell.size), float(np.log(max(seconds, 1e-3) / expected)),
                            float(np.hypot(CELL_NOISE, CLOCK_SECONDS / min(expected, max(seconds, 1e-3)))))

    def learn_peak(self, cell: Cell, peak_mb: float, done: Sequence[str] = ()) -> None:
        """A cell's worker held this much at its peak."""
        expected = max(self.prices.in_batch([cell], done)[0].work_mb, LEAST_MB)
        self._expect([cell])
        work_mb = max(peak_mb - self.base_mb, LEAST_MB)
        self._work_mb.learn((cell.approach, cell.size), float(np.log(work_mb / expected)),
                            CELL_NOISE + EXACT_MB / max(expected, work_mb))

    def seconds(self, cells: Sequence[Cell]) -> float:
        """Expected seconds of a batch of these cells."""
        mean, covariance, index = self._posterior(cells)
        factors = np.exp(mean + np.minimum(np.diag(covariance), 0.25) / 2)
        return float(sum(price.seconds * factors[index[cell.approach, cell.size]]
                         for cell, price in zip(cells, self.prices.in_batch(cells), strict=True)))

    def alone(self, cell: Cell) -> float:
        """Expected seconds of a cell that finds nothing done."""
        return self.seconds([cell])

    def is_known(self, cell: Cell) -> bool:
        """Whether anything is known of the cell's approach."""
        return not np.isnan(self.prices.own(cell.approach, cell.size).seconds.median) or cell.approach in self._learnt

    def work(self, batches: Sequence[Batch], done: Sequence[str] = ()) -> Work:
        """What batches cost, as draws; `done` has been fitted in each before."""
        cells = [cell for batch in batches for cell in batch.cells]
        if not cells:
            return Work(np.zeros((0, DRAWS)))
        mean, covariance, index = self._posterior(cells)
        factors = np.exp(mean[:, None] + _root(covariance) @ self._standard(len(mean)))
        return Work(np.array([sum(price.seconds * factors[index[cell.approach, cell.size]] for cell, price in zip(
            batch.cells, self.prices.in_batch(batch.cells, done), strict=True)) for batch in batches]))

    def peak_mb(self, cells: Sequence[Cell]) -> Expected:
        """Memory of a worker that runs these cells one after the other, at its peak."""
        each = [self.cell_peak_mb(cell, price.work_mb) for cell, price in
                zip(cells, self.prices.in_batch(cells), strict=True)]
        return max(each, key=lambda peak: peak.median)

    def cell_peak_mb(self, cell: Cell, work_mb: float | None = None) -> Expected:
        """Memory of a worker that runs this cell, at its peak; the spread is that of the work's part."""
        self._expect([cell])
        work_mb = self.prices.in_batch([cell])[0].work_mb if work_mb is None else work_mb
        mean, covariance = self._work_mb.posterior(((cell.approach, cell.size),))
        return Expected(self.base_mb + work_mb * float(np.exp(mean[0])), float(np.sqrt(max(covariance[0, 0], 0.0))))

    def upper_peak_mb(self, cells: Sequence[Cell], deviations: float) -> float:
        """The peak if the work takes more than expected, by so many standard deviations."""
        peak = self.peak_mb(cells)
        return float(self.base_mb + (peak.median - self.base_mb) * np.exp(deviations * peak.spread))

    def _expect(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            own = self.prices.own(cell.approach, cell.size)
            self._seconds.expect(cell.approach, own.seconds.spread)
            self._work_mb.expect(cell.approach, own.work_mb.spread)

    def _posterior(self, cells: Sequence[Cell]) -> tuple[np.ndarray, np.ndarray, dict[Pair, int]]:
        self._expect(cells)
        pairs = tuple(sorted({(cell.approach, cell.size) for cell in cells}))
        return *self._seconds.posterior(pairs), {pair: place for place, pair in enumerate(pairs)}

    def _standard(self, count: int) -> np.ndarray:
        if count > len(self._normal):
            self._normal = np.random.default_rng(0).normal(size=(count, DRAWS))
        return self._normal[:count]


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix whose product with its transpose is the covariance; rounding may have made that slightly indefinite."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
