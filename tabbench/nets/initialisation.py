"""First weights of a net, by name. Knows no data but the sample that the data-dependent way looks at."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tabbench.nets.network import Members

BIAS_SPREAD = 0.5
"""Drawn biases put the kinks of the first layer in different places of a number's range."""
EMBEDDING_SPREAD = 0.3
TRUNCATED_AT = 2.0
TRUNCATED_SPREAD = 0.88
"""Standard deviation of a normal that is truncated at two."""
MIXED_ROWS = 5
"""A data-dependent bias puts a unit's zero at a random mean of so many rows, as in RealMLP (arXiv:2407.04491)."""
SMALLEST_SPREAD = 1e-3
"""A unit that says nearly the same for all rows is left as it was drawn."""


def initialise(members: Members, name: str, starts: Tensor, generator: torch.Generator, sample: tuple[Tensor, Tensor]) -> None:
    """Draw first weights of nets that predict `starts` (members, outputs) everywhere: training begins at the constant predictor.

    Parameters
    ----------
    members : Members
        Their values are overwritten.
    name : str
        "kaiming", "xavier", "truncated_normal", "orthogonal" or "data".
    sample : tuple[Tensor, Tensor]
        Encoded inputs (members, m, e) and codes (members, m, q) of some rows, for the data-dependent way.
    """
    if members.shape.is_module:
        members.shape.begin(members, generator.initial_seed() % 2**62)
        return
    values = members.values
    members.learnt.copy_(torch.randn(members.learnt.shape, generator=generator, device=values.device, dtype=values.dtype))
    last = len(members.shape.hidden)
    for own, view in members.parameters.items():
        if own == f"weight{last}":
            view.zero_()
        elif own == f"bias{last}":
            view.copy_(starts[:, None, :].expand_as(view))
        elif own.startswith("weight"):
            _SPREADS[name](view)
        elif own == "embedding":
            view.mul_(EMBEDDING_SPREAD)[:, members.embedding_starts] = 0.0  # an unseen level is neutral
        elif own == "input_scale":
            _scale(view)
        elif own.startswith("gain"):
            view.fill_(1.0)
        elif own.startswith("shift"):
            view.zero_()
        else:
            view.mul_(BIAS_SPREAD)
    for statistic, view in members.statistics.items():
        view.fill_(1.0 if statistic.startswith("variance") else 0.0)
    if name == "data":
        _fit_layers(members, generator, sample)


def _scale(view: Tensor) -> None:
    # Members that share their layers see the inputs with other signs, or they would all learn the same (arXiv:2410.24210).
    if view.shape[1] == 1:
        view.fill_(1.0)
    else:
        view.copy_(torch.where(view < 0, -1.0, 1.0))


def _kaiming(view: Tensor) -> None:
    view.mul_(max(view.shape[1], 1) ** -0.5)


def _xavier(view: Tensor) -> None:
    view.mul_((2.0 / max(view.shape[1] + view.shape[2], 1)) ** 0.5)


def _truncated(view: Tensor) -> None:
    view.clamp_(-TRUNCATED_AT, TRUNCATED_AT).mul_(max(view.shape[1], 1) ** -0.5 / TRUNCATED_SPREAD)


def _orthogonal(view: Tensor) -> None:
    """Orthonormal rows or columns, whichever are fewer, as large as those of `_kaiming`."""
    is_wide = view.shape[2] > view.shape[1]
    drawn = view.transpose(1, 2) if is_wide else view
    basis, triangle = torch.linalg.qr(drawn)
    basis = basis * torch.sign(torch.diagonal(triangle, dim1=1, dim2=2))[:, None]
    view.copy_((basis.transpose(1, 2) if is_wide else basis) * max(view.shape[2] / max(view.shape[1], 1), 1.0) ** 0.5)


_SPREADS: dict[str, Callable[[Tensor], None]] = {"kaiming": _kaiming, "xavier": _xavier, "truncated_normal": _truncated,
                                                 "orthogonal": _orthogonal, "data": _kaiming}


def _fit_layers(members: Members, generator: torch.Generator, sample: tuple[Tensor, Tensor]) -> None:
    """Layer after layer: pre-activations get a spread of one, and zeros where the rows are."""
    own = members.parameters
    values = members.first_values(members.inputs(*sample), own)
    for layer in range(len(members.shape.hidden)):
        weight, bias = own[f"weight{layer}"], own[f"bias{layer}"]
        spread = torch.bmm(values, weight).std(dim=1, keepdim=True, correction=0)
        weight.div_(torch.where(spread > SMALLEST_SPREAD, spread, 1.0))
        before = torch.bmm(values, weight)
        picked = torch.randint(before.shape[1], (before.shape[0], MIXED_ROWS, before.shape[2]), generator=generator,
                               device=before.device)
        shares = torch.empty(picked.shape, device=before.device, dtype=before.dtype).exponential_(generator=generator)
        bias.copy_(-(before.gather(1, picked) * shares / shares.sum(dim=1, keepdim=True)).sum(dim=1, keepdim=True))
        values = members.hidden_layer(layer, values, own)
