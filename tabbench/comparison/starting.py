"""What a command does first of all: start what takes long to import, before anything is imported here. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from tabbench.core.executor import LOCAL
from tabbench.execution.processes import start_server
from tabbench.store.folder import DATABASE

FIRST_UNDER_A_LIMIT = ("sklearn.linear_model", "sklearn.ensemble", "xgboost", "lightgbm")
"""What the first worker has imported before its first cell where time is limited and the usual approaches are compared."""


def start_importing(folder: Path, *, executor: str, is_fresh: bool, is_limited: bool = False) -> None:
    """Start the server of workers, which touches no file; not where a run may lack nothing, or cells run elsewhere.

    With `is_limited` the usual approaches are compared under a time limit.
    """
    if executor == LOCAL and (is_fresh or not (folder / DATABASE).exists()):
        start_server(ahead=FIRST_UNDER_A_LIMIT if is_limited else ())
