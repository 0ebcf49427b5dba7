"""The contract of stores, as a function that raises `AssertionError` where it is broken. Knows no test runner."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.errors import TabbenchError

__all__ = ["check_store"]

FOLDS, ACCIDENTS = 3, 20
KEPT = {"text": "µ\n", "numbers": [1, 0.1, None]}


def check_store(make: Callable[[Path], Any]) -> None:
    """Put results into a store, open it again, and damage its files.

    Parameters
    ----------
    make : Callable[[Path], Store]
        Opens the store of an existing folder, making it where there is none, as `tabbench.store.database.Store` does.

    Raises
    ------
    AssertionError
        What was put is not what is given back, also by a store that was opened anew; a second result of a cell takes the
        place of a sound one; or files that were damaged are read as something else instead of being refused.
    """
    cells = [Cell("t", "k", "s", "dummy", 1, {"rounds": 3}, 60, 0, fold, 0, "cpu") for fold in range(FOLDS)]
    results = [Result(cell.key, "ok", predictions=_row(0.1 * cell.fold, 0.9), tuned=KEPT, fit_seconds=0.5) for cell in cells]
    with TemporaryDirectory() as place:
        folder = Path(place, "store")
        folder.mkdir()
        with closing(make(folder)) as store:
            _check_putting(store, cells, results)
        with closing(make(folder)) as store:
            assert _content(store, cells) == _expected(results), "what was put is there when the store is opened again"
        for number in range(ACCIDENTS):
            damaged = shutil.copytree(folder, Path(place, str(number)))
            _damage(damaged, np.random.default_rng(number))
            _check_damaged(make, damaged, cells, _expected(results))


def _check_putting(store: Any, cells: list[Cell], results: list[Result]) -> None:
    store.declare([Batch((cell,)) for cell in cells])
    assert store.finished() == set() and store.result(cells[0].key) is None, "a new store has no results"
    assert store.cells([cell.key for cell in cells]) == cells, "cells come back as they were declared"
    store.remember(kept=KEPT)
    assert store.recall("kept") == KEPT and store.recall("other", 5) == 5, "values are kept by name"
    store.put([replace(results[0], status="timed_out", predictions=None), *results[1:]])
    assert store.settled() == {cell.key for cell in cells[1:]}, "a limit may have ended a cell by accident: it may run again"
    store.put([results[0], replace(results[1], predictions=_row(1, 0))])
    assert _content(store, cells) == _expected(results), "a cell keeps its first result, unless that was an accident"
    store.forget([cells[2].key])
    assert store.finished() == {cell.key for cell in cells[:2]}, "what is forgotten is gone"
    store.put([results[2]])


def _row(*probabilities: float) -> np.ndarray:
    return np.array([probabilities], dtype=np.float32)


def _content(store: Any, cells: list[Cell]) -> dict[str, Any]:
    """All that was put, in plain values, whose equality is that of every bit."""
    found = {cell.key: store.result(cell.key) for cell in cells if cell.key in store.finished()}
    return {"kept": store.recall("kept"), **{key: _plain(result) for key, result in found.items()}}


def _expected(results: list[Result]) -> dict[str, Any]:
    return {"kept": KEPT, **{result.key: _plain(result) for result in results}}


def _plain(result: Result) -> tuple[Any, ...]:
    values = None if result.predictions is None else (result.predictions.dtype, result.predictions.shape,
                                                      result.predictions.tobytes())
    return result.status, result.reason, values, json.dumps(result.tuned, sort_keys=True), result.fit_seconds


def _damage(folder: Path, generator: np.random.Generator) -> None:
    """Overwrite, cut or lengthen one of its files."""
    path = generator.choice(sorted(each for each in folder.rglob("*") if each.is_file() and each.stat().st_size))
    content = path.read_bytes()
    place = int(generator.integers(len(content)))
    path.write_bytes((content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1:],
                      content[:place] + generator.bytes(64) + content[place + 64:], content[:place])[generator.integers(3)])


def _check_damaged(make: Callable[[Path], Any], folder: Path, cells: list[Cell], expected: dict[str, Any]) -> None:
    with suppress(TabbenchError), closing(make(folder)) as store:
        assert _content(store, cells) == expected, "what is damaged is refused by an error of tabbench's, or reads as before"
