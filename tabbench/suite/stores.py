"""The stores of many runs as one, for an executor whose workers run cells of all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tabbench.core.cell import Batch, Cell, Result
from tabbench.store.database import Store


class SuiteStores:
    """Puts each result into the store of its own run.

    Parameters
    ----------
    workers : Store
        Remembers the workers; its folder holds their logs.
    """

    def __init__(self, workers: Store) -> None:
        self._workers = workers
        self._store_of: dict[str, Store] = {}
        self._unsynced: set[Store] = set()

    @property
    def folder(self) -> Path:
        """Where the workers' logs are."""
        return self._workers.folder

    def assign(self, batch: Batch, store: Store) -> None:
        """A batch that is about to be run belongs to this store's run."""
        self._store_of |= dict.fromkeys((cell.key for cell in batch.cells), store)

    def release(self, key: str) -> None:
        """A cell has its result."""
        self._store_of.pop(key, None)

    def forget(self, store: Store) -> None:
        """A run's store is about to be closed; results that are still on their way stay in its spool until it is opened again."""
        self._store_of = {key: other for key, other in self._store_of.items() if other is not store}
        self._unsynced.discard(store)

    def folder_of(self, batch: Batch) -> Path:
        """The folder of the run that a batch belongs to."""
        return self._store_of[batch.cells[0].key].folder

    def put(self, results: Iterable[Result]) -> None:
        """Keep results; see `Store.put`."""
        for result in results:
            self._store_of[result.key].put([result])

    def adopt_spooled(self, keys: Iterable[str] | None = None) -> list[Result]:
        """Take over the spooled results of these cells, or of all that were assigned."""
        by_store: dict[Store, list[str]] = defaultdict(list)
        for key in list(self._store_of) if keys is None else keys:
            by_store[self._store_of[key]].append(key)
        self._unsynced.update(by_store)
        return [result for store, own in by_store.items() for result in store.adopt_spooled(own)]

    def sync(self) -> None:
        """Have adopted results survive a power cut; see `Store.sync`."""
        for store in self._unsynced:
            store.sync()
        self._unsynced.clear()

    def note_attempt(self, cells: Iterable[Cell], ended: str, reason: str) -> None:
        """Record an attempt that gave no result."""
        for cell in cells:
            self._store_of[cell.key].note_attempt([cell], ended, reason)

    def note_child(self, pid: int, created: float) -> None:
        """Record a worker; see `Store.note_child`."""
        self._workers.note_child(pid, created)

    def children(self) -> list[tuple[int, float]]:
        """The workers that were recorded."""
        return self._workers.children()

    def forget_children(self) -> None:
        """All of them have ended."""
        self._workers.forget_children()
