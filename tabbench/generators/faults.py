"""Tables with one fault each that breaks nets or the preparation of their inputs, around a truth that is easy without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.generator import GENERATORS, TARGET, Generator
from tabbench.core.task import TaskKind
from tabbench.generators.columns import named, outcome, weighted

WIDTH = 8
LEVELS = np.array(["amber", "blue", "coral", "dune"])
LEVEL_EFFECTS = np.array([-0.8, -0.2, 0.3, 0.7])
WEIGHTS = np.linspace(0.9, 0.2, WIDTH)


def without_fault(random: np.random.Generator, rows: int, task: str = "regression") -> pd.DataFrame:
    """Eight normal columns and a category, all of which say something."""
    x, level = random.standard_normal((rows, WIDTH)), random.integers(0, len(LEVELS), rows)
    score = weighted(x, WEIGHTS) + 0.6 * x[:, 0] * x[:, 1] + LEVEL_EFFECTS[level]
    return named(x, outcome(random, score, task, 0.7), level=LEVELS[level])


def replaced(table: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Columns replaced or added; the target stays last."""
    changed = table.assign(**columns)
    return changed[[*(name for name in changed if name != TARGET), TARGET]]


def chosen(random: np.random.Generator, rows: int, share: float) -> np.ndarray:
    """Positions of this share of the rows, one at least."""
    return random.choice(rows, max(1, round(min(share, 1.0) * rows)), replace=False)


def scales(random: np.random.Generator, rows: int, *, task: str = "regression") -> pd.DataFrame:
    """Columns whose units lie 24 powers of ten apart."""
    table = without_fault(random, rows, task)
    return replaced(table, **{f"x{place + 1}": table[f"x{place + 1}"] * 10.0 ** power
                              for place, power in enumerate(np.linspace(-12, 12, WIDTH).round())})


def offsets(random: np.random.Generator, rows: int, *, task: str = "regression", offset: int = 1_700_000_000_000) -> pd.DataFrame:
    """Columns far from zero with a small spread, as times in milliseconds have; float32 keeps nothing of it."""
    table = without_fault(random, rows, task)
    return replaced(table, **{name: offset + np.rint(1000 * table[name]).astype(np.int64) for name in ("x1", "x2", "x3")})


def extreme_cells(random: np.random.Generator, rows: int, *, task: str = "regression", share: float = 0.005) -> pd.DataFrame:
    """A few cells near the largest float32, in two columns."""
    table = without_fault(random, rows, task)
    for name in ("x1", "x2"):
        position = chosen(random, rows, share)
        values = table[name].to_numpy(copy=True)
        values[position] = random.choice([-3e38, -1e19, 1e20, 1e30, 3e38], len(position))
        table[name] = values
    return table


def constant_columns(random: np.random.Generator, rows: int, *, task: str = "regression") -> pd.DataFrame:
    """Columns that are constant, missing, constant but for one row, and copies of another."""
    table = without_fault(random, rows, task)
    almost = np.zeros(rows)
    almost[random.integers(rows)] = 1.0
    return replaced(table, constant=np.ones(rows), huge_constant=np.full(rows, 1e30), missing=np.full(rows, np.nan),
                    almost_constant=almost, copy=table["x1"], word=np.full(rows, "same"))


def near_copies(random: np.random.Generator, rows: int, *, task: str = "regression", copies: int = 8, spread: float = 1e-6
                ) -> pd.DataFrame:
    """Copies of one column that differ in the sixth digit: nearly collinear."""
    table = without_fault(random, rows, task)
    near = {f"copy{number + 1}": table["x1"] + spread * random.standard_normal(rows) for number in range(copies)}
    return replaced(table, **near)


def mostly_zero(random: np.random.Generator, rows: int, *, task: str = "regression", share: float = 0.97) -> pd.DataFrame:
    """Columns that are zero in most rows, so that their quartiles are equal, and large in the others."""
    table = without_fault(random, rows, task)
    counts = {f"count{number + 1}": np.where(random.random(rows) < share, 0.0, np.floor(random.standard_exponential(rows) * 1e4))
              for number in range(4)}
    return replaced(table, **counts)


def outlier_rows(random: np.random.Generator, rows: int, *, task: str = "regression", share: float = 0.005,
                 magnitude: float = 1e6) -> pd.DataFrame:
    """A few rows of which every number is far outside, their targets as ordinary as the others'."""
    table = without_fault(random, rows, task)
    position, names = chosen(random, rows, share), [f"x{place + 1}" for place in range(WIDTH)]
    numbers = table[names].to_numpy(copy=True)
    numbers[position] *= magnitude
    return replaced(table, **dict(zip(names, numbers.T, strict=True)))


def outlier_targets(random: np.random.Generator, rows: int, *, share: float = 0.002, magnitude: float = 1e4) -> pd.DataFrame:
    """A few targets are so many times as large."""
    table = without_fault(random, rows)
    target = table[TARGET].to_numpy(copy=True)
    target[chosen(random, rows, share)] *= magnitude
    return table.assign(**{TARGET: target})


def heavy_tailed_target(random: np.random.Generator, rows: int, *, spread: float = 2.0) -> pd.DataFrame:
    """A target whose logarithm is the ordinary one times `spread`: amounts over many powers of ten."""
    table = without_fault(random, rows)
    return table.assign(**{TARGET: np.exp(spread * table[TARGET])})


def target_scale(random: np.random.Generator, rows: int, *, scale: float = 1e20, offset: float = 0.0) -> pd.DataFrame:
    """A target in a unit that makes its numbers huge or tiny, or far from zero."""
    table = without_fault(random, rows)
    return table.assign(**{TARGET: offset + scale * table[TARGET]})


def almost_constant_target(random: np.random.Generator, rows: int, *, share: float = 0.97) -> pd.DataFrame:
    """A target that is zero in most rows."""
    table = without_fault(random, rows)
    target = table[TARGET].to_numpy()
    return table.assign(**{TARGET: np.maximum(0.0, target - np.quantile(target, min(share, 1.0)))})


def tiny_classes(random: np.random.Generator, rows: int, *, classes: int = 8) -> pd.DataFrame:
    """Classes each half as large as the one before it, the last ones with a few rows."""
    table = without_fault(random, rows)
    rank = table[TARGET].rank(method="first", ascending=False).to_numpy()
    code = np.minimum(np.floor(np.log2(rows / rank)).astype(int), max(2, classes) - 1)
    return table.assign(**{TARGET: np.array([f"class{number + 1}" for number in range(max(2, classes))])[code]})


def separable(random: np.random.Generator, rows: int) -> pd.DataFrame:
    """Classes with a gap between them: coefficients may grow without end."""
    x = random.standard_normal((rows, WIDTH))
    is_yes = weighted(x, WEIGHTS) > 0
    x += np.where(is_yes, 0.3, -0.3)[:, None] * WEIGHTS
    return named(x, np.where(is_yes, "yes", "no"))


def wrong_labels(random: np.random.Generator, rows: int, *, share: float = 0.3) -> pd.DataFrame:
    """This share of the labels is the other one."""
    table = without_fault(random, rows, "binary")
    position = chosen(random, rows, share)
    label = table[TARGET].to_numpy(copy=True)
    label[position] = np.where(label[position] == "yes", "no", "yes")
    return table.assign(**{TARGET: label})


def contradictions(random: np.random.Generator, rows: int) -> pd.DataFrame:
    """A quarter of the rows come twice, once with each label."""
    half = rows // 4
    table = without_fault(random, rows - half, "binary")
    twins = table.head(half)
    twins = twins.assign(**{TARGET: np.where(twins[TARGET] == "yes", "no", "yes")})
    return pd.concat([table, twins], ignore_index=True)


def many_levels(random: np.random.Generator, rows: int, *, task: str = "regression", share: float = 0.3) -> pd.DataFrame:
    """Categories with a level for about every third row, most of which never come back."""
    table = without_fault(random, rows, task)
    levels = max(2, int(share * rows))
    labels = np.array([f"level{number:07d}" for number in range(levels)])
    return replaced(table, code=labels[random.integers(0, levels, rows)], place=labels[random.integers(0, levels, rows)])


def telling_gaps(random: np.random.Generator, rows: int, *, task: str = "regression", share: float = 0.6) -> pd.DataFrame:
    """Most cells of three columns are missing, large numbers more often than small ones."""
    table = without_fault(random, rows, task)
    for name in ("x1", "x2", "x3"):
        is_gone = random.random(rows) < np.clip(share + 0.3 * np.sign(table[name]), 0.0, 0.99)
        table[name] = table[name].mask(is_gone)
    return table


def wide(random: np.random.Generator, rows: int, *, task: str = "regression", columns: int = 500) -> pd.DataFrame:
    """More columns than rows; eight say something."""
    x = random.standard_normal((rows, max(WIDTH, columns)))
    return named(x, outcome(random, weighted(x, WEIGHTS), task, 0.7))


NUMBERS: tuple[TaskKind, ...] = ("regression",)
LABELS: tuple[TaskKind, ...] = ("binary",)
BOTH = NUMBERS + LABELS
for generator in (
    Generator("scales", "columns whose units lie 24 powers of ten apart", BOTH, scales),
    Generator("offsets", "columns far from zero with a small spread, as times in milliseconds", BOTH, offsets),
    Generator("extreme_cells", "a few cells near the largest float32", BOTH, extreme_cells),
    Generator("constant_columns", "constant, missing, almost constant and copied columns", BOTH, constant_columns),
    Generator("near_copies", "columns that differ in the sixth digit", BOTH, near_copies),
    Generator("mostly_zero", "columns that are zero in most rows and large in the others", BOTH, mostly_zero),
    Generator("outlier_rows", "a few rows with every number a million times as large", BOTH, outlier_rows),
    Generator("outlier_targets", "a few targets 10,000 times as large", NUMBERS, outlier_targets),
    Generator("heavy_tailed_target", "a target over many powers of ten", NUMBERS, heavy_tailed_target),
    Generator("target_scale", "a target in a unit that makes its numbers huge", NUMBERS, target_scale),
    Generator("almost_constant_target", "a target that is zero in most rows", NUMBERS, almost_constant_target),
    Generator("tiny_classes", "classes each half as large as the one before it", ("multiclass",), tiny_classes),
    Generator("separable", "classes with a gap between them", LABELS, separable),
    Generator("wrong_labels", "30 % of the labels are wrong", LABELS, wrong_labels),
    Generator("contradictions", "a quarter of the rows come twice, once with each label", LABELS, contradictions),
    Generator("many_levels", "categories with about a level for every third row", BOTH, many_levels),
    Generator("telling_gaps", "most cells of three columns are missing, and that tells", BOTH, telling_gaps),
    Generator("wide", "more columns than rows", BOTH, wide, rows=300),
):
    GENERATORS.register(generator)
