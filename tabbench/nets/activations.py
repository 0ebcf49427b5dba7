"""Activations of the hidden layers by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu, "relu": functional.relu, "selu": functional.selu, "mish": functional.mish, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid}
"""SiLU is the default: as accurate as Mish in these nets at a quarter of its time on a CPU. Sigmoid is there to be compared with;
its gradients vanish in deep nets."""
SATURATING = ("sigmoid", "tanh")
"""Their units die at both ends instead of at zero."""


def dead_share(activated: Tensor, activation: str) -> Tensor:
    """Share of the hidden units of each member that say the same for all rows.

    Parameters
    ----------
    activated : (members, m, width), a layer's outputs on m rows.
    """
    spread = activated.amax(dim=1) - activated.amin(dim=1)
    limit = 1e-4 if activation in SATURATING else 1e-8
    return (spread <= limit).double().mean(dim=1)
