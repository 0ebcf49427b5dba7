"""Whether a finished run's files are as they were written, and result.json is what the store gives. Fits and writes nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tabbench.comparison.completed import judged
from tabbench.comparison.resume import recall_run
from tabbench.comparison.run import Run
from tabbench.core.cell import Cell
from tabbench.core.verification import CellPlace, Damage, Difference, FolderCheck
from tabbench.core.versions import versions
from tabbench.report.as_json import to_json
from tabbench.splitting.splits import splits_fingerprint
from tabbench.store.database import Store
from tabbench.store.folder import MANIFEST, require_run

RESULT = "result.json"
FROM_CLOCKS = frozenset({"timing"})
"""Parts of result.json that a later call of the same run may change."""
SCORES = frozenset({"scores"})
"""What other versions of tabbench must give again; the verdict and its words may have become others."""
NAMES = ("bucket", "table", "approach", "name", "first", "second", "size", "metric", "repeat", "fold", "code", "factor", "change",
         "cost", "below")
"""Columns that name a row of result.json."""
DAMAGED = (ValueError, TypeError, LookupError, ArithmeticError)
"""What judging a store raises whose rows somebody has changed: `BadData`, or what comes of values that they lack."""
RELATIVE_TOLERANCE = 1e-6
"""Of a score that is computed again with other versions of the libraries: sums may be taken in another order."""


def check_folder(folder: Path) -> FolderCheck:
    """Check a run's folder.

    Raises
    ------
    BadOption
        There is no run in it, or one without any cell.
    BadData
        Its table, its splits or its store cannot be read at all.
    """
    with Store.reading(require_run(folder)) as store:
        run = recall_run(store)
        table = folder.resolve().name
        intact = {cell.key: store.is_intact(cell.key) for cell in finished_cells(run, store)}
        found = [*_setup_differences(run, store, table), *_cell_differences(run, store, table, intact)]
        is_same = store.recall("identity")["versions"] == versions()
        found += _reported_differences(run, store, table, is_same=is_same)
        return FolderCheck(table, len(intact), tuple(found), is_compared_by_scores=not is_same,
                           is_unfinished=len(intact) < len(run.planned))


def finished_cells(run: Run, store: Store) -> list[Cell]:
    """The planned cells that have a result, in the order of the plan."""
    finished = store.finished()
    return [cell for cell in run.planned if cell.key in finished]


def place_of(cell: Cell, table: str) -> CellPlace:
    """A cell's name for a person."""
    return CellPlace(table, cell.approach, cell.size, cell.repeat, cell.fold)


def _setup_differences(run: Run, store: Store, table: str) -> Iterator[Difference]:
    identity = store.recall("identity")
    if splits_fingerprint(run.setup.splits) != identity["splits"]:
        yield Difference(Damage.SPLITS, table)
    if run.setup.table.fingerprint != identity["table"]:
        yield Difference(Damage.TABLE, table)
    manifest = read_json(store.folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("identity") != identity:
        yield Difference(Damage.MANIFEST, table)


def _cell_differences(run: Run, store: Store, table: str, intact: dict[str, bool]) -> Iterator[Difference]:
    keys = set(store.recall("planned"))
    for cell in run.planned:
        if cell.key not in keys:
            yield Difference(Damage.CELL, table, place_of(cell, table))
        if intact.get(cell.key) is False:
            yield Difference(Damage.RESULT, table, place_of(cell, table))


def _reported_differences(run: Run, store: Store, table: str, *, is_same: bool) -> list[Difference]:
    """Where result.json is not what the store gives."""
    written = read_json(store.folder / RESULT)
    if not (store.folder / RESULT).exists() and len(finished_cells(run, store)) < len(run.planned):
        return []  # it is written when the run ends
    if not isinstance(written, dict):
        return [Difference(Damage.UNREADABLE, table, value=RESULT)]
    try:
        computed = to_json(judged(run, store))
    except DAMAGED as error:
        return [Difference(Damage.UNREADABLE, table, value="run.db", written=str(error))]
    return differences_between(table, written, computed, is_exact=is_same)


def differences_between(table: str, written: Mapping[str, Any], computed: Mapping[str, Any], *, is_exact: bool
                        ) -> list[Difference]:
    """Where the values of a result.json are not those that were computed again.

    Parameters
    ----------
    is_exact : bool
        Whether all of it must be the same; otherwise only the scores, to `RELATIVE_TOLERANCE`.
    """
    sections = {*written, *computed} - FROM_CLOCKS if is_exact else SCORES
    return [each for section in sorted(sections)
            for each in _section_differences(table, section, written.get(section), computed.get(section), is_exact=is_exact)]


def _section_differences(table: str, section: str, written: Any, computed: Any, *, is_exact: bool) -> Iterator[Difference]:
    if _is_frame(written) and _is_frame(computed) and len(written) == len(computed):
        for ours, theirs in zip(computed, written, strict=True):
            row = {name: ours[name] for name in NAMES if name in ours}
            yield from (Difference(Damage.REPORTED, table, None, section, row, *each)
                        for each in _value_differences(theirs, ours, is_exact=is_exact))
    elif isinstance(written, dict) and isinstance(computed, dict):
        yield from (Difference(Damage.REPORTED, table, None, section, None, *each)
                    for each in _value_differences(written, computed, is_exact=is_exact))
    elif written != computed:
        is_list = isinstance(written, list) and isinstance(computed, list)
        if is_list and len(written) != len(computed):
            written, computed = f"{len(written)} rows", f"{len(computed)} rows"
        yield Difference(Damage.REPORTED, table, None, section, None, "", written, computed)


def _is_frame(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _value_differences(written: dict[str, Any], computed: dict[str, Any], *, is_exact: bool) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*computed, *written]):
        theirs, ours = written.get(name), computed.get(name)
        if theirs != ours and (is_exact or not _is_close(theirs, ours)):
            yield name, theirs, ours


def _is_close(first: Any, second: Any) -> bool:
    are_numbers = all(isinstance(each, int | float) for each in (first, second))
    return are_numbers and math.isclose(first, second, rel_tol=RELATIVE_TOLERANCE)


def read_json(path: Path) -> Any:
    """The values of a file; None where it is absent or no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
