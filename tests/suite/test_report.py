"""`report_suite` as the command uses it: every file, the same bytes again, and two runs beside each other."""

import json
import re

import pandas as pd
import pytest
from stored import change_results

from tabbench.core.errors import BadData, BadOption
from tabbench.core.suite_result import SUITE_COLUMNS
from tabbench.suite.report import read_result, report_suite


@pytest.fixture(scope="module")
def reported(garden, tmp_path_factory):
    """A folder with all reports and what was printed."""
    import shutil

    folder = shutil.copytree(garden, tmp_path_factory.mktemp("reported") / "garden")
    return folder, report_suite(folder)


def test_all_files_are_there_and_name_the_command_that_made_them(reported):
    folder, printed = reported
    assert printed.splitlines()[0] == json.loads((folder / "result.json").read_text())["verdicts"][0]["sentence"]
    assert printed.splitlines()[-1] == f"Report: {folder / 'report.html'}"
    assert {path.stem for path in (folder / "csv").iterdir()} == set(SUITE_COLUMNS)
    assert {path.stem for path in (folder / "parquet").iterdir()} == set(SUITE_COLUMNS)
    assert {path.stem for path in (folder / "latex").iterdir()} == {"verdicts", "ranks", "pairs", "scores", "costs"}
    for name in ("report.html", "report.md", "latex/pairs.tex"):
        assert "tabbench suite report garden" in (folder / name).read_text()
    assert not list(folder.rglob("*.tmp"))


def test_every_report_of_a_table_is_a_link_that_leads_there(reported):
    folder, _ = reported
    links = re.findall(r'href="([^"#]+)"', (folder / "report.html").read_text())
    assert "tables/flowers/report.html" in links
    assert "tables/weeds/report.html" not in links, "it was killed before it wrote one"
    assert all((folder / link).is_file() for link in links)


def test_frames_are_the_same_in_every_format(reported):
    folder, _ = reported
    values = json.loads((folder / "result.json").read_text())
    table = pd.read_parquet(folder / "parquet" / "scores.parquet")
    assert table.to_dict("records") == values["scores"]
    assert len(pd.read_csv(folder / "csv" / "scores.csv")) == len(values["scores"])
    assert pd.read_parquet(folder / "parquet" / "verdicts.parquet")["sentence"].iloc[0] == values["verdicts"][0]["sentence"]


def test_result_json_depends_on_clocks_in_its_costs_alone(reported):
    folder, _ = reported
    first = (folder / "result.json").read_text()
    change_results(folder / "tables" / "trees", fit_seconds=77.0, peak_mb=1.0)
    second = report_suite(folder, format="json")
    assert first != second
    old, new = json.loads(first), json.loads(second)
    assert old.pop("costs") != new.pop("costs")
    assert old == new


def test_what_was_written_is_read_back(reported):
    folder, _ = reported
    text = (folder / "result.json").read_text()
    from tabbench.report.suite_as_json import suite_json

    assert suite_json(read_result(folder / "result.json")) == text


@pytest.mark.parametrize(("format", "start"), [("html", "<!DOCTYPE html>"), ("md", "# tabbench: All of the garden"),
                                               ("json", '{\n "schema": 1'), ("csv", "table,approach,size,repeat,fold,score")])
def test_one_format_is_returned_and_nothing_written(copied, format, start):
    before = {path.name for path in copied.iterdir()}
    assert report_suite(copied, format=format).startswith(start)
    assert {path.name for path in copied.iterdir()} == before


def test_two_runs_of_one_system_are_the_same(garden, reported):
    folder, _ = reported
    text = report_suite(garden, folder / "result.json")
    assert "have the same scores on every split of 3 tables." in text
    assert json.loads(report_suite(garden, folder, "json"))["conditions"] == []
    assert report_suite(garden, folder, "md").startswith("# tabbench: ")
    assert report_suite(garden, folder, "csv").startswith("table,approach,size")


def test_mistakes_are_told(garden, tmp_path):
    with pytest.raises(BadOption, match="format='pdf' is unknown here; choose one of html, md, json, csv"):
        report_suite(garden, format="pdf")
    with pytest.raises(BadOption, match="choose one of md, json, csv"):
        report_suite(garden, garden, "html")
    with pytest.raises(BadOption, match="is neither a suite's folder nor a suite's"):
        report_suite(garden, tmp_path)
    with pytest.raises(BadData, match=r"this is not the result\.json of a suite"):
        report_suite(garden, garden / "tables" / "trees" / "result.json")
    (tmp_path / "result.json").write_text("no")
    with pytest.raises(BadData, match="is not JSON"):
        report_suite(garden, tmp_path)
