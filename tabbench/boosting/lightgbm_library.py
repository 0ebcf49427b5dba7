"""LightGBM as a booster that is advanced round by round on one inner fold. The only module that imports lightgbm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightgbm
import numpy as np

from tabbench.boosting.booster import LearningRows, TreeSettings
from tabbench.boosting.lightgbm_text import trees_alone
from tabbench.boosting.objective import Objective
from tabbench.core.matrices import TreeMatrix
from tabbench.core.parts import require

OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "squared": "regression", "absolute": "regression_l1"}
METRICS = {"binary": "binary_logloss", "multiclass": "multi_logloss", "squared": "l2", "absolute": "l1"}
QUIET = {"verbosity": -1}
MANY_COLUMNS, HISTOGRAM_MB = 2000, 64
"""Of so many columns the histograms of few leaves are kept: all would take hundreds of megabytes a booster at 20,000 columns."""
WIDE_COLUMNS, MOST_ENTRIES = 200, 0.1
"""Of more columns, most of them zero, a sparse matrix is binned in half of the time, to the same bins."""
CATEGORIES = {"max_cat_to_onehot": 32, "cat_smooth": 3.0, "cat_l2": 3.0, "min_data_per_group": 5}
"""The library's own defaults suit 100,000 rows; measured at 62 to 3,000 rows, these cost up to 30 % less loss."""


class LightGBMLibrary:
    """Implements `booster.Library`."""

    name = "lightgbm"
    hides_zeros = False

    def bin(self, fit: LearningRows, valid: LearningRows, bins: int, threads: int) -> Any:
        """Binned data sets (fit, validation)."""
        # Configurations differ in the smallest leaf, so columns must not be dropped for one of them.
        parameters = {**QUIET, "max_bin": bins, "feature_pre_filter": False, "num_threads": threads,
                      "deterministic": True, "force_col_wise": True}
        values = fit.matrix.values
        is_wide, entries = values.shape[1] > WIDE_COLUMNS, np.count_nonzero(values)
        if values.shape[1] > MANY_COLUMNS and entries > values.size / 2:
            parameters["enable_bundle"] = False  # looking for columns that are never filled together took most of the time
        categories = [column for column, level in enumerate(fit.matrix.levels) if level]
        is_sparse = is_wide and bool(entries <= MOST_ENTRIES * values.size)
        fit_data = lightgbm.Dataset(_given(fit, is_sparse), fit.target, weight=fit.weight, params=parameters,
                                    categorical_feature=categories).construct()
        valid_data = fit_data.create_valid(_given(valid, is_sparse), valid.target, weight=valid.weight,
                                           params=parameters).construct()
        return fit_data, valid_data

    def start(self, binned: Any, objective: Objective, settings: TreeSettings, threads: int, seed: int) -> LightGBMFold:
        """A booster without trees on one fold."""
        return LightGBMFold(binned, objective, settings, threads, seed)

    def restore(self, blobs: Sequence[bytes]) -> list[LightGBMTrees]:
        """The trees that `to_blob` wrote."""
        texts = [blob.decode(errors="replace") for blob in blobs]
        return [LightGBMTrees(text, trees_alone(text)) for text in texts]


def _given(rows: LearningRows, is_sparse: bool) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix(rows.matrix.values) if is_sparse else rows.matrix.values


class LightGBMFold:
    """Implements `booster.GrowingBooster`."""

    def __init__(self, binned: Any, objective: Objective, settings: TreeSettings, threads: int, seed: int) -> None:
        fit, valid = binned
        parameters = {
            **QUIET, "objective": OBJECTIVES[objective.kind], "metric": METRICS[objective.kind],
            "num_leaves": settings.leaves,
            "learning_rate": settings.learning_rate, "min_data_in_leaf": settings.leaf_rows,
            "min_sum_hessian_in_leaf": 1e-3, "lambda_l2": settings.ridge,
            "bagging_fraction": settings.row_share, "bagging_freq": 1, "feature_fraction": settings.column_share,
            "extra_trees": settings.random_cuts, **CATEGORIES,
            "deterministic": True, "force_col_wise": True, "num_threads": threads, "seed": seed % 2**31}
        if fit.num_feature() > MANY_COLUMNS:
            parameters["histogram_pool_size"] = HISTOGRAM_MB
        if objective.kind == "multiclass":
            parameters["num_class"] = objective.classes
        self._booster = lightgbm.Booster(parameters, fit)
        self._booster.add_valid(valid, "validation")

    def advance(self) -> float:
        """Grow one round; the validation loss after it."""
        self._booster.update()
        return float(self._booster.eval_valid()[0][2])

    def trees(self, rounds: int) -> LightGBMTrees:
        """The first rounds."""
        return LightGBMTrees(self._booster.model_to_string(num_iteration=rounds))


class LightGBMTrees:
    """Implements `booster.Trees`. Lives from its text alone, so that a restored model is the same by construction.

    Of a text from a file only the `checked` part reaches the library.
    """

    def __init__(self, text: str, checked: str | None = None) -> None:
        self._text = text
        self._booster = lightgbm.Booster(model_str=text if checked is None else checked)

    def scores(self, matrix: TreeMatrix) -> np.ndarray:
        """Raw scores (m,) or (m, classes)."""
        require(matrix.values.shape[1] == self._booster.num_feature(), "its trees are of another table")
        return np.asarray(self._booster.predict(matrix.values, raw_score=True, num_threads=1))

    def gains(self, columns: int) -> np.ndarray:
        """How much each column (p,) lowered the loss in all."""
        return np.asarray(self._booster.feature_importance("gain"), dtype=np.float64)

    def to_blob(self) -> bytes:
        """LightGBM's own text."""
        return self._text.encode()
