"""Elastic net over a grid of penalties and mixtures: whole paths on inner folds, then a refit on all rows.

Knows no table and no approach; which loss decides is passed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.linear.rows import Folds, Loss, Rows, lowest
from tabbench.linear.squares import Squares
from tabbench.linear.thin_rows import is_thinly_filled
from tabbench.linear.thin_squares import ThinSquares
from tabbench.linear.wide_squares import WideSquares

FEWEST_WIDE_COLUMNS = 128
"""With fewer columns their products cost nothing."""
PATIENCE = 3
"""A path is left after so many candidates in a row that were worse than the best of that path."""


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Coefficients (p,) and an intercept."""

    coefficients: np.ndarray
    intercept: float

    def predict(self, values: Any) -> np.ndarray:
        """Float64 (m,)."""
        numbers: np.ndarray = np.asarray(values @ self.coefficients) + self.intercept
        return numbers


@dataclass(frozen=True)
class Penalised:
    """A point of the grid, in scikit-learn's terms: `alpha` counts against the mean square over two."""

    l1_ratio: float
    alpha: float


@dataclass(frozen=True)
class ElasticNetGrid:
    """What is tried: penalties, descending, at each mixture."""

    alphas: dict[float, tuple[float, ...]]

    @classmethod
    def spanning(cls, rows: Rows, l1_ratios: Sequence[float], n_alphas: int, smallest_share: float) -> ElasticNetGrid:
        """From the penalty that empties the model down to `smallest_share` of it."""
        squares = squares_of(rows.values, rows.target, rows.weight)
        # Where no column goes with the target, any penalty gives the same empty model.
        largest = {ratio: squares.largest_alpha(ratio) or 1.0 for ratio in l1_ratios}
        shares = np.geomspace(1.0, smallest_share, n_alphas)
        return cls({ratio: tuple((alpha * shares).tolist()) for ratio, alpha in largest.items()})

    @property
    def points(self) -> list[Penalised]:
        """All candidates, in the order in which they are visited."""
        return [Penalised(ratio, alpha) for ratio, alphas in self.alphas.items() for alpha in alphas]


def squares_of(values: Any, target: np.ndarray, weight: np.ndarray) -> Squares | WideSquares | ThinSquares:
    """The moments of rows, by the smaller of rows and columns, or none of that size where there is little to go through."""
    if is_thinly_filled(values):
        return ThinSquares.of(values, target, weight)
    rows, columns = values.shape
    kind = WideSquares if columns > max(rows, FEWEST_WIDE_COLUMNS) else Squares
    return kind.of(values, target, weight)


@dataclass(frozen=True, eq=False)
class FoldSquares:
    """The moments of one fold's fit rows beside its validation rows (m, p)."""

    squares: Squares | WideSquares | ThinSquares
    valid_values: Any

    @classmethod
    def of(cls, rows: Rows, fold: tuple[np.ndarray, np.ndarray]) -> FoldSquares:
        """From the (fit, validation) positions."""
        fit_rows, valid_rows = fold
        some = rows.take(fit_rows)
        return cls(squares_of(some.values, some.target, some.weight), rows.values[valid_rows])

    def predict(self, coefficients: np.ndarray) -> np.ndarray:
        """Float64 (m,)."""
        offset = self.squares.target_mean - float(self.squares.means @ coefficients)
        return np.asarray(self.valid_values @ coefficients) + offset


def visit(folds: Sequence[FoldSquares], grid: ElasticNetGrid, l1_ratio: float) -> Iterator[tuple[Penalised, list[np.ndarray]]]:
    """Each candidate of a mixture with its predictions (m,) for the validation rows of each fold."""
    alphas = grid.alphas[l1_ratio]
    walks = [fold.squares.walk(alphas, l1_ratio) for fold in folds]
    for alpha, *solutions in zip(alphas, *walks, strict=True):
        yield Penalised(l1_ratio, alpha), [fold.predict(each) for fold, each in zip(folds, solutions, strict=True)]


def choose_elastic_net(rows: Rows, folds: Folds, grid: ElasticNetGrid, loss: Loss) -> tuple[Penalised, float, np.ndarray]:
    """The point with the lowest loss of the pooled out-of-fold predictions, that loss and those predictions (v,).

    The predictions lie fold after fold. Of equal points the first, the most strongly penalised at its mixture, wins.
    """
    valid_rows = np.concatenate([valid for _, valid in folds])
    truth, weight = rows.target[valid_rows], rows.weight[valid_rows]
    prepared = [FoldSquares.of(rows, fold) for fold in folds]
    bests: list[tuple[Penalised, float, np.ndarray]] = []
    for l1_ratio in grid.alphas:
        losses: list[float] = []
        for point, predictions in visit(prepared, grid, l1_ratio):
            pooled = np.concatenate(predictions)
            losses.append(loss(truth, pooled, weight))
            best = lowest(np.array(losses))
            if best == len(losses) - 1:
                candidate = point, losses[-1], pooled
            elif len(losses) - 1 - best >= PATIENCE:
                break
        bests.append(candidate)
    return bests[lowest(np.array([each[1] for each in bests]))]


def fit_elastic_net(rows: Rows, grid: ElasticNetGrid, point: Penalised) -> LinearModel:
    """The model at one point of the grid, reached along the path that leads there."""
    squares = squares_of(rows.values, rows.target, rows.weight)
    way = [alpha for alpha in grid.alphas[point.l1_ratio] if alpha >= point.alpha]
    coefficients = list(squares.walk(way, point.l1_ratio))[-1]
    return LinearModel(coefficients, squares.target_mean - float(squares.means @ coefficients))
