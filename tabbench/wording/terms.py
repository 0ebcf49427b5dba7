"""The words of every report: metrics, decisions, crossings, and what an outcome at a size means.

Plain text for people; each format makes it safe in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.core.metric import metric_words
from tabbench.core.phrases import listed, measured
from tabbench.wording.numbers import known, rows

SEVERITIES = {"info": "note", "warn": "warning", "block": "serious"}

RANK_NOTE = (
    "Equal ranks are ties. Differences: more is worse. Compare approaches by them, not by the scores' own 95 % intervals."
)

RULE = "the simplest approach of the top set whose bound of regret is at most 1.5 times the smallest one, or within the margin"
"""Which approach is recommended, saved, exported and predicted with."""

HOW_TO_READ = (
    ("Recommended",
     RULE[0].upper() + RULE[1:] + ". The bound of regret is how much worse it is at most (95 %) than whichever is best."),
    ("Rank",
     "1 + the number of approaches shown to be better at this size. Equal ranks are ties: the data do not separate them."),
    ("Score",
     "The unweighted mean over the splits, which are the same for every approach. The 95 % interval beside a score is that "
     "score's own. Do not compare two of them: use the difference."),
    ("Difference to best",
     "Loss minus the loss of the approach with the best mean: more is worse, whatever the metric. The intervals of differences "
     "hold simultaneously: 95 % for all claims of one kind together."),
    ("Better, worse",
     "The whole interval of the difference lies on one side of zero."),
    ("Materially",
     "The whole interval lies beyond the margin, the smallest difference that matters, whose rule is fixed before the run."),
    ("Practically equal",
     "The whole interval lies within the margin on both sides: choose by cost."),
    ("Undecided",
     "None of these is shown, which does not mean equal. More rows or more repeats may decide it."),
    ("Crossing",
     "The sizes between which one approach overtakes another. The bracket is the result; the point in it is only an estimate."),
    ("Failures",
     "A cell that failed counts with the constant predictor's score and is listed with its reason."),
)
"""What the terms of a report mean; every long format prints it."""


def metric_name(metric: str) -> str:
    """A metric as people write it.

    >>> metric_name("log_loss"), metric_name("auc")
    ('log loss', 'AUC')
    """
    return metric_words(metric)


def metric_title(comparison: Comparison) -> str:
    """The deciding metric with an arrow that points to better."""
    return f"{metric_name(comparison.protocol['metric'])} {'↓' if comparison.protocol['direction'] == 'lower' else '↑'}"


def better_is(comparison: Comparison) -> str:
    """Whether lower or higher is better, in words."""
    return f"{comparison.protocol['direction']} is better"


def decision_words(first: str, second: str, decision: str) -> str:
    """A pair's decision as a phrase.

    >>> decision_words("boosting", "linear", "first_materially")
    'boosting materially better'
    """
    return {
        "first": f"{first} better",
        "second": f"{second} better",
        "first_materially": f"{first} materially better",
        "second_materially": f"{second} materially better",
        "equal": "practically equal",
    }.get(decision, "undecided")


def compared_with_best(decision: str, *, best_is_first: bool) -> str:
    """The same decision as said of the approach that is not the best."""
    if decision in ("equal", "undecided"):
        return decision_words("", "", decision)
    best_leads = decision.startswith("first") == best_is_first
    return ("materially " if decision.endswith("materially") else "") + ("worse" if best_leads else "better")


NOT_EVERY_FAMILY = "not every family was run"
"""Why nothing is recommended where an approach is ahead."""


def is_without_recommendation(winner: dict[Any, Any]) -> bool:
    """Whether one or several approaches are ahead and still nothing is recommended."""
    return winner["decision"] != "none" and not isinstance(winner["recommended"], str)


def outcome(winner: dict[Any, Any], *, are_equal: bool = False) -> str:
    """What a row of `winners` says; `are_equal` if its approaches are shown to be practically equal."""
    names = list(winner["approaches"])
    if winner["decision"] == "winner":
        return f"{listed(names)} {'is ahead of the others' if is_without_recommendation(winner) else 'wins'}"
    if winner["decision"] == "top_set":
        if len(names) == 1:
            return f"{names[0]} is ahead"
        return f"{listed(names)}: {'practically equal' if are_equal else 'not separated'}"
    return "nothing is shown to beat the constant predictor"


def are_equal(comparison: Comparison, winner: dict[Any, Any]) -> bool:
    """Whether the approaches of a row of `winners` are all shown to be practically equal."""
    here = comparison.pairs[comparison.pairs["size"] == winner["size"]]
    among = here[here["first"].isin(winner["approaches"]) & here["second"].isin(winner["approaches"])]
    return len(among) > 0 and bool((among["decision"] == "equal").all())


def outcomes_by_size(comparison: Comparison) -> list[tuple[str, str]]:
    """What came out at which sizes, neighbours with the same outcome in one range: ("62–250", "linear wins")."""
    ranges: list[tuple[str, list[dict[Any, Any]]]] = []
    for row in comparison.winners.to_dict("records"):
        told = outcome(row | {"approaches": sorted(row["approaches"])}, are_equal=are_equal(comparison, row)) + str(
            row["recommended"])
        if not ranges or ranges[-1][0] != told:
            ranges.append((told, []))
        ranges[-1][1].append(row)
    return [_range_of(comparison, members) for _, members in ranges]


def _range_of(comparison: Comparison, members: list[dict[Any, Any]]) -> tuple[str, str]:
    """The range's sizes and its outcome as at the largest of them, with the highest price of the recommended approach and the one
    at the largest."""
    largest, bounds = members[-1], [each for each in (known(row.get("regret_bound")) for row in members) if each is not None]
    said = outcome(largest, are_equal=are_equal(comparison, largest))
    ends = dict.fromkeys((rows(members[0]["size"]), rows(largest["size"])))
    return "–".join(ends), said + recommendation(largest, max(bounds, default=None))


def recommendation(winner: dict[Any, Any], highest: float | None = None) -> str:
    """The recommended approach where several are not separated, or why there is none; nothing to add where one wins.

    `highest` is the highest price at smaller sizes of the same outcome.
    """
    if is_without_recommendation(winner):
        return f" (nothing is recommended: {NOT_EVERY_FAMILY})"
    if winner["decision"] != "top_set":
        return ""
    return f" (recommended: {winner['recommended']}{_price(winner, highest)})"


def _price(winner: dict[Any, Any], highest: float | None) -> str:
    bounds = [measured(each) for each in (highest, known(winner.get("regret_bound"))) if each]
    if not bounds:
        return ""
    at_largest = f" (at {rows(winner['size'])} rows {bounds[-1]})" if bounds[-1] != bounds[0] else ""
    return f", at most {bounds[0]}{at_largest} worse than the best"


def no_probabilities(name: str, gives: str) -> tuple[str, str]:
    """What the scores of a classifier without probabilities are, and what can be done.

    >>> no_probabilities("svc", "labels")[0]
    'svc gives no probabilities: log loss, Brier score and calibration error take it as sure of its labels, and AUC ranks by them'
    """
    ranking = "AUC ranks by its decision function" if gives != "labels" else "AUC ranks by them"
    return (f"{name} gives no probabilities: log loss, Brier score and calibration error take it as sure of its labels, and "
            f"{ranking}", "calibrate it with calibrate=True, or decide by a metric that needs no probabilities")


def cost_note(timing: Mapping[str, Any]) -> str:
    """What the costs of the standings are.

    >>> cost_note({"floor_mb": 226.0})
    'Costs of one fit: µs a row in large batches and of a row alone; MB by which the process grew, beyond the 226 MB of a worker.'
    """
    floor = known(timing.get("floor_mb"))
    beyond = "" if floor is None else f", beyond the {measured(floor)} MB of a worker"
    return f"Costs of one fit: µs a row in large batches and of a row alone; MB by which the process grew{beyond}."


def recommendation_note(winner: dict[Any, Any] | None, meaning: str = "") -> str:
    """The note below the standings on the tick that marks the recommended approach, or on its absence."""
    if winner is not None and is_without_recommendation(winner):
        return f" Nothing is recommended, since {NOT_EVERY_FAMILY}."
    return f" ✓ recommended{meaning}."


def skips(comparison: Comparison) -> list[tuple[str, str]]:
    """What was skipped and why: ("every approach at 4,000 and 8,000 rows", "the time limit: ...").

    One entry for the sizes at which the same approaches are missing for the same reason.
    """
    every = set(comparison.approaches["name"])
    names_at: dict[tuple[str, float | None], list[str]] = {}
    for row in comparison.skipped.to_dict("records"):
        names_at.setdefault((str(row["reason"]), known(row["size"])), []).append(str(row["approach"]))
    sizes_of: dict[tuple[str, tuple[str, ...]], list[float | None]] = {}
    for (reason, size), names in names_at.items():
        sizes_of.setdefault((reason, tuple(names)), []).append(size)
    entries = []
    for (reason, skipped), sizes in sizes_of.items():
        subject = "every approach" if set(skipped) == every else listed(list(skipped))
        at = "" if None in sizes else f" at {listed([rows(size) for size in sorted(filter(None, sizes))])} rows"
        entries.append((subject + at, reason))
    return entries


def failure(row: dict[Any, Any]) -> str:
    """A row of `failures` as a line."""
    return f"{place(row)}: {str(row['status']).replace('_', ' ')}: {row['reason']}"


def crossing(row: dict[Any, Any], subject: str = "score") -> str:
    """A row of `crossovers` or `cost_crossovers` as a sentence without its full stop."""
    pair = f"{row['first']} and {row['second']}"
    low, high, point = known(row["low"]), known(row["high"]), known(row["point"])
    kind = row["kind"]
    if kind == "none":
        return f"{pair} don't cross in {subject} at the sizes that were run"
    if kind == "undecided":
        return f"{pair}: undecided whether they cross in {subject}"
    verb = {"several": "cross several times in {}, once", "open": "may cross in {}"}.get(kind, "cross in {}").format(subject)
    return f"{pair} {verb}{_between(low, high)}{'' if point is None else f', at about {rows(point)}'}"


def _between(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" between {rows(low)} and {rows(high)} rows"
    if low is not None:
        return f" above {rows(low)} rows"
    if high is not None:
        return f" below {rows(high)} rows"
    return ""


def place(row: dict[Any, Any]) -> str:
    """Where a cell or a skipped part stands: approach, size, split; what is unknown is left out.

    >>> place({"approach": "mlp", "size": 2000, "repeat": 0, "fold": 3})
    'mlp at 2,000 rows, repeat 1, fold 4'
    """
    size, repeat, fold = (known(row.get(key)) for key in ("size", "repeat", "fold"))
    text = str(row["approach"]) if size is None else f"{row['approach']} at {rows(size)} rows"
    text += "" if repeat is None else f", repeat {int(repeat) + 1}"
    return text + ("" if fold is None else f", fold {int(fold) + 1}")


def splits_used(protocol: Mapping[str, Any]) -> str:
    """How many folds were used, and how often they were drawn.

    >>> splits_used({"folds": 5, "repeats": 3, "splits": 15}), splits_used({"folds": 5, "repeats": 1, "splits": 3})
    ('5 folds × 3', '3 of 5 folds')
    >>> splits_used({"folds": 1, "repeats": 5, "splits": 5})
    'one test file, 5 trainings'
    >>> splits_used({"folds": 5, "repeats": 1, "splits": 1})
    'one hold-out split'
    """
    folds, used = int(protocol["folds"]), int(protocol.get("splits") or protocol["folds"] * protocol["repeats"])
    if folds == 1 and used > 1:
        return f"one test file, {used} trainings"
    if used >= folds > 1:
        return f"{folds} folds × {protocol['repeats']}"
    return "one hold-out split" if used == 1 else f"{used} of {folds} folds"
