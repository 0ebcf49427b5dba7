"""Tables are added to the text of a suite's definition; what else is in it, comments above all, stays as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

from tabbench.suite.definition import SuiteTable, table_entries, table_toml

LIST = re.compile(r"^\s*tables\s*=\s*\[", re.MULTILINE)
TOKEN = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[^"\'#]', re.DOTALL)
"""A text, a comment, or one letter of the rest."""


def with_more_tables(text: str, tables: Sequence[SuiteTable]) -> str:
    """The text of a suite with more tables, behind those that it has.

    >>> print(with_more_tables('tables = [\\n    "a.csv", # ours\\n]', [SuiteTable("b", "b.csv")]))
    tables = [
        "a.csv", # ours
        {name = "b", source = "b.csv"},
    ]
    """
    if not isinstance(tomllib.loads(text).get("tables"), list) or (start := LIST.search(text)) is None:
        return "\n\n".join([text.rstrip("\n"), *("\n".join(table_toml(each)) for each in tables)]) + "\n"
    last, end = _end_of_list(text, start.end())
    comma = "" if text[last - 1] in ",[" else ","
    entries, between = [table_entries(each) for each in tables], text[last:end]
    if "\n" in between:
        line = text.rindex("\n", 0, end) + 1
        return text[:last] + comma + text[last:line] + "".join(f"    {entry},\n" for entry in entries) + text[line:]
    return f"{text[:last]}{comma}{' ' if comma else ''}{', '.join(entries)}{text[last:]}"


def _end_of_list(text: str, begin: int) -> tuple[int, int]:
    """Where a list that begins here has its last entry's end, and its closing bracket."""
    depth, last = 1, begin
    for token in TOKEN.finditer(text, begin):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return last, token.start()
        if not token[0].startswith("#") and not token[0].isspace():
            last = token.end()
    raise ValueError("the list does not end, though the text has been read as TOML")
