"""What a fit may be told beyond its settings: rows to validate on, what judges them, and a fitted net to go on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Criterion = Callable[[np.ndarray, np.ndarray], float]
"""(rows, their predictions) -> a loss; predictions are probabilities (m, classes), or numbers (m,) in the target's units."""


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """Parameters of `fit_net` that most fits leave alone.

    Parameters
    ----------
    folds : list[tuple[ndarray, ndarray]] | None, default None
        (fit, validation) positions of each net; None draws them.
    learnt_rows : int | None, default None
        So many rows come first, the others are there to validate on alone; None for all.
    criterion : Criterion | None, default None
        Judges epochs in place of the loss.
    start : NetModel | None, default None
        A fitted net whose encoding, target scale and weights are taken up.
    module : Module | None, default None
        Makes the user's own architecture.
    """

    folds: list[tuple[np.ndarray, np.ndarray]] | None = None
    learnt_rows: int | None = None
    criterion: Criterion | None = None
    start: Any = None
    module: Any = None
