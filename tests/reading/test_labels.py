"""Labels that differ only in how they are written: pointed out, merged on request, and refused where they would be lost."""

import numpy as np
import pandas as pd
import pytest

from tabbench.core.errors import BadData
from tabbench.reading.reading import read_table
from tabbench.reading.schema import read_new_rows
from tabbench.reading.target import read_target

ROWS = 120


def frame_of(labels, rows=ROWS):
    return pd.DataFrame({"x": np.arange(rows) % 7 / 3, "town": [["Bern", "bern", "Genf"][row % 3] for row in range(rows)],
                         "y": [labels[row % len(labels)] for row in range(rows)]})


def task_of(frame, **options):
    return read_target(read_table(frame, "y", **options))


def test_labels_written_in_several_ways_are_pointed_out_and_merged_on_request():
    table = read_table(frame_of(["Yes", "yes", "No", "No "]), "y")
    findings = {finding.subject: finding for finding in table.findings if finding.code == "alike-labels"}
    assert findings["y"].severity == "warn" and "'Yes', 'yes'" in findings["y"].message
    assert findings["town"].severity == "info" and "--merge-labels" in findings["town"].cure
    assert read_target(table).classes == ("No", "Yes", "yes")
    merged = read_table(frame_of(["Yes", "yes", "No", "No "]), "y", merge_labels=True)
    assert read_target(merged).classes == ("No", "Yes")
    assert merged.columns[1].levels == ("Bern", "Genf")
    assert "alike-labels" not in {finding.code for finding in merged.findings}


def test_new_rows_are_merged_as_in_training():
    columns = read_table(frame_of(["a", "b"]), "y", merge_labels=True).columns
    rows = read_new_rows(pd.DataFrame({"x": [1.0, 2.0], "town": ["BERN", " genf."]}), columns)
    assert rows.features["town"].tolist() == ["Bern", "Genf"] and not rows.notes


def test_labels_merged_become_yes_and_no():
    frame = frame_of(["a", "b"]).assign(paid=["Yes", "yes", "No"] * 40)
    assert read_table(frame, "y", merge_labels=True).columns[2].kind == "boolean"


def test_a_rare_class_that_is_a_slip_is_refused_and_the_cure_works():
    frame = frame_of(["Yes", "No"])
    frame.loc[:3, "y"] = "yes"
    with pytest.raises(BadData, match=r"'yes' has fewer than 10 rows and differs only in case.*'Yes'; make them one with"):
        task_of(frame)
    assert task_of(frame, merge_labels=True).classes == ("No", "Yes")


@pytest.mark.parametrize("written", ["{}.", "{} ", " {}", "{} .", "UPPER"])
def test_test_rows_whose_labels_are_written_otherwise(written):
    train, test = frame_of(["<=50k", ">50k"]), frame_of(["<=50k", ">50k"])
    test["y"] = test["y"].str.upper() if written == "UPPER" else [written.format(label) for label in test["y"]]
    if written.strip() == "{}":
        assert task_of(train, test=test).kind == "binary"
        return
    with pytest.raises(BadData, match=r"2 classes of the test file are not in training: .*; training has '<=50k', ") as caught:
        task_of(train, test=test)
    assert "--merge-labels" in caught.value.typed
    assert task_of(train, test=test, merge_labels=True).classes == ("<=50k", ">50k")


def test_test_rows_of_a_class_that_training_lacks():
    train, test = frame_of(["a", "b"]), frame_of(["a", "b", "c"])
    with pytest.raises(BadData, match="1 class of the test file is not in training: 'c'; training has 'a', 'b'; take the rows"):
        task_of(train, test=test)
    assert task_of(train, test=test[test["y"] != "c"]).classes == ("a", "b")
    with pytest.raises(BadData, match="1 class of the test file is not in training: '2'"):
        task_of(frame_of([0, 1]), test=frame_of([0, 1, 2]))
