"""Changes of a store by somebody who knows its checksums."""

from __future__ import annotations

from dataclasses import replace

from tabbench.store.database import Store


def put_instead(store, result):
    """Put a result in the place of the one that a cell has."""
    store.forget([result.key])
    store.put([result])


def change_results(run, **values):
    """Give all results of a run these values."""
    with Store(run) as store:
        for key in sorted(store.finished()):
            put_instead(store, replace(store.result(key), **values))


def forget_results(run, is_gone):
    """Leave a run as if it had been killed before the cells that `is_gone` tells had a result."""
    with Store(run) as store:
        store.forget([cell.key for cell in store.cells(sorted(store.finished())) if is_gone(cell)])
