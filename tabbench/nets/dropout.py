"""Dropout masks, cheaply: drawing a float a unit would cost as much as the layer. Knows nothing of networks."""

from __future__ import annotations

import torch
from torch import Tensor

BYTES_A_DRAW = 8
LEVELS = 256
"""What a random byte can tell apart."""


def dropout_masks(rows: int, widths: tuple[int, ...], shares: Tensor, generator: torch.Generator) -> list[Tensor]:
    """One mask (members, rows, width) a layer: zero for a member's share (members,) of the units, else what keeps the mean.

    Shares are kept to 1/256. One random byte decides on a unit; eight are drawn at once. Nothing waits for the device.
    """
    dropped = torch.round(LEVELS * shares)[:, None, None]
    kept = LEVELS / (LEVELS - dropped)
    sizes = [len(shares) * rows * width for width in widths]
    draws = torch.empty(-(-sum(sizes) // BYTES_A_DRAW), dtype=torch.int64, device=generator.device)
    drawn = draws.random_(-(2**63), None, generator=generator).view(torch.uint8)[:sum(sizes)]
    drawn_by_layer = (each.view(-1, rows, width) for each, width in zip(torch.split(drawn, sizes), widths, strict=True))
    return [(each >= dropped.to(torch.uint8)) * kept for each in drawn_by_layer]
