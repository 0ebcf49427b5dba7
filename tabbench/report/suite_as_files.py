"""Writes a suite's result in every format, each file whole or not at all."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

import pandas as pd

from tabbench.core.files import write_atomically
from tabbench.core.suite_result import SUITE_COLUMNS, SuiteResult
from tabbench.report.suite_as_html import suite_html
from tabbench.report.suite_as_json import records, suite_json
from tabbench.report.suite_as_latex import latex_tables
from tabbench.report.suite_as_markdown import suite_markdown
from tabbench.wording.safe_text import spreadsheet


def write_suite_reports(result: SuiteResult, folder: Path) -> None:
    """Write result.json, report.html, report.md and the folders csv, parquet and latex into the suite's folder."""
    command = report_command(folder)
    write_atomically(folder / "result.json", suite_json(result).encode())
    write_atomically(folder / "report.html", suite_html(result, command).encode("utf-8"))
    write_atomically(folder / "report.md", suite_markdown(result, command).encode("utf-8"))
    contents = {f"csv/{name}.csv": suite_csv(name, getattr(result, name)).encode("utf-8") for name in SUITE_COLUMNS}
    contents |= {f"parquet/{name}.parquet": _parquet(name, getattr(result, name)) for name in SUITE_COLUMNS}
    contents |= {f"latex/{name}.tex": text.encode("utf-8") for name, text in latex_tables(result, command).items()}
    for path, content in contents.items():
        (folder / path).parent.mkdir(exist_ok=True)
        write_atomically(folder / path, content)


def report_command(folder: Path) -> str:
    """The command that makes the reports of the suite in a folder, from the folder beside it."""
    return f"tabbench suite report {shlex.quote(folder.resolve().name)}"


def suite_csv(name: str, frame: pd.DataFrame) -> str:
    """One frame as CSV, safe to open in a spreadsheet; lists are joined by spaces."""
    shown = _table_of(name, frame)
    for column in shown.columns:
        shown[column] = pd.Series([spreadsheet(" ".join(value) if isinstance(value, list) else value)
                                   if isinstance(value, str | list) else value for value in shown[column]], dtype=object)
    return str(shown.to_csv(index=False, lineterminator="\n"))


def _parquet(name: str, frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    _table_of(name, frame).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _table_of(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as result.json has it: whole numbers stay whole beside missing ones."""
    return pd.DataFrame(records(name, frame), columns=list(SUITE_COLUMNS[name])).convert_dtypes()
