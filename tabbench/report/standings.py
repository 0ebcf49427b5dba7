"""The table that every report shows first: all approaches at one size, ranked, with what they cost.

Takes decisions from the comparison as they are; computes none.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tabbench.core.comparison import Comparison
from tabbench.core.errors import BadOption
from tabbench.wording.numbers import known, rows
from tabbench.wording.terms import compared_with_best

_Record = dict[Hashable, Any]


@dataclass(frozen=True)
class Standing:
    """One approach at one size. Differences are loss minus the best's loss: more is worse."""

    rank: int
    approach: str
    mean: float | None
    low: float | None
    high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    verdict: str
    fit_seconds: float | None
    predict_us_per_row: float | None
    peak_mb: float | None
    one_row_us: float | None
    splits: int
    failed: int
    is_best: bool
    is_recommended: bool
    leads: bool
    """The recommended approach, which stands first; the best mean where none is recommended."""


def deciding_scores(comparison: Comparison) -> pd.DataFrame:
    """The rows of `scores` in the metric that decides."""
    return comparison.scores[comparison.scores["metric"] == comparison.protocol["metric"]]


def full_size(comparison: Comparison) -> int | None:
    """The largest size that was judged, or scored where none was judged; None when there is no score at all."""
    for frame in (comparison.winners, deciding_scores(comparison)):
        if len(frame):
            return int(frame["size"].max())
    return None


def families(comparison: Comparison) -> dict[str, str]:
    """Approach to family, in listing order."""
    return {str(row["name"]): str(row["family"]) for row in comparison.approaches.to_dict("records")}


def winner_at(comparison: Comparison, size: int) -> _Record | None:
    """The row of `winners` at a size."""
    found = comparison.winners[comparison.winners["size"] == size].to_dict("records")
    return found[0] if found else None


def standings(comparison: Comparison, size: int) -> list[Standing]:
    """All approaches scored at `size`, the recommended one first, then by rank and mean; those without a mean last.

    Raises
    ------
    BadOption
        When nothing was scored at this size.
    """
    scored = deciding_scores(comparison)
    here = scored[scored["size"] == size].to_dict("records")
    if not here:
        sizes = ", ".join(rows(each) for each in sorted(set(scored["size"])))
        raise BadOption(f"nothing was scored at {rows(size)} rows; choose one of the sizes {sizes}")
    pairs = comparison.pairs[comparison.pairs["size"] == size].to_dict("records")
    costs = {row["approach"]: row for row in comparison.costs[comparison.costs["size"] == size].to_dict("records")}
    winner = winner_at(comparison, size) or {}
    sign = 1.0 if comparison.protocol["direction"] == "lower" else -1.0
    best = winner.get("best") if isinstance(winner.get("best"), str) else _lowest(here, sign)
    table = [_standing(row, pairs, costs.get(row["approach"], {}), winner, best) for row in here]
    return sorted(table, key=lambda each: (
        each.mean is None, not each.leads, each.rank, not each.is_best, sign * (each.mean or 0.0)))


def _standing(row: _Record, pairs: list[_Record], cost: _Record, winner: _Record, best: str | None) -> Standing:
    name = row["approach"]
    difference, difference_low, difference_high, verdict = _against(pairs, name, best)
    return Standing(
        rank=1 + sum(_loses(pair, name) for pair in pairs),
        approach=name,
        mean=known(row["mean"]),
        low=known(row["low"]),
        high=known(row["high"]),
        difference=difference,
        difference_low=difference_low,
        difference_high=difference_high,
        verdict=_verdict_of_best(winner) if name == best else verdict,
        fit_seconds=known(cost.get("fit_seconds")),
        predict_us_per_row=known(cost.get("predict_us_per_row")),
        peak_mb=known(cost.get("peak_mb")),
        one_row_us=known(cost.get("one_row_us")),
        splits=int(row["splits"]),
        failed=int(row["failed"]),
        is_best=name == best,
        is_recommended=name == winner.get("recommended"),
        leads=name == (winner["recommended"] if isinstance(winner.get("recommended"), str) else best),
    )


def _verdict_of_best(winner: _Record) -> str:
    # Nobody wins over families that were not run, for the lack of which nothing is recommended.
    return "winner" if winner.get("decision") == "winner" and isinstance(winner["recommended"], str) else "best mean"


def _lowest(here: list[_Record], sign: float) -> str | None:
    defined = [row for row in here if known(row["mean"]) is not None]
    return min(defined, key=lambda row: sign * row["mean"])["approach"] if defined else None


def _loses(pair: _Record, name: str) -> bool:
    decision = str(pair["decision"])
    return (pair["second"] == name and decision.startswith("first")) or (pair["first"] == name and decision.startswith("second"))


def _against(pairs: list[_Record], name: str, best: str | None) -> tuple[float | None, float | None, float | None, str]:
    for pair in pairs:
        low, high, middle = known(pair["low"]), known(pair["high"]), known(pair["difference"])
        if (pair["first"], pair["second"]) == (name, best):
            return middle, low, high, compared_with_best(str(pair["decision"]), best_is_first=False)
        if (pair["first"], pair["second"]) == (best, name):
            turned = [None if value is None else -value + 0.0 for value in (middle, high, low)]
            return turned[0], turned[1], turned[2], compared_with_best(str(pair["decision"]), best_is_first=True)
    return None, None, None, ""
