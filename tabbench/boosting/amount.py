"""How many folds, configurations and rounds a booster may use: from preset and shape alone, nothing measured.

Imports no library: it is called while a run is planned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from tabbench.boosting.booster import TreeSettings
from tabbench.boosting.configurations import ORDER, PORTFOLIOS, Configuration, smallest_leaf
from tabbench.core.approach import Settings, Workload

SECONDS_AT_REFERENCE = {"fast": 2.0, "balanced": 26.0, "thorough": 120.0}
"""Forecast of one library's fit on 40,000 rows x 15 columns, binary, one thread; two libraries make up a `boosting` cell."""
REFERENCE_ROWS, REFERENCE_COLUMNS = 40_000, 15
MOST_FOR_OUTPUTS = 3.0
LARGEST_FACTOR = 20.0
"""However large the table, a cell may take this many times the reference, no more."""
SMALL_TABLE_ROWS, SMALL_TABLE_GROWTH = 350.0, 2.1
"""Seconds at most, of the balanced preset: (rows / 350) ** 2.1. The fewer the rows, the sooner everything in them is learnt."""

FOLDS = {"fast": 4, "balanced": 5, "thorough": 8}
REPEATS = {"fast": 1, "balanced": 2, "thorough": 3}
MOST_REPEATED_ROWS = 2000
"""Up to here the folds are dealt repeatedly: held-out rows are few, and their losses decide."""
CONFIGURATIONS = {"fast": 1, "balanced": 5, "thorough": 6}
KEPT = {"fast": 1, "balanced": 2, "thorough": 3}
FEWEST_SCREENED_ROWS = 4000
"""From here on the first fold alone tells which configurations are worth growing on the others."""
MOST_ROUNDS = {"fast": 400, "balanced": 1500, "thorough": 4000}
FEWEST_GOOD_ROUNDS = {"fast": 60, "balanced": 120, "thorough": 200}
"""With fewer the learning rate gets coarse: repeats, configurations and folds are given up first."""
FEWEST_ROUNDS = 20

SECONDS_PER_UNIT = 5e-9
SECONDS_PER_TREE = 1e-4
"""Measured on shapes from 62 x 15 to 100,000 x 42: a tree reads rows x columns cells and searches leaves x columns x bins
candidates; both are called a unit."""

SLOWEST_RATE, FASTEST_RATE = 0.03, 0.3
RATE_TIMES_ROUNDS = {"binary": 15.0, "multiclass": 20.0, "regression": 30.0}
"""With so much of rate x rounds hardly a table is still learning (measured); numbers have more to say than classes."""
EXPECTED_EXPANSION, COARSEST_RATE = 2.0, 0.15
"""A column stands for so many of the matrix; beyond, rounds shrink and the rate grows, up to this rate."""
PATIENCE_TIMES_RATE = 2.5
"""A loss that rounds worth this much of rate did not lower has reached its end."""
WIDE_COLUMNS = 200
"""From here on searching bins costs more than reading rows: fewer bins and fewer columns a tree."""


@dataclass(frozen=True)
class _Effort:
    """What is given up step by step until the rounds suffice."""

    configurations: int
    folds: int
    repeats: int
    kept: int
    is_screened: bool

    @property
    def fold_fits(self) -> int:
        """Boosters that are grown."""
        folds = self.folds * self.repeats
        if not self.is_screened:
            return self.configurations * folds
        kept = min(self.kept, self.configurations)
        return self.configurations + kept * (folds - 1)

    def smaller(self) -> _Effort | None:
        """The same with a little less."""
        if self.repeats > 1:
            return replace(self, repeats=self.repeats - 1)
        if self.configurations > 1:
            return replace(self, configurations=self.configurations - 1)
        return replace(self, folds=self.folds - 1) if self.folds > 2 else None


def booster_settings(name: str, workload: Workload) -> Settings:
    """The amount of work of one library.

    >>> booster_settings("lightgbm", Workload("fast", rows=500, columns=15, classes=2))["inner_folds"]
    4
    """
    preset, is_wide = workload.preset, workload.columns > WIDE_COLUMNS
    shape = {"bins": 31 if is_wide else 255, "column_factor": 0.4 if is_wide else 1.0}
    effort: _Effort | None = _Effort(
        CONFIGURATIONS[preset], FOLDS[preset], REPEATS[preset] if workload.rows <= MOST_REPEATED_ROWS else 1, KEPT[preset],
        workload.rows >= FEWEST_SCREENED_ROWS)
    rounds: dict[str, int] = {}
    while effort is not None:
        rounds, chosen = _rounds(name, workload, shape, effort), effort
        effort = effort.smaller() if min(rounds.values()) < FEWEST_GOOD_ROUNDS[preset] else None
    most = MOST_ROUNDS[preset]
    rounds = {each: min(max(count, FEWEST_ROUNDS), most) for each, count in rounds.items()}
    return {"columns": workload.columns, "inner_folds": chosen.folds, "inner_repeats": chosen.repeats, **shape,
            "kept": min(chosen.kept, chosen.configurations) if chosen.is_screened else chosen.configurations,
            "configurations": {each: {"rounds": count, "learning_rate": learning_rate(count, workload.classes)}
                               for each, count in rounds.items()}}


def learning_rate(rounds: int, classes: int) -> float:
    """Small enough to need most of the rounds that there are.

    >>> learning_rate(100, classes=2), learning_rate(100, classes=0), learning_rate(1000, classes=2)
    (0.15, 0.3, 0.03)
    """
    needed = RATE_TIMES_ROUNDS["regression" if not classes else "binary" if classes == 2 else "multiclass"]
    return round(min(max(needed / rounds, SLOWEST_RATE), FASTEST_RATE), 3)


def affordable(settings: Settings, columns: int) -> Settings:
    """The settings for a matrix of so many columns: where text or dates became many more than were planned, rounds are fewer.

    >>> affordable({"columns": 10, "configurations": {"small": {"rounds": 900, "learning_rate": 0.03}}}, columns=60)
    {'columns': 10, 'configurations': {'small': {'rounds': 300, 'learning_rate': 0.09}}}
    """
    excess = max(1.0, columns / (EXPECTED_EXPANSION * settings["columns"]))
    configurations = {
        name: {"rounds": max(FEWEST_ROUNDS, int(amount["rounds"] / excess)),
               "learning_rate": round(max(amount["learning_rate"], min(amount["learning_rate"] * excess, COARSEST_RATE)), 3)}
        for name, amount in settings["configurations"].items()}
    return settings | {"configurations": configurations}


def patience(learning_rate: float) -> int:
    """Rounds without improvement after which growing ends.

    >>> patience(0.03), patience(0.3)
    (83, 10)
    """
    return max(10, round(PATIENCE_TIMES_RATE / learning_rate))


def tree_settings(configuration: Configuration, settings: Settings, learning_rate: float, rows: int,
                  outputs: int) -> TreeSettings:
    """A configuration for this many training rows and trees a round.

    Penalties are meant for the curvature that a row has with two equal classes, 1/4; with K classes it is (1 - 1/K)/K.
    """
    curvature = 4 * (1 - 1 / outputs) / outputs if outputs > 1 else 1.0
    return TreeSettings(
        leaves=configuration.leaves, depth=configuration.depth,
        leaf_rows=max(2, round(smallest_leaf(rows, outputs) * configuration.leaf_rows)),
        child_weight=configuration.leaf_rows * curvature,
        learning_rate=learning_rate, row_share=configuration.row_share,
        column_share=max(configuration.column_share * settings["column_factor"], 1e-3), ridge=configuration.ridge * curvature,
        bins=settings["bins"], random_cuts=configuration.random_cuts)


def _rounds(name: str, workload: Workload, shape: dict[str, Any], effort: _Effort) -> dict[str, int]:
    """Rounds of each configuration: one whose trees cost four times as much gets half the rounds in twice the time."""
    names = ORDER[name][:effort.configurations]
    costs = [_seconds_a_tree(PORTFOLIOS[name][each], workload, shape) * workload.outputs for each in names]
    usual = sum(math.sqrt(cost) for cost in costs) / len(costs)
    return {each: int(_seconds(workload) / (effort.fold_fits * usual * math.sqrt(cost)))
            for each, cost in zip(names, costs, strict=True)}


def _seconds(workload: Workload) -> float:
    """Time grows slower than the table, since a run holds many cells: rows ** 0.65, columns ** 0.3, outputs ** 0.5."""
    rows, columns = workload.rows / REFERENCE_ROWS, workload.columns / REFERENCE_COLUMNS
    factor: float = rows**0.65 * columns**0.3 * min(workload.outputs**0.5, MOST_FOR_OUTPUTS)
    seconds = SECONDS_AT_REFERENCE[workload.preset] * min(factor, LARGEST_FACTOR)
    if workload.preset == "fast":
        return seconds
    most = (workload.rows / SMALL_TABLE_ROWS) ** SMALL_TABLE_GROWTH
    return float(min(seconds, most * SECONDS_AT_REFERENCE[workload.preset] / SECONDS_AT_REFERENCE["balanced"]))


def _seconds_a_tree(configuration: Configuration, workload: Workload, shape: dict[str, Any]) -> float:
    columns = max(1.0, workload.columns * shape["column_factor"] * configuration.column_share)
    leaves = min(configuration.leaves, max(2.0, workload.rows / (4 * configuration.leaf_rows)))
    units = workload.rows * workload.columns + leaves * columns * min(workload.rows, shape["bins"])
    return float(SECONDS_PER_TREE + SECONDS_PER_UNIT * units)
