"""What counts as missing, what is a label, and that the user has the last word."""

import numpy as np
import pandas as pd
import pytest

from tabbench.reading.reading import read_table
from tabbench.reading.schema import read_new_rows

ROWS = 90


def written(folder, **columns):
    """A CSV file of columns that are repeated to some rows."""
    frame = pd.DataFrame({name: [values[row % len(values)] for row in range(ROWS)] for name, values in columns.items()})
    frame["z"] = np.arange(ROWS) % 13 / 4
    frame.to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def said(table, code):
    return [finding.severity for finding in table.findings if finding.code == code]


@pytest.mark.parametrize("labels", [["NA", "EU", "AS"], ["NA", "north", "south"]])
def test_na_is_a_label_of_a_target_where_it_is_like_its_neighbours(labels, tmp_path):
    path = written(tmp_path, y=labels)
    table = read_table(path, "y")
    assert sorted(table.target.unique()) == sorted(labels) and said(table, "na-label") == ["warn"]
    without = read_table(path, "y", missing=["NA"])
    assert len(without) == ROWS * 2 / 3 and "na-label" not in {finding.code for finding in without.findings}


def test_na_is_missing_where_it_is_rare_or_numbers_are_written_so(tmp_path):
    rare = read_table(written(tmp_path, y=["red", "blue"] * 44 + ["red", "NA"]), "y")
    assert len(rare) == ROWS - 1 and said(rare, "na-missing") == ["warn"]
    path = written(tmp_path, c=["NA", "red", "blue"], n=["NA", "1.5", "2"], y=[0.5, 1.5, 2.5, 3.5])
    assert read_table(path, "y").features["c"].isna().sum() == ROWS / 3
    kept = read_table(path, "y", missing=["?"])
    assert kept.features["c"].isna().sum() == 0 and kept.features["n"].isna().sum() == ROWS / 3


def test_na_that_training_knew_as_a_label_is_one_in_new_rows(tmp_path):
    table = read_table(written(tmp_path, country=["NA", "DE", "CH"], y=[0.5, 1.5, 2.5, 3.5]), "y")
    assert table.features["country"].tolist()[:2] == ["NA", "DE"] and said(table, "na-label") == ["info"]
    new = read_new_rows(pd.DataFrame({"country": ["NA", ""], "z": [1.0, 2.0]}), table.columns)
    assert new.features["country"].tolist()[0] == "NA" and new.features["country"].isna().tolist() == [False, True]


def test_codes_that_the_user_names_are_missing_in_training_and_in_new_rows(tmp_path):
    path = written(tmp_path, n=["-9", "5", "7"], f=["-9.0", "1.5", "99"], c=["?", "red", "99"], y=[0.5, 1.5, 2.5, 3.5])
    table = read_table(path, "y", missing=["-9", "?", 99])
    assert table.features[["n", "f", "c"]].isna().sum().tolist() == [30, 60, 60]
    assert table.features["n"].dropna().unique().tolist() == [5, 7]
    new = read_new_rows(pd.DataFrame({"n": [-9, 5], "f": ["99.0", "1.5"], "c": ["99", "red"], "z": [1.0, 2.0]}), table.columns)
    assert new.features.isna().sum().tolist() == [1, 1, 1, 0]
    frame = pd.read_csv(path)
    assert read_table(frame, "y", missing=["-9", "?", 99]).features[["n", "f", "c"]].isna().sum().tolist() == [30, 60, 60]


def test_a_date_column_with_a_few_other_cells_is_one(tmp_path):
    days = pd.date_range("2024-01-01", periods=ROWS).strftime("%d.%m.%Y").tolist()
    table = read_table(written(tmp_path, day=[*days[:-2], "30.02.2024", "soon"], y=[0.5, 1.5, 2.5, 3.5]), "y")
    assert table.features["day"].dtype == "datetime64[us]" and table.features["day"].isna().sum() == 2
    assert said(table, "stray-word") == ["warn"]
    few = read_table(written(tmp_path, day=[*days[:45], *(f"day {row}" for row in range(45))], y=[0.5, 1.5, 2.5, 3.5]), "y")
    assert "day" not in few.features or few.features["day"].dtype != "datetime64[us]"
