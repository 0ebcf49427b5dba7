"""Dropout masks, cheaply: drawing a float a unit would cost as much as the layer. Knows nothing of networks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
from torch import Tensor

BYTES_A_DRAW = 8
LEVELS = 256
"""What a random byte can tell apart."""


@dataclass(frozen=True, eq=False)
class DrawnDropout:
    """Random bytes for the hidden units of a batch, from which masks are made a part of the batch at a time.

    Parameters
    ----------
    drawn : Tensor
        (bytes,), layer after layer.
    dropped : Tensor
        (members,), each one's share of the 256 levels, of a floating-point type.
    rows : int
        Of the batch.
    widths : tuple[int, ...]
        Of the hidden layers.
    """

    drawn: Tensor
    dropped: Tensor
    rows: int
    widths: tuple[int, ...]

    @classmethod
    def draw(cls, rows: int, widths: tuple[int, ...], shares: Tensor, generator: torch.Generator) -> DrawnDropout:
        """Shares (members,) are kept to 1/256. A byte decides on a unit, eight are drawn at once; nothing waits."""
        size = len(shares) * rows * sum(widths)
        draws = torch.empty(-(-size // BYTES_A_DRAW), dtype=torch.int64, device=generator.device)
        drawn = draws.random_(-(2**63), None, generator=generator).view(torch.uint8)[:size]
        return cls(drawn, torch.round(LEVELS * shares), rows, widths)

    def masks(self, first: int = 0, last: int | None = None) -> list[Tensor]:
        """One mask (members, rows, width) a layer: zero for a member's share of the units, else what keeps the mean."""
        dropped = self.dropped[:, None, None]
        kept, limit = LEVELS / (LEVELS - dropped), dropped.to(torch.uint8)
        ends = [0, *accumulate(len(self.dropped) * self.rows * width for width in self.widths)]
        by_layer = (self.drawn[start:end].view(len(self.dropped), self.rows, -1) for start, end in pairwise(ends))
        return [torch.mul(_at_least(each[:, first:last], limit), kept) for each in by_layer]

    def clone(self) -> DrawnDropout:
        """Buffers of its own, for a graph."""
        return DrawnDropout(self.drawn.clone(), self.dropped.clone(), self.rows, self.widths)

    def copy_(self, other: DrawnDropout) -> None:
        """Take over the bytes and shares of another draw of the same sizes."""
        self.drawn.copy_(other.drawn)
        self.dropped.copy_(other.dropped)


def _at_least(drawn: Tensor, limit: Tensor) -> Tensor:
    """Ones and zeros; as bytes, since a truth value that becomes a number takes a CPU five times as long."""
    return torch.ge(drawn, limit, out=torch.empty(drawn.shape, dtype=torch.uint8, device=drawn.device))
