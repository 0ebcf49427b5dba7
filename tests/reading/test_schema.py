"""New rows are made to fit the training columns, or refused with a sentence."""

from datetime import time
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tabbench.core.errors import BadData
from tabbench.reading.reading import read_table
from tabbench.reading.schema import read_new_rows

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


def test_unseen_categories_stay_what_they_are_and_are_noted(table):
    frame = training_frame().assign(city=["Genf"] * 10 + ["Bern"] * (ROWS - 10))
    features, notes = conformed(frame, table.columns)
    assert features["city"].tolist()[:10] == ["Genf"] * 10
    assert features["city"].cat.categories.tolist() == ["Bern", "Chur", "Genf"]
    assert any("city: 1 category not seen in training (Genf; 10 rows) taken for rare ones" in note for note in notes)


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


def test_columns_without_values_fit_every_kind(table):
    for nothing in (None, np.nan, pd.NaT, "", "NA"):
        features, notes = conformed(pd.DataFrame(dict.fromkeys(training_frame().drop(columns="y"), [nothing] * 3)), table.columns)
        assert features.isna().all(axis=None) and notes == []
        assert [str(each) for each in features.dtypes] == [
            str(each).replace("int64", "float64") for each in table.features.dtypes]


def test_no_rows_are_rows_and_keep_the_types(table):
    features, notes = conformed(training_frame().drop(columns="y").iloc[:0], table.columns)
    assert len(features) == 0 and notes == ["frame has no rows to predict"]
    assert features["city"].dtype == table.features["city"].dtype and features["seen"].dtype == table.features["seen"].dtype


def test_yes_and_no_are_understood_in_every_spelling(table):
    expected = table.features["smokes"]
    for no, yes in [(0, 1), (0.0, 1.0), ("0.0", "1.0"), ("F", "T"), ("false", "true"), ("NO", "YES"), (False, True)]:
        given = training_frame()["smokes"].map({"no": no, "yes": yes, "-": None})
        pd.testing.assert_series_equal(conformed(training_frame().assign(smokes=given), table.columns)[0]["smokes"], expected)


def test_dates_of_another_format_are_read_where_they_mean_one_day_only(table):
    frame = training_frame()
    born = pd.to_datetime(frame["born"], format="%d.%m.%Y")
    iso = born.dt.strftime("%Y-%m-%d")
    for given in (born, born.dt.date, iso, iso.where(iso.index % 2 == 0, frame["born"])):
        pd.testing.assert_series_equal(conformed(frame.assign(born=given), table.columns)[0]["born"], table.features["born"])
    with pytest.raises(BadData, match=r"no date \(%d\.%m\.%Y\) in 120 rows"):
        conformed(frame.assign(born="03/25/1980"), table.columns)


def test_codes_that_lost_their_zeros_are_found_again_and_noted(table):
    frame = training_frame()
    for given in (frame["zip"].astype(int), frame["zip"].astype(float), frame["zip"].astype(float).astype(str)):
        features, notes = conformed(frame.assign(zip=given), table.columns)
        pd.testing.assert_series_equal(features["zip"], table.features["zip"])
        assert any("zip: 13 categories taken for the one of training that is the same number (100" in note for note in notes)
    train = pd.DataFrame({"code": pd.Categorical(["1", "01", "2"] * 20), "y": np.arange(60) / 7})
    features, notes = conformed(pd.DataFrame({"code": ["1.0", "2.0", "001"]}), read_table(train, "y").columns)
    assert features["code"].tolist() == ["1.0", "2", "001"]
    assert any("2 categories not seen in training (1.0, 001; 2 rows)" in note for note in notes)


def test_durations_times_and_decimals_are_the_numbers_they_were_in_training():
    rows = np.arange(60)
    train = pd.DataFrame({"took": pd.to_timedelta(rows % 7 * 90, unit="s"), "y": rows / 7,
                          "at": [time(row % 24, 30) for row in rows], "paid": [Decimal(int(row)) / 4 for row in rows]})
    table = read_table(train, "y")
    features, notes = conformed(train.drop(columns="y"), table.columns)
    pd.testing.assert_frame_equal(features, table.features, check_dtype=False)
    assert features["took"][1] == 90 and features["at"][1] == 1.5 and features["paid"][1] == 0.25 and notes == []
    gap, _ = conformed(train.assign(took=train["took"].where(rows > 0)), table.columns)
    assert np.isnan(gap["took"][0]) and gap["took"][1] == 90


def test_lists_and_truth_values_are_spelled_as_in_training():
    train = pd.DataFrame({"tags": [[1, 2], [3], [4]] * 20, "mixed": [True, False, "unknown"] * 20, "y": np.arange(60) / 7})
    table = read_table(train, "y")
    features, notes = conformed(train[["tags", "mixed"]].iloc[[0, 1, 3]], table.columns)
    assert features["tags"].tolist() == ["[1, 2]", "[3]", "[1, 2]"]
    assert features["mixed"].tolist() == ["True", "False", "True"] and notes == []
    with pytest.raises(BadData, match="binary values in the new rows that cannot be read as category"):
        conformed(pd.DataFrame({"tags": [b"\xff"], "mixed": "unknown"}), table.columns)


def test_a_wanted_column_that_occurs_twice_is_refused(table):
    frame = training_frame()
    twice = pd.concat([frame, frame[["whole"]] + 1], axis=1)
    with pytest.raises(BadData, match="column 'whole' twice with different content; keep the right one"):
        conformed(twice, table.columns)
    same = pd.concat([frame, frame[["whole"]]], axis=1)
    assert_same_features(conformed(same, table.columns)[0], table)
    both = read_table(twice, "y")
    assert_same_features(conformed(twice, both.columns)[0], both)


@pytest.mark.parametrize(("content", "sizes"), [
    ("size\n1.5\n2\n", [1.5, 2]), ("size\r\n7", [7]), ('size\n""\n2\n', [np.nan, 2]), ('"size"\n"1"\n', [1]), ("size\n", []),
    ("size", []), ("\n\nsize", []), ("\ufeffsize\n", []), ("size,more\n", []), ("more;size", []), ("more\tsize\n", [])])
def test_one_column_and_no_rows_are_read_from_text(tmp_path, content, sizes):
    columns = read_table(pd.DataFrame({"size": np.arange(40.0), "y": np.arange(40) / 7}), "y").columns
    (tmp_path / "new.csv").write_text(content, newline="", encoding="utf-8")
    features, notes = conformed(tmp_path / "new.csv", columns)
    np.testing.assert_array_equal(features["size"], sizes)
    assert ("new has no rows to predict" in notes) == (not sizes)
    with pytest.raises(BadData, match=r"30 rows|one column only|usable row"):
        read_table(tmp_path / "new.csv", "size")
