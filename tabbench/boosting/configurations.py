"""The configurations that complement each other, the strong default first. Imports no library."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Coding = Literal["native", "statistics", "pairs"]
"""How rows are shown to the trees: as they are; with means of the target for categories of many levels; or with these and the
sums and differences of the numbers that tell most, since a tree cuts along one column at a time."""


@dataclass(frozen=True)
class Configuration:
    """How the trees of one model look, before the effort and the rows are known.

    Parameters
    ----------
    leaves : int
        Most leaves of a tree.
    depth : int, default 0
        Its largest depth, 0 for none.
    leaf_rows : float, default 1.0
        Factor on the smallest number of rows of a leaf, see `smallest_leaf`.
    row_share, column_share : float
        Shares of rows and columns that a tree (XGBoost: a node) may look at.
    fewest_columns : int, default 0
        A tree looks at no fewer where there are so many.
    ridge : float, default 1.0
        l2 penalty of a leaf's value.
    coding : Coding, default "statistics"
        How rows are shown to the trees, see `encoding`.
    random_cuts : bool, default False
        One random cut a column instead of the best one.
    """

    leaves: int
    depth: int = 0
    leaf_rows: float = 1.0
    row_share: float = 0.8
    column_share: float = 0.5
    fewest_columns: int = 0
    ridge: float = 1.0
    coding: Coding = "statistics"
    random_cuts: bool = False


DEFAULTS = "library defaults"
"""The trees that a library grows by default, a candidate of its own where tables are wide: what suits narrow ones may fail."""

LIGHTGBM: Mapping[str, Configuration] = {
    "medium": Configuration(leaves=24, fewest_columns=8, coding="native"),  # 1 to 2 % of the loss on tables of 8 to 12 columns
    "broad": Configuration(leaves=48, fewest_columns=8, coding="native"),
    "large": Configuration(leaves=128, leaf_rows=0.25, row_share=0.9, ridge=0.1),
    "pairs": Configuration(leaves=24, coding="pairs"),
    "small": Configuration(leaves=8, row_share=0.7, column_share=0.4, ridge=3.0),
    "random": Configuration(leaves=64, row_share=0.9, column_share=0.8, random_cuts=True),
    "default": Configuration(leaves=50, leaf_rows=2.0, row_share=0.75, column_share=1.0, ridge=0.0, coding="native"),
}
XGBOOST: Mapping[str, Configuration] = {
    "medium": Configuration(leaves=64, depth=6, ridge=2.0),
    "broad": Configuration(leaves=128, depth=7, ridge=2.0),
    "deep": Configuration(leaves=1024, depth=10, leaf_rows=3.0, column_share=0.4, ridge=5.0),
    "small": Configuration(leaves=16, depth=4, column_share=0.4, ridge=3.0),
    "stumps": Configuration(leaves=4, depth=2, column_share=0.5),
    "full": Configuration(leaves=512, depth=9, leaf_rows=2.0, row_share=0.7, column_share=0.9, ridge=0.1),
}
CATBOOST: Mapping[str, Configuration] = {
    "medium": Configuration(leaves=64, depth=6, ridge=3.0, column_share=1.0, coding="native"),
    "small": Configuration(leaves=16, depth=4, ridge=3.0, column_share=1.0, coding="native"),
    "deep": Configuration(leaves=256, depth=8, ridge=8.0, column_share=1.0, coding="native"),
}
BY_DEFAULT: Mapping[str, Mapping[str, Configuration]] = {
    "lightgbm": {DEFAULTS: Configuration(leaves=31, row_share=1.0, column_share=1.0, ridge=0.0, coding="native")},
    "xgboost": {DEFAULTS: Configuration(leaves=64, depth=6, row_share=1.0, column_share=1.0, coding="native")}}
DEFAULT_RATES, DEFAULT_ROUNDS, DEFAULT_LEAF_ROWS = {"lightgbm": 0.1, "xgboost": 0.3}, 100, 20
"""What the defaults say beside the shape of the trees."""
PORTFOLIOS: Mapping[str, Mapping[str, Configuration]] = {
    "lightgbm": {**LIGHTGBM, **BY_DEFAULT["lightgbm"]}, "xgboost": {**XGBOOST, **BY_DEFAULT["xgboost"]}, "catboost": CATBOOST}
"""Chosen on the out-of-fold losses of fourteen tables for how well they go together, not one by one. CatBoost, whose trees are
symmetric and whose rows and columns are always all looked at, has ways of its own with categories."""

ORDER = {"lightgbm": ("medium", "large", "pairs", "small", "random", "default"),
         "xgboost": ("medium", "small", "deep", "stumps", "full"),
         "catboost": ("medium", "small", "deep")}
"""The order in which a growing effort takes them in."""

BROAD, FEWEST_BROAD_ROWS, MOST_BROAD = "broad", 4000, 2
"""Where there is work for up to two configurations only, and rows for larger trees, `broad` stands in for the first: with few
rounds (effort 0.1) it lowers the loss of `boosting` by 1.6 % in the geometric mean over twelve such tables: by 7 % on covertype,
by 5 % on letter; on four it is up to 0.6 % higher. On fewer rows it raises it."""


def first_choice(library: str, configurations: int, rows: int) -> tuple[str, ...]:
    """The names of so many configurations.

    >>> first_choice("xgboost", 2, 10_000), first_choice("xgboost", 1, 10_000), first_choice("xgboost", 1, 500)
    (('broad', 'small'), ('broad',), ('medium',))
    """
    names = ORDER[library][:configurations]
    is_broad = configurations <= MOST_BROAD and rows >= FEWEST_BROAD_ROWS and BROAD in PORTFOLIOS[library]
    return (BROAD, *names[1:]) if is_broad else names


def smallest_leaf(rows: int, outputs: int, filled: float = math.inf) -> int:
    """Rows of a leaf that are enough at factor 1; each of many classes has few rows of its own.

    A column that is other than zero in `filled` rows, such as a rare level's, cannot be split where leaves need more.

    >>> smallest_leaf(100, 1), smallest_leaf(10_000, 1), smallest_leaf(10_000, 26), smallest_leaf(10_000, 1, filled=15)
    (3, 20, 6, 3)
    """
    leaf = min(max(rows // (60 * outputs), 3), 20)
    return leaf if filled >= 2 * leaf else max(int(filled) // 4, 2)
