"""What a command does first of all: start what takes long to import, before anything is imported here. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from tabbench.core.executor import LOCAL
from tabbench.execution.processes import start_server
from tabbench.store.folder import DATABASE


def start_importing(folder: Path, *, executor: str, is_fresh: bool) -> None:
    """Start the server of workers, which touches no file; not where a run may lack nothing, or cells run elsewhere."""
    if executor == LOCAL and (is_fresh or not (folder / DATABASE).exists()):
        start_server()
