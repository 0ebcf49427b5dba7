"""Training rows on the device, and evenly spaced samples of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

SAMPLE_ROWS = 256
"""Of each member, for first weights that fit the data and for finding dead units."""


@dataclass(frozen=True, eq=False)
class DeviceRows:
    """Resident tensors: encoded inputs (n, e), codes of embedded categories (n, q), target (n,), weight (n,).

    The weight has mean one, or there is none. `encode` stands for the encoded inputs of rows where all of them at once would
    not fit in memory.
    """

    encoded: Tensor | None
    encode: Callable[[Tensor], Tensor]
    codes: Tensor
    target: Tensor
    weight: Tensor | None

    def inputs(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Encoded inputs (members, m, e) and codes (members, m, q) of rows (members, m)."""
        flat = rows.flatten()
        encoded = self.encode(flat) if self.encoded is None else self.encoded.index_select(0, flat)
        codes = self.codes.index_select(0, flat)
        return encoded.view(*rows.shape, encoded.shape[1]), codes.view(*rows.shape, codes.shape[1])

    def weight_of(self, rows: Tensor) -> Tensor | None:
        """Weights (members, m)."""
        return None if self.weight is None else self.weight[rows]

    def sample(self, parts: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Encoded inputs (members, m, e) and codes (members, m, q) of evenly spaced rows of each member's part."""
        count = min(SAMPLE_ROWS, *(len(part) for part in parts))
        places = torch.arange(count, device=parts[0].device)
        return self.inputs(torch.stack([part[places * len(part) // count] for part in parts]))
