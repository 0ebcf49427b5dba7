"""Whether a table's reports tell of all that its run's store holds: a kill may come between the last cell and the reports.

A result.json that is not as it was written is none: it is made again from the store.
"""

from __future__ import annotations

import hashlib

from tabbench.core.cell import digest
from tabbench.store.database import Store
from tabbench.suite.layout import RESULT


def note_reported(store: Store) -> None:
    """The reports of all that the store holds have just been written."""
    store.remember(judged=_state_of(store, (store.folder / RESULT).read_bytes()))


def is_reported(store: Store) -> bool:
    """Whether nothing was planned or finished since the reports were written, and nobody has changed what they say."""
    path = store.folder / RESULT
    return path.is_file() and bool(store.recall("judged") == _state_of(store, path.read_bytes()))


def _state_of(store: Store, result: bytes) -> str:
    """Changes with every cell that is planned or finished, and with the result."""
    return digest([store.recall("planned"), sorted(store.finished()), hashlib.sha256(result).hexdigest()])
