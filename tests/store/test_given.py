"""Rows as given come back as they were, whatever their columns hold."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabbench.core.errors import BadData
from tabbench.core.given import GivenRows
from tabbench.store.given import decoded, encoded

N = 6
FRAME = pd.DataFrame({
    "int": range(N), "small": np.arange(N, dtype="int8"), "f32": np.arange(N, dtype="float32"), "gap": [1.0, np.nan] * 3,
    "far": [np.inf, 1.0] * 3, "Int": pd.array([1, None, 2**60 + 1] * 2, dtype="Int64"), "bool": [True, False] * 3,
    "boolean": pd.array([True, None, False] * 2, dtype="boolean"), "text": ["01", "a", None] * 2,
    "object": pd.Series(["x", None, "y"] * 2, dtype=object), "mixed": pd.Series([1, "a", 2.5] * 2, dtype=object),
    "list": [[1, 2]] * N, "grade": pd.Categorical([3, 1, 2] * 2), "date": [datetime.date(2020, 1, 1)] * N,
    "size": pd.Categorical(["lo", "hi", None] * 2, categories=["lo", "mid", "hi"], ordered=True),
    "cut": pd.cut(np.arange(N), 3), "day": pd.date_range("2020", periods=N), "zone": pd.date_range("2020", periods=N, tz="UTC"),
    "span": pd.to_timedelta(range(N), unit="h"), "period": pd.period_range("2020", periods=N, freq="D"), "same": 1})


def again(rows: GivenRows) -> GivenRows:
    return decoded(pa.ipc.open_file(encoded(rows)).read_all())


@pytest.mark.parametrize("index", [
    pd.RangeIndex(N), pd.Index(list("uvwxyz"), name="row"), pd.MultiIndex.from_product([["a", "b"], [1, 2, 3]])])
def test_every_column_keeps_its_type(index):
    frame = FRAME.set_axis(index)
    frame.columns = [*FRAME.columns[:-1], 7]
    back = again(GivenRows(frame, frame["text"]))
    pd.testing.assert_frame_equal(back.features, frame, check_index_type="equiv", check_freq=False)
    pd.testing.assert_series_equal(back.target, frame["text"], check_index_type="equiv")
    assert back.features["mixed"].map(type).tolist() == [int, str, float] * 2


def test_arrays_are_handed_on_as_arrays():
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    back = again(GivenRows(pd.DataFrame(values), None, is_array=True))
    assert back.X.dtype == np.float32 and (values == back.X).all() and back.target is None


def test_what_would_not_come_back_is_refused():
    with pytest.raises(BadData, match="column 'pair' holds object values that cannot be handed to an estimator"):
        encoded(GivenRows(pd.DataFrame({"pair": [(1, 2)]}), None))
