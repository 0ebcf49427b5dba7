"""The boosted ensemble as estimators: XGBoost and LightGBM together, tuned and weighted inside the training rows.

Learns with the registry's approaches `boosting`, `xgboost` and `lightgbm`; how they do it is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from tabbench.approaches.composed import find_approach
from tabbench.core.approach import Approach
from tabbench.core.errors import BadOption
from tabbench.estimators.base import TabularClassifier, TabularEstimator, TabularRegressor
from tabbench.estimators.knobs import effort_of

BOTH = ("xgboost", "lightgbm")


class _BoostedEnsemble(TabularEstimator):
    """What classifier and regressor have in common."""

    def __init__(self, preset: str = "balanced", *, effort: float | None = None, libraries: Sequence[str] = BOTH,
                 random_state: Any = None, n_jobs: int | None = None) -> None:
        self.preset = preset
        self.effort = effort
        self.libraries = libraries
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Learn from n rows.

        Parameters
        ----------
        X : Any
            Array or frame (n, p); columns may be numbers, booleans, categories, strings or dates, with missing values.
        y : Any
            (n,) labels or numbers.
        sample_weight : Any, default None
            (n,) not negative; a row of weight zero counts as absent.
        groups : Any, default None
            (n,) labels; rows of one group are never divided between the parts of an inner split.

        Raises
        ------
        BadOption
            A parameter is none of the values that it may have.
        ValueError
            Scikit-learn's usual ones; infinity in X, by column and row; fewer than four rows of positive weight.
        MissingExtra
            A library does not load.
        """
        effort, approach = effort_of(self.preset, self.effort), _approach(self.libraries)
        self._model = self._fit_approach(approach, self._read_training(X, y, sample_weight, groups), effort)
        tuned = self._model.tuned
        self.members_ = list(tuned.get("members", [{"library": approach.name, "weight": 1.0, **tuned}]))
        return self


class BoostedEnsembleClassifier(_BoostedEnsemble, TabularClassifier):
    """Classifier of XGBoost and LightGBM models, each tuned on inner folds, weighted by what is best on held-out rows.

    Parameters
    ----------
    preset
        "fast", "balanced" or "thorough": the amount of work, which depends on the table's shape and on nothing measured.
    effort
        None, or a number from 0.01 to 100 that is used instead of the preset: 0.1 is fast, 1 balanced, 6 thorough.
    libraries
        "xgboost", "lightgbm" or both. A single one is tuned alone.
    random_state
        Seed of inner folds and of the libraries.
    n_jobs
        Threads; results do not depend on it.

    Attributes
    ----------
    classes_
        (n_classes,) labels in the order of the probabilities.
    members_
        What the ensemble is made of, one plain dict a member: library, configuration, weight and so on.
    n_features_in_, feature_names_in_
        As in scikit-learn; the names are there for frames only.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(80.0).reshape(-1, 1)
    >>> y = np.where(X[:, 0] < 40, "low", "high")
    >>> model = BoostedEnsembleClassifier(preset="fast", random_state=0).fit(X, y)
    >>> model.predict([[3.0], [70.0]]).tolist()
    ['low', 'high']
    """

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (m, n_classes) in the order of `classes_`."""
        matrix = self._matrix(X)
        return self._model.predict(matrix)


class BoostedEnsembleRegressor(_BoostedEnsemble, TabularRegressor):
    """Regressor of XGBoost and LightGBM models, each tuned on inner folds, weighted by what is best on held-out rows.

    Parameters
    ----------
    preset
        "fast", "balanced" or "thorough": the amount of work, which depends on the table's shape and on nothing measured.
    effort
        None, or a number from 0.01 to 100 that is used instead of the preset: 0.1 is fast, 1 balanced, 6 thorough.
    libraries
        "xgboost", "lightgbm" or both. A single one is tuned alone.
    random_state
        Seed of inner folds and of the libraries.
    n_jobs
        Threads; results do not depend on it.

    Attributes
    ----------
    members_
        What the ensemble is made of, one plain dict a member: library, configuration, weight and so on.
    n_features_in_, feature_names_in_
        As in scikit-learn; the names are there for frames only.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(80.0).reshape(-1, 1)
    >>> model = BoostedEnsembleRegressor(preset="fast", random_state=0).fit(X, np.where(X[:, 0] < 40, 1.0, 5.0))
    >>> model.predict([[3.0], [70.0]]).round().tolist()
    [1.0, 5.0]
    """

    def predict(self, X: Any) -> np.ndarray:
        """Numbers (m,) on the target's own scale."""
        matrix = self._matrix(X)
        return self._model.predict(matrix)


def _approach(libraries: Sequence[str]) -> Approach:
    """The approach that these libraries make up.

    Raises
    ------
    BadOption
        Other names, or none.
    """
    given = [libraries] if isinstance(libraries, str) else list(libraries) if isinstance(libraries, Iterable) else []
    wanted = {each for each in given if each in BOTH}
    if not wanted or len(wanted) < len(given):
        raise BadOption(f"libraries must hold {' or '.join(BOTH)}, or both, not {libraries!r}")
    return find_approach("boosting" if len(wanted) > 1 else wanted.pop())
