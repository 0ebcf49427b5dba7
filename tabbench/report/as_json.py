"""result.json, schema 1: a `Comparison` as plain JSON values and back.

The order of keys, the plain types and null for every undefined number are a contract; see the design.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS, SCHEMA, Comparison
from tabbench.core.errors import BadData

_FRAMES_BEFORE_SENTENCE = ("approaches", "scores", "winners", "pairs", "crossovers")
_FRAMES_AFTER_SENTENCE = ("other_crossovers", "family_crossovers", "what_if", "selection", "training", "extrapolation",
                          "extrapolated_scores", "findings", "incidents", "failures", "skipped", "costs", "cost_crossovers",
                          "budget_crossovers", "cost_limits", "winner_map", "columns", "tuned")
_WHOLE_NUMBERS = frozenset({"version", "size", "splits", "failed", "repeat", "fold", "nets", "factor", "trained_on", "missing"})
_LATER = frozenset({"selection", "training", "other_crossovers", "family_crossovers", "budget_crossovers", "extrapolation",
                    "extrapolated_scores", "what_if", "cost_limits", "winner_map", "columns", "tuned"})
"""Frames that were added to schema 1: absent in older files, where they are empty."""
_MEASURED = {
    "scores": ("mean", "low", "high"),
    "winners": ("score", "corrected_score", "regret", "regret_bound"),
    "pairs": ("difference", "low", "high"),
    "crossovers": ("low", "high", "point"),
    **dict.fromkeys(("other_crossovers", "family_crossovers", "budget_crossovers"), ("low", "high", "point")),
    "selection": ("n_selected_mean", "stability"),
    "extrapolation": ("difference", "low", "high", "p_overtakes", "n_star_low", "n_star", "n_star_high", "p_never", "last_share"),
    "extrapolated_scores": ("mean", "low", "high"),
    "costs": ("fit_seconds", "predict_us_per_row", "peak_mb", "one_row_us"),
    "cost_crossovers": ("low", "high", "point"),
    "cost_limits": ("below", "down_to"),
    "winner_map": ("budget_seconds",),
}
"""Columns of floats: float64 with NaN in a frame, a float or null in JSON."""


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Plain values in the order of schema 1; NaN, infinity and missing become None."""
    before = {name: _records(name, getattr(comparison, name)) for name in _FRAMES_BEFORE_SENTENCE}
    after = {name: _records(name, getattr(comparison, name)) for name in _FRAMES_AFTER_SENTENCE}
    return {
        "schema": SCHEMA,
        "table": _plain(comparison.table),
        "protocol": _plain(comparison.protocol),
        **before,
        "sentence": comparison.sentence,
        **after,
        "timing": _plain(comparison.timing),
        "reading": list(comparison.reading),
    }


def to_json_text(comparison: Comparison) -> str:
    """`to_json` as indented text. ASCII only, so that no terminal's or pipe's encoding can break it."""
    return json.dumps(to_json(comparison), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def from_json(values: dict[str, Any]) -> Comparison:
    """The comparison that `to_json` wrote.

    Raises
    ------
    BadData
        When the schema is another one or a part is missing.
    """
    if values.get("schema") != SCHEMA:
        found = values.get("schema")
        raise BadData(f"this result.json has schema {found!r}, not {SCHEMA}; read it with the tabbench that wrote it")
    names = (*COLUMNS, "table", "protocol", "sentence", "timing")
    missing = [name for name in names if name not in values and name not in _LATER]
    if missing:
        raise BadData(f"this result.json lacks {', '.join(missing)}; run the comparison again with --fresh")
    frames = {name: _frame(name, values.get(name, [])) for name in COLUMNS}
    return Comparison(
        table=values["table"],
        protocol=values["protocol"],
        sentence=values["sentence"],
        timing=values["timing"],
        reading=tuple(values.get("reading", ())),
        **frames,
    )


def _frame(name: str, records: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(records, columns=list(COLUMNS[name]), dtype=object)
    for column in COLUMNS[name]:
        if column in _MEASURED.get(name, ()):
            frame[column] = frame[column].astype("float64")
        elif column in _WHOLE_NUMBERS and not frame[column].isna().any():
            frame[column] = frame[column].astype("int64")
    return frame


def _records(name: str, frame: pd.DataFrame) -> list[dict[str, Any]]:
    columns = {str(column): [_plain(value) for value in frame[column]] for column in frame.columns}
    for column, values in columns.items():
        # A missing value makes pandas turn a column's whole numbers into floats, and None keeps floats as they came.
        kind = int if column in _WHOLE_NUMBERS else float if column in _MEASURED.get(name, ()) else None
        if kind is not None:
            columns[column] = [None if value is None else kind(value) for value in values]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
