"""Names that people can read: approaches and the table get short, single-line, still distinct names.

Programs get the names as they are: JSON and CSV don't come through here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.wording.safe_text import LONGEST_NAME, plain

_NAME_COLUMNS = ("name", "approach", "first", "second", "best", "recommended", "base", "behind", "ahead_below", "ahead_above")


def with_readable_names(comparison: Comparison) -> Comparison:
    """The same comparison with harmless names of at most `LONGEST_NAME` characters and a few more where two would be alike."""
    readable = _distinct(comparison.approaches["name"])
    frames = {name: _renamed(getattr(comparison, name), readable) for name in COLUMNS if name != "findings"}
    table = {**comparison.table}
    for key in ("name", "target"):
        table[key] = plain(table[key], LONGEST_NAME) or "(no name)"
    return replace(comparison, table=table, **frames)


def _distinct(names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        short = wanted = plain(name, LONGEST_NAME) or "(no name)"
        count = 1
        while short in found.values():
            count += 1
            short = f"{wanted} ({count})"
        found[name] = short
    return found


def _renamed(frame: pd.DataFrame, readable: dict[str, str]) -> pd.DataFrame:
    def short(value: Any) -> Any:
        # A skipped part may have a name that was never listed.
        return readable.get(value) or plain(value, LONGEST_NAME) if isinstance(value, str) else value

    changed = frame.copy()
    for column in set(_NAME_COLUMNS) & set(frame.columns):
        changed[column] = pd.Series([short(value) for value in frame[column]], index=frame.index, dtype=object)
    if "decision" in frame.columns and "approaches" in frame.columns:
        lists = [[short(value) for value in values] for values in frame["approaches"]]
        changed["approaches"] = pd.Series(lists, index=frame.index, dtype=object)
    return changed
