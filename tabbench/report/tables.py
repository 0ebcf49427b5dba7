"""The tables of the long reports (HTML, Markdown) as plain text cells.

Each format escapes and draws them in its own way; nothing here knows of markup.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.effort import name_of
from tabbench.core.phrases import listed
from tabbench.report.crossings import (
    BUDGETS_NOTE,
    FAMILIES_NOTE,
    OTHERS_NOTE,
    ROWS_HEADER,
    SECONDS_HEADER,
    budget_crossing_rows,
    family_crossing_rows,
    other_crossing_rows,
)
from tabbench.report.incidents import incident_groups
from tabbench.report.more_rows import HEADER, NOTE, more_rows_lines, more_rows_rows
from tabbench.report.selecting import STABILITY_NOTE, selection_lines, selection_rows
from tabbench.report.standings import deciding_scores, families, full_size, standings, winner_at
from tabbench.wording.findings import of_a_kind_as_one
from tabbench.wording.numbers import NOTHING, amount, chance, decimals_for, duration, fixed, interval, known, rows, signed
from tabbench.wording.terms import (
    NOT_EVERY_FAMILY,
    RANK_NOTE,
    RULE,
    SEVERITIES,
    are_equal,
    better_is,
    cost_note,
    crossing,
    decision_words,
    is_without_recommendation,
    metric_name,
    metric_title,
    outcome,
    place,
    recommendation_note,
    skips,
    splits_used,
)

MOST_ROWS_IN_SIGHT = 40
"""A longer table is folded away in HTML."""


@dataclass(frozen=True)
class ReportTable:
    """A titled table. `said` are sentences before it; `emphasised` are positions of rows that stand out; columns in `numbers`
    align right."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numbers: frozenset[int] = frozenset()
    note: str = ""
    emphasised: frozenset[int] = frozenset()
    is_folded: bool = False
    said: Sequence[str] = ()


def facts(comparison: Comparison) -> list[tuple[str, str]]:
    """The question and its settings, as name and value."""
    table, protocol = comparison.table, comparison.protocol
    classes = table.get("classes") or []
    found = [
        ("table", f"{table['name']}, {rows(table['rows'])} rows × {rows(table['columns'])} columns"),
        ("target", f"{table['target']} ({table['task']}{f', {len(classes)} classes' if len(classes) > 2 else ''})"),
        ("deciding metric", f"{metric_name(protocol['metric'])}, {better_is(comparison)}"),
        ("splits", f"{protocol.get('split_kind') or 'default'}, {splits_used(protocol)}"),
        ("margin", str(protocol.get("margin_text") or margin_text(comparison))),
        ("effort", f"{name_of(protocol['effort'])}, seed {protocol['seed']}"),
        ("took", duration(known(comparison.timing.get("wall_seconds")))),
        ("fingerprint", str(table["fingerprint"])[:16]),
    ]
    return [(name, value) for name, value in found if value]


def margin_text(comparison: Comparison) -> str:
    """The margin in the metric's own units, and as a share of the best loss where that is a loss."""
    margin, size = known(comparison.protocol.get("margin")), full_size(comparison)
    if margin is None:
        return ""
    text = f"{margin:.4g} {metric_name(comparison.protocol['metric'])}"
    best = known(comparison.winners.set_index("size")["score"].get(size)) if len(comparison.winners) else None
    if comparison.protocol["direction"] != "lower" or best is None or best <= 0:
        return text
    return f"{text} ({margin / best:.1%} of the best)"


def standings_table(comparison: Comparison) -> ReportTable | None:
    """All approaches at the full size; None when nothing was scored."""
    size = full_size(comparison)
    if size is None:
        return None
    table = standings(comparison, size)
    decimals = decimals_for(table[0].mean)
    header = ("#", "approach", metric_title(comparison), "interval", "difference to best", "interval", "verdict", "fit s",
              "predict µs/row", "one row µs", "fit MB", "failed")
    cells = [
        (str(each.rank), each.approach + (" ✓" if each.is_recommended else ""), fixed(each.mean, decimals),
         interval(each.low, each.high, decimals), signed(each.difference, decimals),
         interval(each.difference_low, each.difference_high, decimals, with_sign=True), each.verdict, amount(each.fit_seconds),
         amount(each.predict_us_per_row), amount(each.one_row_us), amount(each.peak_mb),
         f"{each.failed} of {each.splits}" if each.failed else "0")
        for each in table
    ]
    best = frozenset(position for position, each in enumerate(table) if each.leads)
    note = recommendation_note(winner_at(comparison, size), f": {RULE}")
    return ReportTable(f"Standings at {rows(size)} training rows", header, cells, frozenset({0, 2, 3, 4, 5, 7, 8, 9, 10, 11}),
                       f"{RANK_NOTE}{note} {cost_note(comparison.timing)}", best)


def evidence_tables(comparison: Comparison) -> list[ReportTable]:
    """What supports the verdict. Tables without rows are left out."""
    return _filled([_winners(comparison), _crossings(comparison), *_further_crossings(comparison),
                    _pairs_at_full_size(comparison), _scores_by_size(comparison), _selection(comparison),
                    _all_metrics(comparison), _seconds_by_size(comparison), _pairs_at_other_sizes(comparison)])


def more_rows_table(comparison: Comparison) -> ReportTable | None:
    """The extrapolation to more rows; None where it was not requested. Without rows when every pair was refused."""
    said = more_rows_lines(comparison)
    numbers = frozenset({2, 3, 4, 6, 7, 8})
    return ReportTable("More rows", HEADER, more_rows_rows(comparison), numbers, NOTE, said=said) if said else None


def record_tables(comparison: Comparison) -> list[ReportTable]:
    """What a reader should know before believing it, and how everything was done."""
    return _filled([_findings(comparison), _failures(comparison), _skipped(comparison), _incidents(comparison),
                    _approaches(comparison), _tuned(comparison), _protocol(comparison)])


def _filled(tables: Iterable[ReportTable]) -> list[ReportTable]:
    return [table for table in tables if table.rows]


def _winners(comparison: Comparison) -> ReportTable:
    found = comparison.winners.to_dict("records")
    decimals = _shared_decimals([known(row["score"]) for row in found])
    cells = [(rows(row["size"]), outcome(row, are_equal=are_equal(comparison, row)), _name(row["best"]),
              fixed(known(row["score"]), decimals), fixed(known(row["corrected_score"]), decimals), _recommended(row))
             for row in found]
    header = ("training rows", "outcome", "best mean", metric_title(comparison), "selection-bias-corrected score", "recommended")
    return ReportTable("Best by size", header, cells, frozenset({0, 3, 4}),
                       "Selection-bias-corrected score: the best score, corrected for the optimism of having picked the best of "
                       "several approaches (bootstrap bias-corrected cross-validation); at the size of the verdict only.")


def _name(value: Any) -> str:
    return value if isinstance(value, str) else NOTHING


def _recommended(winner: dict[Hashable, Any]) -> str:
    return f"nothing: {NOT_EVERY_FAMILY}" if is_without_recommendation(winner) else _name(winner["recommended"])


def _crossings(comparison: Comparison) -> ReportTable:
    cells = [
        (subject, str(row["first"]), str(row["second"]), rows(row["low"]), rows(row["high"]), rows(row["point"]),
         crossing(row, subject))
        for subject, frame in (("score", comparison.crossovers), ("fit time", comparison.cost_crossovers))
        for row in frame.to_dict("records")
    ]
    return ReportTable("Crossings", ("in", "first", "second", "from", "to", "about", "in words"), cells, frozenset({3, 4, 5}),
                       "The training sizes between which one approach overtakes another.")


def _further_crossings(comparison: Comparison) -> list[ReportTable]:
    numbers = frozenset({2, 3, 4})
    others = other_crossing_rows(comparison)
    return [ReportTable("Crossings of families", ROWS_HEADER, family_crossing_rows(comparison), numbers, FAMILIES_NOTE),
            ReportTable("Crossings of all other pairs", ROWS_HEADER, others, numbers, OTHERS_NOTE, is_folded=True),
            ReportTable("Best by training time", SECONDS_HEADER, budget_crossing_rows(comparison), numbers, BUDGETS_NOTE)]


_PAIR_HEADER = ("training rows", "first", "second", "difference", "interval", "decision", "P(better)", "P(equivalent)",
                "P(worse)", "rows needed to decide")
_PAIR_NUMBERS = frozenset({0, 3, 4, 6, 7, 8, 9})
_PAIR_NOTE = ("P(better), P(equivalent), P(worse): the posterior probabilities that the first is better than the second by more "
              "than the margin, that the two are practically equal, and that the first is worse by more than the margin; for "
              "this pair alone, to the nearest 10 %, which is how well they are known. Rows needed to decide: about how many "
              "rows in all would decide the pair.")


def _pair_cells(comparison: Comparison, *, at_full_size: bool) -> list[tuple[str, ...]]:
    size = full_size(comparison)
    if size is None:
        return []
    decimals = decimals_for(standings(comparison, size)[0].mean)
    is_full, has_forecast = comparison.pairs["size"] == size, not _is_below_full(comparison)
    chosen = comparison.pairs[is_full if at_full_size else ~is_full]
    return [
        (rows(row["size"]), str(row["first"]), str(row["second"]), signed(known(row["difference"]), decimals),
         interval(known(row["low"]), known(row["high"]), decimals, with_sign=True),
         decision_words(str(row["first"]), str(row["second"]), str(row["decision"])), *_probabilities(row),
         _rows_needed(row, has_forecast))
        for row in chosen.to_dict("records")
    ]


def _probabilities(row: dict[Hashable, Any]) -> list[str]:
    return [chance(known(row[name])) for name in ("p_first", "p_equal", "p_second")]


def _is_below_full(comparison: Comparison) -> bool:
    """Whether the verdict stands at less than the full size, where no number of rows is forecast."""
    headline, full = (known(comparison.protocol.get(name)) for name in ("headline_size", "full_size"))
    return headline is not None and full is not None and headline < full


def _rows_needed(row: dict[Hashable, Any], has_forecast: bool) -> str:
    if row["decision"] != "undecided":
        return ""
    needed = known(row["rows_to_settle"])
    if known(row["low"]) is None or not has_forecast:
        return NOTHING
    return "over 100 ×" if needed is None else f"≈ {rows(needed)}"


def _pairs_at_full_size(comparison: Comparison) -> ReportTable:
    cells = _pair_cells(comparison, at_full_size=True)
    return ReportTable("All pairs at the full size", _PAIR_HEADER, cells, _PAIR_NUMBERS,
                       "Difference: loss of the first minus loss of the second, so below zero the first is better. "
                       "The intervals hold for all pairs together. " + _PAIR_NOTE, is_folded=True)


def _pairs_at_other_sizes(comparison: Comparison) -> ReportTable:
    return ReportTable("All pairs at the other sizes", _PAIR_HEADER, _pair_cells(comparison, at_full_size=False),
                       _PAIR_NUMBERS, _PAIR_NOTE, is_folded=True)


def _scores_by_size(comparison: Comparison) -> ReportTable:
    scored = deciding_scores(comparison)
    means = {(row["approach"], row["size"]): known(row["mean"]) for row in scored.to_dict("records")}
    sizes = sorted({int(size) for size in scored["size"]})
    decimals = _shared_decimals(means.values())
    cells = [(name, *(fixed(means.get((name, size)), decimals) for size in sizes)) for name in families(comparison)
             if any((name, size) in means for size in sizes)]
    return ReportTable(f"Score by training rows: {metric_title(comparison)}", ("approach", *(rows(size) for size in sizes)),
                       cells, frozenset(range(1, len(sizes) + 1)))


def _shared_decimals(means: Iterable[float | None]) -> int:
    return decimals_for(min((abs(mean) for mean in means if mean), default=None))


def _selection(comparison: Comparison) -> ReportTable:
    header = ("approach", "training rows", "columns kept", "stability", "compared with the learner alone",
              "chosen most often, share of splits")
    cells = selection_rows(comparison)
    return ReportTable("Feature selection", header, cells, frozenset({1, 2, 3}), STABILITY_NOTE,
                       is_folded=len(cells) > MOST_ROWS_IN_SIGHT,
                       said=[f"{line}." for line in selection_lines(comparison)])


def _all_metrics(comparison: Comparison) -> ReportTable:
    size = full_size(comparison)
    here = comparison.scores[comparison.scores["size"] == size]
    metrics = list(dict.fromkeys(str(metric) for metric in here["metric"]))
    means = {(row["approach"], row["metric"]): known(row["mean"]) for row in here.to_dict("records")}
    decimals = {metric: _shared_decimals(mean for (_, other), mean in means.items() if other == metric) for metric in metrics}
    cells = [(name, *(fixed(means.get((name, metric)), decimals[metric]) for metric in metrics)) for name in families(comparison)
             if any((name, metric) in means for metric in metrics)]
    return ReportTable(f"All metrics at {rows(size)} training rows", ("approach", *(metric_name(metric) for metric in metrics)),
                       cells if len(metrics) > 1 else [], frozenset(range(1, len(metrics) + 1)),
                       f"Only {metric_name(comparison.protocol['metric'])} decides.")


def _seconds_by_size(comparison: Comparison) -> ReportTable:
    seconds = {(row["approach"], row["size"]): known(row["fit_seconds"]) for row in comparison.costs.to_dict("records")}
    sizes = sorted({int(size) for size in comparison.costs["size"]})
    cells = [(name, *(amount(seconds.get((name, size))) for size in sizes)) for name in families(comparison)
             if any((name, size) in seconds for size in sizes)]
    return ReportTable("Fit time in seconds by training rows", ("approach", *(rows(size) for size in sizes)), cells,
                       frozenset(range(1, len(sizes) + 1)),
                       "What one fit would have needed alone, its own tuning included; shared work is charged to every approach "
                       "that uses it.")


def _findings(comparison: Comparison) -> ReportTable:
    weight = {"block": 0, "warn": 1}
    found = sorted(of_a_kind_as_one(comparison.findings.to_dict("records")), key=lambda row: weight.get(row["severity"], 2))
    cells = [(SEVERITIES[row["severity"]], *(str(row[name] or "") for name in ("code", "subject", "message", "cure")))
             for row in found]
    return ReportTable("Findings in the data", ("severity", "code", "subject", "finding", "remedy"), cells)


def _failures(comparison: Comparison) -> ReportTable:
    cells = [(place(row), str(row["status"]).replace("_", " "), str(row["reason"]))
             for row in comparison.failures.to_dict("records")]
    return ReportTable("Failures", ("cell", "status", "reason"), cells, note="Each counts with the constant predictor's score.",
                       is_folded=len(cells) > MOST_ROWS_IN_SIGHT)


def _skipped(comparison: Comparison) -> ReportTable:
    return ReportTable("Skipped", ("what", "reason"), list(skips(comparison)))


def _incidents(comparison: Comparison) -> ReportTable:
    cells = [(f"{each.code} {each.title}", each.where, each.how_often, each.seen, each.done, each.outcome, each.cure)
             for each in incident_groups(comparison)]
    header = ("incident", "where", "how often", "evidence", "action", "outcome", "remedy")
    return ReportTable("Incidents in training", header, cells, is_folded=len(cells) > MOST_ROWS_IN_SIGHT,
                       note="What the guard of a training saw and did, grouped; evidence and action are the first one's.")


def _approaches(comparison: Comparison) -> ReportTable:
    cells = [(str(row["name"]), str(row["family"]), str(row["version"]), _settings(row["settings"]))
             for row in comparison.approaches.to_dict("records")]
    return ReportTable("Approaches and their settings", ("approach", "family", "version", "settings"), cells)


def _tuned(comparison: Comparison) -> ReportTable:
    found = comparison.tuned.groupby("approach", sort=False)
    cells = [(str(name), _settings(fits["tuned"].iloc[0]) or NOTHING,
              f"{sum(each == fits['tuned'].iloc[0] for each in fits['tuned'])} of {len(fits)}", str(fits["code"].iloc[0]))
             for name, fits in found]
    return ReportTable("Hyperparameters that were found", ("approach", "in the first split", "the same in", "code"), cells,
                       note="At the size of the verdict. The code gives the approach's row again; data is the table as it was "
                            "given.", is_folded=len(cells) > MOST_ROWS_IN_SIGHT)


def _settings(settings: Any) -> str:
    if not isinstance(settings, dict):
        return NOTHING if settings is None else str(settings)
    return " · ".join(f"{name} {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in settings.items())


def _protocol(comparison: Comparison) -> ReportTable:
    protocol = comparison.protocol
    cells = [(name.replace("_", " "), listed([rows(size) for size in value]) if name == "sizes" else
              _settings(value) if isinstance(value, dict) else str(value))
             for name, value in protocol.items() if value is not None]
    return ReportTable("Protocol", ("name", "value"), cells)
