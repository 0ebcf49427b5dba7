"""`tabbench suite report`: a suite's result in every format, or two results beside each other. Fits nothing."""

from __future__ import annotations

import json
from pathlib import Path

from tabbench.core.errors import BadData, BadOption, OptionMention
from tabbench.core.suite_result import SuiteResult
from tabbench.report.suite_as_files import report_command, suite_csv, write_suite_reports
from tabbench.report.suite_as_html import suite_html
from tabbench.report.suite_as_json import suite_from_json, suite_json
from tabbench.report.suite_as_markdown import suite_markdown
from tabbench.report.suite_differences import differences_csv, differences_json, differences_markdown, differences_text
from tabbench.report.suite_tables import remarks
from tabbench.store.folder import writing
from tabbench.suite.assemble import suite_result
from tabbench.suite.difference import compare_suites
from tabbench.suite.layout import RESULT, SUITE, TABLES
from tabbench.wording.suite import failed_sentence, not_finished_sentence

FORMATS = ("html", "md", "json", "csv")


def report_suite(folder: str | Path, other: str | Path | None = None, format: str | None = None) -> str:
    """Report a suite, or compare it with another run.

    Parameters
    ----------
    folder : str or Path
        Folder of a suite, or with `other` also the result.json of one.
    other : str or Path or None, default None
        The run to compare it with: a folder or a result.json.
    format : {"html", "md", "json", "csv"} or None, default None
        What to return; csv is the scores of every split, or of two runs a row a table and approach. None writes all reports into
        the suite's folder and returns the verdict, or returns the comparison of two runs as plain text.

    Returns
    -------
    text : str
        The report in that format.

    Raises
    ------
    BadOption
        There is no suite, or the format is unknown.
    BadData
        A result.json is not one of a suite.
    """
    offered = FORMATS if other is None else FORMATS[1:]
    if format is not None and format not in offered:
        raise BadOption.about(OptionMention("format", format), f" is unknown here; choose one of {', '.join(offered)}")
    return _one(Path(folder), format) if other is None else _two(Path(folder), Path(other), format)


def write_and_read(folder: Path) -> SuiteResult:
    """Write every report of the suite in a folder; gives its result."""
    result = suite_result(folder)
    with writing(folder):
        write_suite_reports(result, folder)
    return result


def verdict_text(result: SuiteResult, folder: Path) -> str:
    """The verdict over all tables, what must be known before believing it, and where the report is."""
    failed = failed_sentence(len(result.failures))
    said = [result.verdicts["sentence"].iloc[0], *remarks(result), *([failed] if failed else [])]
    return "\n\n".join([*said, f"Report: {folder / 'report.html'}"]) + "\n"


def what_is_missing(result: SuiteResult) -> list[str]:
    """Which tables have no result or only part of one, and how many fits have failed; nothing if all was run."""
    states = dict(zip(result.tables["name"], result.tables["state"], strict=True))
    return [each for each in (not_finished_sentence(states), failed_sentence(len(result.failures))) if each]


def read_result(path: str | Path) -> SuiteResult:
    """The result of a suite: from the runs in its folder, or from a result.json.

    Parameters
    ----------
    path : str or Path
        A suite's folder, a result.json, or a folder that holds a suite's result.json alone.

    Raises
    ------
    BadOption
        There is no suite.
    BadData
        The file is not the result.json of a suite.
    """
    path = Path(path)
    if (path / TABLES).is_dir() or (path / SUITE).is_file():
        return suite_result(path)
    file = path / RESULT if path.is_dir() else path
    if not file.is_file():
        raise BadOption(f"{path} is neither a suite's folder nor a suite's {RESULT}; one is made by `tabbench suite run NAME`")
    try:
        return suite_from_json(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise BadData(f"{file} is not JSON ({error}); name a suite's folder, or the {RESULT} in one") from error


def _one(folder: Path, format: str | None) -> str:
    if format is None:
        return verdict_text(write_and_read(folder), folder)
    result = suite_result(folder)
    if format == "html":
        return suite_html(result, report_command(folder))
    if format == "md":
        return suite_markdown(result, report_command(folder))
    return suite_json(result) if format == "json" else suite_csv("scores", result.scores)


def _two(first: Path, second: Path, format: str | None) -> str:
    names = (_called(first), _called(second))
    if names[0] == names[1]:
        names = (str(first), str(second))
    found = compare_suites(read_result(first), read_result(second), names=names)
    show = {None: differences_text, "md": differences_markdown, "json": differences_json, "csv": differences_csv}[format]
    return show(found)


def _called(path: Path) -> str:
    return path.resolve().parent.name if path.name == RESULT else path.resolve().name
