"""Tables as people have them, on which no contestant is better at the full size though the contestants are not alike.

Least squares on few and on many columns is equally good at one size, known in closed form whatever the noise; else contestants
see exchangeable columns, or are one learner with two seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from calibration_tables import FEW, MANY, TWO, WIDTH, Generator, Sample, of_twins, outcome, twin_views

ROWS = 620
FULL = ROWS - ROWS // 5
HALF_AND_FULL = (-2, -1)
SHOCK_SCALE = 1.5
"""Spread of the logarithm of a shock; its mean square is 90 times that of the rest."""
CLAIM_SCALE = 1.0

Noise = Callable[[np.random.Generator, int], tuple[np.ndarray, float]]
"""(random, rows) -> noise of mean 0, and its variance."""


def normal(random: np.random.Generator, rows: int) -> tuple[np.ndarray, float]:
    """Light tails."""
    return random.standard_normal(rows), 1.0


def heavy(random: np.random.Generator, rows: int) -> tuple[np.ndarray, float]:
    """Student's t with three degrees of freedom."""
    return random.standard_t(3, rows), 3.0


def lognormal(random: np.random.Generator, rows: int) -> tuple[np.ndarray, float]:
    """Skewed."""
    return random.lognormal(size=rows) - np.exp(0.5), (np.e - 1) * np.e


def shocks(share: float) -> Noise:
    """Light tails, and in a share of the rows a lognormal shock on top."""
    def drawn(random: np.random.Generator, rows: int) -> tuple[np.ndarray, float]:
        shock = np.where(random.random(rows) < share, random.lognormal(0.0, SHOCK_SCALE, rows), 0.0)
        mean = share * np.exp(SHOCK_SCALE**2 / 2)
        return random.standard_normal(rows) + shock - mean, 1 + share * np.exp(2 * SHOCK_SCALE**2) - mean**2
    return drawn


def few_against_many(noise: Noise) -> Callable[[np.random.Generator, int, bool], Sample]:
    """Five columns against twenty: the rest help by as much as learning them costs after `FULL` rows.

    The risk of least squares on p columns of normal features is v (1 + p / (n - p - 2)), v being the noise and what is left out;
    a constant is fitted, too.
    """
    def draw(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
        features = random.standard_normal((rows, MANY))
        error, variance = noise(random, rows)
        left_out = variance * (MANY - FEW) / (FULL - MANY - 2)
        slopes = np.concatenate([np.full(FEW, 0.5), np.full(MANY - FEW, np.sqrt(left_out / (MANY - FEW)))])
        return Sample(features, features @ slopes + error)
    return draw


def claims(share: float) -> Callable[[np.random.Generator, int, bool], Sample]:
    """Twins whose target is 0 but for a share of the rows, where it is lognormal."""
    def draw(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
        features = random.standard_normal((rows, 2 * WIDTH))
        happens = random.random(rows) < share
        return Sample(features, happens * np.exp(0.5 * of_twins(features) + CLAIM_SCALE * random.standard_normal(rows)))
    return draw


def counts(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """Twins with Poisson's counts."""
    features = random.standard_normal((rows, 2 * WIDTH))
    return Sample(features, random.poisson(np.exp(np.clip(0.5 * of_twins(features), -5, 4))).astype(np.float64))


def classes(strength: float, shift: float) -> Callable[[np.random.Generator, int, bool], Sample]:
    """Twins with logistic classes, nearly separable where the signal is strong, rare where it is shifted."""
    def draw(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
        features = random.standard_normal((rows, 2 * WIDTH))
        return Sample(features, outcome(random, strength * of_twins(features) + shift, False))
    return draw


def many_classes(count: int) -> Callable[[np.random.Generator, int, bool], Sample]:
    """Twins with so many classes, whose scores are sums of what either twin's columns say of each class."""
    def draw(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
        features = random.standard_normal((rows, 2 * WIDTH))
        of_class = np.tile(0.4 * random.standard_normal((WIDTH, count)), (2, 1))
        return Sample(features, np.argmax(features @ of_class + random.gumbel(size=(rows, count)), axis=1))
    return draw


def uneven_groups(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """Twins in groups of one to some fifty rows, whose columns and targets are alike."""
    group = np.sort(random.choice(rows // 6, rows, p=_falling(rows // 6)))
    features = np.sqrt(0.5) * (random.standard_normal((rows, 2 * WIDTH))[group] + random.standard_normal((rows, 2 * WIDTH)))
    shared = random.standard_normal(rows)[group]
    return Sample(features, of_twins(features) + shared + random.standard_normal(rows), group=group)


def _falling(count: int) -> np.ndarray:
    share = 1 / np.arange(5, count + 5)
    return np.asarray(share / share.sum())


def autocorrelated(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """Twins in time: columns and noise remember nine tenths of the row before."""
    steps = random.standard_normal((rows, 2 * WIDTH + 1))
    for row in range(1, rows):
        steps[row] = 0.9 * steps[row - 1] + np.sqrt(1 - 0.81) * steps[row]
    return Sample(steps[:, :-1], of_twins(steps[:, :-1]) + steps[:, -1], time=np.arange(rows, dtype=np.int64))


def weighted(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """Twins with lognormal weights."""
    features = random.standard_normal((rows, 2 * WIDTH))
    return Sample(features, outcome(random, of_twins(features), True), weight=random.lognormal(0.0, 1.0, rows))


def twins(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """Mirror twins, for other splits than three times five folds."""
    features = random.standard_normal((rows, 2 * WIDTH))
    return Sample(features, outcome(random, of_twins(features), True))


def copied_often(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """Twins, three rows of which were copied until each makes up nearly a tenth of the table."""
    features = random.standard_normal((rows, 2 * WIDTH))
    times = rows // 10 - 2
    source = np.concatenate([np.repeat(np.arange(3), times), np.arange(3, rows - 3 * times + 3)])
    target = outcome(random, of_twins(features), True)
    return Sample(features[source], target[source], tie=source)


def lines(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
    """Twins whose columns say much, one of them most."""
    features = random.standard_normal((rows, 2 * WIDTH))
    of_twin = features[:, :WIDTH] + features[:, WIDTH:]
    return Sample(features, of_twin @ np.array([1.0, 0.4, 0.0, 0.0, 0.0]) + 0.3 * random.standard_normal(rows))


def of_many(count: int) -> Callable[[np.random.Generator, int, bool], Sample]:
    """So many twins."""
    def draw(random: np.random.Generator, rows: int, is_regression: bool) -> Sample:
        features = random.standard_normal((rows, count * WIDTH))
        return Sample(features, 0.5 * of_twins(features) + 2 * random.standard_normal(rows))
    return draw


LINEAR, SEEDS = ("linear", "linear"), ("features1", "features2")
FEW_MANY = (np.arange(FEW), np.arange(MANY))
SAME = (np.arange(WIDTH), np.arange(WIDTH))
REGRESSION, CLASSIFICATION, MULTICLASS = ("regression",), ("classification",), ("multiclass",)
SHARES = ("shares", "shares")
LIMITED_FULL, LIMITED_HEADLINE = "P29", "P30"
RACE, BEHIND = "P27", (np.array([1]), np.array([WIDTH + 1]), np.array([], dtype=np.int64))
"""Those behind see one column of either twin, the last one none."""


def _null(name: str, title: str, draw: Callable[[np.random.Generator, int, bool], Sample], **changes: object) -> Generator:
    known = {"views": TWO, "learners": LINEAR, "is_null": True, "tasks": REGRESSION, "rows": ROWS, "sizes": HALF_AND_FULL}
    return Generator(name, title, draw, **(known | changes))  # type: ignore[arg-type]


PEOPLE: dict[str, Generator] = {each.name: each for each in (
    *(_null(f"P{number}", f"5 against 20 columns, {title}", few_against_many(noise), views=FEW_MANY) for number, (title, noise) in
      enumerate((("normal noise", normal), ("t3 noise", heavy), ("lognormal noise", lognormal), ("shocks in 1 %", shocks(0.01)),
                 ("shocks in 5 %", shocks(0.05)), ("shocks in 20 %", shocks(0.2))), start=1)),
    *(_null(f"P{number}", f"claims in {share:.0%} of the rows", claims(share)) for number, share in
      ((7, 0.01), (8, 0.05), (9, 0.2))),
    _null("P10", "counts", counts),
    _null("P11", "nearly separable classes", classes(4.0, 0.0), tasks=CLASSIFICATION),
    _null("P12", "2 % of the second class", classes(1.0, -5.3), tasks=CLASSIFICATION, rows=1000),
    _null("P13", "uneven groups, named", uneven_groups, split="grouped"),
    _null("P14", "autocorrelated, time named", autocorrelated, split="ordered", folds=10),
    _null("P15", "lognormal weights", weighted),
    _null("P16", "two folds", twins, folds=2),
    _null("P17", "twenty folds", twins, folds=20, rows=200),
    _null("P18", "twenty approaches", of_many(20), views=twin_views(20), learners=("linear",) * 20),
    _null("P19", "two seeds of one net", twins, views=SAME, learners=SEEDS),
    _null("P20", "a test file, two seeds of one net", twins, views=SAME, learners=SEEDS, rows=4000, tested=0.5),
    _null("P21", "a test file of claims in 5 %", claims(0.05), tested=0.3),
    _null("P22", "a test file, ten times as many training rows", twins, rows=1100, tested=1 / 11),
    _null("P23", "a test file, five times as many test rows", twins, rows=1200, tested=5 / 6),
    *(_null(f"P{number}", f"{count} classes", many_classes(count), tasks=MULTICLASS, learners=SHARES, rows=rows)
      for number, count, rows in ((24, 3, 300), (25, 10, 620), (26, 50, 1500))),
    _null(RACE, "a race of two equals, two that are behind, a constant", lines, views=(*TWO, *BEHIND),
          sizes=(62, 124, 248, -1), learners=("linear",) * 5),
    _null("P28", "three rows copied sixty times", copied_often),
    *(_null(name, f"a limited plan of five, two of them at the full size: {where}", of_many(5), views=twin_views(5),
            sizes=(62, 124, 248, -1), learners=("linear",) * 5)
      for name, where in ((LIMITED_FULL, "the full size"), (LIMITED_HEADLINE, "the largest with all"))),
)}
"""By name. Unlike the other nulls, those of P1 to P6 are equally good at the full size alone."""
