import numpy as np
import pandas as pd
import pytest

from tabbench.verdict.across.descriptions import (
    bootstrap_interval,
    bradley_terry,
    elo_ratings,
    expanded_interval,
    improvabilities,
    mean_ranks,
    win_rates,
)
from tabbench.verdict.across.losses import TableLosses


def gathered(many, losses, **options):
    return TableLosses.gather(many.frame_of(losses, **options))


def by_name(frame, column):
    return dict(zip(frame["approach"], frame[column], strict=True))


def test_mean_ranks_share_ties(many):
    ranks = mean_ranks(gathered(many, {"a": [0.1, 0.1], "b": [0.1, 0.3], "c": [0.2, 0.2]}))
    assert by_name(ranks, "mean_rank") == {"a": 1.25, "b": 2.25, "c": 2.5}
    assert (ranks["low"] <= ranks["mean_rank"]).all()
    assert (ranks["high"] >= ranks["mean_rank"]).all()


def test_five_variants_of_one_table_weigh_as_much_as_one(many):
    variants = gathered(many, {"a": [0.1] * 5 + [0.2], "b": [0.2] * 5 + [0.1]}, sources=["x"] * 5 + ["y"])
    once = gathered(many, {"a": [0.1, 0.2], "b": [0.2, 0.1]})
    for describe in (mean_ranks, elo_ratings, improvabilities, win_rates):
        frame, other = (describe(losses).drop(columns="tables", errors="ignore") for losses in (variants, once))
        pd.testing.assert_frame_equal(frame, other)


def test_failures_are_counted_beside_every_rank(many):
    losses = gathered(many, {"a": [0.1, 0.7], "b": [0.2, 0.2]}, imputed={("a", 1)})
    assert by_name(mean_ranks(losses), "failed") == {"a": 0.5, "b": 0.0}


def test_elo_is_centred_finite_and_ordered(many):
    always = elo_ratings(gathered(many, {"a": [0.1] * 6, "b": [0.2] * 6, "c": [0.3] * 6}))
    elo = by_name(always, "elo")
    assert elo["a"] > elo["b"] > elo["c"]
    assert sum(elo.values()) == pytest.approx(3000)
    assert np.isfinite(always[["elo", "low", "high"]].to_numpy(dtype=float)).all()


def test_elo_of_two_is_the_odds_with_one_drawn_table(many):
    elo = by_name(elo_ratings(gathered(many, {"a": [0.1] * 7 + [0.3], "b": [0.2] * 8})), "elo")
    assert elo["a"] - elo["b"] == pytest.approx(400 * np.log10(7.5 / 1.5))


def test_identical_approaches_have_the_same_numbers(many):
    losses = gathered(many, {"a": [0.1, 0.4], "b": [0.1, 0.4]})
    assert by_name(mean_ranks(losses), "mean_rank") == {"a": 1.5, "b": 1.5}
    assert by_name(elo_ratings(losses), "elo") == pytest.approx({"a": 1000, "b": 1000})
    assert by_name(improvabilities(losses), "improvability") == {"a": 0, "b": 0}
    assert by_name(win_rates(losses), "win_rate") == {"a": 0.5, "b": 0.5}


def test_elo_of_many_resamples_is_each_ones_own():
    wins = np.random.default_rng(0).gamma(2, 2, (5, 4, 4))
    assert bradley_terry(wins) == pytest.approx(np.array([bradley_terry(each) for each in wins]))


def test_improvability_keeps_metrics_apart_and_leaves_out_those_without_a_perfect_score(many):
    frame = pd.concat([
        many.frame_of({"a": [0.2], "b": [0.4]}, splits=1),
        many.frame_of({"a": [-0.9], "b": [-0.8]}, metric="auc", perfect=-1.0, splits=1).assign(table="u", source="u"),
        many.frame_of({"a": [-5.0], "b": [3.0]}, metric="profit", perfect=np.nan, splits=1).assign(table="v", source="v")])
    found = improvabilities(TableLosses.gather(frame))
    assert found["metric"].tolist() == ["log_loss", "log_loss", "auc", "auc"]
    assert found["improvability"].tolist() == pytest.approx([0, 0.5, 0, 0.5])
    assert found["low"].isna().all()  # one table of each metric
    assert improvabilities(TableLosses.gather(frame[frame["metric"] == "profit"])).empty


def test_nothing_is_left_to_improve_at_a_perfect_score(many):
    frame = many.frame_of({"a": [0.0], "b": [0.5], "c": [0.0]}, splits=1)
    assert by_name(improvabilities(TableLosses.gather(frame)), "improvability") == {"a": 0, "b": 1, "c": 0}


def test_win_rates_use_every_size_in_its_bucket(many):
    frame = pd.concat([many.frame_of({"a": [0.5], "b": [0.6], "c": [0.7]}, size=200),
                       many.frame_of({"a": [0.5], "b": [0.4], "c": [0.7]}, size=900),
                       many.frame_of({"a": [0.3], "b": [0.2], "c": [0.2]}, size=200_000)])
    found = win_rates(TableLosses.gather(frame))
    assert found["from_rows"].unique().tolist() == [0, 100_000]
    small, large = found[found["from_rows"] == 0], found[found["from_rows"] == 100_000]
    assert by_name(small, "win_rate") == {"a": 0.75, "b": 0.75, "c": 0.0}
    assert by_name(large, "win_rate") == {"a": 0.0, "b": 0.75, "c": 0.75}
    assert large["to_rows"].isna().all()
    assert set(found["tables"]) == {1}


def test_one_approach_wins_against_nobody(many):
    losses = gathered(many, {"a": [0.1, 0.2]})
    assert win_rates(losses).empty
    assert by_name(mean_ranks(losses), "mean_rank") == {"a": 1.0}
    assert by_name(elo_ratings(losses), "elo") == {"a": 1000}


def test_intervals_hold_what_they_promise_about_the_mean():
    random = np.random.default_rng(0)
    hits = [low[0] <= 0 <= high[0] for low, high in
            (bootstrap_interval(random.standard_normal((40, 1)), 0) for _ in range(150))]
    assert 0.90 <= np.mean(hits) <= 0.98


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others(many):
    losses = gathered(many, {"a": np.linspace(0.1, 0.4, 9), "b": np.linspace(0.4, 0.2, 9)})
    pd.testing.assert_frame_equal(improvabilities(losses, 1), improvabilities(losses, 1))
    assert not improvabilities(losses, 1).equals(improvabilities(losses, 2))


def test_an_interval_of_few_sources_is_wider_than_percentiles_and_of_many_hardly():
    draws = np.random.default_rng(0).standard_normal((100_000, 1))
    few, many_sources = (expanded_interval(draws, sources)[1][0] for sources in (8, 1_000))
    assert few == pytest.approx(2.3646 * np.sqrt(8 / 7), abs=0.05)
    assert many_sources == pytest.approx(1.96, abs=0.02)
