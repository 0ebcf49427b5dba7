"""Prices of the cells of one run before anything has run: by approach and size, and by what a cell finds done in its batch.

Knows the setup's shape, the approaches and the measured costs; no clock and no process.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.approaches.composed import find_approach
from tabbench.core.approach import ViewName, Workload
from tabbench.core.cell import Cell
from tabbench.core.errors import TabbenchError
from tabbench.core.setup import Setup
from tabbench.costs.prior import UNKNOWN_SPREAD, UNKNOWN_WORK_MB, CellCost, Expected, PriorCosts, Shape
from tabbench.views import FAMILIES

MOST_LEVELS, TEXT_WIDTH = 100, 30
"""Columns that one categorical, or one text, becomes at most in a cost's eyes; rare levels are put together."""
CELL_SECONDS = 0.02
"""Handing out a cell, spooling its result and taking it into the store."""
DEFAULT_SECONDS, DEFAULT_ROWS, DEFAULT_GROWTH = 1.0, 1_000, 0.6
"""A first guess where nothing at all is known; the first cells correct it."""

UNKNOWN = CellCost(Expected(math.nan, UNKNOWN_SPREAD), Expected(UNKNOWN_WORK_MB, UNKNOWN_SPREAD), "unknown")


def shape_of_cells(setup: Setup, rows: int) -> Shape:
    """What the costs of this setup's cells with `rows` training rows depend on."""
    width = sum(min(max(len(column.levels), 1), MOST_LEVELS) if column.kind == "category" else
                TEXT_WIDTH if column.kind == "text" else 1 for column in setup.table.columns)
    test_rows = int(np.mean([len(split.test) for split in setup.splits.splits]))
    return Shape(rows, len(setup.table.columns), width, setup.task.n_classes, test_rows)


@dataclass(frozen=True)
class Price:
    """A cell's expected seconds and the memory that its work adds, given what its batch has done before it."""

    seconds: float
    work_mb: float


class Prices:
    """What cells cost by approach and size.

    Parameters
    ----------
    own : Callable[[str, int], CellCost]
        (approach, size) -> what a cell costs when its views and the fits that it reuses are there.
    view : Callable[[str, int], float]
        (view's name, size) -> seconds to prepare it.
    views : Mapping[str, ViewName] | None, default None
        Approach -> the view that it wants, as far as known.
    """

    def __init__(self, own: Callable[[str, int], CellCost] = lambda approach, size: UNKNOWN,
                 view: Callable[[str, int], float] = lambda name, size: 0.0,
                 views: Mapping[str, ViewName] | None = None) -> None:
        self._own = own
        self._view = view
        self._views = views or {}
        self._kept: dict[tuple[str, int], CellCost] = {}

    @classmethod
    def of_setup(cls, setup: Setup, effort: float, prior: PriorCosts, *, aliases: Mapping[str, str], own: Sequence[str]
                 ) -> Prices:
        """Prices of a run; `own` are the user's estimators, of which nothing is known."""
        shapes: dict[int, Shape] = {}

        def shape(size: int) -> Shape:
            if size not in shapes:
                shapes[size] = shape_of_cells(setup, size)
            return shapes[size]

        def cost(name: str, size: int) -> CellCost:
            if name in own:
                return UNKNOWN
            approach = find_approach(aliases.get(name, name))
            settings = approach.settings(Workload(effort, size, len(setup.table.columns), setup.task.n_classes))
            # An approach that is fitted on some of the rows costs what those cost.
            expected = prior.own(approach.name, effort, shape(min(size, settings.get("fit_rows", size))), approach.version)
            return expected.drawn_to(settings["work_seconds"] * prior.slowness) if "work_seconds" in settings else expected

        return cls(cost, lambda view, size: prior.view(view, shape(size)), _Views(aliases, own))

    def own(self, approach: str, size: int) -> CellCost:
        """What a cell costs when its views and the fits that it reuses are there; seconds are NaN where unknown."""
        if (approach, size) not in self._kept:
            self._kept[approach, size] = self._own(approach, size)
        return self._kept[approach, size]

    def in_batch(self, cells: Sequence[Cell], done: Sequence[str] = ()) -> list[Price]:
        """Prices of a batch's cells in order; views and fits are paid by the first that needs them.

        Parameters
        ----------
        done : Sequence[str]
            Approaches that this batch has fitted before these cells.
        """
        prepared: set[str] = {view for name in done for view in self._views_of(name)}
        fitted, prices = set(done), []
        for cell in cells:
            needed = [name for name in (*members(cell.settings), cell.approach) if name not in fitted]
            views = {view for name in needed for view in self._views_of(name)} - prepared
            costs = [self._guessed(name, cell.size) for name in needed]
            prices.append(Price(CELL_SECONDS + sum(each.seconds.median for each in costs)
                                + sum(self._view(view, cell.size) for view in sorted(views)),
                                max(each.work_mb.median for each in costs)))
            fitted.update(needed)
            prepared |= views
        return prices

    def _guessed(self, name: str, size: int) -> CellCost:
        cost = self.own(name, size)
        if not math.isnan(cost.seconds.median):
            return cost
        guess = DEFAULT_SECONDS * (size / DEFAULT_ROWS) ** DEFAULT_GROWTH
        return CellCost(Expected(guess, cost.seconds.spread), cost.work_mb, cost.known)

    def _views_of(self, name: str) -> tuple[str, ...]:
        view = self._views.get(name)
        return FAMILIES if view == "families" else () if view is None else (view,)


class _Views(dict[str, ViewName]):
    """The view of each approach, looked up when it is asked for."""

    def __init__(self, aliases: Mapping[str, str], own: Sequence[str]) -> None:
        super().__init__(dict.fromkeys(own, "raw"))
        self._aliases = aliases

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            try:
                self[name] = find_approach(self._aliases.get(name, name)).view
            except TabbenchError:
                return default
        return self[name]


def members(settings: Mapping[str, Any]) -> Iterator[str]:
    """Approaches whose fits an approach reuses, those of its members first: it names them in its settings.

    >>> list(members({"members": {"boosting": {"members": {"xgboost": {}}}, "linear": {}}}))
    ['xgboost', 'boosting', 'linear']
    """
    parts = settings.get("members")
    if isinstance(parts, Mapping):
        for name, inner in parts.items():
            yield from members(inner)
            yield str(name)
