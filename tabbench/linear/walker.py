"""One set of rows followed along a path of C: the solver chosen by shape, each model started from the one before.

Knows no folds and no grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tabbench.core.probability import floored
from tabbench.core.process_settings import silent_warnings
from tabbench.linear.likelihood import Likelihood
from tabbench.linear.newton import MOST_PARAMETERS, Curvatures, Descent, Penalty
from tabbench.linear.rows import Rows
from tabbench.linear.thin_newton import ThinDescent
from tabbench.linear.thin_rows import is_thinly_filled

ROWS_OF_A_SHARED_CURVATURE = 20
"""With so many rows a parameter, inner folds differ so little that one curvature serves all of them."""
STEPS_OF_QUASI_NEWTON = 20
"""Quasi-Newton iterations that cost about as much as a Newton step saves."""
LIBRARY_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """Coefficients (k, p) and intercepts (k,); k is 1 for two classes, else their number.

    `promised` is the decrease of the loss a unit of weight that the last step was to bring, infinite where it is not known.
    """

    coefficients: np.ndarray
    intercepts: np.ndarray
    has_converged: bool = True
    steps: int = 0
    is_one_vs_rest: bool = False
    promised: float = np.inf

    def predict(self, values: Any) -> np.ndarray:
        """Float64 (m, classes), rows summing to one, nothing quite certain."""
        from scipy.special import expit, softmax

        logits = np.asarray(values @ self.coefficients.T) + self.intercepts
        if logits.shape[1] == 1:
            return floored(np.concatenate([expit(-logits), expit(logits)], axis=1))
        if self.is_one_vs_rest:
            each = np.maximum(expit(logits), np.finfo(float).tiny)
            return floored(each / each.sum(axis=1, keepdims=True))
        return floored(softmax(logits, axis=1))


@dataclass(eq=False)
class SharedCurvatures:
    """What the folds of one path share: the curvatures by number of model and of outputs."""

    kept: dict[tuple[int, int], Curvatures] = field(default_factory=dict)

    def of(self, number: int, likelihood: Likelihood) -> Curvatures:
        """The common one where the rows are many, else one of its own."""
        rows, columns = likelihood.values.shape
        if rows < ROWS_OF_A_SHARED_CURVATURE * columns * likelihood.outputs:
            return Curvatures()
        return self.kept.setdefault((number, likelihood.outputs), Curvatures())


@dataclass(frozen=True, eq=False)
class Walker:
    """Models of the same rows and mixture for ascending C.

    `descents` holds one for all classes together, or one for each; `basis` (p, r) leads from the r directions in which the rows
    differ back to the p columns; `library` takes over where there are too many parameters for a Newton step.
    """

    rows: Rows
    l1_ratio: float
    descents: tuple[Descent, ...]
    basis: np.ndarray | None = None
    library: Any = None
    is_one_vs_rest: bool = False

    @classmethod
    def of(cls, rows: Rows, l1_ratio: float, is_one_vs_rest: bool, shared: SharedCurvatures) -> Walker:
        """For codes that count from 0 and all occur, two of them at least."""
        is_one_vs_rest = is_one_vs_rest and rows.target.max() > 1
        basis, is_thin = None, is_thinly_filled(rows.values)
        if l1_ratio == 0 and not is_thin and rows.values.shape[1] > len(rows):
            directions, basis = _directions(rows.values)
            rows = replace(rows, values=directions)
        outputs = 1 if is_one_vs_rest or rows.target.max() == 1 else int(rows.target.max()) + 1
        are_few, is_single = outputs * (rows.values.shape[1] + 1) <= MOST_PARAMETERS, is_one_vs_rest or outputs == 1
        if l1_ratio == 0 and not (are_few or is_one_vs_rest or (is_thin and is_single)):
            return cls(rows, l1_ratio, (), basis, _quasi_newton())
        whole = Likelihood.of(rows)
        each = [replace(whole, truth=whole.truth[:, [code]]) for code in range(whole.outputs)] if is_one_vs_rest else [whole]
        descents = tuple(ThinDescent(likelihood, Curvatures()) if is_thin and (is_single or not are_few) else
                         Descent(likelihood, shared.of(number, likelihood)) for number, likelihood in enumerate(each))
        return cls(rows, l1_ratio, descents, basis, None, is_one_vs_rest)

    def move(self, strength: float, tolerance: float, most_steps: int) -> LogisticModel:
        """To the model for C = `strength`."""
        if self.library is not None:
            model = self._by_library(strength, most_steps)
        else:
            penalty = Penalty.at(strength, self.l1_ratio)
            done = [descent.run(penalty, tolerance, most_steps) for descent in self.descents]
            parameters = np.concatenate([descent.parameters for descent in self.descents])
            steps = max(descent.steps for descent in self.descents)
            promised = max(descent.promised for descent in self.descents)
            model = LogisticModel(parameters[:, :-1], parameters[:, -1].copy(), all(done), steps, self.is_one_vs_rest, promised)
        return model if self.basis is None else replace(model, coefficients=model.coefficients @ self.basis.T)

    def _by_library(self, strength: float, most_steps: int) -> LogisticModel:
        from sklearn.exceptions import ConvergenceWarning

        learner = self.library
        with silent_warnings(ConvergenceWarning):  # the cap is known and recorded
            learner.set_params(C=strength, max_iter=most_steps * STEPS_OF_QUASI_NEWTON)
            learner.fit(self.rows.values, self.rows.target, sample_weight=self.rows.weight)
        steps = int(learner.n_iter_.max())
        return LogisticModel(learner.coef_.copy(), learner.intercept_.copy(), steps < learner.max_iter, steps)


def _quasi_newton() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(solver="lbfgs", tol=LIBRARY_TOLERANCE, warm_start=True)


def _directions(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """The rows in an orthogonal basis (n, r) of their own span, and that basis (p, r): l2 sees no difference."""
    products = values @ values.T
    products = products if isinstance(products, np.ndarray) else products.toarray()
    squares, vectors = np.linalg.eigh(products)
    kept = squares > squares.max(initial=0.0) * len(squares) * np.finfo(float).eps
    lengths = np.sqrt(squares[kept])
    return vectors[:, kept] * lengths, np.asarray(values.T @ (vectors[:, kept] / lengths))
