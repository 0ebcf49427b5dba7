"""Makes text from a stranger's table harmless: for a terminal, for Markdown, for a spreadsheet.

Knows characters only, not what the text means. HTML is escaped by its template engine.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 48
"""Long enough for real column and approach names; a 5,000-character one must not push a table apart."""

LONGEST_TEXT = 600
"""A message may quote a name or two; beyond this it is not read."""

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|[@-_])|\x9b[0-?]*[ -/]*[@-~]", re.DOTALL)
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control, format (which holds the bidirectional overrides), lone surrogates, line and paragraph separators."""

_MARKDOWN_ANYWHERE = re.compile(r"([\\`*_\[\]<>|~$&])")
_MARKDOWN_AT_START = re.compile(r"^(\d*)([-+#.)](?=\s|$)|#(?=#)|=|-(?=-))")
"""What makes a list, a heading or a rule, and only there: `linear+forest` and `+0.0135` stay as they are."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def plain(text: object, limit: int = LONGEST_TEXT) -> str:
    r"""One line without control, escape and bidirectional characters, shortened in the middle to `limit` characters.

    >>> plain("a\x1b[31mred\x1b[0m\nb\u202e")
    'ared b'
    >>> plain("abcdefghij", limit=5)
    'ab…ij'
    """
    spaced = _ESCAPE_SEQUENCE.sub("", str(text)).replace("\n", " ").replace("\t", " ")
    return shorten(_printable(spaced).strip(), limit)


def plain_lines(text: object) -> str:
    r"""Lines without control, escape and bidirectional characters, as long as they are.

    >>> plain_lines("a\x1b[31mred\n  b\u202e")
    'ared\n  b'
    """
    return "\n".join(_printable(line) for line in _ESCAPE_SEQUENCE.sub("", str(text)).split("\n"))


def _printable(text: str) -> str:
    return "".join(each for each in text if unicodedata.category(each) not in _UNSAFE_CATEGORIES)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the middle left out: both ends of a generated name tell more than its start."""
    if len(text) <= limit:
        return text
    kept = limit - 1
    return text[: kept - kept // 2] + "…" + text[len(text) - kept // 2 :]


def markdown(text: object, limit: int = LONGEST_TEXT) -> str:
    r"""Text that Markdown (tables, inline HTML and bare links included) shows as it is.

    >>> markdown("a|b <i>*c*")
    'a\\|b \\<i\\>\\*c\\*'
    """
    escaped = _MARKDOWN_ANYWHERE.sub(r"\\\1", plain(text, limit))
    escaped = _MARKDOWN_AT_START.sub(r"\1\\\2", escaped)
    return escaped.replace("://", ":\\//").replace("www.", "www\\.")


def spreadsheet(text: str) -> str:
    """Text that a spreadsheet takes for text: a leading formula character gets an apostrophe (CWE-1236).

    >>> spreadsheet("=1+1"), spreadsheet("linear")
    ("'=1+1", 'linear')
    """
    encodable = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return "'" + encodable if encodable.startswith(FORMULA_STARTS) else encodable


def latex(text: object, limit: int = LONGEST_TEXT) -> str:
    r"""Text that LaTeX prints as it is, with signs that its fonts lack as commands.

    >>> latex("a_b & 5 % < $x$")
    'a\\_b \\& 5 \\% $<$ \\$x\\$'
    """
    return "".join(_LATEX.get(character, character) for character in plain(text, limit))


_LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$",
    "−": "$-$", "–": "--", "×": "$\\times$", "≈": "$\\approx$", "≤": "$\\leq$", "↓": "$\\downarrow$", "↑": "$\\uparrow$",
    "…": "\\ldots{}", '"': "\\textquotedbl{}", "µ": "$\\mu$"}
