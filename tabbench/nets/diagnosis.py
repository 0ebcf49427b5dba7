"""Finds out by experiment why a step was refused: certain rows, the loss, or weights that went astray.

The batch is drawn again and judged with other weights: what is not finite there too is the rows' fault. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tabbench.nets.network import Members

MODERATE_OUTPUT = 1e4
"""Outputs up to here are no excuse for a loss that is not finite."""
FIRST_ROWS = 64
"""Gradients are taken row by row in groups of so many first; a group without fault is done with."""
BLOCK_ROWS = 4096
REPEATS = 3
"""How often a loss that is not finite is computed again."""

Weights = dict[str, Tensor]
"""Parameters of one member by name, each (1, ...)."""
RowLosses = Callable[[Weights, Tensor], tuple[Tensor, Tensor]]
"""(weights, rows (m,)) -> losses (m,) with a graph back to the weights, and outputs (1, m * heads, outputs)."""


@dataclass(frozen=True)
class Diagnosis:
    """The cause of a fault; `rows` are to blame (or, for a loss, where it shows), `operation` first had no finite value."""

    cause: Literal["rows", "loss", "precision", "chance", "weights"]
    rows: tuple[int, ...] = ()
    operation: str = ""


def diagnose(row_losses: RowLosses, rows: Tensor, present: Weights, others: Sequence[Weights], *,
             is_low_precision: bool = False) -> Diagnosis:
    """Judge rows (m,) with the weights of the refused step and with other, sound ones.

    Rows are to blame that have no finite loss or gradient whichever of the `others` is used, the loss if it fails with moderate
    outputs of the present weights, numbers of few bits if all is finite with more, chance if all is
    finite when it is computed again with moderate outputs, else the weights.
    """
    dirty = set(rows.tolist())
    for weights in others:
        if not dirty:
            break
        dirty &= set(unsound_rows(row_losses, rows, weights))
    if dirty:
        some = torch.tensor(sorted(dirty), device=rows.device)
        return Diagnosis("rows", tuple(sorted(dirty)), first_operation(row_losses, some, others[0]))
    with torch.no_grad():
        outputs = row_losses(present, rows)[1]
    is_moderate = bool(torch.isfinite(outputs).all()) and float(outputs.abs().max()) <= MODERATE_OUTPUT
    unsound = unsound_rows(row_losses, rows, present)
    for _ in range(REPEATS if unsound else 0):  # a loss that is not finite by chance is so of other rows, or none, each time
        unsound = sorted(set(unsound) & set(unsound_rows(row_losses, rows, present)))
    if unsound and is_moderate:
        return Diagnosis("loss", tuple(unsound), first_operation(row_losses, torch.tensor(unsound, device=rows.device), present))
    if not unsound and is_low_precision:
        return Diagnosis("precision")
    return Diagnosis("chance" if is_moderate else "weights")


def unsound_rows(row_losses: RowLosses, rows: Tensor, weights: Weights) -> list[int]:
    """Those of the rows (m,) whose loss, or its gradient, is not finite."""
    with torch.no_grad():
        is_finite = torch.isfinite(row_losses(weights, rows)[0])
    has_slope = _have_slope(row_losses, rows[is_finite], weights)
    sound = rows[is_finite][has_slope]
    return sorted([*rows[~is_finite].tolist(), *rows[is_finite][~has_slope].tolist(),
                   *_without_gradient(row_losses, sound, weights)])


def unsound_blockwise(row_losses: RowLosses, rows: Tensor, weights: Weights) -> set[int]:
    """The unsound ones of many rows (m,)."""
    return {row for block in torch.split(rows, BLOCK_ROWS) for row in unsound_rows(row_losses, block, weights)}


def _have_slope(row_losses: RowLosses, rows: Tensor, weights: Weights) -> Tensor:
    """Which rows' (m,) losses have a finite slope by the outputs: all at once, as a row's loss depends on its outputs alone."""
    everyone = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    if not len(rows):
        return everyone
    leaves = {name: value.detach().requires_grad_(True) for name, value in weights.items()}
    losses, outputs = row_losses(leaves, rows)
    slopes = torch.autograd.grad(losses.sum(), outputs, allow_unused=True)[0] if losses.requires_grad else None
    if slopes is None:
        return everyone
    return torch.isfinite(slopes.flatten()).view(len(rows), slopes.numel() // len(rows)).all(dim=1)


def _without_gradient(row_losses: RowLosses, rows: Tensor, weights: Weights) -> list[int]:
    """What the net itself spoils, by bisection: a group whose summed gradient is finite has no such row, as nothing cancels."""
    if not len(rows) or _has_gradient(row_losses, rows, weights):
        return []
    if len(rows) == 1:
        return [int(rows[0])]
    parts = torch.split(rows, FIRST_ROWS) if len(rows) > FIRST_ROWS else rows.tensor_split(2)
    return [row for part in parts for row in _without_gradient(row_losses, part, weights)]


def _has_gradient(row_losses: RowLosses, rows: Tensor, weights: Weights) -> bool:
    leaves = {name: value.detach().requires_grad_(True) for name, value in weights.items()}
    losses, _ = row_losses(leaves, rows)
    if not losses.requires_grad:
        return True
    gradients = torch.autograd.grad(losses.sum(), list(leaves.values()), allow_unused=True)
    return all(bool(torch.isfinite(gradient).all()) for gradient in gradients if gradient is not None)


def first_operation(row_losses: RowLosses, rows: Tensor, weights: Weights) -> str:
    """The first operation, forwards and then backwards, that makes something that is not finite of something that is."""
    with torch.no_grad(), _Watch() as watch:
        row_losses(weights, rows)
    return watch.found or _first_slope(row_losses, rows, weights)


def _first_slope(row_losses: RowLosses, rows: Tensor, weights: Weights) -> str:
    """The first operation, backwards, with a slope that is not finite."""
    leaves = {name: value.detach().requires_grad_(True) for name, value in weights.items()}
    total = row_losses(leaves, rows)[0].sum()
    found: list[str] = []

    def watch(name: str) -> Callable[[Any, Any], None]:
        def note(out: Any, given: Any) -> None:
            if not found and all(map(_is_finite, given)) and not all(map(_is_finite, out)):
                found.append(name)
        return note

    nodes = [total.grad_fn] if total.grad_fn is not None else []
    for node in nodes:
        nodes += [each for each, _ in node.next_functions if each is not None and each not in nodes]
    for node in nodes:
        node.register_hook(watch(node.name().rpartition("Backward")[0].lower()))
    torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    return f"slope of {found[0]}" if found else ""


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Remembers the first operation with finite inputs and an output that is not."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found = ""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self.found and not _is_finite(result) and all(map(_is_finite, args)):
            self.found = func.overloadpacket.__name__
        return result


def _is_finite(value: Any) -> bool:
    return not (isinstance(value, Tensor) and value.is_floating_point()) or bool(torch.isfinite(value).all())


def weights_of(members: Members, member: int) -> Weights:
    """A member's parameters."""
    return {name: view[member:member + 1] for name, view in members.parameters.items()}


def said_of(operation: str) -> str:
    """For evidence: where it failed first, if that is known."""
    return f", first in `{operation}`" if operation else ""
