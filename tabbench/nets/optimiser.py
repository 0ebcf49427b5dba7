"""AdamW over one flat buffer of members, each with its own rate.

torch's own optimisers import its compiler when they are made, two seconds and 80 MB that no net here has a use for, and they
go through the parameters one by one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

FIRST_MOMENT, SECOND_MOMENT = 0.9, 0.95
"""Decay of the moments. A shorter memory of squares than the usual 0.999 suits trainings of a few hundred steps."""
EPSILON = 1e-8


class FlatAdamW:
    """Adam with decoupled weight decay (doi:10.48550/arXiv.1711.05101).

    Parameters
    ----------
    values : (members, parameters), changed in place.
    rates : (members, parameters), the learning rate of each; times a schedule's factor at each step.
    decays : (members, parameters), the share that a step of factor one takes off; zero for what is not decayed.
    """

    def __init__(self, values: Tensor, rates: Tensor, decays: Tensor) -> None:
        self._values, self._rates, self._decays = values, rates, decays
        self._first, self._second, self._spread, self._moved = (torch.zeros_like(values) for _ in range(4))
        self._steps = 0

    @torch.no_grad()
    def step(self, gradients: Tensor, factor: float, decay_factor: float) -> None:
        """One update with the rates times `factor`, the decay times `decay_factor` besides."""
        self._steps += 1
        self._values.addcmul_(self._values, self._decays, value=-factor * decay_factor)
        self._first.lerp_(gradients, 1.0 - FIRST_MOMENT)
        self._second.mul_(SECOND_MOMENT).addcmul_(gradients, gradients, value=1.0 - SECOND_MOMENT)
        scale = math.sqrt(1.0 - SECOND_MOMENT**self._steps)
        spread = torch.sqrt(self._second, out=self._spread).add_(EPSILON * scale)
        moved = torch.mul(self._first, self._rates, out=self._moved)
        self._values.addcdiv_(moved, spread, value=-factor * scale / (1.0 - FIRST_MOMENT**self._steps))

    @torch.no_grad()
    def restart(self, member: int, rate_factor: float) -> None:
        """Forget a member's moments, which hold what made its step explode, and lower its rate."""
        for each in (self._first, self._second):
            each[member] = 0.0
        self._rates[member] *= rate_factor
        self._decays[member] *= rate_factor
