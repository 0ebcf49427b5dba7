"""Splits and sizes as plain values. Making them is `data/splits.py`'s work."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

OWN_SPLITS = ("given", "test", "fold")
"""Kinds of splits that the user made."""


@dataclass(frozen=True, eq=False)
class Split:
    """One division of the table into training and test rows.

    `train` holds positions into the table in the split's one training order: the training set of size n is `train[:n]`,
    so sizes are nested. `test` holds the sorted positions that are scored (a draw if the fold is large).
    """

    repeat: int
    fold: int
    train: np.ndarray
    test: np.ndarray

    @property
    def name(self) -> tuple[int, int]:
        """(repeat, fold), which names the split within a plan."""
        return self.repeat, self.fold


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """All splits of a run and how they came about.

    `kind` is stratified, grouped, ordered (forward in time), fold (the user's own folds), test (the user's own test file)
    or given (positions passed from Python). `full_size` is the smallest training part; `unit` (n,) holds for each row of
    the table the unit that is independent in it: a group's code, else that of the rows equal to it. `ties_are_kept` is
    false where splits of the user's own have equal rows on both sides; then inner splits do as they do.
    """

    kind: str
    splits: tuple[Split, ...]
    folds: int
    repeats: int
    full_size: int
    unit: np.ndarray
    notes: tuple[str, ...] = field(default=())
    ties_are_kept: bool = True

    @property
    def by_importance(self) -> tuple[Split, ...]:
        """The splits in the order in which they are worth having: repeat by repeat, where time matters the latest cut first."""
        newest_first = -1 if self.kind == "ordered" else 1
        return tuple(sorted(self.splits, key=lambda split: (split.repeat, newest_first * split.fold)))

    def first(self, count: int) -> SplitPlan:
        """The same with the `count` most important splits alone: one of them is a hold-out split.

        Sizes stay those of the whole plan, so that what was run on these splits is part of it.
        """
        if count == len(self.splits):
            return self
        chosen = {split.name for split in self.by_importance[:count]}
        return replace(self, splits=tuple(split for split in self.splits if split.name in chosen),
                       repeats=-(-count // self.folds))
