"""Whatever a file holds, it is read or refused with a sentence."""

import zipfile

import numpy as np
import pandas as pd
import pyarrow.feather
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tabbench.core.errors import BadData, TabbenchError
from tabbench.reading import unpacking
from tabbench.reading.reading import read_table
from tabbench.reading.schema import read_new_rows
from tabbench.reading.target import read_target

ROWS = 60
CELL = st.sampled_from(["1", "2.5", "", "x", "NA", "E17", "a b", '"q"', "'", '"', "#", "%", "\\N", "1,5", "1;2", "2024-01-01",
                        "\u2212", "€", " ", "\t", "\x0b", "\ufeff", "é", "y", "@", "{", "[1]", "sep=;", "=", "<", "K", "0x1",
                        "1e999", "-", "٣", "\u0000"])
LINE = st.tuples(st.lists(CELL, min_size=1, max_size=4), st.sampled_from([",", ";", "\t", " ", "|"])).map(
    lambda drawn: drawn[1].join(drawn[0]))


def read_or_refuse(path, target):
    try:
        table = read_table(path, target)
        read_target(table)
        read_new_rows(path, table.columns)
    except TabbenchError as error:
        assert str(error) and "\n" not in str(error)


@settings(max_examples=60, deadline=None)
@given(top=st.lists(LINE, min_size=1, max_size=4), rows=st.lists(LINE, max_size=3), target=st.sampled_from(["y", "x", "1",
                         None]),
       end=st.sampled_from(["\n", "\r\n", "\r"]))
@example(top=["x,y"], rows=["1,2", "#,%"], target="y", end="\n")
@example(top=["1,2.5,x"], rows=["1,€,1", ",1,,1"], target="y", end="\n")
@example(top=["x\ty"], rows=["E17\t1", "E5\t2.5"], target="x", end="\n")
def test_any_text(tmp_path_factory, top, rows, target, end):
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(end.join([*top, *(rows * 40)]).encode())
    read_or_refuse(path, target)


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from([b"", b"PAR1", b"ARROW1", b"FEA1", b"\xff\xff\xff\xff", b"PK\x03\x04", b"SQLite format 3\0",
                              b"{", b"[{", b"@relation x\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b"]),
       rest=st.binary(max_size=200))
def test_any_bytes(tmp_path_factory, start, rest):
    path = tmp_path_factory.mktemp("any") / "a.bin"
    path.write_bytes(start + rest)
    read_or_refuse(path, "y")


def write_excel(frame, path):
    frame.to_excel(path, index=False, engine="openpyxl")


def write_feather(frame, path):
    pyarrow.feather.write_feather(frame, path, compression="uncompressed")


def write_zip(frame, path):
    frame.to_csv(path, index=False, compression="zip")


@pytest.mark.parametrize("write", [write_excel, write_feather, write_zip, pd.DataFrame.to_parquet])
def test_other_bytes_in_a_sound_file(tmp_path, write):
    path, choice = tmp_path / "table", np.random.default_rng(0)
    write(pd.DataFrame({"x": np.arange(40) / 7, "c": pd.Categorical(["é", "b"] * 20), "y": ["no", "yes"] * 20}), path)
    sound = path.read_bytes()
    for _ in range(40):
        content = np.frombuffer(sound, np.uint8).copy()
        content[choice.integers(0, len(content), 4)] = choice.integers(0, 256, 4)
        path.write_bytes(content.tobytes())
        read_or_refuse(path, "y")


@pytest.mark.parametrize("text", [
    '[{"x\\ud800": 1, "y": "a"}]', '{"columns": ["x"], "data": [1, 2]}', '{"columns": ["x", "y"], "data": [[1, 2], null]}',
    '{"schema": {"primaryKey": 3}, "data": [{"x": 1}]}', '[{"x": ' + "9" * 5000 + "}]", "[" * 10**5, '{"a": {"b": 1}, "c": {}}',
    '{"x": [1, 2], "y": [1]}', '[[], [1]]', '{"x": 1, "y\\ud800": 2}\n{"x": 1}'])
def test_json_of_strange_forms(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    read_or_refuse(tmp_path / "a.json", "y")


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "BOMB_CHECK_FROM_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (64 << 20))
    with pytest.raises(BadData, match="unpacks to more than 64 MB"):
        read_table(tmp_path / "bomb.xlsx", "y")


NASTY = ["E17", "E11", "E5", "1E400", "0E17", "-", "+", ".", ",", "e", "E", "1e", "١٢", "½", "1/0", "0/0", "5'", '5"', "''",
         "1 000 000", "--1", "+-1", "1.2.3", "1,2,3", "0x", "0b1", "1_000", "inf", "nan", "None", "True", "null", "\u200b",
         "\u00a0", "\ud7ff", "%", "$", "$%", "()", "(1", "1)", "1e-400", "99999999999999999999", "-0", "00", "007", "24:60",
         "25:00 AM", "0000-00-00", "9999-99-99", "31/02/2020", "Feb 30, 2020", "1h 1h", "2h 90m", "a" * 5000, "1" * 400, "[]",
         "{}", "\\", "|", "K", "1KK", "1kkg", "°", "1°", "Infinity%", "1e5e5", "1\n2"]


@pytest.mark.parametrize("role", ["feature", "target", "header"])
def test_nasty_strings_in_any_place(role):
    labels = [NASTY[row % len(NASTY)] for row in range(4 * len(NASTY))]
    for cells in (labels, NASTY * 4, *([each] * 20 + ["1", "2"] * 20 for each in NASTY)):
        x = np.arange(len(cells)) % 7
        names = ["cell", "x"] if role != "header" else [cells[0], cells[-1] + "x"]
        frame = pd.DataFrame({names[0]: cells, names[1]: x, "y": np.arange(len(cells)) / 3})
        try:
            table = read_table(frame, names[0] if role == "target" else "y")
            assert len(table) <= len(cells)
            read_new_rows(frame.iloc[:9], table.columns)
        except TabbenchError as error:
            assert str(error)


def test_a_cure_by_the_declared_type_works_for_a_target_of_mixed_scales():
    frame = pd.DataFrame({"x": np.arange(ROWS) / 7, "y": [f"{row} kg" for row in range(1, 41)] + ["12"] * 20})
    with pytest.raises(BadData, match="write all of its cells in one unit"):
        read_table(frame, "y")
    cured = frame.assign(y=[cell if cell.endswith("kg") else f"{cell} kg" for cell in frame["y"]])
    assert read_table(cured, "y").target.tolist()[:2] == [1, 2]
