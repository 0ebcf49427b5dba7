import numpy as np
import pandas as pd
import pytest

from tabbench.verdict.budget import budget_crossovers

SIZES = (100, 200, 400)
NOWHERE = {"low": None, "high": None, "point": None}


def found(*, margin=0.0, names=("linear", "mlp"), **curves):
    """Rows of the frame, from seconds and losses by size of each approach."""
    costs = pd.DataFrame([(name, size, value) for name, (seconds, _) in curves.items()
                          for size, value in zip(SIZES, seconds, strict=False)], columns=["approach", "size", "fit_seconds"])
    loss = {(name, size): value for name, (_, losses) in curves.items() for size, value in zip(SIZES, losses, strict=False)}
    frame = budget_crossovers(costs, loss, list(names), margin=margin)
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def test_the_quick_one_leads_until_the_slow_one_catches_up():
    # At 4 s linear stands at 0.5 and mlp falls from 0.6 at 2 s to 0.4 at 8 s: they meet half way in the logarithm.
    (row,) = found(linear=([0.1, 0.5, 1.0], [0.8, 0.6, 0.5]), mlp=([2.0, 8.0], [0.6, 0.4]))
    assert row["kind"] == "bracket"
    assert row["point"] == pytest.approx(4.0)
    assert (row["low"], row["high"]) == (pytest.approx(2.0), pytest.approx(8.0))
    assert (row["ahead_below"], row["ahead_above"]) == ("linear", "mlp")


def test_a_slow_one_that_leads_as_soon_as_it_can_be_trained():
    (row,) = found(linear=([0.1, 0.5, 1.0], [0.8, 0.7, 0.65]), mlp=([2.0, 8.0], [0.6, 0.4]))
    assert [row[name] for name in ("low", "high", "point")] == pytest.approx([2.0] * 3)
    assert (row["kind"], row["ahead_below"], row["ahead_above"]) == ("bracket", "linear", "mlp")


def test_one_that_leads_throughout():
    (row,) = found(linear=([1.0, 2.0], [0.5, 0.4]), mlp=([2.0, 8.0], [0.6, 0.5]))
    assert row == {"first": "linear", "second": "mlp", "kind": "none", **NOWHERE,
                   "ahead_below": "linear", "ahead_above": "linear"}


def test_a_difference_within_the_margin_changes_no_lead():
    curves = {"linear": ([1.0, 4.0], [0.5, 0.45]), "mlp": ([1.0, 4.0], [0.46, 0.46])}
    assert found(**curves)[0]["kind"] == "bracket"
    (row,) = found(margin=0.02, **curves)
    assert (row["kind"], row["ahead_below"]) == ("none", "mlp")
    (row,) = found(margin=0.1, **curves)
    assert (row["kind"], row["ahead_below"]) == ("none", "")


def test_several_changes_are_a_row_each():
    rows = found(linear=([1.0, 2.0, 4.0], [0.5, 0.4, 0.2]), mlp=([1.0, 2.0, 4.0], [0.6, 0.3, 0.25]))
    assert [row["kind"] for row in rows] == ["several", "several"]
    assert [row["ahead_above"] for row in rows] == ["mlp", "linear"]
    assert rows[0]["point"] == pytest.approx(2**0.5)


def test_losses_that_rise_and_clocks_that_waver_never_make_more_time_worse():
    # Nobody has to use all rows: with 4 s mlp may still be trained on the 200 rows that took 2 s.
    (row,) = found(linear=([1.0, 1.0, 1.0], [0.5, 0.5, 0.5]), mlp=([3.0, 2.0, 4.0], [0.45, 0.4, 0.9]))
    assert (row["kind"], row["ahead_above"], row["point"]) == ("bracket", "mlp", pytest.approx(2.0))


def test_one_size_and_missing_times():
    (row,) = found(linear=([1.0], [0.5]), mlp=([2.0], [0.4]))
    assert (row["kind"], row["point"]) == ("bracket", pytest.approx(2.0))
    (row,) = found(linear=([1.0], [0.5]), mlp=([np.nan], [0.4]))
    assert row["kind"] == "undecided"
    (row,) = found(linear=([1.0], [0.5]), mlp=([0.0], [0.4]))
    assert row["kind"] == "undecided"
    assert found(linear=([1.0], [0.5]), names=["linear"]) == []
