"""The commands as a person types them: exit codes, streams, files, mistakes."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import tabbench

from tabbench.core.comparison import COLUMNS

PEOPLE = ["compare", "people.csv", "--target", "bought"]
QUICK = ["--approaches", "linear", "--preset", "fast", "--folds", "2", "--repeats", "1", "--sizes", "60,full"]
LONGER = [*QUICK, "--repeats", "8"]  # so long that a stop arrives before the last cell
HERE = ["--executor", "in-process"]  # where the claim is not about workers: they take longer to start than these cells
CLOCK_KEYS = ("costs", "cost_crossovers", "budget_crossovers", "cost_limits", "winner_map", "timing")


def tabbench_process(*arguments, folder, input=None):
    return subprocess.run([sys.executable, "-m", "tabbench", *arguments], cwd=folder, capture_output=True, text=True, check=False,
                          input=input)


def people(rows=240, seed=0):
    rng = np.random.default_rng(seed)
    age, town = rng.normal(40, 12, rows).round(1), rng.choice(["Bern", "Genève", "Zürich"], rows)
    bought = np.where(age / 12 + (town == "Bern") + rng.normal(size=rows) > 4, "yes", "no")
    return pd.DataFrame({"id": [f"P{number:05d}" for number in range(rows)], "age": age, "town": town, "bought": bought})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a table and a finished run of it."""
    folder = tmp_path_factory.mktemp("command")
    people().to_csv(folder / "people.csv", index=False)
    done = tabbench_process(*PEOPLE, *QUICK, "--save-winner", folder=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    return folder


def deterministic(text):
    return {name: value for name, value in json.loads(text).items() if name not in CLOCK_KEYS}


def test_a_comparison_leaves_its_files_and_says_the_verdict(place):
    run = place / "tabbench-people"
    files = {path.name for path in run.iterdir()}
    assert {"run.db", "result.json", "report.html", "report.md", "manifest.json", "winner"} <= files
    result = json.loads((run / "result.json").read_text())
    assert result["sentence"].split()[0] in " ".join((place / "stdout").read_text().split())
    assert "report.html" in (place / "stdout").read_text()
    assert "people: 240 rows" in (place / "stderr").read_text()


def test_result_json_has_the_keys_of_schema_1(place):
    result = json.loads((place / "tabbench-people" / "result.json").read_text())
    assert result["schema"] == 1
    assert {"name", "rows", "columns", "target", "task", "fingerprint"} <= set(result["table"])
    protocol = {"metric", "direction", "sizes", "folds", "repeats", "margin", "alpha", "seed", "preset", "effort", "number"}
    assert protocol <= set(result["protocol"])
    for name, columns in COLUMNS.items():
        assert all(list(row) == list(columns) for row in result[name]), name
    assert result["protocol"]["sizes"] == [60, 120]
    assert {row["approach"] for row in result["scores"]} == {"dummy", "linear"}
    assert {row["decision"] for row in result["winners"]} <= {"winner", "top_set", "none"}
    assert set(result["timing"]) == {"wall_seconds", "cpu_seconds", "floor_mb"}


def test_the_same_command_again_runs_nothing_and_answers_the_same(place, monkeypatch):
    run = place / "tabbench-people"
    before, report = (run / "result.json").read_text(), (run / "report.html").stat().st_mtime_ns
    monkeypatch.setattr("tabbench.comparison.checking_meanwhile.findings_of", None)  # the table was checked before
    again = tabbench(*PEOPLE, *QUICK, *HERE, "--json", folder=place)
    assert again.exit_code == 0, again.stderr
    assert "8 of 8 cells were done before" in again.stderr
    assert deterministic(again.stdout) == deterministic(before)
    assert (run / "report.html").stat().st_mtime_ns == report  # nothing in it would be another


def test_reports_that_are_gone_or_damaged_are_written_again(place):
    run = place / "tabbench-people"
    (run / "report.md").unlink()
    (run / "result.json").write_text("{")
    assert tabbench(*PEOPLE, *QUICK, *HERE, folder=place).exit_code == 0
    assert json.loads((run / "result.json").read_text())["schema"] == 1
    assert (run / "report.md").exists()


def test_json_is_the_only_thing_on_standard_output_and_quiet_says_nothing(place):
    run = place / "tabbench-people"
    quiet = tabbench(*PEOPLE, *QUICK, *HERE, "--json", "--quiet", folder=place)
    assert json.loads(quiet.stdout)["schema"] == 1 and quiet.stderr == ""
    silent = tabbench("resume", run, "--quiet", folder=place)
    assert (silent.exit_code, silent.stdout, silent.stderr) == (0, "", "")


def test_jobs_never_change_a_number(place):
    other = tabbench(*PEOPLE, *QUICK, "--jobs", "1", "--out", "one", "--json", folder=place)
    assert deterministic(other.stdout) == deterministic((place / "tabbench-people" / "result.json").read_text())


def has_a_result(run):
    """Whether a cell is finished, taken into the store or not; a spool file that is still being written counts for nothing."""
    if list((run / "spool").glob("*.result")):
        return True
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(
            sqlite3.connect(f"file:{run / 'run.db'}?mode=ro", uri=True)) as store:
        return bool(store.execute("SELECT count(*) FROM result").fetchone()[0])
    return False


@pytest.fixture(scope="module")
def undisturbed(place):
    """What the longer run answers when nothing stops it."""
    done = tabbench(*PEOPLE, *LONGER, *HERE, "--out", "undisturbed", "--json", folder=place)
    assert done.exit_code == 0, done.stderr
    return deterministic(done.stdout)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_continues_and_answers_the_same(place, undisturbed, stop):
    run = place / f"stopped-{stop.name}"
    command = [*PEOPLE, *LONGER, "--out", run.name]
    process = subprocess.Popen([sys.executable, "-m", "tabbench", *command, "--jobs", "1"], cwd=place, stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True)
    while not has_a_result(run):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(stop)
    said = process.communicate()[1]
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert "tabbench resume" in said and "nothing finished is lost" in said
        judged = json.loads((run / "result.json").read_text())  # what was complete
        assert judged["protocol"]["splits"] < 16 or not judged["winners"]
    again = tabbench(*command, *HERE, "--json", folder=place)
    assert again.exit_code == 0, again.stderr
    assert "cells were done before" in again.stderr or stop == signal.SIGKILL  # a kill may come before the first commit
    assert deterministic(again.stdout) == undisturbed


def test_a_limit_that_leaves_nothing_is_an_answer_without_a_verdict(place):
    limited = ["--out", "short", "--time-limit", "0.01", "--jobs", "1", "--json"]
    done = tabbench(*PEOPLE, *QUICK, *limited, folder=place)
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["winners"] == [] and "no verdict yet" in result["sentence"]
    assert {row["approach"] for row in result["skipped"]} == {"dummy", "linear"}
    assert tabbench("report", "short", folder=place).exit_code == 0
    assert tabbench("export", "short", "--out", "none.tabbench", folder=place).exit_code == 1
    longer = tabbench("resume", "short", "--json", "--jobs", "1", folder=place)
    assert deterministic(longer.stdout) == deterministic((place / "tabbench-people" / "result.json").read_text())


def test_a_dry_run_says_what_would_run_and_leaves_nothing(place):
    before = set(os.listdir(place))
    arguments = [*PEOPLE, *QUICK, "--out", "planned", "--dry-run"]
    plan = tabbench(*arguments, folder=place)
    assert plan.exit_code == 0, plan.stderr
    assert "Expected with" in plan.stdout and "linear" in plan.stdout and "people: 240 rows" in plan.stderr
    as_json = json.loads(tabbench(*arguments, "--json", "--quiet", "--time-limit", "0.01", folder=place).stdout)
    assert {(row["approach"], row["size"], row["cells"]) for row in as_json["cells"]} == {
        (name, size, 2) for name in ("dummy", "linear") for size in (60, 120)}
    assert all("--time-limit" in row["skipped"] for row in as_json["cells"])
    assert set(os.listdir(place)) == before


def test_a_mistake_does_not_cost_an_earlier_run(place):
    before = sorted(path.name for path in (place / "tabbench-people").iterdir())
    wrong = tabbench(*PEOPLE, *HERE, "--target", "bougth", "--fresh", "--out", "tabbench-people", folder=place)
    assert wrong.exit_code == 1
    assert sorted(path.name for path in (place / "tabbench-people").iterdir()) == before
    assert tabbench("report", "tabbench-people", folder=place).exit_code == 0


@pytest.mark.parametrize("name", ["table.arrow", "splits.npz", "run.db"])
def test_a_damaged_run_is_a_sentence(place, tmp_path, name):
    shutil.copytree(place / "tabbench-people", tmp_path / "damaged")
    content = (tmp_path / "damaged" / name).read_bytes()
    (tmp_path / "damaged" / name).write_bytes(content[:len(content) // 2])
    for arguments in (["resume", "damaged"], ["report", "damaged"], ["export", "damaged", "--out", "m.tabbench"]):
        done = tabbench(*arguments, folder=tmp_path)
        assert (done.exit_code, done.stderr[:10]) == (1, "tabbench: "), (arguments, done.stderr)


def test_too_little_address_space_is_a_sentence_before_a_library_dies_of_it(place, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (400_000_000, 400_000_000))
    told = tabbench("report", "tabbench-people", folder=place)
    assert told.exit_code == 1 and told.stderr.startswith("tabbench: this process may use 0.4 GB of address space (ulimit -v)")


def test_what_the_system_refuses_is_a_sentence(place, monkeypatch):
    def fails(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    told = tabbench("export", "tabbench-people", "--approach", "dummy", "--out", "never.tabbench", folder=place)
    assert told.exit_code == 1 and told.stderr.startswith("tabbench: ") and "Input/output error" in told.stderr
    again = tabbench(*PEOPLE, *QUICK, *HERE, "--out", "unsynced", folder=place)
    assert again.exit_code == 1 and "Input/output error" in again.stderr and "--fresh" not in again.stderr


def test_what_a_strangers_card_says_does_not_control_the_terminal(tmp_path, monkeypatch):
    card = (Path(__file__).parents[1] / "datasets" / "yacht.toml").read_text()
    title = 'title = "a \\u001b[31m\\u009b1m\\u202e title"'
    (tmp_path / "mine.toml").write_text(re.sub("title = .*", lambda _: title, card).replace('name = "yacht"', 'name = "mine"'))
    monkeypatch.setenv("TABBENCH_DATASETS", str(tmp_path))
    for arguments in (["show", "mine"], ["list"]):
        told = tabbench("datasets", *arguments, folder=tmp_path)
        assert "a  title" in told.stdout and not set("\x1b\x9b\u202e") & set(told.stdout)


def test_report_is_judged_anew_from_the_store(place):
    run = place / "tabbench-people"
    for name, start in [("json", "{"), ("md", "#"), ("html", "<!DOCTYPE html>"), ("csv", "approach")]:
        done = tabbench("report", run, "--format", name, folder=place)
        assert done.exit_code == 0 and done.stdout.startswith(start), done.stderr
    assert deterministic(tabbench("report", run, "--format", "json", folder=place).stdout) == deterministic(
        (run / "result.json").read_text())


def test_the_winner_predicts_new_rows_whatever_their_columns_look_like(place):
    new = people(seed=1).drop(columns="bought").sample(frac=1, random_state=0)
    shuffled = new[["town", "id", "age"]].assign(extra=1)
    shuffled.loc[shuffled.index[0], "town"] = "Atlantis"
    new.to_csv(place / "new.csv", index=False)
    shuffled.to_csv(place / "shuffled.csv", index=False)
    exported = tabbench("export", "tabbench-people", "--approach", "linear", "--out", "model.tabbench", folder=place)
    assert exported.exit_code == 0, exported.stderr
    frames = []
    for model, data in [("tabbench-people/winner", "new.csv"), ("model.tabbench", "new.csv"), ("model.tabbench", "shuffled.csv")]:
        done = tabbench("predict", model, data, "--out", "predicted.csv", folder=place)
        assert done.exit_code == 0, done.stderr
        frames.append(pd.read_csv(place / "predicted.csv"))
    assert "Atlantis" in done.stderr or "town" in done.stderr
    assert list(frames[0].columns) == ["id", "prediction", "probability_no", "probability_yes"]
    assert frames[0]["id"].tolist() == new["id"].tolist()
    pd.testing.assert_frame_equal(frames[0], frames[1])
    pd.testing.assert_frame_equal(frames[1].iloc[1:], frames[2].iloc[1:])


@pytest.mark.parametrize("change, message", [
    (["--folds", "3"], "holds a run with --folds 2, not 3"),
    (["--seed", "1"], "holds a run with"),
    (["--metric", "auc"], "holds a run with --metric log_loss, not auc"),
    (["--preset", "balanced"], "holds a run with --effort 0.1, not 1"),
    (["--margin", "0.2"], "holds a run with --margin left out, not 0.2"),
    (["--drop", "town"], "holds a run with --drop"),
])
def test_what_may_not_change_is_named(place, change, message):
    done = tabbench(*PEOPLE, *QUICK, *HERE, *change, folder=place)
    assert done.exit_code == 1
    assert message in done.stderr and "--fresh" in done.stderr


def test_approaches_and_sizes_may_change(place):
    more = tabbench(*PEOPLE, *QUICK, *HERE, "--approaches", "linear,forest", "--sizes", "full", "--json", folder=place)
    assert more.exit_code == 0, more.stderr
    assert {row["approach"] for row in json.loads(more.stdout)["scores"]} == {"dummy", "linear", "forest"}
    again = tabbench(*PEOPLE, *QUICK, *HERE, folder=place)
    assert again.exit_code == 0, again.stderr


MISTAKES = [
    (["compare", "absent.csv", "--target", "y"], "absent.csv"),
    (["compare", ".", "--target", "y"], "folder"),
    (["compare", "people.csv"], "--target"),
    (["compare", "people.csv", "--target", "bougth"], "did you mean 'bought'?"),
    (["compare", "people.csv", "--target", "bought", "--approaches", "bosting"], "did you mean 'boosting'?"),
    (["compare", "people.csv", "--target", "bought", "--metric", "acc"], "metric"),
    (["compare", "people.csv", "--target", "bought", "--group", "twon"], "did you mean 'town'?"),
    (["compare", "people.csv", "--target", "bought", "--sizes", "100000"], "the 191 rows of a training part"),
    (["compare", "people.csv", "--target", "bought", "--task", "regression"], "regression"),
    (["compare", "people.csv", "--target", "bought", "--out", "people.csv"], "people.csv"),
    (["compare", "people.csv", "--target", "bought", "--out", "/proc/nowhere"], "--out"),
    (["compare", "people.csv", "--target", "bought", "--folds", "x"], "--folds"),
    (["compare", "empty.csv", "--target", "y"], "empty"),
    (["compare", "header.csv", "--target", "y"], "rows"),
    (["compare", "few.csv", "--target", "y"], "30"),
    (["compare", "one-class.csv", "--target", "y"], "class"),
    (["compare", "one-column.csv", "--target", "y"], "column"),
    (["compare", "infinite.csv", "--target", "y"], "infinite"),
    (["compare", "ragged.csv", "--target", "y"], "line"),
    (["compare", "noise.bin", "--target", "y"], "noise.bin"),
    (["resume", "absent"], "no such run folder"),
    (["report", "absent"], "no such run folder"),
    (["export", "absent", "--out", "m"], "no such run folder"),
    (["predict", "absent", "people.csv", "--out", "p.csv"], "absent"),
    (["datasets", "show", "diamond"], "did you mean 'diamonds'?"),
]


@pytest.fixture(scope="module")
def bad_files(place):
    rng = np.random.default_rng(0)
    lines = [f"{number},{number % 7}" for number in range(200)]
    for name, content in {
        "empty.csv": "", "header.csv": "a,y\n", "few.csv": "a,y\n" + "\n".join(lines[:20]) + "\n",
        "one-class.csv": "a,y\n" + "".join(f"{number},same\n" for number in range(60)),
        "one-column.csv": "y\n" + "".join(f"{number}\n" for number in range(60)),
        "infinite.csv": "a,y\n" + "".join(f"{number},{number / 7 if number else 'inf'}\n" for number in range(60)),
        "ragged.csv": "a,y\n" + "".join(f"{line},9\n" if number % 5 == 0 else f"{line}\n" for number, line in enumerate(lines)),
    }.items():
        (place / name).write_text(content)
    (place / "noise.bin").write_bytes(rng.bytes(5000))


@pytest.mark.parametrize("arguments, words", MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_every_mistake_is_one_sentence_and_exit_code_1(place, bad_files, arguments, words):
    before = set(os.listdir(place))
    told = tabbench(*arguments, *HERE * (arguments[0] == "compare"), folder=place)
    assert told.exit_code == 1 and told.stdout == ""
    last = told.stderr.strip().splitlines()[-1]
    assert last.startswith("tabbench: ") and words in last
    assert set(os.listdir(place)) == before  # nothing is left behind


def test_a_mistake_of_a_process_is_one_sentence_too(place):
    done = tabbench_process("compare", "people.csv", "--target", "bougth", folder=place)
    assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
    assert "did you mean 'bought'?" in done.stderr


@pytest.mark.parametrize("arguments", [["compare", "x.csv", "--colour", "red"], ["compair"], ["resume", "x", "--metric", "auc"]])
def test_an_unknown_option_or_command_is_exit_code_2(place, arguments):
    assert tabbench(*arguments, folder=place).exit_code == 2


def test_check_tells_what_it_sees(place):
    clean = tabbench("check", "people.csv", "--target", "bought", folder=place)
    assert clean.exit_code == 0 and "No warnings." in clean.stdout
    table = people()
    table.assign(copy=table["bought"].map({"yes": "ja", "no": "nein"})).to_csv(place / "leak.csv", index=False)
    leaking = tabbench("check", "leak.csv", "--target", "bought", "--json", folder=place)
    assert leaking.exit_code == 3
    findings = json.loads(leaking.stdout)["findings"]
    assert any(finding["severity"] == "block" and "copy" in finding["subject"] for finding in findings)


def test_lists(place):
    approaches = tabbench("approaches", folder=place).stdout
    assert all(name in approaches for name in ("dummy", "linear+forest", "boosting", "mlp"))
    assert all(f"\n{name} " in approaches for name in ("l1", "pca", "univariate"))  # selectors, which any learner can have
    assert "diamonds" in tabbench("datasets", "list", folder=place).stdout
    assert "price" in tabbench("datasets", "show", "diamonds", folder=place).stdout
    fetched = tabbench("datasets", "fetch", "penguins", folder=place)
    assert os.path.exists(fetched.stdout.strip())


def test_standard_input_is_a_table(place):
    text = (place / "people.csv").read_text()
    done = tabbench_process("compare", "-", "--target", "bought", *QUICK, *HERE, "--out", "piped", "--json", folder=place,
                            input=text)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["table"]["fingerprint"] == json.loads(
        (place / "tabbench-people" / "result.json").read_text())["table"]["fingerprint"]
