"""How many nets, epochs and learning rates a fit may use: from preset and shape alone, nothing measured.

Does not import torch: it is called while a run is planned.
"""

from __future__ import annotations

import math

from tabbench.core.approach import Settings, Workload

SECONDS_AT_REFERENCE = {"fast": 2.8, "balanced": 11.0, "thorough": 75.0}
"""Forecast of a fit on 40,000 rows x 15 columns, one thread."""
REFERENCE_ROWS, REFERENCE_COLUMNS = 40_000, 15
LARGEST_FACTOR = 20.0
"""However large the table, a cell may take this many times the reference, no more."""

NETS = {"fast": 3, "balanced": 5, "thorough": 8}
MOST_EPOCHS = {"fast": 40, "balanced": 60, "thorough": 100}
FEWEST_GOOD_EPOCHS = 12
"""With fewer a net is not done learning: nets are given up first."""
FEWEST_EPOCHS = 2
LEARNING_RATES = {"fast": [4e-3], "balanced": [4e-3], "thorough": [4e-3, 1.2e-3]}

SECONDS_PER_STEP = 6e-4
SECONDS_PER_PRODUCT = 3.5e-11
"""Measured with torch 2.13 on one core: what a step costs whatever its size, and per multiplication forward and backward."""
EXPECTED_ENCODED_COLUMNS = 4
"""A category becomes an embedding, so a column stands for a few inputs."""


def net_settings(workload: Workload) -> Settings:
    """The amount of work of the net.

    >>> net_settings(Workload("fast", rows=40_000, columns=15, classes=2))["batch_rows"]
    256
    """
    rows, hidden = workload.rows, 128 if workload.preset == "fast" or workload.rows < 2000 else 256
    batch_rows = batch_size(rows)
    rates = LEARNING_RATES[workload.preset]
    epochs_in_all = _seconds(workload) / _seconds_an_epoch(workload, hidden, batch_rows)
    nets = NETS[workload.preset]
    while nets > 1 and epochs_in_all / _runs(nets, rates) < FEWEST_GOOD_EPOCHS:
        nets -= 1
    epochs = int(epochs_in_all / _runs(nets, rates))
    epochs = min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS[workload.preset])
    return {"nets": nets, "epochs": epochs, "batch_rows": batch_rows, "hidden": [hidden, hidden, hidden], "dropout": 0.2,
            "learning_rates": rates, "weight_decay": 0.01}


def batch_size(rows: int) -> int:
    """Small batches for few rows, so that an epoch has some steps.

    >>> batch_size(62), batch_size(5000), batch_size(1_000_000)
    (32, 128, 1024)
    """
    return 32 if rows < 1000 else 64 if rows < 4000 else 128 if rows < 20_000 else 256 if rows < 100_000 else 1024


def _runs(nets: int, rates: list[float]) -> int:
    """Trainings of one net each: the further learning rates are tried on the first fold alone."""
    return nets + len(rates) - 1


def _seconds(workload: Workload) -> float:
    """Time grows slower than the table, since a run holds many cells."""
    factor: float = (workload.rows / REFERENCE_ROWS) ** 0.65 * (workload.columns / REFERENCE_COLUMNS) ** 0.3
    return SECONDS_AT_REFERENCE[workload.preset] * min(factor, LARGEST_FACTOR)


def _seconds_an_epoch(workload: Workload, hidden: int, batch_rows: int) -> float:
    inputs = EXPECTED_ENCODED_COLUMNS * workload.columns
    products = 3 * hidden * (inputs + 2 * hidden + workload.outputs)
    steps = math.ceil(workload.rows / batch_rows)
    return steps * (SECONDS_PER_STEP + batch_rows * products * SECONDS_PER_PRODUCT)
