"""An effort as folds, configurations and rounds, for the matrix at hand. Nothing is measured; knows no library."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tabbench.boosting.booster import TreeSettings
from tabbench.boosting.configurations import (
    BY_DEFAULT,
    DEFAULT_LEAF_ROWS,
    DEFAULT_RATES,
    DEFAULT_ROUNDS,
    DEFAULTS,
    PORTFOLIOS,
    Configuration,
    first_choice,
    smallest_leaf,
)
from tabbench.boosting.encoding import PAIR_COLUMNS
from tabbench.core.approach import Settings
from tabbench.core.matrices import TreeMatrix

FEWEST_ROUNDS = 20
SECONDS_PER_UNIT = 5e-9
SECONDS_PER_TREE = 1e-4
"""Measured on shapes from 62 x 15 to 100,000 x 42: a tree reads rows x columns cells and searches leaves x bins candidates;
both are called a unit."""
BINS, BINS_OF_WIDE = 255, 31
WIDE_COLUMNS, COLUMN_FACTOR_OF_WIDE = 200, 0.4
"""From so many columns on searching bins costs more than reading rows: fewer bins and fewer columns a tree."""
UNITS_A_CELL_OF_WIDE = 0.2
"""A cell of a wide table, whose bins fit into a byte, is read in a fifth of the time; of counts and indicators in less."""
COUNTED_ROWS = 20_000
"""Rows that tell how many different values a column has, and how many zeros."""
USUAL_COLUMNS = 0.9
"""Share of the columns that are no exception."""

FEWEST_HELD_OUT = 400
"""So many rows are held out together, by as many folds as that takes and work allows: they stop the growing and weigh members."""
MOST_DEALT, FEWEST_OF_FEW_FOLDS = 20, 250
"""Where there is no work for a booster on every fold, the rows are dealt to up to so many, of so many rows at least: each booster
learns from more of them, since a mean of one or two does not make up for rows that none has seen. On letter (13,333 rows, effort
0.1) the loss of `lightgbm` is 1.28 times that of LightGBM's defaults with a fifth held out, 1.13 times with a tenth, 1.04 times
with a twentieth."""

SLOWEST_RATE, FASTEST_RATE = 0.03, 0.3
RATE_TIMES_ROUNDS = {"binary": 15.0, "multiclass": 20.0, "regression": 30.0}
"""With so much of rate x rounds few tables still learn (tools/bench_effort.py); numbers have more to say than classes."""
RATE_TIMES_ROUNDS_OF_LIGHTGBM = RATE_TIMES_ROUNDS | {"multiclass": 10.0}
"""At effort 0.1 half of XGBoost's rate lowers its loss by 8 % on letter and by 2 % on covertype (13,333 rows each), where it
raises XGBoost's by 26 % and 14 %."""
PATIENCE_TIMES_RATE = 1.2
"""A loss that rounds worth this much of rate did not lower has reached its end. With 2.0 a fifth more rounds were grown, and the
lowest loss on held-out rows was 0.0006 lower at most, in the mean over fits of 250 to 1,600 rows."""


@dataclass(frozen=True)
class TreeShape:
    """What a tree's cost and its leaves depend on.

    `bins` adds up those of all columns, `classes` is 0 for a target of numbers; nine in ten columns are other than zero in at
    most `filled` rows, all by default.
    """

    rows: int
    columns: int
    bins: int
    classes: int
    filled: float = math.inf

    @classmethod
    def of(cls, matrix: TreeMatrix, classes: int) -> TreeShape:
        """The shape of fit and validation rows together."""
        some = matrix.values[:COUNTED_ROWS]
        most = BINS_OF_WIDE if some.shape[1] > WIDE_COLUMNS else BINS
        bins = int(np.minimum(_distinct(some), most).sum())
        filled = float(np.quantile(np.count_nonzero(some, axis=0), USUAL_COLUMNS)) * len(matrix) / len(some)
        return cls(len(matrix), some.shape[1], bins, classes, filled)

    @property
    def is_wide(self) -> bool:
        """Whether bins and columns are saved."""
        return self.columns > WIDE_COLUMNS

    @property
    def outputs(self) -> int:
        """Trees a round."""
        return self.classes if self.classes > 2 else 1

    @property
    def most_bins(self) -> int:
        """Bins a column at most."""
        return BINS_OF_WIDE if self.is_wide else BINS

    @property
    def column_factor(self) -> float:
        """Factor on the share of columns that a tree may look at."""
        return COLUMN_FACTOR_OF_WIDE if self.is_wide else 1.0


def _distinct(values: np.ndarray) -> np.ndarray:
    """How many different values each column (p,) of values (n, p) has; missing is one."""
    ordered = np.sort(values, axis=0)
    steps = (ordered[1:] != ordered[:-1]) & ~(np.isnan(ordered[1:]) & np.isnan(ordered[:-1]))
    return np.asarray(steps.sum(axis=0) + 1)


@dataclass(frozen=True)
class Effort:
    """What is grown: `rounds` by configuration at most, on `folds` x `repeats`; the best `kept` go beyond the first
    `screening` folds.

    The rows are dealt to `dealt` folds, of which the first `folds` are grown.
    """

    names: tuple[str, ...]
    dealt: int
    folds: int
    repeats: int
    kept: int
    screening: int
    rounds: dict[str, int]

    @property
    def fold_fits(self) -> int:
        """Boosters that rounds are planned for. Where several folds screen, the plan leaves none out: few rows are soon learnt,
        and more rounds need not make up for what is saved."""
        kept = len(self.names) if self.screening > 1 else min(self.kept, len(self.names))
        return len(self.names) + kept * (self.folds * self.repeats - 1)

    def smaller(self, library: str, rows: int, fewest_folds: int) -> Effort | None:
        """The same with a little less."""
        if self.repeats > 1:
            return replace(self, repeats=self.repeats - 1)
        if len(self.names) > 1:
            return replace(self, names=first_choice(library, len(self.names) - 1, rows))
        return replace(self, folds=self.folds - 1) if self.folds > fewest_folds else None


def plan_effort(library: str, settings: Settings, shape: TreeShape) -> Effort:
    """As many repeats, configurations and folds as leave each configuration enough rounds within the work.

    >>> work = {"work_seconds": 5.0, "inner_folds": 5, "inner_repeats": 1, "configurations": 4, "kept": 2,
    ...         "screening_folds": 1, "most_rounds": 1500, "fewest_good_rounds": 120}
    >>> plan_effort("xgboost", work, TreeShape(rows=5000, columns=10, bins=2000, classes=2)).names
    ('medium', 'small', 'deep', 'stumps')
    """
    folds = settings["inner_folds"]
    names = first_choice(library, settings["configurations"], shape.rows)
    effort = Effort(names, folds, folds, settings["inner_repeats"], settings["kept"],
                    settings["screening_folds"], {})
    fewest_folds = min(folds, math.ceil(FEWEST_HELD_OUT * folds / shape.rows))
    while True:
        rounds = _rounds(library, settings["work_seconds"], effort, shape)
        smaller = effort.smaller(library, shape.rows, fewest_folds)
        if smaller is None or min(rounds.values()) >= settings["fewest_good_rounds"]:
            break
        effort = smaller
    rounds = {name: min(max(count, FEWEST_ROUNDS), settings["most_rounds"]) for name, count in rounds.items()}
    if effort.folds < folds:  # of all libraries alike, so that they hold out the same rows
        effort = replace(effort, dealt=min(max(shape.rows // FEWEST_OF_FEW_FOLDS, folds), MOST_DEALT))
    # Beside the others, so that a wide table does no worse; with fewer rows the first folds could not tell which is better.
    if shape.is_wide and shape.rows >= FEWEST_HELD_OUT and library in BY_DEFAULT:
        return replace(effort, names=(*effort.names, DEFAULTS), rounds={**rounds, DEFAULTS: DEFAULT_ROUNDS})
    return replace(effort, rounds=rounds)


def learning_rate(library: str, rounds: int, classes: int) -> float:
    """Small enough to need most of the rounds that there are.

    >>> [learning_rate("xgboost", 100, classes) for classes in (2, 5, 0)], learning_rate("lightgbm", 1000, classes=2)
    ([0.15, 0.2, 0.3], 0.03)
    """
    amounts = RATE_TIMES_ROUNDS_OF_LIGHTGBM if library == "lightgbm" else RATE_TIMES_ROUNDS
    needed = amounts["regression" if not classes else "binary" if classes == 2 else "multiclass"]
    return round(min(max(needed / rounds, SLOWEST_RATE), FASTEST_RATE), 3)


def patience(learning_rate: float) -> int:
    """Rounds without improvement after which growing ends.

    >>> patience(0.03), patience(0.3)
    (40, 10)
    """
    return max(10, round(PATIENCE_TIMES_RATE / learning_rate))


def default_tree_settings(library: str, shape: TreeShape) -> TreeSettings:
    """What a library does by default, its bins apart, which all configurations share."""
    trees, rate = BY_DEFAULT[library][DEFAULTS], DEFAULT_RATES[library]
    return TreeSettings(
        leaves=trees.leaves, depth=trees.depth, leaf_rows=DEFAULT_LEAF_ROWS, child_weight=1.0, rounds=DEFAULT_ROUNDS,
        patience=patience(rate), learning_rate=rate, row_share=1.0, column_share=1.0, ridge=trees.ridge, bins=shape.most_bins,
        random_cuts=False)


def tree_settings(library: str, configuration: Configuration, rounds: int, shape: TreeShape) -> TreeSettings:
    """A configuration for so many rounds on rows of this shape.

    Penalties are meant for the curvature that a row has with two equal classes, 1/4; with K classes it is (1 - 1/K)/K.
    """
    outputs, rate = shape.outputs, learning_rate(library, rounds, shape.classes)
    curvature = 4 * (1 - 1 / outputs) / outputs if outputs > 1 else 1.0
    return TreeSettings(
        leaves=configuration.leaves, depth=configuration.depth,
        leaf_rows=max(2, round(smallest_leaf(shape.rows, outputs, shape.filled) * configuration.leaf_rows)),
        child_weight=configuration.leaf_rows * curvature, rounds=rounds, patience=patience(rate), learning_rate=rate,
        row_share=configuration.row_share, column_share=_column_share(configuration, shape),
        ridge=configuration.ridge * curvature, bins=shape.most_bins, random_cuts=configuration.random_cuts)


def _column_share(configuration: Configuration, shape: TreeShape) -> float:
    share = max(configuration.column_share * shape.column_factor, 1e-3)
    return max(share, min(1.0, configuration.fewest_columns / shape.columns))


def _rounds(library: str, seconds: float, effort: Effort, shape: TreeShape) -> dict[str, int]:
    """Rounds of each configuration: one whose trees cost four times as much gets half the rounds in twice the time."""
    costs = {name: _seconds_a_tree(PORTFOLIOS[library][name], shape) * shape.outputs for name in effort.names}
    usual = sum(math.sqrt(cost) for cost in costs.values()) / len(costs)
    return {name: int(seconds / (effort.fold_fits * usual * math.sqrt(cost))) for name, cost in costs.items()}


def _seconds_a_tree(configuration: Configuration, shape: TreeShape) -> float:
    columns, bins = shape.columns, shape.bins
    if configuration.coding == "pairs":
        columns, bins = columns + PAIR_COLUMNS, bins + PAIR_COLUMNS * shape.most_bins
    leaves = min(configuration.leaves, max(2.0, shape.rows / (4 * configuration.leaf_rows)))
    cells = shape.rows * columns * (UNITS_A_CELL_OF_WIDE if shape.is_wide else 1.0)
    units = cells + leaves * bins * configuration.column_share * shape.column_factor
    return float(SECONDS_PER_TREE + SECONDS_PER_UNIT * units)
