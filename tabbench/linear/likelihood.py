"""The log loss of a linear model of classes with its slopes and curvatures, row weights included.

Knows no penalty, no grid and no solver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.linear.rows import Rows
from tabbench.linear.sparse_gram import sparse_gram

SMALLEST_CURVATURE = 1e-10
"""Rows predicted with certainty keep this much curvature a unit of weight: the quadratic model stays bounded."""

PRODUCT_CELLS = 1 << 21
"""Cells of the rows that are multiplied at a time, 16 MB."""
MOST_PAIRED_COLUMNS, FEWEST_PAIRED_GRAMS, PAIRED_ROWS = 64, 6, 2048
"""With few columns and many classes, one product of all pairs of columns with all pairs of classes is several times faster than
a product for each pair of classes."""


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Sum of weighted log losses of n rows for parameters (k, p + 1), the intercept last.

    `values` (n, p + 1) ends in a column of ones, dense or CSR; `truth` (n, k) holds zeros and ones, k = 1 for two classes;
    `weight` (n,).
    """

    values: Any
    truth: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> Likelihood:
        """For codes that count from 0 and all occur, two of them at least."""
        classes = int(rows.target.max()) + 1
        codes = np.array([1]) if classes == 2 else np.arange(classes)
        return cls(with_ones(rows.values), (rows.target[:, None] == codes).astype(np.float64), rows.weight)

    @property
    def outputs(self) -> int:
        """Number of rows of the parameters, k."""
        return int(self.truth.shape[1])

    @property
    def columns(self) -> int:
        """Number of parameters of one output, p + 1."""
        return int(self.values.shape[1])

    def empty(self) -> np.ndarray:
        """The parameters (k, p + 1) of the best model without coefficients."""
        from scipy.special import logit

        share = np.clip(np.average(self.truth, axis=0, weights=self.weight), SMALLEST_CURVATURE, 1 - SMALLEST_CURVATURE)
        parameters = np.zeros((self.outputs, self.columns))
        parameters[:, -1] = logit(share) if self.outputs == 1 else np.log(share) - np.log(share).mean()
        return parameters

    def logits(self, parameters: np.ndarray) -> np.ndarray:
        """(n, k)."""
        return np.asarray(self.values @ parameters.T)

    def loss(self, logits: np.ndarray) -> float:
        """The sum over rows."""
        if self.outputs == 1:
            losses = np.logaddexp(0.0, logits[:, 0]) - self.truth[:, 0] * logits[:, 0]
        else:
            highest = logits.max(axis=1)
            losses = np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest - (self.truth * logits).sum(axis=1)
        return float(self.weight @ losses)

    def chances(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities (n, k) of the outputs."""
        from scipy.special import expit

        if self.outputs == 1:
            return np.asarray(expit(logits))
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def slopes(self, chances: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Derivatives (len(outputs), p + 1) of the loss."""
        residuals = self.weight[:, None] * (chances[:, outputs] - self.truth[:, outputs])
        return np.asarray((self.values.T @ residuals).T)

    def most_curvature(self) -> np.ndarray:
        """The largest second derivative (p + 1,) that a parameter of one output can have: p (1 - p) is a quarter at most."""
        if isinstance(self.values, np.ndarray):
            return np.asarray(np.einsum("ij,ij,i->j", self.values, self.values, self.weight) / 4)
        return np.asarray(self.values.multiply(self.values).tocsr().T @ self.weight) / 4

    def curvature(self, chances: np.ndarray, outputs: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Second derivatives (o c, o c) over some outputs and columns, output by output."""
        values = self.values if len(columns) == self.columns else self.values[:, columns]
        if len(outputs) == 1:
            chance = chances[:, outputs[0]]
            return _weighted_gram(values, self.weight * np.maximum(chance * (1 - chance), SMALLEST_CURVATURE))
        wide = len(columns)
        first, second = np.tril_indices(len(outputs), -1)
        both = np.maximum(chances[:, outputs[first]] * chances[:, outputs[second]], SMALLEST_CURVATURE) * self.weight[:, None]
        curvature = np.zeros((len(outputs), wide, len(outputs), wide))
        for one, other, gram in zip(first, second, _weighted_grams(values, both), strict=True):
            curvature[one, :, other] = curvature[other, :, one] = -gram
            curvature[one, :, one] += gram
            curvature[other, :, other] += gram
        # All intercepts moved by the same amount change nothing: that direction gets a curvature, so that there is one minimum.
        curvature[:, -1, :, -1] += self.weight.sum()
        return curvature.reshape(len(outputs) * wide, len(outputs) * wide)


def with_ones(values: Any) -> Any:
    """The matrix with a column of ones behind."""
    ones = np.ones((values.shape[0], 1))
    if isinstance(values, np.ndarray):
        return np.concatenate([values, ones], axis=1)
    from scipy.sparse import csr_array, hstack

    return hstack([csr_array(values), csr_array(ones)], format="csr")


def weighted_products(values: np.ndarray, roots: np.ndarray, means: np.ndarray | None = None) -> np.ndarray:
    """X'X (c, c) of rows (n, c), less the means (c,) if any, times the roots of their weights (n,); some rows at a time, so that
    nothing of the size of the table is made."""
    total = np.zeros((values.shape[1], values.shape[1]))
    step = max(1, PRODUCT_CELLS // values.shape[1])
    for start in range(0, len(values), step):
        some = values[start:start + step] if means is None else values[start:start + step] - means
        scaled = some * roots[start:start + step, None]
        total += scaled.T @ scaled
    return total


def _weighted_grams(values: Any, weights: np.ndarray) -> Iterator[np.ndarray]:
    """X'WX (c, c) for each column of weights (n, g)."""
    wide = values.shape[1]
    if not isinstance(values, np.ndarray) or wide > MOST_PAIRED_COLUMNS or weights.shape[1] < FEWEST_PAIRED_GRAMS:
        yield from (_weighted_gram(values, weight) for weight in weights.T)
        return
    first, second = np.tril_indices(wide)
    sums = np.zeros((weights.shape[1], len(first)))
    for start in range(0, len(values), PAIRED_ROWS):
        some = values[start:start + PAIRED_ROWS]
        sums += weights[start:start + PAIRED_ROWS].T @ (some[:, first] * some[:, second])
    for each in sums:
        gram = np.empty((wide, wide))
        gram[first, second] = gram[second, first] = each
        yield gram


def _weighted_gram(values: Any, weight: np.ndarray) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return weighted_products(values, np.sqrt(weight))
    return sparse_gram(values, weight)
