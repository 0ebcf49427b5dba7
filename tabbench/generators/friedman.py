"""The three regression problems of Friedman (1991), doi:10.1214/aos/1176347963, with the noise of that paper."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.core.generator import GENERATORS, Generator
from tabbench.generators.columns import named, outcome

LOW, HIGH = np.array([0.0, 40 * np.pi, 0.0, 1.0]), np.array([100.0, 560 * np.pi, 1.0, 11.0])
"""Ranges of the four columns of the second and third problem: resistance, frequency, inductance, capacitance."""


def friedman1(random: np.random.Generator, rows: int, *, noise: float = 1.0) -> pd.DataFrame:
    """Ten uniform columns: a product within a sine, a square, two lines, and five that say nothing."""
    x = random.random((rows, 10))
    score = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return named(x, outcome(random, score, "regression", noise))


def circuit(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Four columns (n, 4) and the reactance (n,) of an alternating-current circuit."""
    x = LOW + (HIGH - LOW) * random.random((rows, 4))
    return x, x[:, 1] * x[:, 2] - 1 / (x[:, 1] * x[:, 3])


def friedman2(random: np.random.Generator, rows: int, *, noise: float = 125.0) -> pd.DataFrame:
    """The impedance of a circuit."""
    x, reactance = circuit(random, rows)
    return named(x, outcome(random, np.sqrt(x[:, 0] ** 2 + reactance**2), "regression", noise))


def friedman3(random: np.random.Generator, rows: int, *, noise: float = 0.1) -> pd.DataFrame:
    """The phase of a circuit."""
    x, reactance = circuit(random, rows)
    return named(x, outcome(random, np.arctan(reactance / x[:, 0]), "regression", noise))


for name, summary, draw in (
    ("friedman1", "Friedman's first problem: five of ten columns, an interaction within a sine", friedman1),
    ("friedman2", "Friedman's second problem: the impedance of a circuit", friedman2),
    ("friedman3", "Friedman's third problem: the phase of a circuit", friedman3),
):
    GENERATORS.register(Generator(name, summary, ("regression",), draw))
