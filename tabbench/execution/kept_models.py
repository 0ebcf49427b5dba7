"""Keeping what a cell has fitted, until the winner is known."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tabbench.approaches.composed import find_approach
from tabbench.core.approach import FittedApproach
from tabbench.core.cell import Cell, digest
from tabbench.core.errors import BadOption
from tabbench.core.setup import Setup
from tabbench.execution.run import Keep
from tabbench.model.fitted import as_saved
from tabbench.model.saving import save_model
from tabbench.views import FittedView


def keeping_in(folder: Path, setup: Setup, effort: float) -> Keep:
    """Writes what a cell has fitted, so that there is a winner to save where no time is left to fit it on all rows."""
    def keep(cell: Cell, view: FittedView, fitted: FittedApproach) -> None:
        saved = as_saved(setup, find_approach(cell.approach), view, fitted, cell.size, effort, cell.settings)
        with contextlib.suppress(BadOption):  # a full disk must not fail the cell; its result is written next, and says so
            save_model(kept_place(folder, cell.approach), saved)

    return keep


def kept_place(folder: Path, approach: str) -> Path:
    """Where in a folder the model of a split is kept."""
    return folder / f"kept-{digest([approach])[:16]}"
