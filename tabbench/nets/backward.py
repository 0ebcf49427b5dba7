"""Losses and gradients of plain nets, forward and backward written out.

On a small net autograd's records take longer than the arithmetic; here a step is a dozen matrix products and nothing else, and
the gradients land in the flat buffer that the optimiser reads. What is not plain goes through autograd (`steps`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from tabbench.nets.activations import ACTIVATIONS, SLOPES
from tabbench.nets.loss import Loss
from tabbench.nets.network import Members, named_views
from tabbench.nets.recipe import Recipe


def is_plain(recipe: Recipe, loss: Loss) -> bool:
    """Whether a training's gradients are among those that are written out."""
    return (recipe.heads == 1 and not recipe.batch_norm and not recipe.mixup and recipe.precision in ("float32", "tf32")
            and not loss.is_own and not loss.parts)


class WrittenBackward:
    """Gradients of members of one shape; `gradients` (members, learnt numbers) is overwritten by each call."""

    def __init__(self, members: Members, loss: Loss, smoothing: float) -> None:
        self._members, self._loss, self._smoothing = members, loss, smoothing
        self.gradients = torch.zeros_like(members.learnt)
        self._views = named_views(members.shape.parameters(), self.gradients)
        self._own = members.parameters
        self._activation, self._slope = ACTIVATIONS[members.shape.activation], SLOPES[members.shape.activation]
        self._layers = len(members.shape.hidden)
        self._transposed = {layer: self._own[f"weight{layer}"].transpose(1, 2) for layer in range(self._layers + 1)}
        self._unscaled = torch.zeros_like(self._views["weight0"], memory_format=torch.contiguous_format)

    @torch.no_grad()
    def losses(self, inputs: Tensor, codes: Tensor, target: Tensor, weight: Tensor | None, masks: list[Tensor] | None) -> Tensor:
        """Each member's mean loss (members,) on its rows; the gradients are in `gradients` then.

        Parameters
        ----------
        inputs : Tensor
            (members, m, width), what the first layer sees, see `Members.inputs`.
        codes : Tensor
            (members, m, q).
        target, weight
            (members, m).
        masks : list[Tensor] | None
            (members, m, width) a hidden layer.
        """
        own, last = self._own, self._layers
        values, linear = [inputs * own["input_scale"]], list[Tensor]()
        for layer in range(last):
            linear.append(torch.baddbmm(own[f"bias{layer}"], values[-1], own[f"weight{layer}"]))
            activated = self._activation(linear[-1])
            values.append(activated if masks is None else activated.mul_(masks[layer]))
        outputs = torch.baddbmm(own[f"bias{last}"], values[-1], own[f"weight{last}"])
        losses, slope = self._loss.rows_and_slopes(outputs, target, self._smoothing)
        share = 1.0 / target.shape[1] if weight is None else (weight / target.shape[1])[:, :, None]
        slope *= share
        for layer in range(last, 0, -1):
            self._write(f"weight{layer}", values[layer].transpose(1, 2), slope)
            torch.sum(slope, dim=1, keepdim=True, out=self._views[f"bias{layer}"])
            slope = torch.bmm(slope, self._transposed[layer])
            slope = self._slope(slope if masks is None else slope.mul_(masks[layer - 1]), linear[layer - 1])
        self._write_first(inputs, slope)
        if self._members.shape.embedded:
            self._write_embedding(slope, codes)
        return losses.mean(1) if weight is None else (losses * weight).mean(1)

    def _write(self, name: str, left: Tensor, right: Tensor) -> None:
        view = self._views[name]
        if view.is_contiguous():
            torch.bmm(left, right, out=view)
        else:
            view.copy_(torch.bmm(left, right))

    def _write_first(self, inputs: Tensor, slope: Tensor) -> None:
        """Of the first layer's weights and of the scales by one product: the slope by each input of each row isn't needed."""
        torch.bmm(inputs.transpose(1, 2), slope, out=self._unscaled)
        torch.mul(self._unscaled, self._own["input_scale"].transpose(1, 2), out=self._views["weight0"])
        torch.sum(self._unscaled.mul_(self._own["weight0"]), dim=2, out=self._views["input_scale"][:, 0])
        torch.sum(slope, dim=1, keepdim=True, out=self._views["bias0"])

    def _write_embedding(self, slope: Tensor, codes: Tensor) -> None:
        """Rows of the table add up what every place that looked them up sends back."""
        members, table, first = self._members, self._views["embedding"], self._members.shape.encoded
        scale = self._own["input_scale"][:, :, first:]
        sent = (torch.bmm(slope, self._transposed[0][:, :, first:]) * scale).view(-1, table.shape[2])
        start = table.shape[1] * torch.arange(len(members), device=codes.device)[:, None, None]
        rows = codes + members.embedding_starts + start
        summed = torch.zeros(len(members) * table.shape[1], table.shape[2], device=slope.device, dtype=slope.dtype)
        table.copy_(summed.index_add_(0, rows.flatten(), sent).view(table.shape))
