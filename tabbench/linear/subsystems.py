"""Linear systems in some rows and columns of one positive definite matrix, where the next set differs little from the last.

Knows no penalty: only which entries may move.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

LARGEST_CHANGE = 0.15
"""Share of the factorised entries that may come or go before a new factorisation is cheaper."""
EXACT = 1e-9
"""Of the largest force: equations that are missed by more, those of a nearly singular matrix, need a factor of their own."""


@dataclass(eq=False)
class Subsystems:
    """`matrix` (q, q); a Cholesky factor of its part in `base` (b,) serves sets that differ from it by a few entries."""

    matrix: np.ndarray
    base: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    factor: Any = None

    def solve(self, moving: np.ndarray, force: np.ndarray) -> np.ndarray:
        """x (q,), zero outside `moving` (q,) of bool, that fulfils the equations `matrix @ x = force` (q,) of the set."""
        if not moving.any():
            return np.zeros_like(force)
        is_base = np.zeros(len(force), dtype=bool)
        is_base[self.base] = True
        come, gone = np.flatnonzero(moving & ~is_base), np.flatnonzero(is_base & ~moving)
        if 0 < len(come) + len(gone) <= LARGEST_CHANGE * len(self.base):
            solution = self._bordered(come, gone, force)
            missed = (self.matrix @ solution - force)[moving]
            if np.abs(missed).max(initial=0.0) <= EXACT * np.abs(force[moving]).max(initial=0.0):
                return solution
        if len(come) + len(gone) or self.factor is None:
            self._factorise(np.flatnonzero(moving))
        return self._bordered(self.base[:0], self.base[:0], force)

    def _factorise(self, base: np.ndarray) -> None:
        from scipy.linalg import LinAlgError
        from scipy.linalg.lapack import dpotrf  # small systems come by the thousand: SciPy's own checks took longer than they

        # Symmetric: the transpose is the column-major array that the library works on in place.
        part = self.matrix.copy().T if len(base) == len(self.matrix) else self.matrix[np.ix_(base, base)].T
        factor, failed = dpotrf(part, lower=True, clean=False, overwrite_a=True)
        if failed:
            raise LinAlgError("the matrix is not positive definite")
        self.base, self.factor = base, factor

    def _solved(self, right: np.ndarray) -> np.ndarray:
        """x (b,) or (b, r) of the factorised equations."""
        from scipy.linalg.lapack import dpotrs

        return np.asarray(dpotrs(self.factor, right, lower=True)[0])

    def _bordered(self, come: np.ndarray, gone: np.ndarray, force: np.ndarray) -> np.ndarray:
        """Over the base and what has come, with multipliers that hold what is gone at zero: a small Schur complement."""
        solution = np.zeros_like(force)
        if not len(come) + len(gone):
            solution[self.base] = self._solved(force[self.base])
            return solution
        border = np.zeros((len(self.base), len(come) + len(gone)))
        border[:, :len(come)] = self.matrix[come][:, self.base].T
        border[np.searchsorted(self.base, gone), len(come) + np.arange(len(gone))] = 1.0
        solved = self._solved(np.column_stack([border, force[self.base]]))
        complement = -border.T @ solved[:, :-1]
        complement[:len(come), :len(come)] += self.matrix[np.ix_(come, come)]
        right = -border.T @ solved[:, -1]
        right[:len(come)] += force[come]
        added = np.linalg.solve(complement, right)
        solution[self.base] = solved[:, -1] - solved[:, :-1] @ added
        solution[gone] = 0.0
        solution[come] = added[:len(come)]
        return solution
