"""What many tables say together, from frames alone."""

from simulated_suites import suite_of

from tabbench.suite.over_tables import over_tables

MEANS = {"dummy": [1.0] * 12, "linear": [0.5] * 12, "lightgbm": [0.4] * 12}


def test_tables_of_one_origin_count_once_together():
    suite = suite_of(MEANS)
    apart = over_tables(suite.tables, suite.scores, suite.approaches, 0)["verdicts"].iloc[0]
    assert (apart["tables"], apart["sources"], apart["decision"]) == (12, 12, "winner")
    together = suite.tables.assign(origin=["one"] * 10 + [None, None])
    verdict = over_tables(together, suite.scores, suite.approaches, 0)["verdicts"].iloc[0]
    assert (verdict["tables"], verdict["sources"], verdict["decision"]) == (12, 3, "none")
