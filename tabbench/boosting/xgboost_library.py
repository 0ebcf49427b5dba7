"""XGBoost as a booster that is advanced round by round on one inner fold. The only module that imports xgboost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xgboost

from tabbench.boosting.booster import LearningRows, TreeSettings
from tabbench.boosting.objective import Objective
from tabbench.boosting.xgboost_json import require_sound
from tabbench.core.matrices import TreeMatrix

OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob", "squared": "reg:squarederror",
              "absolute": "reg:absoluteerror"}
METRICS = {"binary": "logloss", "multiclass": "mlogloss", "squared": "rmse", "absolute": "mae"}
MANY_COLUMNS, KEPT_BINS, FEWEST_NODES = 2000, 6_000_000, 16
"""Of so many columns only the histograms of some nodes are kept, 16 bytes a bin: all would take half a gigabyte a booster at
20,000 columns. What is not kept is summed up once more."""
MOST_FILLED = 0.2
"""Share of the cells that are not missing."""


class XGBoostLibrary:
    """Implements `booster.Library`."""

    name = "xgboost"
    hides_zeros = True

    def bin(self, fit: LearningRows, valid: LearningRows, bins: int, threads: int) -> Any:
        """Binned matrices (fit, validation)."""
        arguments = {"nthread": threads, "feature_types": _feature_types(fit.matrix.levels), "enable_categorical": True}
        fit_data = xgboost.QuantileDMatrix(_filled(fit.matrix.values), fit.target, weight=fit.weight, max_bin=bins, **arguments)
        # Not binned by `fit_data`: a code that occurs in the validation rows alone has no bin there.
        valid_data = xgboost.DMatrix(_filled(valid.matrix.values), valid.target, weight=valid.weight, **arguments)
        return fit_data, valid_data

    def start(self, binned: Any, objective: Objective, settings: TreeSettings, threads: int, seed: int) -> XGBoostFold:
        """A booster without trees on one fold."""
        return XGBoostFold(binned, objective, settings, threads, seed)

    def restore(self, blobs: Sequence[bytes]) -> list[XGBoostTrees]:
        """The trees that `to_blob` wrote."""
        return [_restored(blob) for blob in blobs]


def _restored(blob: bytes) -> XGBoostTrees:
    require_sound(blob)
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(blob))
    return XGBoostTrees(booster)


class _Booster(xgboost.Booster):  # type: ignore[misc]
    """Compares the names of the columns once instead of each round: on small tables that took half of the time."""

    _has_names = False

    def _assign_dmatrix_features(self, data: xgboost.DMatrix) -> None:
        if not self._has_names:
            super()._assign_dmatrix_features(data)
            self._has_names = True


class XGBoostFold:
    """Implements `booster.GrowingBooster`."""

    def __init__(self, binned: Any, objective: Objective, settings: TreeSettings, threads: int, seed: int) -> None:
        self._fit, self._valid = binned
        parameters = {
            "objective": OBJECTIVES[objective.kind], "eval_metric": METRICS[objective.kind], "tree_method": "hist",
            "max_depth": settings.depth, "learning_rate": settings.learning_rate, "max_bin": settings.bins,
            "min_child_weight": settings.child_weight, "reg_lambda": settings.ridge,
            "subsample": settings.row_share, "colsample_bynode": settings.column_share,
            "max_cat_to_onehot": 4, "nthread": threads, "seed": seed, "verbosity": 0}
        if self._fit.num_col() > MANY_COLUMNS:
            parameters["max_cached_hist_node"] = max(KEPT_BINS // (self._fit.num_col() * settings.bins), FEWEST_NODES)
        if objective.kind == "multiclass":
            parameters["num_class"] = objective.classes
        self._squares = objective.kind == "squared"
        self._booster = _Booster(parameters, [self._fit, self._valid])
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
        data = xgboost.DMatrix(_filled(matrix.values), feature_types=_feature_types(matrix.levels), enable_categorical=True,
                               nthread=1)
        return np.asarray(self._booster.predict(data, output_margin=True))

    def gains(self, columns: int) -> np.ndarray:
        """How much each column (p,) lowered the loss in all."""
        gains = np.zeros(columns)
        for name, gain in self._booster.get_score(importance_type="total_gain").items():
            gains[int(name.removeprefix("f"))] = gain
        return gains

    def to_blob(self) -> bytes:
        """XGBoost's own JSON."""
        return bytes(self._booster.save_raw("json"))


def _filled(values: np.ndarray) -> Any:
    """The values, as a sparse matrix of what is not missing where most are: it is read in a third of the time."""
    is_filled = ~np.isnan(values)
    if np.count_nonzero(is_filled) > min(MOST_FILLED * values.size, np.iinfo(np.int32).max):
        return values
    from scipy.sparse import csr_matrix

    ends = np.concatenate([[0], np.cumsum(np.count_nonzero(is_filled, axis=1))]).astype(np.int32)
    return csr_matrix((values[is_filled], np.nonzero(is_filled)[1].astype(np.int32), ends), shape=values.shape)


def _feature_types(levels: Sequence[int]) -> list[str]:
    return ["c" if level else "q" for level in levels]
