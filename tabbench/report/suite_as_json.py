"""A suite's result.json, schema 1: a `SuiteResult` as JSON text, one record a line, and back.

What comes from clocks is under `costs` and nowhere else, so that two runs of a suite differ there alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.errors import BadData
from tabbench.core.suite_result import CLOCKED, SUITE_COLUMNS, SUITE_SCHEMA, SuiteResult

FRAMES = tuple(name for name in SUITE_COLUMNS if name not in CLOCKED)
COSTS = {"cells": "cell_costs", "relative": "relative_costs"}
"""The parts of `costs` and their frames."""

_WHOLE = frozenset({"rows", "columns", "classes", "full_size", "size", "folds", "splits", "seed", "failed", "version",
                    "cost_rank", "tables", "sources", "repeat", "fold", "training_rows", "test_rows", "from_size", "to_size"})
_NO_COUNTS = {("ranks", "failed"), ("scores", "failed")}
"""A share and a truth value, though a column of this name counts elsewhere."""


def suite_values(result: SuiteResult) -> dict[str, Any]:
    """Plain values in the order of schema 1; NaN, infinity and missing become None."""
    return {"schema": SUITE_SCHEMA, "suite": result.suite, "protocol": result.protocol,
            **{name: records(name, getattr(result, name)) for name in FRAMES},
            "costs": {part: records(name, getattr(result, name)) for part, name in COSTS.items()}}


def suite_json(result: SuiteResult) -> str:
    """`suite_values` as ASCII text with a line for each record: short, and two results can be compared line by line."""
    return _object(suite_values(result), "") + "\n"


def suite_from_json(values: Any) -> SuiteResult:
    """The result that `suite_values` made.

    Raises
    ------
    BadData
        When it is not the result of a suite, or of another schema.
    """
    if not isinstance(values, dict) or "suite" not in values:
        raise BadData("this is not the result.json of a suite; name a suite's folder, or a result.json that a suite has written")
    if values.get("schema") != SUITE_SCHEMA:
        raise BadData(f"this result.json of a suite has schema {values.get('schema')!r}, not {SUITE_SCHEMA}; read it with the "
                      "tabbench that wrote it")
    missing = [name for name in ("protocol", *FRAMES, "costs") if name not in values]
    if missing:
        raise BadData(f"this result.json of a suite lacks {', '.join(missing)}; make it again with tabbench suite report")
    frames = {name: _frame(name, values[name]) for name in FRAMES}
    costs = {name: _frame(name, values["costs"].get(part, [])) for part, name in COSTS.items()}
    return SuiteResult(values["suite"], values["protocol"], **frames, **costs)


def records(name: str, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows as plain values."""
    columns = {column: [_plain(value, is_whole=_is_whole(name, column)) for value in frame[column]]
               for column in SUITE_COLUMNS[name]}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _is_whole(name: str, column: str) -> bool:
    if name == "crossed":
        return column in ("size", "tables", "ahead", "behind", "open")
    return column in _WHOLE and (name, column) not in _NO_COUNTS


def _plain(value: Any, *, is_whole: bool) -> Any:
    if isinstance(value, list | tuple):
        return [str(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return int(value) if is_whole else value


def _frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = list(SUITE_COLUMNS[name])
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    for column in columns:
        kinds = {type(value) for value in frame[column]}
        if kinds and kinds <= {int}:
            frame[column] = frame[column].astype("int64")
        elif kinds == {bool}:
            frame[column] = frame[column].astype(bool)
        elif kinds & {float} and kinds <= {float, int, type(None)}:
            frame[column] = frame[column].astype("float64")
    return frame


def _object(values: Mapping[str, Any], indent: str) -> str:
    inner = indent + " "
    lines = [f"{inner}{json.dumps(key)}: {_value(value, inner)}" for key, value in values.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _value(value: Any, indent: str) -> str:
    if isinstance(value, dict):
        return _object(value, indent)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        rows = [f"{indent} {json.dumps(each, allow_nan=False)}" for each in value]
        return "[\n" + ",\n".join(rows) + f"\n{indent}]"
    return json.dumps(value, allow_nan=False)
