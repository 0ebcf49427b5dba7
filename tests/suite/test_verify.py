"""`verify` finds what a person has changed by hand, and finds nothing in a run that nobody has touched."""

import json
import shutil
import sqlite3
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from stored import forget_results, put_instead
from typer.testing import CliRunner

import tabbench
from tabbench.cli import app
from tabbench.comparison import rerun
from tabbench.core.cell import Batch
from tabbench.core.errors import BadData, BadOption, UnknownName
from tabbench.core.verification import Damage, Rerun
from tabbench.store.database import Store
from tabbench.suite.report import report_suite

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds", "blank_page")
QUICK = {"preset": "fast", "folds": 2, "repeats": 1, "sizes": "30,full", "executor": "in-process", "quiet": True}


def flowers(seed, rows=80):
    random = np.random.default_rng(seed)
    length = random.normal(size=rows)
    kind = np.where(length + random.normal(size=rows) > 0.3, "rose", "tulip")
    return pd.DataFrame({"length": length, "width": random.normal(size=rows), "kind": kind})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A suite's folder with two tables; on the second an estimator of its author's own took part."""
    folder = tmp_path_factory.mktemp("suite")
    tabbench.compare(flowers(0), "kind", approaches="linear", out=folder / "tables" / "first", **QUICK)
    own = {"linear": "default", "mine": LogisticRegression()}
    tabbench.compare(flowers(1), "kind", approaches=own, out=folder / "tables" / "second", **QUICK)
    return folder


@pytest.fixture
def suite(finished, tmp_path):
    """A copy that may be changed."""
    return shutil.copytree(finished, tmp_path / "suite")


def change(run, statement, *values):
    """What a person with a SQLite client could do."""
    connection = sqlite3.connect(run / "run.db")
    with connection:
        connection.execute(statement, values)
    connection.close()


def changed_predictions(run, approach, *, is_checksum_renewed=False):
    """Make an approach's first cell better by hand; gives its place."""
    with Store(run) as store:
        cell = next(each for each in store.cells(store.recall("planned")) if each.approach == approach)
        before = store.result(cell.key)
        predictions = before.predictions.copy()
        predictions[:5] = predictions[:5, ::-1]
        if is_checksum_renewed:
            put_instead(store, replace(before, predictions=predictions))
    if not is_checksum_renewed:
        change(run, "UPDATE result SET body = ? WHERE key = ?", zlib.compress(predictions.tobytes()), cell.key)
    return cell


def test_a_run_and_a_suite_that_nobody_has_touched_are_equal(finished):
    alone = tabbench.verify(finished / "tables" / "first", cells=3, seed=0)
    assert alone.is_equal and [cell.outcome for cell in alone.cells] == [Rerun.EQUAL] * 3
    together = tabbench.verify(finished, cells=100, seed=0)
    assert together.is_equal and len(together.cells) == 20
    assert {cell.place.table for cell in together.cells} == {check.table for check in together.checks} == {"first", "second"}
    assert str(together).endswith("20 stored results and 2 files result.json checked: none is changed.")


def test_the_same_seed_chooses_the_same_cells_and_another_seed_others(finished):
    chosen = [tuple(cell.place for cell in tabbench.verify(finished, cells=4, seed=seed).cells) for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_verifying_leaves_the_folder_as_it_is(suite):
    before = {path: path.read_bytes() for path in suite.rglob("*") if path.is_file()}
    tabbench.verify(suite, cells=2, seed=0)
    assert {path: path.read_bytes() for path in suite.rglob("*") if path.is_file()} == before


def test_predictions_changed_by_hand_are_found_without_running_anything(suite):
    cell = changed_predictions(suite / "tables" / "second", "linear")
    found = tabbench.verify(suite, cells=0)
    assert not found.is_equal
    (changed,) = [each for check in found.checks for each in check.differences if each.kind is Damage.RESULT]
    assert (changed.place.approach, changed.place.size, changed.place.fold) == ("linear", cell.size, cell.fold)
    (unreadable,) = [each for each in found.checks[1].differences if each.kind is Damage.UNREADABLE]
    assert f"the result of the cell {cell.key}" in unreadable.written and "--repair" in unreadable.written


def test_whoever_renews_checksum_and_report_is_found_by_running_the_cell_again(suite):
    run = suite / "tables" / "first"
    cell = changed_predictions(run, "linear", is_checksum_renewed=True)
    tabbench.reopen(run).report(run / "result.json")
    found = tabbench.verify(run, cells=100, seed=0)
    (differs,) = [each for each in found.cells if each.outcome is Rerun.DIFFERS]
    assert (differs.place.approach, differs.place.size, differs.place.fold) == ("linear", cell.size, cell.fold)
    assert not any(check.differences for check in found.checks)
    assert "with the same versions on the same CPU model" in str(found)


def test_predictions_made_unreadable_are_named(suite):
    run = suite / "tables" / "first"
    change(run, "UPDATE result SET body = x'00'")
    found = tabbench.verify(run, cells=2, seed=0)
    assert not found.is_equal and "its stored result does not have the checksum" in str(found)
    assert "run.db is absent or cannot be read" in str(found) and "--repair" in str(found)


@pytest.mark.parametrize("statement", [
    "UPDATE result SET header = replace(header, '\"fit_seconds\": ', '\"fit_seconds\": 9')",
    "UPDATE result SET header = '{'", "UPDATE result SET header = '[]'",
    "UPDATE result SET header = replace(hex(zeroblob(50000)), '0', '[')"])
def test_other_changes_of_a_stored_result_are_found(suite, statement):
    run = suite / "tables" / "first"
    change(run, statement)
    assert Damage.RESULT in {each.kind for each in tabbench.verify(run, cells=0).checks[0].differences}


@pytest.mark.parametrize("statement", [
    "UPDATE cell SET specification = replace(specification, '\"size\": 30', '\"size\": 31')",
    "UPDATE result SET status = 'failed'", "DELETE FROM result WHERE rowid = 1", "DELETE FROM meta WHERE name = 'skips'",
    "UPDATE meta SET value = '[]' WHERE name = 'sizes'", "DELETE FROM seal"])
def test_a_store_whose_rows_do_not_belong_together_is_a_sentence(suite, statement):
    run = suite / "tables" / "first"
    change(run, statement)
    with pytest.raises(BadData, match=r"the store in .*first is damaged .*--repair"):
        tabbench.verify(run, cells=0)


def test_a_score_changed_in_result_json_is_named(suite):
    path = suite / "tables" / "first" / "result.json"
    values = json.loads(path.read_text())
    row = next(each for each in values["scores"] if each["approach"] == "linear" and each["size"] == 30)
    row["mean"] /= 2
    path.write_text(json.dumps(values))
    found = tabbench.verify(suite, cells=0)
    (changed,) = found.checks[0].differences
    assert (changed.kind, changed.section, changed.value) == (Damage.REPORTED, "scores", "mean")
    assert f"(scores of linear, 30 rows, {row['metric']}, mean), but the stored predictions give" in str(found)


@pytest.mark.parametrize("text", [None, "{", "[]", "[" * 100_000, '{"scores": [{"mean": NaN}], "winners": 3}'])
def test_a_result_json_that_is_none_differs(suite, text):
    path = suite / "tables" / "first" / "result.json"
    path.unlink() if text is None else path.write_text(text)
    assert not tabbench.verify(suite, cells=0).is_equal


def test_changed_splits_and_manifest_are_found(suite):
    run = suite / "tables" / "first"
    (run / "manifest.json").write_text("{}")
    assert {each.kind for each in tabbench.verify(run, cells=0).checks[0].differences} == {Damage.MANIFEST}
    shutil.copy(suite / "tables" / "second" / "splits.npz", run / "splits.npz")
    with pytest.raises(BadData, match=r"splits.npz is not as it was written.*the same call of tabbench compare"):
        tabbench.verify(run, cells=0)


def test_on_another_cpu_a_cell_may_differ_by_the_margin_and_no_more(suite, monkeypatch):
    run = suite / "tables" / "first"
    monkeypatch.setattr(rerun, "cpu_model", lambda: "Another 9000")
    changed_predictions(run, "linear", is_checksum_renewed=True)
    (differs,) = [each for each in tabbench.verify(run, cells=100, seed=0).cells if each.outcome is not Rerun.EQUAL]
    assert differs.outcome is Rerun.DIFFERS and differs.gap > differs.margin and "Another 9000" in differs.reason


@pytest.mark.slow
def test_own_estimators_can_be_verified_from_python_alone(finished):
    run = finished / "tables" / "second"
    without = tabbench.verify(run, cells=100, seed=0)
    assert {cell.outcome for cell in without.cells if cell.place.approach == "mine"} == {Rerun.NOT_RUN}
    assert "verify it from Python: tabbench.verify(folder, approaches={'mine': …})" in str(without)
    given = tabbench.verify(run, cells=100, seed=0, approaches={"mine": LogisticRegression()})
    assert given.is_equal and {cell.outcome for cell in given.cells} == {Rerun.EQUAL}
    other = tabbench.verify(run, cells=100, seed=0, approaches={"mine": LogisticRegression(C=0.01)})
    assert {cell.place.approach for cell in other.cells if cell.outcome is Rerun.DIFFERS} == {"mine"}
    with pytest.raises(UnknownName, match="mien"):
        tabbench.verify(run, approaches={"mien": LogisticRegression()})


def test_cells_of_a_gpu_are_not_run_where_there_is_none(suite, monkeypatch):
    run = suite / "tables" / "first"
    with Store(run) as store:
        cells = store.cells(store.recall("planned"))
    on_gpu = [replace(cell, device="cuda") for cell in cells]
    with Store(run) as store:
        store.declare([Batch(tuple(on_gpu))])
        store.put([replace(store.result(old.key), key=new.key) for old, new in zip(cells, on_gpu, strict=True)])
        store.remember(planned=[cell.key for cell in on_gpu])
    monkeypatch.setattr(rerun, "may_have_gpu", lambda: False)
    found = tabbench.verify(run, cells=2, seed=0)
    assert {cell.outcome for cell in found.cells} == {Rerun.NOT_RUN} and "on a GPU, and this machine has none" in str(found)


def test_what_cannot_be_verified_is_one_sentence(tmp_path, finished):
    with pytest.raises(BadOption, match="neither a run nor a suite"):
        tabbench.verify(tmp_path)
    with pytest.raises(BadOption, match="cells is -1") as refused:
        tabbench.verify(finished, cells=-1)
    assert refused.value.typed == "--cells is -1; give 0 or more"


def test_the_command_ends_with_1_where_something_differs(suite):
    runner = CliRunner()
    told = runner.invoke(app, ["verify", str(suite), "--cells", "1", "--seed", "3"])
    assert told.exit_code == 0 and "1 cell chosen with seed 3: 1 equal bit by bit" in told.stdout
    changed_predictions(suite / "tables" / "first", "linear")
    told = runner.invoke(app, ["verify", str(suite), "--cells", "0"])
    assert told.exit_code == 3 and "CHANGED" in told.stdout and "linear, 30 rows, repeat 1, fold 1" in told.stdout


@pytest.mark.slow
def test_a_figure_changed_in_the_result_of_a_suite_is_named(suite):
    report_suite(suite)
    assert tabbench.verify(suite, cells=0).is_equal
    path = suite / "result.json"
    values = json.loads(path.read_text())
    values["ranks"][0]["mean_rank"] = 1.0625
    path.write_text(json.dumps(values))
    found = tabbench.verify(suite, cells=0)
    assert not found.is_equal and "result.json says 1.0625 (ranks of all, " in str(found)
    path.write_text("[")
    assert not tabbench.verify(suite, cells=0).is_equal


def test_a_run_that_was_killed_before_its_end_has_no_result_yet(suite):
    run = suite / "tables" / "first"
    forget_results(run, lambda cell: (cell.approach, cell.size, cell.fold) == ("linear", 30, 1))
    (run / "result.json").unlink()
    assert tabbench.verify(suite, cells=2, seed=0).is_equal
    forget_results(suite / "tables" / "second", lambda cell: (cell.approach, cell.size, cell.fold) == ("linear", 30, 1))
    found = tabbench.verify(suite, cells=0)
    assert not found.is_equal and "if a run was interrupted, continue it first" in str(found)
    with Store(run) as store:
        store.remember(planned=None, options=None)
    assert {check.table for check in tabbench.verify(suite, cells=0).checks} == {"second"}
