"""Second moments of columns and target: all that univariate tests and lasso paths need of the rows.

Knows no selector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.core.approach import TrainingSet
from tabbench.selection.columns import target_columns

SMALLEST_VARIANCE = 1e-12
"""A column with less is constant up to rounding."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted moments; `values` (n, k) dense or CSR, `share` (n,) the rows' shares of the weight, `targets` (n, t) centred.

    `mean`, `variance` (k,); `covariance` (k, t) with the target's columns.
    """

    values: Any
    share: np.ndarray
    targets: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, values: Any, training: TrainingSet) -> Moments:
        """The moments of the training rows."""
        weight = np.ones(len(training)) if training.weight is None else training.weight
        share, targets = weight / weight.sum(), target_columns(training)
        squares = values**2 if isinstance(values, np.ndarray) else values.multiply(values)
        mean = np.asarray(values.T @ share)
        variance = np.maximum(np.asarray(squares.T @ share) - mean**2, 0.0)
        return cls(values, share, targets, mean, variance, np.asarray(values.T @ (targets * share[:, None])))

    @property
    def is_constant(self) -> np.ndarray:
        """Boolean (k,)."""
        return np.asarray(self.variance <= SMALLEST_VARIANCE * np.maximum(1.0, self.mean**2))

    def explained_share(self) -> np.ndarray:
        """(k,) squared correlation with the number or the indicator; of several classes, the correlation ratio."""
        variance = np.where(self.is_constant, 1.0, self.variance)
        spread = (self.share[:, None] * self.targets**2).sum(axis=0)
        if self.targets.shape[1] > 1:
            # The squared distance of a class' mean times the class' share is covariance^2 / share.
            spread = np.maximum((self.share[:, None] * (self.targets > 0)).sum(axis=0), SMALLEST_VARIANCE)
        explained = (self.covariance**2 / np.maximum(spread, SMALLEST_VARIANCE)).sum(axis=1)
        return np.where(self.is_constant, 0.0, explained / variance)

    def correlations(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Among some columns (c, c), and of these with the target's columns (c, t) up to a factor a target column."""
        some, deviation = self.values[:, columns], np.sqrt(np.where(self.is_constant, 1.0, self.variance))[columns]
        weighted = some * self.share[:, None] if isinstance(some, np.ndarray) else some.multiply(self.share[:, None]).tocsr()
        product = some.T @ weighted
        gram = product if isinstance(product, np.ndarray) else product.toarray()
        gram = (gram - np.outer(self.mean[columns], self.mean[columns])) / np.outer(deviation, deviation)
        return gram, self.covariance[columns] / deviation[:, None]
