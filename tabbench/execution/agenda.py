"""In which order the splits and sizes of a comparison are run, so that stopping at any moment leaves the best answer so far.

The largest size comes first, split by split, then the smaller sizes, then further repeats, and at last what was not planned but
may still fit. Knows places (a size on a split); no cell, no cost and no clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

SplitName = tuple[int, int]
"""(repeat, fold)."""
Place = tuple[int, SplitName]
"""A size on a split: the cells of all approaches there share their rows."""

SPLITS_BETWEEN = 3
"""Between one hold-out split and all folds: with three, luck of the training rows can be told from that of the test rows."""
USEFUL_SHARE = 0.1
"""The smaller size that says most is nearest to this share of the largest: far enough to see a trend, and cheap."""


@dataclass(frozen=True)
class Stage:
    """What is begun together, since part of it would not count: a split of the largest size, a size, or further splits."""

    kind: Literal["split", "size", "splits"]
    places: tuple[Place, ...]
    is_optional: bool = False


class Agenda:
    """The stages of a comparison, each decided when the one before has been handed out.

    Parameters
    ----------
    splits : Sequence[SplitName]
        All that may be run, the most important first.
    folds : int
        How many of them make up a repeat.
    sizes : Sequence[int]
        All that may be run, ascending.
    planned_splits, planned_sizes
        What is to be run; the rest is optional. None for all.
    is_ascending : bool, default False
        Whether sizes go from the smallest to the largest on all planned splits, as a race needs it.
    """

    def __init__(self, splits: Sequence[SplitName], folds: int, sizes: Sequence[int], *, planned_splits: int | None = None,
                 planned_sizes: Sequence[int] | None = None, is_ascending: bool = False) -> None:
        self._splits = tuple(splits)
        self._folds = folds
        self._sizes = tuple(sizes)
        self._planned_splits = len(self._splits) if planned_splits is None else planned_splits
        self._planned_sizes = tuple(sizes if planned_sizes is None else planned_sizes)
        self._is_ascending = is_ascending
        self._count = 0
        self._begun: list[int] = []
        self._given_up: set[int] = set()
        self._has_ended_splits = False

    @property
    def has_begun(self) -> bool:
        """Whether there will be an answer at all."""
        return bool(self._begun)

    @property
    def is_at_first(self) -> bool:
        """Whether only the first stage has been begun."""
        return len(self._begun) == 1 and (self._is_ascending or self._count == 1)

    def candidates(self) -> Iterator[Stage]:
        """What may come next, the most useful first; the planned stages before the optional ones."""
        if not self._splits:
            return
        if self._is_ascending:
            yield from self._ascending()
            return
        of_largest = min(self._planned_splits, self._folds)
        if self._count < of_largest and not self._has_ended_splits and len(self._begun) <= 1:
            yield Stage("split", ((self._planned_sizes[-1], self._splits[self._count]),))
            return
        yield from self._size_stages(self._planned_sizes, is_optional=False)
        yield from self._further_splits(is_optional=self._count >= self._planned_splits)
        yield from self._size_stages(self._sizes, is_optional=True)

    @property
    def first(self) -> Place:
        """The largest planned size on the most important split."""
        return self._planned_sizes[-1], self._splits[0]

    def planned(self) -> Iterator[Place]:
        """Every planned place."""
        return ((size, split) for size in self._planned_sizes for split in self._splits[:self._planned_splits])

    def begin(self, stage: Stage) -> None:
        """A stage is being handed out."""
        for size, _ in stage.places:
            if size not in self._begun:
                self._begun.append(size)
        if stage.kind != "size":
            self._count = max(self._splits.index(split) for _, split in stage.places) + 1

    def give_up(self, stage: Stage) -> None:
        """A stage was broken off, or will not be begun: what follows does without it."""
        if stage.kind == "size":
            self._given_up.add(stage.places[0][0])
            self._begun = [size for size in self._begun if size not in self._given_up]
        else:
            self._count = min(self._splits.index(split) for _, split in stage.places)
            self._has_ended_splits = True

    def _ascending(self) -> Iterator[Stage]:
        for size in self._planned_sizes:
            if size not in {*self._begun, *self._given_up}:
                yield Stage("size", tuple((size, split) for split in self._splits[:self._planned_splits]))

    def _size_stages(self, sizes: Sequence[int], *, is_optional: bool) -> Iterator[Stage]:
        for size in by_usefulness(sizes, self._planned_sizes[-1]):
            if size not in {*self._begun, *self._given_up} and self._count:
                yield Stage("size", tuple((size, split) for split in self._splits[:self._count]), is_optional)

    def _further_splits(self, *, is_optional: bool) -> Iterator[Stage]:
        if self._has_ended_splits or not 0 < self._count < len(self._splits):
            return
        if self._count >= self._folds:
            target = self._count + self._folds
        else:
            target = SPLITS_BETWEEN if self._count < SPLITS_BETWEEN < self._folds else self._folds
        more = self._splits[self._count:target]
        yield Stage("splits", tuple((size, split) for size in sorted(self._begun, reverse=True) for split in more), is_optional)


def by_usefulness(sizes: Sequence[int], largest: int) -> list[int]:
    """The sizes, first the one nearest to a tenth of the largest, then the others from the largest on.

    >>> by_usefulness([62, 125, 250, 500, 1000, 4000], 4000)
    [500, 4000, 1000, 250, 125, 62]
    """
    if not sizes:
        return []
    first = min(sizes, key=lambda size: abs(math.log(size / (USEFUL_SHARE * largest))))
    return [first, *sorted((size for size in sizes if size != first), reverse=True)]
