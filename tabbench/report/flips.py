"""What a report says of what would flip the answer: another metric, a change of the data, a limit on costs, fewer rows.

Plain text; each format makes it safe in its own way.
"""

from __future__ import annotations

from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.phrases import listed
from tabbench.report.tables import ReportTable
from tabbench.wording.numbers import NOTHING, amount, known, rows
from tabbench.wording.safe_text import shorten
from tabbench.wording.terms import metric_name

_LONGEST_NAME = 24
_ORDER = ("without", "grouped-by", "not-grouped", "in-time-by", "not-in-time", "metric")
"""Which flips come first: what casts doubt on the data before what is a matter of taste."""
_COSTS = {"fit_seconds": ("s to train", "seconds to train"), "predict_us_per_row": ("µs a row to predict", "µs a row to predict"),
          "peak_mb": ("MB of memory", "MB of memory")}
_DECISIONS = {"winner": "wins", "top_set": "not separated"}

NOT_ASKED = "With --what-if the comparison is repeated without its most suspicious feature and with other splits."


def flip_line(comparison: Comparison, room: int = 1_000) -> str:
    """What would flip the answer, in one line of about `room` characters; empty when nothing was looked at."""
    asked = sorted((row for row in comparison.what_if.to_dict("records") if isinstance(row["decision"], str)),
                   key=lambda row: _ORDER.index(row["kind"]))
    flips = [f"{_cut(row['change'])} ({_taken(row)})" for row in asked if row["flips"]] + _cost_flips(comparison)
    if not asked and not flips:
        return ""
    still = [row for row in asked if row["decision"] != "none" and not row["flips"]]
    candidates = _lines(flips or ["nothing that was looked at"], [row for row in still if not row["holds"]],
                        [row for row in still if row["holds"]])
    return next((line for line in candidates if len(line) <= room), candidates[-1])


def flip_tables(comparison: Comparison) -> list[ReportTable]:
    """The answers by other metrics and on changed data, whom to take under limits, the winner map. Empty ones are left out."""
    return [table for table in (_what_if(comparison), _cost_limits(comparison), _winner_map(comparison)) if table.rows]


def budget(seconds: float) -> str:
    """A budget for one fit as people say it.

    >>> [budget(each) for each in (0.03, 1.0, 30.0, 180.0, 3600.0, 36000.0, 86400.0)]
    ['0.03 s', '1 s', '30 s', '3 min', '1 h', '10 h', '24 h']
    """
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def cell_words(cell: dict[Any, Any]) -> tuple[str, str]:
    """What stands in a cell of the winner map: whom to take, and how sure that is."""
    name = cell["approach"]
    if not isinstance(name, str):
        return NOTHING, ""
    trained_on = known(cell["trained_on"])
    fewer = f" at {rows(trained_on)}" if trained_on is not None and trained_on < cell["size"] else ""
    return name, _sure(cell) + fewer


def _what_if(comparison: Comparison) -> ReportTable:
    records = comparison.what_if.to_dict("records")
    cells = [(str(row["sentence"]), _flips(row)) for row in records]
    line = flip_line(comparison)
    note = (f"Only {metric_name(comparison.protocol['metric'])} on the data as they are decides. The rest are views: each by the "
            "same judge at the same level, without a correction for looking several times. Flips: whom the verdict tells "
            "to take is shown to be worse, or only one of the two answers names anybody. Left open: the winner is no longer "
            "shown to be the best.")
    is_asked = any(row["kind"] != "metric" for row in records)
    return ReportTable("What would flip it", ("the answer, seen otherwise", "flips"), cells,
                       note=note if is_asked else f"{note} {NOT_ASKED}", said=[line] if line else [])


def _cost_limits(comparison: Comparison) -> ReportTable:
    cells = [(_COSTS[row["cost"]][1], amount(known(row["below"])), amount(known(row["down_to"])),
              *((row["recommended"], _sure(row)) if isinstance(row["recommended"], str) else ("nothing", NOTHING)))
             for row in comparison.cost_limits.to_dict("records")]
    header = ("limit on", "below", "down to", "take", "how sure")
    return ReportTable("Whom to take under a limit", header, cells, frozenset({1, 2}),
                       "Costs of one fit, its own tuning included, as measured on this machine. Each row holds for limits "
                       "between its two numbers; costs within a tenth of one another count as the same.")


def _winner_map(comparison: Comparison) -> ReportTable:
    records = comparison.winner_map.to_dict("records")
    budgets = sorted({row["budget_seconds"] for row in records})
    at = {(row["size"], row["budget_seconds"]): ": ".join(filter(None, cell_words(row))) for row in records}
    cells = [(rows(size), *(at[size, each] for each in budgets)) for size in sorted({row["size"] for row in records})]
    return ReportTable("Winner map in figures", ("training rows", *(budget(each) for each in budgets)), cells, frozenset({0}),
                       MAP_NOTE, is_folded=True)


MAP_NOTE = (
    "Whom to take with so many training rows at hand and so many seconds for one fit, read from what was run, with clocks of "
    "this machine. Wins: shown to be better than all others that can be afforded. Not separated: the simplest of those that are. "
    "At 500: it is best trained on 500 of the rows, as more cannot be afforded or do not help; sizes are compared by their means "
    "alone. A dash: nothing can be afforded, or nothing is recommended.")
"""What the winner map shows."""


def _sure(row: dict[Any, Any]) -> str:
    is_alone = row["decision"] == "top_set" and len(row["approaches"]) == 1
    return "ahead" if is_alone else _DECISIONS[row["decision"]]


def _flips(row: dict[Any, Any]) -> str:
    if not isinstance(row["decision"], str):
        return NOTHING
    return "yes" if row["flips"] else "no" if row["holds"] else "left open"


def _lines(flips: list[str], left_open: list[dict[Any, Any]], held: list[dict[Any, Any]]) -> list[str]:
    """The line from its longest form to its shortest."""
    heads, rest = [], [(head, records) for head, records in (("Left open", left_open), ("It holds", held)) if records]
    rests = [[f" {head}: {_together(records, is_brief=is_brief)}." for head, records in rest] for is_brief in (False, True)]
    for shown in range(len(flips), 0, -1):
        more = [f"and {len(flips) - shown} more"] if shown < len(flips) else []
        heads.append(f"What would flip it: {'; '.join([*flips[:shown], *more])}.")
    return [heads[0] + "".join(each[:kept]) for kept in range(len(rest), 0, -1) for each in rests] + heads


def _taken(row: dict[Any, Any]) -> str:
    return shorten(row["recommended"], _LONGEST_NAME) if isinstance(row["recommended"], str) else "nobody"


def _cost_flips(comparison: Comparison) -> list[str]:
    """The first limit of each kind at which another approach is to be taken."""
    first: dict[str, str] = {}
    for row in comparison.cost_limits.to_dict("records"):
        if isinstance(row["recommended"], str):
            first.setdefault(row["cost"], f"less than {amount(known(row['below']))} {_COSTS[row['cost']][0]} ({_taken(row)})")
    return list(first.values())


def _together(records: list[dict[Any, Any]], *, is_brief: bool) -> str:
    """Changes in words; the metrics as one, or only counted."""
    others = [_cut(row["change"]) for row in records if row["kind"] != "metric"]
    metrics = [str(row["change"]).removeprefix("judged by ") for row in records if row["kind"] == "metric"]
    are_counted = is_brief and len(metrics) > 1
    judged = f"{len(metrics)} other metrics" if are_counted else f"judged by {listed(metrics)}"
    return listed([*others, *([judged] if metrics else [])])


def _cut(change: Any) -> str:
    return shorten(str(change), 2 * _LONGEST_NAME)
