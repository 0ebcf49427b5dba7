"""How many folds, configurations and rounds a booster may use: from preset and shape alone, nothing measured.

Imports no library: it is called while a run is planned.
"""

from __future__ import annotations

from tabbench.core.approach import Settings, Workload

SECONDS_AT_REFERENCE = {"fast": 2.0, "balanced": 8.0, "thorough": 55.0}
"""Forecast of one library's fit on 40,000 rows x 15 columns, binary, one thread; two libraries make up a `boosting` cell."""
REFERENCE_ROWS, REFERENCE_COLUMNS = 40_000, 15
LARGEST_FACTOR = 20.0
"""However large the table, a cell may take this many times the reference, no more."""

FOLDS = {"fast": 4, "balanced": 5, "thorough": 8}
CONFIGURATIONS = {"fast": 1, "balanced": 3, "thorough": 8}
MOST_ROUNDS = {"fast": 400, "balanced": 1000, "thorough": 3000}
FEWEST_GOOD_ROUNDS = 60
"""With fewer the learning rate gets coarse: folds and configurations are given up first."""
FEWEST_ROUNDS = 20

SECONDS_PER_UNIT = 5e-9
SECONDS_PER_TREE = 1e-4
"""Measured for XGBoost, the slower of the two, on shapes from 62 x 15 to 100,000 x 42: a tree reads rows x columns cells
and searches leaves x columns x bins candidates; both are called a unit."""

FEW_ROWS = 1000
"""Below, the best number of rounds is reached at about half the learning rate x rounds of larger tables (measured)."""
WIDE_COLUMNS = 200
"""From here on searching bins costs more than reading rows: fewer bins and fewer columns a tree."""


def booster_settings(workload: Workload) -> Settings:
    """The amount of work of one library.

    >>> booster_settings(Workload("fast", rows=500, columns=15, classes=2))["inner_folds"]
    4
    """
    shape = tree_shape(workload.rows, workload.columns)
    trees = _seconds(workload) / _seconds_a_tree(workload, shape)
    rounds_in_all = trees / workload.outputs
    configurations, folds = CONFIGURATIONS[workload.preset], FOLDS[workload.preset]
    while rounds_in_all / (configurations * (folds - 1)) < FEWEST_GOOD_ROUNDS and (configurations > 1 or folds > 2):
        if configurations > 1:
            configurations -= 1
        else:
            folds -= 1
    rounds = int(rounds_in_all / (configurations * (folds - 1)))
    rounds = min(max(rounds, FEWEST_ROUNDS), MOST_ROUNDS[workload.preset])
    return {"rounds": rounds, "learning_rate": learning_rate(rounds, workload.rows), "patience": max(10, rounds // 10),
            "inner_folds": folds, "configurations": configurations, **shape}


def tree_shape(rows: int, columns: int) -> Settings:
    """Depth, bins and the share of columns a tree may look at.

    >>> tree_shape(100, 15)["depth"], tree_shape(40_000, 15)["depth"]
    (3, 7)
    """
    depth = 3 if rows < 400 else 4 if rows < 1500 else 5 if rows < 3000 else 6 if rows < 20_000 else 7
    is_wide = columns > WIDE_COLUMNS
    return {"depth": depth, "bins": 31 if is_wide else 255, "column_share": 0.3 if is_wide else 0.8}


def learning_rate(rounds: int, rows: int) -> float:
    """Small enough to need most of the rounds that there are; few rows hold less to learn.

    >>> learning_rate(100, 500), learning_rate(100, 5000), learning_rate(1000, 5000)
    (0.08, 0.15, 0.03)
    """
    needed = 8 if rows < FEW_ROWS else 15
    return round(min(max(needed / rounds, 0.03), 0.3), 3)


def _seconds(workload: Workload) -> float:
    """Time grows slower than the table, since a run holds many cells: rows ** 0.65, columns ** 0.3, outputs ** 0.75."""
    rows, columns = workload.rows / REFERENCE_ROWS, workload.columns / REFERENCE_COLUMNS
    factor: float = rows**0.65 * columns**0.3 * workload.outputs**0.75
    return SECONDS_AT_REFERENCE[workload.preset] * min(factor, LARGEST_FACTOR)


def _seconds_a_tree(workload: Workload, shape: Settings) -> float:
    columns = max(1.0, workload.columns * shape["column_share"])
    units = workload.rows * workload.columns + 2 ** shape["depth"] * columns * min(workload.rows, shape["bins"])
    return float(SECONDS_PER_TREE + SECONDS_PER_UNIT * units)
