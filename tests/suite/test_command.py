"""The commands of suites, from a new suite to its report and its verification."""

import json

import pytest
from command_line import tabbench

from tabbench.suite.run import SuiteRun

QUICK = ("--approaches", "linear", "--effort", "0.01", "--folds", "2", "--repeats", "1", "--sizes", "full",
         "--executor", "in-process")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a suite of two generated tables, and its finished run."""
    folder = tmp_path_factory.mktemp("suites")
    new = tabbench("suite", "new", "generated:xor,rows=80", "generated:friedman1,rows=80", "--out", "mine.toml", folder=folder)
    assert new.exit_code == 0 and new.stdout.endswith("tabbench suite run mine.toml\n")
    done = tabbench("suite", "run", "mine.toml", *QUICK, folder=folder)
    assert done.exit_code == 0, done.output
    (folder / "stdout").write_text(done.stdout)
    return folder


def test_a_run_ends_with_a_verdict_and_its_reports(place):
    run = place / "tabbench-suite-mine"
    said = (place / "stdout").read_text()
    assert said.startswith("Over 2 tables, nothing can be decided") and said.endswith("report.html\n")
    assert {"suite.toml", "manifest.json", "result.json", "report.html", "report.md", "csv", "parquet", "latex",
            "tables"} <= {path.name for path in run.iterdir()}
    result = json.loads((run / "result.json").read_text())
    assert [table["state"] for table in result["tables"]] == ["finished", "finished"]


def test_again_or_resumed_it_answers_the_same_as_json_too(place):
    before = (place / "tabbench-suite-mine" / "result.json").read_text()
    again = tabbench("suite", "run", "mine.toml", *QUICK, "--json", folder=place)
    assert again.exit_code == 0 and again.stdout == before
    resumed = tabbench("suite", "resume", "tabbench-suite-mine", "--quiet", folder=place)
    assert (resumed.exit_code, resumed.stdout) == (0, "")
    assert (place / "tabbench-suite-mine" / "result.json").read_text() == before


def test_a_run_is_reported_verified_and_set_beside_another(place):
    assert tabbench("suite", "report", "tabbench-suite-mine", "--format", "md", folder=place).stdout.startswith("# ")
    beside = tabbench("suite", "report", "tabbench-suite-mine", "tabbench-suite-mine", folder=place)
    assert beside.exit_code == 0 and beside.stdout
    verified = tabbench("suite", "verify", "tabbench-suite-mine", "--cells", "1", folder=place)
    assert verified.exit_code == 0, verified.stdout


def test_suites_are_listed_shown_extended_and_forecast(place):
    assert "smoke" in tabbench("suite", "list").stdout
    assert 'source = "generated:xor,rows=80"' in tabbench("suite", "show", "mine.toml", folder=place).stdout
    (place / "longer.toml").write_text((place / "mine.toml").read_text())
    assert tabbench("suite", "add", "longer.toml", "penguins", folder=place).exit_code == 0
    forecast = tabbench("suite", "run", "longer.toml", *QUICK, "--dry-run", folder=place)
    assert "penguins" in forecast.stdout and "3 tables, 12 cells" in forecast.stdout
    assert not (place / "tabbench-suite-longer").exists()


def test_a_table_that_cannot_be_used_is_said_and_ends_with_3(place, tmp_path):
    path = tmp_path / "half.toml"
    path.write_text('tables = ["generated:xor,rows=80", "absent.csv"]')
    done = tabbench("suite", "run", path, *QUICK, "--out", tmp_path / "run")
    assert done.exit_code == 3 and "absent" in done.stderr
    assert "absent" in (tmp_path / "run" / "report.md").read_text()


def press_ctrl_c(*ignored, **also):
    raise KeyboardInterrupt


def test_exit_codes_tell_what_has_ended_how(copied, tmp_path, monkeypatch):
    def code(run, folder):
        monkeypatch.setattr("tabbench.suite.run.run_definition", run)
        ended = tabbench("suite", "run", "smoke", "--out", folder, "--quiet")
        return ended.exit_code, ended.stderr

    missing = ("1 table has no result (stones); 1 table was run in part (weeds).\n"
               "4 fits have failed, for which the constant prediction stands in; the report names them.\n")
    assert code(lambda *ignored, **also: SuiteRun(copied, {}, (), is_interrupted=False), copied) == (3, missing)
    late = code(lambda *ignored, **also: SuiteRun(copied, {}, ("weeds",), is_interrupted=False), copied)
    assert late == (3, f"{missing}no time was left for weeds. Continue with: tabbench suite resume {copied}\n")
    empty = tmp_path / "empty"
    (empty / "tables").mkdir(parents=True)
    how = f"interrupted; nothing finished is lost. Continue with: tabbench suite resume {empty}\n"
    for run in (lambda *ignored, **also: SuiteRun(empty, {}, (), is_interrupted=True), press_ctrl_c):
        assert code(run, empty) == (130, how)
    exit_code, said = code(lambda *ignored, **also: SuiteRun(empty, {}, (), is_interrupted=False), empty)
    assert exit_code == 1 and "has any result yet" in said


@pytest.mark.parametrize("arguments, sentence", [
    (("run", "nothing.toml"), "cannot be read"), (("run", "smok"), "smoke"),
    (("resume", "."), "is not the folder of a suite's run"),
    (("new", "penguins", "--out", "odd.toml"), "odd.toml is there already"),
    (("run", "odd.toml"), "[options] in odd.toml: folds"),
    (("report", "odd.toml", "--format", "pdf"), "--format pdf is unknown here"),
    (("run", "smoke", "--effort", "much"), "--effort must be a number"), (("report", "."), "is not a suite's folder")])
def test_a_mistake_is_one_sentence(tmp_path, arguments, sentence):
    (tmp_path / "odd.toml").write_text('tables = ["penguins"]\n[options]\nfolds = 1\n')
    done = tabbench("suite", *arguments, folder=tmp_path)
    assert done.exit_code == 1 and done.stderr.startswith("tabbench: ") and done.stderr.count("\n") == 1
    assert sentence in done.stderr
