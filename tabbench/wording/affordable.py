"""The best under a budget, in a sentence. Decides nothing."""

from __future__ import annotations

from tabbench.core.phrases import measured
from tabbench.verdict.affordable import UnderLimit
from tabbench.verdict.clocks import ALIKE, LEAST

COSTS = {"fit_seconds": "s to train", "predict_us_per_row": "µs a row to predict", "peak_mb": "MB of memory"}
"""The words of each cost after an amount."""
EQUAL_COSTS = (f"Costs within a factor of {ALIKE:g} of one another count as equal, fits of less than {LEAST['fit_seconds']:g} s "
               f"and memory below {LEAST['peak_mb']:g} MB as nothing.")
"""Which differences of costs are none."""
_OUTCOME = {
    UnderLimit.TAKEN: "{} is recommended", UnderLimit.NOTHING_LEFT: "only a constant prediction remains",
    UnderLimit.FAMILY_LACKING: "nothing is recommended, since a family of approaches was not run",
    UnderLimit.NOTHING_BETTER: "no remaining approach is shown to be better than a constant prediction",
}


def limit_sentence(cost: str, below: float, outcome: UnderLimit, recommended: str | None) -> str:
    """The sentence of a row of `cost_limits`.

    >>> limit_sentence("fit_seconds", 5.0, UnderLimit.TAKEN, "linear")
    'With less than 5.0 s to train, linear is recommended.'
    """
    return f"With less than {measured(below)} {COSTS[cost]}, {_OUTCOME[outcome].format(recommended)}."
