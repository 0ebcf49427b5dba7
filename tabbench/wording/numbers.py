"""Numbers as people read them: four significant digits for scores, thousands separators, an en dash for nothing."""

from __future__ import annotations

import math
from typing import Any

NOTHING = "–"
_SIGNIFICANT_DIGITS = 4
_MOST_DECIMALS = 6
"""A log loss below 1e-6 is a solved problem; more zeros would not be read."""


def known(value: Any) -> float | None:
    """A finite float, or None for None, NaN, infinity and pandas' missing values."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def decimals_for(value: float | None) -> int:
    """Decimals that give `value` four significant digits, 0 to 6; a column of scores shares them.

    >>> decimals_for(0.3312), decimals_for(0.0123), decimals_for(523.4), decimals_for(1e6)
    (4, 5, 1, 0)
    """
    if value is None or value == 0:
        return _SIGNIFICANT_DIGITS
    return min(_MOST_DECIMALS, max(0, _SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value)))))


def fixed(value: float | None, decimals: int) -> str:
    """A number with a thousands separator and a fixed number of decimals.

    >>> fixed(3989.44, 1), fixed(None, 3), fixed(-0.5, 2)
    ('3,989.4', '–', '−0.50')
    """
    if value is None:
        return NOTHING
    text = f"{abs(value):,.{decimals}f}"
    return f"−{text}" if value < 0 and float(text.replace(",", "")) else text


def chance(probability: float | None) -> str:
    """To the nearest 10 %, which is how well it is known.

    >>> chance(0.63), chance(0.03), chance(0.06), chance(0.999), chance(None)
    ('60 %', '< 5 %', '10 %', '> 95 %', '–')
    """
    if probability is None:
        return NOTHING
    if not 0.05 <= probability <= 0.95:
        return "< 5 %" if probability < 0.05 else "> 95 %"
    return f"{min(max(round(10 * probability), 1), 9) * 10} %"


def signed(value: float | None, decimals: int) -> str:
    """The same with a plus sign, except for what rounds to zero.

    >>> signed(0.012, 3), signed(-0.012, 3), signed(-0.0001, 3)
    ('+0.012', '−0.012', '0.000')
    """
    text = fixed(value, decimals)
    return f"+{text}" if value is not None and value > 0 and float(text.replace(",", "")) else text


def interval(low: float | None, high: float | None, decimals: int, *, with_sign: bool = False) -> str:
    """Both ends, or a dash when either is unknown.

    >>> interval(0.31, 0.35, 3)
    '0.310 to 0.350'
    """
    if low is None or high is None:
        return NOTHING
    show = signed if with_sign else fixed
    return f"{show(low, decimals)} to {show(high, decimals)}"


def span(low: float | None, high: float | None, decimals: int, *, with_sign: bool = False) -> str:
    """The same where there is little room.

    >>> span(-0.01, 0.02, 2, with_sign=True)
    '−0.01…+0.02'
    """
    return interval(low, high, decimals, with_sign=with_sign).replace(" to ", "…")


def amount(value: float | None) -> str:
    """A cost: seconds, microseconds, megabytes. Three digits at most before the separator sets in.

    >>> [amount(each) for each in (0.004, 0.42, 12.34, 1240.2, 0.0, None)]
    ['<0.01', '0.42', '12.3', '1,240', '0', '–']
    """
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    if value < 0.01:
        return "<0.01"
    if value < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def rows(value: Any) -> str:
    """A number of rows with its separator.

    >>> rows(12000), rows(480.4), rows(None)
    ('12,000', '480', '–')
    """
    number = known(value)
    return NOTHING if number is None else f"{round(number):,}"


def duration(seconds: float | None) -> str:
    """A span of time in the two largest units that matter.

    >>> [duration(each) for each in (0.3, 42, 125, 3780, 200000, None)]
    ['under 1 s', '42 s', '2 min 5 s', '1 h 3 min', '2 d 7 h', 'unknown']
    """
    if seconds is None:
        return "unknown"
    if seconds < 1:
        return "under 1 s"
    whole = int(seconds)
    for unit, size, smaller, smaller_size in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller_size} {smaller}"
    return f"{whole} s"
