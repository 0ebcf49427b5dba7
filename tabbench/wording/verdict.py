"""The closing sentence: every outcome has its own plain wording. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tabbench.core.finding import Finding
from tabbench.core.limits import Limited
from tabbench.core.metric import metric_words
from tabbench.core.phrases import listed, measured, rounded_size
from tabbench.verdict.outcome import Choice, Headline, Lead, Outcome, Reach, Repeats, RowsNeeded
from tabbench.wording.changing_places import size_clauses
from tabbench.wording.limits import beginning, cost_clauses, named_in

_REACH = {
    Reach.LARGEST_RUN: "that was run", Reach.ALL_FAMILIES: "at which every family was run",
    Reach.ALL_OTHER_FAMILIES: "at which every other family was run", Reach.MOST_FAMILIES: "at which most families were run",
}
_CHOICE = {
    Choice.BEST: "which scored best", Choice.SAFEST: "which can be worse by the least",
    Choice.BEST_OF_SIMPLEST: "the best of the simplest", Choice.SIMPLEST: "the simplest of them",
    Choice.SIMPLEST_OF_CLOSE: "the simplest of those that can be worse by about as little",
}
_REPEATS = {
    Repeats.IMPOSSIBLE: "", Repeats.MIGHT_HELP: ", and more --repeats might help a little",
    Repeats.HARDLY_HELP: ", and more repeats would hardly help",
}


def closing_sentence(headline: Headline, limited: Limited | None = None) -> str:
    """One sentence for a reader who reads nothing else: which approach wins, by how much, and whether that depends on the size.

    It tells what a limit or an interruption has cost: whole families first, since a different question is answered then.
    """
    where, is_lacking = _where(headline), bool(headline.missing.approaches)
    if is_lacking:
        where = beginning(headline, limited) + where[0].lower() + where[1:]
    named = headline.best if headline.outcome is Outcome.WINNER else ""
    clauses = [f"{where} {_outcome(headline)}", *_rows_needed(headline.rows_needed), *size_clauses(headline.over_sizes, named),
               *_absent(headline, limited), *cost_clauses(limited, is_lift_told=is_lacking)]
    return "; ".join(clauses) + "."


def doubted(sentence: str, findings: Sequence[Finding], *, is_decided: bool = True) -> str:
    """The sentence, after what makes the verdict suspect if there is such a finding; the most severe comes first.

    Without a decision it is the data that are suspect.
    """
    causes = [finding.message for finding in findings if finding.spoils]
    if not causes:
        return sentence
    more = f" (and {len(causes) - 1} more of the kind)" if len(causes) > 1 else ""
    what = "This verdict is" if is_decided else "These data are"
    return f"{what} suspect: {causes[0]}{more}. As the table stands: {sentence[0].lower()}{sentence[1:]}"


def _absent(headline: Headline, limited: Limited | None) -> list[str]:
    """The approaches stopped early for futility, and those left out for a reason that is not told elsewhere."""
    stopped_early, told, clauses = headline.stopped_early, named_in(limited, headline.missing.approaches), []
    left_out = [name for name in headline.left_out if name not in told]
    if stopped_early:
        clauses.append(f"{listed(stopped_early)} {'was' if len(stopped_early) == 1 else 'were'} stopped early for futility at a "
                       "smaller size, so this holds among the approaches that went on")
    if left_out:
        clauses.append(f"{listed(left_out)} {'was' if len(left_out) == 1 else 'were'} left out")
    return clauses


def _where(headline: Headline) -> str:
    where = f"On {headline.rows:,} rows" if headline.reach is Reach.FULL else (
        f"At {headline.rows:,} rows, the largest size {_REACH[headline.reach]},")
    return f"{where.rstrip(',')}, judged by a single split," if headline.is_single_split else where


def _outcome(headline: Headline) -> str:
    top, recommended = headline.approaches, headline.recommended
    if headline.lead is not None:
        # No approach wins over families that were not run.
        wins = "is ahead of the others that were run" if headline.is_withheld else "wins"
        return f"{headline.best} {wins}: {_lead(headline.lead)}"
    if not headline.is_decided:
        return _no_verdict(headline)
    if headline.outcome is Outcome.AHEAD:
        ahead = f"{top[0]} is ahead, but it is not shown to be better than every other approach"
        return ahead if recommended is None else f"{ahead}; take {top[0]}"
    alike = "are practically equal" if headline.outcome is Outcome.EQUAL else "cannot be told apart"
    tied = f"no single approach wins: {listed(top)} {alike}"
    return tied if headline.choice is None else f"{tied}; take {recommended}, {_CHOICE[headline.choice]}{_regret(headline)}"


def _regret(headline: Headline) -> str:
    """What taking the recommended approach may cost."""
    if headline.regret_bound is None:
        return ""
    return f": at most {measured(headline.regret_bound)} {metric_words(headline.metric)} worse than the best (95 %)"


def _no_verdict(headline: Headline) -> str:
    if headline.outcome is Outcome.ONE_APPROACH:
        return f"there is no verdict, because only {headline.approaches[0]} was run"
    if headline.outcome is Outcome.FAILURES:
        return f"there is no verdict, because {headline.failed:.0%} of the runs failed"
    if headline.outcome is Outcome.NO_ERROR_KNOWN:
        why = "there are too few splits, or too few rows of a class in them, to estimate the error of the scores"
        return f"there is no verdict, because {why}; other splits or another --metric would tell more"
    return "nothing is shown to be better than a constant prediction"


def _rows_needed(needed: RowsNeeded | None) -> list[str]:
    if needed is None:
        return []
    if not math.isfinite(needed.rows):
        return [f"{needed.first} and {needed.second} are so close that a hundred times as many rows might not decide it"]
    return [f"deciding would need about {rounded_size(needed.rows, math.ceil)} rows in all{_REPEATS[needed.repeats]}"]


def _lead(lead: Lead) -> str:
    metric = metric_words(lead.metric)
    other = "a constant prediction" if lead.is_over_constant else f"the next best, {lead.other}"
    small = ", which is too little to matter" if lead.is_too_little else ""
    return (f"its {metric} is {measured(lead.difference)} {'higher' if lead.is_higher else 'lower'} than that of {other} "
            f"(between {measured(lead.near)} and {measured(lead.far)}){small}")
