"""The report on a terminal: the standings as a table that fits the width, then a few lines, the sentence last.

Texts from the table go through `safe_text`; nothing is read as rich's markup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tabbench.core.comparison import Comparison
from tabbench.report.incidents import incident_groups, incident_line
from tabbench.report.more_rows import more_rows_lines
from tabbench.report.selecting import selection_lines
from tabbench.report.sensitivity import sensitivity_line
from tabbench.report.standings import Standing, full_size, standings, winner_at
from tabbench.wording.findings import of_a_kind_as_one, sentence
from tabbench.wording.names import with_readable_names
from tabbench.wording.numbers import amount, decimals_for, duration, fixed, known, rows, signed, span
from tabbench.wording.safe_text import plain, shorten
from tabbench.wording.terms import (
    RANK_NOTE,
    SEVERITIES,
    better_is,
    crossing,
    failure,
    metric_title,
    outcomes_by_size,
    recommendation_note,
    skips,
    splits_used,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_LONGEST_NAME_IN_TABLE = 20
_LONGEST_KEY = 12
_WRAPPING_LOSS = 16
"""What the end of the first of two lines loses to a word that does not fit."""
_MOST_LINES_OF_A_KIND = 12
"""Failures come by the dozen when an approach never works; the files hold them all."""

_NEAR_ASCII = str.maketrans(
    {"–": "-", "−": "-", "…": "..", "µ": "u", "↓": "(low)", "↑": "(high)", "²": "2", "·": "-", "✓": "*", "×": "x"},
)


@dataclass(frozen=True)
class _Column:
    title: str
    show: Callable[[Standing], str]
    is_number: bool = True


def print_report(comparison: Comparison, console: Console, size: int | None = None) -> None:
    """Print the standings at `size` (default: the largest that was judged) and what else a reader must know.

    Raises
    ------
    BadOption
        When nothing was scored at `size`.
    """
    comparison = with_readable_names(comparison)
    shown = full_size(comparison) if size is None else size
    if shown is not None:
        _print_standings(comparison, console, shown)
    _print_block(console, "Best by size", outcomes_by_size(comparison))
    crossings = [crossing(row) for row in comparison.crossovers.to_dict("records")]
    crossings += [crossing(row, "fit time") for row in comparison.cost_crossovers.to_dict("records")]
    _print_block(console, "Crossings", [("", line) for line in crossings])
    _print_block(console, "More rows", [("", line) for line in more_rows_lines(comparison, about_best=True)])
    _print_block(console, "Feature selection", [("", line) for line in selection_lines(comparison)])
    findings = of_a_kind_as_one([row for row in comparison.findings.to_dict("records") if row["severity"] != "info"])
    _print_block(console, "About the data", [(SEVERITIES[row["severity"]], sentence(row)) for row in findings])
    groups = incident_groups(comparison)
    _print_block(console, "Incidents in training", [(group.code, incident_line(group)) for group in groups])
    _print_block(console, "Skipped", [("", f"{what}: {why}") for what, why in skips(comparison)])
    _print_block(console, "Failed", [("", failure(row)) for row in comparison.failures.to_dict("records")])
    if line := sensitivity_line(comparison, room=2 * console.width - _WRAPPING_LOSS):
        _print_line(console, "")
        _print_line(console, line)
    _print_line(console, "")
    _print_line(console, comparison.sentence, style="bold")


def _print_standings(comparison: Comparison, console: Console, size: int) -> None:
    table = standings(comparison, size)
    protocol = comparison.protocol
    described = comparison.table
    about = (
        f"{described['name']}: {described['target']}",
        f"trained on {rows(size)} of {rows(described['rows'])} rows",
        splits_used(protocol),
        better_is(comparison),
        duration(known(comparison.timing.get("wall_seconds"))),
    )
    _print_line(console, " · ".join(about), style="bold")
    for group in _fitting(console, table, _columns(comparison, decimals_for(table[0].mean))):
        console.print()
        console.print(_rich_table(console, table, group))
    _print_line(console, "")
    _print_line(console, RANK_NOTE + recommendation_note(winner_at(comparison, size)), style="dim")


def _columns(comparison: Comparison, decimals: int) -> list[_Column]:
    title = metric_title(comparison)
    return [
        _Column("#", lambda each: str(each.rank)),
        _Column("approach", _name, False),
        _Column(title.replace(" ", "\n", title.count(" ") - 1), lambda each: fixed(each.mean, decimals)),
        _Column("interval", lambda each: span(each.low, each.high, decimals)),
        _Column("difference\nto best", lambda each: signed(each.difference, decimals)),
        _Column("interval", lambda each: span(each.difference_low, each.difference_high, decimals, with_sign=True)),
        _Column("verdict", lambda each: each.verdict, False),
        _Column("fit s", lambda each: amount(each.fit_seconds)),
        _Column("predict\nµs/row", lambda each: amount(each.predict_us_per_row)),
        _Column("fit\nMB", lambda each: amount(each.peak_mb)),
        _Column("failed", lambda each: str(each.failed)),
    ]


def _name(each: Standing) -> str:
    return shorten(each.approach, _LONGEST_NAME_IN_TABLE) + (" ✓" if each.is_recommended else "")


def _fitting(console: Console, table: list[Standing], columns: list[_Column]) -> list[list[_Column]]:
    """All columns in one table where they fit; else several tables that repeat rank and approach."""
    keys, rest = columns[:2], columns[2:]
    if _width(console, table, columns) > console.width:
        rest = [columns[place] for place in (2, 4, 5, 6, 3, 7, 8, 9, 10)]  # the verdict goes into the first table
    groups = [list(keys)]
    for column in rest:
        if len(groups[-1]) > len(keys) and _width(console, table, [*groups[-1], column]) > console.width:
            groups.append(list(keys))
        groups[-1].append(column)
    return groups


def _width(console: Console, table: list[Standing], columns: list[_Column]) -> int:
    return console.measure(_rich_table(console, table, columns), options=console.options.update(width=10_000)).maximum


def _rich_table(console: Console, table: list[Standing], columns: Sequence[_Column]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for column in columns:
        title = Text(_encodable(console, column.title))
        drawn.add_column(title, justify="right" if column.is_number else "left", overflow="fold", vertical="bottom")
    for each in table:
        cells = [Text(_encodable(console, column.show(each))) for column in columns]
        drawn.add_row(*cells, style="bold" if each.leads else "")
    return drawn


def _print_block(console: Console, title: str, lines: list[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not lines:
        return
    _print_line(console, "")
    _print_line(console, title, style="bold")
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for key, line in lines[:_MOST_LINES_OF_A_KIND]:
        grid.add_row(Text(_encodable(console, plain(key, _LONGEST_KEY))), Text(_encodable(console, plain(line))))
    if len(lines) > _MOST_LINES_OF_A_KIND:
        grid.add_row("", f"and {len(lines) - _MOST_LINES_OF_A_KIND} more")
    console.print(grid)


def _print_line(console: Console, line: str, *, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(_encodable(console, plain(line)), style=style))


def _encodable(console: Console, text: str) -> str:
    """A terminal that is not Unicode gets near ASCII; an unknown character becomes a question mark, never an error."""
    if console.encoding.lower().startswith("utf"):
        return text
    return text.translate(_NEAR_ASCII).encode(console.encoding, "replace").decode(console.encoding)
