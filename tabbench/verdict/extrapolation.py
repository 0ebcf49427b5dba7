"""What more rows might change: learning curves extrapolated to twice and four times the full size, or a refusal with its reason.

Exploratory, never a verdict: nothing here enters a decision. Knows no model and no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import combinations

import numpy as np
import pandas as pd

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.contestants import contestants
from tabbench.verdict.curve_noise import CurveNoise, PairNoise
from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.learning_curves import curve_draws, mmf4, pow4

FACTORS = (2, 4)
"""Beyond four times the measured rows nothing measured says much."""

STEPS_PER_DOUBLING = 8
"""Sizes at which crossings are looked for."""

DRAWS = 1_000
"""Draws of each forecast: an error of 1.5 points in a probability of a half."""

FEWEST_SIZES, FEWEST_SIZES_BELOW = 5, 3
"""A curve of four numbers needs five sizes, and three up to half of the full size for the test on the larger ones."""

FEWEST_SPLITS = 3
"""Fewer don't show how much depends on which rows were trained on."""

BACKTEST_LEVEL = 0.9
LEVEL = 0.95

RECENT_STEPS = 2
"""The latest steps between sizes tell how much a difference may yet change where no curve can be trusted."""

TAIL = 4.0
"""Degrees of freedom of the errors by which the forecasts are weighed: one bad test is not the end of a forecast."""

HIGHEST_SCORE = 1.0
"""Of every metric that is better when higher; losses of the others end at 0."""


class Obstacle(Enum):
    """Why a pair's curves are not followed."""

    NOT_RUN = auto()  # the approach was not run at the largest size
    FAILED = auto()  # the approach failed in some fits
    FEW_SIZES = auto()
    FEW_SIZES_BELOW = auto()  # too few up to half of the largest size, by which the curves are tested on the others
    FEW_SPLITS = auto()
    NO_ERRORS = auto()  # the two predict the same, or the error of their scores is unknown
    IRREGULAR = auto()  # the curves fitted to the smaller sizes miss the larger ones


@dataclass(frozen=True)
class Miss:
    """What the curves fitted to the sizes up to `fitted_to` made of the largest size: between `low` and `high`, not `seen`."""

    fitted_to: int
    low: float
    high: float
    seen: float
    is_at_largest: bool  # else sizes below it were missed


@dataclass(frozen=True)
class Refusal:
    """Why a pair is not extrapolated.

    Parameters
    ----------
    size : int
        The largest size that was run.
    approach : str, default ""
        The approach whose curve it is about, where it is about one alone.
    count, of : int
        So many failed of all fits; or so many sizes or splits were run of those needed.
    """

    obstacle: Obstacle
    size: int
    approach: str = ""
    count: int = 0
    of: int = 0
    miss: Miss | None = None


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """The extrapolations: one row for each pair and factor, and one for each approach and larger size, columns as in result.json.

    In the column `refusal` of `pairs` is a `Refusal`, or None where there is an extrapolation.
    """

    pairs: pd.DataFrame
    scores: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Forecast:
    """Draws (B, T) of loss(first) - loss(second) at T sizes, and the share of them that continue the last difference."""

    draws: np.ndarray
    last_share: float


def extrapolate(evidence: LossEvidence, *, seed: int = 0) -> Extrapolation:
    """Continue the learning curves to 2 and 4 times the largest size.

    Three forecasts of a pair's difference are averaged: two families of learning curves (`pow4`, `mmf4`), each fitted to both
    approaches with their errors drawn together, and the last difference, wandering on by as much as in the latest steps. Each
    first forecasts the larger sizes from those up to half of the full size, and counts by how well it did. Where the curves
    fail at that, there is no extrapolation.

    Returns
    -------
    Extrapolation
        `pairs` : for a refused pair everything is NaN but the refusal. `behind` is the approach with the higher mean loss at
        `size`; `p_overtakes` the probability that it is ahead at `factor` times as many rows; `n_star` the size from which it
        is ahead, with its 95 % interval, infinite where it is not ahead at any size up to four times; `p_never` how likely that
        is. `scores` : the curve of each approach of a pair that was not refused, in the metric's natural sign.
    """
    names = contestants(evidence)
    noise = CurveNoise.of(evidence, names)
    rows: list[dict[str, object]] = []
    followed: set[str] = set()
    for first, second in combinations(names, 2):
        forecast = _pair_forecast(evidence, noise, first, second, seed)
        rows += _pair_rows(evidence, first, second, forecast)
        followed |= set() if isinstance(forecast, Refusal) else {first, second}
    pairs = pd.DataFrame(rows, columns=list(COLUMNS["extrapolation"]))
    scores = [row for name in names if name in followed for row in _score_rows(evidence, noise, name, seed)]
    return Extrapolation(pairs, pd.DataFrame(scores, columns=list(COLUMNS["extrapolated_scores"])))


def _refusal(evidence: LossEvidence, first: str, second: str) -> Refusal | None:
    """Why a pair's curves cannot be followed at all; None where they can."""
    full = evidence.sizes[-1]
    for name in (first, second):
        if (name, full) not in evidence.loss:
            return Refusal(Obstacle.NOT_RUN, full, name)
    sizes = _common_sizes(evidence, first, second)
    failed = {name: sum(int(evidence.imputed[name, size].sum()) for size in sizes) for name in (first, second)}
    for name, count in failed.items():
        if count:
            return Refusal(Obstacle.FAILED, full, name, count, len(sizes) * evidence.n_splits)
    if len(sizes) < FEWEST_SIZES:
        return Refusal(Obstacle.FEW_SIZES, full, count=len(sizes), of=FEWEST_SIZES)
    below = sum(size <= full / 2 for size in sizes)
    if below < FEWEST_SIZES_BELOW:
        return Refusal(Obstacle.FEW_SIZES_BELOW, full, count=below, of=FEWEST_SIZES_BELOW)
    if evidence.n_splits < FEWEST_SPLITS:
        return Refusal(Obstacle.FEW_SPLITS, full, count=evidence.n_splits, of=FEWEST_SPLITS)
    return None


def _common_sizes(evidence: LossEvidence, first: str, second: str) -> list[int]:
    return [size for size in evidence.sizes if (first, size) in evidence.loss and (second, size) in evidence.loss]


def _pair_forecast(evidence: LossEvidence, noise: CurveNoise, first: str, second: str, seed: int) -> Refusal | _Forecast:
    refusal = _refusal(evidence, first, second)
    if refusal is not None:
        return refusal
    sizes = _common_sizes(evidence, first, second)
    of_pair = noise.pair(first, second, sizes, draws=DRAWS, seed=seed)
    if not of_pair.is_usable:
        return Refusal(Obstacle.NO_ERRORS, sizes[-1])
    random = np.random.default_rng([seed, len(sizes), *first.encode(), 0, *second.encode()])
    full = sizes[-1]
    below = sum(size <= full / 2 for size in sizes)
    tested = _forecasts(evidence, of_pair.up_to(below), np.array(sizes[below:], dtype=np.float64), random)
    observed, errors = of_pair.difference[below:], of_pair.noise_of_difference[:, below:]
    miss = _backtest(tested, observed, errors, sizes[below - 1])
    if miss is not None:
        return Refusal(Obstacle.IRREGULAR, full, miss=miss)
    draws = _forecasts(evidence, of_pair, larger_sizes(full), random)
    weight = _weights(tested, observed, errors)
    count = np.round(weight * DRAWS).astype(int)
    mixed = np.concatenate([each[:number] for each, number in zip(draws, count, strict=True)])
    return _Forecast(mixed, float(weight[-1]))


def larger_sizes(full: int) -> np.ndarray:
    """The full size and the sizes beyond it, up to four times, at which curves are read off."""
    doublings = int(np.log2(FACTORS[-1]))
    return np.asarray(full * 2.0 ** np.linspace(0, doublings, doublings * STEPS_PER_DOUBLING + 1))


def _forecasts(evidence: LossEvidence, pair: PairNoise, targets: np.ndarray, random: np.random.Generator) -> list[np.ndarray]:
    """(B, T) draws of the difference by pow4, by mmf4, and by the last difference wandering on."""
    least, sizes = _least_loss(evidence), pair.sizes.astype(np.float64)
    found = []
    for family in (pow4(sizes[0]), mmf4(sizes[0])):
        first, second = (curve_draws(family, sizes, loss, covariance, noise, targets, least=least, random=random)
                         for loss, covariance, noise in pair.sides())
        found.append(first - second)
    return [*found, _wandering(pair, targets, random)]


def _wandering(pair: PairNoise, targets: np.ndarray, random: np.random.Generator) -> np.ndarray:
    doublings = np.log2(pair.sizes)
    step = np.diff(pair.difference) / np.sqrt(np.diff(doublings))
    drift = np.sqrt(np.mean(step[-RECENT_STEPS:] ** 2))
    gaps = np.diff(np.concatenate([doublings[-1:], np.log2(targets)]))
    walk = np.cumsum(drift * np.sqrt(gaps) * random.standard_normal((len(pair.noise_of_difference), len(targets))), axis=1)
    return np.asarray(pair.difference[-1] + pair.noise_of_difference[:, -1:] + walk)


def _least_loss(evidence: LossEvidence) -> float:
    """The lowest loss that there can be; -inf for a metric that goes beyond what is usual."""
    bound = -HIGHEST_SCORE if evidence.metric.higher_is_better else 0.0
    return bound if min(float(loss.min()) for loss in evidence.loss.values()) >= bound else -np.inf


def _backtest(tested: Sequence[np.ndarray], observed: np.ndarray, errors: np.ndarray, fitted_to: int) -> Miss | None:
    """How the curves fitted to the smaller sizes miss what was measured at the larger ones; None where they don't.

    The bounds hold for all of the larger sizes at once, and allow for the errors that those share with the smaller ones.
    """
    curves = np.concatenate(tested[:-1])
    missed = curves - observed - np.concatenate([errors] * len(tested[:-1]))
    spread, centre = missed.std(axis=0), np.median(curves, axis=0)
    farthest = np.quantile(np.max(np.abs(missed - np.median(missed, axis=0)) / spread, axis=1), BACKTEST_LEVEL)
    outside = np.flatnonzero(np.abs(centre - observed) > farthest * spread)
    if not len(outside):
        return None
    low, high, seen = (float(each[-1]) for each in (centre - farthest * spread, centre + farthest * spread, observed))
    return Miss(fitted_to, low, high, seen, is_at_largest=bool(outside[-1] == len(observed) - 1))


def _weights(tested: Sequence[np.ndarray], observed: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """How much each forecast counts: the density, heavy-tailed, that it gave to what was then measured."""
    logs = []
    for draws in tested:
        covariance = np.atleast_2d(np.cov((draws - observed - errors).T))
        covariance = covariance + np.eye(len(observed)) * 1e-9 * np.trace(covariance)
        missed = np.median(draws, axis=0) - observed
        distance = float(missed @ np.linalg.solve(covariance, missed))
        logs.append(-0.5 * np.linalg.slogdet(covariance)[1] - 0.5 * (TAIL + len(observed)) * np.log1p(distance / TAIL))
    weight = np.exp(np.array(logs) - max(logs))
    return np.asarray(weight / weight.sum())


def _pair_rows(evidence: LossEvidence, first: str, second: str, forecast: Refusal | _Forecast) -> list[dict[str, object]]:
    full = evidence.sizes[-1]
    base: dict[str, object] = {"first": first, "second": second, "size": full, "refusal": None}
    if isinstance(forecast, Refusal):
        return [base | {"factor": factor, "refusal": forecast} for factor in FACTORS]
    is_first_behind = evidence.mean(first, full) > evidence.mean(second, full)
    is_overtaken = forecast.draws < 0 if is_first_behind else forecast.draws > 0
    crossing = _crossing_sizes(forecast.draws, is_overtaken, larger_sizes(full))
    low, point, high = np.quantile(crossing, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], method="inverted_cdf")
    base |= {"behind": first if is_first_behind else second, "n_star_low": low, "n_star": point, "n_star_high": high,
             "p_never": float(np.mean(np.isinf(crossing))), "last_share": forecast.last_share}
    rows = []
    for factor in FACTORS:
        place = int(np.log2(factor)) * STEPS_PER_DOUBLING
        bounds = np.quantile(forecast.draws[:, place], [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
        rows.append(base | {"factor": factor, "low": bounds[0], "difference": bounds[1], "high": bounds[2],
                            "p_overtakes": float(np.mean(is_overtaken[:, place]))})
    return rows


def _crossing_sizes(draws: np.ndarray, is_overtaken: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The size (B,) at which each draw changes sides first, between two sizes linear in the logarithm; infinite for never.

    A draw in which the sides are other than measured already at the full size has changed there or below.
    """
    after = np.argmax(is_overtaken, axis=1)
    before = np.maximum(after - 1, 0)
    draw = np.arange(len(draws))
    near, far = np.abs(draws[draw, before]), np.abs(draws[draw, after])
    share = np.where(after > 0, near / np.maximum(near + far, np.finfo(float).tiny), 0.0)
    place = np.log(sizes[before]) + share * (np.log(sizes[after]) - np.log(sizes[before]))
    return np.where(is_overtaken.any(axis=1), np.round(np.exp(place)), np.inf)


def _score_rows(evidence: LossEvidence, noise: CurveNoise, name: str, seed: int) -> list[dict[str, object]]:
    """The curve of one approach at the larger sizes, for the eye; pairs are compared by their differences."""
    sizes = [size for size in evidence.sizes if (name, size) in evidence.loss]
    loss, covariance, errors = noise.single(name, sizes, draws=DRAWS, seed=seed)
    random = np.random.default_rng([seed, len(sizes), *name.encode()])
    smallest, targets = float(sizes[0]), np.array([factor * evidence.sizes[-1] for factor in FACTORS], dtype=np.float64)
    draws = np.concatenate([
        curve_draws(family, np.array(sizes, dtype=np.float64), loss, covariance, errors, targets,
                    least=_least_loss(evidence), random=random) for family in (pow4(smallest), mmf4(smallest))])
    sign = -1.0 if evidence.metric.higher_is_better else 1.0
    bounds = np.sort(sign * np.quantile(draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], axis=0), axis=0)
    return [{"approach": name, "size": int(size), "mean": mean, "low": low, "high": high}
            for size, low, mean, high in zip(targets, *bounds, strict=True)]
