"""Adam and SGD over one flat buffer of members, each with its own rate; a member whose gradient is refused stays as it is.

torch's own optimisers import its compiler when they are made, two seconds and 80 MB that no net here has a use for, and they
go through the parameters one by one.
"""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

DEFAULT_BETAS, DEFAULT_MOMENTUM = (0.9, 0.95), 0.9
EPSILON = 1e-8


class FlatOptimiser:
    """Steps members that lie in one buffer.

    Parameters
    ----------
    values : Tensor
        (members, parameters), changed in place.
    rates : Tensor
        (members, parameters), the learning rate of each; times a schedule's factor at each step.
    decays : Tensor | None, default None
        (members, parameters), the share that a step of factor one takes off; None where nothing is decayed.
    betas : tuple[float, float], default (0.9, 0.95)
        Decay of Adam's moments.
    momentum : float, default 0.9
        Of SGD.

    Attributes
    ----------
    state
        (members, parameters) buffers by name, and `steps` (members,), which a snapshot has to hold.
    """

    moments: tuple[str, ...] = ()

    def __init__(self, values: Tensor, rates: Tensor, decays: Tensor | None = None, *,
                 betas: tuple[float, float] = DEFAULT_BETAS, momentum: float = DEFAULT_MOMENTUM) -> None:
        self._values, self._rates, self._decays = values, rates, decays
        self._betas, self._momentum = betas, momentum
        self.state = {name: torch.zeros_like(values) for name in self.moments}
        self.state["steps"] = torch.zeros(len(values), dtype=values.dtype, device=values.device)

    @torch.no_grad()
    def step(self, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, accepted: Tensor | None = None) -> None:
        """One update of each member with its rates times its factor (members,), the decay times `decay_factor` besides.

        Only members that are `accepted` (members,) change, None for all. The gradients of the others may be overwritten, and are
        never multiplied: zero times NaN is NaN. No answer is asked of the device.
        """
        if accepted is None:
            self._update(gradients, factors[:, None], decay_factor, None)
            return
        column = accepted[:, None]
        self._update(gradients, torch.where(column, factors[:, None], 0.0), decay_factor, column)

    def _update(self, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, accepted: Tensor | None) -> None:
        """Change values and state in place; members (members, 1) that are not accepted have zeros for factors."""
        raise NotImplementedError

    def _decay(self, factors: Tensor, decay_factor: float | Tensor) -> None:
        if self._decays is not None:
            self._values.addcmul_(self._values * self._decays, factors * decay_factor, value=-1.0)

    @torch.no_grad()
    def forget(self, member: int) -> None:
        """Clear a member's moments."""
        for value in self.state.values():
            value[member] = 0.0


class FlatAdam(FlatOptimiser):
    """Adam with decoupled weight decay (doi:10.48550/arXiv.1711.05101)."""

    moments = ("first", "second")

    def __init__(self, values: Tensor, rates: Tensor, decays: Tensor | None = None, **memory: Any) -> None:
        super().__init__(values, rates, decays, **memory)
        self._spread, self._moved = torch.empty_like(values), torch.empty_like(values)

    def _update(self, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, accepted: Tensor | None) -> None:
        first, second, steps = self.state["first"], self.state["second"], self.state["steps"]
        first_memory, second_memory = self._betas
        steps += 1.0 if accepted is None else accepted[:, 0]
        scale, moves = _corrections(steps if accepted is None else steps.clamp(min=1.0), factors, self._betas)
        self._decay(factors, decay_factor)
        if accepted is None:
            first.lerp_(gradients, 1.0 - first_memory)
            second.mul_(second_memory)
        else:
            gradients.masked_fill_(~accepted, 0.0)
            first.lerp_(gradients, (1.0 - first_memory) * accepted)
            second.mul_(torch.where(accepted, second_memory, 1.0))
        second.addcmul_(gradients, gradients, value=1.0 - second_memory)
        spread = torch.sqrt(second, out=self._spread).add_(EPSILON * scale)
        moved = torch.mul(first, self._rates, out=self._moved)
        self._values.addcdiv_(moved.mul_(moves), spread, value=-1.0)


class CpuAdam(FlatOptimiser):
    """The same as `FlatAdam`, to rounding, by torch's own kernel: it passes memory once, but has one rate for all of a tensor."""

    moments = FlatAdam.moments

    def __init__(self, values: Tensor, rates: Tensor, decays: Tensor | None = None, **memory: Any) -> None:
        super().__init__(values, rates, decays, **memory)
        self._places = _places_by_rate(rates)
        self._pieces = self._pieces_of(values)
        self._first, self._second = (self._pieces_of(self.state[name]) for name in self.moments)
        self._steps = {rate: [self.state["steps"][member] for member, _ in places] for rate, places in self._places.items()}
        self._gradients, self._slopes = values, self._pieces

    def _pieces_of(self, whole: Tensor) -> dict[float, list[Tensor]]:
        return {rate: [whole[member, part] for member, part in places] for rate, places in self._places.items()}

    def _update(self, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, accepted: Tensor | None) -> None:
        self.state["steps"] += 1.0 if accepted is None else accepted[:, 0]
        self._decay(factors, decay_factor)
        if gradients is not self._gradients:  # plain nets write theirs into the same buffer each time
            self._gradients, self._slopes = gradients, self._pieces_of(gradients)
        by_member = factors[:, 0].tolist()
        if accepted is None and len(set(by_member)) == 1:
            self._step_with(by_member[0], None)
            return
        for member, factor in enumerate(by_member):
            if accepted is None or bool(accepted[member]):
                self._step_with(factor, member)

    def _step_with(self, factor: float, only: int | None) -> None:
        for rate, places in self._places.items():
            lists = [each[rate] for each in (self._pieces, self._slopes, self._first, self._second, self._steps)]
            if only is not None:
                lists = [[each for each, (member, _) in zip(pieces, places, strict=True) if member == only] for pieces in lists]
            values, slopes, first, second, steps = lists
            torch._fused_adam_(values, slopes, first, second, [], steps, amsgrad=False, lr=rate * factor, beta1=self._betas[0],
                               beta2=self._betas[1], weight_decay=0.0, eps=EPSILON, maximize=False)


def _places_by_rate(rates: Tensor) -> dict[float, list[tuple[int, slice]]]:
    """Where each rate of (members, parameters) holds: members, and parts of their rows."""
    places: dict[float, list[tuple[int, slice]]] = {}
    for member, row in enumerate(rates):
        values, counts = torch.unique_consecutive(row, return_counts=True)
        ends = counts.cumsum(0).tolist()
        for rate, start, end in zip(values.tolist(), [0, *ends], ends, strict=False):
            places.setdefault(rate, []).append((member, slice(start, end)))
    return places


class FusedAdam(FlatOptimiser):
    """The same as `FlatAdam`, to rounding, in one kernel on a GPU."""

    moments = FlatAdam.moments

    def _update(self, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, accepted: Tensor | None) -> None:
        from tabbench.nets.fused import update

        steps = self.state["steps"]
        steps += 1.0 if accepted is None else accepted[:, 0]
        scale, moves = _corrections(steps.clamp(min=1.0), factors, self._betas)
        everyone = torch.ones_like(factors, dtype=torch.bool) if accepted is None else accepted
        update(self._values, gradients, self.state, self._rates, self._decays, everyone, moves, EPSILON * scale,
               factors * decay_factor, 1.0 - self._betas[0], 1.0 - self._betas[1])


@cache
def _compiles() -> bool:
    """Whether the kernel can be compiled here: triton is there, and so are the C compiler and the headers that it needs."""
    if find_spec("triton") is None:
        return False
    one = torch.ones((1, 1), device="cuda")
    try:
        FusedAdam(one.clone(), one).step(one.clone(), one[0], 0.0)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        warnings.warn(f"triton cannot compile here, so a step takes longer: {error}", RuntimeWarning, stacklevel=2)
        return False
    return True


def make_adam(values: Tensor, rates: Tensor, decays: Tensor | None = None, **memory: Any) -> FlatOptimiser:
    """Adam, as one kernel where there is one, or where this torch came with what compiles it."""
    kind = CpuAdam if values.device.type == "cpu" else FusedAdam if values.is_cuda and _compiles() else FlatAdam
    return kind(values, rates, decays, **memory)


def _corrections(steps: Tensor, factors: Tensor, betas: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """What moments that began at zero are divided by, and the moves' factor then, each (members, 1)."""
    first_memory, second_memory = betas
    scale = torch.sqrt(1.0 - second_memory**steps)[:, None]
    return scale, factors * scale / (1.0 - first_memory**steps)[:, None]


class FlatSGD(FlatOptimiser):
    """Stochastic gradient descent with Nesterov's momentum and decoupled weight decay."""

    moments = ("velocity",)

    def _update(self, gradients: Tensor, factors: Tensor, decay_factor: float | Tensor, accepted: Tensor | None) -> None:
        velocity = self.state["velocity"]
        self.state["steps"] += 1.0 if accepted is None else accepted[:, 0]
        if accepted is not None:
            gradients.masked_fill_(~accepted, 0.0)
        velocity.mul_(self._momentum if accepted is None else torch.where(accepted, self._momentum, 1.0)).add_(gradients)
        self._decay(factors, decay_factor)
        self._values.addcmul_((gradients + self._momentum * velocity).mul_(self._rates), factors, value=-1.0)


OPTIMISERS: dict[str, Callable[..., FlatOptimiser]] = {"adam": make_adam, "sgd": FlatSGD}
"""`adam` with a weight decay of its own is AdamW."""
