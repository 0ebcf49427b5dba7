"""Members: networks of one shape that train side by side, as matrix products over a leading member axis.

One buffer (members, parameters) holds everything, so that an optimiser step, a snapshot or a roll-back of a member is one
operation. Knows nothing of losses, folds or training.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

EMBEDDING_SIZE = 8
EMBEDDING_SPREAD = 0.3
BIAS_SPREAD = 0.5
"""Drawn biases put the kinks of the first layer in different places of a number's range."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a network: encoded inputs, codes (0 is missing or unseen) of each embedded category, layers, outputs."""

    encoded: int
    embedded: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: int

    @property
    def inputs(self) -> int:
        """Width of what the first layer sees."""
        return self.encoded + EMBEDDING_SIZE * len(self.embedded)

    def parameters(self) -> dict[str, tuple[int, ...]]:
        """Shapes of one member's parameters by name."""
        widths = [self.inputs, *self.hidden, self.outputs]
        shapes: dict[str, tuple[int, ...]] = {f"weight{layer}": pair for layer, pair in enumerate(pairwise(widths))}
        if self.embedded:
            shapes["embedding"] = (sum(self.embedded), EMBEDDING_SIZE)
        shapes["input_scale"] = (1, self.inputs)
        return shapes | {f"bias{layer}": (1, width) for layer, width in enumerate(widths[1:])}

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same shape back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Shape:
        """The shape that `to_json` wrote."""
        return cls(**values | {"embedded": tuple(values["embedded"]), "hidden": tuple(values["hidden"])})


class Members:
    """Networks of one shape: `values` (members, parameters) and views of it by name."""

    def __init__(self, shape: Shape, values: Tensor) -> None:
        self.shape, self.values = shape, values
        self.parameters = named_views(shape, values)
        starts = [0, *accumulate(shape.embedded)][:len(shape.embedded)]
        self._embedding_starts = torch.tensor(starts, dtype=torch.int64, device=values.device)

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def drawn(cls, shape: Shape, starts: Tensor, generator: torch.Generator) -> Members:
        """Fresh networks that predict `starts` (members, outputs) everywhere: training begins at the constant predictor."""
        size = sum(math.prod(each) for each in shape.parameters().values())
        members = cls(shape, torch.randn((len(starts), size), generator=generator, device=generator.device))
        last = len(shape.hidden)
        for name, view in members.parameters.items():
            if name == f"weight{last}":
                view.zero_()
            elif name == f"bias{last}":
                view.copy_(starts[:, None, :])
            elif name.startswith("weight"):
                view.mul_(max(view.shape[1], 1) ** -0.5)
            elif name == "embedding":
                view.mul_(EMBEDDING_SPREAD)[:, members._embedding_starts] = 0.0  # an unseen level is neutral
            elif name == "input_scale":
                view.fill_(1.0)
            else:
                view.mul_(BIAS_SPREAD)
        return members

    def take(self, members: list[int]) -> Members:
        """These members."""
        return Members(self.shape, self.values[members])

    def outputs(self, encoded: Tensor, codes: Tensor, parameters: dict[str, Tensor] | None = None,
                masks: list[Tensor] | None = None) -> Tensor:
        """Logits or standardised numbers (members, m, outputs).

        Rows are encoded inputs (members or 1, m, encoded) and codes of embedded categories (members or 1, m, embedded).
        `parameters` stand in for the members' own while they are learnt; `masks` multiply the hidden layers.
        """
        own = self.parameters if parameters is None else parameters
        last = len(self.shape.hidden)
        values = self._inputs(encoded, codes, own) * own["input_scale"]
        for layer in range(last):
            values = functional.silu(torch.baddbmm(own[f"bias{layer}"], values, own[f"weight{layer}"]))
            if masks is not None:
                values = values * masks[layer]
        return torch.baddbmm(own[f"bias{last}"], values, own[f"weight{last}"])

    def _inputs(self, encoded: Tensor, codes: Tensor, own: dict[str, Tensor]) -> Tensor:
        if not self.shape.embedded:
            return encoded
        member = torch.arange(len(self), device=codes.device)[:, None, None]
        looked_up = own["embedding"][member, codes + self._embedding_starts].flatten(2)
        return torch.cat([encoded.expand(len(self), -1, -1), looked_up], dim=2)


def named_views(shape: Shape, values: Tensor) -> dict[str, Tensor]:
    """Views (members, ...) of a buffer (members, parameters) by the parameters' names."""
    views, start = {}, 0
    for name, size in shape.parameters().items():
        end = start + math.prod(size)
        views[name] = values[:, start:end].view(len(values), *size)
        start = end
    return views
