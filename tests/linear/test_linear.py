"""Logistic regression and elastic net against scikit-learn, and on hard columns."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabbench.linear.elastic_net import ElasticNetGrid, Penalised, choose_elastic_net, fit_elastic_net
from tabbench.linear.logistic import LogisticGrid, choose_logistic, logistic_path
from tabbench.linear.rows import Rows
from tabbench.linear.squares import Squares

GRID = LogisticGrid({"l2": (0.01, 1.0), "l1": (0.1, 1.0)}, most_iterations=200, most_steps=50, most_epochs=2000)


def classes(n=200, p=6, k=2, seed=0):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(n, p))
    scores = values[:, :k] * 2 + generator.gumbel(size=(n, k))
    return Rows(values, scores.argmax(axis=1).astype(np.int64), generator.uniform(0.5, 1.5, n))


def halves(n):
    rows = np.arange(n)
    return [(rows[::2], rows[1::2]), (rows[1::2], rows[::2])]


def objective(model, rows, penalty, strength):
    chance = model.predict(rows.values)[np.arange(len(rows)), rows.target]
    size = np.abs(model.coefficients).sum() if penalty == "l1" else (model.coefficients**2).sum() / 2
    return -rows.weight @ np.log(chance) + size / strength


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("penalty", ["l1", "l2"])
@pytest.mark.parametrize("strength", [0.05, 1.0])
def test_reaches_the_optimum_that_scikit_learn_reaches(k, penalty, strength):
    from sklearn.linear_model import LogisticRegression

    rows = classes(k=k)
    own = logistic_path(rows, penalty, [strength], GRID)[0]
    oracle = LogisticRegression(C=strength, l1_ratio=float(penalty == "l1"), solver="saga", tol=1e-8, max_iter=20_000,
                                random_state=1).fit(rows.values, rows.target, sample_weight=rows.weight)
    reached = objective(own, rows, penalty, strength)
    best = objective(type(own)(oracle.coef_, oracle.intercept_), rows, penalty, strength)
    assert own.has_converged
    assert reached <= best * (1 + 1e-4)


def test_l1_drops_what_does_not_count_and_a_path_ends_where_a_direct_search_does():
    rows = classes(p=30)
    path = logistic_path(rows, "l1", [0.03, 0.1, 0.3], GRID)
    assert (path[0].coefficients != 0).sum() < 10
    direct = logistic_path(rows, "l1", [0.3], GRID)[0]
    np.testing.assert_allclose(path[-1].coefficients, direct.coefficients, atol=0.02)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
@pytest.mark.parametrize("k", [2, 3])
def test_sparse_and_dense_rows_give_the_same_model(penalty, k):
    rows = classes(k=k)
    values = np.where(np.abs(rows.values) > 0.7, rows.values, 0)
    dense = logistic_path(Rows(values, rows.target, rows.weight), penalty, [1.0], GRID)[0]
    sparse = logistic_path(Rows(csr_array(values), rows.target, rows.weight), penalty, [1.0], GRID)[0]
    np.testing.assert_allclose(sparse.coefficients, dense.coefficients, atol=0.05)
    np.testing.assert_allclose(sparse.predict(csr_array(values)), dense.predict(values), atol=0.02)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_constant_duplicated_and_separating_columns_behave(penalty):
    target = np.arange(60) % 2
    separating = target * 2.0 - 1
    values = np.column_stack([np.ones(60), separating, separating, np.zeros(60)])
    model = logistic_path(Rows(values, target, np.ones(60)), penalty, [0.1, 1e3], GRID)[-1]
    prediction = model.predict(values)
    assert np.isfinite(model.coefficients).all()
    assert (prediction > 0).all()
    assert prediction[target == 1, 1].min() > 0.95


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_row_without_weight_has_no_say(penalty):
    rows = classes()
    weight = np.where(np.arange(200) < 150, 200 / 150, 0.0)
    whole = logistic_path(Rows(rows.values, rows.target, weight), penalty, [0.5], GRID)[0]
    part = logistic_path(Rows(rows.values[:150], rows.target[:150], weight[:150]), penalty, [0.5], GRID)[0]
    np.testing.assert_allclose(whole.coefficients, part.coefficients, atol=1e-3)


def test_the_loss_that_is_passed_decides():
    rows = classes(p=10)
    points = GRID.points
    for wanted in range(len(points)):
        calls = []

        def loss(truth, prediction, weight, wanted=wanted, calls=calls):
            calls.append(prediction.shape)
            return 0.0 if len(calls) == wanted + 1 else 1.0

        chosen, reached = choose_logistic(rows, 2, halves(200), GRID, loss)
        assert (chosen, reached) == (points[wanted], 0.0)
        assert calls == [(200, 2)] * len(points)


def test_a_class_that_a_fold_lacks_keeps_a_small_probability():
    rows = classes(n=60)
    target = rows.target.copy()
    target[5] = 2
    seen = []
    choose_logistic(Rows(rows.values, target, rows.weight), 3, halves(60), GRID,
                    lambda truth, prediction, weight: seen.append(prediction) or 0.0)
    np.testing.assert_allclose(seen[0].sum(axis=1), 1)
    np.testing.assert_allclose(seen[0][:30, 2], 1 / 33)  # the first fold's fit part has 30 rows and two classes


def numbers(n=150, p=8, seed=0):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(n, p))
    target = values[:, 0] * 3 - values[:, 1] + generator.normal(size=n) * 0.5 + 7
    return Rows(values, target, generator.uniform(0.5, 1.5, n))


@pytest.mark.parametrize("l1_ratio", [0.1, 1.0])
@pytest.mark.parametrize("make", [np.asarray, csr_array])
def test_elastic_net_agrees_with_scikit_learn(l1_ratio, make):
    from sklearn.linear_model import ElasticNet

    rows = numbers()
    grid = ElasticNetGrid((l1_ratio,), n_alphas=10, smallest_share=1e-3)
    share = float(grid.shares()[6])
    model = fit_elastic_net(Rows(make(rows.values), rows.target, rows.weight), grid, Penalised(l1_ratio, share))
    alpha = share * Squares.of(rows.values, rows.target, rows.weight).largest_alpha(l1_ratio)
    oracle = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-8).fit(rows.values, rows.target, sample_weight=rows.weight)
    np.testing.assert_allclose(model.coefficients, oracle.coef_, atol=1e-3)
    np.testing.assert_allclose(model.intercept, oracle.intercept_, rtol=1e-4)


def test_elastic_net_chooses_little_penalty_for_a_clear_signal_and_much_for_none():
    def mean_square(truth, prediction, weight):
        return float(np.average((truth - prediction) ** 2, weights=weight))

    rows, grid = numbers(), ElasticNetGrid((0.5, 1.0), 15, 1e-4)
    clear, loss = choose_elastic_net(rows, halves(150), grid, mean_square)
    noise = Rows(rows.values, np.random.default_rng(1).normal(size=150), rows.weight)
    none, _ = choose_elastic_net(noise, halves(150), grid, mean_square)
    assert clear.share < 0.1 < none.share
    assert loss < 0.4


def test_elastic_net_copes_with_constant_and_duplicated_columns():
    rows = numbers()
    values = np.column_stack([rows.values, rows.values, np.ones(150)])
    grid = ElasticNetGrid((1.0,), 10, 1e-4)
    model = fit_elastic_net(Rows(values, rows.target, rows.weight), grid, Penalised(1.0, 1e-4))
    assert np.mean((model.predict(values) - rows.target) ** 2) < 0.4
    constant = fit_elastic_net(Rows(np.ones((150, 2)), rows.target, rows.weight), grid, Penalised(1.0, 1e-4))
    np.testing.assert_allclose(constant.predict(np.ones((1, 2))), np.average(rows.target, weights=rows.weight))
