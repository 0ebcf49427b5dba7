"""What was fitted, as a model that can be saved; and keeping what a cell has fitted, until it is known who wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tabbench.approaches.composed import find_approach
from tabbench.core.approach import Approach, FittedApproach
from tabbench.core.cell import Cell, digest
from tabbench.core.setup import Setup
from tabbench.core.versions import versions
from tabbench.data.leaving_out import IDENTIFIER
from tabbench.data.views import FittedView
from tabbench.model.saving import SavedModel, save_model
from tabbench.run import Keep


def keeping_in(folder: Path, setup: Setup, effort: float) -> Keep:
    """Writes what a cell has fitted, so that there is a winner to save where no time is left to fit it on all rows."""
    def keep(cell: Cell, view: FittedView, fitted: FittedApproach) -> None:
        save_model(kept_place(folder, cell.approach), as_saved(
            setup, find_approach(cell.approach), view, fitted, cell.size, effort, cell.settings))

    return keep


def kept_place(folder: Path, approach: str) -> Path:
    """Where in a folder the model of a split is kept."""
    return folder / f"kept-{digest([approach])[:16]}"


def as_saved(setup: Setup, approach: Approach, view: FittedView, fitted: FittedApproach, rows: int, effort: float,
             settings: dict[str, Any]) -> SavedModel:
    """A fitted approach with all that predicting for new rows needs. `rows` is how many it has learnt from."""
    table = setup.table
    identifiers = [finding.subject for finding in table.findings if finding.code == IDENTIFIER]
    about = {"table": table.name, "rows": rows, "fingerprint": table.fingerprint, "target": table.target_name,
             "metric": setup.task.metric, "effort": effort, "settings": settings, "tuned": fitted.tuned, "versions": versions(),
             "identifiers": identifiers}
    return SavedModel(approach=approach.name, version=approach.version, task=setup.task, columns=table.columns,
                      view_name=approach.view, view=view.to_parts(), model=fitted.to_parts(), about=about)
