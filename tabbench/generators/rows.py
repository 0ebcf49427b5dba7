"""Tables that differ in how their rows come about: heavy tails, a rare class, groups, copies, time. The truth is the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabbench.core.generator import GENERATORS, Generator
from tabbench.core.task import TaskKind
from tabbench.generators.columns import named, outcome

WIDTH = 10
DEGREES_OF_FREEDOM = 3
"""Student's t with so few has a variance but no fourth moment."""
WITHIN_GROUPS = 0.5
"""Intraclass correlation of columns and target."""
MOST_TAIL = 4.0
"""Beyond this a heavy-tailed column changes the target no further."""


def signal(x: np.ndarray) -> np.ndarray:
    """What two sets of five columns say: partly a line, partly a product that only trees and nets follow."""
    total = np.zeros(len(x))
    for first in (0, 5):
        total += 0.8 * x[:, first] + 0.4 * x[:, first + 1] + 0.6 * x[:, first + 2] * x[:, first + 3]
    return total


def independent(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0) -> pd.DataFrame:
    """Normal columns, of which the second five say the same as the first."""
    x = random.standard_normal((rows, WIDTH))
    return named(x, outcome(random, signal(x), task, noise))


def heavy_tails(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0) -> pd.DataFrame:
    """Columns and noise of three degrees of freedom."""
    x = random.standard_t(DEGREES_OF_FREEDOM, (rows, WIDTH)) / np.sqrt(DEGREES_OF_FREEDOM)
    score = signal(np.clip(x, -MOST_TAIL, MOST_TAIL))
    if task == "regression":
        return named(x, score + noise * random.standard_t(DEGREES_OF_FREEDOM, rows))
    return named(x, outcome(random, score, task, noise))


def rare_class(random: np.random.Generator, rows: int, *, share: float = 0.03) -> pd.DataFrame:
    """About this share of the rows is "yes"."""
    x = random.standard_normal((rows, WIDTH))
    score = signal(x) + 1.6 * random.logistic(size=rows)
    return named(x, np.where(score > np.quantile(score, 1 - min(share, 0.5)), "yes", "no"))


def groups(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0, size: int = 5
           ) -> pd.DataFrame:
    """Groups of so many rows whose columns and targets are alike."""
    group = np.arange(rows) // max(1, size)
    of_groups = random.standard_normal((group[-1] + 1, WIDTH))
    x = np.sqrt(WITHIN_GROUPS) * of_groups[group] + np.sqrt(1 - WITHIN_GROUPS) * random.standard_normal((rows, WIDTH))
    score = signal(x) + random.standard_normal(group[-1] + 1)[group]
    labels = np.array([f"g{number:06d}" for number in range(group[-1] + 1)])
    return named(x, outcome(random, score, task, noise), group=labels[group])


def copied_rows(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0, share: float = 0.3
                ) -> pd.DataFrame:
    """This share of the rows are copies of others, target included."""
    distinct = max(1, rows - int(min(share, 1.0) * rows))
    table = independent(random, distinct, task=task, noise=noise)
    source = np.concatenate([np.arange(distinct), random.integers(0, distinct, rows - distinct)])
    return table.iloc[source].reset_index(drop=True)


def drift(random: np.random.Generator, rows: int, *, task: str = "regression", noise: float = 1.0) -> pd.DataFrame:
    """Columns that wander, and an influence that grows with time."""
    moment = np.linspace(0, 1, rows)
    x = random.standard_normal((rows, WIDTH)) + np.sin(3 * moment)[:, None]
    score = signal(x) * (0.5 + moment) - 2 * moment
    return named(x, outcome(random, score, task, noise), time=np.arange(rows))


BOTH: tuple[TaskKind, ...] = ("regression", "binary")
for generator in (
    Generator("independent", "independent rows: lines and products", BOTH, independent),
    Generator("heavy_tails", "columns and noise with heavy tails (Student's t, 3 degrees of freedom)", BOTH, heavy_tails),
    Generator("rare_class", "3 % of the rows are of the second class", ("binary",), rare_class),
    Generator("groups", "groups of five similar rows", BOTH, groups, group="group"),
    Generator("copied_rows", "30 % of the rows are copies of others", BOTH, copied_rows),
    Generator("drift", "columns and their influence change with time", BOTH, drift, time="time"),
):
    GENERATORS.register(generator)
