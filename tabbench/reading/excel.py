"""A sheet of a workbook becomes an Arrow table: the one named, or the first that holds a table."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData, MissingExtra, UnknownName
from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.reading.frames import as_arrow
from tabbench.reading.layout import Layout
from tabbench.reading.top_rows import Top, find_top, numbered

SEEN_ROWS = 300
OF_DAMAGED_WORKBOOKS = (ValueError, LookupError, TypeError, AttributeError, OSError, RuntimeError, EOFError, SyntaxError,
                        zipfile.BadZipFile, zlib.error)
"""What is raised over archives and XML that no spreadsheet program has written."""


def read_excel(path: Path, shown_name: str, layout: Layout) -> tuple[list[str], list[pa.ChunkedArray], list[Finding]]:
    """Names and columns of the sheet, and what to say about it.

    Raises
    ------
    BadData
        No workbook, or no table in it.
    MissingExtra
        The package that reads workbooks is not installed.
    UnknownName
        There is no such sheet.
    """
    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            return _table(book, shown_name, layout)
    except ImportError as error:
        raise MissingExtra(f"{shown_name} is an Excel file, which needs the package openpyxl; pip install openpyxl") from error
    except (BadData, UnknownName):
        raise
    except OF_DAMAGED_WORKBOOKS as error:
        raise BadData(f"{shown_name} cannot be read as an Excel workbook ({error}); save it as CSV") from error


def _table(book: pd.ExcelFile, shown_name: str, layout: Layout) -> tuple[list[str], list[pa.ChunkedArray], list[Finding]]:
    sheet, cells = _sheet(book, shown_name, layout.sheet)
    rows = [["" if pd.isna(cell) else str(cell) for cell in row] for row in cells.iloc[:SEEN_ROWS].itertuples(index=False)]
    top = find_top(rows) if layout.has_header else Top(numbered(cells.shape[1]), 0)
    findings = list(top.findings)
    names = [str(name) for name in book.sheet_names]
    if len(names) > 1:
        findings.append(Finding("sheets", "info", shown(sheet), f"sheet {shown(sheet)!r} of {counted(len(names), 'sheet')} "
                                f"({first_few(names)}) was read", "name another one with --sheet"))
    body = cells.iloc[top.above:]
    return list(top.names), [as_arrow(body.iloc[:, place].infer_objects()) for place in range(body.shape[1])], findings


def _sheet(book: pd.ExcelFile, shown_name: str, wanted: str | None) -> tuple[str, pd.DataFrame]:
    """Name and cells of a sheet, without its empty rows."""
    names = [str(name) for name in book.sheet_names]
    if wanted is not None and wanted not in names:
        raise UnknownName.among("sheet", shown(wanted), [shown(name) for name in names])
    for name in names if wanted is None else [wanted]:
        # Without a header pandas leaves doubled names alone.
        cells = pd.read_excel(book, sheet_name=name, header=None, dtype=object, keep_default_na=False, na_values=[""])
        cells = cells.dropna(how="all")
        if min(cells.shape) > 1:
            return name, cells
    raise BadData(f"{shown_name} has no table in {'its sheets' if wanted is None else 'the sheet'} ({first_few(names)}); a table "
                  "has a header, rows and two columns at least")
