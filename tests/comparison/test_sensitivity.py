"""`what_if`: a comparison repeated with one thing changed, each in a folder of its own, resumable, and said in words."""

import json
import shutil
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from command_line import tabbench as typed
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

import tabbench
from tabbench.comparison.prepare import prepare
from tabbench.comparison.progress import Clock
from tabbench.comparison.result import reopen
from tabbench.comparison.sensitivity import changed, changes_of, folder_name, repeat_changed
from tabbench.core.errors import BadData
from tabbench.core.finding import Remedy
from tabbench.execution import schedule as scheduling
from tabbench.options import Options
from tabbench.report.live import QuietDisplay
from tabbench.splitting.splits import make_splits
from tabbench.verdict.what_if import Change

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds")
OPTIONS = {"target": "y", "sizes": (100, "full"), "folds": 4, "repeats": 1, "preset": "fast", "metric": "brier",
           "quiet": True, "jobs": 1}
HERE = {"executor": "in-process"}  # workers take longer to start than these cells
NUMBERS = make_column_transformer(("passthrough", make_column_selector(dtype_include="number")))
LINEAR_AND_TREE = {"line": make_pipeline(NUMBERS, LogisticRegression()),
                   "tree": make_pipeline(NUMBERS, DecisionTreeClassifier(max_depth=3, min_samples_leaf=20))}


def visits(rows=600, seed=0):
    """A linear truth; `code` leaks the answer in a way that only a tree can read; patients and days mean nothing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 3)), columns=list("abc"))
    is_yes = frame["a"] + frame["b"] + frame["c"] + 0.3 * rng.normal(size=rows) > 0
    frame["code"] = np.where(is_yes, rng.choice([-3.0, 3.0], rows), 0.0) + 0.1 * rng.normal(size=rows)
    frame["patient"] = [f"P{number}" for number in rng.integers(0, 60, rows)]
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(rows), unit="D")
    return frame.assign(y=np.where(is_yes, "yes", "no"))


def dateless():
    return visits().drop(columns="day")


def prepared(frame, **options):
    given = Options(**{name: value for name, value in {**OPTIONS, **options}.items() if name != "quiet"}).checked()
    return prepare(frame, given, QuietDisplay()), given


def rows_of(comparison):
    frame = comparison.what_if[comparison.what_if["kind"] != "metric"]
    return {row["kind"]: row for row in frame.to_dict("records")}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    place = tmp_path_factory.mktemp("what-if") / "run"
    return tabbench.compare(dateless(), approaches=LINEAR_AND_TREE, what_if=True, out=place, **OPTIONS, **HERE)


def test_the_answer_without_the_leak_is_another_one(asked):
    assert asked.winner()["best"] == "tree"
    rows = rows_of(asked)
    assert rows["without"]["sentence"] == "Without `code`, line wins instead of tree." and rows["without"]["flips"] is True
    assert rows["grouped-by"]["sentence"] == "Split by whole groups of `patient`, tree wins as well."
    assert rows["in-time-by"]["sentence"] == "Split forward in time: not answered, since no column holds dates."


def test_every_repetition_is_a_run_of_its_own(asked):
    folders = sorted(path.name for path in (asked.folder / "what-if").iterdir())
    assert folders == ["grouped-by-patient", "without-code"]
    nested = {name: json.loads((asked.folder / "what-if" / name / "result.json").read_text()) for name in folders}
    assert nested["without-code"]["protocol"]["sizes"] == [asked.protocol["headline_size"]]
    assert nested["without-code"]["table"]["columns"] == asked.table["columns"] - 1
    assert nested["grouped-by-patient"]["protocol"]["split_kind"] == "grouped"
    assert nested["grouped-by-patient"]["table"]["roles"] == {"group": "patient"}
    assert nested["without-code"]["reading"][0] == "what if: without `code`"
    assert all({row["name"] for row in each["approaches"]} == {"dummy", "line", "tree"} for each in nested.values())


@pytest.mark.parametrize("kind", ["html", "md", "json"])
def test_every_report_says_it(asked, kind):
    from tabbench.report import render

    text = render(asked, kind).replace("\\`", "`")
    assert "Without `code`, line wins instead of tree." in text
    written = {"html": "report.html", "md": "report.md", "json": "result.json"}[kind]
    assert "line wins instead of tree." in (asked.folder / written).read_text()


def test_it_is_opened_again_with_the_same_answer_and_costs_no_time_of_the_comparison(asked):
    again = reopen(asked.folder)
    pd.testing.assert_frame_equal(again.what_if, asked.what_if)
    assert again.timing == asked.timing


def test_the_same_call_again_fits_nothing(asked, monkeypatch):
    monkeypatch.setattr("tabbench.execution.local.LocalExecutor._start_worker", lambda self: pytest.fail("a child was started"))
    again = tabbench.compare(dateless(), approaches=LINEAR_AND_TREE, what_if=True, out=asked.folder, **OPTIONS)
    pd.testing.assert_frame_equal(again.what_if, asked.what_if)


def test_other_approaches_make_old_repetitions_stale(asked, tmp_path):
    place = shutil.copytree(asked.folder, tmp_path / "run")
    other = tabbench.compare(dateless(), approaches={"line": LINEAR_AND_TREE["line"]}, out=place, **OPTIONS, **HERE)
    assert rows_of(other) == {}


@pytest.mark.slow
def test_one_that_is_stopped_goes_on(tmp_path, monkeypatch, capsys):
    handed_out, original = [], scheduling.Schedule.next

    def interrupted(self, *arguments):
        batch = original(self, *arguments)
        handed_out.append(batch)
        if (tmp_path / "run" / "what-if" / "without-code" / "table.arrow").exists():
            raise KeyboardInterrupt
        return batch

    monkeypatch.setattr(scheduling.Schedule, "next", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tabbench.compare(dateless().drop(columns="patient"), approaches="linear", what_if=True, out=tmp_path / "run",
                         **OPTIONS | HERE | {"sizes": ("full",)})
    monkeypatch.undo()
    said = capsys.readouterr().err
    assert said.count("interrupted") == 1 and f"tabbench resume {tmp_path / 'run'}\n" in said
    before = json.loads((tmp_path / "run" / "result.json").read_text())
    assert before["winners"] and {row["kind"] for row in before["what_if"]} == {"metric"}
    done = typed("resume", tmp_path / "run", "--json", "--quiet", "--jobs", "1")
    assert done.exit_code == 0, done.stderr
    rows = {row["kind"]: row for row in json.loads(done.stdout)["what_if"]}
    assert rows["without"]["sentence"] == "Without `code`, linear wins as well."


def test_a_time_limit_that_is_used_up_leaves_them_out_and_says_so(asked, tmp_path, monkeypatch):
    monkeypatch.setattr("tabbench.comparison.sensitivity.time", SimpleNamespace(monotonic=lambda: time.monotonic() + 1e9))
    late = tabbench.compare(dateless(), approaches=LINEAR_AND_TREE, what_if=True, time_limit="10m", **OPTIONS,
                            out=shutil.copytree(asked.folder, tmp_path / "run", ignore=lambda *_: {"what-if"}))
    assert rows_of(late)["without"]["sentence"] == "Without `code`: not answered, since --time-limit left no time for it."
    assert not (tmp_path / "run" / "what-if").exists()


def test_repetitions_share_the_time_that_is_left(asked):
    given, options = prepared(dateless(), out=asked.folder)
    limits = []

    def run(_, options, clock):
        limits.append(clock.limit_seconds)
        return asked, False

    repeat_changed(asked, given, options, Clock.start(1e6), lambda _: None, run)
    assert [round(limit / 1e6, 2) for limit in limits] == [0.5, 1.0]


def test_a_comparison_that_will_be_repeated_leaves_half_of_a_time_limit(monkeypatch):
    limits = []
    monkeypatch.setattr(sys.modules["tabbench.comparison.compare"], "expect_plan",
                        lambda planner, given, clock: limits.append(clock.limit_seconds))
    for each in (False, True):
        tabbench.compare(visits(), approaches="linear", dry_run=True, time_limit="100s", what_if=each, **OPTIONS)
    assert limits == [100.0, 50.0]


def test_a_dry_run_says_that_they_come_on_top():
    plan = str(tabbench.compare(visits(), approaches="linear", what_if=True, dry_run=True, **OPTIONS))
    assert plan.endswith(" The repetitions of --what-if, each at one size, come on top.")


def kinds(frame, **options):
    return [(change.kind, change.subject, why) for change, why in changes_of(prepared(frame, **options)[0])]


def test_names_with_blanks_and_commas_are_found():
    frame = visits().rename(columns={"patient": "patient id", "code": "code, inner"})
    assert [subject for _, subject, _ in kinds(frame)] == ["code, inner", "patient id", "day"]
    leak = frame.assign(**{"late, by days": frame["y"].map({"yes": 1.0, "no": 0.0})})
    given, _ = prepared(leak)
    ((cure, remedy),) = {(each.cure, each.remedy) for each in given.findings if each.subject == "late, by days"}
    assert cure == "leave it out with --drop '\"late, by days\"'" and remedy == Remedy("drop", ("late, by days",))
    assert Options(target="y", drop='"late, by days"').checked().drop == ("late, by days",)


def test_the_sentence_of_a_finding_decides_nothing():
    given, _ = prepared(visits())
    silent = replace(given, findings=tuple(replace(each, cure="") for each in given.findings))
    assert changes_of(silent) == changes_of(given)
    without = replace(given, findings=tuple(replace(each, remedy=None) for each in given.findings))
    assert changes_of(without)[1][1] == "no column looks like a group", "as in a store of an earlier version"


def test_what_is_declared_is_turned_round():
    assert kinds(visits(), group="patient")[1] == ("not-grouped", "patient", "")
    assert kinds(visits(), time="day", repeats=None)[2] == ("not-in-time", "day", "")


def test_what_does_not_apply_says_why():
    plain = visits()[["a", "y"]]
    assert kinds(plain) == [("without", "", "there is but one feature"), ("grouped-by", "", "no column looks like a group"),
                            ("in-time-by", "", "no column holds dates")]
    folded = visits().assign(fold=np.arange(600) % 4)
    assert [why for _, _, why in kinds(folded, fold="fold", repeats=None)[1:]] == ["the splits are your own"] * 2
    random = np.random.default_rng(5)
    noise = pd.DataFrame({"a": random.normal(size=80), "b": random.normal(size=80), "y": random.choice(["n", "p"], 80)})
    assert kinds(noise, folds=2)[0] == ("without", "", "no feature tells anything alone")


def test_without_a_finding_the_strongest_feature_is_the_suspect():
    frame = visits().drop(columns="code").assign(weak=lambda table: table["a"] + 5 * np.sin(np.arange(600)))
    assert kinds(frame)[0][:2] in [("without", "a"), ("without", "b")]


def test_a_changed_question_differs_in_one_thing():
    was, options = prepared(visits())
    alone = changed(was, Change("without", "code"), options).setup
    assert "code" not in alone.table.features and len(alone.table) == len(was.setup.table)
    assert alone.table.fingerprint != was.setup.table.fingerprint
    for one, other in zip(alone.splits.splits, was.setup.splits.splits, strict=True):
        np.testing.assert_array_equal(one.train, other.train)
    grouped = changed(was, Change("grouped-by", "patient"), options).setup
    assert grouped.splits.kind == "grouped" and "patient" not in grouped.table.features
    for split in grouped.splits.splits:
        assert not set(grouped.table.group[split.train]) & set(grouped.table.group[split.test])
    in_time = changed(was, Change("in-time-by", "day"), options).setup
    assert in_time.splits.kind == "ordered" and "day" in in_time.table.features
    for split in in_time.splits.splits:
        assert in_time.table.time[split.train].max() < in_time.table.time[split.test].min()


def test_turning_round_gives_random_splits():
    for role, column in (("group", "patient"), ("time", "day")):
        was, options = prepared(visits(), **{role: column}, repeats=None)
        turned = changed(was, Change(f"not-{'grouped' if role == 'group' else 'in-time'}", column), options).setup
        plan, _ = make_splits(turned.table, turned.target, turned.task, folds=4, repeats=turned.splits.repeats)
        assert turned.splits.kind == plan.kind == "stratified" and turned.table.roles == {}


def test_rows_that_become_equal_stay_together():
    frame = visits(300).drop(columns=["patient", "day"]).round(0)
    was, options = prepared(frame.assign(number=np.random.default_rng(0).permutation(300) * 1.5))
    assert len(np.unique(was.setup.table.tie)) == 300
    alone = changed(was, Change("without", "number"), options).setup
    shared = frame.groupby(["a", "b", "c", "code", "y"]).ngroup().to_numpy()
    assert len(np.unique(alone.table.tie)) == len(np.unique(shared)) < 300


def test_gaps_forbid_a_group_and_a_time():
    frame = visits()
    frame.loc[3, ["patient", "day"]] = None
    was, options = prepared(frame)
    for kind, column in (("grouped-by", "patient"), ("in-time-by", "day")):
        with pytest.raises(BadData, match=f"^`{column}` is missing in 1 row$"):
            changed(was, Change(kind, column), options)


@pytest.mark.parametrize("subject, name", [
    ("a/b", "without-a-b"), ("../..", "without-column"), (90 * "x", "without-" + 40 * "x")])
def test_folders_have_harmless_names(subject, name):
    assert folder_name(Change("without", subject)) == name
