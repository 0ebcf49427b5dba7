"""The function as a person uses it: in scripts without a main guard, with own pipelines, with own splits."""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

import tabbench
from tabbench.core.errors import BadOption, UnknownName

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds")
HERE = {"executor": "in-process"}  # where the claim is not about workers, which take longer to start than these cells
QUICK = {"preset": "fast", "folds": 2, "repeats": 1, "sizes": "60,full", "quiet": True}


def flowers(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    length, place = rng.normal(size=rows), pd.Series(rng.choice(["hill", "shore"], rows), dtype="category")
    kind = np.where(length + rng.normal(size=rows) > 0.5, "rose", "tulip")
    return pd.DataFrame({"length": length, "place": place, "kind": kind})


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    return tabbench.compare(flowers(), "kind", approaches=["linear"], out=tmp_path_factory.mktemp("runs") / "flowers", **QUICK,
                            **HERE)


def test_frames_have_the_columns_of_result_json(comparison):
    assert list(comparison.pairs.columns) == ["first", "second", "size", "difference", "low", "high", "decision", "p_first",
                                              "p_equal", "p_second", "rows_to_settle"]
    assert set(comparison.scores["approach"]) == {"dummy", "linear"}
    assert comparison.sentence == str(comparison)


def test_winner_answers_for_the_grid_size_at_or_below(comparison):
    assert comparison.winner()["size"] == 100
    assert comparison.winner(size=99)["size"] == 60
    with pytest.raises(BadOption, match="size 101 is above 100, the largest that was run"):
        comparison.winner(size=101)
    with pytest.raises(BadOption, match="below 60"):
        comparison.winner(size=5)


def test_reports_go_where_they_are_asked_to(comparison, tmp_path):
    for name in ("a.html", "a.md", "a.json", "a.csv"):
        assert comparison.report(tmp_path / name).stat().st_size > 100
    with pytest.raises(BadOption, match=r"must end in .html"):
        comparison.report(tmp_path / "a.docx")
    assert "<iframe" in comparison._repr_html_()


@pytest.mark.parametrize("metric", ["log_loss", "auc"])
def test_a_test_part_without_any_weight_is_left_out(metric):
    frame = flowers().assign(part=np.arange(200) % 4, times=np.where(np.arange(200) % 4 == 3, 0.0, 1.0))
    comparison = tabbench.compare(frame, "kind", approaches=["linear"], fold="part", weight="times", metric=metric,
                                  preset="fast", sizes="full", quiet=True, **HERE)
    scored = comparison.scores[comparison.scores["metric"] == metric]
    assert scored["splits"].eq(3).all() and np.isfinite(scored["mean"]).all()


def test_without_a_best_approach_the_limit_is_named(tmp_path):
    with pytest.raises(BadOption, match=r"has no best approach yet, as time_limit was too short; finish it with "
                                        r"tabbench resume \S+ with a longer --time-limit"):
        tabbench.compare(flowers(), "kind", approaches="linear", time_limit=0.01, save_winner=True, jobs=1,
                         out=tmp_path / "run", **QUICK)


def test_the_winner_is_saved_and_predicts(comparison, tmp_path):
    model = comparison.save_winner(tmp_path / "model", approach="linear")
    frame, notes = tabbench.predict(model, flowers(seed=1).drop(columns="kind"))
    assert list(frame.columns) == ["prediction", "probability_rose", "probability_tulip"] and notes == []
    np.testing.assert_allclose(frame.filter(like="prob").sum(axis=1), 1)
    again, _ = tabbench.predict(model, flowers(seed=1)[["place", "length"]])
    pd.testing.assert_frame_equal(frame, again)


def test_a_run_is_opened_again_with_the_same_answer(comparison):
    again = tabbench.reopen(comparison.folder)
    pd.testing.assert_frame_equal(again.pairs, comparison.pairs)
    assert again.sentence == comparison.sentence


def test_own_estimators_get_the_raw_frame_and_the_original_labels(tmp_path):
    def only_the_length(frame):
        assert list(frame.columns) == ["length", "place"] and str(frame["place"].dtype) == "category"
        return frame[["length"]]

    pipeline = make_pipeline(FunctionTransformer(only_the_length), RandomForestClassifier(20))
    approaches = {"mine": pipeline, "linear": "default", "boosted": "lightgbm"}
    comparison = tabbench.compare(flowers(), "kind", approaches=approaches, out=tmp_path / "run", **QUICK, **HERE)
    assert comparison.failures.empty
    assert set(comparison.scores["approach"]) == {"dummy", "linear", "boosted", "mine"}
    with pytest.raises(BadOption, match="mine is an estimator of your own and can't be exported"):
        comparison.save_winner(tmp_path / "model", approach="mine")
    again = tabbench.reopen(tmp_path / "run")
    assert again.sentence == comparison.sentence


def test_own_estimators_are_seeded(tmp_path):
    runs = [tabbench.compare(flowers(), "kind", approaches={"forest of mine": RandomForestClassifier(10)}, **where, **QUICK)
            for where in (HERE, {"jobs": 2})]
    pd.testing.assert_frame_equal(runs[0].scores, runs[1].scores)


def test_an_own_estimator_that_does_not_fit_the_task_is_a_failed_row_not_a_crash():
    comparison = tabbench.compare(flowers(), "kind", approaches={"wrong": LinearRegression()}, **QUICK, **HERE)
    assert set(comparison.failures["approach"]) == {"wrong"}
    assert comparison.scores.query("approach == 'wrong' and metric == 'log_loss'")["failed"].min() > 0


def test_own_splits_are_followed_by_row_of_the_data_as_given(tmp_path):
    table = flowers()
    table.loc[[0, 7], "kind"] = None  # rows without a target are left out, and positions must still mean the given rows
    half = np.arange(200) < 100
    splits = [(np.flatnonzero(half), np.flatnonzero(~half)), (np.flatnonzero(~half), np.flatnonzero(half))]
    comparison = tabbench.compare(table, "kind", approaches=["linear"], splits=splits, preset="fast", sizes="full", quiet=True,
                                  **HERE)
    assert comparison.protocol["split_kind"] == "given"
    assert comparison.protocol["sizes"] == [98]


@pytest.mark.parametrize("values, error, words", [
    ({"approaches": {"mine": "bosting"}}, UnknownName, "did you mean 'boosting'"),
    ({"approaches": {"mine": 3}}, BadOption, "int"),
    ({"approaches": "bosting"}, UnknownName, "did you mean 'boosting'"),
    ({"preset": "slow"}, BadOption, "preset has no value 'slow'"),
    ({"splits": [(range(100), range(50, 150))]}, BadOption, "is in train and in test"),
    ({"splits": [(range(100), range(150, 250))]}, BadOption, "splits name row 249, but the data have rows 0 to 199"),
    ({"splits": [(np.arange(200) < 100, np.arange(200) >= 100)]}, BadOption, "numpy.flatnonzero"),
])
def test_mistakes_are_sentences(values, error, words):
    with pytest.raises(error, match=words):
        tabbench.compare(flowers(), "kind", **(QUICK | {"sizes": "auto"} | values))


def test_a_temporary_run_goes_with_its_comparison():
    comparison = tabbench.compare(flowers(), "kind", approaches=["linear"], **QUICK, **HERE)
    folder = comparison.folder
    assert folder.exists()
    del comparison
    assert not folder.exists()


@pytest.mark.slow
def test_a_script_needs_no_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent("""
        import numpy as np, pandas as pd, tabbench
        from sklearn.base import BaseEstimator, ClassifierMixin

        class Mine(ClassifierMixin, BaseEstimator):
            def fit(self, X, y):
                self.classes_, counts = np.unique(y, return_counts=True)
                self.shares_ = counts / counts.sum()
                return self
            def predict(self, X):
                return np.repeat(self.classes_[0], len(X))
            def predict_proba(self, X):
                return np.tile(self.shares_, (len(X), 1))

        rng = np.random.default_rng(0)
        table = pd.DataFrame({"x": rng.normal(size=100), "y": rng.choice(["a", "b"], 100)})
        options = {"preset": "fast", "folds": 2, "repeats": 1, "sizes": "full", "quiet": True}
        comparison = tabbench.compare(table, approaches={"mine": Mine()}, **options)
        print(len(comparison.failures), comparison.sentence)
    """))
    # A file that is called like a library must not come between a child and that library.
    (tmp_path / "queue.py").write_text("raise ImportError('not the queue')")
    command = [sys.executable, "-P", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0 ") and done.stderr == ""
    assert not (tmp_path / "child").exists()


def test_polars_frames_are_tables_too():
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(flowers().astype({"place": str}).to_dict("list"))
    comparison = tabbench.compare(table, "kind", approaches=["linear"], **QUICK, **HERE)
    assert comparison.table["rows"] == 200


def test_own_approaches_are_compared_over_sizes(tmp_path):
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(300, 3)), columns=list("abc"))
    frame["y"] = frame["a"] + random.normal(size=300)
    mine = {"line": LinearRegression(), "stump": DecisionTreeRegressor(max_depth=1)}
    comparison = tabbench.compare(frame, "y", approaches=mine, sizes=(60, "full"), folds=3, repeats=1, preset="fast", quiet=True,
                                  **HERE)
    assert set(comparison.crossovers["first"]) | set(comparison.crossovers["second"]) == {"line", "stump"}
    assert comparison.protocol["suspect"] is False


class Locked(LogisticRegression):
    """Holds what cannot travel to another process."""

    def __init__(self, C=1.0):
        super().__init__(C=C)
        self.lock_ = threading.Lock()


def test_an_estimator_that_cannot_be_pickled_is_a_sentence():
    with pytest.raises(BadOption, match=r"'mine' cannot be sent to a worker: cannot pickle .*lock.*, or make them in fit"):
        tabbench.compare(flowers(), "kind", approaches={"mine": Locked()}, **QUICK)
