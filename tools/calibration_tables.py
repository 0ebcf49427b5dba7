"""Tables with a known truth: generators of the calibration, each a function of a seed and a number of rows.

Knows no learner and no verdict; says which columns each contestant may see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WIDTH = 5
"""Columns that one contestant of mirror twins sees."""
FEW, MANY, WEAK = 5, 20, 0.45
"""G2: strong columns, all columns, the spread that the weak ones cause together."""
RARE_SHARE = 0.03
WITHIN_GROUPS = 0.5
"""G9: intraclass correlation of columns and target."""
GROUP_ROWS = 5
COPIED_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of one draw: features (n, p), a target of numbers or of codes, what the rows share, if anything, and their weight."""

    features: np.ndarray
    target: np.ndarray
    group: np.ndarray | None = None
    time: np.ndarray | None = None
    tie: np.ndarray | None = None
    weight: np.ndarray | None = None


@dataclass(frozen=True)
class Generator:
    """How a table comes about.

    Parameters
    ----------
    draw : (random, rows, is_regression) -> Sample.
    views : the columns of each contestant.
    learners : the learner of each contestant, "own" for the one that is tried.
    is_null : whether no contestant is better than another at any size.
    split : stratified, grouped or ordered.
    tasks : regression, classification or both.
    rows : in a full run.
    sizes : training rows, -1 for the full size and -2 for half of it; None for the protocol's.
    tested : share of the rows that are a test file of one's own; 0 for folds.
    """

    name: str
    title: str
    draw: Callable[[np.random.Generator, int, bool], Sample]
    views: tuple[np.ndarray, ...]
    learners: tuple[str, ...] = ("own", "own")
    is_null: bool = False
    split: str = "stratified"
    tasks: tuple[str, ...] = ("regression", "classification")
    rows: int = 400
    sizes: tuple[int, ...] | None = None
    tested: float = 0.0
    folds: int = 5


def twin_views(twins: int = 2) -> tuple[np.ndarray, ...]:
    """Every contestant's own exchangeable columns."""
    return tuple(np.arange(WIDTH * twin, WIDTH * twin + WIDTH) for twin in range(twins))


def signal(columns: np.ndarray) -> np.ndarray:
    """What five columns (n, 5) say: partly a line, partly a product that only trees and nets follow."""
    return np.asarray(0.8 * columns[:, 0] + 0.4 * columns[:, 1] + 0.6 * columns[:, 2] * columns[:, 3])


def outcome(random: np.random.Generator, score: np.ndarray, is_regression: bool, noise: float = 1.0) -> np.ndarray:
    """Numbers around the score, or codes with its logistic probability."""
    if is_regression:
        return np.asarray(score + noise * random.standard_normal(len(score)))
    return np.asarray(random.random(len(score)) < 1 / (1 + np.exp(-score)), dtype=np.int64)


def of_twins(features: np.ndarray) -> np.ndarray:
    """The sum of what every twin's columns say."""
    return np.asarray(sum(signal(features[:, columns]) for columns in twin_views(features.shape[1] // WIDTH)))


def mirror_twins(twins: int) -> Callable[[np.random.Generator, int, bool], Sample]:
    """G1: contestants see columns that are exchangeable, so that no learner is better on one of them than on another."""
    def draw(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
        features = random.standard_normal((rows, WIDTH * twins))
        return Sample(features, outcome(random, of_twins(features), is_regression))
    return draw


def unequal_twins(favour: float, twins: int = 2) -> Callable[[np.random.Generator, int, bool], Sample]:
    """The first twin's columns say more than the others': `favour` is the factor."""
    def draw(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
        features = random.standard_normal((rows, WIDTH * twins))
        score = of_twins(features) + (favour - 1) * signal(features[:, :WIDTH])
        return Sample(features, outcome(random, score, is_regression))
    return draw


def crossing(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G2: five columns against all twenty, the rest of which help once there are rows enough to learn them."""
    features = random.standard_normal((rows, MANY))
    slopes = np.concatenate([np.full(FEW, 0.5), np.full(MANY - FEW, WEAK / np.sqrt(MANY - FEW))])
    return Sample(features, outcome(random, features @ slopes * (1.0 if is_regression else 2.0), is_regression))


def crossing_size() -> float:
    """Where least squares on the few and on all columns of G2 are equally good, in closed form."""
    return MANY + 1 + (MANY - FEW) / WEAK**2


def linear_truth(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G3: a line, so that the linear contestant wins at every size."""
    features = random.standard_normal((rows, 8))
    return Sample(features, outcome(random, features @ np.linspace(0.9, 0.2, 8), is_regression))


def steps_truth(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G4: a line, a threshold and an exclusive or, which trees find once there are rows enough."""
    features = random.standard_normal((rows, 8))
    steps = 1.0 * (features[:, 2] > 0.5) + 1.4 * np.sign(features[:, 3] * features[:, 4]) * (features[:, 2] > -0.5)
    return Sample(features, outcome(random, 0.5 * features[:, 0] + 0.3 * features[:, 1] + steps, is_regression))


def smooth_truth(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G5: waves along rotated directions, which nets follow and trees approximate by steps."""
    features = random.standard_normal((rows, 6))
    along = (features[:, 0] + features[:, 1] - features[:, 2]) / np.sqrt(3), (features[:, 3] - features[:, 4]) / np.sqrt(2)
    return Sample(features, outcome(random, 2.0 * np.sin(1.5 * along[0]) + 1.2 * along[1], is_regression, 0.5))


def peaking_truth(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G6: sixty columns with a little signal each; least squares on all of them is at its worst around sixty rows."""
    features = random.standard_normal((rows, 60))
    slopes = np.concatenate([np.full(5, 0.6), np.full(55, 0.12)])
    return Sample(features, outcome(random, features @ slopes, is_regression))


def heavy_tails(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G7: twins with columns and noise of three degrees of freedom."""
    features = random.standard_t(3, (rows, 2 * WIDTH)) / np.sqrt(3)
    score = of_twins(np.clip(features, -4, 4))
    if is_regression:
        return Sample(features, score + random.standard_t(3, rows))
    return Sample(features, outcome(random, score, is_regression))


def rare_class(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G8: twins with three rows in a hundred of the second class."""
    features = random.standard_normal((rows, 2 * WIDTH))
    score = of_twins(features) + np.log(RARE_SHARE / (1 - RARE_SHARE)) - 0.9
    return Sample(features, outcome(random, score, False))


def grouped(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G9: twins in groups of five whose columns and targets are alike."""
    group = np.arange(rows) // GROUP_ROWS
    shared, own = np.sqrt(WITHIN_GROUPS), np.sqrt(1 - WITHIN_GROUPS)
    of_groups = random.standard_normal((group[-1] + 1, 2 * WIDTH))
    features = shared * of_groups[group] + own * random.standard_normal((rows, 2 * WIDTH))
    score = of_twins(features) + random.standard_normal(group[-1] + 1)[group]
    return Sample(features, outcome(random, score, is_regression), group=group)


def grouped_unnamed(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G9 with groups that nobody named."""
    named = grouped(random, rows, is_regression)
    return Sample(named.features, named.target)


def copied(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G10: twins, three rows in ten of which are copies of others."""
    distinct = rows - int(COPIED_SHARE * rows)
    features = random.standard_normal((distinct, 2 * WIDTH))
    target = outcome(random, of_twins(features), is_regression)
    source = np.concatenate([np.arange(distinct), random.integers(0, distinct, rows - distinct)])
    return Sample(features[source], target[source], tie=source)


def drifting(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G11: twins whose columns wander and whose influence grows with time."""
    moment = np.linspace(0, 1, rows)
    features = random.standard_normal((rows, 2 * WIDTH)) + np.sin(3 * moment)[:, None]
    score = of_twins(features) * (0.5 + moment) - 2 * moment
    return Sample(features, outcome(random, score, is_regression), time=np.arange(rows, dtype=np.int64))


def drifting_unnamed(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """G11 with a time that nobody named."""
    named = drifting(random, rows, is_regression)
    return Sample(named.features, named.target)


EIGHT_SIZES = (30, 45, 68, 101, 152, 228, 300, 480)
TWO = twin_views()
WHOLE = (np.arange(8), np.arange(8))

GENERATORS: dict[str, Generator] = {each.name: each for each in (
    Generator("G1", "mirror twins", mirror_twins(2), TWO, is_null=True),
    Generator("G1x10", "ten mirror twins, full size", mirror_twins(10), twin_views(10), ("own",) * 10, is_null=True,
              sizes=(-1,)),
    Generator("G2", "few columns against many", crossing, (np.arange(FEW), np.arange(MANY)), rows=600, sizes=EIGHT_SIZES),
    Generator("G3", "linear truth", linear_truth, WHOLE, ("linear", "own")),
    Generator("G4", "steps: trees win with more rows", steps_truth, WHOLE, ("linear", "own"), rows=600),
    Generator("G5", "smooth waves: nets win", smooth_truth, (np.arange(6), np.arange(6)), ("linear", "own"), rows=600),
    Generator("G6", "a peak at sixty rows", peaking_truth, (np.arange(5), np.arange(60)), ("own", "interpolating")),
    Generator("G7", "heavy tails", heavy_tails, TWO, is_null=True),
    Generator("G8", "3 % of the second class", rare_class, TWO, is_null=True, tasks=("classification",), rows=1000),
    Generator("G9", "groups, named", grouped, TWO, is_null=True, split="grouped"),
    Generator("G9-", "groups, not named", grouped_unnamed, TWO, is_null=True),
    Generator("G10", "copied rows", copied, TWO, is_null=True),
    Generator("G11", "drift, time named", drifting, TWO, is_null=True, split="ordered"),
    Generator("G11-", "drift, time not named", drifting_unnamed, TWO, is_null=True),
)}
