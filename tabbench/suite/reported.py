"""Whether a table's reports tell of all that its run's store holds: a kill may come between the last cell and the reports."""

from __future__ import annotations

from tabbench.core.cell import digest
from tabbench.store.database import Store
from tabbench.suite.layout import RESULT


def note_reported(store: Store) -> None:
    """The reports of all that the store holds have just been written."""
    store.remember(judged=_state_of(store))


def is_reported(store: Store) -> bool:
    """Whether nothing was planned or finished since the reports were written."""
    return bool(store.recall("judged") == _state_of(store)) and (store.folder / RESULT).is_file()


def _state_of(store: Store) -> str:
    """Changes with every cell that is planned or finished."""
    return digest([store.recall("planned"), sorted(store.finished())])
