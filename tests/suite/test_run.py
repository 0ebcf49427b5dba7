"""Suites are run for real: one pool over all tables, only what is new, and the same answer after a kill."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from tabbench.comparison.planner import all_contestants
from tabbench.comparison.progress import Clock
from tabbench.comparison.stopping import Stop
from tabbench.core.errors import BadOption, TabbenchError
from tabbench.costs.prior import PriorCosts
from tabbench.execution.in_process import InProcessExecutor
from tabbench.report.live import make_display
from tabbench.store.database import Store
from tabbench.suite.assemble import suite_result
from tabbench.suite.definition import Suite, SuiteTable, read_suite, write_suite
from tabbench.suite.freezing import Common, freeze_table, freeze_tables, options_of
from tabbench.suite.layout import owned_suite
from tabbench.suite.run import forecast_definition, resume_folder, run_definition
from tabbench.suite.run_options import run_options
from tabbench.suite.stores import SuiteStores
from tabbench.suite.table_run import TableRun

cloudpickle.register_pickle_by_value(sys.modules[__name__])
pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds", "blank_page")
QUIET = make_display(quiet=True, to_json=False)
BY_THE_CLOCK = {"costs", "timing", "cost_crossovers", "budget_crossovers", "cost_limits", "winner_map"}


def write_table(path, rows=90, seed=0, classes=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    y = np.digitize(x[:, 0] + rng.normal(size=rows) / 2, [0.0] if classes == 2 else [-0.5, 0.5])
    lines = ["a,b,c,y", *(",".join([*(f"{value:.4f}" for value in row), "uvw"[code]]) for row, code in zip(x, y, strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def suite_file(tmp_path_factory):
    """A suite of three tables, one of which cannot be read as asked."""
    folder = tmp_path_factory.mktemp("tables")
    write_table(folder / "first.csv")
    write_table(folder / "second.csv", seed=1, classes=3)
    write_table(folder / "third.csv", seed=2)
    path = folder / "mine.toml"
    path.write_text("""
name = "mine"
title = "Three tables"
tables = ["first.csv", "second.csv", {source = "third.csv", target = "price"}]

[options]
approaches = ["linear", "lightgbm"]
effort = 0.01
sizes = [30, "full"]
folds = 3
repeats = 1
""")
    return path


def run(suite, folder, **given):
    return run_definition(suite, run_options(suite, {"out": folder, "executor": "in-process"} | given), QUIET)


def run_little(suite, folder, **given):
    """One approach at one size, for tests of what happens to tables whatever their cells are."""
    return run(suite, folder, approaches="linear", sizes="full", **given)


def answers(folder):
    found = {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("tables/*/result.json"))}
    return {name: {key: value for key, value in result.items() if key not in BY_THE_CLOCK} for name, result in found.items()}


def finished(folder):
    cells = {}
    for path in sorted(folder.glob("tables/*/run.db")):
        with Store.reading(path.parent) as store:
            cells[path.parent.name] = store.finished()
    return {name: keys for name, keys in cells.items() if keys}


def has_finished(folder, count):
    """Whether a run that is going on has results of so many cells."""
    with contextlib.suppress(TabbenchError):  # a store that is being made
        return sum(map(len, finished(folder).values())) >= count
    return False


@pytest.fixture(scope="module")
def suite(suite_file):
    return read_suite(suite_file)


@pytest.fixture(scope="module")
def done(suite, tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite") / "run"
    return run(suite, folder)


def test_every_table_is_an_ordinary_run_and_one_that_cannot_be_used_costs_only_itself(done):
    assert sorted(answers(done.folder)) == ["first", "second"]
    assert list(done.unread) == ["third"] and "price" in done.unread["third"]
    assert not done.unfinished and not done.is_interrupted
    assert {name: len(keys) for name, keys in finished(done.folder).items()} == {"first": 18, "second": 18}
    manifest = json.loads((done.folder / "manifest.json").read_text())
    assert manifest["suite"] == "mine" and manifest["versions"]["numpy"] and manifest["hardware"]["cores"]
    assert [table["name"] for table in manifest["tables"]] == ["first", "second", "third"]
    assert all(len(table["sha256"]) == 64 for table in manifest["tables"][:2])


@pytest.mark.parametrize("executor", ["in-process", "local"])
def test_what_the_checks_find_is_reported(tmp_path, executor):
    path = write_table(tmp_path / "leaking.csv")
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},leak", *(f"{row},{row[-1]}" for row in rows)]) + "\n")
    leaking = Suite("mine", "One table", (SuiteTable("leaking", str(path)),), {"effort": 0.01, "folds": 3, "repeats": 1})
    run_little(leaking, tmp_path / "run", executor=executor)
    [result] = answers(tmp_path / "run").values()
    assert ("target-copy", "leak") in {(each["code"], each["subject"]) for each in result["findings"]}
    with Store.reading(tmp_path / "run/tables/leaking") as store:
        assert store.recall("is_checked")


def test_again_only_what_is_new_is_run(suite, done, tmp_path):
    folder = tmp_path / "run"
    usable = replace(suite, tables=suite.tables[:1])
    run(usable, folder, approaches="linear")
    written = (folder / "tables/first/report.html").stat().st_mtime_ns
    first = finished(folder)
    run(usable, folder, approaches="linear")
    assert finished(folder) == first and (folder / "tables/first/report.html").stat().st_mtime_ns == written
    run(usable, folder, approaches="linear,lightgbm")
    run(usable, folder, repeats=2, approaches="linear")
    more = finished(folder)
    assert first["first"] < more["first"] and len(more["first"]) == 12 + 6 + 12
    run(replace(suite, tables=suite.tables[:2]), folder, repeats=2, approaches="linear")
    assert finished(folder).keys() == {"first", "second"}
    with pytest.raises(BadOption, match="no table of the suite mine can be used"):
        run(replace(suite, tables=(replace(suite.tables[2], name="third"),)), tmp_path / "none")


def test_a_table_that_has_changed_is_not_continued(suite, tmp_path):
    own = tmp_path / "own.csv"
    text = Path(suite.tables[0].source).read_text()
    own.write_text(text)
    changing = replace(suite, tables=(SuiteTable("own", str(own)), suite.tables[1]))
    run_little(changing, tmp_path / "run")
    own.write_text(text.replace(",u\n", ",v\n", 1))
    again = run_little(changing, tmp_path / "run")
    assert "has changed since it was read; start over with --fresh" in again.unread["own"]
    earlier = suite_result(tmp_path / "run").tables.set_index("name").loc["own"]
    assert earlier["state"] == "partial" and "has changed since it was read" in earlier["reason"]
    own.unlink()
    assert not run_little(changing, tmp_path / "run").unread, "what was read is in the run"
    own.write_text(text)
    assert not run_little(changing, tmp_path / "run", fresh=True).unread


def test_what_is_frozen_is_opened_only_for_the_same_source_test_file_versions_and_options(suite, tmp_path):
    source, test = write_table(tmp_path / "table.csv"), write_table(tmp_path / "test.csv", seed=1)
    common = Common(all_contestants(run_options(suite, {})), PriorCosts.load(), 1, "cpu", Clock.start(None))

    def frozen(source=source, is_again=True, **options):
        table = SuiteTable("x", str(source), options={"test": str(test)} | options)
        return freeze_table(table, run_options(suite, {}), tmp_path / "x", common, is_again=is_again)

    first = frozen(is_again=False)
    assert not first.problem and frozen().identity == first.identity
    assert "holds a run" in frozen(write_table(tmp_path / "other.csv", seed=2)).problem
    assert "'many'" in frozen(folds="many").problem, "a mistake costs the table only"
    with Store(tmp_path / "x") as store:
        kept = store.recall("identity")
        store.remember(identity=kept | {"versions": kept["versions"] | {"numpy": "0.1"}})
    assert "numpy 0.1, not" in frozen().problem
    with Store(tmp_path / "x") as store:
        store.remember(identity=kept)
    write_table(test, seed=3)
    assert "holds a run" in frozen().problem


def test_of_a_finished_table_nothing_is_left_to_do(suite, done):
    common = Common(all_contestants(run_options(suite, {})), PriorCosts.load(), 1, "cpu", Clock.start(None))
    again = freeze_table(suite.tables[0], run_options(suite, {}), done.folder / "tables" / "first", common, is_again=True)
    assert (again.settled, again.cells) == (18, 18) and again.need.most == again.need.least == 0


def test_a_table_without_time_keeps_every_family(suite, tmp_path):
    options = run_options(suite, {"executor": "in-process"})
    common = Common(all_contestants(options), PriorCosts.load(), 1, "cpu", Clock.start(None))
    frozen = freeze_table(suite.tables[0], options, tmp_path / "x", common, is_again=False)
    executor = InProcessExecutor(None, needs=common.contestants.needs("cpu"))
    begun = TableRun.begin(frozen, common, executor, SuiteStores(None), 0.001)
    assert {"linear", "lightgbm"} <= set(begun.running.plan.approaches)
    begun.close()


def test_a_resumed_table_without_time_keeps_every_approach_that_was_judged(suite, tmp_path):
    one = Suite("one", "", suite.tables[:1], {"approaches": "linear,lightgbm,xgboost", "effort": 0.01, "sizes": "full"})
    run(one, tmp_path, use_folds=1)
    options = run_options(one, {"executor": "in-process"})
    common = Common(all_contestants(options), PriorCosts.load(), 1, "cpu", Clock.start(None))
    frozen = freeze_table(one.tables[0], options, tmp_path / "tables" / "first", common, is_again=True)
    executor = InProcessExecutor(None, needs=common.contestants.needs("cpu"))
    begun = TableRun.begin(frozen, common, executor, SuiteStores(None), 0.001)
    assert begun.running.plan.approaches == ("dummy", "linear", "lightgbm", "xgboost") and begun.running.plan.splits == 1
    begun.close()


def test_tables_that_there_is_no_time_to_read_are_left_out(suite, tmp_path):
    clock = replace(Clock.start(10.0), began=time.monotonic() - 9)
    common = Common(all_contestants(run_options(suite, {})), PriorCosts.load(), 1, "cpu", clock)
    frozen = freeze_tables(suite, run_options(suite, {}), tmp_path, common, QUIET, Stop(), is_again=False)
    assert [each.problem for each in frozen.values()] == ["", *["the time limit left no time to read it"] * 2]


def test_folds_of_one_repeat_and_repeats_replace_each_other(suite, tmp_path):
    repeated = replace(suite, options=dict(suite.options) | {"repeats": 2})
    assert run_options(repeated, {"use_folds": 1}).repeats is None
    one = run_options(replace(suite, options={"use_folds": 1}), {"repeats": 2})
    assert (one.use_folds, one.repeats) == (None, 2)
    own = SuiteTable("x", "x.csv", options={"repeats": 10})
    assert options_of(own, run_options(repeated, {}), tmp_path).repeats == 10
    assert options_of(own, run_options(repeated, {"use_folds": 1}), tmp_path).use_folds == 1
    with pytest.raises(BadOption, match="leave one of them out"):
        options_of(replace(own, options={"repeats": 10, "use_folds": 1}), run_options(suite, {}), tmp_path)


def test_another_suite_is_refused_and_tables_that_were_taken_out_are_not_reported(suite, tmp_path):
    run_little(replace(suite, tables=suite.tables[:2]), tmp_path / "run")
    run_little(replace(suite, tables=suite.tables[:1]), tmp_path / "run")
    assert suite_result(tmp_path / "run").tables["name"].tolist() == ["first"]
    with pytest.raises(BadOption, match="holds a run of the suite mine, not of other; choose another folder with out, or start"):
        run_little(replace(suite, name="other"), tmp_path / "run")
    with pytest.raises(BadOption, match="no table of the suite mine can be used"):
        run_little(suite, tmp_path / "run", seed=1)
    assert "seed" not in read_suite(tmp_path / "run" / "suite.toml").options, "what was refused is not what is resumed"


def test_reports_that_an_extension_was_killed_before_are_not_taken_for_its_own(suite, tmp_path):
    one = replace(suite, tables=suite.tables[:1])
    run(one, tmp_path / "run", approaches="linear")
    place = tmp_path / "run" / "tables" / "first"
    before = (place / "result.json").read_bytes()
    run(one, tmp_path / "run")
    (place / "result.json").write_bytes(before)
    with Store(place) as store:
        store.remember(judged="of before")
    assert "lightgbm" in set(suite_result(tmp_path / "run").means["approach"])
    assert suite_result(tmp_path / "run").tables["sentence"].iloc[0] != json.loads(before)["sentence"]


def test_a_kill_at_the_very_beginning_does_not_spoil_the_folder(tmp_path):
    (tmp_path / "run" / "workers").mkdir(parents=True)
    (tmp_path / "run" / "suite.toml.17.tmp").write_text("name")
    with owned_suite(tmp_path / "run") as workers:
        assert workers.path.parent == tmp_path / "run"


def test_the_same_table_twice_counts_once(suite, tmp_path):
    twice = replace(suite, tables=(suite.tables[0], replace(suite.tables[0], name="other"), suite.tables[1]))
    done = run(twice, tmp_path / "run", approaches="linear", sizes="full")
    assert done.unread == {"other": "it is the same table with the same target as first; leave one of them out"}
    assert suite_result(tmp_path / "run").tables["state"].tolist() == ["finished", "absent", "finished"]
    forecast = forecast_definition(twice, run_options(twice, {}), QUIET)
    assert [bool(each.problem) for each in forecast] == [False, True, False]


def test_fewer_repeats_than_there_are_are_refused_for_the_whole_suite(suite, tmp_path):
    two = replace(suite, tables=(suite.tables[0], replace(suite.tables[1], options={"repeats": 1})))
    run(two, tmp_path / "run", approaches="linear", sizes="full", repeats=2)
    with pytest.raises(BadOption, match="has 2 repeats of first, not 1, and none is taken away; give repeats=2 or more, or"):
        run(two, tmp_path / "run", approaches="linear", sizes="full", repeats=1)
    assert read_suite(tmp_path / "run" / "suite.toml").options["repeats"] == 2


def test_a_folder_with_something_else_is_left_alone(suite, tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(BadOption, match=r"holds something else \(letter.txt\)"):
        run(suite, tmp_path)
    with pytest.raises(BadOption, match="is not the folder of a suite's run"):
        resume_folder(tmp_path, QUIET)


@pytest.mark.slow
def test_killed_and_resumed_with_two_workers_it_gives_the_same_answer(suite, done, tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "tabbench", "suite", "run", str(tmp_path / "two.toml"), "--out", str(folder), "--quiet"]
    write_suite(replace(suite, tables=suite.tables[:2]), tmp_path / "two.toml")
    process = subprocess.Popen([*command, "--jobs", "2"], start_new_session=True)
    while process.poll() is None and not any(folder.glob("tables/*/spool/*")) and not has_finished(folder, 3):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    resumed = resume_folder(folder, QUIET, jobs=1)
    assert not resumed.unread and not resumed.unfinished
    assert answers(folder) == answers(done.folder)
    assert finished(folder) == finished(done.folder)


class Endless(ClassifierMixin, BaseEstimator):
    """Its fit does not end."""

    def fit(self, X, y):
        time.sleep(600)

    def predict(self, X):
        raise NotImplementedError


class PressesCtrlC:
    """A display whose reader presses Ctrl-C as soon as an endless fit is shown."""

    def __init__(self):
        self.said, self.has_pressed = [], False

    def say(self, line):
        self.said.append(line)

    def update(self, progress):
        if not self.has_pressed and any("endless" in cell for cell in progress.running):
            self.has_pressed = True
            os.kill(os.getpid(), signal.SIGINT)

    def close(self):
        pass


def test_interrupted_while_cells_run_it_keeps_what_has_finished_and_names_what_has_not(suite, tmp_path):
    asked = {"out": tmp_path / "run", "jobs": 1, "approaches": {"linear": "linear", "endless": Endless()}}
    two = replace(suite, tables=suite.tables[:2])
    ended = run_definition(two, run_options(two, asked), PressesCtrlC())
    assert ended.is_interrupted and sorted(ended.unfinished) == ["first", "second"]
    kept = finished(tmp_path / "run")
    assert kept
    run(two, tmp_path / "run", approaches="linear")
    again = finished(tmp_path / "run")
    assert all(keys <= again[name] for name, keys in kept.items())
    assert answers(tmp_path / "run").keys() == {"first", "second"}


def test_a_limit_is_shared_among_tables_and_leaves_no_family_out(suite, tmp_path):
    limited = run_definition(suite, run_options(suite, {"out": tmp_path / "run", "time_limit": 25, "jobs": 2,
                                                        "approaches": "linear,lightgbm"}), QUIET)
    assert not limited.unfinished
    for result in answers(tmp_path / "run").values():
        assert {"dummy", "linear", "lightgbm"} <= {row["approach"] for row in result["scores"]}
