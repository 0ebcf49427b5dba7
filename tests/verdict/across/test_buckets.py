import numpy as np
import pandas as pd
import pytest

from tabbench.verdict.across.buckets import SIZE_BUCKETS, bucket_of, judge_buckets, mean_win_rates, widely_run
from tabbench.verdict.across.decision import Standpoint

STANDPOINT = Standpoint(["dummy"], {"dummy": 0, "linear": 1, "trees": 2})


def at(many, size, tables=8, **losses):
    return many.frame_of({name: [mean + 0.002 * table for table in range(tables)] for name, mean in losses.items()}, size=size)


def test_a_table_counts_in_each_bucket_at_its_largest_size_within_it(many):
    small = at(many, 200, dummy=1.0, linear=0.5, trees=0.7)
    middle = at(many, 400, dummy=1.0, linear=0.6, trees=0.8)
    large = at(many, 3_000, dummy=1.0, linear=0.6, trees=0.3)
    found = judge_buckets(pd.concat([small, middle, large]), STANDPOINT)
    assert [each.bucket.name for each in found] == ["all", "up to 500", "2,001 to 10,000"]
    assert [each.overview.answer.outcome.approaches for each in found] == [("trees",), ("linear",), ("trees",)]
    pairs = found[1].overview.pairs.set_index(["first", "second"])["difference"]
    assert pairs["dummy", "linear"] == pytest.approx(40), "at 400 rows, not at 200"
    assert found[1].overview.smaller == 0


def test_three_tables_never_decide(many):
    found = judge_buckets(at(many, 100, tables=3, dummy=1.0, linear=0.1), STANDPOINT)
    assert {each.overview.answer.outcome.reason for each in found} == {"few_sources"}


def test_an_approach_that_one_table_of_ten_lacks_is_compared_on_the_other_nine(many):
    losses = at(many, 100, tables=10, dummy=1.0, linear=0.5, trees=0.4)
    losses = losses[~((losses["table"] == "t3") & (losses["approach"] == "trees"))]
    (overall, _) = judge_buckets(losses, STANDPOINT)
    assert overall.overview.left_out == ("t3",)
    assert overall.overview.answer.tables == 9
    assert overall.overview.answer.outcome.approaches == ("trees",)


def test_an_approach_that_half_of_the_tables_have_is_left_out_and_named(many):
    losses = at(many, 100, tables=10, dummy=1.0, linear=0.5, trees=0.4)
    losses = losses[~(losses["table"].isin([f"t{number}" for number in range(5)]) & (losses["approach"] == "trees"))]
    assert widely_run(losses) == ("dummy", "linear")
    (overall, _) = judge_buckets(losses, STANDPOINT)
    assert overall.overview.absent == ("trees",)
    assert overall.overview.answer.tables == 10


def test_every_size_has_one_bucket():
    edges = [1, 500, 501, 2_000, 2_001, 10_000, 10_001, 50_000, 50_001, 10**7]
    assert [sum(bool(bucket.holds(pd.Series([size]))[0]) for bucket in SIZE_BUCKETS) for size in edges] == [1] * len(edges)
    assert [bucket_of(size) for size in edges[::2]] == [bucket.name for bucket in SIZE_BUCKETS][:1] + [
        bucket.name for bucket in SIZE_BUCKETS][1:]


def test_win_rates_follow_from_mean_ranks(many):
    (overall, _) = judge_buckets(at(many, 100, dummy=1.0, linear=0.5, trees=0.4), STANDPOINT)
    assert mean_win_rates(overall.overview.ranks).tolist() == [1.0, 0.5, 0.0]
    assert np.isnan(mean_win_rates(overall.overview.ranks[:1])).all()
