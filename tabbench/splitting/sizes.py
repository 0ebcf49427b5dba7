"""The grid of training sizes of a run. Knows splits and target only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tabbench.core.errors import BadData, BadOption
from tabbench.core.split import SplitPlan
from tabbench.core.task import Task

LADDER_ANCHOR = 1_000
"""Sizes are this times powers of two, rounded down, so that people see numbers they know."""
SMALLEST_SIZE = 31
"""The ladder's step 1,000 / 32: below it an inner split holds a handful of rows."""
ROWS_PER_CLASS = 10
ROWS_OF_EVERY_CLASS = 2
"""One to learn from and one to validate on."""
FEWEST_GROUPS = 4
"""Groups in a training set, so that inner splits can keep them whole."""
COMMON_CLASSES_SHARE = 0.99
"""The curve waits for the commonest classes that make up this share; what the others cost it at small sizes is little."""
PATIENCE = 16
"""It does not wait beyond pool / 16 rows either (a class may be old in time), so that three doublings remain."""
LARGEST_STEP_SHARE = 0.8
"""A step closer to the full size than this would tell nothing that the full size does not."""
SMALLEST_WANTED = 10
"""Least size that may be asked for: inner splits need rows."""


def size_grid(plan: SplitPlan, target: np.ndarray, task: Task, wanted: str | Sequence[int | str] = "auto") -> tuple[int, ...]:
    """Training sizes, ascending.

    `auto` is the ladder 1000 x 2^k from the smallest sensible size to half of the rows that are ever trained on, and the full
    size. The smallest sensible size is at least 31, ten rows a class, and four groups and two rows of every class in every
    split; classes beyond the commonest that make up 99 % of the rows, or that take more than a sixteenth of the rows, are
    not waited for. Otherwise `wanted` holds numbers and `full`, as a list or separated by commas.

    Raises
    ------
    BadOption
        A size that is no number, above the full size or too small to learn from.
    BadData
        No size up to the full one holds two rows of two classes in every split.
    """
    needs = np.zeros(2) if task.is_regression else _rows_until(plan, target, task.n_classes)
    learnable = np.partition(needs, 1)[1]  # from here on two classes are there
    if learnable > plan.full_size:
        raise BadData("a training part holds fewer than two rows of a second class; choose other splits or check the target")
    floor = max(SMALLEST_WANTED, int(learnable))
    if isinstance(wanted, str) and wanted.strip().lower() == "auto":
        waited_for = np.zeros(0) if task.is_regression else needs[_common_classes(target, task.n_classes)]
        return _ladder(plan, max(floor, ROWS_PER_CLASS * task.n_classes), waited_for)
    words: list[int | str] = [*wanted.split(",")] if isinstance(wanted, str) else list(wanted)
    if not words:
        raise BadOption("--sizes names no size; give numbers and `full`, such as 500,1000,full")
    return tuple(sorted({_checked_size(word, plan.full_size, floor) for word in words}))


def _checked_size(word: int | str, full_size: int, floor: int) -> int:
    text = str(word).strip().lower()
    if text == "full":
        return full_size
    if not text.isdecimal():
        raise BadOption(f"--sizes holds {str(word)!r}; give whole numbers and `full`, such as 500,1000,full")
    size = int(text)
    if size > full_size:
        raise BadOption(f"--sizes {size} is above the full size, the {full_size:,} rows of a training part; choose at most that, "
                        "or `full`")
    if size < floor:
        raise BadOption(f"--sizes {size} is too small: ten rows, and two rows of two classes in every split, are needed; "
                        f"choose at least {floor:,}")
    return size


def _common_classes(target: np.ndarray, n_classes: int) -> np.ndarray:
    """The commonest classes that make up 99 % of the rows."""
    counts = np.bincount(target, minlength=n_classes)
    descending = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[descending]) - counts[descending]
    return np.asarray(descending[before < COMMON_CLASSES_SHARE * len(target)])


def _ladder(plan: SplitPlan, least: int, needs: np.ndarray) -> tuple[int, ...]:
    is_trained = np.zeros(len(plan.unit), dtype=bool)
    for split in plan.splits:
        is_trained[split.train] = True
    pool = int(is_trained.sum())
    first = max(SMALLEST_SIZE, least, _rows_until_groups(plan), *needs[needs <= pool / PATIENCE].tolist())
    largest = min(pool // 2, int(LARGEST_STEP_SHARE * plan.full_size))
    ladder = [int(LADDER_ANCHOR * 2.0**power) for power in range(-5, 40)]
    return (*(step for step in ladder if first <= step <= largest), plan.full_size)


def _rows_until(plan: SplitPlan, target: np.ndarray, n_classes: int) -> np.ndarray:
    """For each class the smallest size whose prefix holds two of its rows in every split; infinite where none does."""
    needs = np.zeros(n_classes)
    for split in plan.splits:
        codes = target[split.train]
        by_class = np.argsort(codes.astype(np.int32), kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=n_classes))
        wanted = np.append(0, ends[:-1]) + ROWS_OF_EVERY_CLASS - 1
        is_there = wanted < ends
        needs[~is_there] = np.inf
        needs[is_there] = np.maximum(needs[is_there], by_class[wanted[is_there]] + 1)
    return needs


def _rows_until_groups(plan: SplitPlan) -> int:
    """The smallest size whose prefix holds four groups in every split (1 where rows are their own units)."""
    least = 1
    if len(pd.unique(plan.unit)) == len(plan.unit):
        return least
    for split in plan.splits:
        first_rows = np.sort(np.unique(plan.unit[split.train], return_index=True)[1])
        least = max(least, int(first_rows[min(FEWEST_GROUPS, len(first_rows)) - 1]) + 1)
    return least
