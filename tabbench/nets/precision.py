"""Numbers of fewer bits in matrix products: TF32, bfloat16, or float16 with losses scaled so that gradients fit its range.

Weights, the optimiser and validation stay in float32. The scale is each member's own and follows the device: no step waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
FIRST_SCALE, LEAST_SCALE = 2.0**16, 1.0
CLEAN_STEPS = 2000
"""So many steps without an overflow double the scale; an overflow halves it."""


class Precision:
    """How a step computes. `state` (members,) is each one's scale and its steps since the last overflow."""

    def __init__(self, name: str, members: int, device: torch.device, dtype: torch.dtype) -> None:
        self._name, self._device = name, device
        is_scaled = name == "float16"
        self.state = {"loss_scale": torch.full((members,), FIRST_SCALE if is_scaled else 1.0, device=device, dtype=dtype),
                      "clean_steps": torch.zeros(members, device=device, dtype=dtype)} if is_scaled else {}

    @property
    def is_low(self) -> bool:
        """Whether there are fewer bits than float32 has."""
        return self._name in DTYPES

    @property
    def is_scaled(self) -> bool:
        """Whether gradients may overflow though the net is sound."""
        return self._name == "float16"

    def leave(self) -> None:
        """Compute in float32 from now on."""
        self._name = "float32"

    def computing(self) -> AbstractContextManager[object]:
        """Inside, matrix products have fewer bits."""
        return torch.autocast(self._device.type, DTYPES[self._name]) if self.is_low else nullcontext()

    def products(self) -> AbstractContextManager[object]:
        """Inside, products of float32 matrices are rounded to TF32 where that was asked for and the device can."""
        return _rounded_products() if self._name == "tf32" and self._device.type == "cuda" else nullcontext()

    def scaled(self, losses: Tensor) -> Tensor:
        """Losses (members,) times each one's scale."""
        return losses * self.state["loss_scale"] if self.is_scaled else losses

    def unscaled(self, gradients: Tensor) -> Tensor:
        """Gradients (members, parameters) of scaled losses as those of the losses."""
        return gradients / self.state["loss_scale"][:, None] if self.is_scaled else gradients

    @torch.no_grad()
    def learn(self, is_finite: Tensor) -> None:
        """Lower the scale of members whose gradients (members,) did not fit, raise it after many that did."""
        scale, clean = self.state["loss_scale"], self.state["clean_steps"]
        clean.copy_(torch.where(is_finite, clean + 1.0, 0.0))
        is_due = clean >= CLEAN_STEPS
        scale.copy_(torch.where(is_finite, torch.where(is_due, 2.0 * scale, scale), (0.5 * scale).clamp(min=LEAST_SCALE)))
        clean.copy_(torch.where(is_due, 0.0, clean))

    def is_exhausted(self, member: int) -> bool:
        """Whether a member's gradients overflow however small the scale."""
        return self.is_scaled and float(self.state["loss_scale"][member]) <= LEAST_SCALE


@contextmanager
def _rounded_products() -> Iterator[None]:
    """TF32 inside the block; the caller's setting comes back afterwards."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
