from dataclasses import asdict
from itertools import combinations

import numpy as np
import pytest

from tabbench.verdict.across.decision import Standpoint, fewest_sources
from tabbench.verdict.across.signed_ranks import holm, signed_rank_chance

PLAIN = Standpoint()


def levels(tables, seed=0):
    return np.random.default_rng(seed).uniform(0.3, 0.6, tables)


def noisy(tables, seed, size=0.01):
    return size * np.random.default_rng(seed).standard_normal(tables)


def outcome_of(many, losses, standpoint=PLAIN, **options):
    return many.judged(many.frame_of(losses, **options), standpoint).answer.outcome


def test_a_winner_is_ahead_of_every_other(many):
    level = levels(12)
    outcome = outcome_of(many, {"a": level, "b": level + 0.05 + noisy(12, 1), "c": level + 0.08 + noisy(12, 2)})
    assert asdict(outcome) == {"decision": "winner", "reason": "", "approaches": ("a",), "best": "a", "recommended": "a"}


def test_differences_are_loss_of_the_first_minus_loss_of_the_second(many):
    level = levels(10)
    pairs = many.judged(many.frame_of({"a": level + 0.03, "b": level}), PLAIN).pairs
    (pair,) = pairs.to_dict("records")
    assert pair["difference"] == pytest.approx(3)  # in margins of 0.01
    assert (pair["first_ahead"], pair["decision"]) == (0, "second")
    assert pair["p_second_better"] > 0.99
    assert pair["chance_if_equal"] == pair["chance_all_pairs"] == pytest.approx(2 / 2**10)


def test_listing_order_changes_nothing_but_signs(many):
    level = levels(9)
    losses = {"a": level, "b": level + 0.02 + noisy(9, 1), "c": level + noisy(9, 2)}
    one = many.judged(many.frame_of(losses), PLAIN)
    other = many.judged(many.frame_of(dict(reversed(losses.items()))), PLAIN)
    assert set(one.answer.outcome.approaches) == set(other.answer.outcome.approaches)
    turned = other.pairs.set_index(["second", "first"])
    for pair in one.pairs.to_dict("records"):
        mirror = turned.loc[(pair["first"], pair["second"])]
        assert mirror["difference"] == pytest.approx(-pair["difference"])
        assert mirror["chance_all_pairs"] == pytest.approx(pair["chance_all_pairs"])
        assert mirror["p_second_better"] == pytest.approx(pair["p_first_better"], abs=0.01)


def test_a_top_set_names_the_cheapest_of_those_close_to_the_best(many):
    level = levels(12)
    losses = {"good": level + noisy(12, 1, 0.002), "cheap": level + noisy(12, 2, 0.002), "bad": 1.2 * level}
    cheap_first = Standpoint(cost_ranks={"cheap": 1, "good": 2, "bad": 3})
    outcome = outcome_of(many, losses, cheap_first)
    assert (outcome.decision, set(outcome.approaches), outcome.recommended) == ("top_set", {"good", "cheap"}, "cheap")
    costly_first = Standpoint(cost_ranks={"cheap": 2, "good": 1, "bad": 0})
    assert outcome_of(many, losses, costly_first).recommended == "good"


def test_the_cheapest_is_not_recommended_where_it_is_typically_worse_by_more_than_the_margin(many):
    level = levels(8)
    gap = np.array([0.2, 0.2, 0.2, 0.2, 0.2, -0.3, -0.25, 0.2])
    outcome = outcome_of(many, {"best": level, "cheap": level + gap}, Standpoint(cost_ranks={"cheap": 1, "best": 2}))
    assert (outcome.decision, outcome.best, outcome.recommended) == ("top_set", "best", "best")


def test_identical_approaches_are_practically_equal_and_nobody_wins(many):
    level = levels(8)
    said = many.judged(many.frame_of({"a": level, "b": level}), PLAIN)
    assert said.pairs["decision"].tolist() == ["equal"]
    assert said.pairs["chance_if_equal"].tolist() == [1]
    assert (said.answer.outcome.decision, set(said.answer.outcome.approaches)) == ("top_set", {"a", "b"})


def test_equal_is_not_said_where_most_tables_differ_both_ways(many):
    level = levels(40)
    gap = np.where(np.arange(40) % 2, 1.0, -1.0) * 0.015
    (pair,) = many.judged(many.frame_of({"a": level, "b": level + gap}), PLAIN).pairs.to_dict("records")
    assert abs(pair["difference"]) < 1e-9
    assert pair["p_equal"] > 0.9  # most pairs of tables cancel
    assert (pair["within_margin"], pair["decision"]) == (0, "undecided")


def test_equal_is_not_said_of_few_tables(many):
    said = many.judged(many.frame_of({"a": levels(4), "b": levels(4)}), PLAIN)
    assert said.pairs["decision"].tolist() == ["undecided"]
    assert said.answer.outcome.reason == "few_sources"


@pytest.mark.parametrize("approaches", [2, 3, 5])
def test_with_the_fewest_sources_a_perfect_record_decides_and_with_one_less_nothing_could(many, approaches):
    enough = fewest_sources(approaches, 0.05)
    for tables, decision in ((enough, "winner"), (enough - 1, "none")):
        level = levels(tables)
        losses = {name: level + place * (0.1 + np.abs(noisy(tables, place))) for place, name in enumerate("abcdefg"[:approaches])}
        assert outcome_of(many, losses).decision == decision


def test_variants_of_one_table_are_no_evidence(many):
    level = levels(12)
    losses = {"a": level, "b": 1.2 * level}
    assert outcome_of(many, losses).decision == "winner"
    assert outcome_of(many, losses, sources=["x"] * 8 + ["y", "z", "v", "w"]).reason == "few_sources"
    assert outcome_of(many, losses, sources=["x"] * 12).reason == "one_source"


def test_nothing_wins_that_is_not_better_than_the_constant_predictor(many):
    level = levels(10)
    mixed = np.where(np.arange(10) % 2, 0.1, -0.1)
    losses = {"dummy": level + mixed, "a": level, "b": 2 * level}
    assert outcome_of(many, losses, Standpoint(baselines=["dummy"])).reason == "constant"
    assert outcome_of(many, losses).decision == "top_set"


def test_a_failure_is_a_row_with_the_constants_loss_and_the_verdict_is_told_with_and_without(many):
    level = levels(12)
    losses = {"dummy": 1.5 * level, "a": level, "b": level + 0.05}
    losses["b"][11] = losses["dummy"][11]
    said = many.judged(many.frame_of(losses, imputed={("b", 11)}), Standpoint(baselines=["dummy"]))
    assert said.answer.outcome.approaches == said.without_failures.outcome.approaches == ("a",)
    ranks = said.ranks.set_index("approach")
    assert ranks.loc["b", "failed"] == pytest.approx(1 / 12)
    assert ranks.loc["b", "mean_rank"] == pytest.approx((11 * 2 + 2.5) / 12)
    assert ranks["mean_rank_without_failures"].to_dict() == {"a": 1, "b": 2, "dummy": 3}


def test_there_is_no_verdict_where_failures_make_it(many):
    # a is ahead only where b failed.
    level = levels(12)
    losses = {"dummy": 2 * level, "a": level + noisy(12, 1, 0.001), "b": level.copy()}
    for table in range(7):
        losses["b"][table] = losses["dummy"][table]
    failed = {("b", table) for table in range(7)}
    said = many.judged(many.frame_of(losses, imputed=failed), Standpoint(baselines=["dummy"]))
    assert (said.answer.outcome.decision, said.answer.outcome.reason) == ("none", "disagree")
    assert said.answer.outcome.approaches == ()


def test_there_is_no_verdict_where_more_than_a_fifth_failed(many):
    level = levels(12)
    losses = {"a": level, "b": 1.5 * level}
    failed = {("b", table) for table in range(6)}  # a quarter of the runs
    assert outcome_of(many, losses, imputed=failed).reason == "failed"
    everywhere = {(name, table) for name in losses for table in range(12)}
    said = many.judged(many.frame_of(losses, imputed=everywhere), PLAIN)
    assert said.answer.outcome.reason == said.without_failures.outcome.reason == "failed"
    assert said.ranks["mean_rank_without_failures"].isna().all()


def test_few_tables_stay_few_with_failures(many):
    losses = {"a": levels(3), "b": levels(3) + 0.2}
    said = many.judged(many.frame_of(losses, imputed={("a", 0)}), PLAIN)
    assert said.answer.outcome.reason == said.without_failures.outcome.reason == "few_sources"


def test_everybody_may_be_beaten_by_somebody(many):
    # On a third of the tables each the order is abc, bca or cab, by leads of very different lengths.
    lead = np.repeat(10.0 ** np.linspace(-3, 3, 40), 3)
    place = {name: (np.arange(120) + shift) % 3 for name, shift in (("a", 0), ("b", 1), ("c", 2))}
    said = many.judged(many.frame_of({name: lead * each for name, each in place.items()}, splits=1), PLAIN)
    assert said.pairs["decision"].isin(["first", "second"]).all()
    assert (said.answer.outcome.decision, said.answer.outcome.reason) == ("none", "circle")


def test_equal_approaches_are_rarely_told_apart():
    runs, false = 200, 0
    for seed in range(runs):
        loss = np.random.default_rng(seed).standard_t(4, (14, 4))
        chances = [signed_rank_chance(loss[:, one] - loss[:, other]) for one, other in combinations(range(4), 2)]
        false += holm(np.array(chances)).min() <= PLAIN.alpha
    assert 0 < false <= runs * 0.05 + 2 * np.sqrt(runs * 0.05 * 0.95)


def test_cost_ranks_are_not_needed():
    assert PLAIN.cost_rank("a") == 0
    assert Standpoint(cost_ranks={"a": 3}).cost_rank("a") == 3
