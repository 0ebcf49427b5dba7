import numpy as np
import pandas as pd
import pytest

from tabbench.verdict.across.crossed import crossed_by_size, crossing_rows

STEP = ("linear", "trees")
COLUMNS = ["first", "second", "kind", "low", "high", "point", "ahead_below", "ahead_above"]
NAN = np.nan


def ranges(*places, sizes=(100, 1_000)):
    rows = crossing_rows("t", pd.DataFrame(places, columns=COLUMNS), sizes, STEP)
    assert rows["state"].nunique() == 1
    return rows["state"].iloc[0], list(zip(rows["from_size"], rows["to_size"], rows["ahead"], strict=True))


@pytest.mark.parametrize(("places", "state", "expected"), [
    ([("linear", "trees", "bracket", 200.0, 300.0, 250.0, "linear", "trees")], "crossed",
     [(100, 200, "linear"), (200, 300, ""), (300, 1_000, "trees")]),
    ([("trees", "linear", "bracket", 200.0, 300.0, 250.0, "trees", "linear")], "back",
     [(100, 200, "trees"), (200, 300, ""), (300, 1_000, "linear")]),
    ([("linear", "trees", "none", NAN, NAN, NAN, "trees", "trees")], "ahead", [(100, 1_000, "trees")]),
    ([("linear", "trees", "undecided", NAN, NAN, NAN, "", "")], "undecided", [(100, 1_000, "")]),
    # Shown from 400 rows on only; by the means the two change places below.
    ([("linear", "trees", "open", NAN, 400.0, 150.0, "linear", "trees")], "ahead", [(100, 400, ""), (400, 1_000, "trees")]),
    # Not shown from 600 rows on, though the same one stays ahead by its mean.
    ([("linear", "trees", "open", 600.0, 1_000.0, NAN, "linear", "linear")], "behind", [(100, 600, "linear"), (600, 1_000, "")]),
    ([("linear", "trees", "open", 600.0, NAN, 700.0, "linear", "trees")], "behind", [(100, 600, "linear"), (600, 1_000, "")]),
    ([("linear", "trees", "several", 200.0, 300.0, 250.0, "linear", "trees"),
      ("linear", "trees", "several", 500.0, 600.0, 550.0, "trees", "linear")], "several",
     [(100, 200, "linear"), (200, 300, ""), (300, 500, "trees"), (500, 600, ""), (600, 1_000, "linear")]),
])
def test_ranges_cover_the_sizes_and_say_who_is_shown_to_be_ahead(places, state, expected):
    assert ranges(*places) == (state, expected)


def test_a_step_of_a_family_that_was_not_run_is_a_row_without_sizes():
    other = [("linear", "net", "none", NAN, NAN, NAN, "net", "net")]
    rows = crossing_rows("t", pd.DataFrame(other, columns=COLUMNS), (100, 1_000), STEP)
    assert rows[["state", "ahead"]].to_numpy().tolist() == [["not run", None]]
    assert rows[["from_size", "to_size"]].isna().all(axis=None)
    assert crossed_by_size(rows, [STEP]).empty


def test_tables_are_counted_at_the_sizes_that_they_have():
    crossed = crossing_rows("a", pd.DataFrame([("linear", "trees", "bracket", 200.0, 300.0, 250.0, "linear", "trees")],
                                              columns=COLUMNS), (100, 1_000), STEP)
    ahead = crossing_rows("b", pd.DataFrame([("linear", "trees", "none", NAN, NAN, NAN, "trees", "trees")], columns=COLUMNS),
                          (100, 400), STEP)
    counts = crossed_by_size(pd.concat([crossed, ahead], ignore_index=True), [STEP]).set_index("size")
    assert counts.loc[100, ["tables", "ahead", "behind", "open"]].tolist() == [2, 1, 1, 0]
    assert counts.loc[300, ["tables", "ahead", "behind", "open"]].tolist() == [2, 2, 0, 0]
    assert counts.loc[1_000, ["tables", "ahead", "behind", "open"]].tolist() == [1, 1, 0, 0]
    assert (counts["ahead"] + counts["behind"] + counts["open"] == counts["tables"]).all()
