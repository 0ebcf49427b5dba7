"""What every public estimator owes to its user: scikit-learn's whole contract, and tables as they are.

An estimator is found here by its public name alone: whoever adds one gets these tests.
"""

from __future__ import annotations

import os
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_array, issparse
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.utils.estimator_checks import parametrize_with_checks

import tabbench

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds")
ESTIMATORS = [each for each in (getattr(tabbench, name) for name in tabbench.__all__)
              if isinstance(each, type) and issubclass(each, BaseEstimator)]

LITTLE = {"effort": 0.01}
FEW_EPOCHS = LITTLE | {"max_epochs": 20}
ONE_APPROACH = {"approaches": "linear", "folds": 2, "effort": 0.01}
CHEAP = {tabbench.BestApproachClassifier: ONE_APPROACH, tabbench.BestApproachRegressor: ONE_APPROACH,
         tabbench.BoostedEnsembleClassifier: LITTLE, tabbench.BoostedEnsembleRegressor: LITTLE,
         tabbench.ApproachClassifier: LITTLE, tabbench.ApproachRegressor: LITTLE,
         tabbench.ForestSelector: LITTLE | {"n_features": 0.5},
         tabbench.GuardedMLPClassifier: FEW_EPOCHS, tabbench.GuardedMLPRegressor: FEW_EPOCHS,
         tabbench.ElasticNetGridRegressor: {"cv": 2}, tabbench.LogisticGridClassifier: {"Cs": (0.01, 1.0, 100.0), "cv": 2}}
"""What makes an estimator affordable here: the same path with less work. By default each of some twenty fits of 100 to 300 rows
compares whole families, or takes a second."""
EVERYTHING = "TABBENCH_CHECK_DEFAULTS"
"""The environment variable that has the checks run with the default parameters of these as well."""

EQUIVALENCE = dict.fromkeys(
    ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"),
    "as for scikit-learn's own boosting, a row of weight two is not two rows: inner folds and bins are drawn over rows")


def affordable(kind: type) -> BaseEstimator:
    return kind(**CHEAP.get(kind, {}))


def expected_failures(estimator: BaseEstimator) -> dict[str, str]:
    is_boosted = isinstance(estimator, tabbench.BoostedEnsembleClassifier | tabbench.BoostedEnsembleRegressor |
                            tabbench.ApproachClassifier | tabbench.ApproachRegressor)
    return EQUIVALENCE if is_boosted else {}


@parametrize_with_checks([affordable(kind) for kind in ESTIMATORS], expected_failed_checks=expected_failures)
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


if EVERYTHING in os.environ:  # six hundred tests that were skipped took seconds as well

    @parametrize_with_checks([kind() for kind in CHEAP], expected_failed_checks=expected_failures)
    def test_keeps_the_contract_with_costly_defaults(estimator, check):
        check(estimator)


every_estimator = pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.__name__)


def table(rows: int = 80) -> pd.DataFrame:
    """Every kind of column, each with missing values."""
    rng = np.random.default_rng(0)
    values = pd.DataFrame({
        "number": rng.normal(size=rows), "whole": pd.array(rng.integers(0, 9, rows), dtype="Int64"),
        "category": pd.Categorical(rng.choice(["a", "b", "c"], rows)), "grade": pd.Categorical(rng.choice([1, 2, 3], rows)),
        "label": rng.choice(["x", "y"], rows), "truth": pd.array(rng.random(rows) < 0.5, dtype="boolean"),
        "yes": rng.choice(["yes", "no"], rows), "day": pd.date_range("2024-01-01", periods=rows).to_numpy(copy=True),
        "text": [f"row {row} of group {row % 7}" for row in range(rows)]})
    for position, name in enumerate(values):
        values.loc[values.index % 11 == position, name] = None
    return values.assign(empty=None, constant=1.0)


def target(kind: type, X: pd.DataFrame) -> np.ndarray:
    score = X["number"].fillna(0).to_numpy() + (X["label"] == "x").to_numpy()
    return score if is_regressor(kind()) else np.where(score > 0.5, "high", "low")


def output(model: BaseEstimator, X: object) -> pd.DataFrame:
    method = next(name for name in ("predict_proba", "predict", "transform") if hasattr(model, name))
    return pd.DataFrame(getattr(model, method)(X))


@every_estimator
def test_takes_every_kind_of_column(kind):
    X = table()
    y = target(kind, X)
    model = affordable(kind).fit(X, y)
    assert list(model.feature_names_in_) == list(X.columns)
    unseen = X.head(5).assign(category="never seen", label=None, number=1e39)
    for new in (X, unseen):
        assert len(output(model, new)) == len(new)
    if is_classifier(model):
        assert set(model.predict(X)) <= {"high", "low"}
    if hasattr(model, "score"):
        assert model.score(X, y) > 0.5


@every_estimator
def test_takes_finite_numbers_of_any_size(kind):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 3))
    y = X[:, 0] if is_regressor(kind()) else X[:, 0] > 0
    X[0], X[1, 1], X[2, 2] = 1e39, -1e300, np.nan
    assert not np.isinf(output(affordable(kind).fit(X, y), X).to_numpy(dtype=float)).any()


@every_estimator
def test_names_column_and_row_of_an_infinite_number(kind):
    X = table()
    y = target(kind, X)
    X.loc[13, "number"] = -np.inf
    with pytest.raises(ValueError, match=r"infinity in column 'number', row 13"):
        affordable(kind).fit(X, y)


@every_estimator
def test_is_the_same_with_the_same_random_state_and_after_pickling(kind):
    X = table()
    y = target(kind, X)
    model = affordable(kind)
    if "random_state" in model.get_params():
        model.set_params(random_state=3)
    first, second = clone(model).fit(X, y), clone(model).fit(X, y)
    pd.testing.assert_frame_equal(output(first, X), output(second, X), check_exact=True)
    pd.testing.assert_frame_equal(output(pickle.loads(pickle.dumps(first)), X), output(first, X), check_exact=True)


@every_estimator
def test_what_is_not_fitted_keeps_its_parameters(kind):
    model = affordable(kind)
    assert clone(model).get_params() == model.get_params()
    assert kind.__doc__ and "Parameters" in kind.__doc__


@every_estimator
def test_takes_sparse_rows_as_the_same_dense_ones(kind):
    X = np.random.default_rng(0).poisson(0.4, size=(80, 3)).astype(float)
    y = X[:, 0] + 0.1 * X[:, 1] if is_regressor(kind()) else X[:, 0] > 0
    model = affordable(kind)
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    given, plain = clone(model).fit(csr_array(X), y), clone(model).fit(X, y)
    if hasattr(given, "get_support"):
        assert issparse(given.transform(csr_array(X)))
        np.testing.assert_array_equal(given.get_support(), plain.get_support())
    else:
        np.testing.assert_array_equal(output(given, csr_array(X)), output(plain, X))


@every_estimator
def test_a_pickle_of_another_version_says_which_wrote_it(kind, monkeypatch):
    X = table()
    written = pickle.dumps(affordable(kind).fit(X, target(kind, X)))
    monkeypatch.setattr(tabbench, "__version__", "99.1")
    with pytest.warns(UserWarning, match=rf"this {kind.__name__} was written by tabbench 0.* and is read by 99.1; fit it again"):
        pickle.loads(written)


@pytest.mark.parametrize("kind", [each for each in ESTIMATORS if is_classifier(each())], ids=lambda kind: kind.__name__)
def test_classifiers_weigh_classes_as_rows(kind):
    X = np.random.default_rng(0).normal(size=(120, 2))
    y = np.where(X[:, 0] + np.random.default_rng(1).normal(size=120) > 0, "yes", "no")
    model = affordable(kind).set_params(random_state=0)
    plain = model.fit(X, y).predict_proba(X)[:, 1].mean()
    heavier = clone(model).set_params(class_weight={"yes": 6.0, "no": 1.0}).fit(X, y)
    assert heavier.predict_proba(X)[:, 1].mean() > plain + 0.1
    assert np.isfinite(clone(model).set_params(class_weight="balanced").fit(X, y).predict_log_proba(X)).all()
    with pytest.raises(ValueError, match="class_weight"):
        clone(model).set_params(class_weight={"maybe": 2.0}).fit(X, y)


@every_estimator
@pytest.mark.parametrize("made", [pa.table, pl.DataFrame])
def test_takes_frames_of_other_libraries_as_those_of_pandas(kind, made):
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(size=60), "b": rng.choice(["x", "y"], 60)}
    y = columns["a"] if is_regressor(kind()) else columns["a"] > 0
    model = affordable(kind)
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    method = next(name for name in ("predict", "transform") if hasattr(model, name))
    given, plain = clone(model).fit(made(columns), y), clone(model).fit(pd.DataFrame(columns), y)
    assert given.feature_names_in_.tolist() == ["a", "b"]
    assert pd.DataFrame(np.asarray(getattr(given, method)(made(columns)))).equals(
        pd.DataFrame(np.asarray(getattr(plain, method)(pd.DataFrame(columns)))))
