"""What is said of feature selection: stability, traced columns, what the pairs say; a planted table and a table of signal."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabbench.core.comparison import COLUMNS
from tabbench.verdict.evidence import build_evidence
from tabbench.verdict.judge import judge
from tabbench.verdict.scoring import Question
from tabbench.verdict.selection import effect_of, selection_frame, source_columns, stability

SIZES = (60, 120, 240, 480)


def pairs_of(*rows):
    return pd.DataFrame(rows, columns=list(COLUMNS["pairs"][:7]))


def test_stability_of_known_cases():
    same = np.tile([True, True, False, False], (5, 1))
    assert stability(same) == pytest.approx(1)
    assert stability(np.array([[True, False], [False, True]])) == pytest.approx(-1)
    assert stability(np.ones((3, 4), dtype=bool)) is None
    assert stability(np.zeros((3, 4), dtype=bool)) is None
    assert stability(same[:1]) is None
    random = np.random.default_rng(0).random((400, 60)) < 0.3
    assert stability(random) == pytest.approx(0, abs=0.01)


@given(arrays(bool, st.tuples(st.integers(2, 6), st.integers(1, 7))))
def test_stability_is_at_most_one_and_knows_no_order(chosen):
    value = stability(chosen)
    if value is None:
        assert chosen.all() or not chosen.any()
    else:
        assert value <= 1 + 1e-12
        assert stability(chosen[::-1, ::-1]) == pytest.approx(value)
        assert (value > 1 - 1e-12) == (chosen == chosen[0]).all()


def test_features_are_traced_to_the_longest_column():
    columns = ["a", "a b", "day", "note"]
    assert source_columns(["a b=x", "a (missing)", "day weekday", "note 3"], columns) == {"a", "a b", "day", "note"}
    assert source_columns(["a b", "ab", "b=a"], columns) == {"a b"}


def test_one_row_an_approach_and_size():
    choices = {("linear+forest", 100): [["x", "c=1", "c=2"], ["x"], ["x", "c (missing)"], ["x", "z"]],
               ("linear+pca", 100): [None, None, None, None]}
    pairs = pairs_of(("linear", "linear+forest", 100, 0.1, 0.05, 0.2, "second"),
                     ("linear", "linear+pca", 100, 0, -1, 1, "undecided"))
    frame = selection_frame(choices, ["x", "c", "y", "z"], pairs)
    assert tuple(frame.columns) == COLUMNS["selection"]
    forest, pca = frame.to_dict("records")
    assert forest["n_selected_mean"] == 1.75
    assert forest["chosen"] == [{"feature": "x", "share_of_splits": 1.0}, {"feature": "c", "share_of_splits": 0.5},
                                {"feature": "z", "share_of_splits": 0.25}]
    assert 0 < forest["stability"] < 1
    assert (forest["base"], forest["effect"]) == ("linear", "helps")
    assert (pca["chosen"], pca["effect"]) == ([], "undecided")
    assert pd.isna(pca["stability"])


@pytest.mark.parametrize(("first", "second", "decision", "effect"), [
    ("a", "a+b", "second_materially", "helps"), ("a", "a+b", "first", "hurts"), ("a+b", "a", "first_materially", "helps"),
    ("a+b", "a", "second", "hurts"), ("a", "a+b", "equal", "equal"), ("a", "c", "first", None)])
def test_effects_in_either_order(first, second, decision, effect):
    pairs = pairs_of((first, second, 10, 0.0, 0.0, 0.0, decision), (first, second, 20, 0.0, 0.0, 0.0, "undecided"))
    assert effect_of("a+b", "a", 10, pairs) == effect


def effects_on(simulate, noise, seed):
    """Least squares on ten columns that count and some of noise, and the same on the ten most correlated columns."""
    random = np.random.default_rng([7, seed])
    features = random.standard_normal((600, 10 + noise))
    target = features[:, :10].sum(axis=1) * 0.5 + random.standard_normal(600)
    plan = simulate.random_folds(600, 5, 2, seed)
    kept = {}

    def predict(name, size, index):
        split = plan.splits[index]
        rows, chosen = split.train[:size], np.arange(10 + noise)
        if name == "ols+best":
            correlation = np.abs(features[rows].T @ (target[rows] - target[rows].mean()))
            chosen = np.sort(np.argsort(-correlation)[:10])
            kept.setdefault((name, size), []).append([f"x{place}" for place in chosen])
        cross = features[rows][:, chosen]
        slopes = np.linalg.solve(cross.T @ cross + np.eye(len(chosen)), cross.T @ target[rows])
        return features[split.test][:, chosen] @ slopes

    names = ["ols", "ols+best"]
    evidence = build_evidence(
        Question(simulate.task, target, plan), simulate.metric, predict, [(name, size) for name in names for size in SIZES],
        approaches=names, families=dict.fromkeys(names, "linear"), cost_ranks={"ols": 0, "ols+best": 1}, representatives=["ols"],
        margin=0.01)
    pairs = judge(evidence, full_size=SIZES[-1]).pairs
    return selection_frame(kept, [f"x{place}" for place in range(10 + noise)], pairs)


def test_planted_noise_is_found_at_small_sizes(simulate):
    frame = effects_on(simulate, 200, 0)
    assert "helps" in set(frame["effect"][:3])
    assert not (frame["effect"] == "hurts").any()
    assert (np.diff(frame["stability"]) > 0).all()


def test_on_signal_alone_no_help_is_claimed(simulate):
    for seed in range(5):
        frame = effects_on(simulate, 2, seed)
        assert "helps" not in set(frame["effect"])
