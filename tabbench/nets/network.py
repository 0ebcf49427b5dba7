"""The network itself: embeddings, hidden layers, an output layer, as plain tensors with a forward pass.

Draws from the generator it is given, never from torch's global one. Knows nothing of losses and training.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

EMBEDDING_SIZE = 6
"""Numbers that stand for a category; one size for all columns makes them one table and one look-up."""
LARGEST_INPUT = 30.0
"""The view's numbers lie within 3; whatever is beyond this is clamped, so that no input alone can make a step explode."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a network. `cardinalities` counts the codes of each category column."""

    numbers: int
    cardinalities: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: int

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same shape back."""
        return {"numbers": self.numbers, "cardinalities": list(self.cardinalities), "hidden": list(self.hidden),
                "outputs": self.outputs}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Shape:
        """The shape that `to_json` wrote."""
        return cls(values["numbers"], tuple(values["cardinalities"]), tuple(values["hidden"]), values["outputs"])


class Network:
    """A feed-forward net whose parameters are named tensors."""

    def __init__(self, shape: Shape, parameters: dict[str, Tensor]) -> None:
        self.shape = shape
        self.parameters = parameters
        first_codes = [0, *accumulate(shape.cardinalities)][:len(shape.cardinalities)]
        self._first_codes = torch.tensor(first_codes, dtype=torch.int64, device=parameters["bias0"].device)

    @classmethod
    def drawn(cls, shape: Shape, start: Tensor, generator: torch.Generator) -> Network:
        """A fresh network that predicts `start` (outputs,) everywhere: the constant predictor is where training begins."""
        device = generator.device
        parameters = {}
        if shape.cardinalities:
            codes = sum(shape.cardinalities)
            parameters["embedding"] = 0.3 * torch.randn(codes, EMBEDDING_SIZE, generator=generator, device=device)
        inputs = shape.numbers + EMBEDDING_SIZE * len(shape.cardinalities)
        widths = [inputs, *shape.hidden]
        for layer, (width_in, width_out) in enumerate(pairwise(widths)):
            weight = torch.randn(width_out, width_in, generator=generator, device=device)
            parameters[f"weight{layer}"] = weight * (2.0 / max(width_in, 1)) ** 0.5
            parameters[f"bias{layer}"] = torch.zeros(width_out, device=device)
        parameters["weight_out"] = torch.zeros(shape.outputs, widths[-1], device=device)
        parameters["bias_out"] = start.to(device=device, dtype=torch.float32)
        return cls(shape, parameters)

    def outputs(self, numbers: Tensor, codes: Tensor, dropout: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
        """Logits or standardised numbers (m, outputs); dropout only with a generator."""
        values = numbers.clamp(-LARGEST_INPUT, LARGEST_INPUT)
        if self.shape.cardinalities:
            looked_up = functional.embedding(codes + self._first_codes, self.parameters["embedding"])
            values = torch.cat([values, looked_up.flatten(1)], dim=1)
        for layer in range(len(self.shape.hidden)):
            weight, bias = self.parameters[f"weight{layer}"], self.parameters[f"bias{layer}"]
            values = functional.silu(functional.linear(values, weight, bias))
            if dropout and generator is not None:
                kept = torch.rand(values.shape, generator=generator, device=values.device) >= dropout
                values = values * kept / (1.0 - dropout)
        return functional.linear(values, self.parameters["weight_out"], self.parameters["bias_out"])
