"""What a comparison holds beyond its verdict: predictions, what was tuned, a leaderboard, and predictions for new rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeClassifier

import tabbench
from tabbench.core.errors import BadOption

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds", "blank_page")
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(120, 2)), columns=["a", "b"])
TABLE["kind"] = np.where(TABLE["a"] + RNG.normal(size=120) > 0, "rose", "tulip")


@pytest.fixture(scope="module")
def comparison():
    return tabbench.compare(TABLE, "kind", approaches="linear,lightgbm", effort=0.02, sizes="30,full", folds=2, repeats=1,
                            quiet=True, executor="in-process")


def test_predictions_give_the_scores(comparison):
    predictions = comparison.predictions
    assert list(predictions.columns) == ["row", "approach", "size", "repeat", "fold", "truth", "prediction", "probability_rose",
                                         "probability_tulip"]
    of_linear = predictions.query("approach == 'linear' and size == 60")
    assert sorted(of_linear["row"]) == list(range(120))
    assert (TABLE["kind"].to_numpy()[of_linear["row"]] == of_linear["truth"]).all()
    losses = [log_loss(part["truth"] == "tulip", part["probability_tulip"]) for _, part in of_linear.groupby("fold")]
    expected = comparison.scores.query("approach == 'linear' and size == 60 and metric == 'log_loss'")["mean"].item()
    assert np.mean(losses) == pytest.approx(expected, rel=1e-5)


def test_what_was_tuned_is_there_for_every_fit_with_code_that_gives_it_again(comparison):
    of_lightgbm = comparison.tuned.query("approach == 'lightgbm'")
    assert of_lightgbm["size"].tolist() == [60, 60] and all(of_lightgbm["tuned"])
    call = of_lightgbm["code"].iloc[0].removesuffix(")") + ", quiet=True, executor='in-process')"
    again = eval(call, {"tabbench": tabbench, "data": TABLE})  # noqa: S307 - the code is the product's own
    assert again.tuned.query("approach == 'lightgbm'").reset_index(drop=True).equals(of_lightgbm.reset_index(drop=True))
    theirs, ours = (each.scores.query("approach == 'lightgbm' and size == 60") for each in (again, comparison))
    assert theirs["mean"].tolist() == ours["mean"].tolist()


def test_the_leaderboard_begins_with_the_recommended_approach(comparison):
    board = comparison.leaderboard()
    assert list(board.columns[:2]) == ["approach", "log_loss"] and board["log_loss"][1:].is_monotonic_increasing
    assert board["recommended"].tolist() == [True, False, False] and board.loc[board["recommended"], "in_top_set"].all()
    assert len(comparison.leaderboard(45)) == 3


def test_new_rows_are_predicted_by_the_named_approach(comparison):
    new = comparison.predict(TABLE.head(5), "linear")
    assert set(new["prediction"]) <= {"rose", "tulip"} and len(new) == 5


def test_the_best_estimator_is_fitted_on_the_rows_that_were_given(comparison):
    best, X = comparison.best_estimator_, TABLE.drop(columns="kind")
    assert type(best).__name__ == "ApproachClassifier" and best.approach == comparison.winners["recommended"].iloc[-1]
    assert best is comparison.best_estimator_ and best.score(X, TABLE["kind"]) > 0.6
    again = tabbench.reopen(comparison.folder).best_estimator_
    np.testing.assert_allclose(again.predict_proba(X), best.predict_proba(X))


def test_the_best_estimator_may_be_the_callers_own_with_labels_of_its_kind():
    numbers = TABLE[["a", "b"]].assign(y=TABLE["a"] > 0)
    found = tabbench.compare(numbers, "y", approaches={"mine": DecisionTreeClassifier(max_depth=1)}, effort=0.02, sizes="full",
                             folds=2, repeats=1, quiet=True, executor="in-process")
    assert isinstance(found.best_estimator_, DecisionTreeClassifier)
    assert found.best_estimator_.predict(numbers[["a", "b"]]).tolist() == numbers["y"].tolist()
    with pytest.raises(BadOption, match=r"mine is an estimator of your own, which the run in .* does not hold"):
        tabbench.reopen(found.folder).best_estimator_  # noqa: B018 - it is fitted when it is asked for


def test_without_its_folder_a_comparison_says_that_the_run_is_gone(comparison, tmp_path):
    kept = pickle.loads(pickle.dumps(comparison))
    assert kept.save_winner(tmp_path / "model", "linear").exists() and len(repr(kept)) < 400
    object.__setattr__(kept, "folder", tmp_path / "gone")
    for what in (lambda: kept.save_winner(tmp_path / "other"), lambda: kept.predictions, lambda: kept.predict(TABLE)):
        with pytest.raises(BadOption, match=r"the folder of this run, .*gone, is gone"):
            what()


def test_predictions_of_a_classifier_without_probabilities_are_its_labels():
    comparison = tabbench.compare(TABLE, "kind", approaches={"dummy": "dummy", "ridge": RidgeClassifier()}, sizes="full", folds=2,
                                  repeats=1, quiet=True, executor="in-process")
    of_ridge = comparison.predictions.query("approach == 'ridge'")
    assert len(of_ridge) == 120 and set(of_ridge["prediction"]) == {"rose", "tulip"}
    assert ((of_ridge["probability_tulip"] > 0.5) == (of_ridge["prediction"] == "tulip")).all()
