"""What was fitted, as a model that can be saved."""

from __future__ import annotations

from typing import Any

from tabbench.core.approach import Approach, FittedApproach
from tabbench.core.setup import Setup
from tabbench.core.versions import versions
from tabbench.model.saving import SavedModel
from tabbench.reading.leaving_out import IDENTIFIER
from tabbench.views import FittedView


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
