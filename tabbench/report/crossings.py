"""What a report says of crossings beyond the representatives': any two approaches, families, and seconds of training.

Plain text; each format makes it safe in its own way.
"""

from __future__ import annotations

from typing import Any

from tabbench.core.comparison import Comparison
from tabbench.wording.numbers import amount, known, rows
from tabbench.wording.terms import crossing

ROWS_HEADER = ("first", "second", "from", "to", "about", "in words")
SECONDS_HEADER = ("first", "second", "from s", "to s", "about s", "in words")
OTHERS_NOTE = (
    "Pairs, not both representatives, that cross or may cross; for the others no crossing is shown. Which approach is ahead is "
    "read from intervals that hold simultaneously for all such pairs at all sizes, so fewer crossings are shown than between "
    "representatives.")
FAMILIES_NOTE = (
    "The best of one family against the best of another, whichever members these are: a family is ahead at a size when one "
    "of its members is shown to be better than every member of the other.")
BUDGETS_NOTE = (
    "Which approach scores best within a training-time budget for one fit, using as many rows as it can be trained on in that "
    "time. From measured times and mean scores, without an interval. The lead changes when the other is ahead by more than the "
    "margin.")

_TOLD = ("bracket", "several", "open")


def other_crossing_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """The pairs of approaches beyond the representatives that cross, or may."""
    return [_in_rows(row, crossing(row)) for row in comparison.other_crossovers.to_dict("records") if row["kind"] in _TOLD]


def family_crossing_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Every pair of families."""
    return [_in_rows(row, family_crossing(row)) for row in comparison.family_crossovers.to_dict("records")]


def budget_crossing_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Every pair of the approaches that are followed."""
    return [(str(row["first"]), str(row["second"]), *(_seconds(row[name]) for name in ("low", "high", "point")),
             budget_crossing(row)) for row in comparison.budget_crossovers.to_dict("records")]


def family_crossing(row: dict[Any, Any]) -> str:
    """A row of `family_crossovers` as a sentence without its full stop.

    >>> family_crossing({"first": "linear", "second": "trees", "kind": "bracket", "low": 200.0, "high": 800.0, "point": 320.0,
    ...                  "ahead_below": "linear", "ahead_above": "trees"})
    'the best of linear and the best of trees cross in score between 200 and 800 rows, at about 320'
    """
    if row["kind"] == "none":
        behind = row["second"] if row["ahead_below"] == row["first"] else row["first"]
        return f"the best of {row['ahead_below']} is ahead of the best of {behind} wherever anything is shown"
    return crossing(row | {side: f"the best of {row[side]}" for side in ("first", "second")})


def budget_crossing(row: dict[Any, Any]) -> str:
    """A row of `budget_crossovers` as a sentence without its full stop.

    >>> budget_crossing({"first": "boosting", "second": "mlp", "kind": "bracket", "low": 1.1, "high": 4.0, "point": 2.04,
    ...                  "ahead_below": "boosting", "ahead_above": "mlp"})
    'with up to about 2 s of training boosting scores best; beyond, mlp'
    """
    pair, below, above = f"{row['first']} and {row['second']}", row["ahead_below"], row["ahead_above"]
    if row["kind"] == "undecided":
        return f"{pair} can't be compared: the training time or the score of one of them is unknown"
    if row["kind"] == "none":
        if not below:
            return f"neither of {pair} leads by more than the margin, whatever the training time"
        return f"{below} scores best of {pair}, whatever the training time"
    if row["kind"] == "several":
        at = f"at about {_seconds(row['point'])} s of training"
        return f"{pair} change places several times, once {at}: from {below} to {above}"
    return f"with up to about {_seconds(row['point'])} s of training {below} scores best; beyond, {above}"


def _in_rows(row: dict[Any, Any], words: str) -> tuple[str, ...]:
    return (str(row["first"]), str(row["second"]), rows(row["low"]), rows(row["high"]), rows(row["point"]), words)


def _seconds(value: Any) -> str:
    """Two digits are all that a clock tells; `amount` says what is below a hundredth."""
    number = known(value)
    return amount(number) if number is None or number < 0.01 else f"{float(f'{number:.2g}'):,g}"
