"""What the description of a saved model says of task and columns, checked before anything is made of it."""

from __future__ import annotations

import math
from typing import Any, get_args

from tabbench.core.notation import DecimalMark, Notation
from tabbench.core.parts import require
from tabbench.core.table import Column, ColumnKind
from tabbench.core.task import TaskKind

FEWEST_CLASSES = {"regression": 0, "binary": 2, "multiclass": 2}
MOST_CLASSES = {"regression": 0, "binary": 2, "multiclass": math.inf}
DECIMAL_MARKS = (*get_args(DecimalMark), "")
PROPERTIES = frozenset(Column.__dataclass_fields__)
OLD_PROPERTIES = PROPERTIES - {"notation"} | {"decimal_comma"}
"""Of a column in model format 1, which did not always say whether labels are merged."""


def require_sound(content: dict[str, Any]) -> None:
    """Refuse what no fitted approach can have had.

    Raises
    ------
    BadData
        A value of another type or range.
    """
    require(isinstance(content["approach"], str) and type(content["version"]) is int and isinstance(content["view_name"], str),
            "its approach is not named")
    _require_task(content["task"])
    columns = content["columns"]
    require(isinstance(columns, list), "its columns are no list")
    for column in columns:
        _require_column(column)
    require(len({column["name"] for column in columns}) == len(columns), "a column occurs twice")
    require(isinstance(content["about"], dict) and _are_texts(content["about"].get("identifiers", [])), "its notes are no notes")


def _require_task(task: dict[str, Any]) -> None:
    require(task["kind"] in get_args(TaskKind) and _are_texts(task["classes"]) and _are_texts(task["metrics"])
            and isinstance(task["metric"], str), "its task is unknown")
    classes = task["classes"]
    require(FEWEST_CLASSES[task["kind"]] <= len(classes) <= MOST_CLASSES[task["kind"]] and len(set(classes)) == len(classes),
            "its classes are too few or the same")


def _require_column(column: dict[str, Any]) -> None:
    require({*column, "merges_labels"} in (PROPERTIES, OLD_PROPERTIES), "a column has other properties")
    require(isinstance(column["name"], str) and column["kind"] in get_args(ColumnKind) and _are_texts(column["levels"])
            and _are_texts(column["missing_words"]), "a column has strange properties")
    require(all(type(column.get(name, False)) is bool for name in ("merges_labels", "decimal_comma")),
            "a column has strange properties")
    if "notation" in column:
        _require_notation(column["notation"])
    levels = column["levels"]
    require(len(set(levels)) == len(levels) and (column["kind"] != "boolean" or len(levels) in (0, 2)),
            "a column has strange levels")
    code, written = column["missing_code"], column["date_format"]
    require(code is None or (type(code) in (int, float) and math.isfinite(code)), "a column has a strange missing code")
    require(written is None or isinstance(written, str), "a column has a strange date format")


def _require_notation(notation: dict[str, Any]) -> None:
    require(set(notation) == set(Notation.__dataclass_fields__), "a column's notation has other properties")
    decimal, thousands, unit = notation["decimal"], notation["thousands"], notation["unit"]
    require(decimal in DECIMAL_MARKS and isinstance(thousands, str) and (not thousands or thousands != decimal)
            and (unit is None or isinstance(unit, str)) and type(notation["is_fraction"]) is bool
            and isinstance(notation["example"], str), "a column has a strange notation")


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
