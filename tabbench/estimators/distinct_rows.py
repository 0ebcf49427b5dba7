"""Training rows with equal ones merged, and the user's names of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tabbench.core.finding import Incident
from tabbench.estimators.base import TrainingRows
from tabbench.estimators.features import tie_digests

LARGEST_WEIGHT = 1e150


@dataclass(frozen=True, eq=False)
class DistinctRows:
    """Distinct training rows, each with the sum of the weights of its equal rows, in an order of their own.

    Parameters
    ----------
    rows : TrainingRows
        The distinct rows.
    tie : ndarray
        Digests of the rows, of shape (n,).
    members : list[ndarray]
        For each row, the positions in X of the rows that it stands for.
    contradicted : ndarray
        Positions of the rows that share all features with one of another target.
    differ_in_features : bool
        Whether most rows have features of their own. If few columns of few values describe the rows, noise in the target looks
        like contradiction.
    """

    rows: TrainingRows
    tie: np.ndarray
    members: list[np.ndarray]
    contradicted: np.ndarray
    differ_in_features: bool

    @classmethod
    def of(cls, rows: TrainingRows, positions: np.ndarray) -> DistinctRows:
        """Merge equal rows; `positions` are those of the rows in X."""
        digests = tie_digests(rows.features, rows.target)
        unique, first, inverse, counts = np.unique(digests, return_index=True, return_inverse=True, return_counts=True)
        given = np.ones(len(rows)) if rows.weight is None else rows.weight
        if given.max() > LARGEST_WEIGHT:  # sums of such overflow
            given = given / given.max()
        weight = np.bincount(inverse, weights=given)
        members = np.split(positions[np.argsort(inverse, kind="stable")], np.cumsum(counts)[:-1])
        distinct = replace(rows, features=rows.features.iloc[first].reset_index(drop=True), target=rows.target[first],
                           weight=None if (weight == weight[0]).all() else weight,
                           group=None if rows.group is None else rows.group[first])
        _, same, count = np.unique(tie_digests(distinct.features, np.zeros(len(unique))), return_inverse=True, return_counts=True)
        return cls(distinct, unique, members, np.flatnonzero(count[same] > 1), len(count) > len(digests) / 2)


@dataclass(frozen=True, eq=False)
class RowNames:
    """The user's names of the training rows: labels of the index, or positions."""

    members: list[np.ndarray]
    index: pd.Index | None

    def labels(self, rows: Sequence[int]) -> pd.Index:
        """Return the labels of all rows that these stand for, in the order of X."""
        positions = np.sort(np.concatenate([self.members[row] for row in rows])) if len(rows) else np.array([], dtype=np.int64)
        return pd.Index(positions) if self.index is None else self.index[positions]

    def of_incident(self, given: Incident) -> Incident:
        """Return the incident with the user's labels of the rows that it names."""
        if "rows" not in given.details:
            return given
        return replace(given, details=given.details | {"rows": self.labels(given.details["rows"]).tolist()})
