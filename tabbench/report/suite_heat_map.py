"""The two maps of a suite's page: tables × approaches, and how often each approach is ahead of each other. Values, no markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd

from tabbench.core.suite_result import ALL, SuiteResult
from tabbench.wording.numbers import decimals_for, fixed, known, rows
from tabbench.wording.terms import metric_name

SHADES = (1.0, 3.0, 10.0, 30.0)
"""Margins behind the best at which a cell gets the next shade: within one it is practically as good as the best."""
WORST = len(SHADES)
"""The shade of everything further behind."""


@dataclass(frozen=True)
class MapCell:
    """What a cell shows, what it is sorted by, its shade (0 is best; -1 is none) and what is told about it."""

    text: str
    value: float | None
    shade: int = -1
    title: str = ""


@dataclass(frozen=True)
class MapRow:
    """A table, where its own report is, and its cells."""

    name: str
    link: str
    cells: tuple[MapCell, ...]


def heat_map(result: SuiteResult) -> tuple[list[str], list[MapRow]]:
    """The columns after the table's name, and a row a table: size, metric, the baseline's and the best score, margins behind."""
    names = [name for name, family in result.families.items() if family != "baseline"]
    at = result.means.set_index(["table", "size", "approach"])
    found = [MapRow(row["name"], quote(row["report"] or ""), _cells(row, names, at)) for row in result.finished.to_dict("records")
             if known(row["size"])]
    return ["training rows", "metric", "baseline", "best score", *names], found


def _cells(row: dict[Any, Any], names: list[str], at: pd.DataFrame) -> tuple[MapCell, ...]:
    decimals = decimals_for(known(row["best_score"]))
    arrow = "↓" if row["direction"] == "lower" else "↑"
    about = (MapCell(rows(row["size"]), row["size"]), MapCell(f"{metric_name(row['metric'])} {arrow}", None),
             *(MapCell(fixed(known(row[name]), decimals), row[name]) for name in ("baseline_score", "best_score")))
    return about + tuple(_behind(at, (row["name"], row["size"], name), decimals) for name in names)


def _behind(at: pd.DataFrame, place: tuple[str, int, str], decimals: int) -> MapCell:
    if place not in at.index:
        return MapCell("", None, title="not run")
    row = at.loc[place]
    behind = float(row["behind_best"])
    shade = next((shade for shade, limit in enumerate(SHADES) if behind <= limit), WORST)
    failed = f", {row['failed']} of {row['splits']} fits failed" if row["failed"] else ""
    return MapCell(f"{behind:.1f}" if behind < 9.95 else f"{behind:,.0f}", behind, shade,
                   f"{fixed(known(row['score']), decimals)}{failed}")


def pair_map(result: SuiteResult) -> tuple[list[str], list[MapRow]]:
    """On what share of all tables the approach of the row is ahead of that of the column; bold where the pair is decided."""
    pairs, names = result.pairs[result.pairs["bucket"] == ALL], list(result.ranks[result.ranks["bucket"] == ALL]["approach"])
    tables = int(result.verdicts[result.verdicts["bucket"] == ALL]["tables"].iloc[0])
    ahead = {(row["first"], row["second"]): (row["first_ahead"], row["decision"]) for row in pairs.to_dict("records")}
    turned = {"first": "second", "second": "first"}
    ahead |= {(second, first): (tables - count, turned.get(said, said)) for (first, second), (count, said) in ahead.items()}
    return names, [MapRow(name, "", tuple(_ahead(ahead.get((name, other)), tables) for other in names)) for name in names]


def _ahead(found: tuple[float, str] | None, tables: int) -> MapCell:
    if found is None:
        return MapCell("", None)
    count, decision = found
    words, mark = {"first": ("shown to be better", " ▲"), "second": ("shown to be worse", " ▽"),
                   "equal": ("practically equal", " =")}.get(decision, ("undecided", ""))
    return MapCell(f"{count:g}{mark}", count, round(WORST * (1 - count / tables)), f"ahead on {count:g} of {tables}: {words}")
