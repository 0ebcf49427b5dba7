"""`compare_suites` on made-up suites: what is paired, what is noise, and which conditions differ."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import simulated_suites

from tabbench.report.suite_differences import differences_json, differences_markdown, differences_text
from tabbench.suite.difference import compare_suites

TABLES = 10


@cache
def suite(seed=0, gain=0.0, **options):
    """Whoever changes one copies it first."""
    random = np.random.default_rng(seed)
    base = np.linspace(0.4, 0.6, TABLES)
    means = {"dummy": [1.0] * TABLES, "linear": list(base + random.normal(0, 0.004, TABLES)),
             "mlp": list(base + 0.01 + random.normal(0, 0.004, TABLES) - gain)}
    return simulated_suites.suite_of(means, **options)


def test_two_runs_with_other_seeds_are_within_noise():
    found = compare_suites(suite(0), suite(3), names=("old", "new"))
    assert found.approaches["approach"].tolist() == ["linear", "mlp"], "a constant prediction has nothing to compare"
    assert found.approaches["decision"].tolist() == ["within_noise"] * 2
    assert (found.approaches["elo_low"] < 0).all()
    assert (found.approaches["elo_high"] > 0).all()
    assert found.sentence.startswith("Over tables no difference is more than noise")
    assert "Elo is within noise: the interval of the difference is −" in differences_text(found)


def test_a_gain_on_all_tables_is_named():
    found = compare_suites(suite(0), suite(1, gain=0.2), names=("old", "new"))
    assert found.approaches.set_index("approach")["decision"].to_dict() == {"linear": "within_noise", "mlp": "second"}
    assert found.sentence.startswith("Over tables mlp is better in new; ")
    assert "in favour of new is more than noise" in differences_text(found)


def test_other_rows_in_the_splits_are_not_paired():
    second = suite(1)
    second = replace(second, splits=second.splits.assign(fingerprint="other"))
    found = compare_suites(suite(0), second)
    assert not found.cells["is_paired"].any()
    assert found.cells["low"].isna().all()
    assert found.approaches["decision"].tolist() == ["within_noise"] * 2, "over tables there is still an answer"
    assert "cannot be told: other splits" in differences_markdown(found)


def test_the_splits_that_both_have_are_compared():
    first, second = suite(0), suite(0, splits=5)
    found = compare_suites(first, second)
    assert found.cells["decision"].tolist() == ["same"] * 2 * TABLES
    assert found.sentence == "the first and the second have the same scores on every split of 10 tables."


def test_what_was_different_is_said():
    first, second = suite(0, absent=1), suite(0)
    second = replace(second, approaches=second.approaches.assign(version=[1, 2, 1]),
                     protocol=second.protocol | {"versions": {"numpy": "3"}},
                     tables=second.tables.assign(seed=[7] * 2 + [0] * (TABLES - 2)))
    second.tables.loc[second.tables["name"] == "t9", "fingerprint"] = "changed"
    found = compare_suites(first, second, names=("old", "new"))
    assert found.conditions == (
        "Not compared, because the content differs: t9.", "Version of numpy: 2 in old, 3 in new.",
        "Version of the approach linear: 1 in old, 2 in new.", "Seed: 0 in old, 7 in new (on t0, t1).")
    assert "t9" not in set(found.cells["table"])


def test_tables_of_one_origin_count_once():
    first = suite(0)
    first = replace(first, tables=first.tables.assign(origin="one"))
    found = compare_suites(first, suite(1, gain=0.2))
    assert found.approaches["decision"].tolist() == ["unknown"] * 2


def test_what_only_one_has_is_said_and_not_compared():
    first = suite(0)
    second = simulated_suites.suite_of({"dummy": [1.0] * 8, "tabm": [0.5] * 8})
    found = compare_suites(first, second, names=("old", "new"))
    assert found.conditions == ("Only in old: tables t8 and t9.", "Only in old: approaches linear and mlp.",
                                "Only in new: approach tabm.")
    assert found.sentence == "old and new have no table and approach in common, so there is nothing to compare."
    assert found.cells.empty
    assert differences_markdown(found).startswith("# tabbench: old and new")


def test_json_is_strict():
    import json

    found = compare_suites(suite(0), suite(1, splits=1))
    values = json.loads(differences_json(found), parse_constant=pytest.fail)
    assert values["cells"][0].keys() == set(found.cells.columns)
    assert pd.DataFrame(values["approaches"])["tables"].tolist() == [TABLES] * 2
