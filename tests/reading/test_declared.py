"""Types that a frame, an Arrow file or the user declares are kept: as features, as target, in new rows."""

import uuid

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabbench.core.errors import BadData, BadOption, UnknownName
from tabbench.options import Options
from tabbench.reading.reading import read_table
from tabbench.reading.schema import read_new_rows
from tabbench.reading.target import read_target

ROWS = 120
TURN = np.arange(ROWS)
ARROW_TEXT = pd.ArrowDtype(pa.string())


def frame_of(values, **others):
    return pd.DataFrame({"x": pd.Series(values), "z": TURN % 7 * 0.37, "y": TURN % 11 * 1.5, **others})


def column_of(table, name="x"):
    return next(column for column in table.columns if column.name == name)


CATEGORIES = {
    "whole numbers": (pd.Categorical(TURN % 4 + 1), ("1", "2", "3", "4")),
    "numbers with gaps": (pd.Categorical(np.where(TURN % 3, TURN % 2 + 1.0, np.nan)), ("1", "2")),
    "fractions": (pd.Categorical(TURN % 2 + 0.5), ("0.5", "1.5")),
    "booleans": (pd.Categorical(TURN % 2 == 0), ("False", "True")),
    "days": (pd.Categorical(pd.to_datetime(["2020-01-01", "2020-01-02"] * 60)), ("2020-01-01", "2020-01-02")),
    "mixed": (pd.Categorical(["a", 1, 2.5, "1"] * 30), ("1", "2.5", "a")),
    "ordered": (pd.Categorical(["low", "high"] * 60, categories=["low", "high"], ordered=True), ("high", "low")),
    "cut": (pd.cut(TURN % 10 / 1.0, [-1, 3, 6, 10]), ("(-1, 3]", "(3, 6]", "(6, 10]")),
    "intervals": (pd.arrays.IntervalArray.from_tuples([(turn % 2, turn % 2 + 1) for turn in range(ROWS)]), ("(0, 1]", "(1, 2]")),
    "UUID": ([uuid.UUID(int=turn % 2) for turn in range(ROWS)], (str(uuid.UUID(int=0)), str(uuid.UUID(int=1)))),
    "string": (pd.array(["1", "2", None] * 40, dtype="string"), ("1", "2")),
    "Arrow string": (pd.array(["7", "8", None] * 40, dtype=ARROW_TEXT), ("7", "8")),
    "Arrow dictionary": (pd.arrays.ArrowExtensionArray(pa.array([1, 2, None] * 40).dictionary_encode()), ("1", "2")),
    "Arrow string view": (pd.array(["a", "b", None] * 40, dtype=pd.ArrowDtype(pa.string_view())), ("a", "b")),
}


@pytest.mark.parametrize("case", CATEGORIES)
def test_declared_categories_stay_so_as_feature_as_target_and_in_new_rows(case, tmp_path):
    values, levels = CATEGORIES[case]
    frame = frame_of(values)
    table = read_table(frame, "y")
    assert (column_of(table).kind, column_of(table).levels) == ("category", levels)
    rows = read_new_rows(frame[["z", "x"]], table.columns)
    assert rows.features["x"].tolist() == table.features["x"].tolist() or rows.features["x"].equals(table.features["x"])
    assert not rows.notes
    (frame.assign(x=table.features["x"]) if "view" in case else frame).to_csv(tmp_path / "new.csv", index=False)
    written = read_new_rows(tmp_path / "new.csv", table.columns).features["x"]
    assert written.equals(table.features["x"])
    assert read_target(read_table(frame, "x")).classes == levels


NUMBERS = {
    "sparse": (pd.arrays.SparseArray([0, 0, 1.5] * 40), [0, 0, 1.5]),
    "nullable": (pd.array([1, None, 3] * 40, dtype="Int8"), [1, np.nan, 3]),
    "nullable fractions": (pd.array([1.5, None, 3] * 40, dtype="Float32"), [1.5, np.nan, 3]),
    "decimals": (pd.array([1, None, 3] * 40, dtype=pd.ArrowDtype(pa.decimal128(5, 2))), [1, np.nan, 3]),
    "spans of time": (pd.to_timedelta([1, None, 3] * 40, unit="h"), [3600, np.nan, 10800]),
    "half precision": (np.array([0.5, 1, 2] * 40, dtype=np.float16), [0.5, 1, 2]),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_declared_numbers(case):
    values, wanted = NUMBERS[case]
    frame = frame_of(values)
    table = read_table(frame, "y")
    assert column_of(table).kind == "number"
    np.testing.assert_allclose(table.features["x"][:3], wanted)
    np.testing.assert_array_equal(read_new_rows(frame[["x", "z"]], table.columns).features["x"], table.features["x"])
    target = read_table(frame, "x")
    assert len(target) == np.isfinite(wanted).sum() * 40


def test_periods_and_moments_with_a_zone_are_dates():
    frame = frame_of(pd.period_range("2000-01", periods=ROWS, freq="M"),
                     zoned=pd.date_range("2020-01-01", periods=ROWS, tz="Europe/Berlin"))
    table = read_table(frame, "y")
    assert table.features["x"][1] == pd.Timestamp("2000-02-01") and table.features["zoned"][0] == pd.Timestamp("2019-12-31 23:00")
    assert not read_new_rows(frame[["x", "z", "zoned"]], table.columns).notes


def test_parquet_keeps_what_pandas_declared(tmp_path):
    frame = frame_of(pd.Categorical(TURN % 4 + 1), s=pd.array(["1", "2"] * 60, dtype="string"))
    frame.to_parquet(tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet", "y").columns == read_table(frame, "y").columns


def test_labels_spelled_as_strings_are_labels_and_amounts_are_not():
    labels = frame_of(TURN % 3, label=(TURN % 4).astype(str))
    assert read_target(read_table(labels, "label")).classes == ("0", "1", "2", "3")
    amounts = frame_of(TURN % 3, amount=[f"{turn * 3}.5" for turn in range(ROWS)])
    assert read_target(read_table(amounts, "amount")).kind == "regression"


def test_kinds_that_the_user_declares(tmp_path):
    frame = frame_of(TURN % 4, day=20240101 + TURN % 28, note=[f"n{turn % 3}" for turn in TURN], number=["1", "2", "ill"] * 40,
                     person_id=TURN + 1000)
    frame.to_csv(tmp_path / "table.csv", index=False)
    types = {"x": "category", "day": "date", "note": "text", "number": "number", "person_id": "category"}
    for source in (frame, tmp_path / "table.csv"):
        table = read_table(source, "y", types=types)
        assert {column.name: column.kind for column in table.columns if column.name in types} == types
        assert table.features["day"][1] == pd.Timestamp("2024-01-02")
        assert table.features["number"].isna().sum() == 40
        stray = next(finding for finding in table.findings if finding.code == "stray-word")
        assert "40 cells that cannot be read so (ill)" in stray.message
        rows = read_new_rows(source, table.columns)
        pd.testing.assert_frame_equal(rows.features[list(types)], table.features[list(types)])


def test_a_target_that_the_user_declares():
    frame = frame_of(TURN % 30)
    assert read_target(read_table(frame, "x")).kind == "regression"
    assert len(read_target(read_table(frame, "x", types={"x": "category"}), folds=2).classes) == 30
    labels = frame.assign(x=(TURN % 3).astype(str))
    assert read_target(read_table(labels, "x", types={"x": "number"}), "regression").kind == "regression"


def test_kinds_that_cannot_be_are_refused():
    frame = frame_of(["red", "blue"] * 60)
    with pytest.raises(UnknownName, match=r"did you mean 'x'|there are: x"):
        read_table(frame, "y", types={"xx": "category"})
    with pytest.raises(BadData, match=r"'x' is declared as number, but 120 cells cannot be read so \(red, blue\)"):
        read_table(frame, "y", types={"x": "number"})
    with pytest.raises(BadData, match=r"'x' is declared as date, but 120 cells"):
        read_table(frame, "y", types={"x": "date"})
    with pytest.raises(BadOption, match="of the target, which can be category or number"):
        read_table(frame, "y", types={"y": "date"})


@pytest.mark.parametrize("given", [{"x": "Category"}, ["x=category"], "x=category"])
def test_the_option(given):
    assert Options(types=given).checked().types == {"x": "category"}
    with pytest.raises(BadOption) as caught:
        Options(types=["x=colour"]).checked()
    assert caught.value.typed.endswith("category, number, text, date, as COLUMN=category, not 'colour'")
