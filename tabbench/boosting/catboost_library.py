"""CatBoost as a booster that is advanced round by round on one inner fold. The only module that imports catboost.

The library cannot be advanced: all rounds are grown at the first step, and what is asked for is looked up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pandas as pd

from tabbench.boosting.booster import LearningRows, TreeSettings
from tabbench.boosting.catboost_trial import require_harmless
from tabbench.boosting.objective import Objective
from tabbench.core.matrices import TreeMatrix
from tabbench.core.parts import require

LOSSES = {"binary": "Logloss", "multiclass": "MultiClass", "squared": "RMSE", "absolute": "MAE"}
QUIET = {"verbose": False, "allow_writing_files": False}


class CatBoostLibrary:
    """Implements `booster.Library`."""

    name = "catboost"
    hides_zeros = False

    def bin(self, fit: LearningRows, valid: LearningRows, bins: int, threads: int) -> Any:
        """Pools (fit, validation); the library bins them itself."""
        frames = [_frame(fit.matrix), _frame(valid.matrix)]
        frames[0].iloc[0, -1] = 1.0
        return tuple(catboost.Pool(frame, rows.target, weight=rows.weight, cat_features=_categories(rows.matrix.levels),
                                   thread_count=threads) for frame, rows in zip(frames, (fit, valid), strict=True))

    def start(self, binned: Any, objective: Objective, settings: TreeSettings, threads: int, seed: int) -> CatBoostFold:
        """A booster without trees on one fold."""
        return CatBoostFold(binned, objective, settings, threads, seed)

    def restore(self, blobs: Sequence[bytes]) -> list[CatBoostTrees]:
        """The trees that `to_blob` wrote."""
        require_harmless(blobs)
        return [_restored(blob) for blob in blobs]


def _restored(blob: bytes) -> CatBoostTrees:
    model = catboost.CatBoost()
    model.load_model(blob=blob)
    return CatBoostTrees(model, model.tree_count_)


class CatBoostFold:
    """Implements `booster.GrowingBooster`."""

    def __init__(self, binned: Any, objective: Objective, settings: TreeSettings, threads: int, seed: int) -> None:
        self._fit, self._valid = binned
        self._squares = objective.kind == "squared"
        self._model = catboost.CatBoost({
            **QUIET, "loss_function": LOSSES[objective.kind], "iterations": settings.rounds, "depth": settings.depth,
            "learning_rate": settings.learning_rate, "l2_leaf_reg": settings.ridge, "border_count": min(settings.bins, 254),
            "bootstrap_type": "Bernoulli", "subsample": settings.row_share, "random_seed": seed, "thread_count": threads,
            "od_type": "Iter", "od_wait": 2 * settings.patience, "use_best_model": False})
        self._losses: list[float] = []
        self._rounds = 0

    def advance(self) -> float:
        """The validation loss after one more round; infinite after the library has stopped by itself."""
        if not self._losses:
            self._model.fit(self._fit, eval_set=self._valid)
            [self._losses] = self._model.get_evals_result()["validation"].values()
        self._rounds += 1
        if self._rounds > len(self._losses):
            return float("inf")
        loss = float(self._losses[self._rounds - 1])
        return loss**2 if self._squares else loss

    def trees(self, rounds: int) -> CatBoostTrees:
        """The first rounds."""
        return CatBoostTrees(self._model, min(rounds, self._model.tree_count_))


class CatBoostTrees:
    """Implements `booster.Trees`."""

    def __init__(self, model: Any, rounds: int) -> None:
        self._model, self._rounds = model, rounds

    def scores(self, matrix: TreeMatrix) -> np.ndarray:
        """Raw scores (m,) or (m, classes)."""
        require(matrix.values.shape[1] + 1 == len(self._model.feature_names_)
                and _categories(matrix.levels) == list(self._model.get_cat_feature_indices()), "its trees are of another table")
        pool = catboost.Pool(_frame(matrix), cat_features=_categories(matrix.levels), thread_count=1)
        return np.asarray(self._model.predict(pool, prediction_type="RawFormulaVal", ntree_end=self._rounds, thread_count=1))

    def gains(self, columns: int) -> np.ndarray:
        """How much each column (p,) changes the prediction."""
        return np.asarray(self._model.get_feature_importance(), dtype=np.float64)[:columns]

    def to_blob(self) -> bytes:
        """CatBoost's own binary form, which holds numbers and no code."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.cbm"
            shortened = self._model.copy()
            shortened.shrink(self._rounds)
            about = shortened.get_metadata()  # the time of day, a random name and this machine's parameters
            for key in list(about.keys()):
                del about[key]
            shortened.save_model(str(path))
            return path.read_bytes()


def _frame(matrix: TreeMatrix) -> pd.DataFrame:
    """Categories as whole numbers, -1 for missing: the library takes no NaN for a category.

    The last column is all zeros but for the first row to learn from: the library refuses rows whose columns are all constant.
    """
    columns: dict[int, np.ndarray] = {}
    for column, levels in enumerate(matrix.levels):
        values = matrix.values[:, column]
        columns[column] = np.where(np.isnan(values), -1, values).astype(np.int64) if levels else values
    columns[len(columns)] = np.zeros(len(matrix), dtype=np.float32)
    return pd.DataFrame(columns)


def _categories(levels: Sequence[int]) -> list[int]:
    return [column for column, count in enumerate(levels) if count]
