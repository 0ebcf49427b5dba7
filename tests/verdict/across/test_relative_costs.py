import pandas as pd
import pytest

from tabbench.verdict.across.relative_costs import relative_costs

OWN = {"a": "a", "b": "b"}
"""Each table is its own source."""


def cells(seconds, size=100, table="a"):
    return pd.DataFrame([(table, name, size, value) for name, values in seconds.items() for value in values],
                        columns=["table", "approach", "size", "fit_seconds"])


def test_times_are_multiples_of_the_reference_on_the_same_table_so_that_a_slow_machine_changes_nothing():
    fast = cells({"linear": [1.0, 3.0], "mlp": [8.0, 8.0]})
    slow = cells({"linear": [10.0, 30.0], "mlp": [10.0, 10.0]}, table="b")
    found = relative_costs(pd.concat([fast, slow]), OWN, 0).set_index(["bucket", "approach"])
    assert found.loc[("all", "mlp"), "fit_time"] == pytest.approx((4 * 0.5) ** 0.5), "a geometric mean"
    assert found.loc[("all", "linear"), ["fit_time", "low", "high"]].tolist() == [1, 1, 1]
    assert found.loc[("all", "mlp"), "low"] == pytest.approx(0.5)


def test_a_table_counts_at_its_largest_size_of_each_bucket():
    both = pd.concat([cells({"linear": [1.0], "mlp": [2.0]}), cells({"linear": [1.0], "mlp": [6.0]}, size=900)])
    found = relative_costs(both, OWN, 0).set_index(["bucket", "approach"])["fit_time"]
    assert found["all", "mlp"] == found["501 to 2,000", "mlp"] == 6
    assert found["up to 500", "mlp"] == 2


def test_without_the_reference_there_are_none():
    assert relative_costs(cells({"mlp": [2.0]}), OWN, 0).empty
    assert relative_costs(cells({"linear": [0.0], "mlp": [2.0]}), OWN, 0).empty


def test_tables_of_one_source_count_once():
    seconds = {"a": 2.0, "b": 8.0, "c": 16.0}
    three = pd.concat([cells({"linear": [1.0], "mlp": [each]}, table=table) for table, each in seconds.items()])
    row = relative_costs(three, {"a": "one", "b": "one", "c": "two"}, 0).set_index(["bucket", "approach"]).loc[("all", "mlp")]
    assert (row["tables"], row["fit_time"], row["low"], row["high"]) == (3, pytest.approx(8), pytest.approx(4), pytest.approx(16))
