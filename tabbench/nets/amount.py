"""How many nets and epochs a fit may use: from effort and shape alone, nothing measured.

Does not import torch: it is called while a run is planned.
"""

from __future__ import annotations

import math

import numpy as np

from tabbench.core.approach import Settings, Workload
from tabbench.core.effort import counted, scaled

SECONDS_BY_ROWS = {100: 0.15, 300: 0.6, 1000: 1.2, 5000: 5.0, 16_000: 12.0, 40_000: 22.0}
"""What a balanced fit on 15 columns may take on one thread; in between along straight lines of the logarithms."""
REFERENCE_COLUMNS = 15
SHARE_OF_BALANCED = {"fast": 1 / 6, "balanced": 1.0, "thorough": 6.0}
GROWTH_BY_ROWS, GROWTH_BY_COLUMNS = 0.65, 0.3
"""Beyond the table: time grows slower than rows and columns, since a run holds many cells."""
LARGEST_SECONDS = 220.0
"""However large the table, a balanced cell takes no more."""

FOLDS = 5
MOST_REPEATS = {"fast": 1, "balanced": 3, "thorough": 5}
"""Nets of other draws on the same folds; what is left of the time goes into epochs."""
GOOD_EPOCHS = {"fast": 12, "balanced": 24, "thorough": 50}
"""Folds are given up, then repeats gained, around so many epochs."""
MOST_EPOCHS = {"fast": 24, "balanced": 40, "thorough": 100}
FEWEST_EPOCHS = 2
LOW_DROPOUT, HIGH_DROPOUT = 0.15, 0.4
ROWS_FOR_LOW_DROPOUT = 10_000
"""With fewer, nets take turns: smooth tables want little dropout, noisy ones much, and the average is near the better one."""

PATIENCE, FEWEST_PATIENT_EPOCHS = 0.25, 5
"""Share of all epochs without improvement of any net, stragglers apart, after which training stops. With 0.4 no net of 22 fits
of ten tables improved any more between the two, and fits that stopped early took a quarter more epochs."""
STRAGGLERS = 0.2
"""Share of the nets whose last improvements are not waited for. In 30 fits of three tables that saved a fifth of the time, and
the nets' lowest validation losses were 0.01 % higher in the mean, 0.15 % in the worst fit."""
HEADS, HEADS_DROPOUT = 8, 0.1
"""A quarter of the 32 that the authors use on a GPU: a head costs as much as a net of its own on a CPU."""

SECONDS_PER_STEP, SECONDS_PER_MEMBER_STEP = 1.3e-4, 1.5e-5
SECONDS_PER_PRODUCT = 2.5e-11
SECONDS_PER_INPUT = 4.2e-9
"""Fitted to steps of eleven shapes with torch 2.13 on one core, true to a tenth: a step whatever its size, a member's share of
it, a multiplication forward and backward, and a unit that is neither (encoding, activation, dropout)."""
EXPECTED_CODES = 5
"""A category becomes indicators or an embedding, so a column stands for a few inputs beside its bins."""


def net_settings(workload: Workload) -> Settings:
    """The settings of the net for a workload.

    >>> net_settings(Workload(0.1, rows=40_000, columns=15, classes=2))["batch_rows"]
    128
    """
    return _settings(workload, heads=1)


def shared_net_settings(workload: Workload) -> Settings:
    """The settings of nets whose heads share their layers: the same time, fewer nets.

    >>> shared_net_settings(Workload(0.1, rows=40_000, columns=15, classes=2))["heads"]
    8
    """
    return _settings(workload, heads=HEADS) | {"heads": HEADS, "dropouts": [HEADS_DROPOUT]}


def _settings(workload: Workload, heads: int) -> Settings:
    rows, effort = workload.rows, workload.effort
    batch_rows, hidden, bins = batch_size(rows), hidden_units(rows), bins_a_column(rows)
    member_epochs = _seconds(workload) / _seconds_a_member_epoch(workload, hidden, batch_rows, bins, heads)
    nets = member_epochs / scaled(effort, **GOOD_EPOCHS)
    folds = int(min(max(nets, 1), FOLDS))
    repeats = int(min(max(nets / FOLDS, 1), counted(effort, **MOST_REPEATS)))
    epochs = int(min(max(member_epochs / (folds * repeats), FEWEST_EPOCHS), counted(effort, **MOST_EPOCHS)))
    return {"folds": FOLDS, "trained_folds": folds, "repeats": repeats, "epochs": epochs, "batch_rows": batch_rows,
            "hidden": [hidden] * 3, "bins": bins, "learning_rate": 0.05, "weight_decay": 0.0, "patience": _patience(epochs),
            "stragglers": STRAGGLERS, "dropouts": [LOW_DROPOUT] if rows >= ROWS_FOR_LOW_DROPOUT else [LOW_DROPOUT, HIGH_DROPOUT]}


def _patience(epochs: int) -> int:
    return max(FEWEST_PATIENT_EPOCHS, math.ceil(PATIENCE * epochs))


def batch_size(rows: int) -> int:
    """Small batches for few rows, so that an epoch has some steps.

    >>> batch_size(62), batch_size(5000), batch_size(1_000_000)
    (32, 64, 512)
    """
    return 32 if rows < 4000 else 64 if rows < 20_000 else 128 if rows < 100_000 else 512


def hidden_units(rows: int) -> int:
    """Width of each hidden layer."""
    return 64 if rows < 2000 else 128 if rows < 50_000 else 256


def bins_a_column(rows: int) -> int:
    """Most bins of a number column."""
    return 16 if rows < 10_000 else 32


def _seconds(workload: Workload) -> float:
    known, seconds_known = np.log(list(SECONDS_BY_ROWS)), np.log(list(SECONDS_BY_ROWS.values()))
    seconds = math.exp(float(np.interp(math.log(workload.rows), known, seconds_known)))
    seconds *= math.pow(max(workload.rows / max(SECONDS_BY_ROWS), 1.0), GROWTH_BY_ROWS)
    seconds *= math.pow(workload.columns / REFERENCE_COLUMNS, GROWTH_BY_COLUMNS)
    return scaled(workload.effort, **SHARE_OF_BALANCED) * min(seconds, LARGEST_SECONDS)


def _seconds_a_member_epoch(workload: Workload, hidden: int, batch_rows: int, bins: int, heads: int) -> float:
    inputs = (bins / 2 + EXPECTED_CODES) * workload.columns
    products = 3 * hidden * (inputs + 2 * hidden + workload.outputs)
    steps = math.ceil(workload.rows * (1 - 1 / FOLDS) / batch_rows)
    in_step = heads * batch_rows * (products * SECONDS_PER_PRODUCT + (inputs + 3 * hidden) * SECONDS_PER_INPUT)
    return steps * (SECONDS_PER_STEP / FOLDS + SECONDS_PER_MEMBER_STEP + in_step)
