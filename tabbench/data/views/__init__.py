"""The views of a table: what each kind of learner gets to see of the same rows.

A view is fitted on training rows, never looks at the target, and consists of plain values and arrays.
Knows no learner and no split.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pandas as pd

from tabbench.core.approach import ViewName
from tabbench.core.errors import UnknownName
from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.data.views.linear import LinearView
from tabbench.data.views.net import NetView
from tabbench.data.views.raw import RawView
from tabbench.data.views.trees import TreeView

__all__ = ["FittedView", "fit_view", "restore_view"]


class FittedView(Protocol):
    """A view fitted on training rows."""

    @property
    def name(self) -> ViewName:
        """Which view."""
        ...

    def transform(self, features: pd.DataFrame) -> Any:
        """The rows as frame (raw), `LinearMatrix`, `TreeMatrix` or `NetMatrix`; the frame stays untouched."""
        ...

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        ...


_VIEWS: dict[str, type[RawView] | type[LinearView] | type[TreeView] | type[NetView]] = {
    "raw": RawView, "linear": LinearView, "trees": TreeView, "net": NetView}


def fit_view(name: ViewName, features: pd.DataFrame, columns: Sequence[Column], seed: int) -> FittedView:
    """Learn a view from training rows.

    Parameters
    ----------
    name : which view.
    features : (n, p) training rows, typed as in `Column`.
    columns : the p columns.
    seed : for the randomised decomposition of text.

    Raises
    ------
    UnknownName : no such view.
    """
    if name not in _VIEWS:
        raise UnknownName.among("view", name, _VIEWS)
    return _VIEWS[name].fit(features, tuple(columns), seed)


def restore_view(parts: Parts) -> FittedView:
    """The view that `to_parts` took apart; it transforms bit for bit as before."""
    return _VIEWS[parts.values["view"]].restore(parts)
