"""Data sets and tasks of OpenML are read from a server that answers with recorded files, kept, and refused where wrong."""

import io
from pathlib import Path

import numpy as np
import openml_server as server
import pandas as pd
import pytest

import tabbench
from tabbench.comparison.check import Lines
from tabbench.comparison.prepare import read_and_split
from tabbench.core.errors import BadData, BadOption
from tabbench.options import Options
from tabbench.reading import openml, openml_api
from tabbench.reading.locating import fetched, locate
from tabbench.reading.reading import read_table
from tabbench.splitting.splits import splits_fingerprint


@pytest.fixture
def site(tmp_path, monkeypatch):
    """What the server answers; the cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with server.serving() as answers:
        monkeypatch.setenv(openml_api.SERVER_VARIABLE, answers.address)
        answers.record()
        yield answers


def test_data_set_is_read_with_its_target_and_without_ignored_columns(site):
    located = locate("openml:31")
    assert (located.target, located.drop) == ("class", ("branch office", "memo", "number"))
    table = read_table(located.data, located.target, drop=located.drop)
    assert (table.name, len(table)) == ("little-credit", server.ROWS)
    assert [(column.name, column.kind) for column in table.columns] == [("age", "number"), ("checking status", "category"),
                                                                       ("since", "date")]
    assert set(table.columns[1].levels) == {"no checking", "<0", "0<=X<200"}
    assert table.features["age"].isna().sum() == server.ROWS // 9
    assert set(table.target) == {"good", "bad"}


def test_texts_keep_their_quotes_and_commas(site):
    row = locate("openml:31").data.table.to_pylist()[5]
    assert (row["branch office"], row["memo"]) == ("Bern, 1", "it's \"5\"")


def test_what_was_read_once_needs_no_network(site, monkeypatch):
    first = locate("openml-task:7")
    asked = list(site.asked)
    site.clear()
    again = locate("openml-task:7")
    assert site.asked == asked
    assert again.data.table.equals(first.data.table)
    assert all(np.array_equal(*pair) for one, two in zip(again.data.splits, first.data.splits, strict=True)
               for pair in zip(one, two, strict=True))


def test_it_can_be_fetched_beforehand(site):
    for source in ("openml:31", "openml-task:7"):
        path = fetched(source)
        assert path.is_file() and path.name == "table.parquet"


def test_task_has_the_splits_target_and_metric(site):
    task = openml.read_task(7)
    assert (task.target, task.metric, task.task, task.folds, task.repeats) == ("class", "auc", None, 3, 2)
    assert len(task.splits) == 6
    assert task.drop == ("branch office", "memo", "number")
    for repeat in range(2):
        fold_of = np.random.default_rng(repeat).permutation(server.ROWS) % 3
        for fold, (train, test) in enumerate(task.splits[3 * repeat:3 * repeat + 3]):
            assert np.array_equal(np.sort(test), np.flatnonzero(fold_of == fold))
            assert np.array_equal(np.sort(train), np.flatnonzero(fold_of != fold))


def test_comparison_uses_the_task_s_splits_and_metric(site):
    def planned(**options):
        plan = tabbench.compare("openml-task:7", approaches="linear", effort=0.02, jobs=1, quiet=True, dry_run=True, **options)
        return plan.protocol["metric"], plan.protocol["folds"], plan.protocol["repeats"]

    assert planned() == ("auc", 3, 2)
    assert planned(repeats=1, metric="log_loss") == ("log_loss", 3, 1)
    assert planned(time="since", folds=4) == ("auc", 4, 1)
    with pytest.raises(BadOption, match="repeats=3 is more than the 2 of little-credit"):
        planned(repeats=3)


def test_fewer_repeats_are_the_first_ones(site):
    whole, part = (read_and_split("openml-task:7", Options(repeats=repeats), Lines()).setup.splits for repeats in (None, 1))
    assert splits_fingerprint(whole) == splits_fingerprint(part)
    task = openml.read_task(7)
    assert [(split.repeat, split.fold) for split in whole.splits] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert all(np.array_equal(split.test, np.sort(test)) for split, (_, test) in zip(whole.splits, task.splits, strict=True))


def test_parquet_in_place_of_arff_is_read(site):
    sink = io.BytesIO()
    pd.DataFrame({"a": range(40), "class": ["x", "y"] * 20}).to_parquet(sink)
    site.record(data=sink.getvalue())
    assert locate("openml:31").data.table.num_rows == 40


def test_wrong_checksum_names_both(site):
    site["/data/v1/download/31/little-credit.arff"] += b"% more\n"
    with pytest.raises(BadData, match=r"its MD5 checksum is [0-9a-f]{32}, not [0-9a-f]{32}"):
        locate("openml:31")
    assert not list(Path(openml.cache_folder()).rglob("*.parquet"))


def test_changed_file_in_the_cache_is_noticed(site, tmp_path):
    locate("openml:31")
    [path] = (tmp_path / "cache").rglob("table.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadData, match=r"was changed: its sha256 is [0-9a-f]{64}, not [0-9a-f]{64}; delete the folder"):
        locate("openml:31")


def test_unknown_id_says_what_the_server_says(site):
    with pytest.raises(BadData, match=r"OpenML has no data set 99 for us \(Unknown dataset\)"):
        locate("openml:99")
    for text in ("openml:credit", "openml-task:1.5"):
        with pytest.raises(BadOption, match="write a whole number, as in openml:31"):
            locate(text)


def test_without_network_there_is_a_cure(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(openml_api.SERVER_VARIABLE, "http://127.0.0.1:1")
    with pytest.raises(BadData, match=r"cannot be downloaded .* try again where there is a network"):
        locate("openml:31")


@pytest.mark.parametrize("document", [
    b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', b'<!DOCTYPE x SYSTEM "file:///etc/hosts"><x/>',
    "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE x><x/>".encode("utf-16"), b"<x>", b"no xml",
])
def test_documents_that_could_do_harm_or_are_none_are_refused(document):
    with pytest.raises(BadData, match=r"answers with a document type|does not answer with XML"):
        openml_api.parse_xml(document, "https://example.org")


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ("<oml:task_type_id>1<", "<oml:task_type_id>5<", "choose a task of supervised"),
    ("<oml:target_feature>class<", "<oml:target_feature>klass<", "predicts 'klass', which its data set 31 lacks"),
    ("/api_splits/get/7/Task_7_splits.arff<", "<", "cannot be downloaded|lines|no line @data|neither"),
])
def test_tasks_that_cannot_be_used_are_refused(site, old, new, sentence):
    text = site["/api/v1/xml/task/7"].decode()
    assert old in text
    site["/api/v1/xml/task/7"] = text.replace(old, new).encode()
    with pytest.raises(BadData, match=sentence):
        openml.read_task(7)


@pytest.mark.parametrize(("splits", "sentence"), [
    (server.splits_arff(rows=91), r"name row 90, but its table has 90 rows"),
    (server.splits_arff().replace(b"TEST,", b"TRAIN,"), "are not complete"),
    (server.splits_arff().replace(b"attribute fold", b"attribute sample"), "lack the column 'fold'"),
])
def test_splits_that_do_not_fit_are_refused(site, splits, sentence):
    site.record(splits=splits)
    with pytest.raises(BadData, match=sentence):
        openml.read_task(7)


def test_measure_that_is_unknown_here_is_said(site):
    site["/api/v1/xml/task/7"] = site["/api/v1/xml/task/7"].replace(b"area_under_roc_curve", b"kappa")
    located = locate("openml-task:7")
    assert located.metric is None
    assert "its measure kappa is unknown here" in located.data.description
