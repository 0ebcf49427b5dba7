"""People's own estimators in a comparison: what they are given, how they are scored, and when they are fitted again."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import tabbench
from tabbench import BestApproachClassifier
from tabbench.comparison.resume import recall_prepared
from tabbench.store.database import Store

N = 100
pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds", "blank_page")
QUICK = {"preset": "fast", "sizes": "full", "folds": 2, "repeats": 1, "executor": "in-process"}


class Spy(ClassifierMixin, BaseEstimator):
    """Fails with what it was given."""

    def fit(self, X, y):
        columns = " ".join(f"{name}:{dtype}" for name, dtype in X.dtypes.items())
        raise ValueError(f"{columns} | {X.index[0][:4]} | {y.dtype} {sorted(set(y))}")

    def predict(self, X):
        return X


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"i": rng.integers(0, 50, N), "f": rng.normal(size=N).astype("float32"), "flag": rng.random(N) < 0.5,
         "word": rng.choice(["yes", "no"], N), "grade": pd.Categorical(rng.choice([3, 1, 2], N)), "same": 1,
         "name": [f"id{place:04d}" for place in range(N)]}, index=[f"row {place}" for place in range(N)])


GIVEN = "i:int64 f:float32 flag:bool word:str grade:category same:int64 name:str | row "


@pytest.mark.parametrize(("labels", "told"), [
    ([False, True], "bool [False, True]"), (["01", "02"], "str ['01', '02']"), ([3, 7], "int64 [3, 7]"),
    (pd.Categorical(["lo", "hi"]), "category ['hi', 'lo']"),
])
def test_frame_and_labels_are_those_that_were_given(frame, labels, told):
    y = pd.Series(labels).take(np.arange(N) % 2).set_axis(frame.index)
    comparison = tabbench.compare(frame.assign(y=y), "y", approaches={"spy": Spy()}, quiet=True, **QUICK)
    assert comparison.failures["reason"].iloc[0].removeprefix("ValueError: ") == f"{GIVEN}| {told}"
    with pytest.raises(tabbench.core.errors.TabbenchError) as error:
        BestApproachClassifier("fast", approaches={"spy": Spy()}, folds=2).fit(frame, y)
    assert f"{GIVEN}| {told}" in str(error.value)


def test_a_search_over_groups_gets_them_and_weights_reach_it(frame):
    table = frame[["f", "i"]].assign(g=np.arange(N) // 5, w=1.0 + np.arange(N) % 3, y=frame["f"] > 0)
    search = GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [1]},
                          cv=GroupKFold(2))
    own = {"search": search, "in a pipeline": make_pipeline(FunctionTransformer(), search)}
    plain = tabbench.compare(table, "y", group="g", weight="w", approaches=own, quiet=True, **QUICK)
    assert plain.failures.empty
    assert plain.tuned["tuned"].iloc[-1]["logisticregression__C"] == 1
    with sklearn.config_context(enable_metadata_routing=True):
        weighted = make_pipeline(StandardScaler().set_fit_request(sample_weight=False),
                                 LogisticRegression().set_fit_request(sample_weight=True))
        routed = GridSearchCV(weighted, {"logisticregression__C": [1]}, cv=GroupKFold(2))
        routed = tabbench.compare(table, "y", group="g", weight="w", approaches={"search": routed}, quiet=True, **QUICK)
    assert routed.failures.empty
    by_metric = [each.scores[each.scores["approach"] == "search"].set_index("metric")["mean"] for each in (plain, routed)]
    pd.testing.assert_series_equal(*by_metric)


def test_a_decision_function_ranks_and_calibration_gives_probabilities(frame):
    table = frame[["f", "i"]].assign(y=frame["f"] + np.random.default_rng(1).normal(size=N) > 0)
    X, y = table[["f", "i"]], table["y"]
    splits = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, y))
    expected = np.mean([roc_auc_score(y.iloc[test], RidgeClassifier().fit(X.iloc[train], y.iloc[train]).decision_function(
        X.iloc[test])) for train, test in splits])
    options = QUICK | {"folds": 3, "splits": splits, "metric": "auc", "quiet": True}
    ran = {calibrate: tabbench.compare(table, "y", approaches={"ridge": RidgeClassifier()}, calibrate=calibrate, **options)
           for calibrate in (False, True)}
    of_ridge = {calibrate: each.scores[each.scores["approach"] == "ridge"].set_index("metric")["mean"]
                for calibrate, each in ran.items()}
    assert of_ridge[False]["auc"] == pytest.approx(expected)
    assert of_ridge[True]["log_loss"] < 0.9 * of_ridge[False]["log_loss"]
    told = {calibrate: "no-probabilities" in set(each.findings["code"]) for calibrate, each in ran.items()}
    assert told == {False: True, True: False}


def fitted(table, transform, out, capsys):
    own = {"mine": make_pipeline(FunctionTransformer(transform), LogisticRegression())}
    comparison = tabbench.compare(table, "y", approaches=own, out=out, **QUICK)
    scores = comparison.scores.set_index(["approach", "metric"])["mean"]
    return bool(scores["mine", "auc"] > 0.9), "4 of 4 cells were done before" in capsys.readouterr().err


def test_changed_code_is_fitted_again_and_the_same_code_is_not(frame, tmp_path, capsys):
    table = frame[["f", "i"]].assign(y=frame["f"] > 0)
    wrong, right = (lambda X: X[["i"]] * 0), (lambda X: X[["f"]])
    assert fitted(table, wrong, tmp_path / "run", capsys) == (False, False)
    assert fitted(table, wrong, tmp_path / "run", capsys) == (False, True)
    assert fitted(table, right, tmp_path / "run", capsys) == (True, False)
    given = tmp_path / "run" / "given.arrow"
    given.write_bytes(given.read_bytes()[:99])
    assert fitted(table, right, tmp_path / "run", capsys) == (True, True)
    with Store.reading(tmp_path / "run") as store:
        assert "given.arrow" in store.recall("setup_digests") and recall_prepared(store).setup.given.load() is not None
