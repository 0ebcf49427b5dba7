"""Files as people have them: what stands above and beside the table is understood and said, and the table is its plain twin."""

import json
import sqlite3

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabbench.core.errors import BadData, BadOption, UnknownName
from tabbench.reading.layout import Layout
from tabbench.reading.reading import read_table
from tabbench.reading.schema import read_new_rows

ROWS = 60
NO_HEADER = Layout(has_header=False)


def plain_frame(rows=ROWS):
    random = np.random.default_rng(0)
    return pd.DataFrame({"town": random.choice(["Bern", "Genf", "Zug"], rows), "size": np.round(random.normal(size=rows), 3),
                         "count": random.integers(0, 9, rows), "price": np.round(random.gamma(2, size=rows), 2)})


CSV = plain_frame().to_csv(index=False)
HEADER, BODY = CSV.split("\n", 1)
LINES = BODY.splitlines()


def with_names(separator, quote=""):
    return "".join(f"{quote}row {place}{quote}{separator}{line.replace(',', separator)}\n" for place, line in enumerate(LINES))


TEXTS = {
    "comment lines": (f"# made by hand, 2020\n# second line\n{CSV}", "comment-lines"),
    "comment lines of percents": (f"% made by hand\n%\n\n{CSV}", "comment-lines"),
    "comments among the rows": (CSV.replace("\nZug", "\n# half-way\nZug", 1) + "# end\n", "comment-lines"),
    "header in a comment": (f"# made by hand\n# {CSV}", "comment-lines"),
    "a title": (f"Prices of 2020\n{CSV}", "title-lines"),
    "a title with a comma": (f"Prices, by town\n{CSV}", "title-lines"),
    "titles padded with delimiters": (f"Prices of 2020,,,\nmade 2021-01-01,,,\n{CSV}", "title-lines"),
    "title and blank line": (f"Prices of 2020\n\n{CSV}", "title-lines"),
    "sep=": (f"sep=;\n{CSV.replace(',', ';')}", "delimiter-line"),
    "quoted sep=": (f'"sep=\t"\r\n{CSV.replace(",", chr(9))}', "delimiter-line"),
    "a delimiter of its own": (f"sep=!\n{CSV.replace(',', '!')}", "delimiter-line"),
    "row names of R": (f"{HEADER}\n{with_names(',')}", "row-names"),
    "row names of R between blanks": ('"town" "size" "count" "price"\n' + with_names(" ", '"'), "row-names"),
    "trailing delimiters": (f"{HEADER}\n" + "".join(f"{line},\n" for line in LINES), "trailing-delimiter"),
    "blanks": (CSV.replace(",", "   "), None),
    "blanks at both ends": ("".join(f"  {line.replace(',', ' ')} \n" for line in CSV.splitlines()), None),
    "units": (f"{HEADER}\n,kg,pcs,EUR\n{BODY}", "units-row"),
    "units in brackets": (f"{HEADER}\n-,[kg/m³],(pcs),[%]\n{BODY}", "units-row"),
    "types": (f"{HEADER}\nstring,float,int,float\n{BODY}", "units-row"),
    "types and roles": (f"{HEADER}\nd,continuous,continuous,continuous\n,,,class\n{BODY}".replace(",", "\t"), "units-row"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_file_is_its_plain_twin_and_what_was_done_is_said(case, tmp_path):
    text, code = TEXTS[case]
    (tmp_path / "table.txt").write_text(text, encoding="utf-8")
    table, twin = read_table(tmp_path / "table.txt", "price"), read_table(plain_frame(), "price")
    pd.testing.assert_frame_equal(table.features, twin.features)
    assert table.target.tolist() == twin.target.tolist() and table.rows.tolist() == twin.rows.tolist()
    said = next((finding.message for finding in table.findings if finding.code == code), None)
    assert (said is not None) == (code is not None)
    if said:
        assert any(line.startswith("file: ") and said in line for line in table.reading)
    new = read_new_rows(tmp_path / "table.txt", table.columns)
    pd.testing.assert_frame_equal(new.features, table.features, check_dtype=False)


@pytest.mark.parametrize(("text", "names"), [
    (f"2019,,2020,\ntown,size,count,price\n{BODY}", ["2019 town", "2019 size", "2020 count", "2020 price"]),
    (f"a,a,b,b\ntown,size,count,price\n{BODY}", ["a town", "a size", "b count", "b price"]),
])
def test_two_rows_of_header_are_joined(text, names, tmp_path):
    (tmp_path / "table.csv").write_text(text)
    table = read_table(tmp_path / "table.csv", names[3])
    assert table.features.columns.tolist() == names[:3]
    assert "two-row-header" in {finding.code for finding in table.findings}


NOTHING_ODD = {
    "a first row of gaps": f"{HEADER}\nBern,NA,NA,NA\n{BODY}",
    "a stray word in the first row": f"{HEADER}\nBern,ill,3,2.5\n{BODY}",
    "years for names": CSV.replace("size,count", "2019,2020", 1),
    "a header with a sharp sign": CSV.replace("town", "# of rooms", 1),
    "a header that begins with a sharp sign": CSV.replace("town", "#town", 1),
    "a percent sign": CSV.replace("town", "% fat", 1),
}


@pytest.mark.parametrize("case", NOTHING_ODD)
def test_what_only_looks_odd_stays(case, tmp_path):
    text = NOTHING_ODD[case]
    (tmp_path / "table.csv").write_text(text)
    table = read_table(tmp_path / "table.csv", "price")
    assert table.features.columns.tolist() == text.splitlines()[0].split(",")[:3]
    odd = {"comment-lines", "title-lines", "units-row", "two-row-header", "first-row-is-data"}
    assert not odd & {finding.code for finding in table.findings}
    assert len(table) == ROWS + ("stray" in case)


def test_a_file_without_header_is_hinted_at_and_read_when_asked(tmp_path):
    (tmp_path / "table.csv").write_text(BODY)
    with pytest.raises(UnknownName) as caught:
        read_table(tmp_path / "table.csv", "price")
    assert "the first row looks like values: if it names no columns, give --no-header" in caught.value.typed
    names = read_table(tmp_path / "table.csv", LINES[0].split(",")[3])
    assert "first-row-is-data" in {finding.code for finding in names.findings}
    table = read_table(tmp_path / "table.csv", "column 4", layout=NO_HEADER)
    twin = read_table(plain_frame(), "price")
    assert len(table) == ROWS and table.features.columns.tolist() == ["column 1", "column 2", "column 3"]
    np.testing.assert_array_equal(table.features["column 2"], twin.features["size"])
    rows = read_new_rows(tmp_path / "table.csv", table.columns, NO_HEADER)
    pd.testing.assert_frame_equal(rows.features, table.features, check_dtype=False)


@pytest.mark.parametrize("shuffled", [False, True])
def test_an_index_that_pandas_wrote_is_left_out(shuffled, tmp_path):
    frame = plain_frame(500).sample(ROWS, random_state=0) if shuffled else plain_frame()
    frame.to_csv(tmp_path / "table.csv")
    table = read_table(tmp_path / "table.csv", "price")
    assert table.features.columns.tolist() == ["town", "size", "count"]
    assert "identifier-column" in {finding.code for finding in table.findings}
    again = pd.read_csv(tmp_path / "table.csv")
    assert read_table(again, "price").features.columns.tolist() == ["town", "size", "count"]


def test_a_trailing_field_that_is_filled_later_is_refused_and_the_cure_works(tmp_path):
    rows = [f"{line},\n" for line in LINES * 10]
    rows[-1] = rows[-1].strip() + "late\n"
    (tmp_path / "table.csv").write_text(f"{HEADER}\n" + "".join(rows))
    with pytest.raises(BadData, match="holds a value in row 600; add a name to the header"):
        read_table(tmp_path / "table.csv", "price")
    (tmp_path / "table.csv").write_text(f"{HEADER},note\n" + "".join(rows))
    assert len(read_table(tmp_path / "table.csv", "price")) == 600


ORIENTS = ("columns", "index", "split", "records", "table")


@pytest.mark.parametrize("orient", ORIENTS)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("named", [False, True])
def test_what_to_json_writes(orient, indent, named, tmp_path):
    frame = plain_frame()
    frame.index = [f"r{row}" for row in range(ROWS)] if named else frame.index
    frame.to_json(tmp_path / "table.json", orient=orient, indent=indent)
    table = read_table(tmp_path / "table.json", "price")
    pd.testing.assert_frame_equal(table.features, read_table(plain_frame(), "price").features)


def test_other_json(tmp_path):
    records = [{"house": {"town": town, "more": {"size": size}}, "price": price}
               for town, size, price in plain_frame()[["town", "size", "price"]].itertuples(index=False)]
    records[3]["late"] = 1
    path = tmp_path / "table.json"
    for document in (records, {"about": {"n": 60}, "houses": records}):
        path.write_text(json.dumps(document, indent=1))
        table = read_table(path, "price")
        assert table.features.columns.tolist()[:2] == ["house.town", "house.more.size"]
    plain_frame().to_json(path, orient="values")
    assert read_table(path, "column 4").features.columns.tolist() == ["column 1", "column 2", "column 3"]
    path.write_text(json.dumps(plain_frame().to_dict("list")))
    pd.testing.assert_frame_equal(read_table(path, "price").features, read_table(plain_frame(), "price").features)


@pytest.mark.parametrize("text", ['{"a": [1, 2', '{"a": 1, "b": "x"', '[{"a": 1}, 2]', '{"a": {"b": 1}, "c": 3}', "[[[",
                                  "[" * 100_000, '{"a": [{"b": 1}], "c": [{"d": 1}]}', '{"a": [1], "b": [1, 2]}'])
def test_json_that_is_no_table_is_refused_and_the_cure_works(text, tmp_path):
    (tmp_path / "table.json").write_text(text)
    with pytest.raises(BadData, match="write one record a line") as caught:
        read_table(tmp_path / "table.json", "price")
    assert "\n" not in str(caught.value)
    plain_frame().to_json(tmp_path / "table.json", orient="records", lines=True)
    assert len(read_table(tmp_path / "table.json", "price")) == ROWS


def test_sheets_of_a_workbook(tmp_path):
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"See the data": ["next sheet"]}).to_excel(writer, sheet_name="README", index=False)
        plain_frame().to_excel(writer, sheet_name="data", index=False, startrow=3, startcol=1)
        writer.sheets["data"]["A1"] = "Prices of 2020"
        plain_frame(40).to_excel(writer, sheet_name="more", index=False)
    table = read_table(path, "price")
    pd.testing.assert_frame_equal(table.features, read_table(plain_frame(), "price").features)
    assert {"sheets", "title-lines"} <= {finding.code for finding in table.findings}
    assert any("sheet 'data' of 3 sheets (README, data, more)" in line for line in table.reading)
    assert len(read_table(path, "price", layout=Layout(sheet="more"))) == 40
    with pytest.raises(UnknownName, match="no sheet 'dat'; did you mean 'data'"):
        read_table(path, "price", layout=Layout(sheet="dat"))
    with pytest.raises(BadData, match="no table in the sheet"):
        read_table(path, "price", layout=Layout(sheet="README"))


def database(path, *tables):
    with sqlite3.connect(path) as connection:
        for name in tables:
            plain_frame().to_sql(name, connection, index=False)
    connection.close()
    return path


def test_tables_of_a_database(tmp_path):
    twin = read_table(plain_frame(), "price")
    pd.testing.assert_frame_equal(read_table(database(tmp_path / "one.db", "sales"), "price").features, twin.features)
    path = database(tmp_path / "two.db", "sales", 'odd "name"')
    with pytest.raises(BadData, match=r"has 2 tables; there are: .*sales; name one as sqlite:///.*two.db") as caught:
        read_table(path, "price")
    cure = str(caught.value).split("name one as ")[1].split(",")[0].replace("NAME", "sales")
    table = read_table(cure, "price")
    pd.testing.assert_frame_equal(table.features, twin.features)
    assert table.name == "sales"
    few = read_table(path, "price", layout=Layout(query="SELECT * FROM sales WHERE count > 2"))
    assert few.features["count"].min() == 3
    for query in ("SELECT nothing FROM sales", "DROP TABLE sales", "nonsense"):
        with pytest.raises(BadData, match="correct query"):
            read_table(path, "price", layout=Layout(query=query))
    assert len(read_table(f"sqlite:///{path}?table=sales", "price")) == ROWS
    with pytest.raises(BadData, match="no table 'x'"):
        read_table(f"sqlite:///{path}?table=x", "price")
    with pytest.raises(BadOption, match="names no file"):
        read_table("sqlite://", "price")


def test_parts_of_a_table(tmp_path):
    frame, twin = plain_frame(), read_table(plain_frame(), "price")
    (tmp_path / "csv").mkdir()
    frame[:20].to_csv(tmp_path / "csv" / "part-1.csv", index=False)
    frame[20:].iloc[:, ::-1].to_csv(tmp_path / "csv" / "part-2.csv", index=False)
    for source in (tmp_path / "csv", tmp_path / "csv" / "*.csv"):
        table = read_table(str(source), "price")
        pd.testing.assert_frame_equal(table.features, twin.features)
        assert table.rows.tolist() == list(range(ROWS))
        assert any("2 files put together (part-1.csv, part-2.csv)" in line for line in table.reading)
    for year, rows in ((2019, frame[:20]), (2020, frame[20:])):
        (tmp_path / "lake" / f"year={year}").mkdir(parents=True)
        rows.to_parquet(tmp_path / "lake" / f"year={year}" / "part-0.parquet")
    (tmp_path / "lake" / "_SUCCESS").touch()
    assert read_table(tmp_path / "lake", "price").features["year"].tolist() == [2019] * 20 + [2020] * 40
    (tmp_path / "csv" / "part-3.csv").write_text("town,size\nBern,1\n")
    with pytest.raises(BadData, match=r"part-1\.csv has the column 'count', but part-3\.csv has not"):
        read_table(tmp_path / "csv", "price")
    assert len(read_table(str(tmp_path / "csv" / "part-[12].csv"), "price")) == ROWS


def test_a_folder_of_several_formats_is_refused_and_the_cure_works(tmp_path):
    plain_frame().to_csv(tmp_path / "a.csv", index=False)
    plain_frame().to_parquet(tmp_path / "b.parquet")
    with pytest.raises(BadData, match="files of several formats") as caught:
        read_table(tmp_path, "price")
    cure = str(caught.value).split("by a pattern, as '")[1].rstrip("'")
    assert len(read_table(cure, "price")) == ROWS
    with pytest.raises(BadData, match="pattern without files of tables"):
        read_table(str(tmp_path / "*.arff"), "price")


@pytest.mark.parametrize(("name", "layout", "option"), [
    ("a.csv", Layout(sheet="data"), "sheet"), ("a.csv", Layout(query="SELECT 1"), "query"),
    ("a.parquet", NO_HEADER, "no_header")])
def test_options_that_do_not_apply_are_refused(name, layout, option, tmp_path):
    path = tmp_path / name
    plain_frame().to_csv(path, index=False) if name == "a.csv" else plain_frame().to_parquet(path)
    with pytest.raises(BadOption, match=f"{option}.* does not apply to {name}"):
        read_table(path, "price", layout=layout)


@pytest.mark.parametrize("value", [2**30, -5, 10**6])
@pytest.mark.parametrize("as_stream", [False, True])
def test_arrow_files_whose_offsets_lie_are_refused(value, as_stream, tmp_path):
    table = pa.table({"a": [f"w{row % 7:03d}" for row in range(ROWS)], "price": list(range(ROWS))})
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if as_stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    good, offsets = sink.getvalue().to_pybytes(), np.arange(ROWS + 1, dtype="<i4") * 4
    (tmp_path / "good.arrow").write_bytes(good)
    assert len(read_table(tmp_path / "good.arrow", "price")) == ROWS
    at = good.find(offsets.tobytes())
    offsets[30:] = value
    (tmp_path / "bad.arrow").write_bytes(good[:at] + offsets.tobytes() + good[at + offsets.nbytes:])
    with pytest.raises(BadData, match=r"bad\.arrow is damaged or cut off .*column a"):
        read_table(tmp_path / "bad.arrow", "price")
