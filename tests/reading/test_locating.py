"""What names a table, and in which order."""

import pytest

import tabbench
from tabbench.comparison.prepare import resolve_source
from tabbench.core.errors import BadOption, UnknownName
from tabbench.options import Options
from tabbench.reading.locating import fetched, locate


def test_a_file_comes_before_a_data_set_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert locate("penguins").target == "species"
    (tmp_path / "penguins").write_text("a,y\n1,2\n")
    assert locate("penguins") is None


@pytest.mark.parametrize("source", ["cars.csv", "-", "./penguins", "C:/tables/cars.csv", "no_such"])
def test_paths_are_left_to_the_reader(source):
    assert locate(source) is None


@pytest.mark.parametrize(("source", "error", "sentence"), [
    ("generated:xr", UnknownName, "no generator 'xr'; did you mean 'xor'"),
    ("generated:xor,row=5", UnknownName, "no parameter of the generator xor 'row'; did you mean 'rows'"),
    ("generated:xor,rows=29", BadOption, "must be a whole number from 30 to 10,000,000, not '29'"),
    ("generated:xor,rows=1e3.5", BadOption, "must be a whole number"),
    ("generated:xor,noise=nan", BadOption, "noise of the generator xor must be a number of at least 0"),
    ("generated:xor,seed=0.5", BadOption, "seed of the generator xor must be a whole number from 0 to"),
    ("generated:xor,columns=1e9", BadOption, "columns of the generator xor must be a whole number from 0 to 10,000, not '1e9'"),
    ("generated:xor,rows=1e6,columns=1e4", BadOption, "1,000,000 rows of 10,000 columns of the generator xor are more than"),
    ("generated:near_copies,rows=1e6,copies=1e4", BadOption, "1,000,000 rows of 10,000 columns of the generator near_copies"),
    ("generated:xor,task=ranking", BadOption, "task of the generator xor has no value 'ranking'"),
    ("generated:xor,rows", BadOption, "write parameters after commas as name=value"),
    ("generated:xor,rows=50,rows=60", BadOption, "gives rows twice"),
    ("openm:31", UnknownName, "no kind of source 'openm:'; did you mean 'openml:'"),
])
def test_wrong_names_get_one_sentence(source, error, sentence):
    with pytest.raises(error, match=sentence):
        locate(source)


def test_options_come_from_the_source_unless_given():
    table, options = resolve_source("generated:groups,rows=200", Options())
    assert (len(table), options.target, options.group, options.task) == (200, "y", "group", "regression")
    _, options = resolve_source("generated:groups,rows=200", Options(target="x1", drop=("group",)))
    assert (options.target, options.group, options.task) == ("x1", None, "auto")
    _, options = resolve_source("penguins", Options(metric="auc"))
    assert (options.target, options.metric, options.task) == ("species", "auc", "multiclass")


def test_comparison_of_a_generated_table():
    plan = tabbench.compare("generated:xor,rows=90", approaches="linear", effort=0.02, jobs=1, quiet=True, dry_run=True)
    assert (plan.table["name"], plan.table["rows"], plan.table["target"]) == ("xor", 90, "y")


def test_what_needs_no_download_is_not_fetched():
    assert fetched("penguins").name == "penguins.parquet"
    with pytest.raises(BadOption, match="generated:xor needs no download; name it to tabbench compare as it is"):
        fetched("generated:xor")
    with pytest.raises(UnknownName, match="did you mean 'penguins'"):
        fetched("penguin")
