"""Each refusal says what helps: a table that is refused is read once its cure is followed."""

import gzip

import numpy as np
import pandas as pd
import pytest

from tabbench.core.errors import TabbenchError
from tabbench.reading.layout import Layout
from tabbench.reading.reading import read_table
from tabbench.reading.target import read_target

ROWS = 60


def table_of(**changes):
    random = np.random.default_rng(0)
    plain = {"size": random.normal(size=ROWS).round(3), "town": random.choice(["Bern", "Zug"], ROWS),
             "price": random.gamma(2, size=ROWS).round(2)}
    return pd.DataFrame(plain | changes)


FRAME = table_of()
DAYS = pd.date_range("2020-01-01", periods=ROWS).strftime("%Y-%m-%d")
QUARTERS = ["2015Q1", "2015Q2"] * 30
RARE = ["yes"] * 3 + ["no"] * 57
FRAMES = {
    # words of the cure: (source, options), (source, options) after it
    "write all of its cells in one unit": ((table_of(price=["5 kg", "7"] * 30), {}), (table_of(price=["5 kg", "7 kg"] * 30), {})),
    "'price': 'category'": ((table_of(price=QUARTERS), {}), (table_of(price=QUARTERS), {"types": {"price": "category"}})),
    "name it with target": ((table_of(y=1.5, label=2.5), {"target": None}), (table_of(y=1.5, label=2.5), {"target": "price"})),
    "name the column to predict with target": ((FRAME, {"target": None}), (FRAME, {"target": "price"})),
    "give each its own column": ((FRAME, {"group": "price"}), (FRAME, {"group": "town"})),
    "write dates as YYYY-MM-DD": ((table_of(day="some day"), {"time": "day"}), (table_of(day=DAYS), {"time": "day"})),
    "weights are numbers of at least 0": ((table_of(w=-1.0), {"weight": "w"}), (table_of(w=1.0), {"weight": "w"})),
    "give some row a weight": ((table_of(w=0.0), {"weight": "w"}), (table_of(w=[1.0, 0.0] * 30), {"weight": "w"})),
    "fill it or remove these rows": ((table_of(g=["a", None] * 30), {"group": "g"}),
                                     (table_of(g=["a", "b"] * 30), {"group": "g"})),
    "declare another kind with types": ((FRAME, {"types": {"town": "number"}}), (FRAME, {"types": {"town": "text"}})),
    "which can be category or number": ((FRAME, {"types": {"price": "date"}}), (FRAME, {"types": {"price": "number"}})),
    "leave it out of types": ((table_of(day=pd.to_datetime(DAYS)), {"types": {"day": "number"}}),
                              (table_of(day=pd.to_datetime(DAYS)), {})),
    "exclude each other": ((table_of(f=[0, 1] * 30), {"fold": "f", "test": FRAME}),
                           (table_of(f=[0, 1] * 30), {"test": table_of(f=0)})),
    "leave it out with drop": ((table_of(raw=[b"\xff\x00"] * ROWS), {}), (table_of(raw=[b"\xff\x00"] * ROWS), {"drop": ["raw"]})),
    "use fewer folds": ((table_of(price=RARE), {}), (table_of(price=["yes"] * 10 + ["no"] * 50), {})),
    "correct or remove these rows": ((table_of(price=[np.inf] + [1.5, 2.5, 3.5] * 19 + [4, 5]), {}),
                                     (table_of(price=[1.5, 2.5, 3.5] * 20), {})),
}


def taken(source, options):
    options = {"target": "price"} | options
    return read_target(read_table(source, options.pop("target"), **options))


@pytest.mark.parametrize("cure", FRAMES)
def test_what_is_wrong_with_a_frame_can_be_cured(cure):
    refused, cured = FRAMES[cure]
    with pytest.raises(TabbenchError) as caught:
        taken(*refused)
    assert cure in str(caught.value)
    assert taken(*cured).kind


CSV = FRAME.to_csv(index=False)
LINES = CSV.splitlines()
CUT_OFF = gzip.compress(np.random.default_rng(0).bytes(20_000))[:9_000]
FILES = {
    "save it as UTF-8": ("table.csv", ("größe,price\n" + "Zürich\x81,1\n" * ROWS).encode("latin-1"),
                         ("größe,price\n" + "".join(f"Zürich {row % 3},{row}.5\n" for row in range(ROWS))).encode()),
    "save it as CSV (UTF-8), Parquet": ("table.csv", CSV.encode() + b"a\x00,b,1\n", CSV.encode()),
    "delimited by comma, semicolon, tab, bar or blanks": ("table.csv", CSV.replace(",", "~").encode(),
                                                          CSV.replace(",", "|").encode()),
    "give at least 30 rows": ("table.csv", LINES[0].encode() + b"\n", CSV.encode()),
    "give a table with a header line": ("table.csv", b"", CSV.encode()),
    "mend these lines": ("table.csv", (CSV + "1,Zug\n").encode(), (CSV + "1,Zug,2\n").encode()),
    "save the table as CSV": ("table.html", b"<html><table><tr><td>1</td></tr></table></html>", CSV.encode()),
    "save it as .xlsx or CSV": ("table.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), CSV.encode()),
    "get it again": ("table.csv.gz", CUT_OFF, gzip.compress(CSV.encode())),
    "write one record a line": ("table.jsonl", b'{"size": 1, "price": 2}\n{"size": }\n' * ROWS,
                                FRAME.to_json(orient="records", lines=True).encode()),
}


@pytest.mark.parametrize("cure", FILES)
def test_what_is_wrong_with_a_file_can_be_cured(cure, tmp_path):
    name, refused, cured = FILES[cure]
    path = tmp_path / name
    path.write_bytes(refused)
    with pytest.raises(TabbenchError) as caught:
        read_table(path, "price")
    assert cure in str(caught.value) and "table" in str(caught.value)
    path.write_bytes(cured)
    assert len(read_table(path, "price")) >= ROWS


def test_an_option_that_does_not_apply_is_to_be_left_out(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(CSV)
    with pytest.raises(TabbenchError, match=r"sheet does not apply to table\.csv.*; leave it out"):
        read_table(path, "price", layout=Layout(sheet="first"))
    assert len(read_table(path, "price")) == ROWS
