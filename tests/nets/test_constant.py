"""No fit ends worse than the constant predictor on its own training rows, whatever its size, optimizer, rate and schedule."""

import warnings
from itertools import product

import numpy as np
import pytest
from sklearn.metrics import log_loss

from tabbench import GuardedMLPClassifier, GuardedMLPRegressor
from tabbench.core.errors import TrainingWarning

SCHEDULES = ("cosine", "warm-up", "one-cycle", "step", "plateau", "coslog4", "constant")
RATES = (1e-4, 1e-2, 1.0, 10.0, 1e6, 1e30)
CASES = list(product((8, 30, 100, 150, 400), (4, 128, "auto", 10**6), ("adam", "sgd"), RATES, SCHEDULES, (True, False)))


def table(rows):
    X = np.random.default_rng(rows).normal(size=(rows, 4))
    return X, X[:, 0] * X[:, 1] + X[:, 2]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_makes_a_net_worse_than_the_constant_predictor(seed):
    for place in np.random.default_rng(seed).choice(len(CASES), 6, replace=False):
        rows, batch_size, optimizer, rate, schedule, early_stopping = CASES[place]
        knobs = {"batch_size": batch_size, "optimizer": optimizer, "learning_rate": rate, "schedule": schedule,
                 "early_stopping": early_stopping, "max_epochs": 12, "random_state": seed, "device": "cpu"}
        X, y = table(rows)
        labels = np.where(y > np.quantile(y, 0.7), "rare", "usual")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)
            score = GuardedMLPRegressor("fast", **knobs).fit(X, y).score(X, y)
            probabilities = GuardedMLPClassifier("fast", **knobs).fit(X, labels).predict_proba(X)
        shares = np.tile([np.mean(labels == "rare"), np.mean(labels == "usual")], (rows, 1))
        assert score >= -1e-6, CASES[place]
        assert log_loss(labels, probabilities) <= log_loss(labels, shares) + 1e-5, CASES[place]


def test_one_step_an_epoch_is_rolled_back_to_weights_that_were_proven():
    X, y = table(100)
    with pytest.warns(TrainingWarning, match="O01 learning rate too high"):
        model = GuardedMLPRegressor(optimizer="sgd", learning_rate=0.5, random_state=0, device="cpu").fit(X, y)
    assert model.score(X, y) > 0.5 and np.isnan(model.best_loss_) and model.history_["validation_loss"].isna().all()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("rows, scale", [(40, 1.0), (100, 1e6), (400, 1e-6)])
def test_neither_the_usual_rate_nor_the_search_ends_far_too_low(optimizer, rows, scale):
    X, y = table(rows)
    for rate in (None, "search"):
        model = GuardedMLPRegressor("fast", folds=1, optimizer=optimizer, learning_rate=rate, random_state=0, device="cpu")
        assert model.fit(scale * X, y / scale).learning_rate_ >= 0.03
        assert model.score(scale * X, y / scale) > 0.5


def test_where_nothing_can_be_learnt_the_search_takes_the_usual_rate():
    X, _ = table(60)
    model = GuardedMLPRegressor("fast", folds=1, max_epochs=2, learning_rate="search", random_state=0, device="cpu")
    assert model.fit(X, np.ones(60)).learning_rate_ == 0.05


@pytest.mark.filterwarnings("ignore::tabbench.core.errors.TrainingWarning")
def test_rates_that_are_too_low_are_said():
    X, y = table(300)
    for rate, expected in ((1e-7, "O07"), (1e-3, "O10")):
        with pytest.warns(TrainingWarning, match=expected):
            GuardedMLPRegressor("fast", learning_rate=rate, folds=1, random_state=0, device="cpu").fit(X, y)
