"""The closing sentence over many tables: every outcome has its own plain wording. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from tabbench.core.phrases import listed
from tabbench.verdict.across.answer import TablesAnswer, TablesLead
from tabbench.verdict.across.decision import TablesOutcome
from tabbench.verdict.across.judge import Overview

RAREST_TOLD = 10_000
"""Smaller p-values are told as this: there are not so many collections of tables, and the model is not that exact."""


def closing_sentence(overview: Overview, *, repeated: Mapping[str, int] | None = None, presets: Collection[str] = ()) -> str:
    """One sentence for a reader who reads nothing else.

    Parameters
    ----------
    repeated : Mapping[str, int] | None, default None
        Tables that were given more than once, and how often.
    presets : Collection[str]
        The runs' efforts. The sentence says so where something is given twice or the efforts differ.
    """
    clauses = [_decision(overview)]
    clauses += [f"{table} was given {_times(count)} and counts once" for table, count in (repeated or {}).items()]
    clauses += _left_out(overview)
    if overview.smaller:
        count = "counts" if overview.smaller == 1 else "count"
        clauses.append(f"{_tables(overview.smaller)} {count} at a smaller size than the largest, at which not all of these "
                       "approaches were run")
    if len(set(presets)) > 1:
        clauses.append(f"the runs differ in effort ({listed(sorted(set(presets)))})")
    return "; ".join(clauses) + "."


def answer_sentence(answer: TablesAnswer) -> str:
    """The sentence of a decision over some tables, where failed runs don't decide it."""
    outcome = answer.outcome
    if not answer.tables:
        return "On every table something failed, so that nothing is left without them."
    if outcome.reason == "no_pair":
        return f"There is no verdict over tables, because only {answer.compared[0]} is compared."
    if outcome.reason == "one_source":
        whole = "One table says" if answer.tables == 1 else f"{_tables(answer.tables).capitalize()} from one source say"
        return f"{whole} nothing about other tables, so there is no verdict over tables."
    said = _no_verdict(answer) if outcome.decision == "none" else _top_set(answer) if answer.lead is None else (
        _winner(answer, answer.lead))
    return f"{_where(answer)}, {said}."


def _decision(overview: Overview) -> str:
    answer, without = overview.answer, overview.without_failures
    if answer.outcome.reason != "disagree" or without is None:
        return answer_sentence(answer).removesuffix(".")
    return (f"{_where(answer)}, there is no verdict, because failed runs would decide it: counted as constant predictions, "
            f"{_briefly(overview.counted)}; without the {_tables(answer.tables - without.tables)} on which something failed, "
            f"{_briefly(without.outcome)}")


def _left_out(overview: Overview) -> list[str]:
    clauses = []
    if overview.absent:
        clauses.append(f"{listed(overview.absent)} {_was(overview.absent)} left out, because not every table has "
                       f"{'it' if len(overview.absent) == 1 else 'them'}")
    if overview.left_out:
        clauses.append(f"{_tables(len(overview.left_out))} {_was(overview.left_out)} left out, because not all of these "
                       "approaches were run there")
    return clauses


def _no_verdict(answer: TablesAnswer) -> str:
    return {
        "few_sources": f"nothing can be decided between {len(answer.compared)} approaches: even being ahead on every table could "
                       f"be chance; at least {answer.fewest_sources} tables from different sources are needed",
        "failed": f"there is no verdict, because {answer.failed:.0%} of the runs failed",
        "constant": "nothing is shown to be better than a constant prediction",
        "circle": "there is no order: each approach is shown to be worse than another one",
    }[answer.outcome.reason]


def _briefly(outcome: TablesOutcome) -> str:
    if outcome.decision == "winner":
        return f"{outcome.approaches[0]} wins"
    if outcome.decision == "top_set":
        return f"{listed(outcome.approaches)} {'is' if len(outcome.approaches) == 1 else 'are'} not worse than any"
    return "nothing is decided"


def _winner(answer: TablesAnswer, lead: TablesLead) -> str:
    named = "a constant prediction" if lead.is_over_constant else lead.other
    small = ", though typically by too little to matter" if lead.is_too_little else ""
    seen = f"would be seen in {rarity(lead.chance)} such collections of tables"
    closest, counted = (", the closest other,", ", all comparisons counted") if len(answer.compared) > 2 else ("", "")
    return (f"{answer.outcome.approaches[0]} wins: it is ahead of {named}{closest} on {lead.ahead:g} of {_tables(answer.tables)}"
            f"{small}; if the two were equal, a lead this consistent {seen}{counted}")


def _top_set(answer: TablesAnswer) -> str:
    top, recommended = answer.outcome.approaches, answer.outcome.recommended
    if len(top) == 1:
        return f"{top[0]} is ahead, but it is not shown to be better than every other approach; take {top[0]}"
    alike = "are practically equal" if answer.are_equal else "are not separated"
    whose = "which has the best mean rank" if recommended == top[0] else "the simplest of those close to the best"
    return f"no single approach wins: {listed(top)} {alike}; take {recommended}, {whose}"


def rarity(chance: float) -> str:
    """A p-value in words, rounded up.

    >>> rarity(0.0019), rarity(0.049), rarity(1e-9)
    ('at most 1 of 520', 'at most 1 of 20', 'fewer than 1 of 10,000')
    """
    if chance * RAREST_TOLD < 1:
        return f"fewer than 1 of {RAREST_TOLD:,}"
    of = 1 / chance
    digits = 10 ** max(0, math.floor(math.log10(of)) - 1)
    return f"at most 1 of {math.floor(of / digits) * digits:,}"


def _where(answer: TablesAnswer) -> str:
    return f"Over {_tables(answer.tables)}" + (f" from {answer.sources} sources" if answer.sources < answer.tables else "")


def _tables(count: int) -> str:
    return "one table" if count == 1 else f"{count:,} tables"


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _was(names: tuple[str, ...]) -> str:
    return "was" if len(names) == 1 else "were"
