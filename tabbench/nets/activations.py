"""Activations of the hidden layers by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu, "relu": functional.relu, "selu": functional.selu, "mish": functional.mish, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "gelu": functional.gelu, "leaky_relu": functional.leaky_relu}
"""SiLU is the default: as accurate as Mish in these nets at a quarter of its time on a CPU. Sigmoid is there to be compared with;
its gradients vanish in deep nets."""
_aten = torch.ops.aten
LEAKY_SLOPE = 0.01
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
SLOPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "silu": _aten.silu_backward,
    "relu": lambda slope, linear: _aten.threshold_backward(slope, linear, 0.0),
    "selu": lambda slope, linear: _aten.elu_backward(slope, SELU_ALPHA, SELU_SCALE, 1.0, False, linear),
    "mish": _aten.mish_backward,
    "tanh": lambda slope, linear: _aten.tanh_backward(slope, torch.tanh(linear)),
    "sigmoid": lambda slope, linear: _aten.sigmoid_backward(slope, torch.sigmoid(linear)),
    "gelu": _aten.gelu_backward,
    "leaky_relu": lambda slope, linear: _aten.leaky_relu_backward(slope, linear, LEAKY_SLOPE, False)}
"""Slope by an activation's output, and what went into it -> slope by its input."""
SATURATING = ("sigmoid", "tanh")
"""Their units die at both ends instead of at zero."""


def dead_share(activated: Tensor, activation: str) -> Tensor:
    """Share of the hidden units of each member that say the same for all rows.

    Parameters
    ----------
    activated : Tensor
        (members, m, width), a layer's outputs on m rows.
    """
    spread = activated.amax(dim=1) - activated.amin(dim=1)
    limit = 1e-4 if activation in SATURATING else 1e-8
    return (spread <= limit).double().mean(dim=1)
