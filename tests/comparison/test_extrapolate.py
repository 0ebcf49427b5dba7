"""`extrapolate`: added to a run that is there without fitting anything, kept by it, the same ones every time."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

import tabbench
from tabbench.comparison.compare import resume
from tabbench.comparison.result import reopen
from tabbench.report.live import make_display

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds")


def table(rows=640):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 5)), columns=list("abcde"))
    return frame.assign(y=frame["a"] + frame["b"] * (frame["c"] > 0) + 0.3 * random.normal(size=rows))


def compared(out, **options):
    own = {"line": LinearRegression(), "tree": DecisionTreeRegressor(min_samples_leaf=5)}
    return tabbench.compare(table(), "y", approaches=own, folds=4, repeats=1, executor="in-process", quiet=True, out=out,
                            **options)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    place = tmp_path_factory.mktemp("more") / "run"
    first = compared(place)
    return first, compared(place, extrapolate=True)


def test_nothing_is_extrapolated_unless_requested_and_nothing_else_changes(asked):
    first, second = asked
    assert first.extrapolation.empty and first.extrapolated_scores.empty
    assert second.sentence == first.sentence
    assert second.pairs.equals(first.pairs)
    # The same cells: had they been fitted again, their clocks would differ.
    assert second.costs.equals(first.costs)


def test_both_own_approaches_are_followed_and_result_json_holds_it(asked):
    _, second = asked
    found = second.extrapolation
    assert [*zip(found["first"], found["second"], found["factor"], strict=True)] == [("line", "tree", 2), ("line", "tree", 4)]
    values = json.loads((second.folder / "result.json").read_text())
    assert [row["factor"] for row in values["extrapolation"]] == [2, 4]
    assert "An extrapolation, not a verdict" in (second.folder / "report.html").read_text()


def test_reports_keep_it(asked):
    _, second = asked
    again = reopen(second.folder)
    assert again.extrapolation.equals(second.extrapolation)
    assert again.extrapolated_scores.equals(second.extrapolated_scores)


def test_two_approaches_of_the_user_have_crossings_too(asked):
    first, _ = asked
    with_dummy = set(zip(first.other_crossovers["first"], first.other_crossovers["second"], strict=True))
    assert with_dummy == {("dummy", "line"), ("dummy", "tree")}
    assert set(zip(first.crossovers["first"], first.crossovers["second"], strict=True)) == {("line", "tree")}
    assert first.family_crossovers.empty
    # Of these two alone; how often they change places depends on the clock.
    by_budget = first.budget_crossovers[["first", "second"]]
    assert {frozenset(pair) for pair in by_budget.itertuples(index=False)} == {frozenset({"line", "tree"})}


def test_resume_keeps_it_and_a_short_run_is_refused(tmp_path):
    out = tmp_path / "run"
    first = tabbench.compare(table(160), "y", approaches="linear,linear+pca", preset="fast", folds=3, repeats=1, sizes="40,full",
                             executor="in-process", quiet=True, out=out, extrapolate=True)
    assert set(first.extrapolation["refusal"]) == {"2 sizes were run, and a curve needs 5"}
    again = resume(out, display=make_display(quiet=True, to_json=False))
    assert again.extrapolation.equals(first.extrapolation)
