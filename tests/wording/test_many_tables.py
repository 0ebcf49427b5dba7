"""Every kind of outcome over tables has exactly one plain sentence."""

import re

import numpy as np
import pandas as pd
import pytest

from tabbench.verdict.across.decision import Standpoint
from tabbench.wording.many_tables import answer_sentence, closing_sentence

BASELINE = Standpoint(baselines=["dummy"], cost_ranks={"dummy": 0, "linear": 1, "boosting": 2, "mlp": 3})
LEVEL = np.linspace(0.3, 0.6, 12)
TURNS = np.where(np.arange(12) % 2, 1.0, -1.0) * np.linspace(0.5, 1.5, 12)


def sentence(many, losses, standpoint=BASELINE, approaches=None, repeated=None, presets=(), **options):
    return closing_sentence(many.judged(many.frame_of(losses, **options), standpoint, approaches), repeated=repeated,
                            presets=presets)


def three(mlp=0.05):
    return {"dummy": 1.5 * LEVEL, "linear": LEVEL, "mlp": LEVEL + mlp + 0.001 * TURNS}


def test_winner(many):
    assert sentence(many, three()) == (
        "Over 12 tables, linear wins: it is ahead of mlp, the closest other, on 12 of 12 tables; if the two were equal, a lead "
        "this consistent would be seen in at most 1 of 680 such collections of tables, all comparisons counted.")


def test_winner_over_one_other(many):
    losses = {"dummy": 1.5 * LEVEL[:6], "linear": LEVEL[:6]}
    assert sentence(many, losses) == (
        "Over 6 tables, linear wins: it is ahead of a constant prediction on 6 of 6 tables; if the two were equal, a lead this "
        "consistent would be seen in at most 1 of 32 such collections of tables.")


def test_winner_beyond_doubt(many):
    level = np.linspace(0.3, 0.6, 30)
    assert sentence(many, {"dummy": 1.5 * level, "linear": level - np.linspace(0, 0.01, 30)}) == (
        "Over 30 tables, linear wins: it is ahead of a constant prediction on 30 of 30 tables; if the two were equal, a lead "
        "this consistent would be seen in fewer than 1 of 10,000 such collections of tables.")


def test_winner_by_too_little(many):
    losses = {"dummy": 1.5 * LEVEL, "linear": LEVEL, "mlp": LEVEL + 0.004 + 0.003 * TURNS}
    assert sentence(many, losses) == (
        "Over 12 tables, linear wins: it is ahead of mlp, the closest other, on 11 of 12 tables, though typically by too little "
        "to matter; if the two were equal, a lead this consistent would be seen in at most 1 of 680 such collections of tables, "
        "all comparisons counted.")


def test_top_set(many):
    losses = {**three(), "boosting": LEVEL + 0.06 * TURNS - 0.001}
    del losses["mlp"]
    assert sentence(many, losses) == (
        "Over 12 tables, no single approach wins: linear and boosting are not separated; take linear, which has the best mean "
        "rank.")


def test_top_set_with_the_simplest_named(many):
    losses = {"dummy": 1.5 * LEVEL, "boosting": LEVEL, "mlp": 1.3 * LEVEL + 0.01 * TURNS,
              "linear": LEVEL + np.where(np.arange(12) < 7, 0.003, -0.008) * np.linspace(0.9, 1.1, 12)}
    assert sentence(many, losses) == (
        "Over 12 tables, no single approach wins: boosting and linear are practically equal; take linear, the simplest of those "
        "close to the best.")


def test_ahead_but_not_of_everybody(many):
    # The order is mostly abc, else bca or cab: a beats b, b beats c, but a is hardly ahead of c.
    kind = np.tile([0, 1, 0, 2, 0, 1, 0, 2, 0, 1], 12)
    place = {"a": np.array([0, 2, 1]), "b": np.array([1, 0, 2]), "c": np.array([2, 1, 0])}
    lead = 10.0 ** np.linspace(-3, 3, 120)
    assert sentence(many, {name: lead * each[kind] for name, each in place.items()}, splits=1) == (
        "Over 120 tables, a is ahead, but it is not shown to be better than every other approach; take a.")


def test_nothing_better_than_a_constant(many):
    assert sentence(many, {"dummy": LEVEL, "linear": LEVEL + 0.1 * TURNS}) == (
        "Over 12 tables, nothing is shown to be better than a constant prediction.")


def test_few_tables(many):
    losses = {name: loss[:5] for name, loss in three().items()}
    assert sentence(many, losses) == (
        "Over 5 tables, nothing can be decided between 3 approaches: even being ahead on every table could be chance; at "
        "least 7 tables from different sources are needed.")


def test_sources(many):
    sources = ["x"] * 8 + list("abcd")
    assert sentence(many, three(), sources=sources).startswith(
        "Over 12 tables from 5 sources, nothing can be decided between 3 approaches")


@pytest.mark.parametrize(("tables", "expected"), [
    (1, "One table says nothing about other tables, so there is no verdict over tables."),
    (3, "3 tables from one source say nothing about other tables, so there is no verdict over tables.")])
def test_one_source(many, tables, expected):
    losses = {name: loss[:tables] for name, loss in three().items()}
    assert sentence(many, losses, sources=["x"] * tables) == expected


def test_the_same_table_twice(many):
    losses = {name: loss[:2] for name, loss in three().items()}
    assert sentence(many, losses, sources=["x", "x"], repeated={"adult": 2}) == (
        "2 tables from one source say nothing about other tables, so there is no verdict over tables; adult was given twice and "
        "counts once.")
    assert "adult was given 3 times and counts once" in sentence(many, losses, repeated={"adult": 3})


def test_failures(many):
    failed = {(name, table) for name in ("linear", "mlp") for table in range(5)}
    assert sentence(many, three(), imputed=failed) == (
        "Over 12 tables, there is no verdict, because 28% of the runs failed.")


def test_failures_that_decide(many):
    losses = three(mlp=0.0)
    losses["mlp"][:6] = losses["dummy"][:6]
    failed = {("mlp", table) for table in range(6)}
    assert sentence(many, losses, imputed=failed) == (
        "Over 12 tables, there is no verdict, because failed runs would decide it: counted as constant predictions, linear wins; "
        "without the 6 tables on which something failed, nothing is decided.")


@pytest.mark.parametrize(("shift", "expected"), [
    (TURNS, "linear and mlp are not worse than any"), (-0.05 + 0 * TURNS, "mlp wins")])
def test_failures_that_turn_the_verdict(many, shift, expected):
    level = np.linspace(0.3, 0.6, 20)
    mlp = level + 0.01 * np.resize(shift, 20)
    mlp[:12] = level[:12] + 0.2
    losses = {"dummy": 1.5 * level, "linear": level, "mlp": mlp}
    text = sentence(many, losses, imputed={("mlp", table) for table in range(12)})
    assert text == ("Over 20 tables, there is no verdict, because failed runs would decide it: counted as constant predictions, "
                    f"linear wins; without the 12 tables on which something failed, {expected}.")


def test_without_failures_has_a_sentence_of_its_own(many):
    losses = three()
    losses["mlp"][0] = losses["dummy"][0]
    said = many.judged(many.frame_of(losses, imputed={("mlp", 0)}), BASELINE)
    assert closing_sentence(said).startswith("Over 12 tables, linear wins: ")
    assert answer_sentence(said.without_failures).startswith("Over 11 tables, linear wins: ")
    everywhere = {(name, table) for name in losses for table in range(12)}
    said = many.judged(many.frame_of(losses, imputed=everywhere), BASELINE)
    assert answer_sentence(said.without_failures) == "On every table something failed, so that nothing is left without them."


def test_circle(many):
    lead = np.repeat(10.0 ** np.linspace(-3, 3, 40), 3)
    losses = {name: lead * ((np.arange(120) + shift) % 3) for name, shift in (("a", 0), ("b", 1), ("c", 2))}
    assert sentence(many, losses, splits=1) == (
        "Over 120 tables, there is no order: each approach is shown to be worse than another one.")


def test_too_few_approaches(many):
    assert sentence(many, three(), approaches=["mlp"]) == (
        "There is no verdict over tables, because only mlp is compared.")


def test_what_is_left_out_is_named(many):
    frame = many.frame_of(three())
    frame = frame[(frame["approach"] != "mlp") | (frame["table"] != "t3")]
    assert closing_sentence(many.judged(frame, BASELINE)).endswith("; mlp was left out, because not every table has it.")
    assert closing_sentence(many.judged(frame, BASELINE, ["linear", "mlp"])).endswith(
        "; one table was left out, because not all of these approaches were run there.")


def test_smaller_sizes_are_told(many):
    small = many.frame_of(three(), size=100)
    large = many.frame_of(three())
    is_kept = (large["approach"] != "mlp") | ~large["table"].isin(["t0", "t5"])
    said = many.judged(pd.concat([small, large[is_kept]]), BASELINE)
    assert closing_sentence(said).endswith(
        "; 2 tables count at a smaller size than the largest, at which not all of these approaches were run.")


def test_different_efforts_are_named(many):
    assert sentence(many, three(), presets=["fast"] * 6 + ["balanced"] * 6).endswith(
        "; the runs differ in effort (balanced and fast).")


def test_no_word_that_hides_what_is_meant(many):
    texts = [sentence(many, three()), sentence(many, three(0.0)), sentence(many, {"dummy": LEVEL, "linear": LEVEL})]
    assert not any(re.search(r"significan|p[- ]?value|p\s*[<=]", text) for text in texts)
