"""Shows a `Comparison` to people and programs: console, HTML, Markdown, JSON, CSV, and a display while it runs.

Reads `core.comparison.Comparison`, or `core.many_tables.TablesComparison`, and nothing else but the guard's words for its
faults: no store, no table, no approach. One module a format, imported on use.
"""

from __future__ import annotations

from tabbench.core.comparison import Comparison
from tabbench.core.errors import UnknownName

FORMATS = ("html", "md", "json", "csv")


def render(comparison: Comparison, format: str) -> str:
    """The whole report as text in one of `FORMATS`.

    Raises
    ------
    UnknownName
        When there is no such format.
    """
    if format == "html":
        from tabbench.report.as_html import to_html

        return to_html(comparison)
    if format == "md":
        from tabbench.report.as_markdown import to_markdown

        return to_markdown(comparison)
    if format == "json":
        from tabbench.report.as_json import to_json_text

        return to_json_text(comparison)
    if format == "csv":
        from tabbench.report.as_csv import to_csv

        return to_csv(comparison)
    raise UnknownName.among("report format", format, FORMATS)
