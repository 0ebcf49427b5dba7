"""What `compare` takes by scikit-learn's habits: arrays and frames, splitters, scorers, and its names of options."""

from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score, fbeta_score, jaccard_score, make_scorer
from sklearn.model_selection import GroupKFold, RepeatedStratifiedKFold, StratifiedKFold

import tabbench
from tabbench.core.errors import BadData, BadOption, UnknownName

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 2))
Y = np.where(X[:, 0] + RNG.normal(size=120) > 0, 1, 0)
QUICK = {"approaches": "linear", "effort": 0.02, "sizes": "full", "quiet": True, "executor": "in-process"}
ONCE = QUICK | {"folds": 2, "repeats": 1}


@pytest.fixture(autouse=True)
def no_more_than_the_scores(monkeypatch):
    """Reports and checks take most of the time of a comparison of a hundred rows."""
    monkeypatch.setattr("tabbench.comparison.result.write_reports", lambda finished: None)
    monkeypatch.setattr("tabbench.comparison.checking_meanwhile.findings_of", lambda setup: ())


def compared(*data, **options):
    return tabbench.compare(*data, **{**QUICK, **options})


def score(comparison, metric, approach="linear"):
    return comparison.scores.query("metric == @metric and approach == @approach")["mean"].item()


@cache
def of_the_whole_table():
    whole = pd.DataFrame(X, columns=["x0", "x1"]).assign(y=Y)  # the names are part of what numbers depend on
    return score(compared(whole, "y", **ONCE), "log_loss")


@pytest.mark.parametrize("kind", [np.asarray, lambda values: pd.DataFrame(values, columns=["x0", "x1"]),
                                  lambda values: pl.DataFrame(values, schema=["x0", "x1"]),
                                  lambda values: pa.table({"x0": values[:, 0], "x1": values[:, 1]})])
def test_features_and_target_as_given_are_the_table_with_both(kind):
    assert score(compared(kind(X), Y, **ONCE), "log_loss") == of_the_whole_table()


def test_a_target_that_has_the_name_of_a_column_and_another_index_goes_by_position():
    frame = pd.DataFrame(X, columns=["a", "b"], index=RNG.permutation(120))
    result = compared(frame, pd.Series(Y, name="a"), **ONCE)
    assert result.table["target"] == "a_" and score(result, "log_loss") < 0.6
    with pytest.raises(BadData, match="y has 50 rows and X has 120; give as many of both"):
        compared(X, Y[:50])


def test_splitters_draw_the_splits():
    splitter = StratifiedKFold(2, shuffle=True, random_state=1)
    drawn, given = compared(X, Y, cv=splitter), compared(X, Y, splits=list(splitter.split(X, Y)))
    assert score(drawn, "log_loss") == score(given, "log_loss") and drawn.protocol["folds"] == 2
    repeated = compared(X, Y, cv=RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0), approaches="dummy")
    assert (repeated.protocol["folds"], repeated.protocol["repeats"]) == (2, 2)
    by_group = compared(X, Y, approaches="dummy", cv=GroupKFold(4), groups=np.arange(120) // 10, sample_weight=np.ones(120))
    assert by_group.table["roles"] == {"group": "groups", "weight": "sample_weight"}
    assert compared(X, Y, approaches="dummy", cv=4, repeats=1).protocol["folds"] == 4
    for wrong in ("kfold", 0.5):
        with pytest.raises(BadOption, match="splits must hold pairs of training and test positions, or be a splitter"):
            compared(X, Y, cv=wrong)


def test_names_of_scikit_learn_are_other_names_of_options():
    result = compared(X, Y, **ONCE, scoring=["roc_auc", "f1"], random_state=3)
    assert result.protocol["metric"] == "auc" and result.protocol["seed"] == 3
    by_fold = result.predictions.query("approach == 'linear'").groupby("fold")
    expected = np.mean([f1_score(rows["truth"] == "1", rows["prediction"] == "1") for _, rows in by_fold])
    assert score(result, "f1") == pytest.approx(expected)
    with pytest.raises(BadOption, match="scoring and metric are two names of the same option"):
        compared(X, Y, scoring="f1", metric="auc")
    with pytest.raises(BadOption, match="folds must have a value, and None is none; leave it out for 5"):
        compared(X, Y, folds=None)
    assert compared(X, Y, **ONCE | {"executor": "local"}, dry_run=True, n_jobs=-1).protocol["jobs"] >= 1


def distance_error(truth, predicted):
    return float(np.mean(truth != predicted))


def test_scorers_and_functions_judge_by_the_splits():
    result = compared(X, Y, **ONCE, scoring=[make_scorer(fbeta_score, beta=2.0), distance_error])
    assert result.protocol["metric"] == "fbeta_score" and result.protocol["direction"] == "higher"
    assert score(result, "distance_error") == pytest.approx(1 - score(result, "accuracy"))
    words = np.where(Y, "yes", "no")
    of_yes = compared(X, words, **ONCE, metric=make_scorer(jaccard_score, pos_label="yes"))
    of_one = compared(X, Y, **ONCE, metric="jaccard")
    assert score(of_yes, "jaccard_score") == pytest.approx(score(of_one, "jaccard"))
    with pytest.raises(BadOption, match="it is not known whether more of distance is better"):
        compared(X, Y, metric=distance)
    with pytest.raises(UnknownName, match="no metric 'acuracy'; did you mean 'accuracy'"):
        compared(X, Y, metric="acuracy")


def distance(truth, predicted):
    return distance_error(truth, predicted)


def test_a_cost_matrix_decides_with_intervals_of_rows():
    result = compared(X, Y, **ONCE, metric=tabbench.cost_matrix([[0, 1], [5, 0]], "loss_in_euro"))
    assert score(result, "loss_in_euro") < score(result, "loss_in_euro", "dummy")
    assert result.pairs["high"].notna().all()


def test_a_lazy_frame_and_its_predictions_are_of_one_kind(tmp_path):
    table = pl.DataFrame({"a": X[:, 0], "y": Y})
    result = compared(table.lazy(), "y", **ONCE, out=tmp_path / "run")
    model = result.save_winner(tmp_path / "model.tabbench", "linear")
    for new in (table, table.lazy(), table.to_arrow()):
        predicted, _ = tabbench.predict(model, new)
        assert isinstance(predicted, pa.Table if isinstance(new, pa.Table) else pl.DataFrame)
        assert len(predicted["prediction"]) == 120
