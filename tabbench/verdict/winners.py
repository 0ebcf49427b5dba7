"""The winner or the top set at each size, and the recommended approach. Knows decisions, not how they were reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping

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

FIRST_BETTER = frozenset({"first", "first_materially"})
SECOND_BETTER = frozenset({"second", "second_materially"})


def decide(low: float, high: float, margin: float, *, may_be_equal: bool = True) -> str:
    """The decision that an interval of loss(first) - loss(second) allows.

    `may_be_equal` is false where the interval cannot show that two approaches are practically equal: from one split, in which
    models that happen to be alike say nothing of what other training rows would make of them (docs/calibration.md).

    >>> decide(-0.3, -0.2, 0.1), decide(-0.3, -0.05, 0.1), decide(-0.05, 0.1, 0.1), decide(-0.05, 0.2, 0.1)
    ('first_materially', 'first', 'equal', 'undecided')
    """
    if high < 0:
        return "first_materially" if high < -margin else "first"
    if low > 0:
        return "second_materially" if low > margin else "second"
    return "equal" if may_be_equal and -margin <= low and high <= margin else "undecided"


def beaten_by(pairs: pd.DataFrame, size: int) -> dict[str, set[str]]:
    """For each approach in a pair at `size`, the approaches that are shown to be better than it."""
    beaten: dict[str, set[str]] = {}
    for row in pairs[pairs["size"] == size].itertuples():
        for name in (row.first, row.second):
            beaten.setdefault(name, set())
        if row.decision in FIRST_BETTER:
            beaten[row.second].add(row.first)
        elif row.decision in SECOND_BETTER:
            beaten[row.first].add(row.second)
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

    `none`: nothing is shown to be better than the constant predictor, too many cells failed, or only one approach was run;
    then none is recommended. Nor is a simple approach where a flexible family is among those that are `lacking` at its size:
    the best of what was run stands beside it all the same.
    """
    absent = lacking or {}
    rows = [(*_winner_row(evidence, size, beaten_by(pairs, size), absent.get(size, ())),
             *_best_scores(evidence, size, size == headline, seed)) for size in evidence.sizes]
    frame = pd.DataFrame(rows, columns=list(COLUMNS["winners"]), dtype=object)
    return frame.astype({"size": "int64", "score": "float64", "corrected_score": "float64"})


def _best_scores(evidence: LossEvidence, size: int, is_headline: bool, seed: int) -> tuple[float, float]:
    lowest = min(evidence.mean(name, size) for name in evidence.present(size))
    corrected = corrected_loss(evidence, size, seed) if is_headline else np.nan
    return evidence.metric.loss(lowest), evidence.metric.loss(corrected)  # turning the sign twice gives it back


def _winner_row(evidence: LossEvidence, size: int, beaten: dict[str, set[str]], lacking: Collection[str]
                ) -> tuple[int, str, list[str], str, str | None]:
    means = {name: evidence.mean(name, size) for name in evidence.present(size)}
    ranked = sorted(means, key=lambda name: (means[name], evidence.cost_ranks[name]))
    constants = [name for name in ranked if evidence.families[name] == BASELINE]
    is_constant_unbeaten = not all(beaten.get(name) for name in constants)
    if len(ranked) < 2 or is_constant_unbeaten or failed_share(evidence, size) > MOST_FAILED:
        return size, "none", [], ranked[0], None
    best = ranked[0]
    top = [name for name in ranked if not beaten[name]]
    is_winner = all(best in beaten[name] for name in ranked[1:])
    return size, "winner" if is_winner else "top_set", top, best, _recommended(evidence, means, top, lacking)


def _recommended(evidence: LossEvidence, means: dict[str, float], top: list[str], lacking: Collection[str]) -> str | None:
    lowest = min(means.values())
    near = [name for name in top if means[name] - lowest <= evidence.margin]
    simplest = min(near, key=lambda name: (evidence.cost_ranks[name], means[name]))
    is_unopposed = evidence.families[simplest] in SIMPLE and not FLEXIBLE.isdisjoint(lacking)
    return None if is_unopposed else simplest
