"""ARFF as it is found: quotes, escapes, comments, levels; and one sentence with the line for what cannot be read."""

import pyarrow as pa
import pytest

from tabbench.core.errors import BadData
from tabbench.reading import arff
from tabbench.reading.source import read_source

HEADER = "@relation r\n@attribute a numeric\n@attribute b {x, 'y z', \"p,q\", 'it\\'s'}\n@attribute c string\n@data\n"


@pytest.fixture
def read(tmp_path):
    """Reads a text as an ARFF file."""
    def read(text):
        (tmp_path / "t.arff").write_bytes(text.encode() if isinstance(text, str) else text)
        return arff.read_arff(tmp_path / "t.arff", "t.arff")
    return read


def test_values_are_read_as_they_are_declared(read):
    table = read(HEADER + "% a comment\n\n1.5,x,plain text\n -2e3 , 'y z' , 'quoted, \\'so\\''\n"
                          "?,\"p,q\",\"?\"\n4,'it\\'s',?\n+5,?,\n")
    assert table["a"].to_pylist() == [1.5, -2000.0, None, 4.0, 5.0]
    assert table["b"].to_pylist() == ["x", "y z", "p,q", "it's", None]
    assert table["c"].to_pylist() == ["plain text", "quoted, 'so'", "?", None, ""]
    assert table["b"].chunk(0).dictionary.to_pylist() == ["x", "y z", "p,q", "it's"]


def test_names_and_types_are_read_in_every_spelling(read):
    table = read("% x\r\n@RELATION 'my table'\r\n@Attribute 'two words' REAL\r\n@attribute \"q\\\"\" Integer [0,5]\r\n"
                 "@attribute when DATE \"yyyy-MM-dd HH:mm\"\r\n@attribute tight{1,2}\r\n@DATA\r\n1,2,'2020-01-02 03:04',1\r\n")
    assert table.column_names == ["two words", 'q"', "when", "tight"]
    assert table.to_pylist() == [{"two words": 1.0, 'q"': 2.0, "when": "2020-01-02 03:04", "tight": "1"}]


def test_blocks_make_one_table(read, monkeypatch):
    monkeypatch.setattr(arff, "BLOCK_BYTES", 20)
    table = read(HEADER + "".join(f"{number},{'x' if number % 2 else '?'},t\n" for number in range(10)))
    assert table["a"].to_pylist() == list(range(10))
    assert table["b"].null_count == 5
    assert isinstance(table["b"].combine_chunks(), pa.DictionaryArray)
    with pytest.raises(BadData, match=r"line 15: 'w' is not among"):
        read(HEADER + "1,x,t\n" * 9 + "1,w,t\n" + "1,x,t\n" * 9)


@pytest.mark.parametrize("rows", [
    "1,x,a b\n2,?,?\n", "1,'y z','a, b'\n2,'x','?'\n", " 1 , x , t \n2, ? ,?\n3,'y z', 'u'\n", "1,\"p,q\",\"it's\"\n",
    "1,x,\n", "1,x,it's\n", "\n1,x,t\n\n", "1,x,10%\r\n2,x,{3}\r\n", "'5',x,1\n", "1,x,NA\n2,x,null\n", "1,x,''\n",
])
def test_the_quick_reader_reads_what_the_other_one_reads(read, monkeypatch, rows):
    quick = read(HEADER + rows)
    monkeypatch.setattr(arff, "_quickly", lambda block, attributes: None)
    assert quick.to_pydict() == read(HEADER + rows).to_pydict()


def test_a_long_run_of_spaces_is_read_in_one_pass(read):
    text = "a" + " " * 200_000 + "b"
    assert read(HEADER + f"1,\"p,q\",'t'\n2,x, {text} \n")["c"].to_pylist() == ["t", text]


def test_table_without_rows_has_its_columns(read):
    assert read(HEADER).shape == (0, 3)


@pytest.mark.parametrize(("text", "sentence"), [
    (HEADER + "1,x\n", r"line 6: there are 2 values for 3 columns"),
    (HEADER + "1,x,t\none,x,t\n", r"line 7: 'one' in the column 'a' is no number"),
    (HEADER + "1,w,t\n", r"line 6: 'w' is not among the declared levels of the column 'b'"),
    (HEADER + "1,x,'open\n", r"line 6: a quoted value does not end"),
    (HEADER + "1,x,'closed' late\n", r"line 6: a quoted value does not end"),
    (HEADER + "{0 1, 1 x}\n", r"line 6: sparse rows are not read; save the table as a dense ARFF file"),
    ("@relation r\n@attribute a relational\n@data\n", r"line 2: columns of type 'relational' are not read"),
    ("@relation r\n@attribute a\n@data\n", r"line 2: .* declares no column"),
    ("@relation r\n@attribute a real\n@attribute a real\n@data\n", r"the column 'a' is declared twice"),
    ("@relation r\n@data\n1\n", r"line 2: no column is declared"),
    ("@relation r\n@attribute a real\n", r"has no line @data"),
    ("a,b\n1,2\n", r"line 1: .* is neither @relation, @attribute nor @data"),
    (HEADER.encode() + b"1,x,\xff\n", r"is not UTF-8"),
])
def test_what_cannot_be_read_is_one_sentence(read, text, sentence):
    with pytest.raises(BadData, match=sentence):
        read(text)


def test_a_file_is_known_by_its_content(tmp_path):
    rows = "".join(f"{number % 11},x,t\n" for number in range(40))
    (tmp_path / "some.data").write_text("% by nobody\n" * 100 + HEADER + rows)
    raw = read_source(tmp_path / "some.data")
    assert (raw.name, raw.description, list(raw.columns)) == ("some", "ARFF", ["a", "b", "c"])
    (tmp_path / "text.csv").write_text("%a,b\n" + "1,2\n" * 40)
    assert read_source(tmp_path / "text.csv").description == "delimited by comma, UTF-8"
