import numpy as np
import pytest
from scipy.stats import t as student

from tabbench.core.comparison import COLUMNS
from tabbench.core.metric import Metric
from tabbench.verdict.scores import score_table
from tabbench.verdict.scoring import Question

HITS = Metric("hits", ("regression",), True, lambda truth, prediction, weight: float(np.mean(prediction > truth)), None)
NEVER = Metric("never", ("regression",), True, lambda *_: float("nan"), None)


def table_of(simulate, metrics, failed=(), folds=4, repeats=3):
    random = np.random.default_rng(0)
    target = random.standard_normal(200)
    plan = simulate.random_folds(200, folds, repeats, 0)

    def predict(name, size, index):
        if (name, size, index) in failed:
            return None
        return random.standard_normal(len(plan.splits[index].test)).astype(np.float32)

    present = [("linear", 60), ("dummy", 60), ("dummy", 150)]
    return score_table(Question(simulate.task, target, plan), metrics, predict, present, approaches=["dummy", "linear"])


def test_a_row_for_each_metric_approach_and_size(simulate):
    table = table_of(simulate, [simulate.metric, HITS])
    assert tuple(table.columns) == COLUMNS["scores"]
    assert list(zip(table["metric"], table["approach"], table["size"], strict=True)) == [
        (metric, *cell) for metric in ("mse", "hits") for cell in [("dummy", 60), ("dummy", 150), ("linear", 60)]
    ]
    assert (table["low"] < table["mean"]).all()
    assert (table["mean"] < table["high"]).all()
    assert set(table["splits"]) == {12}
    assert set(table["failed"]) == {0}


def test_natural_sign_and_interval_by_hand(simulate):
    row = table_of(simulate, [HITS]).iloc[0]
    assert 0.3 < row["mean"] < 0.7
    assert (row["high"] + row["low"]) / 2 == pytest.approx(row["mean"])
    # Without row losses: Nadeau and Bengio on the twelve splits of four folds.
    half = (row["high"] - row["low"]) / 2
    assert half / student.ppf(0.975, 11) / np.sqrt(1 / 12 + 1 / 3) == pytest.approx(0.07, abs=0.03)


def test_failed_cells_are_counted_and_imputed(simulate):
    table = table_of(simulate, [simulate.metric], failed={("linear", 60, 0), ("linear", 60, 5)})
    assert list(table["failed"]) == [0, 0, 2]
    assert table["mean"].notna().all()


def test_metric_that_is_undefined_has_no_numbers(simulate):
    table = table_of(simulate, [NEVER], failed={("linear", 60, 0)})
    assert table[["mean", "low", "high"]].isna().all(axis=None)
    assert list(table["splits"]) == [0, 0, 0]
    assert list(table["failed"]) == [0, 0, 1]


def test_marginal_interval_covers_the_true_score(simulate):
    # Predictions of a standard normal target by an independent one: the expected squared error is 2.
    covered = 0
    for seed in range(60):
        random = np.random.default_rng([9, seed])
        target, guess = random.standard_normal((2, 200))
        plan = simulate.random_folds(200, 5, 1, seed)
        question = Question(simulate.task, target, plan)
        row = score_table(
            question,
            [simulate.metric],
            lambda name, size, index, plan=plan, guess=guess: guess[plan.splits[index].test],
            [("a", 60)],
            approaches=["a"],
        ).iloc[0]
        covered += row["low"] <= 2 <= row["high"]
    assert covered >= 52


def test_intervals_end_where_scores_do(simulate):
    sometimes = Metric("accuracy", ("regression",), True, lambda truth, *_: 1.0 if truth[0] > -0.3 else 0.5, None,
                       bounds=(0.0, 1.0))
    row = table_of(simulate, [sometimes]).iloc[0]
    assert row["low"] < row["mean"] < row["high"] == 1
