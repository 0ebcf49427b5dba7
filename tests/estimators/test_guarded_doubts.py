"""What looks like a fault and is none, and what is wrong with the question."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from tabbench import GuardedMLPClassifier, GuardedMLPRegressor
from tabbench.core.errors import BadOption, TrainingFailed, TrainingWarning

pytestmark = pytest.mark.filterwarnings("ignore::tabbench.core.errors.TrainingWarning")
QUICK = {"preset": "fast", "max_epochs": 20, "random_state": 0, "device": "cpu"}


def table(rows=300, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 4))
    return X, X[:, 0] * X[:, 1] + X[:, 2] + 0.1 * random.normal(size=rows)


def regressor(**parameters):
    return GuardedMLPRegressor(**(QUICK | parameters))


def classifier(**parameters):
    return GuardedMLPClassifier(**(QUICK | parameters))


def codes(model):
    return sorted({incident.code for incident in model.incidents_})


@pytest.mark.parametrize("trial", ["find_dirty_rows", "learning_rate_range_test", "sanity_check"])
def test_a_trial_leaves_what_was_fitted_alone(trial):
    X, y = table()
    model = regressor().fit(X, y)
    before = model.predict(X)
    getattr(model, trial)(100 * X + 50, y)
    assert model.predict(X).tobytes() == before.tobytes()
    fresh = regressor()
    getattr(fresh, trial)(X, y)
    with pytest.raises(NotFittedError):
        fresh.predict(X)


def rare(rows, share, seed=0):
    X, y = table(rows, seed)
    return X, (y > np.quantile(y, 1 - share)).astype(int)


def test_label_smoothing_on_rare_classes_is_no_fault():
    X, y = rare(1000, 0.05)
    model = classifier(label_smoothing=0.3).fit(X, y)
    assert model.incidents_ == [] and roc_auc_score(y, model.predict_proba(X)[:, 1]) > 0.95


@pytest.mark.parametrize("seed", range(4))
def test_rare_classes_with_large_weights_are_no_fault(seed):
    assert classifier(class_weight="balanced", random_state=seed).fit(*rare(200, 0.02, seed)).incidents_ == []


@pytest.mark.parametrize("loss", [lambda outputs, target: (outputs[:, 0] - target) ** 2 - 100.0,
                                  lambda outputs, target: (outputs[:, 0] - target) ** 2 + 1e5,
                                  lambda outputs, target: -100.0 * torch.exp(-(outputs[:, 0] - target) ** 2)])
def test_a_loss_may_have_any_zero(loss):
    X, y = table()
    model = regressor(loss=loss).fit(X, y)
    assert model.incidents_ == [] and model.score(X, y) > 0.9


def test_rows_that_cost_step_after_step_are_left_out():
    X, y = table()
    mark = float((y[7] - y.mean()) / y.std())

    def loss(outputs, target):
        is_it = (target - mark).abs() < 1e-6
        return torch.where(is_it & (outputs[:, 0].detach().abs() > 0.01), torch.nan, 1.0) * (outputs[:, 0] - target) ** 2

    model = regressor(loss=loss, folds=1).fit(X, y)
    assert model.quarantined_rows_ == [7] and set(codes(model)) <= {"L02", "D08", "N04"}
    assert len(model.incidents_) <= 6 and model.score(X, y) > 0.9


def test_a_loss_that_is_nan_by_chance_costs_steps_and_not_the_rate():
    X, y = table()
    random = np.random.default_rng(0)

    def loss(outputs, target):
        return (outputs[:, 0] - target) ** 2 * (torch.nan if random.random() < 0.02 else 1.0)

    model = regressor(loss=loss).fit(X, y)
    assert model.n_rollbacks_ == 0 and "L03" in codes(model) and model.score(X, y) > 0.8


def test_a_loss_that_changes_from_call_to_call_is_told_and_kept():
    X, y = table()
    model = regressor(loss=lambda outputs, target: (outputs[:, 0] - target) ** 2 * (1.0 + 0.01 * torch.rand(()))).fit(X, y)
    assert codes(model) == ["L03"] and model.score(X, y) > 0.9


@pytest.mark.parametrize("loss", [
    lambda outputs, target: (outputs[:, 0].detach() - target) ** 2,
    lambda outputs, target: np.square(outputs[:, 0].detach().numpy() - target.numpy()),
    lambda outputs, target: outputs[:, 0] > target,
    lambda outputs, target: outputs[:, 7]])
def test_a_loss_without_a_gradient_is_answered_before_training(loss):
    with pytest.raises(BadOption, match="loss"):
        regressor(loss=loss).fit(*table())


def test_a_mean_cannot_be_weighted():
    X, y = table()
    with pytest.raises(BadOption, match="one loss a row"):
        regressor(loss=lambda outputs, target: ((outputs[:, 0] - target) ** 2).mean()).fit(X, y, np.linspace(1, 2, len(X)))


def test_rows_are_found_though_the_loss_is_a_mean():
    X, y = table()
    mark = float((y[7] - y.mean()) / y.std())

    def loss(outputs, target):
        return ((outputs[:, 0] - target) ** 2 / torch.where((target - mark).abs() < 1e-6, 0.0, 1.0)).mean()

    assert regressor(loss=loss).find_dirty_rows(X, y).index.tolist() == [7]
    assert regressor(loss=loss).fit(X, y).quarantined_rows_ == [7]


@pytest.mark.parametrize("loss", [torch.nn.MSELoss(), torch.nn.HuberLoss(reduction="none"),
                                  lambda outputs, target: ((outputs - target) ** 2).mean(),
                                  lambda outputs, target: target.sub_(outputs[:, 0]) ** 2])
def test_a_loss_works_as_it_is_meant(loss):
    X, y = table()
    model = regressor(loss=loss).fit(X, y)
    assert model.incidents_ == [] and model.score(X, y) > 0.9


def test_a_sum_over_rows_is_refused_and_a_loss_too_small_to_learn_from_is_told():
    X, y = table()
    for loss in (torch.nn.MSELoss(reduction="sum"), lambda outputs, target: ((outputs[:, 0] - target) ** 2).sum()):
        with pytest.raises(BadOption, match="the sum over its rows"):
            regressor(loss=loss).fit(X, y)
    model = regressor(loss=lambda outputs, target: 1e-30 * (outputs[:, 0] - target) ** 2).fit(X, y)
    assert "O07" in {each.code for each in model.incidents_}


def test_a_loss_that_compares_rows_is_reported():
    X, y = table()
    with pytest.warns(TrainingWarning, match="L04"):
        model = regressor(loss=lambda outputs, target: ((outputs[:, 0] - target) ** 2).mean() * (
            1.0 + 0.1 * target.std(correction=0))).fit(X, y)
    assert codes(model) == ["L04"]


def test_a_loss_that_has_no_value_where_nets_start_is_not_blamed_on_rows():
    with pytest.raises(TrainingFailed, match="rows at the outputs of the constant predictor, first in `log`"):
        regressor(loss=lambda outputs, target: -torch.log(outputs[:, 0] - target)).fit(*table())


def test_a_loss_without_a_gradient_anywhere_is_told_at_once():
    def trap(outputs, target):
        squared = (outputs[:, 0] - target) ** 2
        return torch.where(squared > 1e9, squared / (target - target), squared)

    with pytest.raises(TrainingFailed, match="300 of 300 rows, first in `div`"):
        regressor(loss=trap).fit(*table())


@pytest.mark.parametrize("knobs", [
    {"hidden_sizes": ()}, {"hidden_sizes": 16}, {"hidden_sizes": (16.5,)}, {"folds": 2.5}, {"bins": 2.5}, {"l1": None},
    {"max_epochs": 2.5}, {"batch_size": 32.5}, {"validation_fraction": None, "folds": 1}, {"guard": "off"}, {"grow": "no"},
    {"callbacks": None}, {"loss": {"squared": "x"}}, {"loss": {"squared": float("nan")}}, {"learning_rate": "Search"},
    {"loss": "log"}, {"precision": "half"}, {"batch_norm": "no"}, {"early_stopping": "yes"}, {"callbacks": [3]},
    {"callbacks": [dict]}, {"max_epochs": True}, {"betas": 0.9}, {"momentum": 1.0}, {"verbose": "yes"},
    {"stopping_metric": "auc"}, {"validation_split": 5}, {"batch_size": 1, "batch_norm": True}, {"module": 5}])
def test_a_wrong_knob_gets_a_sentence(knobs):
    with pytest.raises(BadOption, match=next(iter(knobs)).split("_")[0]):
        regressor(**knobs).fit(*table())


def test_numbers_of_numpy_are_numbers():
    model = regressor(hidden_sizes=np.array([16, 16]), max_epochs=np.int64(3), clip=np.float64(1), learning_rate=np.float32(0.05),
                      batch_norm=np.bool_(False), device=torch.device("cpu"))
    assert model.fit(*table()).n_iter_ == 3


@pytest.mark.parametrize("weights", [{0: 0, 1: 0}, {0: -1.0, 1: 1.0}, {0: float("nan"), 1: 1.0}])
def test_class_weights_must_weigh(weights):
    with pytest.raises(BadOption, match="class_weight"):
        classifier(class_weight=weights).fit(*rare(200, 0.5))


def test_huge_weights_and_targets_are_numbers_like_others():
    X, y = table()
    weight = np.random.default_rng(0).uniform(0.5, 1.0, len(X))
    plain, huge = (regressor().fit(X, y, weight * size).predict(X) for size in (1.0, 1e307))
    np.testing.assert_allclose(plain, huge, rtol=1e-3, atol=1e-3)
    model = regressor().fit(X, np.where(y > 0, 1.7e305, -1.7e305))
    assert np.isfinite(model.predict(X)).all()


def test_a_checkpoint_knows_the_loss_and_wants_a_seed(tmp_path):
    X, y = table()
    regressor(loss="squared", max_epochs=3).fit(X, y, checkpoint=tmp_path / "one")
    with pytest.raises(BadOption, match="other rows, parameters or versions"):
        regressor(loss="absolute", max_epochs=3).fit(X, y, resume_from=tmp_path / "one")
    with pytest.raises(BadOption, match="random_state"):
        regressor(random_state=None).fit(X, y, checkpoint=tmp_path / "two")


def test_a_folder_with_a_checkpoint_is_gone_on_from_or_refused_and_never_emptied(tmp_path):
    X, y = table()

    class StopsAtFour:
        def on_epoch_end(self, state):
            if state.epoch == 4:
                raise KeyboardInterrupt

    interrupted = regressor(callbacks=[StopsAtFour()])
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(X, y, checkpoint=tmp_path)
    assert interrupted.n_iter_ == 4 and codes(interrupted) == ["R05"]
    with pytest.raises(BadOption, match=r"checkpoint: .* other rows, parameters or versions"):
        regressor(l2=0.1).fit(X, y, checkpoint=tmp_path)
    continued = regressor().fit(X, y, checkpoint=tmp_path)
    assert continued.predict(X).tobytes() == regressor().fit(X, y).predict(X).tobytes()


def pinball(outputs, target, level):
    return torch.maximum(level * (target - outputs[:, 0]), (level - 1) * (target - outputs[:, 0]))


def test_a_checkpoint_knows_a_loss_by_its_code_and_what_it_is_bound_to(tmp_path):
    X, y = table()
    regressor(loss=partial(pinball, level=0.5), max_epochs=2).fit(X, y, checkpoint=tmp_path)
    regressor(loss=partial(pinball, level=0.5), max_epochs=2).fit(X, y, resume_from=tmp_path)
    for other in (partial(pinball, level=0.9), torch.nn.HuberLoss(), lambda outputs, target: pinball(outputs, target, 0.5)):
        with pytest.raises(BadOption, match="other rows, parameters or versions"):
            regressor(loss=other, max_epochs=2).fit(X, y, resume_from=tmp_path)


def scaled(size):
    class Scaled:
        factor = size

        def __call__(self, outputs, target):
            return self.factor * (outputs[:, 0] - target) ** 2

    return Scaled()


def test_a_checkpoint_knows_a_loss_by_the_code_and_the_attributes_of_its_class(tmp_path):
    X, y = table()
    regressor(loss=scaled(1.0), max_epochs=2).fit(X, y, checkpoint=tmp_path)
    regressor(loss=scaled(1.0), max_epochs=2).fit(X, y, resume_from=tmp_path)
    with pytest.raises(BadOption, match="other rows, parameters or versions"):
        regressor(loss=scaled(2.0), max_epochs=2).fit(X, y, resume_from=tmp_path)


def test_a_fit_that_fails_leaves_the_estimator_as_it_was():
    X, y = table()
    model = regressor(max_epochs=2).fit(X, y)
    before = model.predict(X)
    with pytest.raises(BadOption):
        model.set_params(dropout=2.0).fit(X[:100, :2], y[:100])
    np.testing.assert_array_equal(model.predict(X), before)


def test_the_rate_that_a_callback_sees_is_the_one_in_use():
    seen = []

    class Looks:
        def on_epoch_end(self, state):
            seen.append(state.learning_rate)

    X, y = table()
    model = regressor(learning_rate=1e4, callbacks=[Looks()], schedule="constant", folds=1).fit(X, y)
    assert model.n_rollbacks_ and seen[-1] == pytest.approx(model.history_["learning_rate"].iloc[-1])


def test_rows_are_named_by_the_users_index_in_callbacks_too():
    heard = []

    class Hears:
        def on_incident(self, incident):
            heard.append(incident.details.get("rows"))

    X, y = table()
    mark = float((y[7] - y.mean()) / y.std())
    model = regressor(callbacks=[Hears()], loss=lambda outputs, target: (outputs[:, 0] - target) ** 2 / torch.where(
        (target - mark).abs() < 1e-6, 0.0, 1.0)).fit(X, y)
    assert heard == [[7]] == [incident.details["rows"] for incident in model.incidents_]


def test_one_weight_for_all_rows_is_none():
    X, y = table()
    np.testing.assert_allclose(regressor().fit(X, y, 2.0).predict(X), regressor().fit(X, y).predict(X), atol=1e-6)


def test_a_search_for_the_rate_tells_callbacks_nothing():
    heard = []

    class Hears:
        def on_incident(self, incident):
            heard.append(incident.details["rows"])

    X, y = table()
    mark = float((y[7] - y.mean()) / y.std())
    model = regressor(learning_rate="search", callbacks=[Hears()], loss=lambda outputs, target: (outputs[:, 0] - target) ** 2
                      / torch.where((target - mark).abs() < 1e-6, 0.0, 1.0)).fit(X, y)
    assert heard == [[7]] and model.quarantined_rows_ == [7]


def test_few_different_rows_are_all_learnt_from():
    X, y = np.tile([[1.0, 2.0], [3.0, 4.0]], (100, 1)), np.tile([0.0, 1.0], 100)
    assert regressor(folds=3).fit(X, y).score(X, y) > 0.9


def test_plateau_lowers_the_rate_without_validation_too():
    X, _ = table()
    model = regressor(schedule="plateau", early_stopping=False, max_epochs=40, learning_rate=0.2, clip=1.0)
    rates = model.fit(X, np.random.default_rng(1).normal(size=len(X))).history_["learning_rate"]
    assert rates.iloc[-1] < rates.iloc[0]
