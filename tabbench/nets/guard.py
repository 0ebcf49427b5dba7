"""Watches the steps of members side by side: refuses what is not finite, proves snapshots, says which member left the path.

Decides nothing about causes and cures. A step is judged on the device; the host looks every few steps only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

FIRST_WINDOW, WINDOW = 8, 32
"""Steps between two looks. A look costs about half a step of a small net, and a wait for the device on CUDA."""
EARLY_STEPS = 100
"""Until then a loss that rises means that the rate was too high from the start."""
EARLY_LIMIT, EARLY_SLACK = 1.5, 0.25
LATE_LIMIT, LATE_SLACK = 3.0, 0.5
"""A window whose median loss is above the constant predictor's by these has diverged; training starts at that predictor."""
VANISHED = 1e-10
"""A gradient's norm below which nothing moves."""
UNLEARNT = 0.5
"""Share of the constant predictor's loss below which a net is not stuck."""
Z_LIMIT, NORM_MEMORY, NORM_WARM_UP = 2.5, 0.97, 25
"""Clipping that follows the norms seen, after ZClip (arXiv:2504.02507)."""

State = dict[str, Tensor]
"""What a member is: its numbers, the optimiser's memory, its rate's factor; each with a leading member axis."""


@dataclass(frozen=True)
class Trouble:
    """What a look saw of one member: the steps that were refused (counted from the window's start), or a loss that rose."""

    kind: Literal["refused", "diverged", "vanished"]
    evidence: str
    steps: tuple[int, ...] = ()
    all_refused: bool = False


class Guard:
    """Notes each step's losses and gradient norms and looks at them every window.

    Parameters
    ----------
    constant_losses : (members,) what the constant predictor loses on each one's rows.

    Attributes
    ----------
    last_norms : (members,) median gradient norms of the last window; `window_steps` is how many steps it had.
    """

    def __init__(self, constant_losses: Sequence[float], on_cuda: bool) -> None:
        self._constant = np.array(constant_losses)
        self._on_cuda = on_cuda
        self._losses: list[Tensor | list[float]] = []
        self._norms: list[Tensor | list[float]] = []
        self._looked_at = 0
        self.window_steps = 0
        self.last_norms = np.full(len(constant_losses), np.nan)

    def note(self, losses: Tensor, norms: Tensor) -> Tensor | None:
        """Which members' steps are accepted (members,); None for all of them, which only a CPU can tell without waiting."""
        if self._on_cuda:
            self._losses.append(losses)
            self._norms.append(norms)
            return torch.isfinite(losses + norms)
        of_members, sizes = losses.tolist(), norms.tolist()
        self._losses.append(of_members)
        self._norms.append(sizes)
        if math.isfinite(sum(of_members) + sum(sizes)):  # the usual case, and quick
            return None
        accepted = torch.isfinite(losses + norms)
        return None if bool(accepted.all()) else accepted

    @property
    def is_due(self) -> bool:
        """Whether it is time for a look."""
        return len(self._losses) >= (WINDOW if self._looked_at else FIRST_WINDOW)

    @property
    def has_news(self) -> bool:
        """Whether steps were noted since the last look."""
        return bool(self._losses)

    def look(self, step: int) -> list[Trouble | None]:
        """The trouble of each member in the window that ends at this step; begins a new one."""
        self.window_steps = len(self._losses)
        seen = np.array([_on_host(self._losses), _on_host(self._norms)])
        self._losses, self._norms = [], []
        self._looked_at += 1
        self.last_norms = _medians(seen[1])
        losses, norms = seen
        typical = _medians(losses)
        limit, slack = (EARLY_LIMIT, EARLY_SLACK) if step <= EARLY_STEPS else (LATE_LIMIT, LATE_SLACK)
        constant = self._constant
        is_stuck = (typical > UNLEARNT * constant) & (constant > VANISHED)  # a net that has learnt all there is may rest
        is_sound = ((typical <= np.maximum(limit * constant, constant + slack)) & ~(is_stuck & (self.last_norms < VANISHED))
                    & np.isfinite(losses + norms).all(axis=0))
        return [None if sound else _trouble(losses[:, member], norms[:, member], constant[member], bool(is_stuck[member]))
                for member, sound in enumerate(is_sound)]


def _medians(values: np.ndarray) -> np.ndarray:
    """Upper medians (members,) of (steps, members), a tenth of numpy's time; NaN counts as the largest."""
    return np.asarray(np.sort(values, axis=0)[len(values) // 2])


def _on_host(noted: list[Tensor | list[float]]) -> Any:
    """(steps, members) of what was noted, as numbers; asks the device once."""
    tensors = [each for each in noted if isinstance(each, Tensor)]
    return torch.stack(tensors).tolist() if tensors else noted


def _trouble(losses: np.ndarray, norms: np.ndarray, constant: float, is_stuck: bool) -> Trouble:
    """What is wrong with a member's window (steps,)."""
    is_finite = np.isfinite(losses + norms)
    refused = tuple(np.flatnonzero(~is_finite).tolist())
    if refused:
        first = refused[0]
        what = f"loss {losses[first]:.3g}" if not np.isfinite(losses[first]) else f"gradient of norm {norms[first]:.3g}"
        return Trouble("refused", f"{what}; {len(refused)} of {len(losses)} steps refused", refused, len(refused) == len(losses))
    if is_stuck and float(np.median(norms)) < VANISHED:
        return Trouble("vanished", f"median gradient norm {np.median(norms):.3g}")
    return Trouble("diverged", f"median loss {np.median(losses):.3g} where the constant predictor has {constant:.3g}")


class Snapshots:
    """Two generations of members: a candidate, and the one before it, which a further window without trouble has proven."""

    def __init__(self, live: State) -> None:
        self._live = live
        self.good, self.candidate = _copied(live), _copied(live)

    @torch.no_grad()
    def prove(self, is_sound: Sequence[bool]) -> None:
        """The sound members' candidates were good: keep them, and try the present state."""
        if all(is_sound):
            self.good, self.candidate = self.candidate, self.good
            for name, value in self._live.items():
                self.candidate[name].copy_(value)
            return
        for member in np.flatnonzero(is_sound):
            for name, value in self._live.items():
                self.good[name][member] = self.candidate[name][member]
                self.candidate[name][member] = value[member]

    @torch.no_grad()
    def restore(self, member: int) -> None:
        """Take a member back to its proven state."""
        for name, value in self._live.items():
            value[member] = self.good[name][member]
            self.candidate[name][member] = self.good[name][member]

    @torch.no_grad()
    def accept(self, member: int) -> None:
        """The present state of a member is its only past: it was drawn anew."""
        for name, value in self._live.items():
            self.good[name][member] = value[member]
            self.candidate[name][member] = value[member]


def _copied(state: State) -> State:
    return {name: value.clone() for name, value in state.items()}


class Clipping:
    """Limits gradients: to a fixed norm, or to what is usual for each member; not at all unless it `is_on`.

    Its `state` belongs to the members' snapshots.
    """

    def __init__(self, clip: float | str | None, members: int, device: torch.device, dtype: torch.dtype) -> None:
        self._limit = clip
        self.is_automatic = torch.full((members,), clip == "auto", device=device)
        names = ("norm_mean", "norm_square", "norm_count", "clipped")
        self.state = {name: torch.zeros(members, device=device, dtype=dtype) for name in names}
        self.is_on = clip is not None

    def turn_on(self, member: int) -> None:
        """Follow this member's norms from now on."""
        self.is_automatic[member] = True
        self.is_on = True

    @torch.no_grad()
    def factors(self, norms: Tensor) -> Tensor:
        """What each member's gradient is multiplied by (members,)."""
        state = self.state
        mean = state["norm_mean"]
        spread = (state["norm_square"] - mean**2).clamp(min=0.0).sqrt()
        usual = torch.where(state["norm_count"] >= NORM_WARM_UP, mean + Z_LIMIT * spread, math.inf)
        limits = torch.where(self.is_automatic, usual, self._limit if isinstance(self._limit, float | int) else math.inf)
        is_clipped = norms > limits
        self._learn(torch.minimum(norms, limits))
        state["clipped"] += is_clipped
        return torch.where(is_clipped, limits / norms, 1.0)

    def _learn(self, norms: Tensor) -> None:
        state, is_finite = self.state, torch.isfinite(norms)
        memory = torch.where(state["norm_count"] > 0, NORM_MEMORY, 0.0)
        for name, value in (("norm_mean", norms), ("norm_square", norms**2)):
            state[name].copy_(torch.where(is_finite, memory * state[name] + (1.0 - memory) * value, state[name]))
        state["norm_count"] += is_finite
