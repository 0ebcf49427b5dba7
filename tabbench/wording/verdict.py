"""The closing sentence: every outcome has its own plain wording. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tabbench.core.finding import Finding
from tabbench.core.limits import Limited
from tabbench.core.metric import metric_words
from tabbench.core.phrases import listed, measured, rounded_size
from tabbench.verdict.outcome import FewRows, Headline, Lead, Outcome, Reach, Repeats, RowsNeeded
from tabbench.wording.changing_places import size_clauses
from tabbench.wording.limits import beginning, cost_clauses, named_in

_REACH = {
    Reach.LARGEST_RUN: "size that was run", Reach.ALL_FAMILIES: "with every family",
    Reach.ALL_OTHER_FAMILIES: "with every other family", Reach.MOST_FAMILIES: "with most families",
}
MOST_NAMED = 3
"""More approaches than this are counted, not named; the report lists all."""
_REPEATS = {
    Repeats.IMPOSSIBLE: "", Repeats.MIGHT_HELP: ", and more repeats might help a little",
    Repeats.HARDLY_HELP: ", and more repeats would hardly help",
}


def closing_sentence(headline: Headline, limited: Limited | None = None) -> str:
    """One sentence for a reader who reads nothing else: which approach wins, by how much, and whether that depends on the size.

    It tells what a limit or an interruption has cost: whole families first, since a different question is answered then. Of all
    caveats only the most important kind is told; the report has the others.
    """
    where, is_lacking = _where(headline), bool(headline.missing.approaches)
    if is_lacking:
        where = beginning(headline, limited) + where[0].lower() + where[1:]
    named = headline.best if headline.outcome is Outcome.WINNER else ""
    caveats = (_few_rows(headline.few_rows), [*_absent(headline, limited), *cost_clauses(limited, is_lift_told=is_lacking)],
               size_clauses(headline.over_sizes, named), _rows_needed(headline.rows_needed))
    return "; ".join([f"{where} {_outcome(headline)}", *next(filter(None, caveats), [])]) + "."


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
        f"At {headline.rows:,} rows, the largest {_REACH[headline.reach]},")
    return f"{where.rstrip(',')}, by a single split," if headline.is_single_split else where


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
        if headline.is_single_split:
            ahead = f"of these fitted models that of {top[0]} is the best; another training may change that"
        return ahead if recommended is None else f"{ahead}; take {top[0]}"
    named = listed(top) if len(top) <= MOST_NAMED else f"{len(top)} approaches"
    tied = f"{named} are {'practically equal' if headline.outcome is Outcome.EQUAL else 'not separated'}"
    return tied if recommended is None else f"{tied}; take {recommended}{_regret(headline)}"


def _regret(headline: Headline) -> str:
    """What taking the recommended approach may cost."""
    if headline.regret_bound is None:
        return ""
    likely = f", probably {measured(headline.regret)}" if headline.regret > 0 else ""
    return f": at most {measured(headline.regret_bound)} {metric_words(headline.metric)} worse than the best (95 %){likely}"


def _no_verdict(headline: Headline) -> str:
    if headline.outcome is Outcome.ONE_APPROACH:
        return f"there is no verdict, because only {headline.approaches[0]} was run"
    if headline.outcome is Outcome.FAILURES:
        return f"there is no verdict, because {headline.failed:.0%} of the runs failed"
    if headline.outcome is Outcome.NO_ERROR_KNOWN:
        why = "too few splits, or rows of a class, to estimate errors"
        return f"there is no verdict: {why}; try other splits or another metric"
    return "nothing is shown to be better than a constant prediction"


def _few_rows(few: FewRows | None) -> list[str]:
    if few is None:
        return []
    others = "judge by MAE (--metric mae), take the logarithm of the target or gather" if few.is_regression else "gather"
    return [f"a few rows decide: {few.rows:,} of {few.of:,} rows carry half of the loss; {others} more rows"]


def _rows_needed(needed: RowsNeeded | None) -> list[str]:
    if needed is None:
        return []
    if not math.isfinite(needed.rows):
        if needed.is_close:
            return [f"{needed.first} and {needed.second} are so close that a hundred times as many rows might not decide it"]
        return ["these rows do not show how many would decide it"]
    return [f"deciding would need about {rounded_size(needed.rows, math.ceil)} rows in all{_REPEATS[needed.repeats]}"]


def _lead(lead: Lead) -> str:
    metric = metric_words(lead.metric)
    other = "a constant prediction" if lead.is_over_constant else f"the next best, {lead.other}"
    small = ", too little to matter" if lead.is_too_little else ""
    return (f"{metric} {measured(lead.difference)} {'higher' if lead.is_higher else 'lower'} than {other} "
            f"({measured(lead.near)} to {measured(lead.far)}){small}")
