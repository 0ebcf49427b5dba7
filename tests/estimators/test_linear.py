"""The grid-searched linear estimators against scikit-learn's own grid search, on the same folds and grid."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from tabbench.core.errors import BadData, BadOption
from tabbench.estimators.linear import ElasticNetGridRegressor, LogisticGridClassifier

STRENGTHS = (0.1, 1.0, 3.0)


def breast_cancer(rows=200):
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X[:rows][:, [1, 4, 8, 9, 11, 14]]), y[:rows]


def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.mark.parametrize("read", [breast_cancer, iris])
@pytest.mark.parametrize("weights", [None, "balanced"])
def test_finds_the_best_log_loss_of_a_grid_search(read, weights):
    X, y = read()
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    learner = LogisticRegression(solver="saga", tol=1e-7, max_iter=20_000, random_state=0, class_weight=weights)
    oracle = GridSearchCV(learner, {"C": STRENGTHS, "l1_ratio": [0.0, 0.5, 1.0]}, cv=folds, scoring="neg_log_loss").fit(X, y)
    own = LogisticGridClassifier(STRENGTHS, class_weights=(weights,), cv=folds, scale=False).fit(X, y)
    np.testing.assert_allclose(own.best_score_, -oracle.best_score_, atol=1e-4)
    assert (own.C_, own.l1_ratio_) == (oracle.best_params_["C"], oracle.best_params_["l1_ratio"])
    np.testing.assert_allclose(own.predict_proba(X), oracle.predict_proba(X), atol=1e-3)
    ours = {(point["C"], point["l1_ratio"]): mean
            for point, mean in zip(own.cv_results_["params"], own.cv_results_["mean_test_score"], strict=True)}
    theirs = {(point["C"], point["l1_ratio"]): -mean
              for point, mean in zip(oracle.cv_results_["params"], oracle.cv_results_["mean_test_score"], strict=True)}
    assert ours == pytest.approx(theirs, abs=1e-3)


def test_finds_the_best_error_of_a_grid_search():
    X, y = breast_cancer()
    y = X[:, 0] * 2 - X[:, 3] + 0.3 * y
    grid = {"alpha": [0.001, 0.01, 0.1], "l1_ratio": [0.1, 0.5, 1.0]}
    learner = ElasticNet(tol=1e-8, max_iter=50_000)
    oracle = GridSearchCV(learner, grid, cv=KFold(4), scoring="neg_root_mean_squared_error").fit(X, y)
    own = ElasticNetGridRegressor(grid["alpha"], l1_ratios=grid["l1_ratio"], cv=KFold(4), scale=False).fit(X, y)
    np.testing.assert_allclose(own.best_score_, -oracle.best_score_, atol=1e-6)
    assert own.best_params_ == oracle.best_params_
    np.testing.assert_allclose(own.coef_, oracle.best_estimator_.coef_, atol=1e-5)


def test_results_are_a_table_of_all_points():
    X, y = iris()
    model = LogisticGridClassifier((0.1, 1.0), l1_ratios=(0.2, 0.8), class_weights=(None, "balanced"), cv=3).fit(X, y)
    results = pd.DataFrame(model.cv_results_)
    assert len(results) == 2 * 4 * 2
    assert results["rank_test_score"].iloc[model.best_index_] == 1
    assert results["param_class_weight"].isna().sum() == 8
    np.testing.assert_allclose(results[[f"split{fold}_test_score" for fold in range(3)]].mean(axis=1), results["mean_test_score"])
    assert (model.C_, model.penalty_, model.l1_ratio_, model.class_weight_) == tuple(model.best_params_.values())


def test_other_scores_decide_where_they_are_asked_for():
    X, y = breast_cancer()
    by_area = LogisticGridClassifier(scoring="auc").fit(X, y)
    assert by_area.best_score_ == by_area.cv_results_["mean_test_score"].max() > 0.9


def test_one_against_the_rest_gives_other_probabilities_that_sum_to_one():
    X, y = iris()
    together, each = (LogisticGridClassifier(multi_class=kind, cv=3).fit(X, y).predict_proba(X)
                      for kind in ("multinomial", "ovr"))
    np.testing.assert_allclose(each.sum(axis=1), 1)
    assert np.abs(together - each).max() > 0.01


@pytest.mark.parametrize("scale", [True, False])
def test_reads_a_frame_with_every_kind_of_column(scale):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"number": rng.normal(size=90), "colour": pd.Categorical(rng.choice(["red", "blue"], 90)),
                      "word": rng.choice(["a", "b", "c"], 90), "is_new": rng.random(90) < 0.5})
    y = np.where(X["number"] + (X["colour"] == "red") > 0.5, "yes", "no")
    X.loc[::9, ["number", "colour"]] = None
    model = LogisticGridClassifier(scale=scale).fit(X, y)
    assert model.score(X, y) > 0.85
    assert len(model.column_names_) == model.column_coef_.shape[1]
    assert "colour=red" in model.column_names_


def test_weights_count_with_and_without_scaling():
    X, y = breast_cancer(rows=80)
    weight = np.random.default_rng(0).integers(0, 3, 80)
    twice = np.repeat(np.arange(80), weight)
    fold = np.arange(80) % 2
    for scale in (True, False):
        models = [LogisticGridClassifier(STRENGTHS, scale=scale, cv=[np.nonzero(part != each) + np.nonzero(part == each)
                                                                  for each in (0, 1)])
                  for part in (fold, fold[twice])]
        weighted, repeated = models[0].fit(X, y, sample_weight=weight), models[1].fit(X[twice], y[twice])
        np.testing.assert_allclose(weighted.best_score_, repeated.best_score_, rtol=1e-6)
        np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-5)


def test_one_weight_for_all_rows_is_none():
    X, y = breast_cancer(rows=60)
    model = LogisticGridClassifier(STRENGTHS, cv=2)
    expected = model.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.fit(X, y, sample_weight=1.0).predict_proba(X), expected)


def test_a_rare_class_warns_of_nothing():
    X, y = iris()
    y = np.where(np.arange(150) == 149, "rare", y.astype(str))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LogisticGridClassifier().fit(X, y)
    assert "rare" in model.classes_


@pytest.mark.parametrize(("wrong", "message"), [
    ({"Cs": ()}, "Cs must hold numbers greater than 0"), ({"Cs": (0.0, 1.0)}, "Cs must hold numbers greater than 0"),
    ({"penalties": ("l3",)}, "penalties"), ({"penalties": ()}, "penalties must be a sequence of some of"),
    ({"l1_ratios": (2.0,)}, "l1_ratios must hold numbers between 0 and 1"), ({"class_weights": ("even",)}, "class_weights"),
    ({"multi_class": "both"}, "multi_class"), ({"scoring": "rmse"}, "scoring"),
    ({"penalties": "l2"}, "penalties must be a sequence"), ({"penalties": None}, "penalties must be a sequence"),
    ({"class_weights": None}, "class_weights must be a sequence"), ({"class_weights": ({"a": 1},)}, "class_weight must be"),
    ({"max_iter": 0}, "max_iter must be a whole number of at least 1"), ({"max_iter": None}, "max_iter must be a number"),
    ({"tol": 0.0}, "tol must be a number greater than 0"), ({"tol": None}, "tol must be a number"),
    ({"Cs": "many"}, "Cs must hold numbers"), ({"Cs": None}, "Cs must hold numbers")])
def test_what_cannot_be_meant_is_said(wrong, message):
    with pytest.raises(BadOption, match=message):
        LogisticGridClassifier(**wrong).fit(*iris())


@pytest.mark.parametrize("offset", [0.0, 1e2, 1e5])
@pytest.mark.parametrize("strength", [1e-3, 1.0, 1e3])
def test_unscaled_numbers_may_lie_far_from_zero(offset, strength):
    X, y = breast_cancer()
    model = LogisticGridClassifier((strength,), penalties=("l2",), scale=False, cv=2).fit(X + offset, y)
    oracle = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-10, max_iter=500).fit(X, y)
    np.testing.assert_allclose(model.coef_, oracle.coef_, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(model.intercept_ + model.coef_ @ np.full(6, offset), oracle.intercept_, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(model.predict_proba(X + offset), oracle.predict_proba(X), atol=1e-6)


def test_an_unscaled_elastic_net_far_from_zero():
    X, y = breast_cancer()
    model = ElasticNetGridRegressor((0.01,), l1_ratios=(0.5,), scale=False, cv=2).fit(X + 1e6, y)
    oracle = ElasticNet(alpha=0.01, l1_ratio=0.5, tol=1e-10, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(model.coef_, oracle.coef_, atol=1e-6)
    np.testing.assert_allclose((X + 1e6) @ model.coef_ + model.intercept_, oracle.predict(X), atol=1e-4)


def test_warns_of_a_model_that_has_not_converged():
    with pytest.warns(ConvergenceWarning, match="had not converged after 1 steps; raise max_iter"):
        LogisticGridClassifier((10.0,), max_iter=1).fit(*breast_cancer())


@pytest.mark.parametrize(("parameters", "is_weighted"), [({}, False), ({}, True), ({"scale": False}, False)])
def test_a_sparse_matrix_stays_sparse_and_gives_the_same(parameters, is_weighted, monkeypatch):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"level": rng.choice([f"v{each}" for each in range(60)], 600), "x": rng.normal(5, 1, 600),
                      "flag": rng.random(600) < 0.5})
    y, weight = X["x"] > 5, rng.uniform(0.5, 1.5, 600) if is_weighted else None
    model = LogisticGridClassifier((1.0,), penalties=("l2",), cv=2, random_state=0, **parameters)
    expected = model.fit(X, y, sample_weight=weight).predict_proba(X)
    monkeypatch.setattr("tabbench.views.linear.MOST_DENSE_CELLS", 1000)
    model.fit(X, y, sample_weight=weight)
    assert issparse(model._values(X))
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)


def test_a_target_without_finite_squares_is_refused():
    X = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(BadData, match=r"y holds numbers up to \de\+2\d\d, whose squares no float can hold"):
        ElasticNetGridRegressor().fit(X, X[:, 0] * 1e200)
    assert ElasticNetGridRegressor().fit(X, X[:, 0] * 1e149).score(X[:, :2], X[:, 0] * 1e149) > 0.9


def logits(model, X):
    probabilities = model.predict_proba(X)
    return np.log(probabilities[:, 1] / probabilities[:, 0])


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("weight", [None, np.tile([1.0, 3.0], 60)])
def test_coefficients_are_those_of_the_given_columns_in_their_units(scale, weight):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(120, 3)) * [1000, 1, 0.01] + 5, columns=list("abc")).assign(flag=rng.random(120) < 0.5)
    y = X["a"] / 1000 + X["flag"] + rng.normal(size=120) > 0.5
    model = LogisticGridClassifier((1.0,), penalties=("l2",), cv=3, scale=scale).fit(X, y, sample_weight=weight)
    values = X.to_numpy(dtype=np.float64)
    np.testing.assert_allclose(values @ model.coef_[0] + model.intercept_[0], logits(model, X), atol=1e-9)
    numbers = ElasticNetGridRegressor((0.01,), l1_ratios=(0.5,), cv=3, scale=scale).fit(X, X["c"] * 7, sample_weight=weight)
    np.testing.assert_allclose(values @ numbers.coef_ + numbers.intercept_, numbers.predict(X), atol=1e-9)


@pytest.mark.parametrize("spoil", [
    lambda X: X.assign(word="same"), lambda X: X.mask(X > 2.0), lambda X: np.exp(3 * X),
    lambda X: X.assign(b=np.where(X["b"] > 0, "yes", "no")),
])
def test_where_the_model_is_not_linear_in_the_columns_it_has_no_coefficients_of_them(spoil):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 3)), columns=list("abc"))
    y = X["a"] > 0
    model = LogisticGridClassifier((1.0,), penalties=("l2",), cv=3).fit(X, y)
    assert hasattr(model, "coef_")
    model.fit(spoil(X), y)
    assert not hasattr(model, "coef_") and not hasattr(model, "intercept_")
    assert model.column_coef_.shape == (1, len(model.column_names_))


def test_selectors_find_the_columns_by_their_importance():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"only": ["same"] * 200, "noise": rng.normal(size=200), "colour": rng.choice(["red", "blue"], 200),
                      "signal": np.exp(2 * rng.normal(size=200))})
    y = (X["signal"] > 1) ^ (rng.random(200) < 0.1)
    chosen = SelectFromModel(LogisticGridClassifier((1.0,), penalties=("l2",), cv=3), max_features=1, threshold=-np.inf).fit(X, y)
    assert X.columns[chosen.get_support()].tolist() == ["signal"]


def test_folds_that_are_numbered_keep_groups_whole():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 5)
    X = rng.normal(size=(12, 4))[groups] + 0.01 * rng.normal(size=(60, 4))  # rows of a group resemble each other
    y = rng.normal(size=12)[groups]
    alone = ElasticNetGridRegressor(alphas=(0.001,), l1_ratios=(0.0,), cv=4)
    leaky = alone.fit(X, y).best_score_
    by_group = alone.fit(X, y, groups=groups).best_score_
    assert by_group > 1.2 * leaky
    given = ElasticNetGridRegressor(alphas=(0.001,), l1_ratios=(0.0,), cv=GroupKFold(4)).fit(X, y, groups=groups)
    assert by_group == given.best_score_
    with pytest.raises(BadOption, match="groups holds one group only"):
        alone.fit(X, y, groups=np.zeros(60))
