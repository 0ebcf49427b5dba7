"""What the pages in docs say of files, and where they point to, is so."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import tabbench
from tabbench.core.comparison import COLUMNS
from tabbench.reading.recognition import recognise

CLONE = Path(__file__).parents[1]
FREE = {"tuned.tuned", "table.roles", "approaches.settings"}
"""Objects whose keys are columns, or an approach's own."""


@pytest.fixture(scope="module")
def pages():
    """The script that writes docs/result-json.md."""
    return tool("result_json_page")


def tool(name):
    """A script in tools as a module."""
    spec = importlib.util.spec_from_file_location(name, CLONE / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The result.json of a run with a selector, nets, groups and two sizes."""
    folder, random = tmp_path_factory.mktemp("docs"), np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(80, 3)), columns=list("abc"))
    table["place"] = np.arange(80) % 20
    table["y"] = np.where(table["a"] + random.normal(size=80) > 0, "yes", "no")
    tabbench.compare(table, "y", approaches=["linear+univariate", "mlp"], group="place", sizes="30,full", folds=2, repeats=1,
                     effort=0.02, executor="in-process", out=folder / "run")
    return json.loads((folder / "run" / "result.json").read_text())


def objects(value, path=""):
    """(path, keys) of every object within a JSON value, but those in `FREE`; a list's items have the path of the list."""
    if isinstance(value, dict) and path not in FREE:
        yield path, set(value)
        for key, each in value.items():
            yield from objects(each, f"{path}.{key}".strip("."))
    elif isinstance(value, list):
        for each in value:
            yield from objects(each, path)


def test_result_json_page_is_as_the_code_writes_it(pages):
    assert pages.PAGE.read_text(encoding="utf-8") == pages.page(), "run python tools/result_json_page.py"
    assert all(set(pages.MEANINGS[name]) == set(columns) for name, columns in COLUMNS.items())


def test_result_json_page_has_every_key_of_a_real_run_and_no_other(pages, written):
    assert list(written) == pages.top_level()
    documented = {name: set(keys) for name, keys in pages.MEANINGS.items()} | {"": set(pages.top_level())}
    seen = {}
    for path, keys in objects(written):
        seen.setdefault(path, set()).update(keys)
    assert seen == {name: documented[name] for name in seen}
    not_seen = set(documented) - set(seen)
    assert not_seen <= set(COLUMNS), "the run has to hold every part but empty lists, whose columns are fixed"


def test_every_link_in_the_pages_leads_somewhere():
    for page in [*(CLONE / "docs").glob("*.md"), *CLONE.glob("*.md")]:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            path, _, place = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            target = page.parent / path if path else page
            assert target.exists(), (page.name, link)
            if place:
                assert place in anchors(target.read_text(encoding="utf-8")), (page.name, link)


def anchors(text):
    """The places in a page that a link can name, by its headings."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_every_source_of_the_method_is_one_of_the_code():
    text = (CLONE / "docs" / "method.md").read_text(encoding="utf-8")
    dois = re.findall(r"doi:([^\s,;)\]]+)", text)
    assert dois
    code = "".join(path.read_text(encoding="utf-8") for path in (CLONE / "tabbench").rglob("*.py"))
    assert [doi for doi in dois if doi not in code] == []


def test_oldest_versions_are_those_of_the_project():
    oldest = tool("oldest")
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
    lines = oldest.constraints(project)
    extras = [each for name, group in project["optional-dependencies"].items() if name not in oldest.LEFT_OUT for each in group]
    assert len(lines) == len([*project["dependencies"], *extras])
    assert "numpy==2.0" in lines
    pins = (CLONE / "constraints.txt").read_text().splitlines()
    assert all(f"{name}=={version}" in pins for name, version in oldest.OWN_VERSION.items())


def documented_columns():
    """(cells, what they are read as, type) of each row of the table in docs/reading.md."""
    for line in (CLONE / "docs" / "reading.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            written, read, kind = line.strip("| ").split(" | ")
            yield [each.strip("`") for each in re.findall(r"`[^`]+`", written)], re.findall(r"`([^`]+)`", read), kind


@pytest.mark.parametrize(("written", "read", "kind"), list(documented_columns()))
def test_a_column_is_read_as_documented(written, read, kind):
    column = recognise("x", pa.chunked_array([pa.array(written * 60)]))
    assert column.column.kind == kind
    values = pd.Series(column.values[: len(written)])
    if kind == "number":
        assert values.tolist() == pytest.approx([float(each) for each in read])
    elif kind == "date":
        assert values.tolist() == [pd.Timestamp(each) for each in read]
    else:
        assert values.astype(str).tolist() == read


def test_a_benchmark_names_what_became_slower(tmp_path):
    guard = tool("bench_guard")
    before = [("reading", "1.50 × (3.1 s)", "≤ 1.5 ×"), ("by hand", "8.0 ×", "≥ 8 ×"), ("fit", "2.0 s", ""),
              ("note", "none", "")]
    after = [("reading", "1.70 × (1.0 s)", "≤ 1.5 ×"), ("by hand", "7.0 ×", "≥ 8 ×"), ("fit", "2.1 s", ""),
             ("new", "5 s", "")]
    path = tmp_path / "figures.json"
    assert guard.compared(path, "all", before, "this machine") == []
    worse = guard.compared(path, "all", after, "this machine")
    assert worse == ["reading: 1.5 × before, 1.7 × now", "by hand: 8 × before, 7 × now"]
    assert guard.compared(path, "all", [("fit", "9 s", "")], "another machine") == []
    assert guard.compared(path, "all", [("fit", "99 s", "")], "another machine") == ["fit: 9 s before, 99 s now"]
    assert guard.compared(path, "other", before, "this machine") == []


def test_the_profile_times_steps_that_there_are():
    for module, name in tool("bench_profile").STEPS.values():
        assert callable(getattr(importlib.import_module(module), name))


def test_the_profile_says_what_a_worker_does_and_how_much_of_it_is_no_fit():
    profile = tool("bench_profile")
    doing, seen = profile.Doing(), []

    def then(*answers):
        for answer in answers:
            doing.note_answer(answer)
            seen.append(doing.now)

    then({"pid": 7}, {"warm": True, "cuda": False})
    doing.note_order("run", {"a": "dummy", "b": "mlp"})
    then({"loaded": []}, {"started": "a", "lacks": []}, {"finished": "a", "file": "a"}, {"started": "b", "lacks": ["torch"]},
         {"loaded": ["torch"]}, {"finished": "b", "file": "b"}, {"idle": True})
    assert seen == ["starting", "waiting", "starting", "dummy", "waiting", "starting", "mlp", "waiting", "waiting"]
    doing.note_order("call", {})
    assert doing.now == "the winner on all rows"
    then({"called": ""})
    assert doing.now == "waiting"
    assert [profile.any_fits(each) for each in ([], ["starting", "waiting"], ["starting", "linear"])] == [False, False, True]
    measured = {"steps": {"whole": [9.0, 1.0]}, "workers": {"starting": [1.0, 1.0], "linear": [8.0, 7.5], "waiting": [1.0, 0.0]},
                "together": {profile.FITTING: [8.1, 0.0]}}
    assert profile.not_fitting(measured) == 0.2
    assert profile.shares({"a": measured}, "60s") == [
        ("a, 60s: share of the wall time in which no worker fits anything", "10%", "≤ 10%"),
        ("a, 60s: share of the workers' time in which nothing is fitted", "20%", "≤ 10%")]
    assert profile.seconds_table({"a": measured})[:2] == [("wall (processor) seconds", "a"), ("whole", "9.0 (1.0)")]


def test_boosters_are_compared_with_their_libraries_defaults():
    rows = tool("bench_defaults").defaults(["blood_transfusion"], {"hardly": 0.02}, most_rows=60)
    assert [what.split(":")[0] for what, _, _ in rows] == ["xgboost, hardly", "lightgbm, hardly", "boosting, hardly"]
    for _, figure, goal in rows:
        assert 0.1 < float(figure.split()[0]) < 10
        assert goal == "≤ 1.02"
