"""Learning curves extrapolated to more rows than there are: a sentence for each kind of outcome, none of which is a verdict.

Plain text; each format makes it safe in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.report.standings import full_size, winner_at
from tabbench.wording.numbers import NOTHING, decimals_for, interval, known, rows, signed

LIKELY, UNLIKELY = 0.9, 0.1
"""Probabilities from which a sentence leans to one side."""

MOSTLY = 0.5
"""An extrapolation of which more than this continues the last difference does not rest on curves."""

HEADER = ("first", "second", "training rows", "difference", "interval", "behind now", "probability that it is ahead then",
          "overtakes at about", "interval")

NOTE = (
    "An extrapolation, not a verdict: learning curves continued to 2 and 4 times the rows of a training part, after a backtest "
    "in which they had to predict the larger sizes from those up to half of it. Difference: loss of the first minus loss of the "
    "second. The 95 % intervals are for one pair alone; no claim of this report rests on them.")


def more_rows_lines(comparison: Comparison, *, about_best: bool = False) -> list[str]:
    """One sentence a pair; with `about_best` only pairs of the approach with the best mean."""
    size = full_size(comparison)
    best = ((None if size is None else winner_at(comparison, size)) or {}).get("best")
    return [more_rows_sentence(records) for records in _by_pair(comparison).values()
            if not about_best or best in (records[0]["first"], records[0]["second"])]


def more_rows_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Both larger sizes of every pair that was not refused."""
    found: list[tuple[str, ...]] = []
    for records in _by_pair(comparison).values():
        for row in records:
            difference = known(row["difference"])
            if difference is None:
                continue
            decimals = decimals_for(max(abs(difference), abs(float(row["high"]) - float(row["low"]))))
            found.append((
                str(row["first"]), str(row["second"]), rows(row["size"] * row["factor"]), signed(difference, decimals),
                interval(known(row["low"]), known(row["high"]), decimals, with_sign=True), str(row["behind"]),
                _probability(row["p_overtakes"]), NOTHING if known(row["n_star"]) is None else rows(row["n_star"]), _reach(row)))
    return found


def more_rows_sentence(records: Sequence[dict[Any, Any]]) -> str:
    """The rows of one pair, at ascending factors, as a sentence.

    Raises
    ------
    IndexError
        Without rows.
    """
    row, last = records[0], records[-1]
    if row["refusal"]:
        return f"No extrapolation of {row['first']} and {row['second']} to more rows: {row['refusal']}."
    behind = str(row["behind"])
    ahead = str(row["second"] if behind == row["first"] else row["first"])
    probabilities = " and ".join(f"{_probability(each['p_overtakes'])} at {rows(each['size'] * each['factor'])} training rows"
                           for each in records)
    if float(last["p_overtakes"]) >= LIKELY:
        told = f"{behind} would probably overtake {ahead}{_about(row)}; the probability that it is better is {probabilities}"
    elif max(float(each["p_overtakes"]) for each in records) <= UNLIKELY:
        told = (f"{ahead} would probably be better than {behind}, as its mean is now; "
                f"the probability that {behind} is better is {probabilities}")
    else:
        told = (f"either of {ahead} and {behind} may be better; the probability that {behind}, now behind, is better is "
                f"{probabilities}")
    doubt = ("; fitted curves predicted the larger sizes no better than the last difference did, so mostly that is continued"
             if float(row["last_share"]) > MOSTLY else "")
    return f"An extrapolation, not a verdict: with more rows {told}{doubt}."


def _by_pair(comparison: Comparison) -> dict[tuple[str, str], list[dict[Any, Any]]]:
    found: dict[tuple[str, str], list[dict[Any, Any]]] = {}
    for row in comparison.extrapolation.sort_values(["factor"], kind="stable").to_dict("records"):
        found.setdefault((str(row["first"]), str(row["second"])), []).append(row)
    return found


def _about(row: dict[Any, Any]) -> str:
    point = known(row["n_star"])
    if point is None or point <= row["size"]:
        return ""
    return f" at about {rows(point)} training rows ({_reach(row)})"


def _reach(row: dict[Any, Any]) -> str:
    """The interval of the crossing; it may not end before the largest size looked at, or not begin there."""
    low, high = known(row["n_star_low"]), known(row["n_star_high"])
    beyond = f"beyond {rows(4 * row['size'])} or never"
    return beyond if low is None else f"{rows(low)} to {beyond if high is None else rows(high)}"


def _probability(value: Any) -> str:
    share = float(value)
    return "below 1 %" if share < 0.01 else "above 99 %" if share > 0.99 else f"{100 * share:.0f} %"
