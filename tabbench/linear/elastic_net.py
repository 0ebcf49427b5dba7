"""Elastic net over a grid of penalties and mixtures: whole paths on inner folds, then a refit on all rows.

Knows no table and no approach; which loss decides is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.linear.rows import Folds, Loss, Rows, lowest
from tabbench.linear.squares import Squares


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
class ElasticNetGrid:
    """What is tried: `n_alphas` penalties from the one that empties the model down to `smallest_share` of it, at each mixture."""

    l1_ratios: tuple[float, ...]
    n_alphas: int
    smallest_share: float

    def shares(self) -> np.ndarray:
        """Penalties as shares of the largest sensible one, descending."""
        return np.geomspace(1.0, self.smallest_share, self.n_alphas)


@dataclass(frozen=True)
class Penalised:
    """A point of the grid: the mixture and the penalty as a share of the largest sensible one for the rows at hand."""

    l1_ratio: float
    share: float


def choose_elastic_net(rows: Rows, folds: Folds, grid: ElasticNetGrid, loss: Loss) -> tuple[Penalised, float]:
    """The point with the lowest loss of the pooled out-of-fold predictions, and that loss.

    Of equal points the first, which is the most strongly penalised at its mixture, wins.
    """
    shares = grid.shares()
    valid_rows = np.concatenate([valid for _, valid in folds])
    predictions = np.concatenate([_fold_predictions(rows, fold, grid) for fold in folds], axis=2)
    truth, weight = rows.target[valid_rows], rows.weight[valid_rows]
    losses = np.array([[loss(truth, each, weight) for each in path] for path in predictions])
    ratio, share = np.unravel_index(lowest(losses.ravel()), losses.shape)
    return Penalised(grid.l1_ratios[ratio], float(shares[share])), float(losses[ratio, share])


def fit_elastic_net(rows: Rows, grid: ElasticNetGrid, point: Penalised) -> LinearModel:
    """The model at one point of the grid, reached along the path that leads there."""
    squares = Squares.of(rows.values, rows.target, rows.weight)
    shares = grid.shares()
    path = squares.path(shares[shares >= point.share] * squares.largest_alpha(point.l1_ratio), point.l1_ratio)
    coefficients = np.ascontiguousarray(path[:, -1])
    return LinearModel(coefficients, squares.target_mean - float(squares.means @ coefficients))


def _fold_predictions(rows: Rows, fold: tuple[np.ndarray, np.ndarray], grid: ElasticNetGrid) -> np.ndarray:
    """At every point for the validation rows: (mixtures, penalties, m)."""
    fit_rows, valid_rows = fold
    some, valid_values = rows.take(fit_rows), rows.values[valid_rows]
    squares = Squares.of(some.values, some.target, some.weight)
    predictions = []
    for l1_ratio in grid.l1_ratios:
        path = squares.path(grid.shares() * squares.largest_alpha(l1_ratio), l1_ratio)
        predictions.append((np.asarray(valid_values @ path) + squares.target_mean - squares.means @ path).T)
    return np.stack(predictions)
