"""docs/suite-result-json.md says what a suite's result.json holds, no less and no more."""

import importlib.util
import json
from pathlib import Path

import pytest

from tabbench.report.suite_as_json import suite_json
from tabbench.suite.assemble import suite_result

CLONE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages():
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("suite_result_page", CLONE / "tools" / "suite_result_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(garden):
    return json.loads(suite_json(suite_result(garden)))


def parts(written):
    """Path to the records of each part, and to the keys of a plain object."""
    for name, value in written.items():
        if name == "costs":
            yield from ((f"costs.{part}", rows) for part, rows in value.items())
        elif name != "schema":
            yield name, value if isinstance(value, list) else [value]


def test_the_page_is_as_the_code_writes_it(pages):
    assert pages.PAGE.read_text(encoding="utf-8") == pages.page(), "run python tools/suite_result_page.py"


def test_the_page_has_every_key_of_a_real_suite_and_no_other(pages, written):
    assert list(written) == pages.top_level()
    found = dict(parts(written))
    assert set(found) == set(pages.MEANINGS)
    assert all(set(row) == set(pages.MEANINGS[name]) for name, rows in found.items() for row in rows)
    assert all(found.values()), "the suite has to hold every part"


KINDS = {"integer": (int,), "number": (int, float), "string": (str,), "boolean": (bool,), "object": (dict,),
         "list of strings": (list,)}


def test_every_value_is_of_the_type_that_the_page_says(pages, written):
    for name, rows in parts(written):
        for key, (kind, _) in pages.MEANINGS[name].items():
            allowed = KINDS[kind.removesuffix(" or null")] + ((type(None),) if kind.endswith(" or null") else ())
            assert all(type(row[key]) in allowed for row in rows), (name, key, kind)
