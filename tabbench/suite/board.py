"""A board's folder: submissions in, one page, one Parquet file and one CSV file out; published errors beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tabbench.core.board import FORMAT, PUBLISHED_COLUMNS, ROW_COLUMNS, Board, Submission
from tabbench.core.errors import BadData, BadOption, OptionMention
from tabbench.core.files import write_atomically
from tabbench.report.board import board_html
from tabbench.suite.board_gather import gather_submission
from tabbench.suite.board_merge import all_rows, distinct, settle_duplicates, table_frame
from tabbench.suite.board_overview import overview_of
from tabbench.suite.board_published import SHOWN, read_published, set_beside
from tabbench.suite.board_submission import (
    SUFFIX,
    is_plain_name,
    read_parquet,
    read_submission,
    write_parquet,
    write_submission,
)
from tabbench.suite.board_tabarena import to_tabarena

BOARD_COLUMNS = {**ROW_COLUMNS, "table": "string", "contestant": "string", "by": "string", "confirmed": "int64",
                 "is_conflicting": "bool"}
PAGE, ROWS, CSV, SUBMISSIONS, PUBLISHED = "board.html", "board.parquet", "tabarena.csv", "submissions", "published"
PARQUET = ".parquet"


def export_submission(folder: str | Path, out: str | Path, by: str) -> Submission:
    """Write the results of a finished suite or run as a submission for a board.

    Parameters
    ----------
    folder : str or path
        Folder of a suite or of a run.
    out : str or path
        File to write; its name must end in .board.parquet.
    by : str
        Who hands it in: at most 60 letters, digits, spaces and simple signs.

    Returns
    -------
    submission : Submission
        What was written.

    Raises
    ------
    BadOption
        There is nothing to hand in, or the name or the place cannot be used.
    """
    submission = gather_submission(Path(folder), require_name(by, "by"))
    write_submission(submission, Path(out))
    return submission


def merge_board(inputs: Sequence[str | Path], out: str | Path, *, approaches: Sequence[str] | None = None) -> Board:
    """Merge submissions, suites and runs into a board.

    Equal duplicates count once. Where two submissions give different scores for the same cell, both are kept and named, and the
    approach is compared with nothing at that size of that table.

    Parameters
    ----------
    inputs : sequence of str or path
        Submission files, folders of such files, and folders of suites and runs.
    out : str or path
        Folder of the board: a new one, or that of an earlier board, which is made anew; published results in it are kept.
    approaches : sequence of str or None, default None
        Names on the board to compare over tables; None takes those that were run on most of them.

    Returns
    -------
    board : Board
        What was written.

    Raises
    ------
    BadOption
        Nothing was given, or a place cannot be used.
    BadData
        A submission is damaged, was changed or says what cannot be.
    UnknownName
        One of `approaches` is not on the board.
    """
    if not inputs:
        raise BadOption("nothing was given to merge; give submission files, or folders of suites and runs")
    out = Path(out)
    _require_free(out)
    submissions = distinct([submission for each in inputs for submission in _submissions(Path(each))])
    board = _assemble(submissions, out, approaches)
    names = {f"{each.sha256}{SUFFIX}": each for each in submissions}
    for name, each in names.items():
        write_submission(each, out / SUBMISSIONS / name)
    for path in (out / SUBMISSIONS).glob(f"*{SUFFIX}"):
        if path.name not in names:
            path.unlink()  # of an earlier board in this folder
    _write(board, out, approaches)
    return board


def import_published(file: str | Path, as_name: str, folder: str | Path) -> Board:
    """Set published errors beside the results of a board.

    They are marked as not run here, and take part in no rank, test or interval.

    Parameters
    ----------
    file : str or path
        CSV file with TabArena's columns: dataset, fold, method, metric_error and metric; optionally tid and problem_type.
    as_name : str
        What they are called on the board.
    folder : str or path
        Folder of the board.

    Returns
    -------
    board : Board
        The board with them.

    Raises
    ------
    BadOption
        The folder holds no board, or the name cannot be used.
    BadData
        The file cannot be used, or nothing in it matches a table of the board.
    """
    folder = Path(folder)
    if not (folder / ROWS).is_file():
        raise BadOption(f"{folder} holds no board; make one with tabbench board merge … --out {folder}")
    published = read_published(Path(file))
    about, _ = read_parquet(folder / ROWS, BOARD_COLUMNS)
    submissions = distinct([read_submission(each) for each in sorted((folder / SUBMISSIONS).glob(f"*{SUFFIX}"))])
    tables = table_frame(submissions)
    rows, _ = settle_duplicates(all_rows(submissions, tables), tables, submissions)
    matched, refused = set_beside(published, require_name(as_name, "as"), rows, tables)
    if matched.empty:
        raise BadData(f"nothing in {file} matches a table of the board: {' '.join(refused)}")
    write_parquet(published, PUBLISHED_COLUMNS, {"format": FORMAT, "as": as_name}, folder / PUBLISHED / f"{as_name}{PARQUET}")
    board = _assemble(submissions, folder, about["approaches"])
    _write(board, folder, about["approaches"])
    return board


def require_name(name: str, option: str) -> str:
    """The name, if it can stand on a board and be that of a file.

    Raises
    ------
    BadOption
        It cannot.
    """
    if not is_plain_name(name):
        raise BadOption.about(OptionMention(option), f" {name[:60]!r} cannot be used; give at most 60 letters, digits, spaces "
                              "and any of .()+@- without two dots in a row")
    return name


def _submissions(given: Path) -> list[Submission]:
    if given.is_file():
        return [read_submission(given)]
    files = sorted(given.glob(f"*{SUFFIX}")) if given.is_dir() else []
    if files:
        return [read_submission(each) for each in files]
    if not given.exists():
        raise BadOption(f"there is no {given}; give submission files, or folders of suites and runs")
    name = "".join(each for each in given.resolve().name if is_plain_name(f"x{each}"))
    return [gather_submission(given, require_name(name, "by"))]


def _assemble(submissions: Sequence[Submission], folder: Path, approaches: Sequence[str] | None) -> Board:
    tables = table_frame(submissions)
    rows, conflicts = settle_duplicates(all_rows(submissions, tables), tables, submissions)
    sentence, overview = overview_of(rows, tables, approaches)
    found, refused = _published(folder, rows, tables)
    return Board(sentence, overview, _submission_frame(submissions, rows), tables, rows, conflicts, found, tuple(refused))


def _published(folder: Path, rows: pd.DataFrame, tables: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    frames, refused = [], []
    for path in sorted((folder / PUBLISHED).glob(f"*{PARQUET}")):
        _, published = read_parquet(path, PUBLISHED_COLUMNS)
        frame, sentences = set_beside(published, path.name.removesuffix(PARQUET), rows, tables)
        frames.append(frame)
        refused += sentences
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=SHOWN), refused


def _submission_frame(submissions: Sequence[Submission], rows: pd.DataFrame) -> pd.DataFrame:
    kept = rows["by"].value_counts()
    return pd.DataFrame([{"by": each.by, "sha256": each.sha256, "tables": len(each.tables), "rows": len(each.rows),
                          "new_rows": int(kept.get(each.by, 0))} for each in submissions])


def _require_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / ROWS).is_file())):
        raise BadOption.about(f"{out} holds something else than a board; choose another folder with ", OptionMention("out"))


def _write(board: Board, out: Path, approaches: Sequence[str] | None) -> None:
    about = {"format": FORMAT, "submissions": board.submissions["sha256"].tolist(), "sentence": board.sentence,
             "approaches": None if approaches is None else list(approaches)}
    write_parquet(board.rows, BOARD_COLUMNS, about, out / ROWS)
    try:
        write_atomically(out / CSV, to_tabarena(board.rows, board.tables).to_csv(index=False, lineterminator="\n").encode())
        write_atomically(out / PAGE, board_html(board).encode())
    except OSError as error:
        raise BadOption.about(f"cannot write into {out}: {error.strerror or error}; choose another place with ",
                              OptionMention("out")) from error
