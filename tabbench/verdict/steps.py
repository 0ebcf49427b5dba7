"""Steps of a difference from one size to the next: the luck of tested rows is nearly the same, that of training rows is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.row_moments import between_splits, by_split_of, row_moments

SMOOTH_DECLINE, STEP_DECLINE = 1.5, 1.0
"""The variance of training luck shrinks like size to the power of minus this: 1 where what is learnt from rows adds up, as for
ranks and hits, 2 where a fit is at its lowest loss and only squares of its errors count (docs/method.md)."""

Cell = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Steps:
    """For each of M contrasts its step from the next smaller size; NaN at the smallest.

    `between` (M,): variance between splits. `by_rows` (M,): what the tested rows alone contribute to it in expectation. `luck`
    (M,): the variance that training luck gives to the step, in units of what it gives to the contrast.
    """

    between: np.ndarray
    by_rows: np.ndarray
    luck: np.ndarray


def nested_steps(evidence: LossEvidence, cells: Sequence[Cell], first: np.ndarray, second: np.ndarray) -> Steps:
    """The steps of the contrasts (M,) between cells given by position; (a, -1) is cell a alone.

    The first m of n training rows are as random a part of them as any, so what all n rows say is what one expects of the first m:
    Var(m) - Var(n) is the variance of the step. Which rows are the first is drawn in every split anew, so steps share no luck; of
    the newest rows nothing of this is known.
    """
    below = _next_smaller(evidence, cells)
    chosen = np.array([below[one] > 0 and (other < 0 or below[one] == below[other])
                       for one, other in zip(first, second, strict=True)])
    found = Steps(*np.full((3, len(first)), np.nan))
    if evidence.n_splits < 2 or not chosen.any() or not all(cell in evidence.row_loss for cell in cells):
        return found
    smaller = {cell: int(size) for cell, size in zip(cells, below, strict=True) if size > 0}
    steps = replace(evidence, loss=_stepped(evidence.loss, smaller), row_loss=_stepped(evidence.row_loss, smaller))
    place = np.cumsum(below > 0) - 1
    pairs = place[first[chosen]], np.where(second[chosen] < 0, -1, place[second[chosen]])
    moments = row_moments(steps, list(smaller), are_compared=bool((second >= 0).any()))
    found.between[chosen], found.by_rows[chosen] = between_splits(by_split_of(steps, list(smaller), *pairs), moments, *pairs)
    decline = STEP_DECLINE if evidence.metric.step > 0 else SMOOTH_DECLINE
    found.luck[chosen] = [(cells[each][1] / below[each]) ** decline - 1 for each in first[chosen]]
    return found


def _next_smaller(evidence: LossEvidence, cells: Sequence[Cell]) -> np.ndarray:
    """The next smaller size (c,) at which the cell's approach was run, 0 if there is none that is drawn."""
    found = [max((each for each in evidence.sizes if each < size and (name, each) in evidence.loss), default=0)
             for name, size in cells]
    return np.array([each if each and _is_drawn(evidence, each, size) else 0
                     for each, (_, size) in zip(found, cells, strict=True)])


def _is_drawn(evidence: LossEvidence, smaller: int, size: int) -> bool:
    """Whether two splits' first rows have about as much fewer in common as there are fewer of them."""
    return evidence.overlap[smaller] <= (1 + smaller / size) / 2 * evidence.overlap[size]


def _stepped(values: Mapping[Cell, np.ndarray], smaller: Mapping[Cell, int]) -> dict[Cell, np.ndarray]:
    return {(name, size): values[name, size] - values[name, below] for (name, size), below in smaller.items()}
