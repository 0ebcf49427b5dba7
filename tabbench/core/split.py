"""Splits and sizes as plain values. Making them is the work of `splitting/`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

OWN_SPLITS = ("given", "test", "fold")
"""Kinds of splits that the user made."""


@dataclass(frozen=True, eq=False)
class Split:
    """One division of the table into training and test rows.

    Parameters
    ----------
    repeat, fold : int
        Name of the split within its plan.
    train : ndarray
        Positions in the table, in training order: the training set of size n is `train[:n]`, so that sizes are nested.
    test : ndarray
        Sorted positions of the rows that are scored; a sample if the fold is large.
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
    """All splits of a run and how they were made.

    Parameters
    ----------
    kind : str
        "stratified", "grouped", "ordered" (forward in time), "fold" (the user's folds), "test" (the user's test file) or "given"
        (positions passed from Python).
    splits : tuple[Split, ...]
        The splits.
    folds, repeats : int
        Numbers of folds and repeats.
    full_size : int
        Size of the smallest training part.
    unit : ndarray
        Of shape (n,), code of each row's independent unit: its group, else the rows equal to it.
    notes : tuple[str, ...], default ()
        What to report about the splits.
    ties_are_kept : bool, default True
        False if the user's splits have equal rows on both sides; inner splits then do so, too.
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
        """The splits, the most important first: repeat by repeat, and if ordered in time the latest cut first."""
        newest_first = -1 if self.kind == "ordered" else 1
        return tuple(sorted(self.splits, key=lambda split: (split.repeat, newest_first * split.fold)))

    def first(self, count: int) -> SplitPlan:
        """Return the plan with only its `count` most important splits; with one, that is a hold-out split.

        Sizes stay those of the whole plan, so that cells of these splits are part of it.
        """
        if count == len(self.splits):
            return self
        chosen = {split.name for split in self.by_importance[:count]}
        return replace(self, splits=tuple(split for split in self.splits if split.name in chosen),
                       repeats=-(-count // self.folds))
