"""JSON files become Arrow tables: lines of records, arrays of records or rows, and whatever `DataFrame.to_json` writes.

Records within records become columns `outer.inner`. Lists and objects of other shapes are spelled out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.phrases import first_few
from tabbench.reading.frames import as_arrow

BLOCK_BYTES = 16 << 20
"""A JSON line must fit into one block."""
CURE = "write one record a line (DataFrame.to_json with orient='records', lines=True)"
OF_STRANGE_DOCUMENTS = (ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What is raised over texts that are no JSON, and over JSON of forms that only look like a table's."""
INDEX = ""
"""Name of the column of row names, as of a CSV file by pandas."""

Columns = dict[str, list[Any]]


def read_json(path: Path, shown_name: str) -> tuple[pa.Table, str]:
    """The table and what the file was found to be.

    Raises
    ------
    BadData
        The text is no JSON, or no table.
    """
    if _is_lines(path):
        return _lines(path, shown_name), "JSON lines"
    try:
        columns, form = _columns(json.loads(path.read_text(encoding="utf-8-sig")), shown_name)
        return pa.table([_arrow(values) for values in columns.values()], names=list(columns)), form
    except BadData:
        raise
    except OF_STRANGE_DOCUMENTS as error:
        raise BadData(f"{shown_name} cannot be read as JSON ({error}); {CURE}") from error


def _is_lines(path: Path) -> bool:
    """Whether the first line is a whole record; a lone one of nested records is a document."""
    with path.open(encoding="utf-8-sig", errors="replace") as text:
        lines = (line.strip() for line in text)
        first, second = (next((line for line in lines if line), "") for _ in range(2))
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return second.startswith("{") and first.startswith("{") and first.endswith("}")
    return isinstance(record, dict) and (bool(second) or not any(isinstance(each, dict | list) for each in record.values()))


def _lines(path: Path, shown_name: str) -> pa.Table:
    import pyarrow.json

    try:
        table = pyarrow.json.read_json(path, read_options=pyarrow.json.ReadOptions(block_size=BLOCK_BYTES))
    except (pa.ArrowException, UnicodeError) as error:
        problem = str(error).splitlines()[0]
        raise BadData(f"{shown_name} cannot be read as JSON lines: {problem}; write one record a line") from error
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _columns(document: Any, shown_name: str) -> tuple[Columns, str]:
    """The columns of a document, by its form."""
    if isinstance(document, list):
        return _of_array(document, shown_name)
    if isinstance(document, dict):
        if isinstance(document.get("data"), list) and isinstance(document.get("columns"), list):
            return _of_split(document), "JSON by orient='split'"
        if _is_table(document.get("data")) and isinstance(document.get("schema"), dict):
            return _of_described(document), "JSON by orient='table'"
        arrays = [name for name, value in document.items() if _is_table(value)]
        if len(arrays) == 1 and not all(isinstance(value, list) for value in document.values()):
            columns, form = _of_array(document[arrays[0]], shown_name)
            return columns, f"{form} under {arrays[0]!r}"
        if len(arrays) > 1:
            raise BadData(f"{shown_name} holds several tables ({first_few(arrays)}); keep one of them, or {CURE}")
        if document and all(isinstance(value, dict) for value in document.values()):
            return _of_objects(document)
        if document and all(isinstance(value, list) for value in document.values()):
            return _of_lists(document, shown_name)
    raise BadData(f"{shown_name} is JSON, but no table: neither records nor columns; {CURE}")


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _of_array(rows: list[Any], shown_name: str) -> tuple[Columns, str]:
    if rows and all(isinstance(row, dict) for row in rows):
        return _of_records(rows), "JSON array of records"
    if rows and all(isinstance(row, list) for row in rows):
        if isinstance(rows[0][0] if rows[0] else None, str) and all(isinstance(name, str) for name in rows[0]) and len(rows) > 1:
            return _of_rows(rows[0], rows[1:]), "JSON array of rows, the first of them names"
        return _of_rows([f"column {place}" for place in range(1, max(map(len, rows)) + 1)], rows), "JSON array of rows"
    raise BadData(f"{shown_name} is a JSON array, but not of records; {CURE}")


def _of_records(records: Sequence[Mapping[str, Any]]) -> Columns:
    flat = [_flattened(record) for record in records]
    names = dict.fromkeys(name for record in flat for name in record)
    return {name: [record.get(name) for record in flat] for name in names}


def _flattened(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        flat |= _flattened(value, f"{before}{name}.") if isinstance(value, dict) and value else {before + name: value}
    return flat


def _of_rows(names: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Columns:
    return {str(name): [row[place] if place < len(row) else None for row in rows] for place, name in enumerate(names)}


def _of_split(document: Mapping[str, Any]) -> Columns:
    names = [" ".join(map(str, name)) if isinstance(name, list) else name for name in document["columns"]]
    return _with_row_names(document.get("index", []), _of_rows(names, document["data"]))


def _of_described(document: Mapping[str, Any]) -> Columns:
    columns = _of_records(document["data"])
    keys = document["schema"].get("primaryKey", [])
    if keys != ["index"] or "index" not in columns:  # an index that has a name is a column like others
        return columns
    return _with_row_names(columns.pop("index"), columns)


def _of_objects(document: Mapping[str, Mapping[str, Any]]) -> tuple[Columns, str]:
    """Columns of cells by row, or rows of cells by column: row names are numbers, or else there are more of them."""
    outer, inner = list(document), list(dict.fromkeys(name for value in document.values() for name in value))
    outer_counts, inner_counts = _is_counted(outer), _is_counted(inner)
    if outer_counts if outer_counts != inner_counts else len(outer) > len(inner):
        return _with_row_names(outer, _of_records(list(document.values()))), "JSON by orient='index'"
    columns = {name: [cells.get(row) for row in inner] for name, cells in document.items()}
    return _with_row_names(inner, columns), "JSON by orient='columns'"


def _of_lists(document: Mapping[str, list[Any]], shown_name: str) -> tuple[Columns, str]:
    if len({len(values) for values in document.values()}) > 1:
        raise BadData(f"{shown_name} holds columns of different length; {CURE}")
    return dict(document), "JSON columns"


def _with_row_names(names: Sequence[Any], columns: Columns) -> Columns:
    """The columns, after one of row names unless these only count."""
    return columns if _is_counted(names) else {INDEX: list(names)} | columns


def _is_counted(names: Sequence[Any]) -> bool:
    return all(str(name).isdigit() for name in names)


def _arrow(values: list[Any]) -> pa.ChunkedArray:
    spelled = [json.dumps(value) if isinstance(value, list | dict) else value for value in values]
    return as_arrow(pd.Series(spelled, dtype=object))
