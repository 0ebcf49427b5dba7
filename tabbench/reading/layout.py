"""What a user says about how a table lies in its file, where the file does not tell itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How a table lies in its file.

    Parameters
    ----------
    sheet : str | None, default None
        Sheet of a workbook; by default the first that holds a table.
    has_header : bool, default True
        Whether the first row names the columns; else they are called column 1, column 2 and so on.
    query : str | None, default None
        SELECT statement that gives the table of a SQLite database.
    """

    sheet: str | None = None
    has_header: bool = True
    query: str | None = None


PLAIN = Layout()
"""Nothing is said."""
