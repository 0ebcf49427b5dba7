"""Suites are run for real: one pool over all tables, only what is new, and the same answer after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tabbench.core.errors import BadOption
from tabbench.report.live import QuietDisplay, make_display
from tabbench.store.database import Store
from tabbench.suite.definition import SuiteTable, read_suite, write_suite
from tabbench.suite.run import forecast_definition, resume_folder, run_definition, run_options

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


def answers(folder):
    found = {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("tables/*/result.json"))}
    return {name: {key: value for key, value in result.items() if key not in BY_THE_CLOCK} for name, result in found.items()}


def finished(folder):
    cells = {}
    for path in sorted(folder.glob("tables/*/run.db")):
        with Store(path.parent) as store:
            cells[path.parent.name] = store.finished()
    return {name: keys for name, keys in cells.items() if keys}


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


def test_again_only_what_is_new_is_run(suite, done, tmp_path):
    folder = tmp_path / "run"
    usable = replace(suite, tables=suite.tables[:1])
    run(usable, folder)
    written = (folder / "tables/first/report.html").stat().st_mtime_ns
    first = finished(folder)
    run(usable, folder)
    assert finished(folder) == first and (folder / "tables/first/report.html").stat().st_mtime_ns == written
    run(usable, folder, approaches="linear,lightgbm,forest")
    run(usable, folder, repeats=2)
    more = finished(folder)
    assert first["first"] < more["first"] and len(more["first"]) == 18 + 6 + 18
    run(replace(suite, tables=suite.tables[:2]), folder, repeats=2)
    assert finished(folder).keys() == {"first", "second"}
    with pytest.raises(BadOption, match="no table of the suite mine can be used"):
        run(replace(suite, tables=(replace(suite.tables[2], name="third"),)), tmp_path / "none")


def test_a_table_that_has_changed_is_not_continued(suite, tmp_path):
    own = tmp_path / "own.csv"
    text = Path(suite.tables[0].source).read_text()
    own.write_text(text)
    changing = replace(suite, tables=(SuiteTable("own", str(own)), suite.tables[1]))
    run(changing, tmp_path / "run")
    own.write_text(text.replace(",u\n", ",v\n", 1))
    again = run(changing, tmp_path / "run")
    assert "has changed since it was read; start over with --fresh" in again.unread["own"]
    assert not run(changing, tmp_path / "run", fresh=True).unread


def test_of_a_table_whose_file_is_gone_the_runs_copy_is_used(suite, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(Path(suite.tables[0].source).read_text())
    suite = replace(suite, tables=(SuiteTable("own", str(own)),))
    run(suite, tmp_path / "run")
    own.unlink()
    again = run(suite, tmp_path / "run", approaches="linear,lightgbm,forest")
    assert not again.unread and "forest" in (tmp_path / "run" / "tables" / "own" / "report.md").read_text()


def test_a_call_that_is_refused_changes_nothing_of_what_is_resumed(suite, tmp_path):
    folder, one = tmp_path / "run", replace(suite, tables=suite.tables[:1])
    run(one, folder)
    with pytest.raises(BadOption, match="holds a run with --seed 0, not 1"):
        run(one, folder, seed=1)
    assert not resume_folder(folder, QUIET).unread


def test_the_same_table_twice_is_refused(suite, tmp_path):
    twice = replace(suite, tables=(suite.tables[0], replace(suite.tables[0], name="other")))
    with pytest.raises(BadOption, match="first and other are the same table with the same target; leave one of them out"):
        run(twice, tmp_path / "run")
    with pytest.raises(BadOption, match="first and other are the same table"):
        forecast_definition(twice, run_options(twice, {}), QUIET)


def test_a_limit_that_leaves_no_time_is_said(suite, tmp_path):
    with pytest.raises(BadOption, match="the time limit was over before any table had a result"):
        run(suite, tmp_path / "run", time_limit=0.1, executor="local")


def test_a_folder_with_something_else_is_left_alone(suite, tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(BadOption, match=r"holds something else \(letter.txt\)"):
        run(suite, tmp_path)
    with pytest.raises(BadOption, match="is not the folder of a suite's run"):
        resume_folder(tmp_path, QUIET)


def test_killed_and_resumed_with_two_workers_it_gives_the_same_answer(suite, done, tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "tabbench", "suite", "run", str(tmp_path / "two.toml"), "--out", str(folder), "--quiet"]
    write_suite(replace(suite, tables=suite.tables[:2]), tmp_path / "two.toml")
    process = subprocess.Popen([*command, "--jobs", "2"], start_new_session=True)
    while process.poll() is None and not any(folder.glob("tables/*/spool/*")) and sum(map(len, finished(folder).values())) < 3:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    resumed = resume_folder(folder, QUIET, jobs=1)
    assert not resumed.unread and not resumed.unfinished
    assert answers(folder) == answers(done.folder)
    assert finished(folder) == finished(done.folder)


def test_ctrl_c_before_the_first_result_says_how_to_go_on(suite, tmp_path):
    write_suite(suite, tmp_path / "mine.toml")
    command = [sys.executable, "-m", "tabbench", "suite", "run", tmp_path / "mine.toml", "--out", tmp_path / "run", "--quiet"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while process.poll() is None and not (tmp_path / "run" / "suite.toml").exists():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130 and said.endswith(f"tabbench suite resume {tmp_path / 'run'}\n"), said


class StopsWhenSomethingRuns(QuietDisplay):
    """Presses Ctrl-C once, when a cell is being fitted."""

    is_done = False

    def update(self, progress):
        if progress.running and not self.is_done:
            self.is_done = True
            os.kill(os.getpid(), signal.SIGINT)


def test_ended_while_cells_run_it_can_be_continued(suite, done, tmp_path):
    two = replace(suite, tables=suite.tables[:2])
    ended = run_definition(two, run_options(two, {"out": tmp_path / "run", "jobs": 2}), StopsWhenSomethingRuns())
    assert ended.is_interrupted and ended.unfinished
    assert not run(two, tmp_path / "run").unfinished
    assert answers(tmp_path / "run") == answers(done.folder)


def test_a_limit_is_shared_among_tables_and_leaves_no_family_out(suite, tmp_path):
    limited = run_definition(suite, run_options(suite, {"out": tmp_path / "run", "time_limit": 25, "jobs": 2,
                                                        "approaches": "linear,lightgbm"}), QUIET)
    assert not limited.unfinished
    for result in answers(tmp_path / "run").values():
        assert {"dummy", "linear", "lightgbm"} <= {row["approach"] for row in result["scores"]}
