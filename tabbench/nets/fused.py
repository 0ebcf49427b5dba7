"""An update of Adam as one kernel on a GPU, where written out it is ten passes over memory.

Needs triton, which comes with torch's builds for CUDA on Linux; without it the update is made operation by operation.
"""

import triton
import triton.language as tl
from torch import Tensor

BLOCK = 1024
"""Numbers that one program updates."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _update(values, stride, gradients, first, second, rates, decays, accepted, moves, epsilons,  # type: ignore  # noqa
            shrinkage, count, first_share, second_share, has_decays: tl.constexpr, block: tl.constexpr):  # noqa: ANN001
    member = tl.program_id(1)
    if tl.load(accepted + member):
        places = tl.program_id(0) * block + tl.arange(0, block)
        inside = places < count
        own, at = values + member.to(tl.int64) * stride + places, member.to(tl.int64) * count + places
        gradient = tl.load(gradients + at, mask=inside)
        mean, square, value = tl.load(first + at, mask=inside), tl.load(second + at, mask=inside), tl.load(own, mask=inside)
        mean += first_share * (gradient - mean)
        square = (1.0 - second_share) * square + second_share * gradient * gradient
        if has_decays:
            value -= value * tl.load(decays + at, mask=inside) * tl.load(shrinkage + member)
        move = tl.load(rates + at, mask=inside) * tl.load(moves + member)
        value -= move * mean / (tl.sqrt(square) + tl.load(epsilons + member))
        tl.store(first + at, mean, mask=inside)
        tl.store(second + at, square, mask=inside)
        tl.store(own, value, mask=inside)


def update(values: Tensor, gradients: Tensor, state: dict[str, Tensor], rates: Tensor, decays: Tensor | None, accepted: Tensor,
           moves: Tensor, epsilons: Tensor, shrinkage: Tensor, first_share: float, second_share: float) -> None:
    """Change values and moments (members, parameters) of the members that are accepted (members,), in place.

    Parameters
    ----------
    rates, decays
        (members, parameters).
    moves, epsilons, shrinkage : Tensor
        (members,) factors on the rates, what is added to the root of the squares, and factors on the decays.
    first_share, second_share : float
        Of the present gradient in the moments.
    """
    members, count = values.shape
    grid = (triton.cdiv(count, BLOCK), members)
    _update[grid](values, values.stride(0), gradients.contiguous(), state["first"], state["second"], rates, decays, accepted,
                  moves.contiguous(), epsilons.contiguous(), shrinkage.contiguous(), count, first_share, second_share,
                  has_decays=decays is not None, block=BLOCK)
