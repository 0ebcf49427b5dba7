"""What the net minimises, and how its outputs become predictions. Knows nothing of networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor
from torch.nn import functional

from tabbench.core.task import Task
from tabbench.data.probability import floored

LossKind = Literal["log", "squared", "absolute"]


@dataclass(frozen=True)
class Loss:
    """Log loss over classes, or squared or absolute error. `classes` is 0 for regression."""

    kind: LossKind
    classes: int

    @classmethod
    def of(cls, task: Task) -> Loss:
        """Log loss for classification; for regression absolute error when that decides, else squared error."""
        if task.is_regression:
            return cls("absolute" if task.metric == "mae" else "squared", 0)
        return cls("log", task.n_classes)

    @property
    def outputs(self) -> int:
        """Outputs of the network."""
        return self.classes or 1

    def means(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Each member's mean of row loss x weight (members,), from outputs (members, m, outputs) and the target (members, m)."""
        if self.kind == "log":
            losses = functional.cross_entropy(outputs.flatten(0, 1), target.flatten(), reduction="none").view(target.shape)
        elif self.kind == "squared":
            losses = (outputs[:, :, 0] - target) ** 2
        else:
            losses = (outputs[:, :, 0] - target).abs()
        return losses.mean(1) if weight is None else (losses * weight).mean(1)

    def start(self, target: np.ndarray, weight: np.ndarray | None) -> Tensor:
        """Outputs (outputs,) of the constant predictor on standardised numbers or on codes."""
        if self.kind != "log":
            return torch.tensor([float(np.median(target)) if self.kind == "absolute" else 0.0])
        counts = np.bincount(target, weights=weight, minlength=self.classes) + 1e-3
        return torch.tensor(np.log(counts / counts.sum()))

    def predictions(self, outputs: np.ndarray) -> np.ndarray:
        """Float64 (m, classes) probabilities or (m,) standardised numbers."""
        outputs = outputs.astype(np.float64)
        return floored(softmax(outputs, axis=1)) if self.classes else outputs[:, 0]

    def to_json(self) -> dict[str, Any]:
        """Plain values; `Loss(**values)` gives the same loss back."""
        return {"kind": self.kind, "classes": self.classes}
