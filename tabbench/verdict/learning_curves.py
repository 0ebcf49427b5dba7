"""Learning curves that fall towards a limit, fitted to measured losses and read off at larger sizes.

Averages over all curves of a family that the losses leave possible. Knows neither approaches nor decisions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RELATIVE_MISFIT = 0.1
"""No real curve follows a formula: a loss may lie off it by this share of what it is above the last one, so that the steep
beginning does not decide where the curve ends."""

DECAYS = np.geomspace(0.1, 2.0, 14)
"""Exponents of pow4. Above 2, and below 0.1, a curve is flat or straight within any grid of sizes."""

OFFSETS = np.array([-0.8, -0.65, -0.5, -0.35, -0.2, 0.0, 0.5, 1.5, 4.0, 10.0])
"""Shifts of pow4, in smallest sizes. Near -1 the curve is steep where learners have hardly more rows than columns."""

STEEPNESSES = np.geomspace(0.2, 3.0, 14)
MIDDLES = np.geomspace(0.05, 50.0, 10)
"""Where mmf4 has fallen half way, in smallest sizes."""

TYPICAL_DECAY, DECAY_SPREAD = 0.6, 0.8
"""Most measured curves lie within a factor of two of this exponent (LCDB, doi:10.1007/978-3-031-26419-1_1); the spread is of
its natural logarithm."""

OFFSET_SPREAD_BELOW, OFFSET_SPREAD_ABOVE = 0.5, 1.0
TYPICAL_STEEPNESS, STEEPNESS_SPREAD, MIDDLE_SPREAD = 0.8, 0.8, 1.5


@dataclass(frozen=True, eq=False)
class CurveFamily:
    """Curves `a + b * shape(n)` with b >= 0, one for each of G shapes.

    Parameters
    ----------
    shapes : Callable[[ndarray], ndarray]
        Sizes (K,) -> (G, K), each row falling.
    log_prior : ndarray
        (G,) how plausible each shape is before any loss is seen.
    """

    shapes: Callable[[np.ndarray], np.ndarray]
    log_prior: np.ndarray


def pow4(smallest: float) -> CurveFamily:
    """Power laws a + b (n + d)^-c for sizes from `smallest` up."""
    decay, offset = (each.ravel() for each in np.meshgrid(DECAYS, OFFSETS))
    apart = np.where(offset < 0, offset / OFFSET_SPREAD_BELOW, np.log1p(np.maximum(offset, 0.0)) / OFFSET_SPREAD_ABOVE)
    return CurveFamily(
        lambda sizes: (sizes[None, :] / smallest + offset[:, None]) ** -decay[:, None],
        -0.5 * (np.log(decay / TYPICAL_DECAY) / DECAY_SPREAD) ** 2 - 0.5 * apart**2)


def mmf4(smallest: float) -> CurveFamily:
    """Morgan, Mercer and Flodin's curves (a b + c n^d) / (b + n^d), which may stay high and fall late."""
    steepness, middle = (each.ravel() for each in np.meshgrid(STEEPNESSES, MIDDLES))
    return CurveFamily(
        lambda sizes: 1.0 / (1.0 + (sizes[None, :] / smallest / middle[:, None]) ** steepness[:, None]),
        -0.5 * (np.log(steepness / TYPICAL_STEEPNESS) / STEEPNESS_SPREAD) ** 2 - 0.5 * (np.log(middle) / MIDDLE_SPREAD) ** 2)


def curve_draws(
    family: CurveFamily, sizes: np.ndarray, loss: np.ndarray, covariance: np.ndarray, noise: np.ndarray, targets: np.ndarray, *,
    least: float, random: np.random.Generator,
) -> np.ndarray:
    """What the losses leave possible at other sizes: (B, T) draws of the curve at `targets` (T,).

    Parameters
    ----------
    sizes, loss : ndarray
        (K,) measured mean losses.
    covariance : ndarray
        (K, K) of their errors.
    noise : ndarray
        (B, K) draws of these errors; two approaches whose noise is drawn together stay paired.
    least : float
        No curve ends below this loss; -inf where it has no bound.

    Returns
    -------
    ndarray
        A shape is drawn by how well it fits the losses, then its a and b are fitted by generalised least squares to the losses
        with one draw of noise: the posterior over the family's grid, for which no optimiser is needed and none can fail.
    """
    misfit = RELATIVE_MISFIT * np.abs(loss - loss[-1])
    whiten = np.linalg.inv(np.linalg.cholesky(covariance + np.diag(misfit**2)))
    shapes, at_targets = family.shapes(sizes), family.shapes(targets)
    scale = shapes.max(axis=1, keepdims=True) - shapes.min(axis=1, keepdims=True)
    shapes, at_targets = shapes / scale, at_targets / scale
    _, _, misfits = _fit(whiten, shapes, loss[None, :], least)
    log_weight = family.log_prior - misfits[0] / 2
    weight = np.cumsum(np.exp(log_weight - log_weight.max()))
    chosen = np.searchsorted(weight, weight[-1] * random.random(len(noise)), side="right").clip(max=len(weight) - 1)
    scattered = loss + noise + misfit * random.standard_normal(noise.shape)
    limit, drop, _ = _fit(whiten, shapes, scattered, least)
    draw = np.arange(len(noise))
    return np.asarray(limit[draw, chosen, None] + drop[draw, chosen, None] * at_targets[chosen])


def _fit(whiten: np.ndarray, shapes: np.ndarray, losses: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a, b and the weighted sum of squares, each (B, G), of losses (B, K) on shapes (G, K), with b >= 0 and a >= least.

    Sums by einsum, not BLAS: they don't depend on the number of threads.
    """
    one = whiten.sum(axis=1)
    shape, loss = np.einsum("gk,jk->gj", shapes, whiten), np.einsum("bk,jk->bj", losses, whiten)
    one_one, one_shape, shape_shape = (one**2).sum(), np.einsum("k,gk->g", one, shape), (shape**2).sum(axis=1)
    loss_one, loss_shape = np.einsum("bk,k->b", loss, one)[:, None], np.einsum("bk,gk->bg", loss, shape)
    drop = (one_one * loss_shape - loss_one * one_shape) / (one_one * shape_shape - one_shape**2)
    drop = np.maximum(drop, 0.0)
    limit = (loss_one - drop * one_shape) / one_one
    is_below = limit < least
    floor = least if np.isfinite(least) else 0.0
    drop = np.where(is_below, np.maximum((loss_shape - floor * one_shape) / shape_shape, 0.0), drop)
    limit = np.where(is_below, floor, limit)
    squares = (limit**2 * one_one + drop**2 * shape_shape + 2 * limit * drop * one_shape - 2 * limit * loss_one
               - 2 * drop * loss_shape)
    return limit, drop, squares + (loss**2).sum(axis=1)[:, None]
