"""Members: networks of one shape that train side by side, as matrix products over a leading member axis.

One buffer (members, numbers) holds everything, so that an optimiser step, a snapshot or a roll-back of a member is one
operation. Knows nothing of losses, folds or training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor

from tabbench.nets.activations import ACTIVATIONS

NORM_EPSILON = 1e-5
NORM_MEMORY = 0.9
"""Share of the running mean and variance that a batch leaves."""

Sizes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class NetShape:
    """Sizes of a network: encoded inputs, codes (0 is missing or unseen) of each embedded category, layers, outputs.

    `heads` nets share everything but the scales of the inputs and the last layer.
    """

    encoded: int
    embedded: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: int
    activation: str = "silu"
    batch_norm: bool = False
    heads: int = 1
    embedding_size: int = 8
    is_module: ClassVar[bool] = False
    """Whether the layers are a module of the user's, see `module`."""

    @property
    def width(self) -> int:
        """Width of what the first layer sees."""
        return self.encoded + self.embedding_size * len(self.embedded)

    def parameters(self) -> Sizes:
        """Shapes of one member's parameters by name."""
        widths = [self.width, *self.hidden]
        shapes: Sizes = {f"weight{layer}": pair for layer, pair in enumerate(pairwise(widths))}
        shapes[f"weight{len(self.hidden)}"] = (widths[-1], self.heads * self.outputs)
        if self.embedded:
            shapes["embedding"] = (sum(self.embedded), self.embedding_size)
        shapes["input_scale"] = (self.heads, self.width)
        shapes |= {f"bias{layer}": (1, width) for layer, width in enumerate(self.hidden)}
        if self.batch_norm:
            shapes |= {f"{name}{layer}": (1, width) for layer, width in enumerate(self.hidden) for name in ("gain", "shift")}
        return shapes | {f"bias{len(self.hidden)}": (self.heads, self.outputs)}

    def matrices(self) -> list[str]:
        """Names of the weight matrices, the first to the last."""
        return [f"weight{layer}" for layer in range(len(self.hidden) + 1)]

    def fan_in(self, name: str) -> int:
        """Inputs of a matrix."""
        return self.parameters()[name][0]

    def outputs_of(self, members: Members, inputs: Tensor, own: Mapping[str, Tensor], batches: Batches | None) -> Tensor:
        """What layers that are not built in make of inputs."""
        raise NotImplementedError

    def on(self, device: str) -> NetShape:
        """The same for members on another device."""
        return self

    def begin(self, members: Members, seed: int) -> None:
        """Give layers that are not built in their first weights."""
        raise NotImplementedError

    def statistics(self) -> Sizes:
        """Shapes of what is not learnt by gradients: running means and variances."""
        if not self.batch_norm:
            return {}
        return {f"{name}{layer}": (1, width) for layer, width in enumerate(self.hidden) for name in ("mean", "variance")}

    @property
    def n_learnt(self) -> int:
        """Learnt numbers of one member."""
        return sum(math.prod(size) for size in self.parameters().values())

    @property
    def n_numbers(self) -> int:
        """All numbers of one member."""
        return self.n_learnt + sum(math.prod(size) for size in self.statistics().values())

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same shape back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> NetShape:
        """The shape that `to_json` wrote."""
        return cls(**values | {"embedded": tuple(values["embedded"]), "hidden": tuple(values["hidden"])})


class Members:
    """Networks of one shape: `values` (members, numbers) and views of it by name."""

    def __init__(self, shape: NetShape, values: Tensor) -> None:
        self.shape, self.values = shape, values
        self.learnt = values[:, :shape.n_learnt]
        self.parameters = named_views(shape.parameters(), self.learnt)
        self.statistics = named_views(shape.statistics(), values[:, shape.n_learnt:])
        starts = [0, *accumulate(shape.embedded)][:len(shape.embedded)]
        self.embedding_starts = torch.tensor(starts, dtype=torch.int64, device=values.device)
        self._activation = ACTIVATIONS[shape.activation]

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def empty(cls, shape: NetShape, members: int, device: str, dtype: torch.dtype = torch.float32) -> Members:
        """Members of zeros."""
        return cls(shape, torch.zeros((members, shape.n_numbers), device=device, dtype=dtype))

    def take(self, members: list[int]) -> Members:
        """These members."""
        return Members(self.shape, self.values[members])

    def outputs(self, inputs: Tensor, parameters: Mapping[str, Tensor] | None = None, masks: list[Tensor] | None = None,
                batches: Batches | None = None) -> Tensor:
        """Logits or standardised numbers (members, m, outputs), or (members, m * heads, outputs) row by row.

        Parameters
        ----------
        inputs : Tensor
            (members or 1, m, width), see `inputs`.
        parameters : Mapping[str, Tensor] | None, default None
            Stand in for the members' own while they are learnt.
        masks : list[Tensor] | None, default None
            (members, m * heads, width) a hidden layer, which they multiply.
        batches : Batches | None, default None
            Normalise by the batch instead of by what was learnt of all, and remember how.
        """
        own = self.parameters if parameters is None else parameters
        if self.shape.is_module:
            return self.shape.outputs_of(self, inputs, own, batches)
        heads, last = self.shape.heads, len(self.shape.hidden)
        values = self.first_values(inputs, own)
        for layer in range(last):
            values = self.hidden_layer(layer, values, own, batches)
            if masks is not None:
                values = values * masks[layer]
        if heads == 1:
            return torch.baddbmm(own[f"bias{last}"], values, own[f"weight{last}"])
        members, rows, width = len(values), values.shape[1] // heads, values.shape[2]
        weight = own[f"weight{last}"].view(members, width, heads, self.shape.outputs)
        by_head = torch.einsum("mrhi,miho->mrho", values.view(members, rows, heads, width), weight) + own[f"bias{last}"][:, None]
        return by_head.flatten(1, 2)

    def first_values(self, inputs: Tensor, own: Mapping[str, Tensor]) -> Tensor:
        """Scaled inputs (members, m * heads, width) of (members or 1, m, width)."""
        if self.shape.heads == 1:
            return inputs * own["input_scale"]
        return (inputs[:, :, None] * own["input_scale"][:, None]).flatten(1, 2)

    def hidden_layer(self, layer: int, values: Tensor, own: Mapping[str, Tensor], batches: Batches | None = None) -> Tensor:
        """What a hidden layer makes of (members, m, inputs)."""
        values = torch.baddbmm(own[f"bias{layer}"], values, own[f"weight{layer}"])
        if self.shape.batch_norm:
            values = self._normalised(layer, values, own, batches)
        return self._activation(values)

    def inputs(self, encoded: Tensor, codes: Tensor, parameters: Mapping[str, Tensor] | None = None) -> Tensor:
        """What the first layer sees (members or 1, m, width): encoded inputs (…, m, e), and embeddings of codes (…, m, q)."""
        if not self.shape.embedded:
            return encoded
        table = (self.parameters if parameters is None else parameters)["embedding"]
        member = torch.arange(len(self), device=codes.device)[:, None, None]
        looked_up = table[member, codes + self.embedding_starts].flatten(2)
        return torch.cat([encoded.expand(len(self), -1, -1), looked_up], dim=2)

    def _normalised(self, layer: int, values: Tensor, own: Mapping[str, Tensor], batches: Batches | None) -> Tensor:
        if batches is None:
            mean, variance = self.statistics[f"mean{layer}"], self.statistics[f"variance{layer}"]
        else:
            variance, mean = torch.var_mean(values, dim=1, keepdim=True, correction=0)
            batches.note(layer, mean, variance)
        return (values - mean) * torch.rsqrt(variance + NORM_EPSILON) * own[f"gain{layer}"] + own[f"shift{layer}"]


class Batches:
    """Means and variances of the present batch, a pair a layer."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Tensor, Tensor]] = {}
        self._buffers: dict[str, Tensor] = {}

    def note_buffers(self, buffers: dict[str, Tensor]) -> None:
        """Remember the buffers (members, ...) that modules of the user's have changed."""
        self._buffers = buffers

    def note(self, layer: int, mean: Tensor, variance: Tensor) -> None:
        """Remember a layer's."""
        self._seen[layer] = (mean.detach(), variance.detach())

    @torch.no_grad()
    def fold_into(self, members: Members, accepted: Tensor | None) -> None:
        """Move the running ones of the accepted members towards these."""
        for name, seen in self._buffers.items():
            running = members.statistics[name]
            kept = None if accepted is None else accepted.view(-1, *(1,) * (running.ndim - 1))
            running.copy_(seen if kept is None else torch.where(kept, seen, running))
        for layer, pair in self._seen.items():
            for name, seen in zip(("mean", "variance"), pair, strict=True):
                running = members.statistics[f"{name}{layer}"]
                moved = running * NORM_MEMORY + seen * (1.0 - NORM_MEMORY)
                running.copy_(moved if accepted is None else torch.where(accepted[:, None, None], moved, running))


def named_views(sizes: Sizes, values: Tensor) -> dict[str, Tensor]:
    """Views (members, ...) of a buffer (members, numbers) by name."""
    views, start = {}, 0
    for name, size in sizes.items():
        end = start + math.prod(size)
        views[name] = values[:, start:end].view(len(values), *size)
        start = end
    return views
