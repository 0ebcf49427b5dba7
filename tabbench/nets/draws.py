"""Everything random in a training, drawn so that any step can be drawn again: each draw depends on seed, purpose and number only.

So a replay sees the very batch that went wrong, and a training that was killed goes on as if it had not been.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

ORDER, MASKS, MIXING, NOISE, FIRST_WEIGHTS, OTHER_WEIGHTS = range(6)
"""Purposes of a draw."""


class Draws:
    """Generators by purpose and number."""

    def __init__(self, seed: int, device: str) -> None:
        self._seed = seed
        self._generator = torch.Generator(device=device)

    def generator(self, purpose: int, number: int = 0) -> torch.Generator:
        """The one generator there is, set to its state for this draw; use it before asking for another."""
        return self._generator.manual_seed(_mixed(self._seed, purpose, number))

    def order(self, fits: list[Tensor], epoch: int, used: int) -> Tensor:
        """`used` rows of each member's own in a fresh order (members, used); short ones come round again."""
        generator = self.generator(ORDER, epoch)
        places = torch.arange(used, device=generator.device)
        if generator.device.type == "cuda":  # all at once: a member's own permutation would be some launches and a wait
            return _orders_at_once(fits, places, generator)
        return torch.stack([fit[torch.randperm(len(fit), generator=generator, device=generator.device)[places % len(fit)]]
                            for fit in fits])

    def mixing_shares(self, step: int, members: int, mixup: float) -> Tensor:
        """How much of its own each member's rows keep (members,), beta-distributed."""
        shares = np.random.default_rng(_mixed(self._seed, MIXING, step)).beta(mixup, mixup, members)
        return torch.from_numpy(np.maximum(shares, 1 - shares)).to(self._generator.device, torch.float32)


def _mixed(seed: int, purpose: int, number: int) -> int:
    """A well-spread 63-bit number (the end of splitmix64): generators use the low bits only."""
    value = (seed * 0x9E3779B97F4A7C15 + purpose * 0xD1342543DE82EF95 + number * 0xBF58476D1CE4E5B9) % 2**64
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> shift)) * factor % 2**64
    return (value ^ (value >> 31)) >> 1


def _orders_at_once(fits: list[Tensor], places: Tensor, generator: torch.Generator) -> Tensor:
    """Rows (members, places) of each member's fit in the order of random keys."""
    rows = pad_sequence(fits, batch_first=True)
    lengths = torch.tensor([len(fit) for fit in fits], device=rows.device)[:, None]
    keys = torch.rand(rows.shape, generator=generator, device=rows.device)
    keys.masked_fill_(torch.arange(rows.shape[1], device=rows.device) >= lengths, 2.0)  # padding comes last
    return rows.gather(1, keys.argsort(dim=1).gather(1, places % lengths))
