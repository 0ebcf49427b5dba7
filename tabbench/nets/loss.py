"""What the net minimises, and how its outputs become predictions. Knows nothing of networks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor
from torch.nn import functional

from tabbench.core.errors import BadOption
from tabbench.core.metric import best_constant
from tabbench.core.probability import floored
from tabbench.core.task import Task

LossKind = Literal["log", "squared", "absolute", "huber"]
HUBER_KNEE = 1.0
"""On the standardised target: beyond one standard deviation errors count linearly."""

PROBED_ROWS = 8

RowLoss = Callable[[Tensor, Tensor], Tensor]
"""A loss of one's own: (outputs (m, outputs), target (m,)) -> (m,) losses, or their mean."""


@dataclass(frozen=True)
class Probe:
    """Whether a loss gives means, and then what it gives for some rows together, and on average for one after another."""

    gives_mean: bool
    together: float = 0.0
    apart: float = 0.0

    @property
    def is_mean_of_rows(self) -> bool:
        """Whether the rows' own losses make up the loss; what is not finite says nothing."""
        is_known = math.isfinite(self.together + self.apart)
        return not is_known or math.isclose(self.together, self.apart, rel_tol=0.01, abs_tol=1e-6)


@dataclass(frozen=True)
class Loss:
    """Log loss over classes, or an error on the standardised target. `classes` is 0 for regression.

    Parameters
    ----------
    smoothing : float, default 0.0
        Share of a label that is spread over all classes while training.
    own : RowLoss | None
        A loss of the user's, minimised in place of `kind`, which still makes predictions of outputs.
    parts : tuple[tuple[LossKind | RowLoss, float], ...]
        (name or function, weight) of several losses that are added up in place of `kind`.
    """

    kind: LossKind
    classes: int
    smoothing: float = 0.0
    own: RowLoss | None = field(default=None, compare=False)
    parts: tuple[tuple[LossKind | RowLoss, float], ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, task: Task) -> Loss:
        """Log loss for classification; for regression absolute error when the median is best, else squared error."""
        if task.is_regression:
            return cls("absolute" if best_constant(task.metric) == "median" else "squared", 0)
        return cls("log", task.n_classes)

    @property
    def outputs(self) -> int:
        """Outputs of the network."""
        return self.classes or 1

    @property
    def is_own(self) -> bool:
        """Whether a function of the user's takes part."""
        return self.own is not None or any(callable(part) for part, _ in self.parts)

    @property
    def without_functions(self) -> Loss:
        """What makes predictions of outputs, and can be stored."""
        return Loss(self.kind, self.classes)

    def rows(self, outputs: Tensor, target: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Losses (members, m) from outputs (members, m, outputs) and the target (members, m)."""
        if self.parts:
            return torch.stack([weight * self._of(part, outputs, target, smoothing) for part, weight in self.parts]).sum(dim=0)
        return self._of(self.kind if self.own is None else self.own, outputs, target, smoothing)

    def probe(self, outputs: Tensor, target: Tensor, *, is_weighted: bool) -> Probe:
        """Try functions of the user's on a few rows: outputs (1, m, outputs), target (1, m).

        Raises
        ------
        BadOption
            One of them fails, has no gradient, or gives a mean where rows have weights.
        """
        gives_mean = False
        for part in (self.own, *(part for part, _ in self.parts)):
            if not callable(part):
                continue
            # Not a leaf and not the rows' own target, which no function may change in place.
            leaf = outputs.detach().requires_grad_(True)
            try:
                losses = part((leaf * 1.0)[0], target[0].clone())
                if not _as_rows(losses, target[0]).requires_grad:
                    raise BadOption("loss has no gradient; it must not be computed under torch.no_grad(), of detached tensors or "
                                    "by numpy")
                torch.autograd.grad(losses.sum(), leaf)
            except (RuntimeError, TypeError, ValueError, IndexError) as error:
                raise BadOption(f"loss cannot be used: {error}; it is given torch tensors, outputs (m, {self.outputs}) and "
                                "target (m,), and must compute from them a loss (m,) that has a gradient") from error
            gives_mean = gives_mean or not losses.ndim
            if not losses.ndim and is_weighted:
                raise BadOption("loss gives the mean over its rows, so rows cannot be weighted; let it return one loss a row")
        if not gives_mean:
            return Probe(False)
        together, apart = float(self.rows(outputs, target).mean()), float(self.one_by_one(outputs, target).mean())
        if apart and math.isclose(together, apart * target.shape[1], rel_tol=0.01):
            raise BadOption("loss gives the sum over its rows, which grows with the batch; let it return their mean "
                            "(reduction='mean' of torch's losses), or one loss a row")
        return Probe(True, together, apart)

    def one_by_one(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Losses as `rows` has them, of functions that give a mean: each row is handed over alone."""
        alone = zip(torch.split(outputs, 1, dim=1), torch.split(target, 1, dim=1), strict=True)
        return torch.cat([self.rows(*row) for row in alone], dim=1)

    def rows_and_slopes(self, outputs: Tensor, target: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        """Losses as `rows` has them, and their slopes (members, m, outputs) by the outputs; not for losses of one's own."""
        if self.kind == "log":
            return _logistic_slopes(outputs, target, smoothing)
        errors = outputs - target[:, :, None]
        slopes = (2.0 * errors if self.kind == "squared" else errors.sign() if self.kind == "absolute"
                  else errors.clamp(-HUBER_KNEE, HUBER_KNEE))
        return self.rows(outputs, target), slopes

    def means(self, outputs: Tensor, target: Tensor, weight: Tensor | None, *, smoothing: float = 0.0) -> Tensor:
        """Each member's mean of row loss x weight (members,)."""
        heads = outputs.shape[1] // target.shape[1]
        if heads > 1:  # the mean of the heads' losses, not the loss of their mean, keeps them different
            target = target.repeat_interleave(heads, dim=1)
            weight = None if weight is None else weight.repeat_interleave(heads, dim=1)
        losses = self.rows(outputs, target, smoothing=smoothing)
        return losses.mean(1) if weight is None else (losses * weight).mean(1)

    def start(self, target: np.ndarray, weight: np.ndarray | None) -> Tensor:
        """Outputs (outputs,) of the constant predictor on standardised numbers or on codes."""
        if self.kind != "log":
            return torch.tensor([0.0 if self.kind == "squared" else float(np.median(target))])
        counts = np.bincount(target, weights=weight, minlength=self.classes) + 1e-3
        return torch.tensor(np.log(counts / counts.sum()))

    def predictions(self, outputs: np.ndarray, heads: int = 1) -> np.ndarray:
        """Float64 (m, classes) probabilities or (m,) standardised numbers from outputs (m * heads, outputs)."""
        outputs = outputs.astype(np.float64)
        each = softmax(outputs, axis=1) if self.classes else outputs[:, 0]
        mean = each if heads == 1 else each.reshape(-1, heads, *each.shape[1:]).mean(axis=1)
        return floored(mean) if self.classes else mean

    def to_json(self) -> dict[str, Any]:
        """Plain values; `Loss(**values)` gives back what makes predictions of outputs."""
        return {"kind": self.kind, "classes": self.classes}

    def _of(self, part: LossKind | RowLoss, outputs: Tensor, target: Tensor, smoothing: float) -> Tensor:
        if callable(part):
            return torch.stack([_as_rows(part(outputs[place].clone(), target[place].clone()), target[place])
                                for place in range(len(outputs))])  # copies, which a function may change in place
        if part == "log":
            return functional.cross_entropy(outputs.flatten(0, 1), target.flatten(), reduction="none",
                                            label_smoothing=smoothing).view(target.shape)
        errors = outputs[:, :, 0] - target
        if part == "squared":
            return errors**2
        if part == "absolute":
            return errors.abs()
        return functional.huber_loss(outputs[:, :, 0], target, reduction="none", delta=HUBER_KNEE)


@dataclass(frozen=True)
class FlatOutputs:
    """A loss of the user's for outputs of shape (m,), such as `torch.nn.MSELoss()`, which (m, 1) would spread to (m, m)."""

    function: RowLoss

    def __call__(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Losses of outputs (m, 1)."""
        return self.function(outputs[:, 0], target)


def with_outputs_as_meant(loss: Loss) -> Loss:
    """A loss for regression with functions that mean outputs of shape (m,) wrapped, to be handed (m, 1)."""
    parts = tuple((_as_meant(part) if callable(part) else part, weight) for part, weight in loss.parts)
    return replace(loss, own=loss.own and _as_meant(loss.own), parts=parts)


def _as_meant(function: RowLoss) -> RowLoss:
    """Flat outputs are meant where they alone make a loss the mean or the sum of its rows'."""
    target = torch.linspace(-1.0, 1.0, PROBED_ROWS)
    outputs = target[:, None] + 0.1 * torch.linspace(1.0, -1.0, PROBED_ROWS)[:, None]
    flat = FlatOutputs(function)
    return flat if not _is_of_rows(function, outputs, target) and _is_of_rows(flat, outputs, target) else function


def _is_of_rows(function: RowLoss, outputs: Tensor, target: Tensor) -> bool:
    """Whether a loss of rows together is the mean, or the sum, of their losses alone."""
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore", UserWarning)  # of sizes that differ, which is what is tried
            together = function(outputs.clone(), target.clone())
            alone = [function(outputs[[row]], target[[row]]) for row in range(len(target))]
            if not isinstance(together, Tensor) or together.shape not in ((), target.shape):
                return False
            apart = torch.stack([each.mean() for each in alone]).mean()
            sums = (1, len(target)) if not together.ndim else (1,)
            return any(bool(torch.isclose(together.mean(), apart * size, rtol=0.01, atol=1e-6, equal_nan=True)) for size in sums)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return False


def _logistic_slopes(outputs: Tensor, target: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    logs, place = functional.log_softmax(outputs, dim=2), target[:, :, None]
    losses, slopes = -logs.gather(2, place)[:, :, 0], logs.exp()
    if smoothing:
        losses = (1.0 - smoothing) * losses - smoothing * logs.mean(2)
        slopes -= smoothing / outputs.shape[2]
    return losses, slopes.scatter_add_(2, place, torch.full_like(losses, smoothing - 1.0)[:, :, None])


def _as_rows(losses: Any, target: Tensor) -> Tensor:
    """A loss (m,), or a mean that stands for each row.

    Raises
    ------
    BadOption
        It is neither.
    """
    if not isinstance(losses, Tensor):
        raise BadOption(f"loss must return a tensor, not {type(losses).__name__}")
    if losses.ndim and losses.shape != target.shape:
        raise BadOption(f"loss must return one number a row, of shape ({len(target)},), or their mean; it returned the shape "
                        f"{tuple(losses.shape)}")
    return losses if losses.ndim else losses.expand(len(target))
