"""What columns are recognised as, what is left out, and that all of it is said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.errors import BadData, BadOption, UnknownName
from tabbench.core.table import Column
from tabbench.reading.reading import read_table

ROWS = 60


def table_of(values, tmp_path=None, separator=",", **options):
    """A table of one column `x` beside a harmless one, given as frame or, with `tmp_path`, as the text of a file."""
    values = list(values)
    repeated = [values[row % len(values)] for row in range(ROWS if len(values) < ROWS else len(values))]
    frame = pd.DataFrame({"x": repeated, "z": np.arange(len(repeated)) % 7 * 0.37, "y": np.arange(len(repeated)) % 11 * 1.5})
    if tmp_path is None:
        return read_table(frame, "y", **options)
    path = tmp_path / "table.csv"
    path.write_text(frame.to_csv(index=False, sep=separator), encoding="utf-8")
    return read_table(path, "y", **options)


def column_of(table, name="x"):
    return next(column for column in table.columns if column.name == name)


def codes_of(table):
    return {finding.code for finding in table.findings}


NUMBERS = {
    "thousands": (["1,234.50", "2", "-3,000"], [1234.5, 2, -3000]),
    "decimal comma": (["1.200,50", "3,5", "10"], [1200.5, 3.5, 10]),
    "currency": (["$1,200", "$15", "$7"], [1200, 15, 7]),
    "euro": (["12,50 €", "3,00 €", "7,10 €"], [12.5, 3, 7.1]),
    "per cent": (["12 %", "3.5%", "100 %"], [12, 3.5, 100]),
    "unit": (["12 kg", "3.5 kg", "7 kg"], [12, 3.5, 7]),
    "brackets": (["(1,200)", "15", "7"], [-1200, 15, 7]),
    "plus": (["+3", "-2", "1"], [3, -2, 1]),
    "clock": (["18:30", "06:00", "00:15"], [18.5, 6, 0.25]),
    "dash for missing": (["3", "-", "1.5"], [3, np.nan, 1.5]),
    "word for missing": (["3", "None", "2.5"], [3, np.nan, 2.5]),
    "spreadsheet error": (["3", "#DIV/0!", "2.5"], [3, np.nan, 2.5]),
    "exponent": (["1e3", "2.5E-1", "7"], [1000, 0.25, 7]),
}


@pytest.mark.parametrize("case", NUMBERS)
@pytest.mark.parametrize("as_file", [True, False])
def test_numbers_however_they_are_written(case, as_file, tmp_path):
    written, wanted = NUMBERS[case]
    table = table_of(written, tmp_path if as_file else None)
    assert column_of(table).kind == "number"
    np.testing.assert_allclose(table.features["x"][:3], wanted)


LABELS = {
    "codes with leading zeros": ["00123", "00124", "10000"],
    "rounding integers": [str(2**60 + step) for step in range(3)],
    "different units": ["1 bath", "1.5 baths", "2 baths"],
    "ranges": ["1-5", "6-10", "11-20"],
    "versions": ["1.2.3", "1.2.4", "2.0.0"],
    "words": ["none", "some", "all"],
    "plus and minus": ["+", "-", "+-"],
    "grades": ["D5", "E1", "E3"],
}


@pytest.mark.parametrize("case", LABELS)
@pytest.mark.parametrize("as_file", [True, False])
def test_labels_stay_labels(case, as_file, tmp_path):
    table = table_of(LABELS[case], tmp_path if as_file else None)
    assert column_of(table) == Column("x", "category", levels=tuple(sorted(LABELS[case])))
    assert table.features["x"].astype(str).tolist()[:3] == LABELS[case]


DATES = {
    "%d/%m/%Y": ["10/03/2004", "25/03/2004"], "%m/%d/%Y": ["09/22/1986", "10/01/1990"], "%d-%m-%Y": ["04-09-2012", "21-08-2013"],
    "%d. %b %Y": ["15. Jul 2017", "01. May 2016"], "%d.%m.%Y": ["31.12.2020", "01.01.2021"],
    "%B %d, %Y": ["March 15, 2020", "April 1, 2020"],
    "%d/%m/%Y %H:%M": ["25/03/2004 10:00", "01/03/2004 23:59"],
    None: ["2004-03-25", "2005-12-01"],
}


@pytest.mark.parametrize("date_format", DATES)
def test_dates(date_format, tmp_path):
    written = DATES[date_format]
    table = table_of([*written, ""], tmp_path)
    assert column_of(table) == Column("x", "date", date_format=date_format)
    wanted = pd.to_datetime(pd.Series(written), format=date_format)
    assert table.features["x"].dtype == "datetime64[us]"
    assert (table.features["x"][:2] == wanted).all() and table.features["x"].isna()[2]
    assert "ambiguous-date" not in codes_of(table)


def test_dates_with_zone_become_universal_time_and_ambiguous_ones_are_said(tmp_path):
    table = table_of(["2020-01-01T10:00:00+02:00", "2020-01-02T10:00:00+02:00"], tmp_path)
    assert table.features["x"][0] == pd.Timestamp("2020-01-01 08:00")
    ambiguous = table_of(["01/02/2020", "03/04/2020"], tmp_path)
    assert column_of(ambiguous).date_format == "%d/%m/%Y"
    assert "ambiguous-date" in codes_of(ambiguous)


@pytest.mark.parametrize("levels", [("f", "t"), ("No", "Yes"), ("FALSE", "TRUE"), ("n", "y")])
def test_yes_and_no_in_words(levels, tmp_path):
    table = table_of([levels[1], levels[0], ""], tmp_path)
    assert column_of(table) == Column("x", "boolean", levels=levels)
    assert table.features["x"].tolist()[:3] == [True, False, pd.NA]


def test_zero_and_one_stay_numbers_and_python_booleans_are_yes_no():
    assert table_of([0, 1]).features["x"].dtype == np.int64
    assert column_of(table_of([True, False])) == Column("x", "boolean")
    assert table_of(pd.array([True, None, False], dtype="boolean")).features["x"].isna().sum() == ROWS / 3


def test_labels_are_trimmed_and_what_merged_is_said(tmp_path):
    table = table_of([" BB", "BB", "HB ", "  "], tmp_path)
    assert column_of(table).levels == ("BB", "HB")
    assert table.features["x"].isna().sum() == ROWS / 4
    assert "'BB'" in next(finding.message for finding in table.findings if finding.code == "merged-labels")


def test_a_few_words_among_numbers_become_missing_and_are_said(tmp_path):
    table = table_of([str(value / 3) for value in range(500)] + ["ill", "ill"], tmp_path)
    assert table.features["x"].isna().sum() == 2
    assert column_of(table).missing_words == ("ill",)
    assert "stray-word" in codes_of(table)


def test_text_and_categories():
    comments = [f"remark number {row} of the guest" for row in range(300)]
    assert column_of(table_of(comments)).kind == "text"
    assert table_of(comments).features["x"].tolist() == comments
    assert column_of(table_of([f"town {row % 60}" for row in range(600)])).kind == "category"
    declared = read_table(pd.DataFrame({"x": pd.Categorical([f"{row}" for row in range(300)] * 2), "y": np.arange(600) / 7}), "y")
    assert column_of(declared).kind == "category" and len(column_of(declared).levels) == 300


def test_infinite_features_become_missing(tmp_path):
    table = table_of([1.5, "inf", 2.5, "-inf"], tmp_path)
    assert table.features["x"].isna().sum() == ROWS / 2
    assert "infinite-value" in codes_of(table)


def test_columns_that_cannot_help_are_left_out():
    rows = 300
    random = np.random.default_rng(0)
    frame = pd.DataFrame({
        "kept": random.normal(size=rows), "constant": 3, "empty": np.nan, "number": np.arange(rows),
        "customerID": [f"{row:04d}-XY" for row in range(rows)],
        "url": [f"https://x.org/{'a' * (row % 7)}{row}" for row in range(rows)], "some_id": random.permutation(rows * 10)[:rows],
        "only_sometimes": np.where(random.random(rows) < 0.5, "yes", None), "paid": random.permutation(rows * 10)[:rows],
        "y": random.normal(size=rows)})
    frame["again"] = frame["kept"]
    table = read_table(frame, "y")
    assert table.features.columns.tolist() == ["kept", "only_sometimes", "paid"]
    assert {"constant-column", "empty-column", "identifier-column", "copied-column"} <= codes_of(table)
    assert any(line.startswith("left out: ") for line in table.reading)


def test_a_year_a_row_is_no_numbering():
    frame = pd.DataFrame({"year": np.arange(1960, 2020), "x": np.arange(60) % 7, "y": np.arange(60) % 11 / 3})
    assert "year" in read_table(frame, "y").features


def sentinel_frame(rows=400):
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"a": random.normal(10, 2, rows), "b": random.gamma(2, 300, rows), "y": random.normal(5, 1, rows)})
    frame.loc[random.random(rows) < 0.1, "a"] = -999
    frame.loc[random.random(rows) < 0.1, "b"] = -999
    return frame


def test_codes_for_missing_numbers_are_read_as_missing_and_said():
    frame = sentinel_frame()
    frame.loc[:9, "y"] = -999
    table = read_table(frame, "y")
    assert table.features["a"].min() > 0 and table.features["b"].min() > 0
    assert {column.missing_code for column in table.columns} == {-999.0}
    assert len(table) == 390 and table.rows[0] == 10
    assert "missing-code" in codes_of(table) and any("-999" in line for line in table.reading)


def test_numbers_that_only_look_like_codes_are_kept():
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"gain": np.where(random.random(400) < 0.05, 99999, random.integers(0, 5000, 400)),
                          "change": random.normal(0, 1000, 400).round(),
                          "sign": random.choice([-99, 0, 1], 400), "y": random.normal(size=400)})
    table = read_table(frame, "y")
    assert table.features["gain"].max() == 99999 and table.features["sign"].min() == -99
    assert all(column.missing_code is None for column in table.columns)
    assert {"suspected-missing-code"} == codes_of(table)


def test_target_by_name_and_the_sentences_without_one():
    frame = pd.DataFrame({"a": np.arange(40) % 7, "b": np.arange(40) % 5, "Target": np.arange(40) / 3})
    table = read_table(frame)
    assert table.target_name == "Target" and "target-by-name" in codes_of(table)
    with pytest.raises(BadOption, match="Target, y could be"):
        read_table(frame.assign(y=1))
    with pytest.raises(BadOption, match="there are: a, b, price"):
        read_table(frame.rename(columns={"Target": "price"}))
    with pytest.raises(UnknownName, match="did you mean 'Target'"):
        read_table(frame, "targte")
    with pytest.raises(BadData, match="holds dates"):
        read_table(frame.assign(Target=pd.Timestamp("2020-01-01")))


def test_rows_without_target_and_empty_rows_are_dropped_and_counted(tmp_path):
    path = tmp_path / "table.csv"
    rows = "".join(f"{row},{row % 3},{'' if row % 10 == 3 else row / 7}\n" for row in range(100))
    path.write_text("a,b,y\n" + rows + ",,\n" * 5)
    table = read_table(path, "y")
    assert len(table) == 90 and 3 not in table.rows and table.rows[-1] == 99
    assert {"empty-rows", "no-target"} <= codes_of(table)
    assert any("5 rows without any value" in line and "10 rows without a value of y" in line for line in table.reading)


def test_a_target_keeps_labels_that_elsewhere_mean_missing(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,y\n" + "".join(f"{row % 7},{['+', '-', 'None'][row % 3]}\n" for row in range(60)))
    assert sorted(read_table(path, "y").target.unique()) == ["+", "-", "None"]


def role_frame():
    return pd.DataFrame({"x": np.arange(60) % 7 / 3, "patient": [f"p{row % 12:02d}" for row in range(60)],
                         "day": pd.date_range("2020-01-01", periods=60),
                         "w": np.arange(60) % 5 + 0.5, "part": np.arange(60) % 3 + 1, "y": np.arange(60) / 7})


def test_roles():
    table = read_table(role_frame(), "y", group="patient", time="day", weight="w", fold="part")
    assert table.features.columns.tolist() == ["x", "day"]
    assert table.group.tolist() == [row % 12 for row in range(60)] and table.fold.tolist() == [row % 3 for row in range(60)]
    assert (np.diff(table.time) == 86_400_000_000).all()
    assert table.weight.tolist() == role_frame()["w"].tolist()
    assert table.roles == {"group": "patient", "time": "day", "weight": "w", "fold": "part"}


@pytest.mark.parametrize(("changes", "options", "error", "words"), [
    ({}, {"group": "pateint"}, UnknownName, "'patient'"),
    ({}, {"group": "y"}, BadOption, "target and group"),
    ({}, {"group": "w", "drop": ["w"]}, BadOption, "group and drop"),
    ({}, {"drop": ["nothing"]}, UnknownName, "'nothing'"),
    ({"patient": None}, {"group": "patient"}, BadData, "missing in 60 rows"),
    ({"w": -1.0}, {"weight": "w"}, BadData, "negative"),
    ({"w": 0.0}, {"weight": "w"}, BadData, "0 in every row"),
    ({}, {"weight": "patient"}, BadData, "no numbers"),
    ({}, {"time": "patient"}, BadData, "neither dates nor numbers"),
    ({}, {"fold": "part", "test": role_frame()}, BadOption, "exclude"),
])
def test_roles_that_cannot_be_used(changes, options, error, words):
    with pytest.raises(error, match=words):
        read_table(role_frame().assign(**changes), "y", **options)


def test_own_test_rows_are_typed_together_and_marked(tmp_path):
    train, test = role_frame(), role_frame().iloc[:20].assign(extra=1)
    test["x"] = test["x"].astype(object).where(test.index != 3, "-")
    table = read_table(train, "y", test=test[test.columns[::-1]])
    assert table.test.tolist() == [False] * 60 + [True] * 20
    assert column_of(table).kind == "number" and np.isnan(table.features["x"][63])
    assert "extra-column" in codes_of(table)
    with pytest.raises(BadData, match=r"lacks 1 column.*patient"):
        read_table(train, "y", test=test.drop(columns="patient"))


def test_ties_and_fingerprint_follow_the_content():
    frame = role_frame()
    doubled = pd.concat([frame, frame.iloc[:5]], ignore_index=True)
    table = read_table(doubled, "y")
    assert table.tie[60:].tolist() == table.tie[:5].tolist() and len(set(table.tie[:60])) == 60
    same = read_table(doubled.copy(), "y", name="other")
    assert same.fingerprint == table.fingerprint
    for changed in (doubled.rename(columns={"x": "xx"}), doubled.assign(w=doubled["w"] + 1e-9), doubled.iloc[::-1]):
        assert read_table(changed, "y").fingerprint != table.fingerprint
    assert read_table(doubled, "y", group="patient").fingerprint != table.fingerprint


def test_negative_zero_and_missing_tie():
    frame = pd.DataFrame({"a": [0.0, -0.0, np.nan, np.nan] * 10, "b": ["u", "u", None, None] * 10,
                          "y": [1.0, 1.0, 2.0, 2.0] * 10})
    tie = read_table(frame, "y").tie
    assert tie[0] == tie[1] != tie[2] == tie[3]


CELLS = st.one_of(st.floats(allow_nan=True), st.integers(), st.text(max_size=6), st.booleans(), st.none(),
                  st.sampled_from(["1,5", "12 %", "NA", "-", "yes"]))


@settings(max_examples=60, deadline=None)
@given(cells=st.lists(CELLS, min_size=2, max_size=30))
def test_any_mixture_of_cells_gives_a_well_formed_table(cells):
    table = table_of(pd.Series(cells, dtype=object))
    assert len(table.features) == len(table.target)
    for column in table.columns:
        dtype = table.features[column.name].dtype
        wanted = {"number": ("int64", "float64"), "boolean": ("boolean",), "category": ("category",), "text": ("str",),
                  "date": ("datetime64[us]",)}
        assert str(dtype) in wanted[column.kind]
        if column.kind == "category":
            assert tuple(table.features[column.name].cat.categories) == column.levels == tuple(sorted(column.levels))
        if column.kind == "number":
            assert not np.isinf(table.features[column.name]).any()
        assert Column.from_json(column.to_json()) == column
