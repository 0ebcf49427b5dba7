"""The task rule, rare classes and tables of some rows."""

import numpy as np
import pandas as pd
import pytest

from tabbench.core.errors import BadData, BadOption, UnknownName
from tabbench.reading.reading import read_table
from tabbench.reading.target import read_target, take_rows


def table_with(target):
    target = list(target)
    rows = len(target)
    return read_table(pd.DataFrame({"x": np.arange(rows) % 13 / 3, "c": [f"level {row % 4}" for row in range(rows)],
                                    "goal": target}), "goal")


@pytest.mark.parametrize(("target", "kind", "classes"), [
    (["no", "yes"] * 50, "binary", ("no", "yes")),
    ([1, 0] * 50, "binary", ("0", "1")),
    ([2.5, 1.5] * 50, "binary", ("1.5", "2.5")),
    ([True, False] * 50, "binary", ("False", "True")),
    (["b", "a", "c"] * 40, "multiclass", ("a", "b", "c")),
    ([10, 9, 2] * 40, "multiclass", ("2", "9", "10")),
    (["02", "01", "10"] * 40, "multiclass", ("01", "02", "10")),
    (list(range(20)) * 5, "regression", ()),
    (list(range(20)) * 10, "multiclass", tuple(str(value) for value in range(20))),
    (list(range(21)) * 50, "regression", ()),
    ([0.1, 0.2, 0.7] * 40, "regression", ()),
    (["$1,200.50", "$3", "$7"] * 40, "regression", ()),
])
def test_task_rule(target, kind, classes):
    read = read_target(table_with(target))
    assert (read.kind, read.classes) == (kind, classes)
    assert read.sentence.startswith(f"task: {kind}")
    assert len(read.values) == len(read.table)
    if kind != "regression":
        assert read.values.dtype == np.int64 and set(read.values) == set(range(len(classes)))


def test_the_choice_is_explained_with_the_flag_that_changes_it():
    assert "--task regression" in read_target(table_with([1, 2, 3] * 40)).sentence
    assert "--task multiclass" in read_target(table_with(range(100))).sentence
    table = table_with([1, 2, 3] * 40)
    as_amounts = read_target(table, "regression")
    assert as_amounts.kind == "regression" and as_amounts.values.tolist() == [1.0, 2.0, 3.0] * 40
    assert read_target(table_with(list(range(25)) * 20), "multiclass").classes[-1] == "24"


@pytest.mark.parametrize(("target", "kind", "error", "words"), [
    (["a"] * 50, "auto", BadData, "'a' in every row"),
    (["a", "b"] * 50, "regression", BadOption, "holds labels \\(a, b\\)"),
    (["a", "b", "c"] * 50, "binary", BadOption, "has 3"),
    ([*np.arange(60.0) / 7, np.inf], "auto", BadData, "infinite in 1 row .first in row 61"),
    ([f"name {row}" for row in range(1500)], "auto", BadData, "1,500 different labels"),
    (["a"] * 50 + ["b"] * 4, "auto", BadData, "fewer than two classes"),
    ([f"{row} a" for row in range(20)] * 2 + ["b"], "multiclass", BadData, "fewer than two classes"),
    (["a", "b"] * 50, "classify", UnknownName, "no task"),
])
def test_targets_that_make_no_task(target, kind, error, words):
    with pytest.raises(error, match=words):
        read_target(table_with(target), kind)


def test_two_rare_classes_are_merged():
    target = ["a"] * 40 + ["b"] * 40 + ["c"] * 6 + ["d"] * 5
    read = read_target(table_with(target))
    assert read.classes == ("a", "b", "other")
    assert np.bincount(read.values).tolist() == [40, 40, 11]
    assert len(read.table) == 91 and [finding.code for finding in read.findings] == ["rare-class"]
    assert read_target(table_with(["other" if label == "b" else label for label in target])).classes == ("a", "other", "other_")


def test_one_rare_class_is_set_aside():
    target = ["a"] * 40 + ["c"] * 9 + ["b"] * 40
    read = read_target(table_with(target))
    assert read.classes == ("a", "b") and read.kind == "binary"
    assert len(read.table) == 80 and read.table.rows[40] == 49
    assert "9 rows" in read.findings[0].message
    assert read_target(table_with(target), folds=4).classes == ("a", "b", "c")


def test_rare_classes_that_are_too_few_together_are_set_aside():
    read = read_target(table_with(["a"] * 40 + ["b"] * 40 + ["c"] * 2 + ["d"] * 3))
    assert read.classes == ("a", "b") and len(read.table) == 80


def test_rows_of_a_table():
    frame = pd.DataFrame({"x": np.arange(60) % 7 / 3, "g": np.arange(60) % 12, "t": np.arange(60) * 2,
                          "w": np.arange(60) % 5 + 0.5, "y": np.arange(60) / 7})
    table = read_table(frame, "y", group="g", time="t", weight="w", test=frame.iloc[:10])
    rows = np.array([5, 3, 65])
    part = take_rows(table, rows)
    assert len(part) == 3 and part.features.index.tolist() == [0, 1, 2]
    for name in ("group", "time", "weight", "test", "rows", "tie"):
        assert getattr(part, name).tolist() == getattr(table, name)[rows].tolist()
    assert part.target.tolist() == table.target.iloc[rows].tolist()
    assert part.fingerprint == take_rows(table, rows).fingerprint != take_rows(table, rows[::-1]).fingerprint != table.fingerprint
