"""The rows as their owner gave them, for approaches that are his own: nothing recognised, converted or left out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class GivenRows:
    """Features and, of training rows, labels in their own types.

    Parameters
    ----------
    features : DataFrame
        Of shape (n, p), with the dtypes, the order of columns and the index that they were given with.
    target : Series | None
        Of shape (n,); None for rows to predict.
    is_array : bool, default False
        Whether the features were given as an array, and are handed on as one.
    """

    features: pd.DataFrame
    target: pd.Series | None
    is_array: bool = False

    def __len__(self) -> int:
        return len(self.features)

    @property
    def X(self) -> Any:
        """The features as they are handed to an estimator: a frame of its own, or an array."""
        return self.features.to_numpy(copy=True) if self.is_array else self.features.copy(deep=False)

    def take(self, rows: np.ndarray, *, with_target: bool) -> GivenRows:
        """Return these rows, by position."""
        target = self.target.iloc[rows] if with_target and self.target is not None else None
        return replace(self, features=self.features.iloc[rows], target=target)

    def without(self, columns: Collection[str]) -> GivenRows:
        """Return the rows without some columns, by name; names that are not there are passed over."""
        kept = [str(name).strip() not in columns for name in self.features.columns]
        return replace(self, features=self.features.loc[:, kept])


@dataclass(frozen=True, eq=False)
class Given:
    """The rows of a table in its order, read when an approach asks for them.

    Parameters
    ----------
    load : Callable[[], GivenRows]
        Reads them.
    digest : str
        Of values, types, names and index; part of the keys of cells that learn from them.
    """

    load: Callable[[], GivenRows]
    digest: str = ""
