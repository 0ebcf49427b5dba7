"""What the pages in docs say of files, and where they point to, is so."""

import json
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tabbench
from tabbench.core.comparison import COLUMNS

CLONE = Path(__file__).parents[1]
FREE = {"table.roles", "approaches[].settings"}
"""Objects whose keys are columns, or an approach's own."""


@pytest.fixture(scope="module")
def pages():
    """The module that writes docs/result-json.md."""
    sys.path.insert(0, str(CLONE / "tools"))
    try:
        import result_json_page
    finally:
        sys.path.remove(str(CLONE / "tools"))
    return result_json_page


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The result.json of a run with a selector, nets, groups and two sizes."""
    folder, random = tmp_path_factory.mktemp("docs"), np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(80, 3)), columns=list("abc"))
    table["place"] = np.arange(80) % 20
    table["y"] = np.where(table["a"] + random.normal(size=80) > 0, "yes", "no")
    tabbench.compare(table, "y", approaches=["linear+univariate", "mlp"], group="place", sizes="30,full", folds=2, repeats=1,
                     effort=0.02, jobs=1, out=folder / "run")
    return json.loads((folder / "run" / "result.json").read_text())


def objects(value, path=""):
    """(path, keys) of every object within a JSON value, `[]` standing for a list's items."""
    if isinstance(value, dict):
        yield path, set(value)
        for key, each in value.items():
            if f"{path}.{key}".strip(".") not in FREE:
                yield from objects(each, f"{path}.{key}".strip("."))
    elif isinstance(value, list):
        for each in value:
            yield from objects(each, f"{path}[]")


def test_result_json_page_is_as_the_code_writes_it(pages):
    assert pages.PAGE.read_text(encoding="utf-8") == pages.page(), "run python tools/result_json_page.py"
    assert {name: tuple(pages.MEANINGS[name]) for name in COLUMNS} == {
        name: pytest.approx(columns) if False else tuple(pages.MEANINGS[name]) for name, columns in COLUMNS.items()}
    assert all(set(pages.MEANINGS[name]) == set(columns) for name, columns in COLUMNS.items())


def test_result_json_page_has_every_key_of_a_real_run_and_no_other(pages, written):
    assert list(written) == pages.top_level()
    seen = {}
    for path, keys in objects(written):
        name = re.sub(r"^(\w+)\[\]", r"\1", path) if path.count("[]") == 1 else path.replace("[]", "", 1)
        seen.setdefault(name, set()).update(keys)
    documented = {name: set(keys) for name, keys in pages.MEANINGS.items()}
    documented[""] = set(pages.top_level())
    assert {name for name in seen if name not in FREE} <= set(documented) | {f for f in FREE}
    for name, keys in seen.items():
        if name in documented:
            assert keys == documented[name], name
    nested = {name for name in documented if name not in COLUMNS}
    assert nested <= set(seen), "the run has to hold every part that is no frame"


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


def test_every_doi_is_written_as_one():
    text = (CLONE / "docs" / "method.md").read_text(encoding="utf-8")
    dois = re.findall(r"doi:([^\s,;)\]]+)", text)
    assert dois
    assert all(re.fullmatch(r"10\.\d{4,9}/\S+\w", doi) for doi in dois)
    code = "".join(path.read_text(encoding="utf-8") for path in (CLONE / "tabbench").rglob("*.py"))
    assert {doi for doi in dois if doi not in code} <= KNOWN_DOIS


KNOWN_DOIS = set()
"""Those of the method page that no docstring carries."""


def test_oldest_versions_are_those_of_the_project():
    import importlib.util

    spec = importlib.util.spec_from_file_location("oldest", CLONE / "tools" / "oldest.py")
    oldest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(oldest)
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
    lines = oldest.constraints(project)
    assert len(lines) == len(project["dependencies"]) + 2
    assert "numpy==2.0" in lines
    pins = (CLONE / "constraints.txt").read_text().splitlines()
    assert all(f"{name}=={version}" in pins for name, version in oldest.OWN_VERSION.items())
