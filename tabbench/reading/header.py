"""The names of columns: trimmed, told apart, doubles resolved. Sees values only to tell equal columns from different ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown


@dataclass(frozen=True, eq=False)
class NamedColumns:
    """Columns by unique name, in the file's order. `ambiguous` names stood over columns of different content."""

    columns: dict[str, pa.ChunkedArray]
    ambiguous: frozenset[str]
    findings: tuple[Finding, ...]


def name_columns(names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> NamedColumns:
    """Give each column a name of its own.

    A nameless column is dropped when it is empty, else called `column 3`. A name that occurs twice is kept once where
    the contents are equal; otherwise the second becomes `name (2)`.
    """
    named: dict[str, pa.ChunkedArray] = {}
    ambiguous: set[str] = set()
    findings: list[Finding] = []
    nameless: list[str] = []
    for position, (raw_name, column) in enumerate(zip(names, columns, strict=True), start=1):
        name = raw_name.strip().strip("\ufeff")
        if not name:
            if _is_empty(column):
                nameless.append(str(position))
                continue
            name = _free_name(f"column {position}", named)
            findings.append(Finding("nameless-column", "info", name, f"column {position} has no name and is called {name!r}"))
        elif name in named:
            if named[name].equals(column):
                findings.append(Finding("double-column", "info", shown(name), f"{shown(name)} occurs twice with equal content; "
                                                                              f"it is kept once"))
                continue
            ambiguous.add(name)
            other = _free_name(name, named)
            findings.append(Finding("double-column", "warn", shown(name),
                                    f"{shown(name)} occurs twice with different content; the second is called {shown(other)!r}",
                                    "give the columns different names in the file"))
            name = other
        named[name] = column
    if nameless:
        findings.append(Finding("nameless-column", "info", first_few(nameless),
                                f"{counted(len(nameless), 'column')} without a name and without values left out"))
    return NamedColumns(named, frozenset(ambiguous), tuple(findings))


def _is_empty(column: pa.ChunkedArray) -> bool:
    if pa.types.is_string(column.type):
        return not pc.any(pc.not_equal(pc.utf8_trim_whitespace(column), "")).as_py()
    return bool(column.null_count == len(column))


def _free_name(name: str, taken: dict[str, pa.ChunkedArray]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"
