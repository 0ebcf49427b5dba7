"""Which approach scores best with how many seconds of training: a description from clocks, without an interval.

Knows seconds and mean losses; neither fits nor files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from tabbench.verdict.clocks import LEAST
from tabbench.verdict.crossover import Crossing, crossing_frame, zeros


@dataclass(frozen=True, eq=False)
class _BudgetCurve:
    """The lowest loss within a budget: log seconds ascending, losses that never rise."""

    log_seconds: np.ndarray
    loss: np.ndarray

    @classmethod
    def of(cls, seconds: pd.Series, loss: Mapping[int, float]) -> _BudgetCurve:
        """From seconds by size, the `LEAST` if fewer; a budget that is enough for a size is enough for all that took less."""
        told = seconds.clip(lower=LEAST["fit_seconds"])
        points = sorted((float(np.log(value)), loss[size]) for size, value in told.items() if size in loss)
        times, losses = (np.array(each) for each in zip(*points, strict=True)) if points else (np.empty(0), np.empty(0))
        first = np.unique(times, return_index=True)[1]
        best = np.minimum.accumulate(losses) if len(losses) else losses
        last_of_each = np.append(first[1:], len(times)) - 1 if len(first) else first
        return cls(times[first], best[last_of_each])

    def at(self, log_seconds: np.ndarray) -> np.ndarray:
        """Loss between the measured budgets; more seconds than the largest fit took change nothing."""
        return np.asarray(np.interp(log_seconds, self.log_seconds, self.loss))


def budget_crossovers(costs: pd.DataFrame, loss: Mapping[tuple[str, int], float], names: Sequence[str], *, margin: float
                      ) -> pd.DataFrame:
    """Budgets, in seconds of one fit, at which one of two approaches becomes the better one, by mean loss.

    Every approach is taken with as many rows as it can learn from in that time. Losses are interpolated in the logarithm of
    the seconds. The lead changes when the other is ahead by more than the margin; `low` and `high` are the budgets between
    which that happens, `point` is where the losses are equal. Where the slower one leads as soon as it can be trained at all,
    all three are the time of its quickest fit.

    Parameters
    ----------
    costs : DataFrame
        Approach, size and fit_seconds.
    loss : Mapping[tuple[str, int], float]
        (approach, size) -> mean loss.
    names : Sequence[str]
        The approaches to compare, pairwise.
    margin : float
        What is practically equal, in units of the loss.

    Returns
    -------
    DataFrame
        Columns as in result.json; `kind` is bracket, several, none, or undecided where one of the two has no time or no loss.
    """
    timed = costs[costs["fit_seconds"].astype("float64") > 0]
    curves = {}
    for name in names:
        seconds = timed[timed["approach"] == name].set_index("size")["fit_seconds"].astype("float64")
        curves[name] = _BudgetCurve.of(seconds, {size: value for (other, size), value in loss.items() if other == name})
    return crossing_frame([each for first, second in combinations(names, 2)
                           for each in _crossings(first, second, curves[first], curves[second], margin)], "budget_crossovers")


def _crossings(first: str, second: str, of_first: _BudgetCurve, of_second: _BudgetCurve, margin: float) -> list[Crossing]:
    if not len(of_first.loss) or not len(of_second.loss):
        return [Crossing(first, second, "undecided")]
    budgets = np.union1d(of_first.log_seconds, of_second.log_seconds)
    starts = of_first.log_seconds[0], of_second.log_seconds[0]
    budgets = budgets[budgets >= max(starts)]
    difference = of_first.at(budgets) - of_second.at(budgets)
    # Before the slower one's quickest fit the other leads unopposed.
    leader = int(np.sign(starts[0] - starts[1]))
    found: list[tuple[float, float, float, str, str]] = []
    previous = 0
    for place in np.flatnonzero(np.abs(difference) > margin):
        side = -1 if difference[place] < 0 else 1
        if leader and side != leader:
            around = np.exp(budgets[previous : place + 1])
            changes = zeros(around, difference[previous : place + 1]) or [float(around[-1])]
            names = (first, second) if side > 0 else (second, first)
            found.append((float(around[0]), float(around[-1]), changes[-1], *names))
        leader, previous = side, int(place)
    if not found:
        ahead = {-1: first, 0: "", 1: second}[leader]
        return [Crossing(first, second, "none", ahead_below=ahead, ahead_above=ahead)]
    return [Crossing(first, second, "bracket" if len(found) == 1 else "several", *each) for each in found]
