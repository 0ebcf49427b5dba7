"""Logistic regression over a grid of C, mixtures and class weights: paths by warm start on inner folds, then a refit.

Knows no table and no approach; which loss decides is passed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tabbench.core.probability import floored
from tabbench.linear.rows import Folds, Loss, Rows, lowest, spread_probabilities
from tabbench.linear.walker import LogisticModel, SharedCurvatures, Walker


@dataclass(frozen=True)
class LogisticPoint:
    """A candidate: the share of l1 in the penalty, C as in scikit-learn, and the weights of the classes as in its path."""

    l1_ratio: float
    strength: float
    is_balanced: bool = False
    class_weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class LogisticPath:
    """Candidates that differ in C alone, ascending: each starts where the one before ended.

    `is_balanced` gives all classes the same total of weights; `class_weights` holds one factor a class.
    """

    l1_ratio: float
    strengths: tuple[float, ...]
    is_balanced: bool = False
    class_weights: tuple[float, ...] | None = None

    @property
    def points(self) -> list[LogisticPoint]:
        """In order."""
        return [LogisticPoint(self.l1_ratio, strength, self.is_balanced, self.class_weights) for strength in self.strengths]


@dataclass(frozen=True)
class LogisticGrid:
    """What is tried, and how exactly.

    A search ends after a Newton step that promised less than `tolerance` of a unit of weight's loss, or after `most_steps`.
    `is_one_vs_rest` fits a model of two classes for each class, else their probabilities are modelled together.
    `patience`: `choose_logistic` leaves a path after so many candidates in a row that were worse than the best of that path.
    """

    paths: tuple[LogisticPath, ...]
    most_steps: int
    tolerance: float
    is_one_vs_rest: bool = False
    patience: int = 1

    @property
    def points(self) -> list[LogisticPoint]:
        """All candidates, in the order in which they are visited."""
        return [point for path in self.paths for point in path.points]


def visit(rows: Rows, n_classes: int, folds: Folds, grid: LogisticGrid,
          path: LogisticPath) -> Iterator[tuple[LogisticPoint, list[np.ndarray]]]:
    """Each candidate of a path with its predictions (m, n_classes) for the validation rows of each fold.

    A class that a fold's fit part lacks gets the probability 1 / (n + classes).
    """
    shared = SharedCurvatures()
    followers = [_Follower.of(rows, n_classes, fold, path, grid, shared) for fold in folds]
    for point in path.points:
        yield point, [follower.predict(point.strength, grid) for follower in followers]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A point of the grid, its loss and its out-of-fold predictions (v, n_classes), fold after fold."""

    point: LogisticPoint
    loss: float
    predictions: np.ndarray


def choose_logistic(rows: Rows, n_classes: int, folds: Folds, grid: LogisticGrid, loss: Loss) -> Candidate:
    """The candidate with the lowest loss of the pooled out-of-fold predictions.

    Of equal candidates the first, which is the more strongly penalised, wins.
    """
    valid_rows = np.concatenate([valid for _, valid in folds])
    truth, weight = rows.target[valid_rows], rows.weight[valid_rows]
    bests: list[Candidate] = []
    for path in grid.paths:
        losses: list[float] = []
        for point, predictions in visit(rows, n_classes, folds, grid, path):
            pooled = np.concatenate(predictions)
            losses.append(loss(truth, pooled, weight))
            best = lowest(np.array(losses))
            if best == len(losses) - 1:
                candidate = Candidate(point, losses[-1], pooled)
            elif len(losses) - 1 - best >= grid.patience:
                break
        bests.append(candidate)
    return bests[lowest(np.array([each.loss for each in bests]))]


def fit_logistic(rows: Rows, point: LogisticPoint, grid: LogisticGrid, *, along: bool = True) -> LogisticModel:
    """The model at one candidate, reached along its path; `along=False` goes there directly.

    Every code from 0 to the largest occurs in the rows, at least two of them.
    """
    path = next(path for path in grid.paths if point in path.points)
    classes = np.arange(int(rows.target.max()) + 1)
    walker = Walker.of(_weighed(rows, path, classes), path.l1_ratio, grid.is_one_vs_rest, SharedCurvatures())
    way = [strength for strength in path.strengths if strength <= point.strength] if along else [point.strength]
    return [walker.move(strength, grid.tolerance, grid.most_steps) for strength in way][-1]


@dataclass(frozen=True, eq=False)
class _Follower:
    """One fold's models along a path; `walker` is None where the fit part holds one class only."""

    walker: Walker | None
    valid_values: object
    present: np.ndarray
    n_classes: int
    fit_rows: int

    @classmethod
    def of(cls, rows: Rows, n_classes: int, fold: tuple[np.ndarray, np.ndarray], path: LogisticPath, grid: LogisticGrid,
           shared: SharedCurvatures) -> _Follower:
        fit_rows, valid_rows = fold
        some = rows.take(fit_rows)
        present, codes = np.unique(some.target, return_inverse=True)
        some = replace(some, target=codes)
        walker = None
        if len(present) > 1:
            walker = Walker.of(_weighed(some, path, present), path.l1_ratio, grid.is_one_vs_rest, shared)
        return cls(walker, rows.values[valid_rows], present, n_classes, len(fit_rows))

    def predict(self, strength: float, grid: LogisticGrid) -> np.ndarray:
        """(m, n_classes) at C = `strength`, the next one on the path."""
        if self.walker is None:
            certain = np.ones((self.valid_values.shape[0], 1))  # type: ignore[attr-defined]
            return floored(spread_probabilities(certain, self.present, self.n_classes, self.fit_rows))
        prediction = self.walker.move(strength, grid.tolerance, grid.most_steps).predict(self.valid_values)
        return spread_probabilities(prediction, self.present, self.n_classes, self.fit_rows)


def _weighed(rows: Rows, path: LogisticPath, present: np.ndarray) -> Rows:
    """The rows as the path weighs them; scikit-learn's "balanced" gives each class the same total. `present` are its classes."""
    if path.class_weights is not None:
        return replace(rows, weight=rows.weight * np.array(path.class_weights)[present][rows.target])
    if not path.is_balanced:
        return rows
    totals = np.bincount(rows.target, weights=rows.weight)
    return replace(rows, weight=rows.weight * (rows.weight.sum() / (len(totals) * totals))[rows.target])
