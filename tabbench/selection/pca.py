"""Principal components, in the order of the variance that they explain. Never looks at the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.core.approach import SELECTORS, Selector, Settings, TrainingSet, Workload
from tabbench.core.effort import counted
from tabbench.core.matrices import LinearMatrix
from tabbench.core.parts import Parts

MOST_COMPONENTS = {"fast": 100, "balanced": 200, "thorough": 400}
MOST_COVARIANCE_COLUMNS = 500
"""Up to here the covariance matrix is decomposed exactly; wider tables get a randomised decomposition."""
SMALLEST_VARIANCE = 1e-9
"""Components with less than this share of the first one's variance are rounding noise."""


@dataclass(frozen=True, eq=False)
class Components:
    """`directions` (p, k) by descending variance; `means` (k,) is where the columns' means project to."""

    directions: np.ndarray
    means: np.ndarray

    @property
    def n_features(self) -> int:
        """How many components there are to take."""
        return int(self.directions.shape[1])

    def transform(self, matrix: LinearMatrix, n_features: int) -> LinearMatrix:
        """The first `n_features` components, dense."""
        projected: Any = matrix.values @ self.directions[:, :n_features]
        names = tuple(f"component {i + 1}" for i in range(n_features))
        return LinearMatrix(np.asarray(projected) - self.means[:n_features], names)

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts(arrays={"directions": self.directions, "means": self.means})


def fit_components(matrix: LinearMatrix, training: TrainingSet) -> Components:
    """Components of the training rows, each row counted once whatever its weight."""
    from sklearn.decomposition import PCA

    rows, columns = matrix.values.shape
    most = min(training.settings["most_components"], columns, rows)
    is_sparse = not isinstance(matrix.values, np.ndarray)
    if columns <= MOST_COVARIANCE_COLUMNS:
        solver = "covariance_eigh"
    else:
        # The library's randomised solver wants dense rows; for sparse ones Lanczos steps need fewer components than columns.
        solver, most = ("arpack", min(most, columns - 1, rows - 1)) if is_sparse else ("randomized", most)
    # Without any variance its shares are 0/0; nobody reads them.
    with np.errstate(invalid="ignore"):
        pca = PCA(most, svd_solver=solver, random_state=training.shared_seed).fit(matrix.values)
    variance = pca.explained_variance_
    kept = max(1, int((variance > SMALLEST_VARIANCE * variance.max(initial=0.0)).sum()))
    directions = np.ascontiguousarray(pca.components_[:kept].T)
    return Components(directions, pca.mean_ @ directions)


def restore_components(parts: Parts) -> Components:
    """From `to_parts`."""
    means = parts.array("means", (None,))
    return Components(parts.array("directions", (None, len(means))), means)


def _settings(workload: Workload) -> Settings:
    return {"most_components": counted(workload.effort, **MOST_COMPONENTS)}


SELECTORS.register(Selector(
    name="pca", version=1, cost_rank=2, summary="principal components",
    settings=_settings, fit=fit_components, restore=restore_components, requires=("sklearn.decomposition",)))
