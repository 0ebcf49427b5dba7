"""Dropout masks, cheaply: drawing a float a unit would cost as much as the layer. Knows nothing of networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BYTES_A_DRAW = 8


def dropout_masks(rows: int, widths: tuple[int, ...], shares: Sequence[float], generator: torch.Generator) -> list[Tensor] | None:
    """One mask (members, rows, width) a layer: zero for a member's share of the units (to 1/256), else what keeps the mean.

    None where nothing is dropped. One random byte decides on a unit; eight are drawn at once.
    """
    counts = [round(256 * share) for share in shares]
    if not any(counts):
        return None
    dropped = torch.tensor(counts, device=generator.device)[:, None, None]
    kept = 256 / (256 - dropped)
    sizes = [len(counts) * rows * width for width in widths]
    draws = torch.empty(-(-sum(sizes) // BYTES_A_DRAW), dtype=torch.int64, device=generator.device)
    drawn = draws.random_(-(2**63), None, generator=generator).view(torch.uint8)[:sum(sizes)]
    drawn_by_layer = (each.view(-1, rows, width) for each, width in zip(torch.split(drawn, sizes), widths, strict=True))
    return [(each >= dropped.to(torch.uint8)) * kept for each in drawn_by_layer]
