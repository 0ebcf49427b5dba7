"""Numbers and names as they are written in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

MOST_SHOWN_CHARACTERS = 60
"""A longer name would hide the sentence that it stands in."""


def rounded_size(size: float, rounding: Callable[[float], int] = round) -> str:
    """Write a number of rows with two significant digits and thousands separators, by default rounded to the nearest.

    >>> rounded_size(483.0), rounded_size(12_345), rounded_size(7), rounded_size(1_047, math.ceil)
    ('480', '12,000', '7', '1,100')
    """
    digits = max(0, int(math.log10(max(size, 1))) - 1)
    return f"{rounding(size / 10**digits) * 10**digits:,}"


def measured(value: float) -> str:
    """Write a non-negative number with two significant digits, never in exponent form.

    >>> measured(0.01234), measured(1234.6), measured(3.21), measured(0.0)
    ('0.012', '1,235', '3.2', '0')
    """
    if value == 0:
        return "0"
    decimals = max(0, 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


_DURATIONS: tuple[tuple[float, int, int, str], ...] = (
    (20, 5, 1, "second"), (50, 10, 1, "second"), (600, 60, 60, "minute"), (3_300, 300, 60, "minute"),
    (math.inf, 1_800, 3_600, "hour"))
"""Up to so many seconds: the step that they are rounded up to, the unit's length, its name."""


def rough_duration(seconds: float) -> str:
    """Write a duration in round words, rounded up.

    >>> [rough_duration(each) for each in (2, 31, 52, 61, 180)]
    ['about 5 seconds', 'about 40 seconds', 'about 1 minute', 'about 2 minutes', 'about 3 minutes']
    >>> [rough_duration(each) for each in (700, 3_400, 5_000)]
    ['about 15 minutes', 'about 1 hour', 'about 1.5 hours']
    """
    _, step, unit, name = next(each for each in _DURATIONS if seconds <= each[0])
    count = max(math.ceil(seconds / step), 1) * step / unit
    return f"about {count:,g} {name}{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Join names as in a sentence.

    >>> listed(["linear"]), listed(["linear", "mlp"]), listed(["linear", "mlp", "boosting"])
    ('linear', 'linear and mlp', 'linear, mlp and boosting')
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def prefixed(prefix: str, name: str) -> str:
    """Put the prefix before the name; empty if the name is.

    >>> prefixed(" than ", "linear"), prefixed(" than ", "")
    (' than linear', '')
    """
    return prefix + name if name else ""


def shown(name: str) -> str:
    """Make a name from a file safe to show in one line: escape control characters, leave out the middle of a long name.

    >>> shown("price")
    'price'
    >>> len(shown("x" * 5000))
    60
    """
    line = name if name.isprintable() else "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in name)
    if len(line) <= MOST_SHOWN_CHARACTERS:
        return line
    half = (MOST_SHOWN_CHARACTERS - 3) // 2
    return line[: MOST_SHOWN_CHARACTERS - 3 - half] + "..." + line[-half:]


def first_few(names: Sequence[str], most: int = 5) -> str:
    """Join the first few names from a file as in a sentence, and say how many more there are.

    >>> first_few(["a", "b", "c"]), first_few(["a", "b", "c", "d"], most=2)
    ('a, b, c', 'a, b and 2 more')
    """
    written = [shown(name) for name in names[:most]]
    return ", ".join(written) if len(names) <= most else f"{', '.join(written)} and {len(names) - most:,} more"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "category"), counted(2, "approach")
    ('1 row', '1,200 rows', '2 categories', '2 approaches')
    """
    if number == 1:
        return f"1 {noun}"
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + ("es" if noun.endswith(("ch", "ss")) else "s")
    return f"{number:,} {plural}"
