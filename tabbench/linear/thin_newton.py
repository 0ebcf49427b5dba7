"""Newton steps of logistic regression on rows with few entries in many columns. Knows no grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tabbench.linear.likelihood import SMALLEST_CURVATURE
from tabbench.linear.newton import LEFT, Descent, Penalty
from tabbench.linear.thin_rows import ThinRows

FORCING = 0.05
"""Share of the slope that a step without l1 may leave: what it promises is wrong by the square of that."""


@dataclass(eq=False)
class ThinDescent(Descent):
    """A `Descent` that moves the outputs one after another and keeps no curvature."""

    def __post_init__(self) -> None:
        self.parameters = self.likelihood.empty()
        self.logits = self.likelihood.logits(self.parameters)

    @cached_property
    def _rows(self) -> ThinRows:
        return ThinRows(self.likelihood.values)

    def _blocks(self) -> list[np.ndarray]:
        return [np.array([output]) for output in range(self.likelihood.outputs)]

    def _step(self, number: int, outputs: np.ndarray, penalty: Penalty, enough: float, last: float) -> float:
        likelihood, output = self.likelihood, outputs[0]
        chance, here = likelihood.chances(self.logits)[:, output], self.parameters[output]
        residuals = likelihood.weight * (chance - likelihood.truth[:, output])
        weight = likelihood.weight * (np.maximum(chance * (1 - chance), SMALLEST_CURVATURE) + self.damping / 4)
        # A row without weight has no residual either.
        response = self.logits[:, output] - np.divide(residuals, weight, out=np.zeros_like(residuals), where=weight > 0)
        slopes = self._rows.turned @ residuals

        def moved(gap: float) -> tuple[np.ndarray, float]:
            if penalty.l1 > 0:
                there = self._rows.lowest_with_l1(weight, response, penalty.l1, penalty.l2, here, gap)
            else:
                there = self._rows.lowest_without_l1(weight, response, penalty.l2, here, FORCING)
            move = (there - here)[None]
            return move, max(penalty.of(here[None]) - penalty.of(there[None]) - float(move[0] @ slopes), 0.0)

        gap = max(LEFT * last, enough)
        move, gain = moved(gap)
        if penalty.l1 > 0 and gain <= enough < gap:  # what the gap leaves may be all that there is to gain
            move, gain = moved(enough)
        self._damp(self._search(move, gain, outputs, penalty, enough), is_new=True)
        return gain
