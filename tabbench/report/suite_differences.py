"""Shows a `TwoSuites`: plain text for a terminal, Markdown, and JSON values. Reads it and nothing else."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

from tabbench.core.two_suites import TwoSuites
from tabbench.report.as_markdown import section
from tabbench.report.tables import ReportTable
from tabbench.wording.numbers import NOTHING, decimals_for, fixed, interval, known, rows, signed
from tabbench.wording.safe_text import markdown, plain, spreadsheet
from tabbench.wording.two_suites import HOW_TO_READ, decided, gap_sentence

SCHEMA = 1
"""The number of the schema of the JSON values."""


def differences_text(found: TwoSuites) -> str:
    """The sentence, what was different, and an Elo gap an approach, for a terminal."""
    lines = [found.sentence, "", *_gaps(found)]
    if found.conditions:
        lines += ["", "How they were run differently:", *(f"  {condition}" for condition in found.conditions)]
    return "\n".join(plain(line) if not line.startswith(" ") else f"  {plain(line)}" for line in lines) + "\n"


def differences_markdown(found: TwoSuites) -> str:
    """The whole report; texts from tables are escaped."""
    parts = [f"# tabbench: {markdown(found.first)} and {markdown(found.second)}", f"**{markdown(found.sentence)}**",
             "\n".join(f"- {markdown(line)}" for line in _gaps(found)),
             *(["## How they were run differently\n\n" + "\n".join(f"- {markdown(line)}" for line in found.conditions)]
               if found.conditions else []),
             *(section(table) for table in (_approaches(found), _cells(found)) if table.rows),
             "## How to read this\n\n" + "\n".join(f"- **{term}**: {markdown(meaning)}" for term, meaning in HOW_TO_READ)]
    return "\n\n".join(part for part in parts if part) + "\n"


def differences_json(found: TwoSuites) -> str:
    """Everything as JSON text; undefined numbers are null."""
    values = {"schema": SCHEMA, "first": found.first, "second": found.second, "sentence": found.sentence,
              "protocol": found.protocol, "conditions": list(found.conditions),
              "approaches": _records(found.approaches), "cells": _records(found.cells)}
    return json.dumps(values, indent=1, allow_nan=False) + "\n"


def differences_csv(found: TwoSuites) -> str:
    """The rows of single tables as CSV, safe to open in a spreadsheet."""
    safe = found.cells.assign(**{name: found.cells[name].map(spreadsheet) for name in ("table", "approach")})
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _gaps(found: TwoSuites) -> list[str]:
    return [gap_sentence(row, found.first, found.second) for row in found.approaches.to_dict("records")]


def _approaches(found: TwoSuites) -> ReportTable:
    header = ("approach", "tables", "typical difference", "95 %", "adjusted p-value", f"P(better in {found.second})",
              "P(equivalent)", f"P(better in {found.first})", "Elo gap", "95 %", "in words")
    cells = [(row["approach"], rows(row["tables"]), signed(known(row["difference"]), 2),
              interval(known(row["low"]), known(row["high"]), 2, with_sign=True), fixed(known(row["chance_all"]), 4),
              *(fixed(known(row[name]), 2) for name in ("p_second_better", "p_equal", "p_first_better")),
              signed(known(row["elo_gap"]), 0), interval(known(row["elo_low"]), known(row["elo_high"]), 0, with_sign=True),
              decided(row["decision"], found.first, found.second)) for row in found.approaches.to_dict("records")]
    return ReportTable("Over tables", header, cells, frozenset(range(1, 10)))


def _cells(found: TwoSuites) -> ReportTable:
    header = ("table", "approach", "training rows", found.first, found.second, "difference", "95 %", "adjusted p-value",
              "in words")
    cells = [_cell(row, found) for row in found.cells.to_dict("records")]
    return ReportTable("Table by table", header, cells, frozenset(range(2, 8)))


def _cell(row: dict[Any, Any], found: TwoSuites) -> tuple[str, ...]:
    decimals = decimals_for(known(row["first_score"]))
    words = decided(row["decision"], found.first, found.second)
    return (row["table"], row["approach"], rows(row["size"]), fixed(known(row["first_score"]), decimals),
            fixed(known(row["second_score"]), decimals), signed(known(row["difference"]), 2),
            interval(known(row["low"]), known(row["high"]), 2, with_sign=True),
            NOTHING if known(row["chance_all"]) is None else f"{row['chance_all']:.4f}",
            words if row["is_paired"] else f"{words}: other splits")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
            for row in frame.to_dict("records")]
