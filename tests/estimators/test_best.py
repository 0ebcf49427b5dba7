"""The comparison as an estimator: what is chosen, what hangs on it, and what tiny tables get."""

from __future__ import annotations

import gc
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info

from tabbench import BestApproachClassifier, BestApproachRegressor
from tabbench.core.approach import APPROACHES
from tabbench.core.errors import BadData, BadOption, MissingExtra, TabbenchError, UnknownName
from tabbench.execution.local import LocalExecutor

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds")


@pytest.fixture(scope="module")
def rings() -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(0).normal(size=(240, 3))
    return X, np.where((X[:, :2] ** 2).sum(axis=1) > 1.4, "out", "in")


@pytest.fixture(scope="module")
def on_rings(rings) -> BestApproachClassifier:
    return BestApproachClassifier("fast", approaches="linear,lightgbm", folds=3, random_state=0).fit(*rings)


def test_the_approach_of_lowest_loss_predicts(on_rings, rings):
    scores = on_rings.comparison_.scores.query("metric == 'log_loss'").set_index("approach")["mean"]
    assert on_rings.best_approach_ == scores.idxmin() == "lightgbm"
    assert set(scores.index) == {"dummy", "linear", "lightgbm"}
    assert on_rings.score(*rings) > 0.85


def test_a_line_is_left_to_the_linear_model(rings):
    X = rings[0]
    model = BestApproachRegressor("fast", approaches="linear,lightgbm", folds=3, random_state=0).fit(X, X @ [1.0, -2.0, 0.5])
    assert model.best_approach_ == "linear"
    assert model.score(X, X @ [1.0, -2.0, 0.5]) > 0.999


def test_the_comparison_reports_and_saves_as_long_as_it_lives(rings, tmp_path):
    model = BestApproachClassifier("fast", approaches="linear", folds=2, random_state=0).fit(*rings)
    assert model.comparison_.report(tmp_path / "report.md").read_text()
    assert model.comparison_.save_winner(tmp_path / "winner").is_dir()
    folder = model.comparison_.folder
    del model
    gc.collect()
    assert not folder.exists()


def test_children_give_the_same_numbers(rings, monkeypatch):
    started = []
    monkeypatch.setattr(LocalExecutor, "__enter__", _noting(started, LocalExecutor.__enter__))
    here = BestApproachClassifier("fast", approaches="linear", folds=2, random_state=0).fit(*rings)
    assert not started
    there = BestApproachClassifier("fast", approaches="linear", folds=2, random_state=0, n_jobs=2).fit(*rings)
    assert started
    pd.testing.assert_frame_equal(there.comparison_.scores, here.comparison_.scores)
    np.testing.assert_array_equal(there.predict_proba(rings[0]), here.predict_proba(rings[0]))


def _noting(started, enter):
    def noted(executor):
        started.append(executor)
        return enter(executor)
    return noted


def test_weights_and_groups_reach_the_comparison(rings):
    X, y = rings
    group = np.repeat(np.arange(40), 6)
    model = BestApproachClassifier("fast", approaches="linear", folds=2, random_state=0)
    plain = model.fit(X, y).comparison_
    grouped = model.fit(X, y, groups=group).comparison_
    weighted = model.fit(X, y, sample_weight=np.where(y == "in", 5.0, 1.0)).comparison_
    losses = [each.scores.query("approach == 'linear' and metric == 'log_loss'")["mean"].iloc[0]
              for each in (plain, grouped, weighted)]
    assert len(set(losses)) == 3
    assert model.predict_proba(X)[:, 0].mean() > 0.6


def test_own_estimators_may_compete(rings):
    model = BestApproachClassifier(approaches={"mine": LogisticRegression(), "dull": "dummy"}, folds=2, random_state=0)
    model.fit(rings[0], rings[0][:, 0] > 0)
    assert model.best_approach_ == "mine"
    assert model.classes_.dtype == bool
    assert model.score(rings[0], rings[0][:, 0] > 0) > 0.95


class Failing(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise RuntimeError("it never works")

    def predict(self, X):
        return X


def test_an_own_estimator_that_fails_is_among_the_failures_and_prints_nothing(rings, capfd):
    model = BestApproachClassifier("fast", approaches={"bad": Failing(), "linear": "default"}, folds=2).fit(*rings)
    assert model.comparison_.failures["reason"].unique().tolist() == ["RuntimeError: it never works"]
    assert capfd.readouterr().err == ""


def test_nobody_gets_a_constant_that_was_not_asked_for(rings):
    bad = Failing()
    with pytest.raises(TabbenchError, match=r"no approach could be judged \(RuntimeError: it never works\)"):
        BestApproachClassifier("fast", approaches={"bad": bad}, folds=2).fit(*rings)
    asked = BestApproachClassifier("fast", approaches={"bad": bad, "dummy": "default"}, folds=2).fit(*rings)
    assert asked.best_approach_ == "dummy"


def test_under_100_rows_the_cheapest_that_loads_is_taken(rings, monkeypatch):
    X, y = rings[0][:80], rings[1][:80]
    monkeypatch.setitem(APPROACHES._things, "linear", replace(APPROACHES.get("linear"), requires=("sklearn_that_is_not_there",)))
    assert BestApproachClassifier("fast", approaches="linear,lightgbm").fit(X, y).best_approach_ == "lightgbm"
    assert BestApproachClassifier("fast", approaches="linear,dummy").fit(X, y).best_approach_ == "dummy"
    with pytest.raises(MissingExtra, match="linear needs the package sklearn_that_is_not_there"):
        BestApproachClassifier("fast", approaches="linear").fit(X, y)


def test_the_metric_decides(rings):
    X = rings[0]
    target = np.abs(X[:, 0]) ** 3
    model = BestApproachRegressor("fast", approaches="linear", metric="mae", folds=2, random_state=0).fit(X, target)
    assert model.comparison_.protocol["metric"] == "mae"
    with pytest.raises(BadOption, match="auc does not apply"):
        BestApproachRegressor(metric="auc", approaches="linear").fit(X, target)


def test_a_class_of_one_row_is_kept(rings):
    X, y = rings
    labels = np.where(np.arange(len(y)) == 0, "rare", y)
    model = BestApproachClassifier("fast", approaches="linear", folds=2, random_state=0).fit(X, labels)
    assert model.classes_.tolist() == ["in", "out", "rare"]
    assert model.predict_proba(X).shape == (240, 3)


@pytest.mark.parametrize("copies", [1, 3])
def test_a_class_that_no_fold_can_share_is_named_with_a_cure_that_works(rings, copies):
    X = rings[0].copy()
    X[:copies] = X[0]
    with pytest.raises(BadData, match=r"holds only the class 'many'; of the others there is one row, or .* give more different"):
        BestApproachClassifier("fast", approaches="linear").fit(X, np.where(np.arange(len(X)) < copies, "few", "many"))


def test_under_100_different_rows_nothing_is_compared(rings):
    X, y = rings
    small = BestApproachClassifier(random_state=0).fit(X[:99], y[:99])
    assert small.comparison_ is None
    assert small.best_approach_ == "linear"
    assert BestApproachClassifier(approaches="dummy,lightgbm").fit(X[:99], y[:99]).best_approach_ == "lightgbm"
    repeated = BestApproachClassifier(random_state=0).fit(np.tile(X[:50], (3, 1)), np.tile(y[:50], 3))
    assert repeated.comparison_ is None
    assert BestApproachClassifier("fast", approaches="linear", folds=2).fit(X[:100], y[:100]).comparison_ is not None


def test_few_rows_may_be_repeated_or_weighted():
    rng = np.random.default_rng(0)
    X, y, times = rng.normal(size=(20, 3)), rng.integers(0, 3, 20), rng.integers(1, 4, 20)
    order = rng.permutation(times.sum())
    weighted = BestApproachClassifier(random_state=0).fit(X, y, sample_weight=times)
    repeated = BestApproachClassifier(random_state=0).fit(X.repeat(times, axis=0)[order], y.repeat(times)[order])
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X))


def test_rows_that_are_all_alike_are_refused():
    with pytest.raises(ValueError, match="2 different rows; at least 4"):
        BestApproachClassifier().fit(np.zeros((50, 1)), [0, 1] * 25)


def test_mistakes_are_told_before_anything_is_fitted(rings):
    with pytest.raises(UnknownName, match="did you mean 'boosting'"):
        BestApproachClassifier(approaches="bosting").fit(*rings)
    with pytest.raises(BadOption, match=r"^preset has no value 'quick'"):
        BestApproachClassifier(preset="quick").fit(*rings)
    with pytest.raises(BadOption, match=r"^effort must be a number from 0.01 to 100, not 'much'"):
        BestApproachClassifier(effort="much").fit(*rings)
    with pytest.raises(BadOption, match="approaches must be names, or a dict of names and estimators, not 5"):
        BestApproachClassifier(approaches=5).fit(*rings)
    with pytest.raises(BadOption, match="folds"):
        BestApproachClassifier(folds=1).fit(*rings)


def test_fits_in_threads_leave_the_filters_of_warnings(rings):
    before = list(warnings.filters)
    with ThreadPoolExecutor(3) as pool:
        for fitted in [pool.submit(fit_baseline, rings) for _ in range(3)]:
            fitted.result()
    assert not any(each[2] is Warning and each not in before for each in warnings.filters)
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)


def test_the_checks_run_on_one_thread_whatever_the_cores(rings, monkeypatch):
    seen = []
    monkeypatch.setattr("tabbench.estimators.comparison.run_checks", lambda checked: seen.extend(threads_of_openmp()) or ())
    fit_baseline(rings)
    assert seen and set(seen) == {1}


def fit_baseline(rings):
    return BestApproachClassifier("fast", approaches="dummy", folds=2, random_state=0).fit(*rings)


def threads_of_openmp():
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"]
