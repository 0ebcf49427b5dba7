"""The short block that says how a file was understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.core.table import ColumnKind, ColumnReading
from tabbench.reading.typed_column import TypedColumn

MOST_MISSING_COLUMNS_NAMED = 3
FORMS: dict[ColumnKind, tuple[str, str]] = {"number": ("number", "numbers"), "boolean": ("yes/no", "yes/no"),
                                            "category": ("category", "categories"), "text": ("text", "texts"),
         "date": ("date", "dates")}
"""Kind of column -> what one and several are called."""
MOST_COLUMNS_SHOWN = 14
"""With the lines around them they fit on a screen."""
MOST_PLAIN_COLUMNS, FEW_PLAIN_COLUMNS = 200, 20
"""Of more columns than these without a note, so few are examples enough."""
HEADINGS = ("column", "type", "as written → as read", "missing", "note")
WIDEST = (24, 18, 44, 7, 60)
LONGEST_EXAMPLE = 24
SMALLEST_SHOWN_SHARE = 0.0005
"""What is less would be shown as none."""
MOST_NOTED = 2
"""Messages in one line of the block; the findings hold all of them."""
SHOWN_KINDS: tuple[ColumnKind, ...] = ("text", "date")
"""Kinds whose columns are named, as a person will want to check them."""


def reading_block(name: str, description: str, rows: int, target_line: str, features: Mapping[str, TypedColumn],
                  left_out: Sequence[str], dropped: Sequence[str], findings: Sequence[Finding]) -> tuple[str, ...]:
    """At most eight lines: file, target, columns, missing cells, columns left out, rows set aside, what was repaired."""
    kinds = Counter(typed.column.kind for typed in features.values())
    columns = ", ".join(_kind_part(kind, count, features) for kind in FORMS if (count := kinds[kind]))
    lines = [f"{name}: {counted(rows, 'row')}, {counted(len(features), 'feature')} ({description})",
             target_line, f"columns: {columns}", _missing_line(rows, features)]
    if left_out or dropped:
        parts = [f"{first_few(names)} ({why})" for names, why in ((left_out, "see findings"), (dropped, "as asked")) if names]
        lines.append("left out: " + ", ".join(parts))
    for title, codes in NOTED.items():
        messages = [finding.message for finding in findings if finding.code in codes]
        if messages:
            more = f"; and {len(messages) - MOST_NOTED:,} more" if len(messages) > MOST_NOTED else ""
            lines.append(f"{title}: " + "; ".join(messages[:MOST_NOTED]) + more)
    return tuple(lines)


NOTED = {"file": ("delimiter-line", "comment-lines", "title-lines", "row-names", "trailing-delimiter", "two-row-header",
                  "units-row", "sheets", "parts", "first-row-is-data"),
         "rows": ("ragged-rows", "empty-rows", "no-target"),
         "read as missing": ("missing-code", "infinite-value", "stray-word"),
         "repaired": ("double-column", "nameless-column", "merged-labels", "ambiguous-date")}
"""Line of the block -> codes of the findings that it repeats."""


def column_lines(columns: Sequence[ColumnReading], rows: int, most: int | None = MOST_COLUMNS_SHOWN) -> list[str]:
    """A table of how the columns were read, the doubtful ones first, then those that have a note; all with `most=None`."""
    ranked = sorted(columns, key=lambda each: (not each.is_doubtful, each.role != "target", not each.note))
    seen = ranked[:_worth_showing(ranked)] if most is None else ranked[:most]
    cells = [HEADINGS, *(_cells(each, rows) for each in seen)]
    widths = [min(max(len(row[place]) for row in cells), widest) for place, widest in enumerate(WIDEST)]
    lines = ["  ".join(cut(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    if len(ranked) > len(seen):
        more = counted(len(ranked) - len(seen), "more column")
        lines.append(f"and {more}; `tabbench check` shows all" if most else f"and {more} without a note; --json names all")
    return lines


def _worth_showing(ranked: Sequence[ColumnReading]) -> int:
    """All columns, or of a wide table the first few and all that have a note."""
    noted = sum(1 for each in ranked if each.note or each.is_doubtful or each.role == "target")
    return len(ranked) if len(ranked) - noted <= MOST_PLAIN_COLUMNS else noted + FEW_PLAIN_COLUMNS


def cut(text: str, width: int) -> str:
    """A text of at most so many characters.

    >>> cut("a long remark", 8)
    'a long …'
    """
    return text if len(text) <= width else text[:width - 1] + "…"


def _cells(column: ColumnReading, rows: int) -> tuple[str, ...]:
    kind = FORMS[column.kind][0] + ("" if column.role == "feature" else f" ({column.role})")
    examples = " | ".join(example_words(*each) for each in column.examples)
    missing = f"{column.missing / rows:.1%}" if column.missing else ""
    return shown(column.name), kind, examples, missing, column.note


def example_words(written: str, read: str) -> str:
    """A cell as written and as read, once where both are the same.

    >>> example_words("1,234", "1234"), example_words("Bern", "Bern")
    ('1,234 → 1234', 'Bern')
    """
    return written if written == read else f"{cut(written, LONGEST_EXAMPLE)} → {cut(read, LONGEST_EXAMPLE)}"


def _kind_part(kind: ColumnKind, count: int, features: Mapping[str, TypedColumn]) -> str:
    names = [name for name, typed in features.items() if typed.column.kind == kind]
    return f"{count:,} {FORMS[kind][count > 1]}" + (f" ({first_few(names, 3)})" if kind in SHOWN_KINDS else "")


def _missing_line(rows: int, features: Mapping[str, TypedColumn]) -> str:
    counts = {name: typed.missing for name, typed in features.items() if typed.missing}
    if not counts:
        return "missing: no cell"
    share = sum(counts.values()) / (rows * len(features))
    most = sorted(counts, key=lambda name: -counts[name])[:MOST_MISSING_COLUMNS_NAMED]
    named = ", ".join(f"{shown(name)} {counts[name] / rows:.1%}" for name in most)
    shown_share = f"{share:.1%}" if share >= SMALLEST_SHOWN_SHARE else "under 0.1%"
    return f"missing: {shown_share} of the cells in {counted(len(counts), 'column')} (most in {named})"
