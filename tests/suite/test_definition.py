"""Suites as TOML: what is read, what is refused in a sentence, and that what is written is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabbench.core.errors import BadData, BadOption, UnknownName
from tabbench.suite.definition import (
    Suite,
    SuiteTable,
    all_suites,
    find_suite,
    name_of,
    new_suite,
    read_suite,
    suite_toml,
    with_tables,
    write_suite,
)
from tabbench.suite.editing import add_tables, write_new

TEN_LINES = """
name = "mine"
title = "Our tables"
tables = ["a.csv", "credit_g", {source = "b.csv", name = "second", target = "price", drop = ["id"]}]

[options]
preset = "fast"
sizes = [100, "full"]
"""


def written(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_ten_lines_are_a_suite(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    suite = read_suite(written(tmp_path, TEN_LINES))
    assert (suite.name, suite.title, suite.options) == ("mine", "Our tables", {"preset": "fast", "sizes": [100, "full"]})
    assert [table.name for table in suite.tables] == ["a", "credit_g", "second"]
    assert suite.tables[0].source == str(tmp_path / "a.csv") and suite.tables[1].source == "credit_g"
    assert suite.tables[2].options == {"target": "price", "drop": ["id"]}


def test_a_file_that_is_gone_is_still_one_beside_the_suite(tmp_path):
    suite = read_suite(written(tmp_path, TEN_LINES))
    assert [table.source for table in suite.tables] == [str(tmp_path / "a.csv"), "credit_g", str(tmp_path / "b.csv")]


@pytest.mark.parametrize("text, message", [
    ("tables = []", r"has no tables; write tables = "),
    ("tables = 3", r"has tables = 3; write \[\[tables\]\] or a list"),
    ("tabels = ['a.csv']", "does not know the entry 'tabels'; it takes name, title, tables, options"),
    ("tables = [{name = 'a'}]", "has a table without source"),
    ("tables = [{source = 'a.csv', tarket = 'y'}]", "the table a.csv .* does not know the entry 'tarket'"),
    ("tables = ['a.csv', 'b/a.csv']", "has 2 tables called a; give each a name of its own"),
    ("tables = ['a.csv']\nname = '../evil'", "has the name '../evil'; use letters"),
    ("tables = [{source = 'a.csv', name = '..'}]", "has a table with the name '..'; use letters"),
    ("tables = ['a.csv']\n[options]\nout = 'x'", r"\[options\] in .* does not know the entry 'out'"),
    ("tables = [", "is not TOML"),
    ("tables = [{source = 'a.csv', drop = 3}]", "the table a.csv in .* has drop = 3; write a text, a number, or a list of these"),
    ("tables = [{source = 'a.csv', time = 1979-05-27}]", "has time = datetime.date"),
    ("tables = ['a.csv']\n[options]\nmargin = inf", r"\[options\] in .* has margin = inf"),
    ("tables = ['a.csv']\n[options]\nsizes = {most = 5}", "has sizes = {'most': 5}"),
])
def test_a_mistake_is_one_sentence(tmp_path, text, message):
    with pytest.raises(BadData, match=message):
        read_suite(written(tmp_path, text))


def test_a_suite_that_is_not_there_is_named_with_near_ones(tmp_path):
    with pytest.raises(UnknownName, match="smoke"):
        find_suite("smok")
    with pytest.raises(BadData, match="cannot be read"):
        find_suite(str(tmp_path / "absent.toml"))


def test_every_suite_that_comes_with_tabbench_is_read():
    suites = all_suites()
    assert "smoke" in {suite.name for suite in suites}
    assert all(find_suite(suite.name) == suite and suite.title for suite in suites)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
values = st.one_of(st.integers(-5, 5), st.booleans(), texts, st.lists(texts, max_size=3))
options = st.fixed_dictionaries({}, optional={"target": texts, "drop": st.lists(texts, max_size=3), "folds": values,
                                              "metric": values})


@given(st.lists(names, min_size=1, max_size=4, unique=True), texts,
       options.map(lambda found: {name: value for name, value in found.items() if value}))
def test_what_is_written_is_read_again(tmp_path_factory, found, title, options):
    suite = Suite("s", title, tuple(SuiteTable(name, f"source of {name}", options=options) for name in found), {"seed": 3})
    path = tmp_path_factory.mktemp("suite") / "s.toml"
    write_suite(suite, path)
    assert read_suite(path) == suite
    assert suite_toml(read_suite(path)) == path.read_text(encoding="utf-8")


def test_names_are_what_a_folder_can_be_called():
    assert [name_of(each) for each in (
        "x/.hidden.csv", "__own.csv", "Ümlaut 1.parquet", "generated:xor,rows=20", "???", "https://a.b/c.d.csv")] == [
        "hidden", "own", "Umlaut-1", "generated-xor-rows-20", "table", "c"]
    suite = new_suite("s", ["a/t.csv", "b/t.csv", "c/T.csv"])
    assert [table.name for table in suite.tables] == ["t", "t-2", "T-3"]
    with pytest.raises(BadOption, match="a suite needs tables"):
        new_suite("s", [])


def test_a_suite_of_ones_own_is_written_and_extended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x,y\n1,2\n")
    path = tmp_path / "own.toml"
    assert "tabbench suite run" in write_new(path, ["a.csv"], "y")
    assert 'source = "a.csv"' in path.read_text()
    with pytest.raises(BadOption, match="is there already"):
        write_new(path, ["a.csv"])
    with pytest.raises(BadOption, match=r"c\.csv is neither a file nor a data set's name"):
        add_tables(path, ["c.csv"])
    add_tables(path, ["b.csv", "penguins"])
    assert 'source = "a.csv"' in path.read_text() and 'source = "b.csv"' in path.read_text(), "the folder can be passed on"
    (tmp_path / "below").mkdir()
    write_new(tmp_path / "below" / "own.toml", ["a.csv"])
    assert read_suite(tmp_path / "below" / "own.toml").tables[0].source == str(tmp_path / "a.csv")
    assert str(tmp_path) not in path.read_text()  # the suite and its tables can be moved together
    suite = read_suite(path)
    assert [table.name for table in suite.tables] == ["a", "b", "penguins"] and suite.tables[0].options == {"target": "y"}
    assert with_tables(suite, ["a.csv"]).tables[-1].name == "a-2"


@pytest.mark.parametrize("text", [
    'tables = ["a.csv"] # ours\n[options]\nfolds = 3 # enough\n',
    '# mine\ntables = [\n  "a.csv", # [not "this"]\n]\n[options]\nfolds = 3\n',
    "tables = [\n  {source = 'a.csv', drop = ['#', ']']} # last\n  # more to come\n]\n[options]\nfolds = 3\n",
    "# mine\n[options] # of all\nfolds = 3\n[[tables]] # first\nsource = 'a.csv'\n"])
def test_what_stands_in_a_suite_stays_when_tables_are_added(tmp_path, text):
    path = written(tmp_path, text)
    before = read_suite(path)
    add_tables(path, ["penguins", "generated:xor"], "y")
    after = read_suite(path)
    assert after.tables[:1] == before.tables and after.options == before.options
    assert [(each.source, each.options) for each in after.tables[1:]] == [("penguins", {"target": "y"}),
                                                                          ("generated:xor", {"target": "y"})]
    rest = iter(path.read_text())
    assert all(letter in rest for letter in text.strip()), "nothing was taken out"


def test_names_keep_the_letters_of_every_script(tmp_path):
    (tmp_path / "データ.csv").write_text("x,y\n1,2\n")
    write_new(tmp_path / "自分.toml", [str(tmp_path / "データ.csv")])
    suite = read_suite(tmp_path / "自分.toml")
    assert (suite.name, suite.tables[0].name) == ("自分", "データ")
