"""The boosted ensemble as estimators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectFromModel

from tabbench import BoostedEnsembleClassifier, BoostedEnsembleRegressor
from tabbench.core.errors import BadOption


@pytest.fixture(scope="module")
def rings() -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(0).normal(size=(300, 3))
    return X, np.where((X[:, :2] ** 2).sum(axis=1) > 1.4, "out", "in")


def test_learns_what_no_straight_line_separates(rings):
    X, y = rings
    model = BoostedEnsembleClassifier("fast", random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.85
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.members_
    assert {member["library"] for member in model.members_} <= {"xgboost", "lightgbm"}


def test_a_regressor_predicts_on_the_targets_own_scale(rings):
    X = rings[0]
    y = 1e6 + 1e3 * X[:, 0] ** 2
    model = BoostedEnsembleRegressor("fast", random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.5


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_one_library_alone(rings, library):
    model = BoostedEnsembleClassifier("fast", libraries=[library], random_state=0).fit(*rings)
    assert {member["library"] for member in model.members_} == {library}
    assert sum(member["weight"] for member in model.members_) == 1


def test_categories_are_used(rings):
    city = np.random.default_rng(1).choice(["a", "b", "c", "d"], size=300)
    X = pd.DataFrame({"city": pd.Categorical(city), "noise": rings[0][:, 0]})
    model = BoostedEnsembleClassifier("fast", random_state=0).fit(X, np.isin(city, ["a", "d"]))
    assert model.score(X, np.isin(city, ["a", "d"])) == 1.0


def test_an_effort_is_used_instead_of_the_preset(rings):
    fast, same, less = (BoostedEnsembleClassifier("fast", effort=effort, random_state=0).fit(*rings)
                        for effort in (None, 0.1, 0.01))
    np.testing.assert_array_equal(fast.predict_proba(rings[0]), same.predict_proba(rings[0]))
    assert (fast.predict_proba(rings[0]) != less.predict_proba(rings[0])).any()


def test_weights_are_used():
    rng = np.random.default_rng(2)
    X, y = np.zeros((100, 1)), rng.integers(0, 2, 100)
    heavy = BoostedEnsembleClassifier("fast", random_state=0).fit(X, y, sample_weight=np.where(y == 1, 9.0, 1.0))
    assert heavy.predict_proba([[0.0]])[0, 1] > 0.75


@pytest.mark.parametrize(("parameters", "message"), [
    ({"libraries": ("catbost",)}, "libraries must hold xgboost or lightgbm"), ({"libraries": ()}, "libraries must hold"),
    ({"libraries": None}, "libraries must hold"), ({"libraries": (["xgboost"],)}, "libraries must hold"),
    ({"preset": "quick"}, "preset has no value 'quick'"), ({"effort": 0}, "effort must be a number from 0.01 to 100, not 0"),
    ({"effort": "fast"}, "effort must be a number, of which fast is 0.1; or say preset='fast'$")])
def test_unknown_words_are_refused(rings, parameters, message):
    with pytest.raises(BadOption, match=message):
        BoostedEnsembleClassifier(**parameters).fit(*rings)


def test_importances_are_those_of_the_columns_as_given():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"town": rng.choice([f"town {number}" for number in range(30)], 300), "noise": rng.normal(size=300),
                      "signal": rng.normal(size=300), "other": rng.normal(size=300)})
    y = X["signal"] - X["other"] + 0.1 * rng.normal(size=300)
    model = BoostedEnsembleRegressor(effort=0.1, random_state=0).fit(X, y)
    assert model.feature_importances_.sum() == pytest.approx(1.0)
    assert set(X.columns[np.argsort(-model.feature_importances_)[:2]]) == {"signal", "other"}
    chosen = SelectFromModel(model, prefit=True, max_features=2, threshold=-np.inf)
    assert chosen.get_support().tolist() == [False, False, True, True]
