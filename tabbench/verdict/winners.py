"""The winner or the top set at each size, and the recommended approach. Knows decisions, not how they were reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.optimism import corrected_loss

MOST_FAILED = 0.2
"""With more than this share of failed cells at a size the constant predictor would decide too much of it."""

BASELINE = "baseline"
"""The family of the constant predictor."""

WITHOUT_OWN_KIND = frozenset({BASELINE, "blend"})
"""Families that are no kind of approach of their own: what everything must beat, and mixtures of the others."""

SIMPLE, FLEXIBLE = frozenset({BASELINE, "linear"}), frozenset({"trees", "net"})
"""Where nothing of a flexible family was run, that a simple one is ahead says little: it is not recommended."""

AS_GOOD = 1.5
"""A bound of regret up to so many times the smallest one is as good as that: among equals bounds differ by about as much."""

KEPT = 2.0
"""What is recommended at the next larger size is so while its bound is at most so many times the smallest: a recommendation
that changes to and fro with the size, though nothing is shown, helps nobody."""

FIRST_BETTER = frozenset({"first", "first_materially"})
SECOND_BETTER = frozenset({"second", "second_materially"})


def decide(low: float, high: float, margin: float, *, is_single_split: bool = False) -> str:
    """The decision that an interval of loss(first) - loss(second) allows.

    Of a single split only a material difference is told: models that happen to be alike in it, or nearly so, say nothing of what
    other training rows, or another seed, would make of them (docs/calibration.md).

    >>> decide(-0.3, -0.2, 0.1), decide(-0.3, -0.05, 0.1), decide(-0.05, 0.1, 0.1), decide(-0.05, 0.2, 0.1)
    ('first_materially', 'first', 'equal', 'undecided')
    """
    if is_single_split and -margin <= high and low <= margin:
        return "undecided"
    if high < 0:
        return "first_materially" if high < -margin else "first"
    if low > 0:
        return "second_materially" if low > margin else "second"
    return "equal" if -margin <= low and high <= margin else "undecided"


def beaten_by(pairs: pd.DataFrame, size: int) -> dict[str, set[str]]:
    """For each approach in a pair at `size`, the approaches that are shown to be better than it."""
    beaten: dict[str, set[str]] = {}
    for first, second, at, decision in zip(*(pairs[name] for name in ("first", "second", "size", "decision")), strict=True):
        if at != size:
            continue
        for name in (first, second):
            beaten.setdefault(name, set())
        if decision in FIRST_BETTER:
            beaten[second].add(first)
        elif decision in SECOND_BETTER:
            beaten[first].add(second)
    return beaten


def failed_share(evidence: LossEvidence, size: int) -> float:
    """Share of the cells at `size` that failed."""
    return float(np.mean([evidence.imputed[name, size].mean() for name in evidence.present(size)]))


def families_at(evidence: LossEvidence, size: int, stopped: Collection[tuple[str, int]] = ()) -> set[str]:
    """The families of which something was run at `size`, or stopped by a race, without `WITHOUT_OWN_KIND`."""
    names = {*evidence.present(size), *(name for name, of_size in stopped if of_size == size)}
    return {evidence.families[name] for name in names if name in evidence.families} - WITHOUT_OWN_KIND


def lacking_families(evidence: LossEvidence, headline: int, missing: Collection[str] = (),
                     stopped: Collection[tuple[str, int]] = ()) -> dict[int, set[str]]:
    """For each size the families of which nothing was run there: of the `missing` ones and of those at the headline size."""
    wanted = {*missing, *families_at(evidence, headline, stopped)}
    return {size: wanted - families_at(evidence, size, stopped) for size in evidence.sizes}


def winners_frame(evidence: LossEvidence, pairs: pd.DataFrame, headline: int | None = None, seed: int = 0,
                  lacking: Mapping[int, Collection[str]] | None = None) -> pd.DataFrame:
    """One row a size, ascending, with the columns of result.json.

    `score` is the best approach's mean in the metric's natural sign, `corrected_score`, at the `headline` size alone, its
    selection-bias-corrected score.

    The recommended approach is the simplest of those in the top set whose bound of regret is at most `AS_GOOD` times the smallest
    one, or within the margin; what is recommended at the next larger size is so up to `KEPT` times it. `regret` is how much more
    it loses than the best mean, `regret_bound` how much more at most, with the confidence of the intervals, than whichever
    approach is truly best.

    `none`: nothing is shown to be better than the constant predictor, too many cells failed, or only one approach was run;
    then none is recommended. Nor is a simple approach where a flexible family is among those that are `lacking` at its size:
    the best of what was run stands beside it all the same.
    """
    absent = lacking or {}
    rows: list[dict[str, Any]] = []
    for size in reversed(evidence.sizes):
        above = rows[-1]["recommended"] if rows else None
        rows.append(winner_row(evidence, size, pairs[pairs["size"] == size], absent.get(size, ()), above)
                    | _best_scores(evidence, size, size == headline, seed))
    frame = pd.DataFrame(rows[::-1], columns=list(COLUMNS["winners"]), dtype=object)
    return frame.astype({"size": "int64"} | dict.fromkeys(("score", "corrected_score", "regret", "regret_bound"), "float64"))


def regret_bounds(pairs: pd.DataFrame, names: Collection[str]) -> dict[str, float]:
    """For each approach how much more it loses at most than any other of these, by the intervals of their pairs; NaN if unknown.

    Since the intervals hold at once, and whatever is truly best is in the top set, this holds for the top set's members with the
    intervals' confidence, whichever of them is picked afterwards.

    >>> pairs = pd.DataFrame({"first": ["a"], "second": ["b"], "low": [-0.1], "high": [0.3]})
    >>> regret_bounds(pairs, ["a", "b"])
    {'a': 0.3, 'b': 0.1}
    """
    bounds = dict.fromkeys(names, 0.0)
    for first, second, low, high in zip(*(pairs[name] for name in ("first", "second", "low", "high")), strict=True):
        if first in bounds and second in bounds:
            bounds[first], bounds[second] = np.maximum(bounds[first], high), np.maximum(bounds[second], -low)
    return {name: float(bound) for name, bound in bounds.items()}


def as_good_as_any(bounds: Mapping[str, float], margin: float, times: float = AS_GOOD) -> list[str]:
    """The approaches whose bound of regret is at most so many times the smallest one, or the margin; all where none is known."""
    known = [bound for bound in bounds.values() if np.isfinite(bound)]
    most = max(times * min(known), margin) if known else np.inf
    return [name for name, bound in bounds.items() if not known or bound <= most]


def _best_scores(evidence: LossEvidence, size: int, is_headline: bool, seed: int) -> dict[str, float]:
    lowest = min(evidence.mean(name, size) for name in evidence.present(size))
    corrected = corrected_loss(evidence, size, seed) if is_headline else np.nan
    # Turning the sign twice gives it back.
    return {"score": evidence.metric.loss(lowest), "corrected_score": evidence.metric.loss(corrected)}


def winner_row(evidence: LossEvidence, size: int, pairs: pd.DataFrame, lacking: Collection[str], above: str | None = None
               ) -> dict[str, Any]:
    """The columns of `winners_frame` at one size, but for its scores; `above` is what is recommended at the next larger size."""
    means, beaten = {name: evidence.mean(name, size) for name in evidence.present(size)}, beaten_by(pairs, size)
    ranked = sorted(means, key=lambda name: (means[name], evidence.cost_ranks[name]))
    best = ranked[0]
    row = {"size": size, "decision": "none", "approaches": [], "best": best, "recommended": None, "regret": np.nan,
           "regret_bound": np.nan}
    constants = [name for name in ranked if evidence.families[name] == BASELINE]
    is_constant_unbeaten = not all(beaten.get(name) for name in constants)
    if len(ranked) < 2 or is_constant_unbeaten or failed_share(evidence, size) > MOST_FAILED:
        return row
    top = [name for name in ranked if not beaten[name]]
    # One training of each approach shows which model is better, not which approach is.
    is_winner = evidence.n_splits > 1 and all(best in beaten[name] for name in ranked[1:])
    bounds = regret_bounds(pairs, top)
    row |= {"decision": "winner" if is_winner else "top_set", "approaches": top}
    recommended = _recommended(evidence, means, bounds, lacking, above)
    return row if recommended is None else row | {
        "recommended": recommended, "regret": means[recommended] - means[best], "regret_bound": bounds[recommended]}


def _recommended(evidence: LossEvidence, means: Mapping[str, float], bounds: Mapping[str, float], lacking: Collection[str],
                 above: str | None) -> str | None:
    simplest = min(as_good_as_any(bounds, evidence.margin), key=lambda name: (evidence.cost_ranks[name], means[name]))
    if above in as_good_as_any(bounds, evidence.margin, KEPT):
        simplest = above
    is_unopposed = evidence.families[simplest] in SIMPLE and not FLEXIBLE.isdisjoint(lacking)
    return None if is_unopposed else simplest
