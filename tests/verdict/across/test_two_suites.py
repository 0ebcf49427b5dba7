import numpy as np
import pytest

from tabbench.verdict.across.two_suites import TwoLosses, compare_approaches, compare_cells, elo_gaps


def losses(table, approach, first, second, *, is_paired=True):
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return TwoLosses(table, table, approach, 100, first.mean(), second.mean(), first, second, is_paired, 0.25)


def many(seed, gain=0.0, tables=12, noise=1.0, splits=5, approaches=("linear", "mlp")):
    """Two runs in which the second one's mlp is better by `gain`, and all else is noise."""
    random = np.random.default_rng(seed)
    found = []
    for table in range(tables):
        for name in approaches:
            base = random.normal(0, 5, splits) + (3 if name == "mlp" else 0)
            found.append(losses(f"t{table}", name, base, base + random.normal(0, noise, splits) - gain * (name == "mlp")))
    return found


def test_one_table_is_compared_by_the_corrected_t_test():
    difference = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    (row,) = compare_cells([losses("t", "mlp", np.zeros(5), difference)], 0.05).to_dict("records")
    error = np.sqrt((1 / 5 + 0.25) * 2.5)
    assert (row["low"], row["high"]) == pytest.approx((3 - 2.7764 * error, 3 + 2.7764 * error), abs=1e-3)
    assert row["chance"] == pytest.approx(0.0474, abs=1e-4)


def test_equal_scores_are_the_same_and_other_splits_cannot_be_told():
    found = compare_cells([losses("t", "a", [1, 2], [1, 2]), losses("t", "b", [1, 2], [5, 5], is_paired=False),
                           losses("t", "c", [1], [2])], 0.05)
    assert found["decision"].tolist() == ["same", "unknown", "unknown"]
    assert found["low"].isna().tolist() == [False, True, True]


def test_a_shift_that_is_the_same_on_every_split_says_nothing_of_their_spread():
    (row,) = compare_cells([losses("t", "a", [1, 2, 3], [2, 3, 4])], 0.05).to_dict("records")
    assert (row["decision"], row["difference"]) == ("unknown", 1) and np.isnan([row["low"], row["high"], row["chance"]]).all()


def test_noise_is_rarely_called_a_change():
    decided = [compare_approaches(many(seed), 1.0, 0.05, 0)["decision"].isin(["first", "second"]).any() for seed in range(30)]
    assert np.mean(decided) <= 0.1


def test_a_gain_on_every_table_is_found_and_is_a_gap_in_elo():
    found = compare_approaches(many(0, gain=4.0), 1.0, 0.05, 0).set_index("approach")
    assert found.loc["mlp", "decision"] == "second"
    assert found.loc["mlp", "elo_low"] > 0
    assert found.loc["mlp", "p_second_better"] > 0.95
    assert found.loc["linear", "decision"] == "within_noise"
    assert found.loc["linear", "elo_low"] < 0 < found.loc["linear", "elo_high"]
    assert found.loc["mlp", "low"] < found.loc["mlp", "difference"] < found.loc["mlp", "high"] < 0


def test_two_runs_of_one_system_have_no_gap():
    same = [losses(f"t{table}", "mlp", [table, 1.0], [table, 1.0]) for table in range(8)]
    assert elo_gaps(same, 0) == {"mlp": pytest.approx((0.0, 0.0, 0.0), abs=1e-6)}
    assert compare_approaches(same, 1.0, 0.05, 0)["decision"].tolist() == ["same"]


def test_few_tables_tell_nothing_over_tables():
    few = compare_approaches(many(0, gain=50.0, tables=5), 1.0, 0.05, 0)
    assert few["decision"].tolist() == ["unknown", "unknown"]


def test_tables_of_one_source_count_once():
    twice = [TwoLosses(f"t{number}", "one", "mlp", 100, 0.0, 1.0, np.zeros(2), np.ones(2), True, 0.25) for number in range(9)]
    assert compare_approaches(twice, 1.0, 0.05, 0)["decision"].tolist() == ["unknown"]
