"""How names and counts are written into sentences. Knows nothing of tables."""

from __future__ import annotations

from collections.abc import Sequence

MOST_SHOWN_CHARACTERS = 60
"""A longer name would hide the sentence that it stands in."""


def shown(name: str) -> str:
    """A name from a file, safe inside one line: control characters escaped, the middle of a long one left out.

    >>> shown("price")
    'price'
    >>> len(shown("x" * 5000))
    60
    """
    line = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)
    if len(line) <= MOST_SHOWN_CHARACTERS:
        return line
    half = (MOST_SHOWN_CHARACTERS - 3) // 2
    return line[: MOST_SHOWN_CHARACTERS - 3 - half] + "..." + line[-half:]


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names as an enumeration, a long one cut short.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c", "d"], most=2)
    ('a, b, c', 'a, b and 2 more')
    """
    written = [shown(name) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(written)} and {len(names) - most:,} more"
    return ", ".join(written)


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "category")
    ('1 row', '1,200 rows', '2 categories')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"
