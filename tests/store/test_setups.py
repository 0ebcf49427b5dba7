"""The frozen setup on disk: it comes back as it was, and children read the table where it is mapped."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabbench.comparison.prepare import prepare
from tabbench.core.errors import BadData
from tabbench.core.given import Given, GivenRows
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.store.given import load_given
from tabbench.store.setups import has_setup, load_setup, save_setup, setup_digests

ROWS = 300


def frame(target):
    rng = np.random.default_rng(0)

    def gappy(values):
        return pd.Series(values).where(rng.random(ROWS) > 0.1)

    return pd.DataFrame({
        "whole": rng.integers(0, 99_999, ROWS), "fraction": gappy(rng.normal(size=ROWS)),
        "label": gappy(rng.choice(["a", "b", "c"], ROWS)), "answer": gappy(rng.choice(["yes", "no"], ROWS)),
        "flag": rng.random(ROWS) < 0.5, "text": gappy([f"text number {n} of many" for n in range(ROWS)]),
        "day": gappy(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, ROWS), unit="D")),
        "weight": rng.random(ROWS), "patient": rng.integers(0, 60, ROWS), "y": target(rng)})


def setup(data, **options):
    chosen = Options(target="y", weight="weight", **options).checked()
    return prepare(data, chosen, make_display(quiet=True, to_json=False)).setup


@pytest.fixture(scope="module")
def usual():
    return setup(frame(lambda rng: rng.normal(size=ROWS)))


@pytest.mark.parametrize("target", [lambda rng: rng.choice(["p", "q"], ROWS), lambda rng: rng.normal(size=ROWS)])
@pytest.mark.parametrize("role", ["group", "own test"])
def test_a_setup_comes_back_as_it_was(tmp_path, target, role):
    data = frame(target)
    before = setup(data, group="patient") if role == "group" else setup(data[:240], test=data[240:])
    save_setup(before, tmp_path)
    after = load_setup(tmp_path)
    assert {column.kind for column in after.table.columns} == {"number", "boolean", "category", "text", "date"}
    pd.testing.assert_frame_equal(after.table.features, before.table.features)
    pd.testing.assert_series_equal(after.table.target, before.table.target)
    for name in ("rows", "tie", "group", "time", "weight", "fold", "test"):
        ours, theirs = getattr(after.table, name), getattr(before.table, name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(after.target, before.target)
    assert (after.table.columns, after.table.fingerprint, after.task, after.splits_digest) == (
        before.table.columns, before.table.fingerprint, before.task, before.splits_digest)
    for ours, theirs in zip(after.splits.splits, before.splits.splits, strict=True):
        np.testing.assert_array_equal(ours.train, theirs.train)
        np.testing.assert_array_equal(ours.test, theirs.test)


def test_the_columns_of_a_loaded_table_are_the_mapped_file_and_cannot_be_changed(usual, tmp_path):
    save_setup(usual, tmp_path)
    table = load_setup(tmp_path).table
    plain = [table.features[column.name].to_numpy() for column in table.columns if column.kind in ("number", "date")]
    codes = [table.features[column.name].cat.codes.to_numpy() for column in table.columns if column.kind == "category"]
    for values in [*plain, *codes, table.tie, table.weight]:
        assert not values.flags.writeable
    assert not np.shares_memory(table.features.iloc[:5].copy()["whole"].to_numpy(), table.features["whole"].to_numpy())


@pytest.mark.parametrize("name", ["table.arrow", "splits.npz"])
def test_a_damaged_setup_is_a_sentence(usual, tmp_path, name):
    save_setup(usual, tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:len(content) // 2])
    with pytest.raises(BadData, match="same call of tabbench compare writes them again"):
        load_setup(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BadData, match=rf"damaged or gone \({re.escape(name)} is missing\)"):
        load_setup(tmp_path)


def rows_as_given():
    words = pd.Series([f"text number {row}" for row in range(ROWS)])
    return GivenRows(pd.DataFrame({"text": words, "label": words.str[-1:].astype("category")}), None)


def with_lying_offsets(good):
    """An Arrow file whose first column of texts points outside of it."""
    with pa.ipc.open_file(pa.BufferReader(good)) as reader:
        text = next(column for column in reader.read_all().columns if pa.types.is_large_string(column.type)).chunk(0)
    offsets = np.frombuffer(text.buffers()[1], dtype="<i8")[:ROWS + 1]
    at = good.find(offsets.tobytes())
    lying = np.where(np.arange(ROWS + 1) < 100, offsets, 2**40)
    return good[:at] + lying.tobytes() + good[at + lying.nbytes:]


@pytest.mark.parametrize("damage", [
    with_lying_offsets, lambda good: good[:len(good) // 2], lambda good: good.replace(b'"kinds"', b'"kinks"'),
    lambda good: good.replace(b'"dtype": "str"', b'"dtype": "sun"'), lambda good: b""])
def test_damaged_rows_as_given_are_a_sentence(usual, tmp_path, damage):
    before = replace(usual, given=Given(rows_as_given))
    save_setup(before, tmp_path)
    digests, path = setup_digests(tmp_path), tmp_path / "given.arrow"
    pd.testing.assert_frame_equal(load_setup(tmp_path, digests).given.load().features, rows_as_given().features)
    assert damage(path.read_bytes()) != path.read_bytes()
    path.write_bytes(damage(path.read_bytes()))
    assert not has_setup(tmp_path, digests)
    for load in (lambda: load_given(tmp_path), lambda: load_setup(tmp_path, digests)):
        with pytest.raises(BadData, match="damaged or gone"):
            load()
    path.unlink()
    with pytest.raises(BadData, match=r"given\.arrow is not as it was written"):
        load_setup(tmp_path, digests)


def test_rows_as_given_go_with_a_setup_that_has_none(usual, tmp_path):
    save_setup(replace(usual, given=Given(rows_as_given)), tmp_path)
    save_setup(usual, tmp_path)
    assert load_setup(tmp_path, setup_digests(tmp_path)).given is None


def test_a_table_whose_offsets_lie_is_refused(usual, tmp_path):
    save_setup(usual, tmp_path)
    path = tmp_path / "table.arrow"
    path.write_bytes(with_lying_offsets(path.read_bytes()))
    with pytest.raises(BadData, match="damaged or gone"):
        load_setup(tmp_path)
