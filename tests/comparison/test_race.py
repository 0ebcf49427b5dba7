"""`race`: approaches stopped early for futility, the same ones in every way of running, and it is said."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import tabbench
from tabbench.comparison.result import reopen
from tabbench.execution import schedule as scheduling
from tabbench.report import render

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds")
FRAMES = ("scores", "winners", "pairs", "crossovers", "skipped", "failures")
SIZES = (100, 200, "full")
OPTIONS = {"target": "y", "sizes": SIZES, "folds": 5, "repeats": 1, "quiet": True}
HERE = {"executor": "in-process"}


def scattered(rows=800):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 4)), columns=list("abcd"))
    return frame.assign(y=np.where(frame["a"] + frame.sum(axis=1) + 0.4 * random.normal(size=rows) > 0, "yes", "no"))


def contestants():
    return {"good": LogisticRegression(), "nearly": LogisticRegression(C=0.5), "stump": DecisionTreeClassifier(max_depth=1)}


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    place = tmp_path_factory.mktemp("race") / "run"
    return tabbench.compare(scattered(), approaches=contestants(), race=True, jobs=2, out=place, **OPTIONS)


def answer(comparison):
    frames = {name: getattr(comparison, name).astype(object).fillna("none").to_dict("list") for name in FRAMES}
    return frames | {"sentence": comparison.sentence}


def test_who_is_behind_is_skipped_at_larger_sizes_and_takes_part_in_no_claim_there(raced):
    assert [*zip(raced.skipped["approach"], raced.skipped["size"], strict=True)] == [("stump", 640)]
    assert raced.skipped["reason"].iloc[0].startswith("stopped early for futility: at least 0.")
    at_full = raced.pairs[raced.pairs["size"] == 640]
    assert {*at_full["first"], *at_full["second"]} == {"dummy", "good", "nearly"}
    assert {*raced.pairs[raced.pairs["size"] == 200]["first"]} | {*raced.pairs[raced.pairs["size"] == 200]["second"]} >= {"stump"}


@pytest.mark.parametrize("kind", ["html", "md", "json"])
def test_every_report_says_who_was_stopped_and_that_the_rest_decided(raced, kind):
    assert raced.sentence.startswith("On 800 rows") and raced.sentence in str(raced)
    said = "stump was stopped early for futility at a smaller size, so this holds among the approaches that went on"
    assert said in raced.sentence and said in render(raced, kind)
    assert "stopped early for futility: at least" in render(raced, kind)


def test_one_at_a_time_and_a_run_that_was_stopped_give_the_same_answer(raced, tmp_path, monkeypatch):
    handed_out, original = [], scheduling.Schedule.next

    def interrupted(self, *arguments):
        handed_out.append(1)
        if len(handed_out) == 48:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(scheduling.Schedule, "next", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tabbench.compare(scattered(), approaches=contestants(), race=True, out=tmp_path / "run", **OPTIONS, **HERE)
    monkeypatch.undo()
    again = tabbench.compare(scattered(), approaches=contestants(), race=True, out=tmp_path / "run", **OPTIONS, **HERE)
    assert answer(again) == answer(raced)


def test_the_run_is_opened_again_with_the_same_answer(raced):
    assert answer(reopen(raced.folder)) == answer(raced)


def test_a_finished_race_runs_nothing_again_and_may_be_finished_without_one(raced, monkeypatch):
    again = tabbench.compare(scattered(), approaches=contestants(), race=True, out=raced.folder, **OPTIONS, **HERE)
    assert answer(again) == answer(raced)
    whole = tabbench.compare(scattered(), approaches=contestants(), out=raced.folder, **OPTIONS, **HERE)
    assert whole.skipped.empty and "stump" in {*whole.scores[whole.scores["size"] == 640]["approach"]}
    assert whole.winners["best"].iloc[-1] == raced.winners["best"].iloc[-1] and "stopped" not in whole.sentence
    behind = whole.scores[(whole.scores["size"] == 640) & (whole.scores["metric"] == "log_loss")].set_index("approach")["mean"]
    assert behind["stump"] > behind["good"] + 0.1
    with_results = tabbench.compare(scattered(), approaches=contestants(), race=True, out=raced.folder, **OPTIONS, **HERE)
    assert answer(with_results) == answer(whole)  # what was run is shown, whoever would have been stopped


def test_a_dry_run_says_that_a_race_may_make_it_less():
    raced, whole = (str(tabbench.compare(scattered(), approaches="linear", race=race, dry_run=True, **OPTIONS))
                    for race in (True, False))
    assert raced.endswith("It is less if the race stops an approach.") and "race" not in whole
