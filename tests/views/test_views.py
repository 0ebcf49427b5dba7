"""Views: what each learner gets to see, fitted on training rows alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tabbench
from tabbench.core.errors import UnknownName
from tabbench.core.matrices import LinearMatrix
from tabbench.core.table import Column
from tabbench.views import expansion, fit_view, restore_view
from tabbench.views import linear as linear_view
from tabbench.views.scaling import RobustScale

PREPARED = ("linear", "trees", "net")


def numbers(**columns):
    return pd.DataFrame(columns), tuple(Column(name, "number") for name in columns)


def category(values):
    return pd.DataFrame({"c": pd.Series(values, dtype="object").astype("category")}), (Column("c", "category"),)


def first_number(view, frame):
    matrix = view.transform(frame)
    return (matrix.numbers if hasattr(matrix, "numbers") else np.asarray(matrix.values))[:, 0]


@pytest.mark.parametrize("rows", [1, 3, 4, 5, 7, 100])
def test_columns_that_are_mostly_their_smallest_value_are_scaled_by_the_same_quartiles_as_others(rows):
    rng = np.random.default_rng(rows)
    words = rng.integers(1, 4, (rows, 200)) * (rng.random((rows, 200)) < np.linspace(0, 1, 200)) - 1.0
    first, center, third = np.quantile(words, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    half_range = (words.max(axis=0) - words.min(axis=0)) / 2
    spread = np.where(third > first, third - first, half_range)
    scale = RobustScale.fit(np.column_stack([words, np.full(rows, np.nan)]))
    np.testing.assert_array_equal(scale.center, [*center, 0.0])
    np.testing.assert_array_equal(scale.scale, [*np.where(spread > 0, spread, 1.0), 1.0])


@pytest.mark.parametrize("name", PREPARED)
@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, st.integers(3, 30), elements=st.floats(allow_nan=True, allow_infinity=False)))
def test_any_finite_number_becomes_a_finite_one_in_the_same_order(name, values):
    frame, columns = numbers(x=values)
    seen = first_number(fit_view(name, frame, columns, 0), frame)
    present = ~np.isnan(values)
    assert np.isfinite(seen[present]).all()
    assert (np.diff(seen[present][np.argsort(values[present])]) >= -1e-9).all()
    assert np.isnan(seen[~present]).all() == (name == "trees" or present.all())


def test_a_huge_value_does_not_flatten_the_others():
    frame, columns = numbers(x=np.array([*np.arange(99.0), 1e39]))
    for name in ("linear", "net"):
        seen = first_number(fit_view(name, frame, columns, 0), frame)
        assert np.ptp(seen[:99]) > 0.5
        assert seen[99] == seen.max() < 200


def test_a_long_tail_gets_a_column_and_can_be_followed_by_a_straight_line():
    rng = np.random.default_rng(0)
    delay = np.concatenate([rng.normal(size=900), 20 + rng.exponential(100.0, size=100)])
    frame, columns = numbers(delay=delay, x=np.arange(1000.0))
    frame.loc[7, "delay"] = 1e39
    matrix = fit_view("linear", frame, columns, 0).transform(frame)
    assert matrix.names == ("delay", "x", "delay (far)")
    assert np.abs(matrix.values).max() < 30
    kept = frame["delay"] < np.quantile(frame["delay"], 0.99)
    design = np.column_stack([matrix.values[kept][:, [0, 2]], np.ones(kept.sum())])
    fitted = design @ np.linalg.lstsq(design, frame["delay"][kept], rcond=None)[0]
    assert np.corrcoef(fitted, frame["delay"][kept])[0, 1] > 0.999


def test_the_linear_view_fills_gaps_and_marks_them():
    frame, columns = numbers(x=np.array([1.0, np.nan, 3, 5]), full=np.arange(4.0))
    matrix = fit_view("linear", frame, columns, 0).transform(frame)
    assert matrix.names == ("x", "full", "x (missing)")
    assert matrix.values[:, 2].tolist() == [0, 1, 0, 0]
    assert matrix.values[1, 0] == matrix.values[2, 0]  # the median


def test_booleans_stay_zero_and_one():
    frame = pd.DataFrame({"b": pd.array([True, True, None, False, True], dtype="boolean")})
    columns = (Column("b", "boolean"),)
    matrix = fit_view("linear", frame, columns, 0).transform(frame)
    assert matrix.values[:, 0].tolist() == [1, 1, 1, 0, 1]
    trees = fit_view("trees", frame, columns, 0).transform(frame)
    np.testing.assert_array_equal(trees.values[:, 0], np.array([1, 1, np.nan, 0, 1], dtype=np.float32))


def test_rare_levels_share_a_column_and_unseen_ones_join_them():
    frame, columns = category(["a"] * 10 + ["b"] * 10 + ["p", "q"])
    view = fit_view("linear", frame, columns, 0)
    assert view.transform(frame).names == ("c=a", "c=b", "c=(rare)")
    new, _ = category(["b", "q", "never", None])
    assert view.transform(new).values.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]


def test_without_rare_levels_an_unseen_one_is_all_zero():
    frame, columns = category(["a"] * 10 + ["b"] * 10)
    new, _ = category(["never", "a"])
    assert fit_view("linear", frame, columns, 0).transform(new).values.tolist() == [[0, 0], [1, 0]]
    trees = fit_view("trees", frame, columns, 0).transform(new)
    assert trees.levels == (2,)
    np.testing.assert_array_equal(trees.values, np.array([[np.nan], [0]], dtype=np.float32))
    net = fit_view("net", frame, columns, 0).transform(new)
    assert net.codes.tolist() == [[0], [1]]
    assert net.cardinalities == (3,)


def test_very_many_levels_are_pooled_for_trees():
    frame, columns = category([f"v{i}" for i in range(1500)] + ["often"] * 20)
    matrix = fit_view("trees", frame, columns, 0).transform(frame)
    assert matrix.levels == (1001,)
    assert np.nanmax(matrix.values) == 1000


def test_whole_numbers_beyond_float32_keep_their_differences_in_trees():
    frame, columns = numbers(x=1_600_000_000 + np.arange(50))
    seen = first_number(fit_view("trees", frame, columns, 0), frame)
    assert np.diff(seen).tolist() == [1.0] * 49


def test_dates_become_parts_and_the_hour_only_where_there_is_one():
    day = pd.Series(pd.to_datetime(["2024-02-29", "2024-03-01", None])).astype("datetime64[us]")
    time = pd.Series(pd.to_datetime(["2024-02-29 13:30", "2024-03-01 00:00", None])).astype("datetime64[us]")
    frame, columns = pd.DataFrame({"d": day, "t": time}), (Column("d", "date"), Column("t", "date"))
    matrix = fit_view("trees", frame, columns, 0).transform(frame)
    assert matrix.names[:6] == ("d year", "d month", "d day", "d weekday", "d day_number", "t year")
    assert matrix.values[0, :5].tolist() == [2024, 2, 29, 3, 19782]
    assert matrix.names[-1] == "t hour"
    assert matrix.values[:2, -1].tolist() == [13.5, 0]
    assert np.isnan(matrix.values[2]).all()


def text_frame(n):
    words = ["police officer", "police captain", "bus driver", "bus operator", "nurse"]
    return pd.DataFrame({"t": pd.Series([f"{words[i % 5]} {i}" for i in range(n)], dtype="str")}), (Column("t", "text"),)


def test_similar_texts_lie_near_each_other():
    frame, columns = text_frame(60)
    values = fit_view("trees", frame, columns, 0).transform(frame).values
    distance = np.linalg.norm(values[:, None] - values[None], axis=2)
    assert distance[0, 1] < distance[0, 4]  # two of the police, and a nurse


@pytest.mark.parametrize("texts", [["one"], ["one", None, "one"], [None, None, None], ["", " ", "x"]])
def test_few_texts_suffice(texts):
    frame, columns = pd.DataFrame({"t": pd.Series(texts, dtype="str")}), (Column("t", "text"),)
    for name in PREPARED:
        view = fit_view(name, frame, columns, 0)
        other = pd.DataFrame({"t": pd.Series(["something else", None], dtype="str")})
        assert len(view.transform(other)) == 2


def mixed(n=80):
    generator = np.random.default_rng(4)
    frame, columns = text_frame(n)
    frame["x"] = np.where(generator.random(n) < 0.1, np.nan, generator.lognormal(size=n))
    frame["c"] = pd.Categorical(generator.choice(["a", "b", "c"], n))
    frame["d"] = pd.Series(pd.Timestamp("2021-05-01") + pd.to_timedelta(np.arange(n), unit="h")).astype("datetime64[us]")
    return frame, (*columns, Column("x", "number"), Column("c", "category"), Column("d", "date"))


@pytest.mark.parametrize("name", ("raw", *PREPARED))
def test_a_restored_view_transforms_bit_for_bit_and_copes_with_other_columns_around(name):
    frame, columns = mixed()
    view = fit_view(name, frame[:60], columns, 3)
    parts = view.to_parts()
    # Children need not come back in the order in which they were written.
    restored = restore_view(type(parts)(parts.values, parts.arrays, parts.blobs, dict(reversed(parts.children.items()))))
    other = frame[frame.columns[::-1]].assign(extra=1)
    if name == "raw":
        pd.testing.assert_frame_equal(restored.transform(other), view.transform(frame))
        return
    first, second = view.transform(frame), restored.transform(other)
    for held in ("values", "numbers", "codes"):
        if hasattr(first, held):
            assert getattr(first, held).tobytes() == getattr(second, held).tobytes()
    assert first.names == second.names


def test_a_wide_one_hot_matrix_is_kept_sparse(monkeypatch):
    generator = np.random.default_rng(0)
    frame, columns = category(generator.choice([f"v{i}" for i in range(40)], 800))
    dense = fit_view("linear", frame, columns, 0).transform(frame)
    monkeypatch.setattr(linear_view, "MOST_DENSE_CELLS", 1000)
    sparse = fit_view("linear", frame, columns, 0).transform(frame)
    assert not isinstance(sparse.values, np.ndarray)
    assert sparse.values.indices.dtype == sparse.values.indptr.dtype == np.int32  # else C solvers refuse it
    np.testing.assert_array_equal(sparse.values.toarray(), dense.values)
    assert isinstance(sparse.take(np.arange(3)).select(np.array([1])), LinearMatrix)


@pytest.mark.parametrize("most_dense_cells", (linear_view.MOST_DENSE_CELLS, 0))
@pytest.mark.parametrize("name", PREPARED)
def test_a_table_of_many_blocks_gives_the_same_as_one_of_few(name, most_dense_cells, monkeypatch):
    monkeypatch.setattr(linear_view, "MOST_DENSE_CELLS", most_dense_cells)
    frame, columns = mixed()
    frame["z"], columns = np.arange(80.0), (*columns, Column("z", "number"))
    whole_view = fit_view(name, frame, columns, 0)
    whole = whole_view.transform(frame)
    monkeypatch.setattr(expansion, "BLOCK_CELLS", 200)
    view = fit_view(name, frame, columns, 0)
    in_blocks = view.transform(frame)
    for array, same in whole_view.to_parts().arrays.items():
        np.testing.assert_allclose(view.to_parts().arrays[array], same, rtol=1e-12)
    for held in ("values", "numbers", "codes"):
        first, second = (getattr(each, held, np.zeros(0)) for each in (whole, in_blocks))
        first, second = (each if isinstance(each, np.ndarray) else each.toarray() for each in (first, second))
        np.testing.assert_allclose(first, second, rtol=1e-6)
    assert len(view.transform(frame[:0])) == 0


def test_whoever_writes_to_the_raw_view_leaves_the_table_as_it_is():
    frame, columns = mixed()
    before = frame.copy()
    seen = fit_view("raw", frame, columns, 0).transform(frame)
    seen["x"] = 0.0
    seen.loc[3, "c"] = "a"
    seen.iloc[0, seen.columns.get_loc("d")] = pd.Timestamp("1999-01-01")
    pd.testing.assert_frame_equal(frame, before)


def test_an_unknown_view_is_named():
    with pytest.raises(UnknownName, match="did you mean 'linear'"):
        fit_view("liner", *numbers(x=np.arange(3.0)), seed=0)


def titles(rows=400, seed=0):
    """Job titles of three words, a few hundred different ones."""
    random = np.random.default_rng(seed)
    words = [["Senior", "Junior", "Acting", "Chief"], ["Bus", "Fire", "Library", "Police", "Tax"],
             [f"{kind} {grade}" for kind in ("Officer", "Manager", "Clerk") for grade in ("I", "II", "III")]]
    return [" ".join(str(random.choice(each)) for each in words) for _ in range(rows)]


@pytest.mark.parametrize("name", PREPARED)
def test_words_of_phrases_are_columns_and_speak_for_phrases_that_were_never_seen(name):
    frame, columns = category(titles())
    view = fit_view(name, frame, columns, 0)
    new, _ = category(["Senior Submarine Manager II", "Junior Submarine Clerk I", None])
    matrix = restore_view(view.to_parts()).transform(new)
    values = np.asarray(matrix.numbers if name == "net" else matrix.values)
    manager, senior = (values[:, matrix.names.index(f"c: {word}")] for word in ("manager", "senior"))
    assert manager[0] > manager[1] and senior[0] > senior[1]
    assert not any("submarine" in each for each in matrix.names)
    if name == "trees":
        assert np.isnan(manager[2]) and set(manager[:2]) == {0.0, 1.0}


def test_words_in_few_rows_in_nearly_all_or_in_the_same_as_another_are_left_out():
    texts = [f"{'red' if row % 2 else 'blue'} {'box' if row % 2 else 'bag'} thing {row}" for row in range(200)]
    frame = pd.DataFrame({"t": pd.Series(texts, dtype="str")})
    view = fit_view("trees", frame, (Column("t", "text"),), 0)
    named = [each for each in view.transform(frame).names if ":" in each]
    assert named == ["t: bag", "t: box"]


def test_a_text_that_tells_something_in_compare_tells_it_when_predicting_too():
    frame = pd.DataFrame({"title": titles(1500)})
    pay = frame["title"].str.contains("Manager") * 10.0 + frame["title"].str.contains("Senior") * 5.0
    new = pd.DataFrame({"title": ["Senior Submarine Manager II", "Junior Submarine Clerk II"]})
    model = tabbench.BoostedEnsembleRegressor("fast", random_state=0).fit(frame, pay)
    high, low = model.predict(new)
    assert high > low + 3.0
