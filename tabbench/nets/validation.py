"""Judges members by rows that they do not learn from: in blocks that fit the memory, and the same number each time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tabbench.core.errors import TabbenchError
from tabbench.nets.loss import Loss
from tabbench.nets.memory import is_out_of_memory
from tabbench.nets.network import Members
from tabbench.nets.rows import DeviceRows

PREDICTION_NUMBERS = 2**22
"""Inputs of one forward pass outside training, all members together: bounds memory."""
MOST_OUTPUTS = 2**24
"""Of validation rows that are judged at once; with more, thousands of classes say, block after block."""
MOST_ONE_BY_ONE = 256
"""Rows whose losses are computed alone where a loss gives means only."""
SAME_SCORE = 1e-4
"""Relative difference between the recorded and the repeated validation loss of restored weights; on a CPU it is zero."""


@dataclass(frozen=True)
class Constant:
    """The constant predictor's mean loss on so many rows, and how far its losses of single rows spread."""

    loss: float
    spread: float
    rows: int

    def noise_of(self, rows: int) -> float:
        """Standard deviation of the difference to its mean loss on so many others of the same rows."""
        return self.spread * math.sqrt(abs(1.0 / rows - 1.0 / self.rows))


class Validation:
    """The losses of members on their validation rows.

    Parameters
    ----------
    parts : list[Tensor]
        Validation rows of each member; may be changed when rows are left out.
    gives_mean
        Whether the loss is a function that gives the mean over its rows; set when that is known.
    note_less_memory : Callable[[int], None]
        Told how many rows are judged at a time from now on, where memory did not suffice for more.
    """

    def __init__(self, members: Members, rows: DeviceRows, loss: Loss, parts: list[Tensor],
                 note_less_memory: Callable[[int], None]) -> None:
        self.parts, self.gives_mean = parts, False
        self._members, self._rows, self._loss = members, rows, loss
        self._block_rows = block_rows(members)
        self._note_less_memory = note_less_memory
        self._placed: tuple[list[Tensor], tuple[Tensor, Tensor]] | None = None

    def losses(self) -> list[float]:
        """Each member's mean loss over its validation rows."""
        positions, share = self._together()
        given = self._rows.weight_of(positions)
        weight = share.to(self._members.values.dtype) if given is None else (share * given).to(self._members.values.dtype)
        if self._loss.is_own or positions.numel() * self._members.shape.outputs <= MOST_OUTPUTS:
            means: list[float] = self._means(positions, weight).tolist()
            return means
        blocks = zip(torch.split(positions, self._block_rows, dim=1), torch.split(weight, self._block_rows, dim=1), strict=True)
        total: Tensor = sum(self._means(*block) * block[0].shape[1] for block in blocks)  # type: ignore[assignment]
        return [float(each) for each in total / positions.shape[1]]

    def _together(self) -> tuple[Tensor, Tensor]:
        """The parts side by side, worked out once for each list of them."""
        if self._placed is None or self._placed[0] is not self.parts:
            self._placed = self.parts, _side_by_side(self.parts)
        return self._placed[1]

    def _means(self, rows: Tensor, weight: Tensor) -> Tensor:
        return self._loss.means(self._outputs(rows), self._rows.target[rows], weight)

    def outputs(self) -> list[Tensor]:
        """Each member's outputs (m * heads, outputs) for its validation rows."""
        heads = self._members.shape.heads
        together = self._outputs(self._together()[0])
        return [each[:len(part) * heads] for each, part in zip(together, self.parts, strict=True)]

    def of_constants(self, fits: Sequence[Tensor], starts: Tensor, smoothing: float) -> list[Constant]:
        """What the constant predictor of each member, with outputs `starts` (members, 1, outputs), loses on its fit rows."""
        found = []
        for start, fit in zip(starts, fits, strict=True):
            weight = None if self._rows.weight is None else self._rows.weight[fit][None]
            outputs = start[None].expand(1, len(fit), -1)
            with torch.no_grad():
                if self.gives_mean:
                    some = fit[:MOST_ONE_BY_ONE]
                    losses = self._loss.one_by_one(outputs[:, :len(some)], self._rows.target[some][None])
                else:
                    blocks = zip(torch.split(outputs, self._block_rows, dim=1), torch.split(fit, self._block_rows), strict=True)
                    losses = torch.cat([self._loss.rows(given, self._rows.target[rows][None], smoothing=smoothing)
                                        for given, rows in blocks], dim=1)
            losses = losses if weight is None else losses * weight
            spread = float(losses.std(correction=0)) if len(fit) > 1 else 0.0
            found.append(Constant(float(losses.mean()), spread, losses.shape[1]))
        return found

    def repeat(self, recorded: Mapping[int, float]) -> str:
        """Whether members, by their position, still have the losses that were recorded of the same weights; why not, if the loss
        is the user's own and may change from call to call.

        Raises
        ------
        TabbenchError
            When one has not, as on a device that does not compute reliably.
        """
        again = self.losses()
        for place, loss in recorded.items():
            if math.isfinite(loss) and not math.isclose(again[place], loss, rel_tol=SAME_SCORE, abs_tol=SAME_SCORE):
                seen = f"net {place + 1} had a validation loss of {loss:.6g}, and {again[place]:.6g} with the same weights later"
                if self._loss.is_own:
                    return seen
                raise TabbenchError(f"{seen}: this device does not compute reliably (S01)")
        return ""

    def row_losses(self, member: int) -> Callable[[Mapping[str, Tensor], Tensor], tuple[Tensor, Tensor]]:
        """(weights of a net of this member's shape, rows (m,)) -> losses (m,) and outputs (1, m * heads, outputs)."""
        one = self._members.take([member])

        def losses_and_outputs(weights: Mapping[str, Tensor], rows: Tensor) -> tuple[Tensor, Tensor]:
            inputs = one.inputs(*self._rows.inputs(rows[None]), weights)
            outputs, heads = one.outputs(inputs, weights), one.shape.heads
            target = self._rows.target[rows][None].repeat_interleave(heads, dim=1)
            rows_of = self._loss.one_by_one if self.gives_mean else self._loss.rows
            losses = rows_of(outputs, target)[0].view(-1, heads).mean(1)
            weight = self._rows.weight_of(rows)
            return losses if weight is None else losses * weight, outputs

        return losses_and_outputs

    def _outputs(self, rows: Tensor) -> Tensor:
        while True:
            try:
                with torch.no_grad():
                    return torch.cat([self._members.outputs(self._members.inputs(*self._rows.inputs(block)))
                                      for block in torch.split(rows, self._block_rows, dim=1)], dim=1)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self._block_rows == 1:
                    raise
            self._block_rows = max(1, self._block_rows // 2)
            self._note_less_memory(self._block_rows)


def _side_by_side(parts: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Positions (members, longest) and what each counts so that a mean over them is the mean over the part alone."""
    longest = max(len(part) for part in parts)
    place = torch.arange(longest, device=parts[0].device)
    rows = torch.stack([part[place % len(part)] for part in parts])
    return rows, torch.stack([(place < len(part)) * (longest / len(part)) for part in parts])


def block_rows(members: Members) -> int:
    """Rows of one forward pass outside training."""
    shape = members.shape
    return max(1, PREDICTION_NUMBERS // (len(members) * shape.heads * max(shape.width, *shape.hidden, shape.outputs)))
