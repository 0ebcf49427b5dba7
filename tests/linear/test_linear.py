"""Logistic regression and elastic net against scikit-learn, and on hard columns."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from tabbench.linear.elastic_net import ElasticNetGrid, Penalised, choose_elastic_net, fit_elastic_net
from tabbench.linear.logistic import LogisticGrid, LogisticPath, LogisticPoint, choose_logistic, fit_logistic, visit
from tabbench.linear.quadratic import Quadratic
from tabbench.linear.rows import Rows
from tabbench.linear.squares import Squares

RATIOS = [0.0, 0.5, 1.0]


def grid_of(l1_ratio, *strengths, tolerance=1e-10, is_balanced=False, is_one_vs_rest=False):
    path = LogisticPath(l1_ratio, strengths, is_balanced)
    return LogisticGrid((path,), most_steps=100, tolerance=tolerance, is_one_vs_rest=is_one_vs_rest)


def fitted(rows, l1_ratio, *strengths, **kinds):
    grid = grid_of(l1_ratio, *strengths, **kinds)
    return fit_logistic(rows, grid.points[-1], grid)


def classes(n=200, p=6, k=2, seed=0):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(n, p))
    scores = values[:, :k] * 2 + generator.gumbel(size=(n, k))
    return Rows(values, scores.argmax(axis=1).astype(np.int64), generator.uniform(0.5, 1.5, n))


def halves(n):
    rows = np.arange(n)
    return [(rows[::2], rows[1::2]), (rows[1::2], rows[::2])]


def objective(model, rows, l1_ratio, strength):
    chance = model.predict(rows.values)[np.arange(len(rows)), rows.target]
    size = l1_ratio * np.abs(model.coefficients).sum() + (1 - l1_ratio) * (model.coefficients**2).sum() / 2
    return -rows.weight @ np.log(chance) + size / strength


def oracle_of(rows, l1_ratio, strength, **settings_):
    from sklearn.linear_model import LogisticRegression

    learner = LogisticRegression(C=strength, l1_ratio=l1_ratio, solver="saga", tol=1e-8, max_iter=20_000, random_state=1,
                                 **settings_)
    return learner.fit(rows.values, rows.target, sample_weight=rows.weight)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("l1_ratio", RATIOS)
@pytest.mark.parametrize("strength", [0.05, 1.0])
def test_reaches_the_optimum_that_scikit_learn_reaches(k, l1_ratio, strength):
    rows = classes(k=k)
    own, oracle = fitted(rows, l1_ratio, strength), oracle_of(rows, l1_ratio, strength)
    assert own.has_converged
    np.testing.assert_allclose(own.predict(rows.values), oracle.predict_proba(rows.values), atol=1e-5)
    best = objective(type(own)(oracle.coef_, oracle.intercept_), rows, l1_ratio, strength)
    assert objective(own, rows, l1_ratio, strength) <= best * (1 + 1e-9)


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_separable_classes_of_one_hot_levels_converge_along_the_whole_path(l1_ratio):
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 4, (150, 45))
    target = (codes[:, 0] + codes[:, 1]) % 3
    values = (codes[:, :, None] == np.arange(4)).reshape(150, -1).astype(float)  # the levels of a column add up to one
    rows = Rows(values, target.astype(np.int64), np.ones(150))
    for strength in (1.0, 10.0, 1000.0):
        way = [each for each in (0.1, 1.0, 10.0, 100.0, 1000.0) if each <= strength]
        model = fitted(rows, l1_ratio, *way, tolerance=1e-8)
        assert model.has_converged
        other = fitted(rows, l1_ratio, 0.1, strength / 3)  # a good model of a neighbour is a worse one here
        assert objective(model, rows, l1_ratio, strength) < objective(other, rows, l1_ratio, strength)


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_balanced_classes_weigh_as_in_scikit_learn(l1_ratio):
    rows = classes(k=3)
    own = fitted(rows, l1_ratio, 0.3, is_balanced=True)
    oracle = oracle_of(rows, l1_ratio, 0.3, class_weight="balanced")
    np.testing.assert_allclose(own.predict(rows.values), oracle.predict_proba(rows.values), atol=1e-4)


def test_one_against_the_rest_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    rows = classes(k=3)
    rows = Rows(rows.values, rows.target, np.ones(200))
    oracle = OneVsRestClassifier(LogisticRegression(C=0.5, tol=1e-9, max_iter=1000)).fit(rows.values, rows.target)
    own = fitted(rows, 0.0, 0.5, is_one_vs_rest=True)
    np.testing.assert_allclose(own.predict(rows.values), oracle.predict_proba(rows.values), atol=1e-5)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_more_columns_than_rows(k, l1_ratio):
    rows = classes(n=40, p=150, k=k)
    own, oracle = fitted(rows, l1_ratio, 0.01, 0.1, 1.0), oracle_of(rows, l1_ratio, 1.0)
    assert own.coefficients.shape[1] == 150
    np.testing.assert_allclose(own.predict(rows.values), oracle.predict_proba(rows.values), atol=1e-4)


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_so_many_parameters_that_classes_move_one_after_another(l1_ratio):
    rows = classes(n=402, p=401, k=3)
    own, oracle = fitted(rows, l1_ratio, 0.01), oracle_of(rows, l1_ratio, 0.01)
    np.testing.assert_allclose(own.predict(rows.values), oracle.predict_proba(rows.values), atol=5e-3)


def test_many_classes_of_few_columns():
    rows = classes(n=300, p=8, k=6)
    own, oracle = fitted(rows, 0.0, 1.0), oracle_of(rows, 0.0, 1.0)
    np.testing.assert_allclose(own.predict(rows.values), oracle.predict_proba(rows.values), atol=1e-5)


def test_l1_drops_what_does_not_count_and_a_path_ends_where_a_direct_search_does():
    rows = classes(p=30)
    assert (fitted(rows, 1.0, 0.03).coefficients != 0).sum() < 10
    along, direct = fitted(rows, 1.0, 0.03, 0.1, 0.3), fitted(rows, 1.0, 0.3)
    np.testing.assert_allclose(along.coefficients, direct.coefficients, atol=1e-4)


@pytest.mark.parametrize("l1_ratio", RATIOS)
@pytest.mark.parametrize("k", [2, 3])
def test_sparse_and_dense_rows_give_the_same_model(l1_ratio, k):
    rows = classes(k=k)
    values = np.where(np.abs(rows.values) > 0.7, rows.values, 0)
    dense = fitted(Rows(values, rows.target, rows.weight), l1_ratio, 1.0)
    sparse = fitted(Rows(csr_array(values), rows.target, rows.weight), l1_ratio, 1.0)
    np.testing.assert_allclose(sparse.coefficients, dense.coefficients, atol=1e-5)
    np.testing.assert_allclose(sparse.predict(csr_array(values)), dense.predict(values), atol=1e-6)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_constant_duplicated_and_separating_columns_behave(l1_ratio, k):
    target = np.arange(60) % k
    separating = target * 2.0 - 1
    values = np.column_stack([np.ones(60), separating, separating, separating**2, np.zeros(60), 1e6 * separating])
    model = fitted(Rows(values, target, np.ones(60)), l1_ratio, 0.1, 1e3)
    prediction = model.predict(values)
    assert np.isfinite(model.coefficients).all()
    assert (prediction > 0).all()
    assert prediction[np.arange(60), target].min() > 0.95


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_a_row_without_weight_has_no_say(l1_ratio):
    rows = classes()
    weight = np.where(np.arange(200) < 150, 200 / 150, 0.0)
    whole = fitted(Rows(rows.values, rows.target, weight), l1_ratio, 0.5)
    part = fitted(Rows(rows.values[:150], rows.target[:150], weight[:150]), l1_ratio, 0.5)
    np.testing.assert_allclose(whole.coefficients, part.coefficients, atol=1e-6)


def test_the_loss_that_is_passed_decides_and_its_predictions_come_back():
    rows, folds = classes(p=10), halves(200)
    for wanted, point in enumerate([LogisticPoint(0.0, 0.1), LogisticPoint(1.0, 0.1)]):
        grid = LogisticGrid(grid_of(0.0, 0.1).paths + grid_of(1.0, 0.1).paths, 50, 1e-8)
        seen = []

        def loss(truth, prediction, weight, wanted=wanted, seen=seen):
            seen.append(prediction)
            return 0.0 if len(seen) == wanted + 1 else 1.0

        chosen = choose_logistic(rows, 2, folds, grid, loss)
        assert (chosen.point, chosen.loss) == (point, 0.0)
        np.testing.assert_array_equal(chosen.predictions, seen[wanted])


def test_a_path_is_left_when_it_gets_worse():
    losses = iter([3.0, 2.0, 2.5, 0.0, 0.0])
    grid = grid_of(0.0, 0.01, 0.1, 1.0, 10.0, 100.0)
    chosen = choose_logistic(classes(), 2, halves(200), grid, lambda *_: next(losses))
    assert (chosen.point.strength, chosen.loss) == (0.1, 2.0)


def test_a_class_that_a_fold_lacks_keeps_a_small_probability():
    rows = classes(n=60)
    target = rows.target.copy()
    target[5] = 2
    grid = grid_of(0.0, 1.0)
    _, predictions = next(visit(Rows(rows.values, target, rows.weight), 3, halves(60), grid, grid.paths[0]))
    np.testing.assert_allclose(predictions[0].sum(axis=1), 1)
    np.testing.assert_allclose(predictions[0][:, 2], 1 / 33)  # the first fold's fit part has 30 rows and two classes


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), q=st.integers(1, 12), rank=st.integers(1, 12), l1=st.floats(0.01, 3), l2=st.floats(0, 1))
@example(seed=158, q=11, rank=4, l1=0.125, l2=0.0)
def test_a_quadratic_ends_where_no_entry_wants_to_move(seed, q, rank, l1, l2):
    generator = np.random.default_rng(seed)
    half = generator.normal(size=(rank, q))
    matrix, slope = half.T @ half, half.T @ generator.normal(size=rank) * 3
    solution = Quadratic(matrix, np.ones(q, dtype=bool)).minimum(slope, l1, l2, generator.normal(size=q))
    pull = slope - matrix @ solution - l2 * solution
    used = solution != 0
    np.testing.assert_allclose(pull[used], l1 * np.sign(solution[used]), atol=1e-5)
    assert (np.abs(pull[~used]) <= l1 + 1e-5).all()


def numbers(n=150, p=8, seed=0):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(n, p))
    target = values[:, 0] * 3 - values[:, 1] + generator.normal(size=n) * 0.5 + 7
    return Rows(values, target, generator.uniform(0.5, 1.5, n))


def mean_square(truth, prediction, weight):
    return float(np.average((truth - prediction) ** 2, weights=weight))


@pytest.mark.parametrize("l1_ratio", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("make", [np.asarray, csr_array])
def test_elastic_net_agrees_with_scikit_learn(l1_ratio, make):
    from sklearn.linear_model import ElasticNet, Ridge

    rows, alpha = numbers(), 0.02
    grid = ElasticNetGrid({l1_ratio: (1.0, 0.1, alpha)})
    model = fit_elastic_net(Rows(make(rows.values), rows.target, rows.weight), grid, Penalised(l1_ratio, alpha))
    oracle = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-10) if l1_ratio else Ridge(alpha=alpha * rows.weight.sum())
    oracle.fit(rows.values, rows.target, sample_weight=rows.weight)
    np.testing.assert_allclose(model.coefficients, oracle.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept, oracle.intercept_, rtol=1e-6)


def test_elastic_net_chooses_little_penalty_for_a_clear_signal_and_much_for_none():
    rows = numbers()
    noise = Rows(rows.values, np.random.default_rng(1).normal(size=150), rows.weight)
    shares = []
    for each in (rows, noise):
        grid = ElasticNetGrid.spanning(each, (0.5, 1.0), 15, 1e-4)
        point, loss, predictions = choose_elastic_net(each, halves(150), grid, mean_square)
        shares.append(point.alpha / max(grid.alphas[point.l1_ratio]))
        valid = np.concatenate([valid for _, valid in halves(150)])
        assert loss == mean_square(each.target[valid], predictions, each.weight[valid])
    assert shares[0] < 0.1 < shares[1]


def test_the_path_starts_where_the_model_is_just_empty():
    rows = numbers()
    largest = Squares.of(rows.values, rows.target, rows.weight).largest_alpha(1.0)
    empty, used = (fit_elastic_net(rows, ElasticNetGrid({1.0: (alpha,)}), Penalised(1.0, alpha)).coefficients
                   for alpha in (largest * 1.001, largest * 0.99))
    assert (empty == 0).all()
    assert (used != 0).sum() == 1


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_elastic_net_copes_with_constant_and_duplicated_columns(l1_ratio):
    rows = numbers()
    values = np.column_stack([rows.values, rows.values, np.ones(150)])
    grid = ElasticNetGrid({l1_ratio: (0.1, 1e-4)})
    model = fit_elastic_net(Rows(values, rows.target, rows.weight), grid, Penalised(l1_ratio, 1e-4))
    assert np.mean((model.predict(values) - rows.target) ** 2) < 0.4
    constant = fit_elastic_net(Rows(np.ones((150, 2)), rows.target, rows.weight), grid, Penalised(l1_ratio, 1e-4))
    np.testing.assert_allclose(constant.predict(np.ones((1, 2))), np.average(rows.target, weights=rows.weight))
