"""Tables that differ in the shape of their truth: lines, steps, waves, products. The rows are independent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.core.generator import GENERATORS, Generator
from tabbench.generators.columns import named, outcome, weighted

FEW, MANY, WEAK = 5, 20, 0.45
"""`crossing`: strong columns, all columns, the spread that the weak ones cause together."""


def linear(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0) -> pd.DataFrame:
    """Eight columns with falling coefficients."""
    x = random.standard_normal((rows, 8))
    return named(x, outcome(random, weighted(x, np.linspace(0.9, 0.2, 8)), task, noise))


def steps(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0) -> pd.DataFrame:
    """A line, a threshold and an exclusive or."""
    x = random.standard_normal((rows, 8))
    jumps = 1.0 * (x[:, 2] > 0.5) + 1.4 * np.sign(x[:, 3] * x[:, 4]) * (x[:, 2] > -0.5)
    return named(x, outcome(random, 0.5 * x[:, 0] + 0.3 * x[:, 1] + jumps, task, noise))


def waves(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 0.5) -> pd.DataFrame:
    """A sine along one rotated direction and a line along another."""
    x = random.standard_normal((rows, 6))
    first, second = (x[:, 0] + x[:, 1] - x[:, 2]) / np.sqrt(3), (x[:, 3] - x[:, 4]) / np.sqrt(2)
    return named(x, outcome(random, 2.0 * np.sin(1.5 * first) + 1.2 * second, task, noise))


def xor(random: np.random.Generator, rows: int, *, task: str = "binary", noise: float = 0.5, columns: int = 6) -> pd.DataFrame:
    """The exclusive or of two signs; each column alone says nothing."""
    x = random.standard_normal((rows, max(2, columns)))
    return named(x, outcome(random, np.sign(x[:, 0] * x[:, 1]), task, noise))


def periodic(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 0.3, periods: float = 4.0
             ) -> pd.DataFrame:
    """A sine of one uniform column with so many periods, and a line."""
    x = random.random((rows, 4))
    return named(x, outcome(random, np.sin(2 * np.pi * periods * x[:, 0]) + x[:, 1] - 0.5, task, noise))


def crossing(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0) -> pd.DataFrame:
    """Five strong columns and fifteen weak ones."""
    x = random.standard_normal((rows, MANY))
    slopes = np.repeat([0.5, WEAK / np.sqrt(MANY - FEW)], [FEW, MANY - FEW])
    return named(x, outcome(random, weighted(x, slopes), task, noise))


def peaking(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0) -> pd.DataFrame:
    """Sixty columns with a little signal each."""
    x = random.standard_normal((rows, 60))
    return named(x, outcome(random, weighted(x, np.repeat([0.6, 0.12], [5, 55])), task, noise))


def nothing(random: np.random.Generator, rows: int, *, task: str = "regression", columns: int = 10) -> pd.DataFrame:
    """No column says anything."""
    x = random.standard_normal((rows, max(1, columns)))
    return named(x, outcome(random, np.zeros(rows), task, 1.0))


for name, summary, draw in (
    ("linear", "a linear truth", linear),
    ("steps", "thresholds and an exclusive or, which trees find with rows enough", steps),
    ("waves", "smooth waves along rotated directions, which nets follow", waves),
    ("periodic", "a sine with several periods in one column", periodic),
    ("crossing", "few strong columns and many weak ones, which pay only with rows enough", crossing),
    ("peaking", "sixty columns with a little signal each; least squares is worst around sixty rows", peaking),
    ("nothing", "no column says anything: nothing beats a constant prediction", nothing),
):
    GENERATORS.register(Generator(name, summary, ("regression", "binary"), draw))
GENERATORS.register(Generator("xor", "the exclusive or of two signs; each column alone says nothing", ("binary", "regression"),
                              xor))
