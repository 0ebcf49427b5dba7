"""What kind of task a target makes, and the target as codes or numbers. Rare classes are settled here.

The rule never decides in silence: its sentence says what was chosen, why, and which option changes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd

from tabbench.core.cell import digest
from tabbench.core.errors import BadData, BadOption, OptionMention, UnknownName
from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.core.table import Table
from tabbench.core.task import TaskKind
from tabbench.reading.labels import alike, folded, in_quotes
from tabbench.reading.reading import FEWEST_ROWS

MOST_CLASSES_OF_NUMBERS = 20
"""Whole numbers with more different values are amounts."""
FEWEST_ROWS_A_CLASS_OF_NUMBERS = 10
"""Whole numbers of which each comes back less often on average are amounts, too."""
MOST_CLASSES = 1000
"""More labels than that are names: no learner here is meant for them, and probabilities would fill the memory."""
POOLED = "other"


@dataclass(frozen=True, eq=False)
class TargetReading:
    """The task that a target makes.

    `values` (n,) are int64 codes into `classes`, or float64 for regression; `table` lacks the rows that were set aside;
    `sentence` explains the choice to a person.
    """

    kind: TaskKind
    classes: tuple[str, ...]
    values: np.ndarray
    table: Table
    sentence: str
    findings: tuple[Finding, ...]


def read_target(table: Table, kind: str = "auto", folds: int = 5) -> TargetReading:
    """Decide the kind of task and settle rare classes.

    Labels are classes; numbers with a fraction are amounts; whole numbers are classes when they have at most 20 different values
    of at least 10 rows on average. A class with fewer than 2 x `folds` rows is merged into `other` (two or more such)
    or its rows are set aside (one, or what is merged being too few still).

    Raises
    ------
    BadData
        One class only, an infinite amount, too many labels, fewer than 30 usable rows.
    BadOption
        A `kind` that the values do not allow.
    """
    if kind not in ("auto", *get_args(TaskKind)):
        raise UnknownName.among("task", kind, ["auto", *get_args(TaskKind)])
    is_number = pd.api.types.is_numeric_dtype(table.target.dtype)
    if kind == "regression" and not is_number:
        labels = first_few(sorted(table.target.unique())[:3])
        raise BadOption.about(OptionMention("task", kind), f" needs numbers, but {_name(table)} holds labels ({labels}); leave ",
                              OptionMention("task"), " out or name another target")
    distinct = table.target.nunique()
    if distinct == 1:
        raise BadData(f"the target {_name(table)} is {shown(_spelled(table.target.iloc[0]))!r} in every row; there is nothing "
                      f"to predict")
    if kind == "regression" or (kind == "auto" and is_number and not _are_classes(table, distinct)):
        return _regression(table, kind, distinct)
    if distinct > MOST_CLASSES:
        cure = ("use ", OptionMention("task", "regression")) if is_number else ("choose another target",)
        raise BadData.about(f"the target {_name(table)} has {distinct:,} different labels in {len(table):,} rows; more than "
                            f"{MOST_CLASSES:,} are names, not classes: ", *cure)
    if kind == "binary" and distinct != 2:
        raise BadOption.about(OptionMention("task", kind), f" needs two classes, but {_name(table)} has {distinct:,}; use ",
                              OptionMention("task", "multiclass"))
    return _classification(table, kind, folds, is_number)


def take_rows(table: Table, rows: np.ndarray) -> Table:
    """The table of some rows, by position; the fingerprint follows from the old one and the positions."""
    positions = np.ascontiguousarray(rows, dtype="<i8")

    def taken(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[positions]

    return replace(table, features=table.features.take(positions).reset_index(drop=True),
                   target=table.target.take(positions).reset_index(drop=True),
                   rows=table.rows[positions], tie=table.tie[positions],
                   group=taken(table.group), time=taken(table.time), weight=taken(table.weight), fold=taken(table.fold),
                   test=taken(table.test),
                   fingerprint=digest([table.fingerprint, hashlib.sha256(positions.tobytes()).hexdigest()]))


def _name(table: Table) -> str:
    return repr(shown(table.target_name))


def _spelled(value: object) -> str:
    """A label as in the file: whole numbers without a point."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _are_classes(table: Table, distinct: int) -> bool:
    if distinct == 2:
        return True
    come_back = len(table) >= FEWEST_ROWS_A_CLASS_OF_NUMBERS * distinct
    return table.target_is_integer and distinct <= MOST_CLASSES_OF_NUMBERS and come_back


def _regression(table: Table, kind: str, distinct: int) -> TargetReading:
    values = table.target.to_numpy(dtype=np.float64)
    infinite = np.isinf(values)
    if infinite.any():
        row = int(table.rows[np.flatnonzero(infinite)[0]]) + 1
        raise BadData(f"the target {_name(table)} is infinite in {counted(int(infinite.sum()), 'row')} (first in row {row:,}); "
                      "correct or remove these rows")
    if kind == "regression":
        reason = "as declared"
    elif table.target_is_integer:
        reason = (f"{_name(table)} holds whole numbers with {distinct:,} different values, read as amounts; "
                  "if they are classes, use --task multiclass")
    else:
        reason = f"{_name(table)} holds numbers with a fraction"
    return TargetReading("regression", (), values, table, f"task: regression ({reason})", ())


def _classification(table: Table, kind: str, folds: int, is_number: bool) -> TargetReading:
    codes, labels = pd.factorize(table.target, sort=True)
    classes = [_spelled(label) for label in labels]
    _require_known_in_training(table, codes, classes)
    settled, classes, findings = _settle_rare(codes.astype(np.int64), classes, 2 * folds)
    kept = np.flatnonzero(settled >= 0)
    if len(kept) < len(table):
        table, settled = take_rows(table, kept), settled[kept]
    if len(classes) < 2:
        raise BadData.about(f"the target {_name(table)} has fewer than two classes with at least {2 * folds} rows (2 for each of "
                            f"{folds} folds); use fewer ", OptionMention("folds"), " or get more rows of the rare classes")
    if len(table) < FEWEST_ROWS:
        raise BadData(f"{table.name} has {counted(len(table), 'usable row')} after rare classes were set aside; at least "
                      f"{FEWEST_ROWS} are needed")
    task: TaskKind = "binary" if len(classes) == 2 else "multiclass"
    return TargetReading(task, tuple(classes), settled, table, _sentence(table, task, kind, classes, is_number), tuple(findings))


def _require_known_in_training(table: Table, codes: np.ndarray, classes: list[str]) -> None:
    """Refuse test rows of classes that no training row has: no approach could predict them."""
    if table.test is None:
        return
    of_training, of_test = np.unique(codes[~table.test]), np.unique(codes[table.test])
    known = [classes[each] for each in of_training]
    unknown = [classes[each] for each in of_test if each not in of_training]
    if not unknown:
        return
    several = len(unknown) > 1
    problem = (f"{counted(len(unknown), 'class')} of the test file {'are' if several else 'is'} not in training: "
               f"{in_quotes(unknown)}; training has {in_quotes(known)}")
    if any(folded(label) in map(folded, known) for label in unknown):
        raise BadData.about(f"{problem}; if they only differ in case, blanks or a full stop, make them one with ",
                            OptionMention("merge_labels"))
    raise BadData(f"{problem}; take the rows of {'these classes' if several else 'this class'} out of the test file, or add some "
                  "to the training rows")


def _sentence(table: Table, task: TaskKind, kind: str, classes: Sequence[str], is_number: bool) -> str:
    named = f"{len(classes)} classes: {first_few(classes)}" + (f", positive: {shown(classes[1])}" if task == "binary" else "")
    if kind != "auto":
        return f"task: {task}, {named} (as declared)"
    if not is_number:
        return f"task: {task}, {named}"
    if task == "binary":
        return f"task: {task}, {named} ({_name(table)} has two different values; if they are amounts, use --task regression)"
    return (f"task: {task}, {named} ({_name(table)} holds whole numbers with few different values; "
            "if they are amounts, use --task regression)")


def _settle_rare(codes: np.ndarray, classes: list[str], fewest: int) -> tuple[np.ndarray, list[str], list[Finding]]:
    """New codes (-1: set aside), new classes with the pooled one last, findings."""
    counts = np.bincount(codes, minlength=len(classes))
    rare = np.flatnonzero(counts < fewest)
    if not len(rare):
        return codes, classes, []
    names = [classes[each] for each in rare]
    _require_no_slip(names, classes, fewest)
    rows = int(counts[rare].sum())
    kept = [name for each, name in enumerate(classes) if counts[each] >= fewest]
    mapping = np.full(len(classes), -1, dtype=np.int64)
    mapping[counts >= fewest] = np.arange(len(kept))
    if len(rare) > 1 and rows >= fewest:
        pooled = _free(POOLED, classes)
        mapping[rare] = len(kept)
        kept.append(pooled)
        finding = Finding("rare-class", "warn", first_few(names), f"{len(rare)} classes with fewer than {fewest} rows "
                                                               f"({first_few(names)}; "
                          f"{counted(rows, 'row')}) are merged into {pooled!r}", "get more rows of them, or use fewer --folds")
    else:
        noun = "the class" if len(rare) == 1 else f"{len(rare)} classes"
        set_aside = f"{counted(rows, 'row')} of {noun} {first_few(names)} set aside: fewer than {fewest} rows"
        finding = Finding("rare-class", "warn", first_few(names), set_aside, "get more rows of it, or use fewer --folds")
    return mapping[codes], kept, [finding]


def _require_no_slip(rare: list[str], classes: list[str], fewest: int) -> None:
    """Refuse a rare class that seems to be another one, written otherwise."""
    group = next((group for group in alike(classes) if set(group) & set(rare)), None)
    if group is not None:
        few = next(label for label in group if label in rare)
        raise BadData.about(f"the class {in_quotes([few])} has fewer than {fewest} rows and differs only in case, blanks or a "
                            f"full stop from {in_quotes([label for label in group if label != few])}; make them one with ",
                            OptionMention("merge_labels"), ", or correct the table")


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name
