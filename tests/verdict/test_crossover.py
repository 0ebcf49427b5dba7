import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tabbench.verdict.crossover import Band, cost_crossovers, crossing_frame, crossings, zeros

SIZES = np.array([100, 200, 400, 800, 1600])


def band(difference, half):
    difference, half = np.array(difference, dtype=float), np.broadcast_to(np.array(half, dtype=float), len(difference))
    return Band("linear", "mlp", SIZES[: len(difference)], difference, difference - half, difference + half)


def test_bracket_by_hand():
    # Bounds are linear in log size: the upper one passes 0 half way from 100 to 200, the lower one half way from 400 to 800.
    (found,) = crossings(band([-2, 0, 0, 2], [1, 1, 2, 0]))
    assert (found.kind, found.ahead_below, found.ahead_above) == ("bracket", "linear", "mlp")
    assert found.low == np.floor(100 * 2**0.5)
    assert found.high == np.ceil(400 * 2**0.5)


def test_point_of_a_bracket_between_neighbours():
    (found,) = crossings(band([-3, 1], 0.5))
    assert found.point == round(100 * 2**0.75)
    assert found.low <= found.point <= found.high


def test_nothing_shown_is_undecided():
    (found,) = crossings(band([-1, 0, 1], 2))
    assert found.kind == "undecided"
    assert np.isnan([found.low, found.high, found.point]).all()


def test_one_side_throughout_is_none():
    (found,) = crossings(band([-3, -1, -3], 2))
    assert found.kind == "none"


def test_open_below_and_above():
    (below,) = crossings(band([1, -1, -3], 2))
    assert (below.kind, below.ahead_below, below.ahead_above) == ("open", "mlp", "linear")
    assert np.isnan(below.low)
    assert below.high == np.ceil(200 * 2**0.5)
    assert below.point == round(100 * 2**0.5)
    (above,) = crossings(band([3, 1, -1], 2))
    assert (above.kind, above.ahead_below, above.ahead_above) == ("open", "mlp", "linear")
    assert np.isnan(above.high)
    assert above.low == np.floor(100 * 2**0.5)


def test_both_ends_may_be_open():
    found = crossings(band([1, -3, 1], 2))
    assert [each.kind for each in found] == ["open", "open"]
    assert np.isnan(found[0].low)
    assert np.isnan(found[1].high)


def test_several_crossings_are_a_row_each():
    found = crossings(band([-3, 3, 3, -3], 1))
    assert [each.kind for each in found] == ["several", "several"]
    assert found[0].high < found[1].low
    assert [each.ahead_below for each in found] == ["linear", "mlp"]


def test_a_curve_that_turns_back_unproven_is_open_on_both_sides():
    (found,) = crossings(band([-3, 1, -3], 2))
    assert (found.kind, found.ahead_below, found.ahead_above) == ("open", "linear", "linear")
    assert found.low == np.floor(100 * 2**0.25)
    assert found.high == np.ceil(400 / 2**0.25)
    assert np.isnan(found.point)


def test_a_curve_that_is_back_at_the_last_size_is_not_open_beyond_it():
    (above,) = crossings(band([-3, 1, -1], 2))
    assert (above.kind, above.low, above.high) == ("open", np.floor(100 * 2**0.25), 400)
    (below,) = crossings(band([-1, 1, -3], 2))
    assert (below.kind, below.low, below.ahead_below, below.ahead_above) == ("open", 100, "linear", "linear")


def test_a_bracket_hides_no_open_end():
    found = crossings(band([1, -3, 3, -1], 2))
    assert [each.kind for each in found] == ["open", "bracket", "open"]
    assert np.isnan(found[0].low)
    assert np.isnan(found[2].high)


def test_a_single_place_has_the_ends_of_one_size_by_itself():
    wide, narrow = band([-4, 0, 4], 2), band([-4, 0, 4], 1)
    (found,) = crossings(wide, narrow)
    assert (found.low, found.high) == (np.floor(100 * 2**0.75), np.ceil(200 * 2**0.25))
    (of_band,) = crossings(wide)
    assert (of_band.low, of_band.high) == (np.floor(100 * 2**0.5), np.ceil(200 * 2**0.5))
    turning = [-4, 0, 4, 0, -4]
    assert crossings(band(turning, 2), band(turning, 1)) == crossings(band(turning, 2))
    assert crossings(band([-1, 1], 2), band([-1, 1], 0.5))[0].kind == "undecided"


def test_touching_zero_is_no_crossing():
    (found,) = crossings(band([-3, 0, -3], 1))
    assert found.kind == "none"


def test_unknown_widths_are_undecided():
    (found,) = crossings(band([-3, 3], np.inf))
    assert found.kind == "undecided"


@given(arrays.arrays(float, 5, elements=st.floats(-5, 5)), arrays.arrays(float, 5, elements=st.floats(0.01, 5)))
def test_swapping_the_two_mirrors_every_row(difference, half):
    one = crossings(band(difference, half))
    other = crossings(band(-difference, half))
    mirrored = {"linear": "mlp", "mlp": "linear", "": ""}
    assert [(each.kind, str(each.low), str(each.high), each.ahead_below) for each in one] == [
        (each.kind, str(each.low), str(each.high), mirrored[each.ahead_below]) for each in other
    ]


@given(arrays.arrays(float, 5, elements=st.floats(-5, 5)), arrays.arrays(float, 5, elements=st.floats(0.01, 5)))
def test_rows_with_a_place_enclose_every_change_of_sign(difference, half):
    found, places = crossings(band(difference, half)), zeros(SIZES, difference)
    if found[0].kind != "undecided":
        for place in places:
            assert any(not each.low > place and not each.high < place for each in found if each.kind != "none")


@given(arrays.arrays(float, 5, elements=st.floats(-5, 5)), arrays.arrays(float, 5, elements=st.floats(0.01, 5)))
def test_every_bracket_is_ascending_and_within_the_sizes(difference, half):
    for each in crossings(band(difference, half)):
        if each.kind in {"bracket", "several"}:
            assert SIZES[0] <= each.low <= each.point <= each.high <= SIZES[-1]
        if each.kind == "open":
            assert not np.isnan([each.low, each.high]).all()
            assert np.isnan(each.point) == (not np.isnan([each.low, each.high]).any())


def test_frame_has_the_contracts_columns():
    frame = crossing_frame(crossings(band([-3, 3], 1)))
    assert list(frame.columns) == ["first", "second", "kind", "low", "high", "point"]
    assert frame["low"].dtype == "float64"
    assert list(crossing_frame([]).columns) == list(frame.columns)


def costs(**seconds):
    return pd.DataFrame(
        [(name, size, value) for name, values in seconds.items() for size, value in zip(SIZES, values, strict=False)],
        columns=["approach", "size", "fit_seconds"],
    )


def test_cost_crossing_is_interpolated_in_log_log():
    # 1, 4 against 2, 2: equal at the geometric middle.
    found = cost_crossovers(costs(linear=[1, 4], mlp=[2, 2]), ["linear", "mlp"])
    assert found.to_dict("records") == [
        {"first": "linear", "second": "mlp", "kind": "bracket", "low": 100.0, "high": 200.0, "point": 141.0}
    ]


def test_other_cost_outcomes():
    assert list(cost_crossovers(costs(linear=[1, 1], mlp=[2, 2]), ["linear", "mlp"])["kind"]) == ["none"]
    assert list(cost_crossovers(costs(linear=[1], mlp=[2]), ["linear", "mlp"])["kind"]) == ["undecided"]
    assert list(cost_crossovers(costs(linear=[1, 3, 1], mlp=[2, 2, 2]), ["linear", "mlp"])["kind"]) == ["several", "several"]
    assert len(cost_crossovers(costs(linear=[1, 3], mlp=[2, 2]), ["linear", "never"])) == 0
    assert list(cost_crossovers(costs(linear=[1, np.nan], mlp=[2, 2]), ["linear", "mlp"])["kind"]) == ["undecided"]
