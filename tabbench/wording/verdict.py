"""The closing sentence: every outcome has its own plain wording. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from tabbench.core.finding import Finding
from tabbench.core.limits import Limited
from tabbench.core.metric import metric_words
from tabbench.core.phrases import listed, measured, rounded_size
from tabbench.verdict.changing_places import over_sizes
from tabbench.verdict.crossover import Crossing
from tabbench.verdict.evidence import Evidence
from tabbench.verdict.winners import BASELINE, MOST_FAILED, failed_share, families_at
from tabbench.wording.limits import beginning, cost_clauses, named_in

REPEATABLE = ("stratified", "grouped")
"""Splits that can be drawn again."""
MANY_ROWS = 10_000
"""From here on a second repeat changes next to nothing."""


def closing_sentence(
    evidence: Evidence, winners: pd.DataFrame, pairs: pd.DataFrame, found: Sequence[Crossing], *,
    headline: int, full_size: int, skipped: Collection[tuple[str, int]] = (), stopped: Collection[tuple[str, int]] = (),
    limited: Limited | None = None, missing: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """One sentence for somebody who reads nothing else: who wins, by how much, and whether that depends on the size.

    What a limit or an interruption has cost is told: whole families first, as the question is not the one that was asked then.
    """
    row, lost = winners[winners["size"] == headline].iloc[0], missing or {}
    where = _where(evidence, headline, full_size, stopped, is_complete=not lost)
    if lost:
        is_recommending = row["decision"] == "none" or row["recommended"] is not None
        where = beginning(evidence, lost, limited, is_recommending=is_recommending) + where[0].lower() + where[1:]
    clauses = [f"{where} {_outcome(evidence, row, pairs, headline)}"]
    clauses += _settling(evidence, row, pairs[pairs["size"] == headline])
    if row["decision"] != "none":
        clauses += over_sizes(evidence, row, pairs, found)
    clauses += _absent(evidence.present(headline), skipped, stopped, named_in(limited, lost))
    return "; ".join(clauses + cost_clauses(limited, is_lift_told=bool(lost))) + "."


def _absent(present: Collection[str], skipped: Collection[tuple[str, int]], stopped: Collection[tuple[str, int]],
            told: Collection[str]) -> list[str]:
    """Who was stopped by a race, and who was left out for another reason than is `told` elsewhere."""
    raced_out = sorted({name for name, _ in stopped} - set(present))
    left_out = sorted({name for name, _ in skipped} - {*present, *raced_out, *told})
    clauses = []
    if raced_out:
        clauses.append(f"{listed(raced_out)} {'was' if len(raced_out) == 1 else 'were'} stopped at a smaller size as hopelessly "
                       "behind, so this holds among those that went on")
    if left_out:
        clauses.append(f"{listed(left_out)} {'was' if len(left_out) == 1 else 'were'} left out")
    return clauses


def doubted(sentence: str, findings: Sequence[Finding], *, is_decided: bool = True) -> str:
    """The sentence, after what makes the verdict suspect if there is such a finding; the gravest comes first.

    Without a decision it is the data that are suspect.
    """
    causes = [finding.message for finding in findings if finding.spoils]
    if not causes:
        return sentence
    more = f" (and {len(causes) - 1} more of the kind)" if len(causes) > 1 else ""
    what = "This verdict is" if is_decided else "These data are"
    return f"{what} suspect: {causes[0]}{more}. As the table stands: {sentence[0].lower()}{sentence[1:]}"


def _where(evidence: Evidence, headline: int, full_size: int, stopped: Collection[tuple[str, int]], *, is_complete: bool) -> str:
    """At which size this is; `is_complete` is false where a family was run nowhere."""
    once = ", judged by a single split," if evidence.n_splits == 1 else ""
    if headline == full_size:
        return f"On {evidence.pool_rows:,} rows{once}"
    of_sizes = {size: families_at(evidence, size, stopped) for size in evidence.sizes}
    whole = "every family was run" if is_complete else "every other family was run"
    has_all = of_sizes[headline] >= set().union(*of_sizes.values())
    which = "that was run" if headline == evidence.sizes[-1] else f"at which {whole if has_all else 'most families were run'}"
    return f"At {headline:,} rows, the largest size {which},{once.removeprefix(',')}".rstrip()


def _outcome(evidence: Evidence, row: pd.Series, pairs: pd.DataFrame, size: int) -> str:
    if row["decision"] == "none":
        return _no_verdict(evidence, pairs[pairs["size"] == size], size)
    at_size = pairs[pairs["size"] == size]
    if row["decision"] == "winner":
        # Nobody wins over families that were not run.
        wins = "is ahead of the others that were run" if row["recommended"] is None else "wins"
        return f"{row['best']} {wins}: {_lead(evidence, row['best'], at_size, size)}"
    top, recommended = row["approaches"], row["recommended"]
    if len(top) == 1:
        ahead = f"{top[0]} is ahead, but it is not shown to be better than every other approach"
        return ahead if recommended is None else f"{ahead}; take {top[0]}"
    among = at_size[at_size["first"].isin(top) & at_size["second"].isin(top)]
    alike = "are practically equal" if (among["decision"] == "equal").all() else "cannot be told apart"
    nobody = f"no single approach wins: {listed(top)} {alike}"
    return nobody if recommended is None else f"{nobody}; take {recommended}, {_why_taken(evidence, row, size)}"


def _why_taken(evidence: Evidence, row: pd.Series, size: int) -> str:
    """What sets the one to take apart from the others of the top set."""
    top = row["approaches"]
    nearby = [name for name in top if evidence.mean(name, size) - evidence.mean(row["best"], size) <= evidence.margin]
    simplest = [name for name in nearby if evidence.cost_ranks[name] == evidence.cost_ranks[row["recommended"]]]
    if len(simplest) == len(nearby):
        return "which scored best"
    if len(simplest) > 1:
        return "the best of the simplest"
    return "the simplest of them" if len(nearby) == len(top) else "the simplest of those close to the best"


def _settling(evidence: Evidence, row: pd.Series, at_size: pd.DataFrame) -> list[str]:
    """What it would take to tell the best from the others of the top set, or from a constant; nothing where that is decided."""
    if failed_share(evidence, int(row["size"])) > MOST_FAILED:
        return []
    among = set(row["approaches"]) if row["decision"] != "none" else {
        name for name in evidence.present(int(row["size"])) if evidence.families[name] == BASELINE}
    has_best = [at_size[side].eq(row["best"]) for side in ("first", "second")]
    others = [at_size[side].isin(among) for side in ("second", "first")]
    is_asked = has_best[0] & others[0] | has_best[1] & others[1]
    asked = at_size[is_asked & at_size["decision"].eq("undecided")].dropna(subset=["rows_to_settle"])
    if asked.empty:
        return []
    hardest = asked.loc[asked["rows_to_settle"].idxmax()]
    if not math.isfinite(hardest["rows_to_settle"]):
        return [f"{hardest['first']} and {hardest['second']} are so close that a hundred times as many rows might not settle it"]
    takes = f"to settle it takes about {rounded_size(hardest['rows_to_settle'], math.ceil)} rows in all"
    if evidence.split_kind not in REPEATABLE:
        return [takes]
    is_once = evidence.repeats == 1 and evidence.pool_rows <= MANY_ROWS
    return [f"{takes}, and more {'--repeats might help a little' if is_once else 'repeats would hardly help'}"]


def _no_verdict(evidence: Evidence, at_size: pd.DataFrame, size: int) -> str:
    present = evidence.present(size)
    if len(present) < 2:
        return f"there is no verdict, because only {present[0]} was run"
    failed = failed_share(evidence, size)
    if failed > MOST_FAILED:
        return f"there is no verdict, because {failed:.0%} of the runs failed"
    if at_size["low"].isna().all():
        why = "the splits leave too little of a class, or are too few, to show how far scores may be off"
        return f"there is no verdict, because {why}; other splits or another --metric would tell more"
    return "nothing is shown to be better than a constant prediction"


def _lead(evidence: Evidence, winner: str, at_size: pd.DataFrame, size: int) -> str:
    next_best = min((name for name in evidence.present(size) if name != winner), key=lambda name: evidence.mean(name, size))
    row = at_size[at_size["first"].isin([winner, next_best]) & at_size["second"].isin([winner, next_best])].iloc[0]
    near, far = sorted(abs(float(bound)) for bound in (row["low"], row["high"]))
    metric = metric_words(evidence.metric.name)
    direction = "higher" if evidence.metric.higher_is_better else "lower"
    other = "a constant prediction" if evidence.families[next_best] == BASELINE else f"the next best, {next_best}"
    small = ", which is too little to matter" if far <= evidence.margin else ""
    return (f"its {metric} is {measured(abs(float(row['difference'])))} {direction} than that of {other} "
            f"(between {measured(near)} and {measured(far)}){small}")
