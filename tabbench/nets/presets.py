"""The recipes behind the presets of the net's own estimators, and between them. Imports no torch.

A cell of a comparison gets far fewer epochs (`amount`), since there are many of them.
"""

from __future__ import annotations

import math
from typing import Any

from tabbench.core.effort import counted, scaled
from tabbench.nets.amount import bins_a_column, hidden_units

EPOCHS = {"fast": 40, "balanced": 64, "thorough": 96}
FOLDS = {"fast": 3, "balanced": 5, "thorough": 7}
FEWEST_FOLDS = 2
"""One would be no fold but a hold-out, a recipe of its own."""
REPEATS = {"fast": 1, "balanced": 2, "thorough": 2}
STEPS = {"fast": 6_000, "balanced": 20_000, "thorough": 80_000}
"""Of each net at most: large tables see fewer epochs. Small ones get all of theirs."""
FEWEST_EPOCHS = 8
LAST_PRODUCTS = {"fast": 3.5e11, "balanced": 3.5e12, "thorough": 2e13}
"""Multiplications of rows by the last layer's weights in a fit at most, about a minute of one thread for `fast`."""
MANY_CLASSES, FEWEST_EPOCHS_OF_MANY_CLASSES = 100, 5
TINY_ROWS = 100
"""Up to here a batch is the whole table and all rows are learnt from: validation rows would say little and be missed much."""
TINY_EPOCHS, TINY_NETS = 60, 3
FIRST_BATCH, LAST_BATCH = 32, 1024
ROWS_A_BATCH = 150.0
"""Rows of the table per row of a batch: 1,000 rows make batches of 32, 20,000 of 128."""
SMOOTH_TABLE, NOISY_TABLE = 0.15, 0.4
ROWS_FOR_LOW_DROPOUT = 10_000
PATIENCE = 0.4
"""Share of all epochs without improvement after which training stops."""
SAFE_RATE = 0.05
"""A learning rate that trains everywhere, by Adam as by SGD, for a matrix of one input."""


PORTFOLIO: dict[str, dict[str, Any]] = {
    "silu": {},
    "selu": {"activation": "selu", "initialisation": "data", "schedule": "coslog4"},
    "shared": {"heads": 8, "dropouts": [0.1], "repeats": 1},
    "wide": {"hidden": [256, 256], "dropouts": [0.3], "rate_share": 0.6},
}
"""Recipes of the thorough preset that go together; `rate_share` is of the learning rate that the others have."""
PORTFOLIO_EFFORT = 3.0
"""From here on there is work enough for all of them: half of what the thorough preset does."""


def preset_settings(effort: float, rows: int, classes: int) -> dict[str, Any]:
    """What an effort says of every knob.

    >>> preset_settings(0.1, 1000, 2)["batch_rows"], preset_settings(1.0, 20_000, 0)["batch_rows"]
    (32, 128)
    """
    batch_rows = rows if rows <= TINY_ROWS else batch_size(rows)
    is_tiny = rows <= TINY_ROWS
    epochs = TINY_EPOCHS if is_tiny else epochs_for(effort, rows, batch_rows)
    folds, nets = (0, TINY_NETS) if is_tiny else (counted(effort, **FOLDS, least=FEWEST_FOLDS), counted(effort, **REPEATS))
    epochs, nets = _affordable(effort, epochs, folds, nets, rows, classes)
    return {"folds": folds, "repeats": nets, "epochs": epochs, "batch_rows": batch_rows, "hidden": [hidden_units(rows)] * 3,
            "bins": bins_a_column(rows), "activation": "silu", "initialisation": "kaiming", "optimiser": "adam",
            "learning_rate": SAFE_RATE, "schedule": "cosine", "weight_decay": 0.0, "decay_schedule": "flat-cosine",
            "dropouts": _dropouts(rows)}


def _affordable(effort: float, epochs: int, folds: int, nets: int, rows: int, classes: int) -> tuple[int, int]:
    """Epochs and nets a fold, fewer where the products in the last layer would take too long: thousands of classes get fewer."""
    passes = scaled(effort, **LAST_PRODUCTS) / max(rows * classes * hidden_units(rows), 1)
    if epochs * nets * max(folds, 1) <= passes:
        return epochs, nets
    nets = min(nets, max(1, int(passes / (max(folds, 1) * FEWEST_EPOCHS))))
    fewest = FEWEST_EPOCHS if classes < MANY_CLASSES else FEWEST_EPOCHS_OF_MANY_CLASSES
    return min(epochs, max(fewest, int(passes / (max(folds, 1) * nets)))), nets


def batch_size(rows: int) -> int:
    """A power of two that grows with the table: few rows want steps, many rows want speed."""
    return int(min(max(2 ** round(math.log2(rows / ROWS_A_BATCH)), FIRST_BATCH), LAST_BATCH))


def epochs_for(effort: float, rows: int, batch_rows: int) -> int:
    """The effort's epochs, or fewer where they would be too many steps."""
    return max(min(counted(effort, **EPOCHS), counted(effort, **STEPS) * batch_rows // rows), FEWEST_EPOCHS)


def _dropouts(rows: int) -> list[float]:
    if rows <= TINY_ROWS:
        return [0.0]
    return [SMOOTH_TABLE] if rows >= ROWS_FOR_LOW_DROPOUT else [SMOOTH_TABLE, NOISY_TABLE]
