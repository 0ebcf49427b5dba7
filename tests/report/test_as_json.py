import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.core.errors import BadData
from tabbench.report.as_json import from_json, to_json, to_json_text

KEYS = ["schema", "table", "protocol", "approaches", "scores", "winners", "pairs", "crossovers", "sentence", "other_crossovers",
        "family_crossovers", "what_if", "selection", "training", "extrapolation", "extrapolated_scores", "findings", "incidents",
        "failures", "skipped", "costs", "cost_crossovers", "budget_crossovers", "cost_limits", "winner_map", "columns", "tuned",
        "timing", "reading"]


def test_keys_and_columns_are_the_contract(comparison: Comparison) -> None:
    values = to_json(comparison)
    assert list(values) == KEYS
    assert values["schema"] == 1
    for name, columns in COLUMNS.items():
        assert values[name], name
        assert all(tuple(record) == columns for record in values[name])


def test_values_are_plain(comparison: Comparison) -> None:
    values = to_json(comparison)
    score, winner = values["scores"][0], values["winners"][0]
    assert {key: type(score[key]) for key in score} == {
        "approach": str, "size": int, "metric": str, "mean": float, "low": float, "high": float, "splits": int, "failed": int}
    assert type(winner["approaches"]) is list
    assert type(values["approaches"][0]["settings"]) is dict
    assert type(values["protocol"]["sizes"][0]) is int


def test_what_is_undefined_is_null(comparison: Comparison) -> None:
    scores = comparison.scores.copy()
    scores["mean"] = scores["mean"].astype("float64")
    scores.loc[0:2, "mean"] = [np.nan, np.inf, -np.inf]
    timing = {"wall_seconds": np.float32(2), "cpu_seconds": float("nan")}
    values = json.loads(to_json_text(replace(comparison, scores=scores, timing=timing)), parse_constant=pytest.fail)
    assert [record["mean"] for record in values["scores"][:3]] == [None, None, None]
    assert values["timing"] == {"wall_seconds": 2.0, "cpu_seconds": None}
    assert values["skipped"][0]["size"] is None


def test_whole_numbers_stay_whole_beside_a_missing_one(comparison: Comparison) -> None:
    skipped = pd.DataFrame({"approach": ["a", "b"], "size": [np.nan, 500.0], "reason": ["x", "y"]})
    sizes = [record["size"] for record in to_json(replace(comparison, skipped=skipped))["skipped"]]
    assert sizes == [None, 500]
    assert type(sizes[1]) is int


@pytest.mark.parametrize("kind", ["comparison", "hostile", "nothing"])
def test_reading_back_gives_the_same_json(kind: str, request: pytest.FixtureRequest) -> None:
    text = to_json_text(request.getfixturevalue(kind))
    assert to_json_text(from_json(json.loads(text))) == text
    assert text.isascii()


def test_frames_read_back_hold_numbers(comparison: Comparison) -> None:
    again = from_json(to_json(comparison))
    assert again.scores["mean"].dtype == "float64"
    assert again.scores["size"].dtype == "int64"
    assert again.crossovers["low"].dtype == "float64"


def test_another_schema_is_refused(comparison: Comparison) -> None:
    with pytest.raises(BadData, match="schema 2, not 1"):
        from_json(to_json(comparison) | {"schema": 2})
    with pytest.raises(BadData, match="lacks scores"):
        from_json({key: value for key, value in to_json(comparison).items() if key != "scores"})


@pytest.mark.parametrize("name", ["selection", "training", "other_crossovers", "family_crossovers", "budget_crossovers",
                                  "extrapolation", "extrapolated_scores", "what_if", "cost_limits", "winner_map"])
def test_an_older_file_without_a_later_part_is_read(comparison: Comparison, name: str) -> None:
    values = to_json(comparison)
    del values[name]
    assert getattr(from_json(values), name).empty
