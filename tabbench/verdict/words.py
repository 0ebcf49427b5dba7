"""The closing sentence: every outcome has its own plain wording. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabbench.core.finding import Finding
from tabbench.verdict.crossover import Crossing
from tabbench.verdict.evidence import Evidence
from tabbench.verdict.winners import BASELINE, FIRST_BETTER, MOST_FAILED, SECOND_BETTER, failed_share

METRIC_WORDS = {"auc": "AUC", "rmse": "RMSE", "mae": "MAE", "r2": "R²", "brier": "Brier score"}
"""Metrics that are not simply their name with spaces."""

MOST_CROSSINGS_TOLD = 2
"""More places where approaches change than this would bury the answer; the report lists all."""


REPEATABLE = ("stratified", "grouped")
"""Splits that can be drawn again."""
MANY_ROWS = 10_000
"""From here on a second repeat changes next to nothing."""


def closing_sentence(
    evidence: Evidence, winners: pd.DataFrame, pairs: pd.DataFrame, found: Sequence[Crossing], *,
    headline: int, full_size: int, skipped: Collection[tuple[str, int]] = (), stopped: Collection[tuple[str, int]] = (),
) -> str:
    """One sentence for somebody who reads nothing else: who wins, by how much, and whether that depends on the size."""
    row = winners[winners["size"] == headline].iloc[0]
    where = _where(evidence, headline, full_size)
    raced_out = sorted({name for name, _ in stopped} - set(evidence.present(headline)))
    left_out = sorted({name for name, _ in skipped} - set(evidence.present(headline)) - set(raced_out))
    clauses = [f"{where} {_outcome(evidence, row, pairs, headline)}"]
    clauses += _settling(evidence, row, pairs[pairs["size"] == headline])
    if row["decision"] != "none":
        clauses += _over_sizes(evidence, row, pairs, found)
    if raced_out:
        clauses.append(f"{listed(raced_out)} {'was' if len(raced_out) == 1 else 'were'} stopped at a smaller size as hopelessly "
                       "behind, so this holds among those that went on")
    if left_out:
        clauses.append(f"{listed(left_out)} {'was' if len(left_out) == 1 else 'were'} left out")
    return "; ".join(clauses) + "."


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


def rounded_size(size: float, rounding: Callable[[float], int] = round) -> str:
    """A number of rows to two significant digits, with thousands separators, rounded to the nearest unless told otherwise.

    >>> rounded_size(483.0), rounded_size(12_345), rounded_size(7), rounded_size(1_047, math.ceil)
    ('480', '12,000', '7', '1,100')
    """
    digits = max(0, int(math.log10(max(size, 1))) - 1)
    return f"{rounding(size / 10**digits) * 10**digits:,}"


def measured(value: float) -> str:
    """A positive number to two significant digits, never in exponent form.

    >>> measured(0.01234), measured(1234.6), measured(3.21), measured(0.0)
    ('0.012', '1,235', '3.2', '0')
    """
    if value == 0:
        return "0"
    decimals = max(0, 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def listed(names: Sequence[str]) -> str:
    """Names as one says them.

    >>> listed(["linear"]), listed(["linear", "mlp"]), listed(["linear", "mlp", "boosting"])
    ('linear', 'linear and mlp', 'linear, mlp and boosting')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _where(evidence: Evidence, headline: int, full_size: int) -> str:
    once = ", judged by a single split," if evidence.n_splits == 1 else ""
    if headline == full_size:
        return f"On {evidence.pool_rows:,} rows{once}"
    which = "that was run" if headline == evidence.sizes[-1] else "at which most approaches were run"
    return f"At {headline:,} rows, the largest size {which},{once.removeprefix(',')}".rstrip()


def _outcome(evidence: Evidence, row: pd.Series, pairs: pd.DataFrame, size: int) -> str:
    if row["decision"] == "none":
        return _no_verdict(evidence, size)
    at_size = pairs[pairs["size"] == size]
    if row["decision"] == "winner":
        return _winner(evidence, row["best"], at_size, size)
    top, recommended = row["approaches"], row["recommended"]
    if len(top) == 1:
        return f"{top[0]} is ahead, but it is not shown to be better than every other approach; take {top[0]}"
    among = at_size[at_size["first"].isin(top) & at_size["second"].isin(top)]
    alike = "are practically equal" if (among["decision"] == "equal").all() else "cannot be told apart"
    nearby = [name for name in top if evidence.mean(name, size) - evidence.mean(row["best"], size) <= evidence.margin]
    whose = "the simplest of them" if len(nearby) == len(top) else "the simplest of those close to the best"
    simplest = [name for name in nearby if evidence.cost_ranks[name] == evidence.cost_ranks[recommended]]
    if len(simplest) > 1:
        whose = "the best of the simplest"
    if len(simplest) == len(nearby):
        whose = "which scored best"
    return f"no single approach wins: {listed(top)} {alike}; take {recommended}, {whose}"


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


def _no_verdict(evidence: Evidence, size: int) -> str:
    present = evidence.present(size)
    if len(present) < 2:
        return f"there is no verdict, because only {present[0]} was run"
    failed = failed_share(evidence, size)
    if failed > MOST_FAILED:
        return f"there is no verdict, because {failed:.0%} of the runs failed"
    return "nothing is shown to be better than a constant prediction"


def _winner(evidence: Evidence, winner: str, at_size: pd.DataFrame, size: int) -> str:
    next_best = min((name for name in evidence.present(size) if name != winner), key=lambda name: evidence.mean(name, size))
    row = at_size[at_size["first"].isin([winner, next_best]) & at_size["second"].isin([winner, next_best])].iloc[0]
    near, far = sorted(abs(float(bound)) for bound in (row["low"], row["high"]))
    metric = METRIC_WORDS.get(evidence.metric.name, evidence.metric.name.replace("_", " "))
    direction = "higher" if evidence.metric.higher_is_better else "lower"
    other = "a constant prediction" if evidence.families[next_best] == BASELINE else f"the next best, {next_best}"
    small = ", which is too little to matter" if far <= evidence.margin else ""
    return (f"{winner} wins: its {metric} is {measured(abs(float(row['difference'])))} {direction} than that of {other} "
            f"(between {measured(near)} and {measured(far)}){small}")


def _over_sizes(evidence: Evidence, row: pd.Series, pairs: pd.DataFrame, found: Sequence[Crossing]) -> list[str]:
    family = evidence.families[row["best"]]
    leaders = [name for name in evidence.representatives if name == row["best"]] or [
        name for name in evidence.representatives if evidence.families[name] == family]
    if not leaders or len(evidence.sizes) < 2:
        return []
    leader = leaders[0]
    # What is said about sizes holds for the family's representative, which is named unless it is the winner just named.
    whom = "" if row["decision"] == "winner" and leader == row["best"] else leader
    places: dict[str, list[Crossing]] = {}
    for each in found:
        if leader in (each.first, each.second) and each.kind in {"bracket", "open", "several"}:
            places.setdefault(each.second if each.first == leader else each.first, []).append(each)
    if places:
        ends = evidence.sizes[0], evidence.sizes[-1]
        told = [_crossing(at, _Told(other, leader, whom, ends, _sizes_ahead(other, leader, pairs),
                                    int(row["size"]) in _sizes_ahead(leader, other, pairs)))
                for other, at in places.items()]
        return [clause for clause in told if clause][:MOST_CROSSINGS_TOLD]
    others = [name for name in evidence.representatives if name != leader]
    if row["decision"] == "winner" and others and not any(_sizes_ahead(name, leader, pairs) for name in others):
        return [f"{listed(others)} {'is' if len(others) == 1 else 'are'} not shown to be better{_prefixed(' than ', whom)} "
                f"at any size from {evidence.sizes[0]:,} rows up"]
    return []


@dataclass(frozen=True)
class _Told:
    """Two approaches whose places are told: the `leader`, called `whom` if it has to be named, and the `other` one, which is
    shown to be better at the sizes `ahead`; `ends` are the smallest and largest size of all. `is_settled` says that the leader is
    shown to be better at the size that decides."""

    other: str
    leader: str
    whom: str
    ends: tuple[int, int]
    ahead: Sequence[int]
    is_settled: bool

    @property
    def better(self) -> str:
        return f"{self.other} is better{_prefixed(' than ', self.whom)}"

    def first_ahead(self) -> float:
        """The size from which the other one is shown to be better, NaN if from the smallest."""
        return np.nan if not self.ahead or self.ahead[0] == self.ends[0] else self.ahead[0]

    def last_ahead(self) -> float:
        """The size up to which the other one is shown to be better, NaN if up to the largest."""
        return np.nan if not self.ahead or self.ahead[-1] == self.ends[1] else self.ahead[-1]


def _crossing(places: Sequence[Crossing], told: _Told) -> str:
    """Where two approaches change places, or may; `places` are those of the two, ascending."""
    # What reaches the smallest or the largest size is open there, whatever the means say.
    unproven = [(np.nan if each.low == told.ends[0] else each.low, np.nan if each.high == told.ends[1] else each.high)
                for each in places if each.kind == "open"]
    brackets = [each for each in places if each.kind != "open"]
    # At the size that decides intervals are narrower, and have the last word.
    doubtful = [(low, high) for low, high in unproven if high < told.ends[1]] if told.is_settled else unproven
    if brackets:
        return _bracketed(brackets, told) + (f", and perhaps once more {_ranges(doubtful)}" if doubtful else "")
    shown = places[0].ahead_above if np.isnan(places[0].low) else places[0].ahead_below
    if shown == told.leader:
        return f"{told.other} may be as good{_prefixed(' as ', told.whom)} {_ranges(doubtful)}" if doubtful else ""
    sure = _beyond(unproven, told.first_ahead(), told.last_ahead())
    return f"{told.better} {_ranges(sure)}"


def _bracketed(brackets: Sequence[Crossing], told: _Told) -> str:
    if len(brackets) > 1:
        spans = [f"between {' and '.join(_enclosing(each))}" for each in brackets]
        return f"{told.leader} and {told.other} change places more than once ({listed(spans)} rows)"
    (place,) = brackets
    point, where = rounded_size(place.point), f"somewhere between {' and '.join(_enclosing(place))}"
    if place.ahead_below == told.other:
        if np.isnan(told.first_ahead()):
            return f"{told.better} below about {point} rows ({where})"
        return f"{told.better} between {told.first_ahead():,} and about {point} rows (the upper end {where})"
    if np.isnan(told.last_ahead()):
        return f"{told.better} above about {point} rows ({where})"
    return f"{told.better} between about {point} and {told.last_ahead():,} rows (the lower end {where})"


def _enclosing(place: Crossing) -> tuple[str, str]:
    """Both ends of a bracket, rounded outwards."""
    return rounded_size(place.low, math.floor), rounded_size(place.high, math.ceil)


def _sizes_ahead(name: str, other: str, pairs: pd.DataFrame) -> list[int]:
    """The sizes at which an approach is shown to be better than another, ascending."""
    is_ahead = (pairs["first"].eq(name) & pairs["second"].eq(other) & pairs["decision"].isin(FIRST_BETTER)
                | pairs["second"].eq(name) & pairs["first"].eq(other) & pairs["decision"].isin(SECOND_BETTER))
    return sorted(pairs.loc[is_ahead, "size"].tolist())


def _beyond(spans: Sequence[tuple[float, float]], first: float, last: float) -> list[tuple[float, float]]:
    """What ascending spans of sizes leave between `first` and `last`; NaN is an end that is open."""
    edges = [first, *(edge for span in spans for edge in span), last]
    left = zip(edges[::2], edges[1::2], strict=True)
    is_open = [np.isnan(spans[0][0]), *[False] * (len(spans) - 1), np.isnan(spans[-1][1])]
    return [span for span, is_gone in zip(left, is_open, strict=True) if not is_gone]


def _ranges(spans: Sequence[tuple[float, float]]) -> str:
    """Spans of sizes as one says them; NaN is an end that is open."""
    return listed([_range(*span) for span in spans]) + " rows"


def _range(low: float, high: float) -> str:
    if np.isnan(low):
        return f"below about {rounded_size(high)}"
    if np.isnan(high):
        return f"above about {rounded_size(low)}"
    if rounded_size(low) == rounded_size(high):
        return f"at about {rounded_size(low)}"
    return f"between about {rounded_size(low)} and {rounded_size(high)}"


def _prefixed(prefix: str, name: str) -> str:
    return prefix + name if name else ""
