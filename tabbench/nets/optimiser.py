"""AdamW over one flat buffer: the network's parameters and their gradients become views of it.

torch's own optimisers import its compiler when they are made, two seconds and 80 MB that no net here has a use for, and they
go through the parameters one by one.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import Tensor

FIRST_MOMENT, SECOND_MOMENT = 0.9, 0.95
"""Decay of the moments. A shorter memory of squares than the usual 0.999 suits trainings of a few hundred steps."""
EPSILON = 1e-8


class FlatAdamW:
    """Adam with decoupled weight decay on matrices; biases are not decayed (doi:10.48550/arXiv.1711.05101).

    Parameters
    ----------
    parameters : leaf tensors; their storage is replaced by views of one buffer.
    weight_decay : multiplied by the rate of each step.
    """

    def __init__(self, parameters: Collection[Tensor], weight_decay: float) -> None:
        ordered = sorted(parameters, key=lambda each: each.ndim == 1)  # matrices first, so that decay is one slice
        self._values = torch.cat([each.detach().reshape(-1) for each in ordered])
        self._gradients, self._first, self._second = (torch.zeros_like(self._values) for _ in range(3))
        self._decayed = sum(each.numel() for each in ordered if each.ndim > 1)
        self._weight_decay, self._steps = weight_decay, 0
        start = 0
        for each in ordered:
            place = slice(start, start + each.numel())
            each.data = self._values[place].view(each.shape)
            each.grad = self._gradients[place].view(each.shape)
            start = place.stop

    def zero_grad(self) -> None:
        """Forget the gradients; backward adds to them in place."""
        self._gradients.zero_()

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One update with this learning rate."""
        self._steps += 1
        self._values[:self._decayed].mul_(1.0 - rate * self._weight_decay)
        self._first.lerp_(self._gradients, 1.0 - FIRST_MOMENT)
        self._second.mul_(SECOND_MOMENT).addcmul_(self._gradients, self._gradients, value=1.0 - SECOND_MOMENT)
        scale = math.sqrt(1.0 - SECOND_MOMENT**self._steps)
        spread = self._second.sqrt().div_(scale).add_(EPSILON)
        self._values.addcdiv_(self._first, spread, value=-rate / (1.0 - FIRST_MOMENT**self._steps))
