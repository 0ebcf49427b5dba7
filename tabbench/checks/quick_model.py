"""A quick model of the table: small boosted trees, asked out of fold, whole or with some columns or some rows kept together.

Registers no check and says nothing to a user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabbench.checks.columns import Values, learners_of, matrix_of, outcomes_of, told_share
from tabbench.core.check import CheckedTable, Learners

MOST_ROWS = 10_000
"""Rows a quick model sees: what a leak gives away is plain by then, and it takes about a second."""
LEAST_ROWS_SEEN, MOST_CELLS = 2_000, 3_000_000
"""Rows times columns times classes stay below this, so that a table of many columns or classes takes no longer."""
MOST_COLUMNS = 150
"""Columns it sees in each fold: those that go most with the target there."""
FOLDS = 3
ROUNDS, ROUNDS_OVER_CLASSES, LEAST_ROUNDS = 50, 250, 10
"""Boosting rounds, and rounds times classes where there are more than five."""
LEAVES, LEARNING_RATE, SHRINKAGE = 15, 0.12, 2.0
"""With less shrinkage of the leaves boosting diverges where a class has a handful of rows."""
LEAST_LEAF_ROWS, LEAF_SHARE = 20, 20
"""Rows in a leaf: 20, fewer below 400 rows."""
CAREFUL = {"learning_rate": 0.08, "max_leaf_nodes": 8, "l2_regularization": 5.0}
"""Settings by which probabilities are about as sure as they may be, for questions to the probabilities themselves."""
MOST_ASKED_ABOUT = 2
"""Columns about which one check asks a quick model, since every question takes about a second."""
MOST_LEVELS = 255
"""Categories that the trees can treat as such; columns with more are taken as ordered codes."""


@dataclass(frozen=True, eq=False)
class QuickModel:
    """Rows (m,) of the table, their features (m, p), outcomes (m, k) as in `outcomes_of`, and the unit each row belongs to."""

    positions: np.ndarray
    matrix: np.ndarray
    is_nominal: np.ndarray
    outcomes: np.ndarray
    unit: np.ndarray
    is_regression: bool
    seed: int
    learners: Learners

    @classmethod
    def of(cls, checked: CheckedTable) -> QuickModel:
        """The model of the table, the same object for all checks; equal rows and declared groups stay together."""
        if "quick" not in checked.shared:
            group = checked.table.tie if checked.table.group is None else checked.table.group
            checked.shared["quick"] = cls.over(checked, group)
        model: QuickModel = checked.shared["quick"]
        return model

    @classmethod
    def over(cls, checked: CheckedTable, group: np.ndarray) -> QuickModel:
        """A model of up to 10,000 rows, whole groups (n,) of them."""
        unit = pd.factorize(group)[0]
        order = np.random.default_rng([checked.seed, 1]).permutation(int(unit.max()) + 1)[unit]
        positions = np.sort(np.argsort(order, kind="stable")[:_rows_seen(checked)])
        columns = matrix_of(checked.table, positions)
        is_nominal = np.array([Values(column, values).is_nominal and np.nanmax(values, initial=0) < MOST_LEVELS
                               for column, values in zip(checked.table.columns, columns, strict=True)], dtype=bool)
        return cls(positions, np.ascontiguousarray(columns.T),
                   is_nominal, outcomes_of(checked.target[positions], checked.task.is_regression),
                   unit[positions], checked.task.is_regression, checked.seed, learners_of(checked))

    def predictions(self, unit: np.ndarray | None = None, columns: Sequence[int] | None = None,
                    strength: Mapping[str, Any] | None = None) -> np.ndarray:
        """Out-of-fold predictions (m, k) of the outcomes, whole units (m,) held out, from some or all columns.

        `strength` are settings of the trees other than the usual ones.
        """
        return self.ask(unit, columns, strength)()

    def ask(self, unit: np.ndarray | None = None, columns: Sequence[int] | None = None,
            strength: Mapping[str, Any] | None = None) -> Callable[[], np.ndarray]:
        """The same, where the learners answer for themselves meanwhile: what is returned waits for the predictions."""
        matrix, is_nominal = self.matrix, self.is_nominal
        if columns is not None:
            matrix, is_nominal = matrix[:, columns], is_nominal[columns]
        return ask_out_of_fold(self.learners, matrix, is_nominal, self.outcomes, self.is_regression,
                               folds_of(self.unit if unit is None else unit, self.seed), strength)

    def share(self, unit: np.ndarray | None = None, columns: Sequence[int] | None = None) -> float:
        """Share of the target's variance that those predictions tell."""
        return told_share(self.outcomes, self.predictions(unit, columns))


def _rows_seen(checked: CheckedTable) -> int:
    columns = max(min(len(checked.table.columns), MOST_COLUMNS), 1)
    return min(MOST_ROWS, max(LEAST_ROWS_SEEN, MOST_CELLS // (columns * max(checked.task.n_classes - 1, 1))))


def folds_of(unit: np.ndarray, seed: int) -> np.ndarray:
    """A fold (m,) for each row, the same for rows of one unit."""
    codes = pd.factorize(unit)[0]
    return np.asarray((np.random.default_rng([seed, 2]).permutation(int(codes.max()) + 1) % FOLDS)[codes])


def ask_out_of_fold(learners: Learners, matrix: np.ndarray, is_nominal: np.ndarray, outcomes: np.ndarray, is_regression: bool,
                    fold: np.ndarray, strength: Mapping[str, Any] | None = None) -> Callable[[], np.ndarray]:
    """Ask for predictions (m, k) of outcomes (m, k) from features (m, p), each fold's from a model of the other folds."""
    asked = []
    for each in range(FOLDS):
        fit, validation = fold != each, fold == each
        if not validation.any() or not fit.any():
            continue
        known = matrix[fit]
        kept = _most_telling(known, outcomes[fit])
        if len(kept):
            asked.append((validation, _ask(learners, known[:, kept], is_nominal[kept], outcomes[fit], is_regression,
                                           matrix[np.ix_(validation, kept)], strength or {})))

    def answer() -> np.ndarray:
        predictions = np.tile(outcomes.mean(axis=0), (len(outcomes), 1))
        for validation, predicted in asked:
            predictions[validation] = predicted()
        return predictions

    return answer


def _ask(learners: Learners, fit: np.ndarray, is_nominal: np.ndarray, outcomes: np.ndarray, is_regression: bool,
         validation: np.ndarray, strength: Mapping[str, Any]) -> Callable[[], np.ndarray]:
    labels = outcomes[:, 0] if is_regression else codes_of(outcomes)
    present = np.unique(labels)
    if len(present) < 2:
        return lambda: np.asarray(np.tile(outcomes.mean(axis=0), (len(validation), 1)))
    settings = {**_settings(len(fit), 1 if is_regression else len(present)), **strength}
    predicted = learners.ask("boosted_trees", fit, labels, is_nominal, validation, is_regression=is_regression, **settings)
    if is_regression:
        return lambda: predicted()[:, None]

    def answer() -> np.ndarray:
        probabilities = np.zeros((len(validation), max(outcomes.shape[1], 2)))
        probabilities[:, present] = predicted()
        return probabilities[:, 1:] if outcomes.shape[1] == 1 else probabilities

    return answer


def _settings(rows: int, n_classes: int) -> dict[str, Any]:
    return {"max_iter": max(ROUNDS_OVER_CLASSES // n_classes, LEAST_ROUNDS) if n_classes > 5 else ROUNDS,
            "learning_rate": LEARNING_RATE, "l2_regularization": SHRINKAGE,
            "max_leaf_nodes": LEAVES, "early_stopping": False, "random_state": 0,
            "min_samples_leaf": max(2, min(LEAST_LEAF_ROWS, rows // LEAF_SHARE))}


def codes_of(outcomes: np.ndarray) -> np.ndarray:
    """The class (m,) that indicators (m, k) stand for."""
    return outcomes[:, 0].astype(np.int64) if outcomes.shape[1] == 1 else np.asarray(outcomes.argmax(axis=1))


def _most_telling(matrix: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Positions of up to 150 columns with values: those with the largest correlation with any outcome in these rows."""
    is_present = ~np.isnan(matrix)
    filled = np.flatnonzero(is_present.any(axis=0))
    if len(filled) <= MOST_COLUMNS:
        return filled
    means = np.where(is_present, matrix, 0).sum(axis=0) / np.maximum(is_present.sum(axis=0), 1)
    centred = np.where(is_present, matrix - means, 0)
    scale = np.sqrt((centred**2).sum(axis=0))
    strength = np.abs(centred.T @ (outcomes - outcomes.mean(axis=0))).max(axis=1) / np.where(scale > 0, scale, 1)
    return np.sort(np.argsort(-strength, kind="stable")[:MOST_COLUMNS])
