"""The configurations that are tried, the strong default first. Sized to the rows; knows no library."""

from __future__ import annotations

from tabbench.boosting.booster import Configuration
from tabbench.core.approach import Settings

VARIATIONS: tuple[tuple[int, float, float, float, float], ...] = (
    # depth +, leaf rows x, row share, column share x, ridge
    (0, 1.0, 0.8, 1.0, 1.0),
    (-2, 1.0, 0.7, 0.6, 3.0),
    (1, 3.0, 0.9, 0.6, 10.0),
    (-1, 0.3, 0.8, 0.4, 0.3),
    (2, 1.0, 0.6, 0.8, 3.0),
    (0, 5.0, 0.6, 0.5, 1.0),
    (-2, 0.5, 0.9, 1.0, 0.1),
    (1, 0.5, 0.7, 0.3, 5.0),
)


def configurations(settings: Settings, rows: int) -> list[Configuration]:
    """As many as the settings say, for this many training rows."""
    base_leaf_rows = min(max(rows // 60, 3), 20)
    return [_configuration(settings, base_leaf_rows, *variation) for variation in VARIATIONS[:settings["configurations"]]]


def _configuration(settings: Settings, base_leaf_rows: int, deeper: int, leaf_factor: float, row_share: float,
                   column_factor: float, ridge: float) -> Configuration:
    depth = max(2, settings["depth"] + deeper)
    return Configuration(
        depth=depth, leaves=2 ** (depth - 1), leaf_rows=max(2, round(base_leaf_rows * leaf_factor)), child_weight=leaf_factor,
        learning_rate=settings["learning_rate"], row_share=row_share,
        column_share=settings["column_share"] * column_factor, ridge=ridge, bins=settings["bins"])
