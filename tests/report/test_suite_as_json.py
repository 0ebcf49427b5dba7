import json

import pytest

from tabbench.core.errors import BadData
from tabbench.core.suite_result import SUITE_COLUMNS
from tabbench.report.suite_as_json import suite_from_json, suite_json


def test_json_is_strict_and_comes_back_as_it_was(suite):
    text = suite_json(suite)
    values = json.loads(text, parse_constant=pytest.fail)
    again = suite_from_json(values)
    assert suite_json(again) == text
    assert all(tuple(getattr(again, name).columns) == columns for name, columns in SUITE_COLUMNS.items())


def test_whole_numbers_stay_whole_beside_missing_ones(suite):
    tables = json.loads(suite_json(suite))["tables"]
    assert [type(row["rows"]) for row in tables[-2:]] == [int, type(None)]


def test_a_record_is_a_line(suite):
    lines = suite_json(suite).splitlines()
    assert sum('"fold"' in line and '"baseline_score"' in line for line in lines) == len(suite.scores)


@pytest.mark.parametrize(("change", "message"), [
    (lambda values: [], r"not the result\.json of a suite"),
    (lambda values: values | {"schema": 99}, "has schema 99, not 1"),
    (lambda values: {name: value for name, value in values.items() if name != "scores"}, "lacks scores"),
])
def test_other_files_are_told_apart(suite, change, message):
    with pytest.raises(BadData, match=message):
        suite_from_json(change(json.loads(suite_json(suite))))
