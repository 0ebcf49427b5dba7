"""Watches the steps of members side by side: refuses what is not finite, proves snapshots, says which member left the path.

Decides nothing about causes and cures. A step is judged on the device; the host looks every few steps only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

FIRST_WINDOW, WINDOW = 8, 32
"""Steps between two looks. A look costs about half a step of a small net, and a wait for the device on CUDA."""
NORM_EVERY = 4
"""Of so many steps the first has its gradient measured, where the loss alone tells of weights that a step has broken: the norm is
half of what the guard costs a small net."""
EARLY_STEPS = 100
"""Until then a loss that rises means that the rate was too high from the start."""
EARLY_RISE, EARLY_SLACK = 0.5, 0.25
LATE_RISE, LATE_SLACK = 2.0, 0.5
"""A member has diverged whose median loss lies above the constant predictor's, where training starts, by so many times that loss
and at least the slack. A loss of the user's own may have any zero: there the spread of rows' losses stands for both."""
BATCH_DEVIATIONS = 3.0
"""Besides, so many standard deviations of a batch's mean: rare classes with large weights make single batches bad."""
FEWEST_STEPS, MOST_STEPS = 4, 8
"""Steps that it takes to say that a loss has risen; short windows remember the steps before them."""
VANISHED = 1e-10
"""A gradient's norm below which nothing moves."""
LEAST_UNIT = 1e-6
UNLEARNT = 0.5
"""Share of the constant predictor's loss below which a net is not stuck."""
SMALLEST_LOSS = 1e-6
"""Of the constant predictor: below, there is nothing to learn."""
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


@dataclass(frozen=True, eq=False)
class Limits:
    """For each member (members,): the constant predictor's loss, and what is too far above it early and late in training."""

    constant: np.ndarray
    early: np.ndarray
    late: np.ndarray

    @classmethod
    def of(cls, constants: Sequence[float], spreads: Sequence[float], batch_rows: int, *, is_own: bool) -> Limits:
        """From the losses of the constant predictor and the spread of its rows' losses."""
        constant, spread = np.array(constants), np.array(spreads)
        noise = BATCH_DEVIATIONS * spread / math.sqrt(batch_rows)
        if is_own:
            unit = np.where(spread > 0, spread, np.maximum(np.abs(constant), LEAST_UNIT))
            return cls(constant, constant + noise + unit, constant + noise + LATE_RISE * unit)
        early, late = np.maximum(EARLY_RISE * constant, EARLY_SLACK), np.maximum(LATE_RISE * constant, LATE_SLACK)
        return cls(constant, constant + noise + early, constant + noise + late)


class Guard:
    """Notes each step's losses and gradient norms and looks at them every window.

    Attributes
    ----------
    window_steps
        How many steps the last window had.
    """

    def __init__(self, limits: Limits, on_cuda: bool) -> None:
        self._limits = limits
        self._recent: list[list[float]] = []
        self._lowest_limits = float(limits.early.min()), float(limits.late.min())
        self._on_cuda = on_cuda
        self._losses: list[Tensor | list[float]] = []
        self._norms: list[Tensor | list[float]] = []
        self._measured: list[int] = []
        self._looked_at = self._unproven_steps = 0
        self._refused_in_a_row = np.zeros(len(limits.constant), dtype=np.int64)
        self.window_steps = 0
        self._last_window: list[list[float]] = [[math.nan] * len(limits.constant)]

    def note(self, losses: Tensor, norms: Tensor | None) -> Tensor | None:
        """Which members' steps are accepted (members,); None for all of them, which only a CPU can tell without waiting.

        Parameters
        ----------
        losses : Tensor
            (members,).
        norms : Tensor | None
            (members,), or None for a step whose gradients were not measured.
        """
        of_members: Any = losses if self._on_cuda else losses.tolist()
        sizes: Any = norms if norms is None or self._on_cuda else norms.tolist()
        if sizes is not None:
            self._measured.append(len(self._losses))
            self._norms.append(sizes)
        self._losses.append(of_members)
        if not self._on_cuda and math.isfinite(sum(of_members) + sum(sizes or ())):  # the usual case, and quick
            return None
        accepted = torch.isfinite(losses if norms is None else losses + norms)
        return accepted if self._on_cuda or not bool(accepted.all()) else None

    @property
    def wants_norms(self) -> bool:
        """Whether the gradients of the next step are to be measured: those of the first step of each window are."""
        return not len(self._losses) % NORM_EVERY

    @property
    def is_due(self) -> bool:
        """Whether it is time for a look."""
        return len(self._losses) >= (WINDOW if self._looked_at else FIRST_WINDOW)

    @property
    def may_prove(self) -> bool:
        """Whether there were steps enough since the last proof for a rise to show: an epoch may have one step only."""
        return self._unproven_steps >= MOST_STEPS

    def begin_proof(self) -> None:
        """A state was taken that the next steps have to prove."""
        self._unproven_steps = 0

    @property
    def has_news(self) -> bool:
        """Whether steps were noted since the last look."""
        return bool(self._losses)

    @property
    def last_norms(self) -> np.ndarray:
        """Median gradient norms (members,) of the last window."""
        return _medians(np.array(self._last_window))

    def look(self, step: int) -> list[Trouble | None]:
        """The trouble of each member in the window that ends at this step; begins a new one."""
        losses, norms, measured = _on_host(self._losses), _on_host(self._norms), self._measured
        self._losses, self._norms, self._measured = [], [], []
        self.window_steps, self._last_window = len(losses), norms
        self._looked_at += 1
        self._unproven_steps += self.window_steps
        steps = (self._recent + losses)[-max(MOST_STEPS, len(losses)):]
        self._recent = steps[-MOST_STEPS:]
        if self._is_calm(steps, norms, self._lowest_limits[step > EARLY_STEPS]):
            self._refused_in_a_row[:] = 0
            return [None] * len(self._limits.constant)
        return self._troubles(np.array(steps), np.array(losses), np.array(norms), measured, step)

    def _is_calm(self, steps: list[list[float]], norms: list[list[float]], limit: float) -> bool:
        """Whether no member's loss is above any limit, and each moves or has learnt something: the usual case, and quick."""
        if not all(loss <= limit for losses in steps for loss in losses):
            return False
        if all(VANISHED <= norm < math.inf for of_members in norms for norm in of_members):
            return True
        learnt = UNLEARNT * float(self._limits.constant.min())
        return all(loss <= learnt for losses in steps for loss in losses) and all(
            norm < math.inf for of_members in norms for norm in of_members)

    def _troubles(self, steps: np.ndarray, losses: np.ndarray, norms: np.ndarray, measured: list[int], step: int
                  ) -> list[Trouble | None]:
        """The trouble of each member by the window's losses (n, members), its norms at the steps that were measured, and by some
        steps before it besides."""
        last_norms, typical, constant = _medians(norms), _medians(steps), self._limits.constant
        limit = self._limits.early if step <= EARLY_STEPS else self._limits.late
        has_risen = (typical > limit) & (np.isfinite(steps).sum(axis=0) >= FEWEST_STEPS)
        # A net that has learnt all there is may rest.
        has_stopped = (typical > UNLEARNT * constant) & (constant > VANISHED) & (last_norms < VANISHED)
        sizes = np.zeros(losses.shape)
        sizes[measured] = norms
        is_refused = ~np.isfinite(losses + sizes)
        self._refused_in_a_row = np.where(is_refused.all(axis=0), self._refused_in_a_row + len(losses),
                                          is_refused[::-1].argmin(axis=0))
        found: list[Trouble | None] = [None] * len(constant)
        for member in np.flatnonzero(has_risen | has_stopped | is_refused.any(axis=0)).tolist():
            if is_refused[:, member].any():
                found[member] = _refused(losses[:, member], sizes[:, member], self._refused_in_a_row[member] >= FEWEST_STEPS)
            elif has_stopped[member]:
                found[member] = Trouble("vanished", f"median gradient norm {last_norms[member]:.3g}")
            else:
                found[member] = Trouble("diverged", f"median loss {typical[member]:.3g} where the constant predictor has "
                                        f"{constant[member]:.3g}")
        return found

    def forget(self, member: int) -> None:
        """The member is another one now: its losses so far say nothing of it."""
        for losses in self._recent:
            losses[member] = math.nan
        self._refused_in_a_row[member] = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"looked_at": self._looked_at, "recent": self._recent, "unproven_steps": self._unproven_steps,
                "refused_in_a_row": self._refused_in_a_row.tolist()}

    def restore(self, values: Mapping[str, Any]) -> None:
        """From what `to_json` wrote."""
        self._looked_at, self._recent = values["looked_at"], values["recent"]
        self._unproven_steps, self._refused_in_a_row = values["unproven_steps"], np.array(values["refused_in_a_row"])


def _medians(values: np.ndarray) -> np.ndarray:
    """Lower medians (members,) of what is finite in (steps, members), a tenth of numpy's time; infinite where nothing is."""
    count = np.isfinite(values).sum(axis=0)
    ordered = np.sort(np.where(np.isfinite(values), values, np.inf), axis=0)
    return np.asarray(ordered[np.maximum(count - 1, 0) // 2, np.arange(values.shape[1])])


def _on_host(noted: list[Tensor | list[float]]) -> Any:
    """(steps, members) of what was noted, as numbers; asks the device once."""
    tensors = [each for each in noted if isinstance(each, Tensor)]
    return torch.stack(tensors).tolist() if tensors else noted


def _refused(losses: np.ndarray, norms: np.ndarray, is_lasting: bool) -> Trouble:
    """The steps of a window (steps,) that had no finite loss or gradient, which may have lasted for some windows."""
    steps = tuple(np.flatnonzero(~np.isfinite(losses + norms)).tolist())
    first = steps[0]
    what = f"loss {losses[first]:.3g}" if not np.isfinite(losses[first]) else f"gradient of norm {norms[first]:.3g}"
    evidence = f"{what}; {len(steps)} of {len(losses)} steps refused"
    return Trouble("refused", evidence, steps, is_lasting and len(steps) == len(losses))


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
            torch._foreach_copy_([self.candidate[name] for name in self._live], list(self._live.values()))
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
