"""The sensitivity analysis in a report: another metric, a change of the data, a budget, fewer rows.

Plain text; each format makes it safe in its own way.
"""

from __future__ import annotations

from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.phrases import listed
from tabbench.report.tables import ReportTable
from tabbench.wording.affordable import COSTS, EQUAL_COSTS
from tabbench.wording.numbers import NOTHING, amount, known, rows
from tabbench.wording.safe_text import shorten
from tabbench.wording.terms import metric_name

_LONGEST_NAME = 24
_ORDER = ("without", "grouped-by", "not-grouped", "in-time-by", "not-in-time", "metric")
"""Which changes come first: those that cast doubt on the data, then those that are a matter of preference."""
_LIMITED = COSTS | {"fit_seconds": "seconds to train"}
"""What a budget is of, in a table without amounts beside it."""
_DECISIONS = {"winner": "wins", "top_set": "not separated"}

TITLE = "Sensitivity analysis"
NOT_REQUESTED = "With --what-if the comparison is repeated without its most suspicious feature and with other splits."


def sensitivity_line(comparison: Comparison, room: int = 1_000) -> str:
    """What changes the answer, in one line of about `room` characters; empty when nothing was tried."""
    tried = sorted((row for row in comparison.what_if.to_dict("records") if isinstance(row["decision"], str)),
                   key=lambda row: _ORDER.index(row["kind"]))
    changes = [f"{_cut(row['change'])} (then {_taken(row)})" for row in tried if row["flips"]] + _budget_changes(comparison)
    if not tried and not changes:
        return ""
    still = [row for row in tried if row["decision"] != "none" and not row["flips"]]
    candidates = _lines(changes, [row for row in still if not row["holds"]],
                        [row for row in still if row["holds"]])
    return next((line for line in candidates if len(line) <= room), candidates[-1])


def sensitivity_tables(comparison: Comparison) -> list[ReportTable]:
    """The answers by other metrics and on changed data, the best under a budget, the winner map. Empty ones are left out."""
    return [table for table in (_what_if(comparison), _budgets(comparison), _winner_map(comparison)) if table.rows]


def budget(seconds: float) -> str:
    """A budget for one fit in the unit that suits it.

    >>> [budget(each) for each in (0.03, 1.0, 30.0, 180.0, 3600.0, 36000.0, 86400.0)]
    ['0.03 s', '1 s', '30 s', '3 min', '1 h', '10 h', '24 h']
    """
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def cell_words(cell: dict[Any, Any]) -> tuple[str, str]:
    """A cell of the winner map: the recommended approach, and the decision behind it."""
    name = cell["approach"]
    if not isinstance(name, str):
        return NOTHING, ""
    trained_on = known(cell["trained_on"])
    fewer = f" at {rows(trained_on)}" if trained_on is not None and trained_on < cell["size"] else ""
    return name, _decided(cell) + fewer


def _what_if(comparison: Comparison) -> ReportTable:
    records = comparison.what_if.to_dict("records")
    cells = [(str(row["sentence"]), _changes(row)) for row in records]
    line = sensitivity_line(comparison)
    note = (f"Exploratory analysis: only {metric_name(comparison.protocol['metric'])} on the data as they are decides. Each row "
            "comes from the same judge at the same level, without a correction for multiple looks. The answer changes when the "
            "recommended approach is shown to be worse, or when only one of the two analyses names an approach. Open: the winner "
            "is no longer shown to be the best.")
    is_requested = any(row["kind"] != "metric" for row in records)
    return ReportTable(TITLE, ("analysis", "answer changes"), cells,
                       note=note if is_requested else f"{note} {NOT_REQUESTED}",
                       said=[line.removeprefix(f"{TITLE}. ")] if line else [])


def _budgets(comparison: Comparison) -> ReportTable:
    cells = [(_LIMITED[row["cost"]], amount(known(row["below"])), amount(known(row["down_to"])),
              *((row["recommended"], _decided(row)) if isinstance(row["recommended"], str) else ("none", NOTHING)))
             for row in comparison.cost_limits.to_dict("records")]
    header = ("budget", "below", "down to", "recommended", "decision")
    return ReportTable("Best under a budget", header, cells, frozenset({1, 2}),
                       "Costs of one fit, its own tuning included, as measured on this machine. Each row holds for budgets "
                       f"between its two numbers. {EQUAL_COSTS}")


def _winner_map(comparison: Comparison) -> ReportTable:
    records = comparison.winner_map.to_dict("records")
    budgets = sorted({row["budget_seconds"] for row in records})
    at = {(row["size"], row["budget_seconds"]): ": ".join(filter(None, cell_words(row))) for row in records}
    cells = [(rows(size), *(at[size, each] for each in budgets)) for size in sorted({row["size"] for row in records})]
    return ReportTable("Winner map as a table", ("training rows", *(budget(each) for each in budgets)), cells, frozenset({0}),
                       MAP_NOTE, is_folded=True)


MAP_NOTE = (
    "The recommended approach by the number of training rows available and the seconds allowed for one fit, from the fits that "
    "were run and timed on this machine. Wins: shown to be better than every other affordable approach. Not separated: the "
    "simplest of several that are not worse than any by the intervals. At 500: best trained on 500 of the rows, because more are "
    "not affordable or do not help; sizes are compared by their means alone. A dash: nothing is affordable, or nothing is "
    "recommended.")
"""What the winner map shows."""


def _decided(row: dict[Any, Any]) -> str:
    is_alone = row["decision"] == "top_set" and len(row["approaches"]) == 1
    return "ahead" if is_alone else _DECISIONS[row["decision"]]


def _changes(row: dict[Any, Any]) -> str:
    if not isinstance(row["decision"], str):
        return NOTHING
    return "yes" if row["flips"] else "no" if row["holds"] else "open"


def _lines(changes: list[str], left_open: list[dict[Any, Any]], held: list[dict[Any, Any]]) -> list[str]:
    """The line from its longest form to its shortest."""
    heads, rest = [], [(head, records) for head, records in (("Open", left_open), ("Unchanged", held)) if records]
    rests = [[f" {head}: {_together(records, is_brief=is_brief)}." for head, records in rest] for is_brief in (False, True)]
    for shown in range(len(changes), 0, -1):
        more = [f"and {len(changes) - shown} more"] if shown < len(changes) else []
        heads.append(f"{TITLE}. Changes the answer: {'; '.join([*changes[:shown], *more])}.")
    heads = heads or [f"{TITLE}. Nothing that was tried changes the answer."]
    return [heads[0] + "".join(each[:kept]) for kept in range(len(rest), 0, -1) for each in rests] + heads


def _taken(row: dict[Any, Any]) -> str:
    return shorten(row["recommended"], _LONGEST_NAME) if isinstance(row["recommended"], str) else "none"


def _budget_changes(comparison: Comparison) -> list[str]:
    """The first limit on each cost at which another approach is recommended."""
    first: dict[str, str] = {}
    for row in comparison.cost_limits.to_dict("records"):
        if isinstance(row["recommended"], str):
            limit = f"with less than {amount(known(row['below']))} {COSTS[row['cost']]}"
            first.setdefault(row["cost"], f"{limit} (then {_taken(row)})")
    return list(first.values())


def _together(records: list[dict[Any, Any]], *, is_brief: bool) -> str:
    """Changes in words; the metrics together, or only counted."""
    others = [_cut(row["change"]) for row in records if row["kind"] != "metric"]
    metrics = [str(row["change"]).removeprefix("judged by ") for row in records if row["kind"] == "metric"]
    are_counted = is_brief and len(metrics) > 1
    judged = f"{len(metrics)} other metrics" if are_counted else f"judged by {listed(metrics)}"
    return listed([*others, *([judged] if metrics else [])])


def _cut(change: Any) -> str:
    return shorten(str(change), 2 * _LONGEST_NAME)
