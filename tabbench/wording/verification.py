"""The sentences of a verification: one for each thing that differs, then what was compared, then the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tabbench.core.phrases import counted
from tabbench.core.verification import CellPlace, Damage, Difference, FolderCheck, Rerun, RerunCell
from tabbench.wording.safe_text import plain, shorten

MOST_DIFFERENCES = 50
"""A file that was replaced differs everywhere; nobody reads all of it."""
MOST_REPORTED = 10
"""One changed cell changes most of a result.json; the cell itself is what must be seen."""
LONGEST_VALUE = 60


def verification_sentences(checks: Sequence[FolderCheck], cells: Sequence[RerunCell], seed: int) -> tuple[str, ...]:
    """What was found, line by line; what tells most stands last, just before the answer.

    Parameters
    ----------
    checks : Sequence[FolderCheck]
        One a table.
    cells : Sequence[RerunCell]
        The cells that were to be run again.
    seed : int
        With which they were chosen.
    """
    differences = [each for check in checks for each in check.differences]
    lines = [*_first([each for each in differences if each.kind is Damage.REPORTED], MOST_REPORTED),
             *_first([each for each in differences if each.kind is not Damage.REPORTED], MOST_DIFFERENCES),
             *(_rerun(each) for each in sorted(cells, key=lambda each: each.outcome is Rerun.DIFFERS)),
             *_stored(checks), _answer(checks, cells, seed)]
    return tuple(plain(each) for each in lines)


def _first(found: Sequence[Difference], most: int) -> list[str]:
    hidden = len(found) - most
    return [*map(_difference, found[:most]), *([f"… and {hidden:,} more such differences"] if hidden > 0 else [])]


def cell_words(place: CellPlace) -> str:
    """A cell in words.

    >>> cell_words(CellPlace("iris", "linear", 1200, 0, 3))
    'iris: linear, 1,200 rows, repeat 1, fold 4'
    """
    table = shorten(place.table, LONGEST_VALUE)
    return f"{table}: {place.approach}, {place.size:,} rows, repeat {place.repeat + 1}, fold {place.fold + 1}"


def _difference(found: Difference) -> str:
    if found.kind is Damage.RESULT and found.place is not None:
        return f"CHANGED {cell_words(found.place)}: its stored result does not have the checksum with which it was stored"
    if found.kind is Damage.CELL and found.place is not None:
        return f"CHANGED {cell_words(found.place)}: the cell's specification is not the one that its key was made from"
    if found.kind is Damage.REPORTED:
        return _reported(found)
    return f"CHANGED {shorten(found.table, LONGEST_VALUE)}: " + {
        Damage.SPLITS: "the splits are not those that the run was made with",
        Damage.TABLE: "the table is not the one that the run was made with",
        Damage.MANIFEST: "manifest.json does not say what the store says of the run",
        Damage.UNREADABLE: f"{found.value} is absent or cannot be read{f' ({found.written})' if found.written else ''}",
    }[found.kind]


def _reported(found: Difference) -> str:
    row = ", ".join(f"{value:,} rows" if name == "size" and isinstance(value, int) else f"{name} {value + 1}"
                    if name in ("repeat", "fold") and isinstance(value, int) else str(value)
                    for name, value in (found.row or {}).items())
    where = found.section + (f" of {row}" if row else "") + (f", {found.value}" if found.value else "")
    return (f"CHANGED {shorten(found.table, LONGEST_VALUE)}: result.json says {_shown(found.written)} ({where}), "
            f"but the stored predictions give {_shown(found.computed)}")


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "") else shorten(str(value), LONGEST_VALUE)


def _rerun(cell: RerunCell) -> str:
    words = cell_words(cell.place)
    if cell.outcome is Rerun.EQUAL:
        return f"equal   {words}" + ("" if cell.largest is not None else " (it failed again)")
    if cell.outcome is Rerun.NOT_RUN:
        return f"not run {words}: {cell.reason}"
    if cell.gap is None or cell.margin is None:
        return f"DIFFERS {words}: {cell.reason}"
    gap = f"the predictions differ by up to {cell.largest:.3g}, the score by {cell.gap:.3g}"
    if cell.outcome is Rerun.WITHIN_MARGIN:
        return f"close   {words}: {gap}, within the margin of {cell.margin:.3g} ({cell.reason})"
    if cell.reason:
        return f"DIFFERS {words}: {gap}, more than the margin of {cell.margin:.3g} allows ({cell.reason})"
    return f"DIFFERS {words}: {gap}, with the same versions on the same CPU model"


def _stored(checks: Sequence[FolderCheck]) -> Iterator[str]:
    if any(each.is_unfinished and any(found.kind is Damage.REPORTED for found in each.differences) for each in checks):
        yield ("planned cells have no result yet; if a run was interrupted, continue it first, for result.json is written when "
               "it ends")
    older = sum(each.is_compared_by_scores for each in checks)
    if older:
        yield (f"result.json was compared by its scores alone (on {_tables(older)}), because the run was made with other "
               "versions of the libraries")


def _answer(checks: Sequence[FolderCheck], cells: Sequence[RerunCell], seed: int) -> str:
    count = {outcome: sum(each.outcome is outcome for each in cells) for outcome in Rerun}
    changed = sum(len(each.differences) for each in checks)
    rerun = [f"{count[Rerun.EQUAL]:,} equal bit by bit"]
    rerun += [f"{count[outcome]:,} {words}" for outcome, words in (
        (Rerun.WITHIN_MARGIN, "within the margin"), (Rerun.DIFFERS, "different"), (Rerun.NOT_RUN, "not run")) if count[outcome]]
    stored = sum(each.results for each in checks)
    found = f"{changed:,} changed" if changed else "none is changed"
    return (f"{counted(len(cells), 'cell')} chosen with seed {seed}: {', '.join(rerun)}. {counted(stored, 'stored result')} and "
            f"{_files(len(checks))} checked: {found}.")


def _files(count: int) -> str:
    return "one result.json" if count == 1 else f"{count:,} files result.json"


def _tables(count: int) -> str:
    return "one table" if count == 1 else f"{count:,} tables"
