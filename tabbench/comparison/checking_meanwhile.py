"""The checks of a table while its first cells run: they take seconds in which nobody has to wait for them.

Runs the checks in a thread, or at once where cells run in this process; knows no cell.
"""

from __future__ import annotations

import threading

from tabbench.comparison.prepare import Prepared, findings_of
from tabbench.core.finding import Finding

_TURN = threading.Lock()
"""Tables of a suite are checked one after the other: threads that load scikit-learn at the same time find modules of each other's
that are half loaded."""


class Checking:
    """Checks that are under way.

    Parameters
    ----------
    prepared : Prepared
        The table.
    in_thread : bool, default True
        Whether they go on beside what comes next. Not beside cells of this process: a library that is loaded in one thread, and
        threadpoolctl looking through all libraries in the other, wait for each other forever.
    """

    def __init__(self, prepared: Prepared, *, in_thread: bool = True) -> None:
        self._prepared = prepared
        self._found: tuple[Finding, ...] | None = None
        if not in_thread:
            self._run()
        # A daemon, so that an interruption need not wait for it.
        self._thread = threading.Thread(target=self._run, daemon=True)
        if in_thread:
            self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether `finish` would not wait."""
        return not self._thread.is_alive()

    def finish(self) -> Prepared:
        """The same setup with all its findings; waits for them."""
        if self._thread.ident is not None:
            self._thread.join()
        # A check that failed in the thread fails here, where it can be told.
        found = findings_of(self._prepared.setup) if self._found is None else self._found
        return Prepared(self._prepared.setup, tuple(dict.fromkeys((*self._prepared.findings, *found))))

    def _run(self) -> None:
        with _TURN:
            self._found = findings_of(self._prepared.setup)
