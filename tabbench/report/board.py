"""A board as one HTML file: the verdict over tables, every table's scores, conflicts, published errors, and who made them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tabbench.core.board import Board
from tabbench.core.phrases import counted
from tabbench.report.as_html import environment
from tabbench.report.many_tables import overview_tables
from tabbench.report.suite_as_html import sorting_script
from tabbench.report.suite_heat_map import SHADES, WORST, MapCell, MapRow
from tabbench.report.tables import MOST_ROWS_IN_SIGHT, ReportTable
from tabbench.wording.board import HOW_TO_READ, conflict_sentence
from tabbench.wording.numbers import NOTHING, decimals_for, fixed, known, rows
from tabbench.wording.terms import metric_name

HASH_SHOWN = 16
CONFLICT = "conflict"


def board_html(board: Board) -> str:
    """A self-contained page; names and texts of strangers are escaped, and only the script that sorts the map may run."""
    header, map_rows = scores_map(board)
    return environment().get_template("board.html.jinja").render(
        board=board, facts=board_facts(board), conflicts=[conflict_sentence(row) for row in board.conflicts.to_dict("records")],
        map_header=header, map_rows=map_rows, published=published_table(board), submissions=submissions_table(board),
        protocols=protocols_table(board),
        overview=[] if board.overview is None else overview_tables(board.overview), how_to_read=HOW_TO_READ,
        **sorting_script())


def board_facts(board: Board) -> list[tuple[str, str]]:
    """What the board is made of, as name and value."""
    confirmed = int((board.rows["confirmed"] > 1).sum())
    return [("submissions", rows(len(board.submissions))), ("tables", rows(len(board.tables))),
            ("approaches", rows(board.rows["contestant"].nunique())), ("results, one a split", rows(len(board.rows))),
            ("confirmed by several people", rows(confirmed)), ("conflicts", rows(len(board.conflicts))),
            ("published methods, not run here", rows(len(board.published[["as_name", "method"]].drop_duplicates())))]


def scores_map(board: Board) -> tuple[list[str], list[MapRow]]:
    """The columns after the table's name, and a row a table: every approach's mean score at its largest common size."""
    names = sorted(board.rows["contestant"].unique())
    found = [_map_row(table, board.rows, names) for table in board.tables.to_dict("records")]
    return ["training rows", "metric", *names], found


def _map_row(table: dict[Any, Any], everything: pd.DataFrame, names: list[str]) -> MapRow:
    own = everything[everything["table"] == table["table"]]
    size = int(own["size"].max())
    own = own[own["size"] == size]
    sound = own[~own["is_conflicting"]].dropna(subset="score").groupby("contestant")["score"].mean()
    best = sound.max() if table["higher_is_better"] else sound.min()
    disputed, decimals = set(own.loc[own["is_conflicting"], "contestant"]), decimals_for(known(best))
    arrow = "↑" if table["higher_is_better"] else "↓"
    about = (MapCell(rows(size), size), MapCell(f"{metric_name(table['metric'])} {arrow}", None))
    return MapRow(str(table["table"]), "", about + tuple(
        MapCell(CONFLICT, None) if name in disputed else _score(sound.get(name), best, table["margin"], decimals)
        for name in names))


def _score(score: float | None, best: float, margin: float, decimals: int) -> MapCell:
    if score is None:
        return MapCell("", None, title="not run")
    behind = abs(score - best) / margin
    shade = next((shade for shade, limit in enumerate(SHADES) if behind <= limit), WORST)
    return MapCell(fixed(float(score), decimals), float(score), shade, f"{behind:.1f} margins behind the best")


def published_table(board: Board) -> ReportTable:
    """Published errors beside the best of ours and the constant prediction's."""
    header = ("table", "published by", "method (not run here)", "its error", "our best", "our error", "constant prediction",
              "splits", "matched by")
    cells = [(row["table"], row["as_name"], row["method"], *_errors(row)[:1], str(row["own_best"] or NOTHING),
              *_errors(row)[1:], rows(row["splits"]), "OpenML task" if row["is_same_task"] else "name, metric and splits")
             for row in board.published.to_dict("records")]
    return ReportTable("Published errors, not run here", header, cells, frozenset({3, 5, 6, 7}),
                       is_folded=len(cells) > MOST_ROWS_IN_SIGHT)


def _errors(row: dict[Any, Any]) -> list[str]:
    decimals = decimals_for(known(row["error"]))
    return [fixed(known(row[name]), decimals) for name in ("error", "own_error", "constant_error")]


def protocols_table(board: Board) -> ReportTable:
    """What tells tables of the same name apart: their content, metric, splits and seed."""
    header = ("table", "fingerprint", "rows", "columns", "target", "metric", "splits", "seed", "source")
    cells = [(row["table"], row["fingerprint"][:HASH_SHOWN], rows(row["rows"]), rows(row["columns"]), row["target"],
              metric_name(row["metric"]), f"{row['split_kind']}, {counted(row['folds'], 'fold')} × {row['repeats']}",
              str(row["seed"]), row["source"]) for row in board.tables.to_dict("records")]
    return ReportTable("What was run", header, cells, frozenset({2, 3, 7}), is_folded=len(cells) > MOST_ROWS_IN_SIGHT)


def submissions_table(board: Board) -> ReportTable:
    """Who has handed in what."""
    cells = [(row["by"], row["sha256"][:HASH_SHOWN], rows(row["tables"]), rows(row["rows"]), rows(row["new_rows"]))
             for row in board.submissions.to_dict("records")]
    return ReportTable("Submissions", ("by", "hash", "tables", "results", "not handed in before"), cells, frozenset({2, 3, 4}))
