"""The table of how each column was read, the doubtful ones first, as plain text cells and heights of bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tabbench.core.comparison import Comparison

TITLES = ("column", "type", "as written → as read", "missing", "note")
KINDS = {"boolean": "yes/no"}
MOST_COLUMNS_SHOWN = 200
"""More would make a page of their own; result.json has all."""
BAR_HEIGHT = 18


@dataclass(frozen=True)
class ColumnRow:
    """The cells of a column, the heights of its histogram's bars, and whether it is doubtful."""

    cells: tuple[str, ...]
    bars: tuple[int, ...]
    is_doubtful: bool


def column_rows(comparison: Comparison) -> list[ColumnRow]:
    """A row for each column, doubtful ones first, then the target, then those that have a note."""
    rows = comparison.table["rows"]
    records = sorted(comparison.columns.to_dict("records"),
                     key=lambda each: (not each["is_doubtful"], each["role"] != "target", not each["note"]))
    return [ColumnRow((record["name"], _kind(record["kind"], record["role"]), _examples(record["examples"]),
                       f"{record['missing'] / rows:.1%}" if record["missing"] else "", record["note"]),
                      _bars(record["histogram"]), bool(record["is_doubtful"])) for record in records[:MOST_COLUMNS_SHOWN]]


def _kind(kind: str, role: str) -> str:
    return KINDS.get(kind, kind) + ("" if role == "feature" else f" ({role})")


def _examples(examples: Sequence[Sequence[str]]) -> str:
    return " | ".join(written if written == read else f"{written} → {read}" for written, read in examples)


def _bars(histogram: Sequence[int]) -> tuple[int, ...]:
    """Heights, of which the highest is `BAR_HEIGHT`; what is there at all shows."""
    highest = max(histogram, default=0)
    return tuple(max(round(BAR_HEIGHT * count / highest), count > 0) for count in histogram) if highest else ()
