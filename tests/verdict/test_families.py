import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tabbench.verdict.crossover import crossings
from tabbench.verdict.families import family_bands

FAMILIES = {"dummy": "baseline", "linear": "linear", "linear+pca": "linear", "xgboost": "trees", "lightgbm": "trees"}


def pairs_of(losses, half, sizes=(100,)):
    """Pairs of all approaches from losses (approaches, sizes), each interval as wide."""
    names = list(FAMILIES)
    rows = [(first, second, size, losses[one][at] - losses[other][at]) for at, size in enumerate(sizes)
            for one, first in enumerate(names) for other, second in enumerate(names) if one < other]
    frame = pd.DataFrame(rows, columns=["first", "second", "size", "difference"])
    return frame.assign(low=frame["difference"] - half, high=frame["difference"] + half)


def test_a_family_is_ahead_where_one_member_beats_every_member_of_the_other():
    (band,) = family_bands(pairs_of([[9], [3], [1], [2], [4]], 0.5), FAMILIES)
    assert (band.first, band.second) == ("linear", "trees")
    assert (band.difference[0], band.low[0], band.high[0]) == (-1, -1.5, -0.5)
    # 1.5 wide: linear+pca is shown to be better than lightgbm, but not than xgboost.
    (band,) = family_bands(pairs_of([[9], [3], [1], [2], [4]], 1.5), FAMILIES)
    assert band.low[0] < 0 < band.high[0]


def test_different_members_at_different_sizes_make_a_crossing():
    losses = np.array([[9, 9, 9], [1, 3, 5], [4, 4, 5], [3, 3, 6], [5, 3, 2]], dtype=float)
    (band,) = family_bands(pairs_of(losses, 0.5, (100, 200, 400)), FAMILIES)
    (found,) = crossings(band)
    assert (found.kind, found.ahead_below, found.ahead_above) == ("bracket", "linear", "trees")


def test_unbounded_intervals_and_missing_members():
    pairs = pairs_of([[9], [3], [1], [2], [4]], 0.5)
    pairs.loc[pairs["second"].isin(["xgboost", "lightgbm"]), ["low", "high"]] = np.nan
    (band,) = family_bands(pairs, FAMILIES)
    assert (band.low[0], band.high[0]) == (-np.inf, np.inf)
    assert crossings(band)[0].kind == "undecided"
    without = pairs[~pairs["first"].isin(["linear+pca"]) & ~pairs["second"].isin(["linear+pca"])]
    assert family_bands(without, FAMILIES)[0].difference[0] == 1
    alone = pairs[pairs["first"].str.startswith("linear") & pairs["second"].str.startswith("linear")]
    assert family_bands(alone, FAMILIES) == []


def test_who_was_not_run_at_all_sizes_makes_no_crossing():
    losses = np.array([[9, 9], [3, 3], [1, 1], [2, 2], [4, 4]], dtype=float)
    pairs = pairs_of(losses, 0.5, (100, 200))
    gone = (pairs["size"] == 200) & (pairs["first"].eq("linear+pca") | pairs["second"].eq("linear+pca"))
    (band,) = family_bands(pairs[~gone], FAMILIES)
    assert band.difference.tolist() == [1, 1]
    nobody = gone | (pairs["size"].eq(200) & (pairs["first"].eq("linear") | pairs["second"].eq("linear")))
    (band,) = family_bands(pairs[~nobody], FAMILIES)
    assert (band.sizes.tolist(), band.difference.tolist()) == ([100], [-1])
    # One member at each size: who takes part changes between them, so only the smaller one is told.
    in_turn = (pairs["size"].eq(200) & (pairs["first"].eq("linear") | pairs["second"].eq("linear"))
               | pairs["size"].eq(100) & (pairs["first"].eq("linear+pca") | pairs["second"].eq("linear+pca")))
    (band,) = family_bands(pairs[~in_turn], FAMILIES)
    assert (band.sizes.tolist(), band.difference.tolist()) == ([100], [1])


@given(arrays.arrays(float, (5, 1), elements=st.floats(0, 10)), arrays.arrays(float, (5, 1), elements=st.floats(-0.5, 0.5)))
def test_the_band_holds_for_the_best_members_whenever_the_pairs_do(measured, error):
    truth = measured + error  # every pair's difference is off by 1 at most
    (band,) = family_bands(pairs_of(measured, 1.0), FAMILIES)
    best_against_best = truth[1:3].min() - truth[3:5].min()
    assert band.low[0] - 1e-9 <= best_against_best <= band.high[0] + 1e-9
    assert band.low[0] <= band.difference[0] <= band.high[0]
