"""`TabularPCA`: principal components of frames with columns of any kind, as scikit-learn's transformer.

How X becomes numbers is the linear view's business, how components are computed that of `tabbench.selection`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.sparsefuncs import mean_variance_axis

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import BadOption
from tabbench.core.task import Task
from tabbench.estimators.base import FEWEST_ROWS, TabularEstimator
from tabbench.estimators.features import column_names, learn_columns, split_columns
from tabbench.selection.pca import fit_components
from tabbench.views import fit_view


class TabularPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, TabularEstimator):  # type: ignore[misc]
    """Principal components of scaled numbers and one-hot encoded categories, those of the largest variance first.

    Parameters
    ----------
    n_components : int, float or None, default None
        Number of components to keep, or all if there are fewer; a float in (0, 1) keeps as many as explain that share of the
        variance; None keeps all.
    random_state : int, RandomState instance or None, default None
        Seed of the randomised decomposition of tables with more than 500 columns.

    Attributes
    ----------
    explained_variance_ratio_ : ndarray of shape (n_kept,)
        Share of the variance that each kept component explains.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> pca = TabularPCA(0.99, random_state=0).fit(np.hstack([X, X]))
    >>> pca.transform(np.hstack([X, X])).shape
    (200, 3)
    """

    n_jobs = None

    def __init__(self, n_components: int | float | None = None, *, random_state: Any = None) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Compute the components.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : None
            Not used.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        BadOption
            A parameter has a value that is not allowed.
        """
        X = self._checked(X, reset=True)
        if len(X) < FEWEST_ROWS:
            raise ValueError(f"X has {len(X)} sample(s); at least {FEWEST_ROWS} are needed")
        features, self._columns = learn_columns(split_columns(X), column_names(X, self.n_features_in_))
        seed = self._seed()
        self._view = fit_view("linear", features, self._columns, seed)
        matrix: Any = self._view.transform(features)
        unknown = np.zeros(len(features))  # components never look at a target
        training = TrainingSet(features=matrix, target=unknown, task=Task("regression", (), "rmse", ("rmse",)),
                               settings={"most_components": min(matrix.values.shape)}, seed=seed, shared_seed=seed)
        self._components = fit_components(matrix, training)
        shares = self._shares(matrix)
        self._n_features_out = self._count(shares)
        self.explained_variance_ratio_ = shares[:self._n_features_out]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Project rows on the components.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows with the columns of the training rows.

        Returns
        -------
        projected : ndarray of shape (n_samples, n_kept)
            The components, around 0. `set_output` chooses another container.
        """
        return np.asarray(self._components.transform(self._matrix(X), self._n_features_out).values)

    def _shares(self, matrix: Any) -> np.ndarray:
        """Return the shares of the variance (k,); zeros where nothing varies."""
        explained = np.var(np.asarray(self._components.transform(matrix, self._components.n_features).values), axis=0)
        values = matrix.values
        total = (mean_variance_axis(values.tocsr(), axis=0)[1] if issparse(values) else np.var(values, axis=0)).sum()
        return np.asarray(explained / total if total > 0 else np.zeros(len(explained)))

    def _count(self, shares: np.ndarray) -> int:
        wanted: Any = self.n_components
        if wanted is None:
            return len(shares)
        if isinstance(wanted, int | np.integer) and not isinstance(wanted, bool) and wanted >= 1:
            return int(min(wanted, len(shares)))
        if isinstance(wanted, float | np.floating) and 0 < wanted < 1:
            return min(int(np.searchsorted(np.cumsum(shares), wanted)) + 1, len(shares))
        raise BadOption(f"n_components is {wanted!r}; give a whole number from 1 up, a share between 0 and 1, or None for all")

    @property
    def _is_regression(self) -> bool:
        return False
