"""Adam and SGD over one flat buffer of members, each with its own rate; a member whose gradient is refused stays as it is.

torch's own optimisers import its compiler when they are made, two seconds and 80 MB that no net here has a use for, and they
go through the parameters one by one.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

FIRST_MOMENT, SECOND_MOMENT = 0.9, 0.95
"""Decay of the moments. A shorter memory of squares than the usual 0.999 suits trainings of a few hundred steps."""
MOMENTUM = 0.9
EPSILON = 1e-8


class FlatOptimiser:
    """Steps members that lie in one buffer.

    Parameters
    ----------
    values : (members, parameters), changed in place.
    rates : (members, parameters), the learning rate of each; times a schedule's factor at each step.
    decays : (members, parameters), the share that a step of factor one takes off; None where nothing is decayed.

    Attributes
    ----------
    state : (members, parameters) buffers by name, and `steps` (members,), which a snapshot has to hold.
    """

    moments: tuple[str, ...] = ()

    def __init__(self, values: Tensor, rates: Tensor, decays: Tensor | None = None) -> None:
        self._values, self._rates, self._decays = values, rates, decays
        self.state = {name: torch.zeros_like(values) for name in self.moments}
        self.state["steps"] = torch.zeros(len(values), dtype=values.dtype, device=values.device)

    @torch.no_grad()
    def step(self, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, accepted: Tensor | None = None) -> None:
        """One update of each member with its rates times its factor (members,), the decay times `decay_factor` besides.

        Only members that are `accepted` (members,) change. They are selected, never multiplied: zero times NaN is NaN.
        """
        if accepted is None:
            self._update(self._values, gradients, factors[:, None], decay_factor, self.state, self._rates, self._decays)
            return
        updated = {name: value.clone() for name, value in self.state.items()}
        values = self._values.clone()
        self._update(values, gradients, factors[:, None], decay_factor, updated, self._rates, self._decays)
        for name, value in self.state.items():
            value.copy_(torch.where(accepted if value.ndim == 1 else accepted[:, None], updated[name], value))
        self._values.copy_(torch.where(accepted[:, None], values, self._values))

    def _update(self, values: Tensor, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, state: dict[str, Tensor],
                rates: Tensor, decays: Tensor | None) -> None:
        raise NotImplementedError

    @torch.no_grad()
    def forget(self, member: int) -> None:
        """Clear a member's moments."""
        for value in self.state.values():
            value[member] = 0.0


class FlatAdam(FlatOptimiser):
    """Adam with decoupled weight decay (doi:10.48550/arXiv.1711.05101)."""

    moments = ("first", "second")

    def __init__(self, values: Tensor, rates: Tensor, decays: Tensor | None = None) -> None:
        super().__init__(values, rates, decays)
        self._spread, self._moved = torch.empty_like(values), torch.empty_like(values)

    def _update(self, values: Tensor, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, state: dict[str, Tensor],
                rates: Tensor, decays: Tensor | None) -> None:
        first, second = state["first"], state["second"]
        state["steps"] += 1
        scale, moves = _corrections(state["steps"], factors)
        if decays is not None:
            values.addcmul_(values * decays, factors * decay_factor, value=-1.0)
        first.lerp_(gradients, 1.0 - FIRST_MOMENT)
        second.mul_(SECOND_MOMENT).addcmul_(gradients, gradients, value=1.0 - SECOND_MOMENT)
        spread = torch.sqrt(second, out=self._spread).add_(EPSILON * scale)
        moved = torch.mul(first, rates, out=self._moved)
        values.addcdiv_(moved.mul_(moves), spread, value=-1.0)


def _corrections(steps: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    """What moments that began at zero are divided by, and the moves' factor then, each (members, 1).

    A CPU does this arithmetic on a few numbers faster without tensors.
    """
    if steps.device.type != "cpu":
        scale = torch.sqrt(1.0 - SECOND_MOMENT**steps)[:, None]
        return scale, factors * scale / (1.0 - FIRST_MOMENT**steps)[:, None]
    scales = [math.sqrt(1.0 - SECOND_MOMENT**step) for step in steps.tolist()]
    moves = [factor * scale / (1.0 - FIRST_MOMENT**step)
             for (factor,), scale, step in zip(factors.tolist(), scales, steps.tolist(), strict=True)]
    both = torch.tensor([scales, moves], dtype=factors.dtype)[:, :, None]
    return both[0], both[1]


class FlatSGD(FlatOptimiser):
    """Stochastic gradient descent with Nesterov's momentum and decoupled weight decay."""

    moments = ("velocity",)

    def _update(self, values: Tensor, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, state: dict[str, Tensor],
                rates: Tensor, decays: Tensor | None) -> None:
        velocity = state["velocity"]
        state["steps"] += 1
        velocity.mul_(MOMENTUM).add_(gradients)
        if decays is not None:
            values.addcmul_(values * decays, factors * decay_factor, value=-1.0)
        values.addcmul_((gradients + MOMENTUM * velocity).mul_(rates), factors, value=-1.0)


OPTIMISERS: dict[str, Any] = {"adam": FlatAdam, "sgd": FlatSGD}
"""`adam` with a weight decay of its own is AdamW."""
