"""Everything about a run that every child must know: the table, the task, the splits. Frozen before the first fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabbench.core.split import Split, SplitPlan
from tabbench.core.table import Table
from tabbench.core.task import Task


@dataclass(frozen=True, eq=False)
class Setup:
    """The question, ready to be put to approaches.

    `target` is (n,) int64 codes into `task.classes`, or float64; `splits_digest` names the split plan in cell keys.
    """

    table: Table
    task: Task
    target: np.ndarray
    splits: SplitPlan
    splits_digest: str
    seed: int

    def split(self, repeat: int, fold: int) -> Split:
        """The split called (repeat, fold)."""
        return next(split for split in self.splits.splits if split.name == (repeat, fold))
