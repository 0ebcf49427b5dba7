"""XGBoost as a booster that is advanced round by round on one inner fold. The only module that imports xgboost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xgboost

from tabbench.boosting.booster import Configuration, Fold, LearningRows
from tabbench.boosting.objective import Objective
from tabbench.core.matrices import TreeMatrix

OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob", "squared": "reg:squarederror",
              "absolute": "reg:absoluteerror"}
METRICS = {"binary": "logloss", "multiclass": "mlogloss", "squared": "rmse", "absolute": "mae"}


class XGBoostLibrary:
    """Implements `booster.Library`."""

    name = "xgboost"

    def bin(self, rows: LearningRows, folds: Sequence[Fold], bins: int, threads: int) -> list[Any]:
        """One pair of binned matrices (fit, validation) a fold."""
        return [self._bin_fold(rows, fit, valid, bins, threads) for fit, valid in folds]

    def _bin_fold(self, rows: LearningRows, fit: np.ndarray, valid: np.ndarray, bins: int, threads: int) -> tuple[Any, Any]:
        arguments = {"nthread": threads, "feature_types": _feature_types(rows.matrix.levels), "enable_categorical": True}
        fit_data = xgboost.QuantileDMatrix(rows.matrix.values[fit], rows.target[fit], weight=rows.weight_of(fit),
                                           max_bin=bins, **arguments)
        # Not binned by `fit_data`: a code that occurs in the validation rows alone has no bin there.
        valid_data = xgboost.DMatrix(rows.matrix.values[valid], rows.target[valid], weight=rows.weight_of(valid), **arguments)
        return fit_data, valid_data

    def start(self, binned: Any, objective: Objective, configuration: Configuration, threads: int, seed: int) -> XGBoostFold:
        """A booster without trees on one fold."""
        return XGBoostFold(binned, objective, configuration, threads, seed)

    def restore(self, blob: bytes) -> XGBoostTrees:
        """The trees that `to_blob` wrote."""
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(blob))
        return XGBoostTrees(booster)


class XGBoostFold:
    """Implements `booster.GrowingBooster`."""

    def __init__(self, binned: Any, objective: Objective, configuration: Configuration, threads: int, seed: int) -> None:
        self._fit, self._valid = binned
        parameters = {
            "objective": OBJECTIVES[objective.kind], "eval_metric": METRICS[objective.kind], "tree_method": "hist",
            "max_depth": configuration.depth, "learning_rate": configuration.learning_rate, "max_bin": configuration.bins,
            "min_child_weight": configuration.child_weight, "reg_lambda": configuration.ridge,
            "subsample": configuration.row_share, "colsample_bytree": configuration.column_share,
            "max_cat_to_onehot": 4, "nthread": threads, "seed": seed, "verbosity": 0}
        if objective.kind == "multiclass":
            parameters["num_class"] = objective.classes
        self._squares = objective.kind == "squared"
        self._booster = xgboost.Booster(parameters, [self._fit, self._valid])
        self._rounds = 0

    def advance(self) -> float:
        """Grow one round; the validation loss after it."""
        self._booster.update(self._fit, self._rounds)
        self._rounds += 1
        loss = float(self._booster.eval(self._valid).rsplit(":", 1)[1])
        return loss**2 if self._squares else loss

    def trees(self, rounds: int) -> XGBoostTrees:
        """The first rounds."""
        return XGBoostTrees(self._booster[:rounds])


class XGBoostTrees:
    """Implements `booster.Trees`."""

    def __init__(self, booster: Any) -> None:
        self._booster = booster

    def scores(self, matrix: TreeMatrix) -> np.ndarray:
        """Raw scores (m,) or (m, classes)."""
        data = xgboost.DMatrix(matrix.values, feature_types=_feature_types(matrix.levels), enable_categorical=True, nthread=1)
        return np.asarray(self._booster.predict(data, output_margin=True))

    def to_blob(self) -> bytes:
        """XGBoost's own JSON."""
        return bytes(self._booster.save_raw("json"))


def _feature_types(levels: Sequence[int]) -> list[str]:
    return ["c" if level else "q" for level in levels]
