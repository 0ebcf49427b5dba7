"""The spellings that stand for a missing value. Numbers that do are found by `missing_numbers`."""

from __future__ import annotations

import re
from collections.abc import Iterable

MISSING_EVERYWHERE = ("", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN", "NaT", "NULL", "null",
                      "?", "\\N",
                      "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "0000-00-00")
"""Nobody means a value by these."""

NOT_AVAILABLE = "NA"
"""Namibia, North America and many another thing, too."""
GUESSED = (NOT_AVAILABLE, "?", "N/A", "n/a", "NULL", "null", "\\N")
"""Of these, what counts no longer as missing where the user names the codes."""

MISSING_AMONG_TRUTH = frozenset(("none", "missing", "-", "--", "---", ".", "..", "*", "n.a.", "n.a", "n/a", "na", "–", "—"))
"""In small letters. Missing beside yes and no."""

MISSING_AMONG_VALUES = MISSING_AMONG_TRUTH | {"unknown", "unk", "unk.", "nil", "not available", "not known", "not recorded",
                                              "not applicable", "no data", "tbd", "#", "--.--"}
"""In small letters. Missing among numbers and dates; among labels these words may be a label, and stay one ("unknown")."""

DASHES = ("-", "--", "---", ".", "..", "*")
"""Missing among a feature's labels too, unless "+" is one of them; never in a target, where - may be a class."""


def code_numbers(words: Iterable[str]) -> list[float]:
    """The numbers among codes for missing.

    >>> code_numbers(["NA", "-9"])
    [-9.0]
    """
    return [float(word) for word in words if re.fullmatch(r"[-+]?[0-9]+(?:\.[0-9]+)?", word)]
