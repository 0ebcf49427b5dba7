"""Errors that others have published, set beside ours where dataset, metric and splits match. They take part in no statistics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from tabbench.core.board import PUBLISHED_COLUMNS
from tabbench.core.errors import BadData, BadOption
from tabbench.suite.board_submission import LONGEST_NAME, MOST_FILE_BYTES, MOST_ROWS
from tabbench.suite.board_tabarena import full_size_rows, metric_name_there
from tabbench.verdict.winners import BASELINE
from tabbench.wording.board import mismatch_sentence, unknown_datasets_sentence

NEEDED = ("dataset", "fold", "method", "metric_error", "metric")
ALIASES = {"framework": "method"}
"""What older files call a column."""
NUMBERS = ("fold", "metric_error")
LARGEST = 1e15
"""A larger number is no fold, and no error of a useful prediction."""
SHOWN = ["as_name", "table", "method", "error", "splits", "is_same_task", "own_best", "own_error", "constant_error"]


def read_published(path: Path) -> pd.DataFrame:
    """The rows of a CSV file with TabArena's columns, as `PUBLISHED_COLUMNS`.

    Raises
    ------
    BadOption
        The file cannot be opened.
    BadData
        It lacks a column, is too large, or holds a value that cannot be.
    """
    frame = _texts(path)
    frame = frame.rename(columns={name: ours for name, ours in ALIASES.items() if ours not in frame})
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise BadData(f"{path} lacks the column {missing[0]}; it needs {', '.join(NEEDED)}")
    if frame.empty:
        raise BadData(f"{path} has no rows")
    for name in NUMBERS:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        is_wrong = ~np.isfinite(numbers) | (numbers < 0) | (numbers > LARGEST)
        if name == "fold":
            is_wrong |= numbers % 1 != 0
        if is_wrong.any():
            line = int(np.flatnonzero(is_wrong)[0])
            needed = "a whole number" if name == "fold" else "a number"
            raise BadData(f"{path} has the {name} {frame[name].iloc[line]!r} in row {line + 2}; it must be {needed} of 0 or more")
        frame[name] = numbers.astype(np.int64 if name == "fold" else np.float64)
    frame = frame.reindex(columns=list(PUBLISHED_COLUMNS), fill_value="")
    if frame.duplicated(["dataset", "fold", "method"]).any():
        raise BadData(f"{path} has two rows of one method on one fold of a dataset; keep one of them")
    return frame


def _texts(path: Path) -> pd.DataFrame:
    """The columns that are read, as text."""
    wanted = {*PUBLISHED_COLUMNS, *ALIASES}
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise BadData(f"{path} is larger than {MOST_FILE_BYTES // 1_000_000} MB; leave out datasets that the board lacks")
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, usecols=lambda name: name in wanted, nrows=MOST_ROWS + 1)
    except OSError as error:
        raise BadOption(f"cannot read {path}: {error.strerror or error}") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise BadData(f"{path} is no CSV file ({str(error)[:LONGEST_NAME]})") from error
    if len(frame) > MOST_ROWS:
        raise BadData(f"{path} has more than {MOST_ROWS:,} rows; leave out datasets that the board lacks")
    if any((frame[name].str.len() > LONGEST_NAME).any() for name in frame):
        raise BadData(f"{path} has a value of more than {LONGEST_NAME} characters")
    return frame


def set_beside(published: pd.DataFrame, as_name: str, rows: pd.DataFrame, tables: pd.DataFrame
               ) -> tuple[pd.DataFrame, list[str]]:
    """The published errors that match tables of a board, and sentences about those that don't.

    A dataset matches a table of its OpenML task, else of its name, with the same metric and kind of problem. Its folds must be
    the table's splits; for the same OpenML task, whose splits are fixed, those that both have are enough.
    """
    ours, found, refused, unknown = full_size_rows(rows, tables), [], [], 0
    for dataset, part in published.groupby("dataset", sort=True):
        is_same_task = ours["tid"].ne("") & ours["tid"].isin(set(part["tid"]))
        matched = ours[is_same_task] if is_same_task.any() else ours[ours["table"] == dataset]
        unknown += matched.empty
        for table, own in matched.groupby("table"):
            why = _mismatch(part, own, is_same_task=is_same_task.any())
            if why:
                refused.append(mismatch_sentence(as_name, str(dataset), *why))
            else:
                found += list(_errors(part, own, as_name, str(table), is_same_task=bool(is_same_task.any())))
    if unknown:
        refused.append(unknown_datasets_sentence(as_name, unknown))
    return pd.DataFrame(found, columns=SHOWN), refused


def _mismatch(part: pd.DataFrame, own: pd.DataFrame, *, is_same_task: bool) -> tuple[str, str, str] | None:
    """What does not match, theirs and ours; None where all does."""
    metric, task = metric_name_there(own["metric"].iloc[0]), own["task"].iloc[0]
    metrics, kinds = sorted(set(part["metric"])), sorted(set(part["problem_type"]) - {""})
    if metrics != [metric]:
        return "metric", ", ".join(metrics), metric
    if kinds not in ([], [task]):
        return "kind of problem", ", ".join(kinds), task
    theirs, folds = set(part["fold"]), set(own["split"])
    if theirs != folds and not (is_same_task and theirs & folds):
        return "splits", f"{len(theirs)} (to fold {max(theirs)})", f"{len(folds)} (to fold {max(folds)})"
    return None


def _errors(part: pd.DataFrame, own: pd.DataFrame, as_name: str, table: str, *, is_same_task: bool
            ) -> Iterator[dict[str, object]]:
    """The mean error of each method over the splits that both have; methods that lack one of them are left out."""
    common = set(part["fold"]) & set(own["split"])
    beside = _own_errors(own[own["split"].isin(common)], len(common))
    for method, rows in part[part["fold"].isin(common)].groupby("method", sort=True):
        if len(rows) == len(common):
            yield {"as_name": as_name, "table": table, "method": str(method), "error": float(rows["metric_error"].mean()),
                   "splits": len(common), "is_same_task": is_same_task, **beside}


def _own_errors(own: pd.DataFrame, splits: int) -> dict[str, object]:
    """Our best approach and the constant predictor on the same splits; None where one of them lacks a split."""
    errors = own.groupby(["family", "contestant"])["error"].agg(["mean", "size"])
    means = errors.loc[errors["size"] == splits, "mean"].reset_index()
    is_constant = means["family"] == BASELINE
    best = means[~is_constant].nsmallest(1, "mean")
    return {"own_best": best["contestant"].iloc[0] if len(best) else None,
            "own_error": best["mean"].iloc[0] if len(best) else None,
            "constant_error": means.loc[is_constant, "mean"].min() if is_constant.any() else None}
