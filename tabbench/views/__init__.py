"""The views of a table: what each kind of learner gets to see of the same rows.

A view is fitted on training rows, never looks at the target, and consists of plain values and arrays.
Knows no learner and no split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pandas as pd

from tabbench.core.approach import ViewName
from tabbench.core.errors import UnknownName
from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.views.families import FamiliesView
from tabbench.views.linear import LinearView
from tabbench.views.net import NetView
from tabbench.views.raw import RawView
from tabbench.views.trees import TreeView

__all__ = ["FAMILIES", "FittedView", "families_view", "fit_view", "restore_view"]


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


_FAMILIES: dict[ViewName, type[LinearView] | type[TreeView] | type[NetView]] = {
    "linear": LinearView, "trees": TreeView, "net": NetView}
FAMILIES = tuple(_FAMILIES)
"""Views that the view `families` holds, one for each family of learners."""


def fit_view(name: ViewName, features: pd.DataFrame, columns: Sequence[Column], seed: int) -> FittedView:
    """Learn a view from training rows.

    Parameters
    ----------
    name : ViewName
        Which view.
    features : DataFrame
        (n, p) training rows, typed as in `Column`.
    columns : Sequence[Column]
        The p columns.
    seed : int
        For the randomised decomposition of text.

    Raises
    ------
    UnknownName
        No such view.
    """
    if name in ("raw", "given"):
        return RawView.fit(features, tuple(columns), seed)
    if name == "families":
        return families_view(lambda each: fit_view(each, features, columns, seed))
    if name not in _FAMILIES:
        raise UnknownName.among("view", name, ["raw", *FAMILIES, "families"])
    return _FAMILIES[name].fit(features, tuple(columns), seed)


def families_view(view: Callable[[ViewName], Any]) -> FamiliesView:
    """The view `families` of fitted views, each given by its name."""
    return FamiliesView({each: view(each) for each in FAMILIES})


def restore_view(parts: Parts) -> FittedView:
    """The view that `to_parts` took apart; it transforms bit for bit as before."""
    name: ViewName = parts.values["view"]
    if name == "raw":
        return RawView.restore(parts)
    if name == "families":
        return families_view(lambda each: restore_view(parts.children[each]))
    return _FAMILIES[name].restore(parts)
