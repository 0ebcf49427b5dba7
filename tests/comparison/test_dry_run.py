"""A dry run: the plan with what it is expected to cost, and what the limits would drop of it; nothing runs."""

import json
import os

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.tree import DecisionTreeClassifier

import tabbench
from tabbench.comparison.dry_run import CELL_COLUMNS, in_words
from tabbench.core.errors import BadOption
from tabbench.costs.prior import PriorCosts


def table(rows=400):
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, rows))
    return pd.DataFrame({"first": first, "second": second, "town": rng.choice(["Bern", "Basel"], rows),
                         "y": np.where(first + rng.normal(size=rows) > 0, "yes", "no")})


def expected(**options):
    plan = {"approaches": ["linear", "xgboost", "lightgbm", "boosting"], "sizes": [100, "full"], "folds": 4, "repeats": 1,
            "preset": "fast", "jobs": 2, "quiet": True}
    return tabbench.compare(table(), "y", **plan | options, dry_run=True)


def test_the_plan_has_every_cell_and_shows_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = expected()
    assert list(plan.cells.columns) == list(CELL_COLUMNS)
    assert plan.cells.groupby("size")["cells"].sum().to_dict() == {100: 20, 300: 20}
    assert (plan.cells["low"] <= plan.cells["seconds"]).all() and (plan.cells["seconds"] <= plan.cells["high"]).all()
    assert (plan.cells["skipped"] == "").all()
    assert 0 < plan.seconds["low"] < plan.seconds["expected"] < plan.seconds["high"]
    assert 50 < plan.peak_mb["low"] < plan.peak_mb["expected"] < plan.peak_mb["high"]
    for text in (str(plan), plan._repr_html_()):
        assert "boosting" in text and "fits of" in text and "Expected with 2 at a time" in text
    assert os.listdir(tmp_path) == []


def test_the_json_is_the_same_plan():
    plan = expected()
    as_json = json.loads(plan.to_json())
    assert as_json["seconds"] == plan.seconds and as_json["cells"] == plan.cells.to_dict("records")
    assert as_json["protocol"]["sizes"] == [100, 300] and as_json["table"]["rows"] == 400


def test_an_estimator_of_ones_own_is_unknown_and_said_so():
    plan = expected(approaches={"mine": DecisionTreeClassifier(), "linear": "default"})
    assert plan.unknown == ("mine",)
    assert "Nothing is known of mine before the first cell." in str(plan)
    assert plan.approaches.set_index("approach")["known"].to_dict() == {"dummy": "measured", "mine": "unknown",
                                                                        "linear": "measured"}


def test_limits_say_what_they_would_drop(monkeypatch):
    # A machine that is busy at one moment and idle at the next expects other seconds of the same plan.
    monkeypatch.setattr(PriorCosts, "on_this_machine", classmethod(lambda cls, *cores: cls.load()))
    short = expected(time_limit=0.5)
    assert (short.cells["skipped"] == "the time limit (--time-limit) would have been exceeded").all()
    assert short.seconds["expected"] < expected().seconds["expected"]
    need = psutil.Process().memory_info().rss / 1e6 + PriorCosts.load().machine("base_mb")
    small = expected(approaches="linear,mlp", memory_limit=f"{need + 12:.0f}MB", jobs=1)  # a small net takes 20 and more
    assert small.cells["skipped"].str.contains("it would need about").any()
    assert "skipped: " in str(small)
    assert "skipped: every approach at 100 and 300 rows: the time limit" in str(short)
    assert "Nothing would be run within these limits" in str(short) and "Expected" not in str(short)
    assert (expected(time_limit="2h", memory_limit="64GB").cells["skipped"] == "").all()


def test_a_memory_limit_without_room_for_any_child_is_refused_as_in_the_run(tmp_path):
    sentence = r"memory_limit is 10 MB, but tabbench and \d+ workers? need [\d,]+ MB before the first cell; give more"
    for is_dry in (True, False):
        with pytest.raises(BadOption, match=sentence):
            tabbench.compare(table(), "y", approaches="linear", preset="fast", memory_limit="10MB", jobs=1, quiet=True,
                             out=tmp_path / "run", dry_run=is_dry)


def test_an_approach_without_its_package_is_said_to_be_skipped(monkeypatch):
    monkeypatch.setattr("tabbench.comparison.plan._is_installed", lambda module: module != "catboost")
    plan = expected(approaches=["linear", "catboost"])
    rows = plan.cells[plan.cells["approach"] == "catboost"]
    assert rows["size"].tolist() == [100, 300] and (rows["cells"] == 0).all()
    assert "skipped: catboost at 100 and 300 rows: the package catboost is not installed" in str(plan)
    assert plan.unknown == () and json.loads(plan.to_json())["cells"] == plan.cells.to_dict("records")


def test_fewer_at_a_time_take_longer_and_less_memory(monkeypatch):
    monkeypatch.setattr("tabbench.costs.prior.probe", lambda: (0.006, 1.0))  # a busy moment would change the prices
    one, two = expected(jobs=1), expected(jobs=2)
    assert one.seconds["expected"] > two.seconds["expected"] and one.peak_mb["expected"] < two.peak_mb["expected"]


@pytest.mark.parametrize("settings, words", [
    ({}, "nothing to tune"),
    ({"rounds": 4000, "rate": 0.1}, "rounds 4,000, rate 0.1"),
    ({"learner": {"C": [1, 2]}}, "learner (2 values of C)"),
    ({"a" * 80: 1, "trial_rows": 7_000, "points": 9}, f"{'a' * 80} 1, ..."),
])
def test_amounts_of_work_in_words(settings, words):
    assert in_words(settings) == words


def test_words_stop_at_a_comma():
    long = in_words({f"setting number {number}": number for number in range(30)})
    assert long.endswith(", ...") and len(long) < 110
