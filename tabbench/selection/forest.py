"""Features in the order of their importance to a random forest. Looks at the target, so it belongs inside the approach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabbench.core.approach import SELECTORS, Selector, Settings, TrainingSet, Workload
from tabbench.core.matrices import LinearMatrix
from tabbench.core.parts import Parts

TREES = {"fast": 30, "balanced": 100, "thorough": 300}
MOST_ROWS_PER_TREE = {"fast": 2_000, "balanced": 5_000, "thorough": 20_000}
"""The order of the strong features is settled by a few thousand rows a tree; more trees steady the rest."""
LEAF_SHARE = 0.005
"""Leaves of at least this share of a tree's rows: splits further down measure noise."""


@dataclass(frozen=True, eq=False)
class ForestSelection:
    """`order` (p,) holds column positions, the most important first; `importances` (p,) is in the columns' order."""

    order: np.ndarray
    importances: np.ndarray

    @property
    def n_features(self) -> int:
        """How many features there are to take."""
        return len(self.order)

    def transform(self, matrix: LinearMatrix, n_features: int) -> LinearMatrix:
        """The `n_features` most important columns, in the matrix' order."""
        return matrix.select(np.sort(self.order[:n_features]))

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts(arrays={"order": self.order, "importances": self.importances})


def fit_forest_selection(matrix: LinearMatrix, training: TrainingSet) -> ForestSelection:
    """Importances by decrease of impurity; of equally important columns the first comes first."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    rows = min(len(training), training.settings["rows_per_tree"])
    learner = RandomForestRegressor if training.task.is_regression else RandomForestClassifier
    forest = learner(
        training.settings["trees"], min_samples_leaf=max(1, round(LEAF_SHARE * rows)), max_features=0.33 if
        training.task.is_regression else "sqrt", max_samples=rows, random_state=training.shared_seed, n_jobs=training.threads)
    forest.fit(matrix.values, training.target, sample_weight=training.weight)
    importances = forest.feature_importances_
    return ForestSelection(np.argsort(-importances, kind="stable"), importances)


def restore_forest_selection(parts: Parts) -> ForestSelection:
    """From `to_parts`."""
    return ForestSelection(parts.arrays["order"], parts.arrays["importances"])


def _settings(workload: Workload) -> Settings:
    return {"trees": TREES[workload.preset], "rows_per_tree": MOST_ROWS_PER_TREE[workload.preset]}


SELECTORS.register(Selector(
    name="forest", version=1, cost_rank=3, summary="the features most important to a random forest",
    settings=_settings, fit=fit_forest_selection, restore=restore_forest_selection, requires=("sklearn.ensemble",)))
