"""Logistic regression with an elastic-net penalty: proximal Newton steps whose curvature is reused while it serves.

The method is that of Friedman, Hastie and Tibshirani (doi:10.18637/jss.v033.i01) with a line search. Knows no grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tabbench.linear.likelihood import Likelihood
from tabbench.linear.quadratic import Quadratic

MOST_PARAMETERS = 1200
"""Up to here the classes move together; with more, one after another, since the curvature grows with the square."""
ALWAYS_WHOLE_COLUMNS = 128
"""With so few columns, leaving out those not in use saves nothing."""
ENOUGH_DECREASE = 1e-4
"""Share of the predicted decrease that a step must bring."""
MOST_HALVINGS = 12
"""A step that does not help at a thousandth of its length is rounding noise."""
LEAST_DAMPING, MOST_DAMPING, DAMPING_GROWTH, SHORT = 1e-6, 1.0, 10.0, 0.1
"""So much of a parameter's largest curvature is added to the present one, more after a step that had to be shortened to less
than `SHORT`: rows that are predicted with certainty, and wrongly, have slopes but no curvature. The minimum stays where it is."""
SLOW = 0.05
"""A step with an old curvature shall leave less than this share of the decrease to come, else a new one is worth it."""
LEFT = 0.02
"""Share of a quadratic model's decrease that may be left: the next step, which knows the loss better, finds it. On 600 rows of
2,500 counts three in four of the searches for active columns lowered the model by less, and took most of the time."""


@dataclass(frozen=True)
class Penalty:
    """l1 |b|_1 + l2 / 2 |b|^2 on the coefficients; the intercepts are free."""

    l1: float
    l2: float

    @classmethod
    def at(cls, strength: float, l1_ratio: float) -> Penalty:
        """scikit-learn's: the sum of losses counts C = `strength` times."""
        return cls(l1_ratio / strength, (1 - l1_ratio) / strength)

    def of(self, parameters: np.ndarray) -> float:
        """Its value for parameters (k, p + 1)."""
        coefficients = parameters[:, :-1]
        return float(self.l1 * np.abs(coefficients).sum() + self.l2 / 2 * np.vdot(coefficients, coefficients))


@dataclass(eq=False)
class Curvatures:
    """The latest curvature of each block of outputs; may be handed from one similar problem to the next."""

    columns: dict[int, np.ndarray] = field(default_factory=dict)
    quadratics: dict[int, Quadratic] = field(default_factory=dict)


@dataclass(eq=False)
class Descent:
    """A way down: where it is, and what the next step needs.

    `parameters` (k, p + 1) and `logits` (n, k) stand at the best point so far; `steps` counts; `most` (p + 1,) is the largest
    curvature that a parameter can have, `damping` the share of it that is added; `promised` is the decrease a unit of weight
    that the last step was to bring.
    """

    likelihood: Likelihood
    curvatures: Curvatures
    parameters: np.ndarray = field(init=False)
    logits: np.ndarray = field(init=False)
    most: np.ndarray = field(init=False)
    steps: int = 0
    damping: float = LEAST_DAMPING
    promised: float = np.inf

    def __post_init__(self) -> None:
        self.parameters = self.likelihood.empty()
        self.logits = self.likelihood.logits(self.parameters)
        self.most = self.likelihood.most_curvature()

    def run(self, penalty: Penalty, tolerance: float, most_steps: int) -> bool:
        """To the minimum for a penalty; false where the steps did not suffice.

        Ends after a step whose predicted decrease was below `tolerance` a unit of weight.
        """
        blocks = self._blocks()
        enough = tolerance * self.likelihood.weight.sum()
        lasts = [np.inf] * len(blocks)
        self.steps = 0
        while self.steps < most_steps:
            self.steps += 1
            lasts = [self._step(number, block, penalty, enough, lasts[number]) for number, block in enumerate(blocks)]
            self.promised = float(sum(lasts) / self.likelihood.weight.sum())
            if sum(lasts) <= enough:
                return True
        return False

    def _blocks(self) -> list[np.ndarray]:
        """Outputs that move together."""
        outputs = np.arange(self.likelihood.outputs)
        whole = self.likelihood.outputs * self.likelihood.columns <= MOST_PARAMETERS
        return [outputs] if whole else [outputs[each:each + 1] for each in outputs]

    def _step(self, number: int, outputs: np.ndarray, penalty: Penalty, enough: float, last: float) -> float:
        """Move one block of outputs; how much better the quadratic model said it would become."""
        chances = self.likelihood.chances(self.logits)
        slopes = self.likelihood.slopes(chances, outputs)
        columns = self._columns_asked(slopes, outputs, penalty)
        is_old = number in self.curvatures.quadratics and _holds(self.curvatures.columns[number], columns)
        if not is_old:
            self._renew(number, chances, outputs, columns)
        move, gain = self._move(number, slopes, outputs, penalty)
        if is_old and (gain > SLOW * last and gain > enough):
            self._renew(number, chances, outputs, columns)
            move, gain = self._move(number, slopes, outputs, penalty)
        length = self._search(move, gain, outputs, penalty, enough)
        if length < 1:
            self.curvatures.quadratics.pop(number)
        self._damp(length, is_new=not is_old)
        return gain

    def _damp(self, length: float, is_new: bool) -> None:
        if length == 1:
            self.damping = max(self.damping / DAMPING_GROWTH, LEAST_DAMPING)
        elif length < SHORT and is_new:
            self.damping = min(self.damping * DAMPING_GROWTH, MOST_DAMPING)

    def _columns_asked(self, slopes: np.ndarray, outputs: np.ndarray, penalty: Penalty) -> np.ndarray:
        """Those in use, those that ask to be used, and the intercept."""
        wide = self.likelihood.columns
        if penalty.l1 == 0 or wide <= ALWAYS_WHOLE_COLUMNS:
            return np.arange(wide)
        in_use = (self.parameters[outputs] != 0).any(axis=0)
        in_use[-1] = True
        strength = np.where(in_use, 0.0, np.maximum(np.abs(slopes) - penalty.l1, 0.0).max(axis=0))
        asking = np.flatnonzero(strength)
        # No more than the rows can tell apart; the others ask again when these have moved.
        strongest = asking[np.argsort(-strength[asking], kind="stable")[:max(len(self.logits), ALWAYS_WHOLE_COLUMNS)]]
        return np.union1d(np.flatnonzero(in_use), strongest)

    def _renew(self, number: int, chances: np.ndarray, outputs: np.ndarray, columns: np.ndarray) -> None:
        is_penalised = np.tile(columns < self.likelihood.columns - 1, len(outputs))
        self.curvatures.columns[number] = columns
        curvature = self.likelihood.curvature(chances, outputs, columns)
        np.einsum("ii->i", curvature)[:] += self.damping * np.tile(self.most[columns], len(outputs))
        self.curvatures.quadratics[number] = Quadratic(curvature, is_penalised)

    def _move(self, number: int, slopes: np.ndarray, outputs: np.ndarray, penalty: Penalty) -> tuple[np.ndarray, float]:
        """To the minimum of the quadratic model: the change of the parameters and the decrease that it promises."""
        columns, quadratic = self.curvatures.columns[number], self.curvatures.quadratics[number]
        here = self.parameters[np.ix_(outputs, columns)]
        linear = quadratic.matrix @ here.ravel() - slopes[:, columns].ravel()
        there = quadratic.minimum(linear, penalty.l1, penalty.l2, here.ravel(), LEFT).reshape(here.shape)
        move = np.zeros((len(outputs), self.likelihood.columns))
        move[:, columns] = there - here
        before, after = self.parameters[outputs], self.parameters[outputs] + move
        gain = penalty.of(before) - penalty.of(after) - float(np.vdot(slopes, move))
        return move, max(gain, 0.0)

    def _search(self, move: np.ndarray, gain: float, outputs: np.ndarray, penalty: Penalty, enough: float) -> float:
        """Go as far as it helps: the share of the way."""
        change = np.asarray(self.likelihood.values @ move.T)
        if gain <= enough:
            self._go(move, change, outputs)
            return 1.0
        before = self.likelihood.loss(self.logits) + penalty.of(self.parameters)
        for halvings in range(MOST_HALVINGS):
            length = 0.5**halvings
            logits, parameters = self.logits.copy(), self.parameters.copy()
            logits[:, outputs] += length * change
            parameters[outputs] += length * move
            if before - self.likelihood.loss(logits) - penalty.of(parameters) >= ENOUGH_DECREASE * length * gain:
                self.logits, self.parameters = logits, parameters
                return length
        return 0.0

    def _go(self, move: np.ndarray, change: np.ndarray, outputs: np.ndarray) -> None:
        self.parameters = self.parameters.copy()
        self.parameters[outputs] += move
        self.logits = self.logits.copy()
        self.logits[:, outputs] += change


def _holds(columns: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether ascending `columns` hold all `wanted` ones."""
    return len(columns) >= len(wanted) and (
        np.array_equal(columns, wanted) or bool(np.isin(wanted, columns, assume_unique=True).all()))
