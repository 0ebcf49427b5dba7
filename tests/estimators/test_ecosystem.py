"""The estimators under scikit-learn's own tools for estimators, and under other people's where these are installed."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from joblib import Parallel, delayed
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - the import is the switch
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, HalvingGridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tabbench import (
    ApproachClassifier,
    BestApproachClassifier,
    BoostedEnsembleClassifier,
    ElasticNetGridRegressor,
    ForestSelector,
    GuardedMLPClassifier,
    L1Selector,
    LogisticGridClassifier,
    TabularPCA,
    UnivariateSelector,
)

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(110, 3)), columns=list("abc")).assign(colour=RNG.choice(["red", "blue"], 110))
Y = np.where(X["a"] + (X["colour"] == "red") + RNG.normal(size=110) > 0.5, "yes", "no")


def quick():
    return LogisticGridClassifier((1.0,), penalties=("l2",), cv=2)


def forest():
    return ApproachClassifier(effort=0.01, random_state=0)


@pytest.mark.parametrize("meta", [
    lambda: StackingClassifier([("linear", quick()), ("forest", forest())], LogisticRegression(), cv=2),
    lambda: CalibratedClassifierCV(forest(), cv=2),
    lambda: GridSearchCV(forest(), {"approach": ["dummy", "forest"]}, cv=2),
    lambda: HalvingGridSearchCV(quick(), {"Cs": [(0.01,), (1.0,)]}, cv=2, min_resources=40, random_state=0),
    lambda: make_pipeline(UnivariateSelector(3), L1Selector(2), quick()),
    lambda: make_pipeline(TabularPCA(3), StandardScaler(), quick()),
])
def test_meta_estimators_take_them(meta):
    assert meta().fit(X, Y).score(X, Y) > 0.6


def test_several_scorers_judge_at_once_and_columns_are_permuted():
    found = cross_validate(quick(), X, Y == "yes", cv=2, scoring=["accuracy", "roc_auc", "neg_log_loss", "neg_brier_score"])
    assert all(np.isfinite(found[f"test_{name}"]).all() for name in ("accuracy", "roc_auc", "neg_log_loss", "neg_brier_score"))
    drop = permutation_importance(quick().fit(X, Y), X, Y, n_repeats=3, random_state=0)["importances_mean"]
    assert drop.shape == (4,) and X.columns[drop.argmax()] == "a"


def test_weights_and_groups_are_routed():
    weight, groups = RNG.integers(1, 4, 110), np.repeat(np.arange(22), 5)
    with sklearn.config_context(enable_metadata_routing=True):
        asked = quick().set_fit_request(sample_weight=True, groups=True).set_score_request(sample_weight=True)
        routed = cross_val_score(asked, X, Y, cv=GroupKFold(3), params={"sample_weight": weight, "groups": groups})
    assert len(routed) == 3 and np.isfinite(routed).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("transformer", [ForestSelector(2, effort=0.01), L1Selector(2), UnivariateSelector(2), TabularPCA(2)])
def test_output_is_of_the_library_that_is_configured(transformer, library):
    pytest.importorskip(library)
    with sklearn.config_context(transform_output=library):
        made = sklearn.clone(transformer).fit(X, Y).transform(X)
    assert type(made).__module__.startswith(library) and len(made.columns) == 2


@pytest.mark.parametrize("model", [
    quick(), forest(), BoostedEnsembleClassifier(effort=0.01, random_state=0),
    GuardedMLPClassifier(effort=0.01, max_epochs=2, random_state=0),
    BestApproachClassifier("fast", approaches="linear", random_state=0)], ids=lambda model: type(model).__name__)
def test_models_come_back_from_pickle_and_skops(model):
    fitted = sklearn.clone(model).fit(X, Y)
    expected = fitted.predict_proba(X)
    unpickled = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(unpickled.predict_proba(X), expected)
    if hasattr(fitted, "comparison_"):
        assert unpickled.comparison_.scores.equals(fitted.comparison_.scores)
    skops = pytest.importorskip("skops.io")
    written = skops.dumps(fitted)
    again = skops.loads(written, trusted=skops.get_untrusted_types(data=written))
    np.testing.assert_allclose(again.predict_proba(X), expected)


def test_a_fitted_model_predicts_in_threads():
    model = quick().fit(X, Y)
    parts = Parallel(n_jobs=2, backend="threading")(delayed(model.predict)(part) for part in (X[:40], X[40:]))
    assert np.concatenate(parts).tolist() == model.predict(X).tolist()


def test_shap_explains_a_linear_model_in_the_units_of_the_columns():
    shap = pytest.importorskip("shap")
    numbers = X[["a", "b", "c"]] * [1000.0, 1.0, 0.01]
    model = ElasticNetGridRegressor((0.01,), l1_ratios=(0.5,), cv=2).fit(numbers, X["a"] + X["b"])
    explainer = shap.LinearExplainer(model, numbers)
    total = explainer.shap_values(numbers).sum(axis=1) + explainer.expected_value
    np.testing.assert_allclose(total, model.predict(numbers), atol=1e-6)


def test_relations_of_duckdb_are_frames():
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.connect().from_df(X)
    assert quick().fit(relation, Y).predict(relation).tolist() == quick().fit(X, Y).predict(X).tolist()
    assert ForestSelector(2, effort=0.01, random_state=0).fit(relation, Y).transform(relation).num_columns == 2


def test_dask_ml_searches_over_them():
    searching = pytest.importorskip("dask_ml.model_selection")
    assert searching.GridSearchCV(quick(), {"Cs": [(0.1,), (1.0,)]}, cv=2, scheduler="threading").fit(X, Y).best_score_ > 0.5


def test_mlflow_keeps_them(tmp_path):
    mlflow = pytest.importorskip("mlflow.sklearn")
    mlflow.save_model(quick().fit(X, Y), tmp_path / "model")
    assert len(mlflow.load_model(tmp_path / "model").predict(X)) == 110


def test_skore_reports_on_them():
    skore = pytest.importorskip("skore")
    assert skore.EstimatorReport(quick(), X_train=X, y_train=Y, X_test=X, y_test=Y).metrics.accuracy() > 0.5
