"""Training rows with equal ones taken together, and what the user calls them."""

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
    """Training rows, equal ones once with their weights added up, in an order of their own: a row of weight two is two rows.

    `members` holds for each the positions in X of the rows that it stands for; `contradicted` are those of which another has
    the same features and another target. `differ_in_features`: whether most rows have features of their own; where few columns
    of few values describe the rows, contradiction is how noise looks.
    """

    rows: TrainingRows
    tie: np.ndarray
    members: list[np.ndarray]
    contradicted: np.ndarray
    differ_in_features: bool

    @classmethod
    def of(cls, rows: TrainingRows, positions: np.ndarray) -> DistinctRows:
        """From rows as they were given, at these positions in X."""
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
    """What the user calls the rows that a training numbers: labels of the index, or positions."""

    members: list[np.ndarray]
    index: pd.Index | None

    def labels(self, rows: Sequence[int]) -> pd.Index:
        """Labels of all rows that these stand for, in the table's order."""
        positions = np.sort(np.concatenate([self.members[row] for row in rows])) if len(rows) else np.array([], dtype=np.int64)
        return pd.Index(positions) if self.index is None else self.index[positions]

    def of_incident(self, given: Incident) -> Incident:
        """With the user's labels for the rows that it names."""
        if "rows" not in given.details:
            return given
        return replace(given, details=given.details | {"rows": self.labels(given.details["rows"]).tolist()})
