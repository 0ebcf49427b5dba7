"""What stands before and behind the digits of a number: sign, currency, magnitude, unit, bounds and marks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tabbench.reading.units import CURRENCIES, OF_MONEY, PER_CENT, known_unit, magnitude

BEFORE = re.compile(r"(?P<bound>[<>≤≥~≈]=?|ca\.?|approx\.?)?\s*(?P<open>\()?\s*(?P<sign>[-+])?\s*"
                    r"(?P<money>[^-+\s()<>0-9]{1,4})?\s*(?P<late_sign>[-+])?\s*", re.IGNORECASE)
MARKS = re.compile(r"\s*(?:[*†‡§]+|\[[0-9a-z]{1,3}\])$")
"""An asterisk or a footnote says something about a number and does not change it."""
FREE_UNIT = re.compile(r"(?:[A-Za-zµ°²³]|(?<=[A-Za-zµ°²³.])[ ./])(?:[A-Za-zµ°²³]|[ ./](?=[A-Za-zµ°²³])){0,11}[0-9²³]?\.?")
"""A unit that is in no list: what all cells of the column share."""
AT_LEAST = re.compile(r" ?\+(?= ?[A-Za-z]|$)")
"""As in 1,000+ and 10+ years."""


@dataclass(frozen=True)
class Affixes:
    """What they say: the number is negative, to be multiplied by a power of ten, in a unit, only a bound, or marked."""

    negative: bool = False
    exponent: int = 0
    unit: str = ""
    bound: str = ""
    is_marked: bool = False


def read_affixes(before: str, after: str) -> Affixes | None:
    """What stands around a number, or None when it is then no number.

    >>> read_affixes("-$", "K")
    Affixes(negative=True, exponent=3, unit='$', bound='', is_marked=False)
    >>> read_affixes("PC ", "") is None
    True
    """
    found = BEFORE.fullmatch(before)
    if found is None or (found["sign"] and found["late_sign"]):
        return None
    money = CURRENCIES.get(found["money"]) if found["money"] else ""
    if money is None:
        return None
    rest, is_marked = MARKS.subn("", after)
    bound, negative = found["bound"] or "", "-" in (found["sign"], found["late_sign"])
    if found["open"]:
        if rest.count(")") != 1 or not (rest.strip().startswith(")") or rest.strip().endswith(")")) or negative:
            return None
        rest, negative = rest.replace(")", ""), True
    elif rest == "-":
        if negative:
            return None
        rest, negative = "", True
    elif AT_LEAST.match(rest) and not bound:
        rest, bound = AT_LEAST.sub("", rest), "+"
    scale = _scale(rest.strip(), money)
    return None if scale is None else Affixes(negative, *scale, bound, bool(is_marked))


def _scale(text: str, money: str) -> tuple[int, str] | None:
    """Power of ten and unit that the text behind a number stands for."""
    if money and text in OF_MONEY:
        return OF_MONEY[text], money
    unit = _unit(text)
    if unit is not None:
        return (0, unit or money) if not (unit and money) or unit == money else None
    for end in range(len(text), 0, -1):
        exponent = magnitude(text[:end])
        if exponent is None or text[end : end + 1].isalpha():
            continue
        behind = text[end:].strip()
        unit = _unit(behind)
        if unit is None:
            unit = f"?{behind}" if FREE_UNIT.fullmatch(behind) else None
        if unit is not None and not (unit and money):
            return exponent, unit or money
    return (0, f"?{text}") if not money and FREE_UNIT.fullmatch(text) else None


def _unit(text: str) -> str | None:
    """The listed unit, currency or per cent sign of this spelling; None for what is in no list."""
    if text == "":
        return ""
    if text in ("%", "percent", "per cent", "pct"):
        return PER_CENT
    if text in CURRENCIES:
        return CURRENCIES[text]
    unit = known_unit(text.replace(" ", "")) if text[0] != "." else None
    return None if unit is None else unit.name
