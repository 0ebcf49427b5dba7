"""Batches counted by what they are expected to cost, so that a look at what is left takes as long however much it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tabbench.core.cell import Batch

Kind = tuple[tuple[str, int], ...]
"""See `kind_of`."""


@dataclass(eq=False)
class Alike:
    """So many batches of one kind, of which this is one."""

    batch: Batch
    count: int = 0


def kind_of(batch: Batch) -> Kind:
    """What batches have in common that are expected to cost the same: approaches and sizes, in order."""
    return tuple((cell.approach, cell.size) for cell in batch.cells)


def count_alike(batches: Iterable[Batch]) -> dict[Kind, Alike]:
    """These batches by kind, in order of the first of each."""
    found: dict[Kind, Alike] = {}
    for batch in batches:
        found.setdefault(kind_of(batch), Alike(batch)).count += 1
    return found
