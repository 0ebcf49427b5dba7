"""Dates written as text: one column may be written in several ways, and a few cells may be no dates."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.reading.recognition import recognise
from tabbench.reading.schema import conformed
from tabbench.reading.text_dates import SEVERAL, parse_dates

ROWS = 60


def column_of(cells):
    repeated = [cells[row % len(cells)] for row in range(max(ROWS, len(cells)))]
    return recognise("day", pa.chunked_array([pa.array(repeated, pa.string())]))


def codes_of(typed):
    return {finding.code for finding in typed.findings}


WRITTEN = {
    "ISO": (["2015-12-31", "2016-01-02"], ["2015-12-31", "2016-01-02"]),
    "month name": (["Dec-2015", "Jan-2016"], ["2015-12-01", "2016-01-01"]),
    "in words": (["December 31, 2015", "January 2, 2016"], ["2015-12-31", "2016-01-02"]),
    "halves of the day": (["12/31/2015 3:04 PM", "01/02/2016 11:00 AM"], ["2015-12-31 15:04", "2016-01-02 11:00"]),
    "two formats": (["2015-12-31", "01/15/2016"], ["2015-12-31", "2016-01-15"]),
    "three formats": (["2015-12-31", "15.01.2016", "3 Feb 2016"], ["2015-12-31", "2016-01-15", "2016-02-03"]),
    "SAS": (["31Dec2015", "02jan2016"], ["2015-12-31", "2016-01-02"]),
    "quarters": (["2015Q4", "2016-Q1"], ["2015-10-01", "2016-01-01"]),
    "quarters first": (["Q4 2015", "Q1 2016"], ["2015-10-01", "2016-01-01"]),
    "weeks": (["2015-W53", "2016W01"], ["2015-12-28", "2016-01-04"]),
    "years beside dates": (["2021", "Jun 30, 2019"], ["2021-01-01", "2019-06-30"]),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_dates_are_read_however_they_are_written(case):
    cells, wanted = WRITTEN[case]
    typed = column_of(cells)
    assert typed.column.kind == "date"
    np.testing.assert_array_equal(np.asarray(typed.values)[: len(cells)], np.array(wanted, dtype="datetime64[us]"))
    assert ("mixed-dates" in codes_of(typed)) == (SEVERAL in (typed.column.date_format or ""))
    again = conformed(pa.chunked_array([pa.array(cells)]), typed.column, [])
    np.testing.assert_array_equal(np.asarray(again), np.asarray(typed.values)[: len(cells)])


def test_day_and_month_are_never_swapped_within_a_column():
    typed = column_of(["03/25/2014"] * 59 + ["25/03/2014"])
    assert typed.missing == 1 and "stray-word" in codes_of(typed)
    assert column_of(["03/25/2014", "25/03/2014"]).column.kind == "category"


def test_a_few_cells_that_are_no_dates_are_missing_and_said():
    typed = column_of(["2024-01-01"] * 58 + ["2024-02-30", "soon"])
    assert typed.missing == 2 and "stray-word" in codes_of(typed)


@pytest.mark.parametrize("cells", [["2015", "2016"], ["10-20", "20-30"], ["3-2", "1-0"], ["1.2.3", "2.0.1"], ["may", "june"],
                                   ["2024-13-45", "2024-99-99"], ["Mar 5x", "Apr 6y"]])
def test_what_is_no_date_is_none(cells):
    assert column_of(cells).column.kind != "date"


PIECES = st.sampled_from([*"0123456789", "-", "/", ".", ":", " ", "T", "Z", "+02:00", "AM", "pm", "Jan", "2024", "2024-01-0",
                          "/20", "31", "00", "99999", "Q1", "W12", "\u2212", "now", "today", "NaT", "epoch", "%Y", "|", SEVERAL])


@settings(max_examples=80, deadline=None)
@given(cells=st.lists(st.lists(PIECES, max_size=7).map("".join), min_size=1, max_size=8))
def test_nothing_that_looks_like_a_date_makes_the_reader_fail(cells):
    typed = column_of(cells)
    assert len(typed) == ROWS
    notes = []
    assert len(conformed(pa.chunked_array([pa.array(["2024-01-02"] + [""] * 99)]), typed.column, notes)
               if typed.column.kind == "date" else cells)


@settings(max_examples=40, deadline=None)
@given(days=st.lists(st.integers(0, 20000), min_size=13, max_size=20, unique=True),
       format=st.sampled_from(["%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%Y-%m-%d %H:%M:%S", "%d %B %Y"]))
def test_dates_are_read_as_written(days, format):
    dates = pd.Timestamp("1975-03-25") + pd.to_timedelta(days, unit="D")
    read = parse_dates(pa.array(dates.strftime(format).tolist()), column_of(dates.strftime(format).tolist()).column.date_format)
    np.testing.assert_array_equal(read, dates.to_numpy().astype("datetime64[us]"))
