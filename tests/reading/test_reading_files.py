"""Every kind of file gives the same table as its plain twin; what cannot be read is one sentence."""

import gzip
import io
import os
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.errors import BadData, BadOption, UnknownName
from tabbench.reading import unpacking
from tabbench.reading.reading import read_table

ROWS = 60


def plain_frame(rows=ROWS):
    random = np.random.default_rng(0)
    return pd.DataFrame({"size": np.round(random.normal(size=rows), 3), "count": random.integers(0, 9, rows),
                         "city": random.choice(["Bern", "Genève", "Zürich"], rows),
                         "price": np.round(random.gamma(2, size=rows), 2)})


def codes_of(table):
    return {finding.code for finding in table.findings}


def assert_same(table, twin):
    pd.testing.assert_frame_equal(table.features, twin.features)
    pd.testing.assert_series_equal(table.target, twin.target)
    assert table.columns == twin.columns
    assert table.fingerprint == twin.fingerprint
    assert (table.tie == twin.tie).all()


def csv_bytes(frame, encoding="utf-8", **options):
    return frame.to_csv(index=False, **options).encode(encoding)


@pytest.fixture
def twin():
    return read_table(plain_frame(), "price")


WRITERS = {
    "plain.csv": csv_bytes,
    "tab.csv": lambda frame: csv_bytes(frame, sep="\t"),
    "semicolon.txt": lambda frame: csv_bytes(frame, sep=";"),
    "bar.csv": lambda frame: csv_bytes(frame, sep="|"),
    "quoted.csv": lambda frame: csv_bytes(frame, quoting=1),
    "crlf.csv": lambda frame: csv_bytes(frame, lineterminator="\r\n"),
    "old_mac.csv": lambda frame: csv_bytes(frame, lineterminator="\r"),
    "blank_lines_first.csv": lambda frame: b"\n\n" + csv_bytes(frame),
    "bom.csv": lambda frame: csv_bytes(frame, "utf-8-sig"),
    "utf16.csv": lambda frame: csv_bytes(frame, "utf-16"),
    "utf16_le_without_bom.csv": lambda frame: csv_bytes(frame, "utf-16-le"),
    "utf16_be_without_bom.csv": lambda frame: csv_bytes(frame, "utf-16-be"),
    "cp1252.csv": lambda frame: csv_bytes(frame, "cp1252"),
    "gzip_under_another_name.csv": lambda frame: gzip.compress(csv_bytes(frame)),
    "zstd": lambda frame: pa.compress(csv_bytes(frame), codec="zstd", asbytes=True),
    "frame.parquet": lambda frame: frame.to_parquet(index=False),
    "lines.jsonl": lambda frame: frame.to_json(orient="records", lines=True).encode(),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_table(name, tmp_path, twin):
    path = tmp_path / name
    path.write_bytes(WRITERS[name](plain_frame()))
    assert_same(read_table(path, "price"), twin)


def test_decimal_comma(tmp_path, twin):
    path = tmp_path / "table.csv"
    path.write_bytes(csv_bytes(plain_frame(), sep=";", decimal=","))
    table = read_table(path, "price")
    pd.testing.assert_frame_equal(table.features, twin.features)
    assert [column.decimal_comma for column in table.columns] == [True, False, False]


def test_zip_with_one_member(tmp_path, twin):
    with zipfile.ZipFile(tmp_path / "table.zip", "w") as archive:
        archive.writestr("../../inside.csv", csv_bytes(plain_frame()))
        archive.writestr("__MACOSX/inside.csv", b"x")
    assert_same(read_table(tmp_path / "table.zip", "price"), twin)


def test_arrow_feather_and_excel(tmp_path, twin):
    table = pa.table(plain_frame())
    pyarrow.feather.write_feather(table, tmp_path / "a.feather")
    plain_frame().to_excel(tmp_path / "a.xlsx", index=False)
    assert_same(read_table(tmp_path / "a.feather", "price"), twin)
    assert_same(read_table(tmp_path / "a.xlsx", "price"), twin)


def test_polars_frame_and_standard_input(monkeypatch, twin):
    polars = pytest.importorskip("polars")
    assert_same(read_table(polars.from_pandas(plain_frame()), "price"), twin)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(csv_bytes(plain_frame()))))
    table = read_table("-", "price")
    assert_same(table, twin)
    assert table.name == "stdin"


def test_reading_says_what_the_file_is(tmp_path):
    path = tmp_path / "städte.csv.gz"
    path.write_bytes(gzip.compress(csv_bytes(plain_frame(), "cp1252", sep=";", decimal=",")))
    table = read_table(path, "price")
    assert table.name == "städte"
    assert len(table.reading) <= 8
    for word in ("60 rows", "3 features", "semicolon", "Windows-1252", "gzip", "target: price", "2 numbers", "1 category"):
        assert word in "\n".join(table.reading)
    assert "encoding" in codes_of(table)


def test_frame_is_left_untouched_and_its_index_ignored():
    frame = plain_frame().set_index(pd.Index(range(100, 100 + ROWS)))
    before = frame.copy(deep=True)
    table = read_table(frame, "price")
    table.features.loc[0, "size"] = 99.0
    pd.testing.assert_frame_equal(frame, before)
    assert table.rows.tolist() == list(range(ROWS))


def broken(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    return path


HEADER_ONLY, GOOD = b"a,b,price\n", csv_bytes(plain_frame())
BROKEN = {
    "empty": (b"", "is empty"),
    "blank": (b"\n \n", "no text|one column"),
    "header only": (HEADER_ONLY, "header but no rows"),
    "one column": (b"price\n" + b"1\n" * 50, "one column"),
    "few rows": (HEADER_ONLY + b"1,2,3\n" * 29, "29 usable rows"),
    "NUL byte": (GOOD[:200] + b"\0" + GOOD[200:], "NUL byte"),
    "no encoding": (GOOD + b"1,2,\x81\x8d,3\n", "cannot be decoded"),
    "binary": (bytes(range(256)) * 20, "NUL|decoded"),
    "web page": (b"<!DOCTYPE html><html></html>", "web page"),
    "old Excel": (b"\xd0\xcf\x11\xe0" + b"x" * 100, "old Excel"),
    "cut-off gzip": (gzip.compress(os.urandom(5000))[:2000], "damaged or cut off"),
    "cut-off Parquet": (plain_frame().to_parquet(index=False)[:500], "damaged or cut off"),
    "cut-off zip": (b"PK\x03\x04" + b"x" * 100, "zip"),
    "JSON array": (b'[{"a": 1}, 2]', "JSON array"),
    "broken JSON": (b'{"a": 1}\n{"a": \n', "JSON lines"),
    "too many ragged rows": (GOOD + b"1,2\n1,2,3,4,5\n", r"2 rows of 62.*line 62 has 2, line 63 has 5"),
    "open quote": (GOOD + b'1,2,"Bern,3\n' + GOOD, "quote|fields"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_one_sentence(case, tmp_path):
    content, words = BROKEN[case]
    with pytest.raises(BadData, match=words) as caught:
        read_table(broken("table.csv", content, tmp_path), "price")
    assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path):
    for path, words in ((tmp_path / "none.csv", "no file"), (tmp_path, "folder"), ("/dev/zero", "device")):
        with pytest.raises(BadData, match=words):
            read_table(path, "price")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadData, match="pipe"):
        read_table(tmp_path / "pipe", "price")
    with pytest.raises(BadOption, match="not list"):
        read_table([1, 2], "price")


def test_archives_that_are_no_table(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", b"x")
        archive.writestr("b.csv", b"x")
    with pytest.raises(BadData, match="2 files"):
        read_table(tmp_path / "two.zip", "price")
    monkeypatch.setattr(unpacking, "BOMB_CHECK_FROM_BYTES", 1 << 20)
    bomb = broken("bomb.csv.gz", gzip.compress(b"0" * (64 << 20)), tmp_path)
    with pytest.raises(BadData, match="unpacks to more than"):
        read_table(bomb, "0")


def test_ragged_rows_within_the_allowance_are_set_aside_and_named(tmp_path):
    lines = csv_bytes(plain_frame(3000)).splitlines(keepends=True)
    lines[10:10] = [b"1,2\n"]
    lines[20:20] = [b"1,2,3,4,5\n"]
    table = read_table(broken("table.csv", b"".join(lines), tmp_path), "price")
    assert len(table) == 3000
    ragged = next(finding for finding in table.findings if finding.code == "ragged-rows")
    assert "2 rows" in ragged.message and "line 11, 21" in ragged.message
    assert set(range(3002)) - set(table.rows.tolist()) == {9, 19}


def test_ragged_rows_are_found_whatever_the_line_ends_inside_quotes(tmp_path):
    rows = "".join(f'{row},"first\nsecond, {row % 3}",{row / 7}\n' for row in range(2000))
    table = read_table(broken("table.csv", ("n,text,price\n" + rows).encode(), tmp_path), "price")
    assert len(table) == 2000
    assert table.features["text"].cat.categories.tolist() == [f"first\nsecond, {digit}" for digit in range(3)]


def test_a_row_longer_than_a_block(tmp_path):
    long = "x" * (3 << 20)
    rows = "".join(f"{long if row == 7 else 'short'},{row % 5},{row / 7}\n" for row in range(40))
    table = read_table(broken("table.csv", ("text,n,price\n" + rows).encode(), tmp_path), "price")
    assert table.features["text"].astype(str).str.len().max() == 3 << 20


@pytest.mark.parametrize("name", ['size "m"', "a[1]<2", "<script>alert(1)</script>", "=cmd()", "../../x", "größe 📏", "x" * 5000,
                                  "a\tb", "1"])
def test_any_column_name_works(name, tmp_path):
    frame = plain_frame().rename(columns={"size": name})
    table = read_table(broken("table.csv", csv_bytes(frame), tmp_path), "price")
    assert table.features.columns[0] == name
    assert all(len(line) < 1000 for line in table.reading)
    with pytest.raises(UnknownName) as caught:
        read_table(frame, "prize")
    assert "'price'" in str(caught.value)


def test_padded_doubled_and_nameless_columns(tmp_path):
    frame = plain_frame()
    text = frame.assign(copy=frame["city"], other=frame["city"].str.upper(), empty="",
                        kept=range(3, 3 + 2 * ROWS, 2)).to_csv(index=False)
    header = "size, count ,city,price,city,city,,"
    table = read_table(broken("table.csv", (header + "\n" + text.split("\n", 1)[1]).encode(), tmp_path), "price")
    assert table.features.columns.tolist() == ["size", "count", "city", "city (2)", "column 8"]
    assert {"double-column", "nameless-column"} <= codes_of(table)


def test_a_role_that_stands_twice_in_the_header(tmp_path):
    frame = plain_frame()
    text = frame.assign(second=frame["price"] + 1).to_csv(index=False).replace("second", "price", 1)
    with pytest.raises(BadData, match="stands twice"):
        read_table(broken("table.csv", text.encode(), tmp_path), "price")
    same = frame.assign(second=frame["price"]).to_csv(index=False).replace("second", "price", 1)
    assert len(read_table(broken("same.csv", same.encode(), tmp_path), "price")) == ROWS


NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Z")), min_size=1,
                max_size=8).filter(lambda name: name.strip() == name)

LABELS = NAMES.filter(lambda name: "inf" not in name.casefold())
"""Of infinity, a file keeps no spelling: Arrow reads it as a number."""


@settings(max_examples=30, deadline=None)
@given(names=st.lists(NAMES, min_size=3, max_size=3, unique=True), labels=st.lists(LABELS, min_size=2, max_size=5, unique=True),
       delimiter=st.sampled_from(",;\t|"), seed=st.integers(0, 99))
def test_what_was_written_is_read(tmp_path_factory, names, labels, delimiter, seed):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({names[0]: random.normal(size=40), names[1]: random.choice(labels, 40),
                          names[2]: random.normal(size=40)})
    path = tmp_path_factory.mktemp("written") / "table.csv"
    path.write_bytes(csv_bytes(frame, sep=delimiter, quoting=2))
    assert_same(read_table(path, names[2]), read_table(frame, names[2]))


def test_a_wide_table_whose_lines_exceed_a_field(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 4000)),
                         columns=[f"a long name for column {each}" for each in range(4000)])
    table = read_table(broken("table.csv", csv_bytes(frame), tmp_path), "a long name for column 7")
    assert table.features.shape == (40, 3999)
