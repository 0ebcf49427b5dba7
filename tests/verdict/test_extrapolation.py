from dataclasses import replace

import numpy as np
import pytest

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.contestants import contestants
from tabbench.verdict.extrapolation import FACTORS, Miss, Obstacle, Refusal, extrapolate

SIZES = (31, 62, 125, 250, 500, 800)
"""Of 1,000 rows in five folds."""


def evidence_from(simulate, curves, *, sizes=SIZES, rows=1_000, noise=0.3, seed=0, repeats=2, **changes):
    """Approaches whose expected losses follow curves; rows differ for all, and a little for each."""
    random = np.random.default_rng(seed)
    common = noise * random.standard_normal(rows)
    losses = {}
    for name, curve in curves.items():
        own = 0.3 * noise * random.standard_normal(rows)
        for size in sizes:
            losses[name, size] = curve(size) + common + own + 0.1 * noise * random.standard_normal(rows)
    return simulate.evidence_of(losses, repeats=repeats, seed=seed, **changes)


def steady(n):
    return 2.0 + 1.0 * (n / 31) ** -0.4


def late(n):
    return 1.9 + 2.115 * (n / 31) ** -0.5


def humped(n):
    return steady(n) + 0.8 * np.exp(-(np.log(n / 800) ** 2))


def test_columns_factors_and_units(simulate):
    found = extrapolate(evidence_from(simulate, {"linear": steady, "mlp": late}))
    assert tuple(found.pairs.columns) == COLUMNS["extrapolation"]
    assert tuple(found.scores.columns) == COLUMNS["extrapolated_scores"]
    assert list(found.pairs["factor"]) == list(FACTORS)
    assert list(found.pairs["refusal"]) == [None, None]
    assert (found.pairs["low"] < found.pairs["difference"]).all() and (found.pairs["difference"] < found.pairs["high"]).all()
    assert list(found.scores["size"]) == [1600, 3200] * 2
    assert (found.scores["low"] < found.scores["mean"]).all() and (found.scores["mean"] < found.scores["high"]).all()


def test_the_truth_lies_within_and_a_sure_leader_is_not_overtaken(simulate):
    found = extrapolate(evidence_from(simulate, {"linear": steady, "mlp": lambda n: steady(n) + 0.4}, noise=0.1)).pairs
    assert ((found["low"] < -0.4) & (found["high"] > -0.4)).all()
    assert set(found["behind"]) == {"mlp"}
    assert (found["p_overtakes"] < 0.05).all() and (found["p_never"] > 0.95).all()
    assert np.isinf(found["n_star"]).all() and np.isinf(found["n_star_high"]).all()


def test_a_crossing_beyond_the_full_size_is_foreseen(simulate):
    # They cross at 1,340 rows by the curves' formulas.
    found = extrapolate(evidence_from(simulate, {"linear": steady, "mlp": late}, noise=0.02)).pairs
    assert set(found["behind"]) == {"mlp"}
    assert found["low"].iloc[0] < steady(1600) - late(1600) < found["high"].iloc[0]
    assert found["low"].iloc[1] < steady(3200) - late(3200) < found["high"].iloc[1]
    last = found.iloc[1]
    assert last["p_overtakes"] > 0.5 and last["p_never"] < 0.5
    assert 800 <= last["n_star_low"] < 1340 < last["n_star_high"]
    assert last["n_star_low"] <= last["n_star"] <= last["n_star_high"]


def test_naming_the_pair_the_other_way_round_turns_the_difference(simulate):
    one = extrapolate(evidence_from(simulate, {"a": steady, "b": late}, noise=0.05)).pairs
    other = extrapolate(evidence_from(simulate, {"a": late, "b": steady}, noise=0.05)).pairs
    np.testing.assert_allclose(one["difference"], -other["difference"], atol=0.05)
    assert one["behind"].iloc[0] != other["behind"].iloc[0]


def test_the_same_evidence_gives_the_same_guess_and_another_seed_a_near_one(simulate):
    evidence = evidence_from(simulate, {"linear": steady, "mlp": late})
    first, again, other = (extrapolate(evidence, seed=seed).pairs for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)
    width = first["high"] - first["low"]
    assert (np.abs(first["difference"] - other["difference"]) < 0.2 * width).all()


def test_a_metric_that_is_better_when_higher_keeps_its_sign(simulate):
    evidence = evidence_from(simulate, {"linear": lambda n: -0.9 + 0.3 * (n / 31) ** -0.5,
                                        "mlp": lambda n: -0.95 + 0.5 * (n / 31) ** -0.5}, noise=0.01)
    found = extrapolate(replace(evidence, metric=replace(evidence.metric, higher_is_better=True))).scores
    assert found["mean"].between(0.8, 1.0).all()
    assert (found["high"] <= 1.0).all() and (found["low"] < found["high"]).all()


def test_without_row_losses_the_splits_alone_tell_the_errors(simulate):
    evidence = evidence_from(simulate, {"linear": steady, "mlp": late})
    found = extrapolate(replace(evidence, row_loss={})).pairs
    assert list(found["refusal"]) == [None, None]
    assert (found["high"] > found["low"]).all()


def refusal(evidence):
    found = extrapolate(evidence)
    (reason,) = set(found.pairs["refusal"])
    assert found.pairs[["difference", "low", "high", "p_overtakes", "n_star", "p_never"]].isna().all(axis=None)
    assert found.scores.empty
    return reason


def test_curves_that_miss_the_larger_sizes_are_refused(simulate):
    reason = refusal(evidence_from(simulate, {"linear": steady, "mlp": humped}, noise=0.02))
    assert reason == Refusal(Obstacle.IRREGULAR, 800, miss=reason.miss)
    assert reason.miss.fitted_to == 250 and reason.miss.is_at_largest
    assert reason.miss.seen == pytest.approx(-0.80, abs=0.005) and not reason.miss.low <= reason.miss.seen <= reason.miss.high


def test_a_miss_between_is_named_as_one_of_the_larger_sizes(simulate):
    def dented(n):
        return steady(n) + (0.8 if n == 500 else 0.0)

    reason = refusal(evidence_from(simulate, {"linear": steady, "mlp": dented}, noise=0.02))
    assert isinstance(reason.miss, Miss) and reason.miss.fitted_to == 250 and not reason.miss.is_at_largest


def test_every_other_refusal_says_its_reason(simulate):
    both = {"linear": steady, "mlp": late}
    usual = evidence_from(simulate, both)
    failed = dict(usual.imputed) | {("mlp", 250): np.arange(10) < 3}
    assert refusal(replace(usual, imputed=failed)) == Refusal(Obstacle.FAILED, 800, "mlp", 3, 60)
    assert refusal(evidence_from(simulate, both, sizes=(125, 250, 500, 800))) == Refusal(Obstacle.FEW_SIZES, 800, count=4, of=5)
    assert refusal(evidence_from(simulate, both, sizes=(250, 400, 500, 600, 700, 800))) == (
        Refusal(Obstacle.FEW_SIZES_BELOW, 800, count=2, of=3))
    assert refusal(evidence_from(simulate, {"linear": steady, "mlp": steady}, noise=0.0)) == (
        Refusal(Obstacle.NO_ERRORS, 800))
    without = {cell: value for cell, value in usual.loss.items() if cell != ("mlp", 800)}
    assert refusal(replace(usual, loss=without)) == Refusal(Obstacle.NOT_RUN, 800, "mlp")


def test_two_splits_are_too_few(simulate):
    evidence = evidence_from(simulate, {"linear": steady, "mlp": late}, sizes=(31, 62, 125, 250, 500), folds=2, repeats=1)
    assert refusal(evidence) == Refusal(Obstacle.FEW_SPLITS, 500, count=2, of=3)
    one = replace(evidence, split=np.zeros(500, dtype=np.int64), unit=evidence.unit[:500],
                  loss={cell: value[:1] for cell, value in evidence.loss.items()},
                  row_loss={cell: value[:500] for cell, value in evidence.row_loss.items()},
                  imputed={cell: value[:1] for cell, value in evidence.imputed.items()})
    assert refusal(one) == Refusal(Obstacle.FEW_SPLITS, 500, count=1, of=3)


def test_sizes_at_which_only_one_was_run_are_left_out(simulate):
    usual = evidence_from(simulate, {"linear": steady, "mlp": late}, sizes=(20, *SIZES))
    lacking = {cell: value for cell, value in usual.loss.items() if cell != ("mlp", 20)}
    found = extrapolate(replace(usual, loss=lacking)).pairs
    assert list(found["refusal"]) == [None, None]


def test_a_size_at_which_both_predict_the_same_is_no_hindrance(simulate):
    usual = evidence_from(simulate, {"linear": steady, "mlp": late})
    alike = {("mlp", 31): usual.loss["linear", 31]}, {("mlp", 31): usual.row_loss["linear", 31]}
    found = extrapolate(replace(usual, loss={**usual.loss, **alike[0]}, row_loss={**usual.row_loss, **alike[1]})).pairs
    assert np.isfinite(found[["difference", "low", "high", "p_overtakes"]].to_numpy(dtype=float)).all()


def test_one_approach_has_nobody_to_be_compared_with(simulate):
    found = extrapolate(evidence_from(simulate, {"dummy": steady, "mlp": late}))
    assert found.pairs.empty and found.scores.empty
    assert tuple(found.pairs.columns) == COLUMNS["extrapolation"]


def test_representatives_the_best_of_each_family_and_own_ones_are_followed(simulate):
    names = ("dummy", "linear", "linear+pca", "xgboost", "lightgbm", "mine")
    losses = dict(zip(names, (9.0, 3.0, 2.0, 2.5, 2.0, 5.0), strict=True))
    families = dict(zip(names, ("baseline", "linear", "linear", "trees", "trees", "own"), strict=True))
    evidence = simulate.evidence_of({(name, 50): np.full(60, value) for name, value in losses.items()},
                                    families=families, representatives=("linear",))
    assert contestants(evidence) == ["linear", "linear+pca", "lightgbm", "mine"]
    one_family = replace(evidence, families={**families, "xgboost": "linear", "lightgbm": "linear", "mine": "linear"},
                         representatives=())
    assert contestants(one_family) == ["linear+pca", "lightgbm"]
    many = simulate.evidence_of({(f"own{place}", 50): np.full(60, float(place)) for place in range(9)}, representatives=(),
                                families={f"own{place}": "own" for place in range(9)})
    assert contestants(many) == [f"own{place}" for place in range(6)]


@pytest.mark.parametrize("tau", [0.12, 0.3])
def test_intervals_hold_where_the_truth_is_known(simulate, tau):
    held, chances, overtaken, refused = [], [], [], 0
    for seed in range(25):
        evidence, _ = simulate.crossing_pair(seed, tau=tau)
        full = evidence.sizes[-1]
        is_first_behind = evidence.mean("ols0", full) > evidence.mean("ols1", full)
        for row in extrapolate(evidence).pairs.to_dict("records"):
            rows = full * row["factor"]
            truth = (1 + tau**2) * (rows - 1) / (rows - 6) - (rows - 1) / (rows - 21)
            refused += bool(row["refusal"])
            if not row["refusal"]:
                held.append(row["low"] <= truth <= row["high"])
                chances.append(row["p_overtakes"])
                overtaken.append(truth < 0 if is_first_behind else truth > 0)
    assert refused <= 10
    assert np.mean(held) >= 0.9
    assert np.mean(chances) == pytest.approx(np.mean(overtaken), abs=0.3)
