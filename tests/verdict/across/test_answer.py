"""The numbers beside a decision over tables."""

import numpy as np
import pandas as pd
import pytest

from tabbench.verdict.across.decision import Standpoint, fewest_sources

STANDPOINT = Standpoint(baselines=["dummy"], cost_ranks={"dummy": 0, "linear": 1, "boosting": 2, "mlp": 3})
LEVEL = np.linspace(0.3, 0.6, 12)
TURNS = np.where(np.arange(12) % 2, 1.0, -1.0) * np.linspace(0.5, 1.5, 12)
THREE = {"dummy": 1.5 * LEVEL, "linear": LEVEL, "mlp": LEVEL + 0.05 + 0.001 * TURNS}


def test_a_winner_is_told_against_the_closest_other(many):
    found = many.judged(many.frame_of(THREE), STANDPOINT)
    answer, lead = found.answer, found.answer.lead
    assert (answer.compared, answer.tables, answer.sources, answer.failed) == (("dummy", "linear", "mlp"), 12, 12, 0.0)
    assert answer.fewest_sources == fewest_sources(3, 0.05)
    assert (lead.other, lead.is_over_constant, lead.ahead, lead.is_too_little) == ("mlp", False, 12, False)
    chances = found.pairs.set_index(["first", "second"])["chance_all_pairs"]
    assert lead.chance == pytest.approx(chances["linear", "mlp"])


def test_ties_count_half_and_small_leads_are_too_little(many):
    close = many.judged(many.frame_of({**THREE, "mlp": LEVEL + 0.004 + 0.003 * TURNS}), STANDPOINT).answer.lead
    assert (close.other, close.ahead, close.is_too_little) == ("mlp", 11, True)
    alone = many.judged(many.frame_of({name: THREE[name] for name in ("dummy", "linear")}), STANDPOINT).answer.lead
    assert (alone.other, alone.is_over_constant, alone.ahead) == ("dummy", True, 12)


def test_a_top_set_has_no_lead_and_may_be_equal(many):
    tied = many.judged(many.frame_of({**THREE, "mlp": LEVEL + 0.06 * TURNS - 0.001}), STANDPOINT).answer
    equal = many.judged(many.frame_of({**THREE, "mlp": LEVEL + 0.001 * TURNS}), STANDPOINT).answer
    assert tied.lead is equal.lead is None
    assert (tied.are_equal, equal.are_equal) == (False, True)


def test_what_is_left_out_and_counts_at_smaller_sizes_is_known(many):
    large = many.frame_of(THREE)
    is_kept = (large["approach"] != "mlp") | ~large["table"].isin(["t0", "t5"])
    lacking = many.judged(large[is_kept], STANDPOINT)
    assert (lacking.absent, lacking.left_out, lacking.smaller) == (("mlp",), (), 0)
    fewer = many.judged(large[is_kept], STANDPOINT, ["linear", "mlp"])
    assert (fewer.absent, set(fewer.left_out)) == ((), {"t0", "t5"})
    both = many.judged(pd.concat([many.frame_of(THREE, size=100), large[is_kept]]), STANDPOINT)
    assert both.smaller == 2


def test_without_failures_is_an_answer_of_its_own(many):
    losses = {**THREE, "mlp": np.r_[THREE["dummy"][:1], THREE["mlp"][1:]]}
    found = many.judged(many.frame_of(losses, imputed={("mlp", 0)}), STANDPOINT)
    assert (found.answer.tables, found.without_failures.tables) == (12, 11)
    assert found.without_failures.failed == 0 < found.answer.failed
    everywhere = {(name, table) for name in losses for table in range(12)}
    assert many.judged(many.frame_of(losses, imputed=everywhere), STANDPOINT).without_failures.tables == 0
