"""Gradients of a batch as those of its two halves, which are computed side by side: for a fit that is divided."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from torch import Tensor

from tabbench.core.side_by_side import SideBySide
from tabbench.nets.backward import WrittenBackward

FEWEST_PRODUCTS = 5_000_000
"""Rows of a batch by learnt numbers of all members: with fewer, handing a half to another thread takes as long as it saves."""

OfRows = Callable[[WrittenBackward, int, int], Tensor]
"""(where gradients are written, first row, last row) -> losses (members,) on these rows of a batch."""


class Halves:
    """What two halves of a batch are computed with. The halves are the same with a single turn, one after the other."""

    def __init__(self, turns: SideBySide, first: WrittenBackward, second: WrittenBackward) -> None:
        self._parts = first, second
        self._thread = ThreadPoolExecutor(1) if turns.count > 1 else None

    def gradients(self, rows: int, of_rows: OfRows) -> tuple[Tensor, Tensor]:
        """Losses (members,) and gradients (members, learnt numbers), which the next call may overwrite."""
        (first, second), middle = self._parts, rows // 2
        if self._thread is None:
            losses, others = of_rows(first, 0, middle), of_rows(second, middle, rows)
        else:
            meanwhile = self._thread.submit(of_rows, second, middle, rows)
            losses, others = of_rows(first, 0, middle), meanwhile.result()
        share = middle / rows
        gradients = first.gradients.mul_(share).add_(second.gradients, alpha=1 - share)
        return share * losses + (1 - share) * others, gradients
