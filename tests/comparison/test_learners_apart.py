"""Learners in a process of their own answer as those of this process, and the checks find the same by them."""

import numpy as np
import pandas as pd
import pytest

from tabbench.checks.learners import LEARNERS, LearnersHere
from tabbench.comparison import learners_apart as apart
from tabbench.comparison.check import check
from tabbench.options import Options

RANDOM = np.random.default_rng(0)
POINTS, QUERIES = RANDOM.normal(size=(300, 4)), RANDOM.normal(size=(50, 4))
LABELS = (POINTS[:, 0] > 0).astype(np.int64) + (POINTS[:, 1] > 1)
NOMINAL = np.zeros(4, dtype=bool)
QUESTIONS = {
    "classes": ("boosted_trees", (POINTS, LABELS, NOMINAL, QUERIES), {"is_regression": False, "max_iter": 5}),
    "numbers": ("boosted_trees", (POINTS, POINTS.sum(axis=1), NOMINAL, QUERIES), {"is_regression": True, "max_iter": 5}),
    "tree": ("tree", (POINTS[:, :1], POINTS[:, 1:3], QUERIES[:, :1]), {"max_depth": 3}),
    "neighbours": ("neighbours", (POINTS.T.copy().T, QUERIES), {"count": 5}),
}


@pytest.fixture(name="learners")
def started(monkeypatch):
    """As in a process that has not imported scikit-learn yet."""
    monkeypatch.setattr(apart, "MODULES", ("not.imported",))
    with apart.learners_apart() as learners:
        yield learners


def test_every_learner_is_asked_below():
    assert {name for name, *_ in QUESTIONS.values()} == set(LEARNERS)


def test_a_process_of_its_own_answers_bit_for_bit_as_this_one_in_any_order(learners):
    asked = {title: learners.ask(name, *arrays, **settings) for title, (name, arrays, settings) in QUESTIONS.items()}
    for title, (name, arrays, settings) in reversed(QUESTIONS.items()):
        np.testing.assert_array_equal(asked[title](), LearnersHere().ask(name, *arrays, **settings)())


def test_where_the_process_has_died_this_one_answers(monkeypatch):
    monkeypatch.setattr(apart, "MODULES", ("not.imported",))
    monkeypatch.setattr(apart, "CALL", [apart.sys.executable, "-c", "raise SystemExit(1)"])
    name, arrays, settings = QUESTIONS["classes"]
    with apart.learners_apart() as learners:
        np.testing.assert_array_equal(learners.ask(name, *arrays, **settings)(), LEARNERS[name](*arrays, **settings))


def test_where_no_process_can_be_started_or_scikit_learn_is_there_this_one_is_asked(monkeypatch):
    with apart.learners_apart() as learners:
        assert learners is None  # the test has imported it
    monkeypatch.setattr(apart, "MODULES", ("not.imported",))
    monkeypatch.setattr(apart, "CALL", ["/nowhere/python"])
    with apart.learners_apart() as learners:
        assert learners is None


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_checks_find_the_same_by_them(learners, kind):
    rows = np.random.default_rng(1)
    frame = pd.DataFrame(rows.normal(size=(400, 3)), columns=list("abc"))
    score = frame["a"] + 0.1 * rows.normal(size=400)
    frame["y"] = score if kind == "numbers" else np.where((score > 0) ^ (rows.random(400) < 0.2), "yes", "no")
    if kind == "numbers":
        frame.loc[[3, 70, 200, 390], "y"] *= 1_000
    here = check(frame, Options(target="y").checked()).prepared.findings
    assert {"label-noise", "doubtful-target"} & {finding.code for finding in here}
    assert check(frame, Options(target="y").checked(), learners).prepared.findings == here
