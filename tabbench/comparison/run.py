"""What a judgement is made from: the planned cells, the approaches, and what else a run knows of itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from tabbench.core.cell import Cell
from tabbench.core.finding import Finding
from tabbench.core.limits import Limited
from tabbench.core.setup import Setup
from tabbench.core.skip import Skip

Place = tuple[str, int, int]
"""(approach, size, index of the split)."""


@dataclass(frozen=True)
class Entry:
    """What a judgement knows of an approach; `settings` is its effort in numbers at the full size."""

    name: str
    family: str
    version: int
    cost_rank: int
    represents: bool
    settings: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Run:
    """All that a judgement is made from, besides the results; `reading` are the options by which the table was read."""

    setup: Setup
    entries: tuple[Entry, ...]
    sizes: tuple[int, ...]
    effort: float
    margin: float | None
    planned: Sequence[Cell]
    findings: Sequence[Finding] = ()
    skips: Sequence[Skip] = ()
    timing: dict[str, float] = field(default_factory=dict)
    extrapolates: bool = False
    limited: Limited | None = None
    plan: dict[str, Any] | None = None
    reading: dict[str, Any] = field(default_factory=dict)

    def cells(self) -> dict[Place, Cell]:
        """Every planned cell by its place."""
        index = {split.name: number for number, split in enumerate(self.setup.splits.splits)}
        return {(cell.approach, cell.size, index[cell.repeat, cell.fold]): cell for cell in self.planned}


def on_all_splits(done: Collection[Place], splits: int) -> set[tuple[str, int]]:
    """The approaches and sizes that are done on so many splits."""
    counts: dict[tuple[str, int], int] = {}
    for approach, size, _ in done:
        counts[approach, size] = counts.get((approach, size), 0) + 1
    return {pair for pair, count in counts.items() if count == splits}
