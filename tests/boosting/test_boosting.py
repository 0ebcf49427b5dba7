"""The boosted approaches through their registered entries: predictions, sharing, saving, odd tables."""

from dataclasses import replace

import numpy as np
import pytest

from tabbench.boosting import encoding as encoding_module
from tabbench.boosting.amount import booster_settings
from tabbench.boosting.configurations import DEFAULTS, ORDER
from tabbench.boosting.effort import TreeShape, learning_rate, plan_effort
from tabbench.boosting.encoding import TreeEncoding, encode, wordy_columns
from tabbench.boosting.members import fit_library
from tabbench.boosting.model import fit_ensemble
from tabbench.boosting.objective import Objective
from tabbench.boosting.weights import choose_weights
from tabbench.core.approach import APPROACHES, SharedWork, TrainingSet, Workload
from tabbench.core.matrices import TreeMatrix
from tabbench.core.side_by_side import SideBySide
from tabbench.core.task import Task

NAMES = ["xgboost", "lightgbm", "catboost", "boosting"]
KINDS = ["binary", "multiclass", "regression"]


def task_of(kind, metric=None):
    classes = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[kind]
    metric = metric or ("rmse" if kind == "regression" else "log_loss")
    return Task(kind, classes, metric, (metric,))


def table(kind, rows=150, seed=0):
    """Two numbers (one with holes), a category that matters, a constant column."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 2))
    code = random.integers(0, 6, rows)
    signal = 2.0 * numbers[:, 0] + np.array([3.0, -3, 1, -1, 2, -2])[code] + random.normal(size=rows) * 0.3
    numbers[random.random(rows) < 0.2, 1] = np.nan
    values = np.column_stack([numbers, code, np.ones(rows)]).astype(np.float32)
    target = {"binary": (signal > 0).astype(np.int64), "multiclass": np.digitize(signal, [-1.5, 1.5]).astype(np.int64),
              "regression": 1e6 + 1000.0 * signal}[kind]
    return TreeMatrix(values, (0, 0, 6, 0), ("first", "second", "kind", "constant")), target


def training_set(name, kind, rows=150, **changes):
    matrix, target = table(kind, rows)
    task = task_of(kind)
    settings = APPROACHES.get(name).settings(Workload(0.1, rows, 4, task.n_classes))
    return replace(TrainingSet(matrix, target, task, settings, seed=5, shared_seed=6), **changes)


def loss(kind, target, predictions):
    if kind == "regression":
        return np.mean((target - predictions) ** 2)
    return -np.mean(np.log(predictions[np.arange(len(target)), target]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_learns_and_comes_back_bit_equal(name, kind):
    training = training_set(name, kind)
    fitted = APPROACHES.get(name).fit(training)
    new, truth = table(kind, seed=1)
    new.values[0, 2] = np.nan
    predictions = fitted.predict(new)
    assert predictions.dtype == np.float64
    assert np.isfinite(predictions).all()
    constant = np.full(150, training.target.mean()) if kind == "regression" else np.tile(
        np.bincount(training.target) / 150, (150, 1))
    assert loss(kind, truth, predictions) < 0.6 * loss(kind, truth, constant)
    if kind != "regression":
        np.testing.assert_allclose(predictions.sum(axis=1), 1.0)
        stored = predictions.astype(np.float32)
        assert ((stored > 0) & (stored < 1)).all()
    restored = APPROACHES.get(name).restore(fitted.to_parts())
    assert restored.predict(new).tobytes() == predictions.tobytes()
    assert restored.tuned == fitted.tuned


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_model_and_another_seed_another(name):
    fit = APPROACHES.get(name).fit
    first, second = fit(training_set(name, "binary")), fit(training_set(name, "binary"))
    assert first.to_parts().blobs == second.to_parts().blobs
    assert fit(training_set(name, "binary", shared_seed=7)).to_parts().blobs != first.to_parts().blobs


def test_sharing_changes_no_number_and_is_charged():
    new, _ = table("binary", seed=1)
    alone = {name: APPROACHES.get(name).fit(training_set(name, "binary")).predict(new) for name in NAMES}
    shared = SharedWork()
    for name in NAMES:
        together = APPROACHES.get(name).fit(training_set(name, "binary", shared=shared, seed=len(name))).predict(new)
        assert together.tobytes() == alone[name].tobytes()
    assert shared.charged_seconds > 0


def test_boosting_settings_hold_those_of_its_members():
    workload = Workload(1.0, 1000, 10, 2)
    members = APPROACHES.get("boosting").settings(workload)["members"]
    assert members == {name: APPROACHES.get(name).settings(workload) for name in ("xgboost", "lightgbm")}


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_weight_do_not_count(name):
    training = training_set(name, "regression", rows=200)
    target = training.target.copy()
    target[::2] += 1e5
    weight = np.tile([0.0, 1.0], 100)
    predictions = APPROACHES.get(name).fit(replace(training, target=target, weight=weight)).predict(training.features)
    assert np.abs(predictions - training.target).mean() < 2500


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [12, 30])
def test_few_rows_and_a_rare_class(name, rows):
    matrix, target = table("multiclass", rows)
    target = np.where(np.arange(rows) < 2, 2, target % 2)
    settings = APPROACHES.get(name).settings(Workload(0.1, rows, 4, 3))
    fitted = APPROACHES.get(name).fit(TrainingSet(matrix, target, task_of("multiclass"), settings, 1, 2))
    assert fitted.predict(matrix).shape == (rows, 3)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_learn_from_constant_columns(name):
    matrix = TreeMatrix(np.ones((60, 2), np.float32), (0, 0), ("one", "other"))
    target = np.tile([0, 0, 1], 20).astype(np.int64)
    training = training_set(name, "binary", features=matrix, target=target)
    np.testing.assert_allclose(APPROACHES.get(name).fit(training).predict(matrix)[:, 1], 1 / 3, atol=0.03)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_rows_in_time_are_fitted_once_more_on_all(name):
    training = training_set(name, "binary", time=np.arange(150))
    fitted = APPROACHES.get(name).fit(training)
    assert fitted.tuned["models"] == 1
    newest = fitted.predict(training.features.take(np.arange(100, 150)))
    assert loss("binary", training.target[100:], newest) < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_absolute_error_is_learnt_when_it_decides(name):
    random = np.random.default_rng(0)
    matrix = TreeMatrix(random.normal(size=(300, 1)).astype(np.float32), (0,), ("noise",))
    target = random.exponential(size=300) ** 3
    settings = APPROACHES.get(name).settings(Workload(0.1, 300, 1, 0))
    fits = [APPROACHES.get(name).fit(TrainingSet(matrix, target, task_of("regression", metric), settings, 1, 2))
            for metric in ("mae", "rmse")]
    absolute, squared = (fit.predict(matrix).mean() for fit in fits)
    assert absolute < 0.5 * squared


@pytest.mark.parametrize("name", NAMES)
def test_a_far_and_narrow_target_keeps_its_digits(name):
    training = training_set(name, "regression")
    target = 1e12 + training.target / 1e3
    predictions = APPROACHES.get(name).fit(replace(training, target=target)).predict(training.features)
    assert np.corrcoef(predictions - 1e12, target - 1e12)[0, 1] > 0.95


@pytest.mark.parametrize("rows, columns, classes",
                         [(62, 15, 2), (40_000, 15, 2), (400_000, 42, 23), (3000, 1617, 2), (250, 42, 23), (800, 8, 0)])
@pytest.mark.parametrize("amount", [0.01, 0.1, 1.0, 6.0, 100.0])
@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_effort_is_sensible_at_every_shape(name, amount, rows, columns, classes):
    settings = booster_settings(Workload(amount, rows, columns, classes))
    effort = plan_effort(name, settings, TreeShape(rows, columns, columns * min(rows, 255), classes))
    assert 1 <= effort.folds <= effort.dealt and effort.dealt >= 2
    assert effort.rounds
    for rounds in effort.rounds.values():
        assert 20 <= rounds <= settings["most_rounds"]
        assert 0.03 <= learning_rate(name, rounds, classes) <= 0.3


def test_wider_matrices_and_more_work_change_the_rounds():
    settings = booster_settings(Workload(1.0, 5000, 10, 2))
    usual = plan_effort("lightgbm", settings, TreeShape(5000, 10, 2000, 2)).rounds["medium"]
    assert plan_effort("lightgbm", settings, TreeShape(5000, 60, 12_000, 2)).rounds["medium"] < usual
    few_values = plan_effort("lightgbm", settings, TreeShape(5000, 10, 40, 2)).rounds["medium"]
    assert few_values > usual, "columns of few values are quick to search"
    half = settings | {"work_seconds": settings["work_seconds"] / 2}
    assert plan_effort("lightgbm", half, TreeShape(5000, 10, 2000, 2)).rounds["medium"] < usual


def small_work(rows, seconds=0.01):
    """Work for so few rounds that folds are given up."""
    return booster_settings(Workload(0.1, rows, 4, 2)) | {"work_seconds": seconds}


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_with_little_work_few_folds_are_grown_and_the_others_learnt_from(name):
    fit = fit_library(name, training_set(name, "binary", 3000), small_work(3000))
    assert [len(member.models) for member in fit.members] == [1]
    assert 250 <= len(fit.rows) <= 251, "a booster of its own learns from all rows but those that stop it"
    few = fit_library(name, training_set(name, "binary", 500), small_work(500))
    assert len(few.rows) == 400, "few rows are held out by several folds"


def test_folds_of_a_table_in_time_that_are_grown_are_the_newest():
    training = training_set("lightgbm", "binary", 3000, time=np.arange(3000.0))
    assert fit_library("lightgbm", training, small_work(3000)).rows[-1] == 2999


def test_libraries_that_grow_different_folds_are_weighed_on_the_rows_that_both_held_out():
    members = {"xgboost": small_work(3000), "lightgbm": booster_settings(Workload(0.1, 3000, 4, 2))}
    fitted = fit_ensemble(training_set("boosting", "binary", 3000, settings={"members": members}))
    assert [len(member.models) for member in fitted.members] == [1, 5]
    assert len(fitted.held_out.rows) == 250, "those that the one booster holds out"


def little_work(effort=6.0, rows=1000, classes=2, **changes):
    return booster_settings(Workload(effort, rows, 4, classes)) | {"most_rounds": 20, "fewest_good_rounds": 1} | changes


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_all_configurations_are_grown_where_none_is_left_out(name):
    fit = fit_library(name, training_set(name, "binary"), little_work(kept=6))
    assert [member.configuration for member in fit.members] == list(ORDER[name])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_the_configurations_that_do_best_on_the_first_folds_are_grown_on_all(name):
    training = training_set(name, "binary")
    work = little_work(configurations=3, inner_folds=5, inner_repeats=1, screening_folds=5)
    every = fit_library(name, training, work | {"kept": 3}).members
    (left,) = fit_library(name, training, work | {"kept": 1}).members
    best = min(every, key=lambda member: member.loss)
    assert len(every) == 3
    assert (left.configuration, left.rounds, left.loss) == (best.configuration, best.rounds, best.loss)
    usual = booster_settings(Workload(1.0, 1000, 4, 2)) | {"most_rounds": 20, "fewest_good_rounds": 1}
    assert len(fit_library(name, training, usual).members) == usual["kept"] < usual["configurations"]


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_of_numbers_help_where_their_difference_matters(kind):
    random = np.random.default_rng(0)
    values = np.column_stack([random.normal(size=(1200, 3)), np.ones(1200)]).astype(np.float32)
    signal = 3 * np.abs(values[:, 0] - values[:, 1]) + 0.1 * random.normal(size=1200)
    target = signal if kind == "regression" else np.digitize(signal, [3.0] if kind == "binary" else [2.0, 4.0])
    matrix = TreeMatrix(values, (0, 0, 0, 0), ("one", "two", "noise", "constant"))
    training = TrainingSet(matrix.take(np.arange(600)), target[:600], task_of(kind), {}, 1, 2)
    losses = []
    for places in (1, 3):
        settings = little_work(1.0, 600, training.task.n_classes, configurations=places, kept=places, most_rounds=100)
        losses.append(fit_library("lightgbm", training, settings).members[-1].loss)
    assert losses[1] < 0.8 * losses[0]


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_only_the_best_of_the_first_fold_are_grown_on_the_others(name):
    settings = little_work(kept=2)
    fit = fit_library(name, training_set(name, "binary"), settings)
    assert len(fit.members) == 2
    assert {len(member.models) for member in fit.members} == {settings["inner_folds"] * settings["inner_repeats"]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_held_out_predictions_are_honest_and_on_the_target_s_scale(name, kind):
    training = training_set(name, kind, rows=300)
    held_out = APPROACHES.get(name).fit(training).held_out
    assert held_out.rows.tolist() == list(range(300))
    new, truth = table(kind, rows=300, seed=1)
    honest = loss(kind, truth, APPROACHES.get(name).fit(training).predict(new))
    assert 0.5 * honest < loss(kind, training.target, held_out.predictions) < 2 * honest


def many_levels(rows=600, levels=60, seed=0):
    """A category whose levels matter, one whose levels don't."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, levels, (rows, 2)).astype(np.float32)
    effects = np.random.default_rng(99).normal(size=levels)
    target = effects[codes[:, 0].astype(int)] + 0.1 * random.normal(size=rows)
    return TreeMatrix(codes, (levels, levels), ("matters", "noise")), target


def test_a_level_s_mean_tells_nothing_of_the_row_s_own_target():
    matrix, target = many_levels()
    _, encoded = encode(matrix, target, None, 0, 3, replaced=wordy_columns(matrix, 0))
    correlation = np.corrcoef(encoded.values.T, target)[-1]
    assert correlation[0] > 0.8
    assert abs(correlation[1]) < 0.15


def test_means_of_missing_levels_and_of_classes():
    matrix, target = many_levels()
    matrix.values[:5, 0] = np.nan
    codes = np.digitize(target, [-0.5, 0.5])
    encoding, encoded = encode(matrix, codes, None, 3, 3, replaced=wordy_columns(matrix, 3))
    assert encoded.values.shape == (600, 4)
    assert np.isfinite(encoded.values).all()
    again = TreeEncoding.restore(encoding.to_parts()).transform(matrix)
    assert again.values.tobytes() == encoding.transform(matrix).values.tobytes()
    assert not any(again.levels)


def test_few_levels_stay_as_they_are():
    matrix, target = table("regression")
    encoding, encoded = encode(matrix, target, None, 0, 3, replaced=wordy_columns(matrix, 0))
    assert encoded is matrix
    assert encoding.transform(matrix) is matrix


def test_of_many_more_columns_than_rows_the_most_telling_numbers_and_all_categories_are_kept(monkeypatch):
    monkeypatch.setattr(encoding_module, "MOST_COLUMNS", 5)
    monkeypatch.setattr(encoding_module, "MOST_COLUMNS_A_ROW", 0)
    monkeypatch.setattr(encoding_module, "KEPT_COLUMNS", 3)
    random = np.random.default_rng(0)
    values = random.normal(size=(80, 7)).astype(np.float32)
    codes = np.digitize(values[:, 4] - values[:, 2], [-1.0, 1.0])
    values[:, 1], values[:, 5], values[::9, 4] = random.integers(0, 3, 80), np.nan, np.nan
    matrix = TreeMatrix(values, (0, 3, 0, 0, 0, 0, 0), tuple("abcdefg"))
    encoding, encoded = encode(matrix, codes, None, 4, 3)  # of the fourth class there is no row
    assert encoded.names == ("b", "c", "e")
    again = TreeEncoding.restore(encoding.to_parts()).transform(matrix)
    assert again.values.tobytes() == encoded.values.tobytes() == encoding.transform(matrix).values.tobytes()
    assert encode(matrix.take(np.arange(40)), codes[:40], None, 4, 3)[0].kept is not None
    huge = replace(matrix, values=np.where(np.arange(7) == 4, np.clip(values, 0, 1) * np.finfo(np.float32).max, values))
    assert encode(huge, codes, None, 4, 3)[1].names == ("b", "c", "e")  # a sum of it is beyond its own type
    monkeypatch.setattr(encoding_module, "MOST_COLUMNS_A_ROW", 1)
    assert encode(matrix, codes, None, 4, 3)[1] is matrix


@pytest.mark.parametrize("name", NAMES)
def test_a_model_with_encoded_categories_comes_back_bit_equal(name):
    matrix, target = many_levels()
    settings = APPROACHES.get(name).settings(Workload(0.1, 600, 2, 0))
    fitted = APPROACHES.get(name).fit(TrainingSet(matrix, target, task_of("regression"), settings, 1, 2))
    new, truth = many_levels(seed=1)
    new.values[0] = np.nan
    predictions = fitted.predict(new)
    assert np.corrcoef(predictions[1:], truth[1:])[0, 1] > 0.8
    assert APPROACHES.get(name).restore(fitted.to_parts()).predict(new).tobytes() == predictions.tobytes()


def test_weights_favour_the_better_member_and_add_up():
    target, loss = np.tile([0, 1], 5000).astype(np.int64), Objective("binary", 2).loss
    good, bad = np.where(target[:, None] == [0, 1], 0.9, 0.1), np.where(target[:, None] == [0, 1], 0.3, 0.7)
    fair = np.where(target[:, None] == [0, 1], 0.895, 0.105)
    assert choose_weights([good, bad], target, None, loss) == [1.0, 0.0]
    assert choose_weights([good[:10], bad[:10]], target[:10], None, loss) == [1.0, 0.0], "hopeless has no share"
    few = choose_weights([good[:10], fair[:10]], target[:10], None, loss)
    assert sum(few) == pytest.approx(1.0)
    assert 0.5 < few[0] < 0.55


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_on_a_wide_table_the_librarys_defaults_are_a_candidate(name):
    work = booster_settings(Workload(0.1, rows=1000, columns=500, classes=2))
    assert plan_effort(name, work, TreeShape(rows=1000, columns=500, bins=2000, classes=2)).names[-1] == DEFAULTS
    assert DEFAULTS not in plan_effort(name, work, TreeShape(rows=1000, columns=20, bins=2000, classes=2)).names


def test_indicators_of_a_wide_table_are_learnt_as_well_as_by_the_librarys_defaults():
    import xgboost

    rng = np.random.default_rng(0)
    values = np.zeros((600, 240), dtype=np.float32)
    values[np.arange(600)[:, None], rng.integers(0, 240, (600, 8))] = 1.0
    target = values @ rng.normal(size=240) + rng.normal(size=600) * 0.3
    train, test = np.arange(450), np.arange(450, 600)
    matrix = TreeMatrix(values, (0,) * 240, tuple(f"d{place}" for place in range(240)))
    settings = booster_settings(Workload(0.1, rows=450, columns=240, classes=0))
    training = TrainingSet(matrix.take(train), target[train], task_of("regression"), settings, seed=0, shared_seed=0)
    found = APPROACHES.get("xgboost").fit(training).predict(matrix.take(test))
    by_default = xgboost.XGBRegressor(n_jobs=1).fit(values[train], target[train]).predict(values[test])
    assert np.square(found - target[test]).mean() <= 1.04 * np.square(by_default - target[test]).mean()


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_with_many_classes_and_little_work_rounds_and_rows_come_before_folds(name):
    work = booster_settings(Workload(0.1, rows=16_000, columns=16, classes=26))
    effort = plan_effort(name, work, TreeShape(rows=16_000, columns=16, bins=256, classes=26))
    assert min(effort.rounds.values()) >= 80, "the defaults grow 100"
    assert effort.folds <= 2
    assert effort.dealt == 20, "the defaults learn from all rows"
    few = plan_effort(name, work, TreeShape(rows=2000, columns=16, bins=256, classes=26))
    assert 2000 * few.folds / few.dealt >= 250, "enough rows stop the growing"


def test_lightgbm_learns_from_indicators_that_few_rows_have():
    rng = np.random.default_rng(0)
    values = np.zeros((1500, 240), dtype=np.float32)
    values[np.arange(1500)[:, None], rng.integers(0, 240, (1500, 3))] = 1.0
    target = values @ rng.normal(size=240)
    matrix = TreeMatrix(values, (0,) * 240, tuple(f"d{place}" for place in range(240)))
    settings = booster_settings(Workload(0.02, rows=1200, columns=240, classes=0))
    training = TrainingSet(matrix.take(np.arange(1200)), target[:1200], task_of("regression"), settings, seed=0, shared_seed=0)
    found = APPROACHES.get("lightgbm").fit(training).predict(matrix.take(np.arange(1200, 1500)))
    assert np.square(found - target[1200:]).mean() < 0.9 * target[1200:].var()


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
@pytest.mark.parametrize("changes", [{"kept": 6}, {"kept": 2, "configurations": 4}])
def test_boosters_that_grow_side_by_side_are_the_same_for_any_number_of_turns(name, changes):
    def digests(count):
        training = training_set(name, "binary", side_by_side=SideBySide(count))
        members = fit_library(name, training, little_work(**changes)).members
        return [(each.configuration, each.rounds, [model.trees.to_blob() for model in each.models]) for each in members]

    assert digests(1) == digests(4)


def test_growing_side_by_side_leaves_trees_as_they_are_where_a_booster_draws_for_itself():
    apart, together = (fit_library("lightgbm", training_set("lightgbm", "binary", side_by_side=turns), little_work())
                       for turns in (None, SideBySide(2)))
    for one, other in zip(apart.members, together.members, strict=True):
        assert (one.configuration, one.rounds) == (other.configuration, other.rounds)
        assert np.array_equal(one.validation, other.validation)


def indicators(rows, seed):
    """Rare zeros and ones in 240 columns, and what two numbers beside them add; a target of two classes."""
    rng = np.random.default_rng(seed)
    values = np.zeros((rows, 242), dtype=np.float32)
    values[np.arange(rows)[:, None], rng.integers(0, 240, (rows, 8))] = 1.0
    values[:, 240:] = rng.normal(size=(rows, 2))
    target = (values @ np.random.default_rng(0).normal(size=242) > 0).astype(np.int64)
    return TreeMatrix(values, (0,) * 242, tuple(f"d{place}" for place in range(242))), target


def test_xgboost_learns_the_same_from_the_ones_of_indicators_alone(monkeypatch):
    approach = APPROACHES.get("xgboost")
    (matrix, target), (test, _) = indicators(450, 1), indicators(200, 2)
    settings = booster_settings(Workload(0.1, rows=450, columns=242, classes=2))
    training = TrainingSet(matrix, target, task_of("binary"), settings, seed=0, shared_seed=0)
    by_ones = approach.fit(training)
    assert all(model.encoding.indicators.tolist() == list(range(240)) for member in by_ones.members for model in member.models)
    monkeypatch.setattr(encoding_module, "FEWEST_INDICATORS", 1000)
    by_all = approach.fit(replace(training, shared=SharedWork()))
    np.testing.assert_allclose(by_ones.predict(test), by_all.predict(test), atol=1e-3)
    restored = approach.restore(by_ones.to_parts())
    assert restored.predict(test).tobytes() == by_ones.predict(test).tobytes()


def test_what_new_rows_hold_in_an_indicator_counts_as_zero_or_one():
    matrix, target = indicators(450, 1)
    settings = booster_settings(Workload(0.1, rows=450, columns=242, classes=2))
    fitted = APPROACHES.get("xgboost").fit(TrainingSet(matrix, target, task_of("binary"), settings, seed=0, shared_seed=0))
    odd = matrix.values.copy()
    odd[:, :240] = np.where(odd[:, :240] == 1, 7.0, np.where(np.arange(450)[:, None] % 2, np.nan, 0.5))
    assert fitted.predict(replace(matrix, values=odd)).tobytes() == fitted.predict(matrix).tobytes()
