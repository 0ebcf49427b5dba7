"""The spellings that stand for a missing value. Numbers that do are found by `missing_numbers`."""

from __future__ import annotations

MISSING_EVERYWHERE = ("", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN", "NaT", "NULL", "null",
                      "?",
                      "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "0000-00-00")
"""Nobody means a value by these."""

MISSING_AMONG_VALUES = ("None", "none", "NONE", "missing", "Missing", "MISSING", "-", "--", "---", ".", "..", "*")
"""Missing among numbers, dates and yes/no. Among labels these words may be a label, and stay one ("none", "missing")."""

DASHES = ("-", "--", "---", ".", "..", "*")
"""Missing among a feature's labels too, unless "+" is one of them; never in a target, where - may be a class."""
