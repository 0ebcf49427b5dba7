"""New rows are made to fit the training columns, or refused with a sentence."""

import numpy as np
import pandas as pd
import pytest

from tabbench.core.errors import BadData
from tabbench.data.reading import read_table
from tabbench.data.schema import read_new_rows

ROWS = 120


def training_frame():
    return pd.DataFrame({
        "whole": np.arange(ROWS) % 9, "real": np.arange(ROWS) % 17 / 3,
        "price": [f"{row % 19},{row % 10}0 €" for row in range(ROWS)],
        "zip": [f"0{row % 13 + 100}" for row in range(ROWS)], "city": [["Bern", "Chur", ""][row % 3] for row in range(ROWS)],
        "smokes": [["yes", "no", "-"][row % 3] for row in range(ROWS)],
        "born": [f"{row % 28 + 1:02d}.{row % 12 + 1:02d}.1980" for row in range(ROWS)],
        "seen": pd.date_range("2020-01-01", periods=ROWS).strftime("%Y-%m-%d"),
        "note": [f"a remark that is number {row}" for row in range(ROWS)],
        "measured": np.where(np.arange(ROWS) % 10 == 0, -999, np.arange(ROWS) % 23 + 5), "y": np.arange(ROWS) / 7})


@pytest.fixture
def path(tmp_path):
    training_frame().to_csv(tmp_path / "train.csv", index=False, sep=";")
    return tmp_path / "train.csv"


@pytest.fixture
def table(path):
    return read_table(path, "y")


def conformed(source, columns):
    new = read_new_rows(source, columns)
    return new.features, new.notes


def assert_same_features(features, table):
    assert features.columns.tolist() == table.features.columns.tolist()
    for column in table.columns:
        pd.testing.assert_series_equal(features[column.name], table.features[column.name], check_dtype=column.kind != "number")


def test_training_columns_are_of_every_kind(table):
    assert {column.name: column.kind for column in table.columns} == {
        "whole": "number", "real": "number", "price": "number", "zip": "category", "city": "category", "smokes": "boolean",
        "born": "date",
        "seen": "date", "note": "text", "measured": "number"}


def test_the_training_file_gives_the_training_features(path, table):
    new = read_new_rows(path, table.columns)
    assert_same_features(new.features, table)
    assert new.notes == ["1 column not used: y"]
    assert new.raw["zip"].tolist()[:2] == ["0100", "0101"]


def test_order_extra_columns_and_other_types(table, tmp_path):
    frame = training_frame().drop(columns="y")
    frame["whole"] = frame["whole"].astype(str)
    frame["real"] = frame["real"].astype("Float64")
    frame["city"] = frame["city"].astype("category")
    frame["smokes"] = frame["smokes"].map({"yes": True, "no": False, "-": None}).astype("boolean")
    frame["seen"] = pd.to_datetime(frame["seen"])
    frame = frame[frame.columns[::-1]].assign(id=range(ROWS))
    features, notes = conformed(frame, table.columns)
    assert_same_features(features, table)
    assert notes == ["1 column not used: id"]
    frame.to_parquet(tmp_path / "new.parquet")
    assert_same_features(read_new_rows(tmp_path / "new.parquet", table.columns).features, table)


def test_all_rows_are_kept_in_order(table, tmp_path):
    lines = training_frame().drop(columns="y").to_csv(index=False, sep=";").splitlines()
    (tmp_path / "new.csv").write_text("\n".join([lines[0], lines[3], ";" * 9, lines[1], lines[3]]) + "\n")
    new = read_new_rows(tmp_path / "new.csv", table.columns)
    assert len(new.features) == len(new.raw) == 4
    assert new.features.iloc[1].isna().all()
    assert new.features["note"].tolist()[::2] == ["a remark that is number 2", "a remark that is number 0"]


def test_one_row(table):
    features = read_new_rows(training_frame().iloc[[7]], table.columns).features
    assert len(features) == 1 and features["whole"].tolist() == [7]


def test_unseen_categories_become_missing_and_are_noted(table):
    frame = training_frame().assign(city=["Genf"] * 10 + ["Bern"] * (ROWS - 10))
    features, notes = conformed(frame, table.columns)
    assert features["city"].isna().sum() == 10
    assert features["city"].cat.categories.tolist() == ["Bern", "Chur"]
    assert any("city: 1 category not seen in training (Genf; 10 rows)" in note for note in notes)


def test_whole_numbers_that_travelled_as_floats_are_spelled_as_in_training():
    train = pd.DataFrame({"code": pd.Categorical([str(row % 5) for row in range(60)]), "x": np.arange(60) % 7,
                          "y": np.arange(60) / 7})
    columns = read_table(train, "y").columns
    features, notes = conformed(pd.DataFrame({"code": [1.0, np.nan, 4.0], "x": [1, 2, 3]}), columns)
    assert features["code"].tolist()[::2] == ["1", "4"] and not notes


def test_a_few_unreadable_cells_are_noted_and_many_refused(table):
    frame = training_frame()
    frame["real"] = frame["real"].astype(object)
    frame.loc[3, "real"] = "broken"
    frame.loc[4, "seen"] = "yesterday"
    features, notes = conformed(frame, table.columns)
    assert np.isnan(features["real"][3]) and pd.isna(features["seen"][4]) and features["seen"].isna().sum() == 1
    assert any("'broken' in row 4" in note for note in notes) and any("'yesterday' in row 5" in note for note in notes)
    for name in ("real", "seen", "smokes"):
        with pytest.raises(BadData, match=f"column '{name}' is no .*'broken' in row 1"):
            conformed(training_frame().assign(**{name: "broken"}), table.columns)
    with pytest.raises(BadData, match="dates in training"):
        conformed(training_frame().assign(seen=3.5), table.columns)
    with pytest.raises(BadData, match="numbers in training"):
        conformed(training_frame().assign(real=pd.Timestamp("2020-01-01")), table.columns)


def test_infinite_numbers_and_missing_codes_are_missing(table):
    features, notes = conformed(training_frame().assign(real=np.inf), table.columns)
    assert features["real"].isna().all() and "120 infinite numbers" in "\n".join(notes)
    assert features["measured"].isna().sum() == 12


def test_missing_columns_and_ragged_lines_are_refused(table, path):
    with pytest.raises(BadData, match=r"lack 1 column .*\(city\).*did you mean 'citty'"):
        conformed(training_frame().rename(columns={"city": "citty"}), table.columns)
    path.write_text(path.read_text() + "1;2\n")
    with pytest.raises(BadData, match="none may be left out"):
        read_new_rows(path, table.columns)
