"""Rows to validate on, metrics that choose the epoch, warm starts and progress of the guarded nets."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, TimeSeriesSplit

from tabbench import GuardedMLPClassifier, GuardedMLPRegressor
from tabbench.core.errors import BadData, BadOption

QUICK = {"preset": "fast", "max_epochs": 8, "random_state": 0, "device": "cpu"}


def table(rows=300, seed=0):
    X = np.random.default_rng(seed).normal(size=(rows, 4))
    return X, X[:, 0] * X[:, 1] + X[:, 2]


def test_an_eval_set_is_what_is_validated_on_and_seen_by_callbacks():
    class Sees:
        def on_epoch_end(self, state):
            self.target, self.predicted = state.validation_targets[0], state.validation_predictions[0]

    sees, (X, y) = Sees(), table(seed=1)
    model = GuardedMLPRegressor(**QUICK, callbacks=[sees], learning_rate=0.05).fit(*table(), eval_set=(X, y))
    np.testing.assert_allclose(sees.target, y, rtol=1e-4, atol=1e-5)
    assert np.corrcoef(sees.predicted, y)[0, 1] > 0.8
    predicted = model.predict(X)
    assert model.best_loss_ == pytest.approx(np.mean((predicted - y) ** 2) / table()[1].var(), rel=0.05)


def test_labels_of_an_eval_set_are_those_of_training():
    X, y = table()
    with pytest.raises(BadData, match="label 'c'"):
        GuardedMLPClassifier(**QUICK).fit(X, np.where(y > 0, "a", "b"), eval_set=(X[:2], ["a", "c"]))


def test_splitters_say_who_is_validated_on_what():
    X, y = table()
    model = GuardedMLPRegressor(**QUICK, validation_split=TimeSeriesSplit(3)).fit(X, y)
    assert set(model.history_["net"]) == {1, 2, 3}
    grouped = GuardedMLPClassifier(**QUICK, validation_split=GroupKFold(4), stopping_metric="auc")
    assert -1 <= grouped.fit(X, y > 0, groups=np.arange(300) // 10).best_loss_ < -0.8
    with pytest.raises(BadOption, match="exclude each other"):
        model.fit(X, y, eval_set=(X, y))


def test_any_function_may_choose_the_epoch():
    X, y = table()
    model = GuardedMLPRegressor(**QUICK, folds=1, stopping_metric=lambda target, predicted: np.abs(target - predicted).max())
    history = model.fit(X, y).history_
    assert model.best_loss_ == pytest.approx(history["stopping_loss"].min())


def test_a_warm_start_goes_on():
    X, y = table()
    model = GuardedMLPRegressor(**QUICK | {"max_epochs": 4}, folds=1, warm_start=True).fit(X, y)
    first = model.score(X, y)
    assert model.fit(X, y).score(X, y) > first + 0.02
    assert model.n_iter_ == 8 and model.history_["epoch"].tolist() == list(range(1, 9))
    with pytest.raises(BadOption, match="warm_start"):
        model.set_params(hidden_sizes=(8,)).fit(X, y)


def test_progress_is_printed(capsys):
    X, y = table()
    GuardedMLPRegressor(**QUICK | {"max_epochs": 2}, verbose=1).fit(X, y)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["epoch 1/2", "epoch 2/2"]
    GuardedMLPRegressor(**QUICK | {"max_epochs": 2}, verbose="bar").fit(X, y)
    assert "training" in capsys.readouterr().out


def test_what_was_left_open_is_shown():
    model = GuardedMLPRegressor(**QUICK | {"max_epochs": 2}).fit(*table())
    assert (model.batch_size_, model.hidden_sizes_, model.n_epochs_) == (32, (64, 64, 64), 2)
    assert "batch_size=32" in repr(model) and "batch_size=32" in model._repr_html_()


def test_time_ends_a_fit():
    assert GuardedMLPRegressor(**QUICK | {"max_epochs": 500}, max_seconds=1e-3).fit(*table()).n_iter_ == 1


def test_classes_of_rows_without_weight_keep_their_names():
    X, y = table()
    labels = np.digitize(y, [-1, 1])
    model = GuardedMLPClassifier(**QUICK).fit(X, labels, sample_weight=np.where(labels == 2, 0.0, 1.0))
    assert model.classes_.tolist() == [0, 1, 2] and model.predict_proba(X)[:, 2].max() < 0.01
