"""Everything about a run that every worker must know: the table, the task, the splits. Frozen before the first fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tabbench.core.given import Given
from tabbench.core.split import Split, SplitPlan
from tabbench.core.table import Table
from tabbench.core.task import Task


@dataclass(frozen=True, eq=False)
class Setup:
    """Table, task and splits of a run.

    Parameters
    ----------
    table : Table
        The table.
    task : Task
        The task.
    target : ndarray
        Of shape (n,): int64 codes into `task.classes`, or float64.
    splits : SplitPlan
        The splits.
    splits_digest : str
        Digest of the splits, part of cell keys.
    seed : int
        Seed of the run.
    given : Given | None, default None
        The rows as they were given, where the user's own estimators take part.
    """

    table: Table
    task: Task
    target: np.ndarray
    splits: SplitPlan
    splits_digest: str
    seed: int
    given: Given | None = None

    def split(self, repeat: int, fold: int) -> Split:
        """Return the split called (repeat, fold)."""
        return next(split for split in self.splits.splits if split.name == (repeat, fold))
