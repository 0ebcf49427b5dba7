import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabbench.core.errors import BadData, UnknownName
from tabbench.core.metric import METRICS, Metric
from tabbench.verdict.across.losses import COLUMNS, TableLosses, is_ahead, loss_rows, perfect_loss


def test_losses_are_in_margins_and_lower_is_ahead(many):
    losses = TableLosses.gather(many.frame_of({"a": [0.30, 0.50], "b": [0.32, 0.49]}, scale=0.01))
    assert losses.loss[:, 0] - losses.loss[:, 1] == pytest.approx([-2, 1])
    assert losses.ahead[:, 0, 1].tolist() == [1, 0]
    assert losses.ahead_by_mean[:, 1, 0].tolist() == [0, 1]


@settings(deadline=None)
@given(arrays(float, 5, elements=st.floats(-100, 100)))
def test_every_battle_gives_away_one_point(loss):
    ahead = is_ahead(loss)
    assert (ahead + ahead.T == 1).all()


def test_rounding_is_a_tie():
    assert is_ahead(np.array([0.3, 0.1 + 0.2])).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_splits_are_battles_of_their_own(many):
    frame = many.frame_of({"a": [0.3], "b": [0.31]}, splits=4)
    frame.loc[(frame["approach"] == "a") & (frame["split"] == 3), "loss"] = 0.9
    losses = TableLosses.gather(frame)
    assert losses.ahead[0, 0, 1] == 0.75
    assert losses.ahead_by_mean[0, 0, 1] == 0


def test_what_some_table_lacks_is_not_compared_unless_asked_for(many):
    frame = many.frame_of({"a": [0.3, 0.4], "b": [0.31, 0.42], "c": [0.2, 0.2]})
    frame = frame[(frame["approach"] != "c") | (frame["table"] == "t0")]
    common = TableLosses.gather(frame)
    assert (common.approaches, common.absent, common.left_out) == (("a", "b"), ("c",), ())
    asked = TableLosses.gather(frame, ["c", "a"])
    assert (asked.approaches, asked.absent, asked.left_out) == (("c", "a"), (), ("t1",))
    assert asked.tables.tolist() == ["t0"]
    assert asked.loss[0, 0] < asked.loss[0, 1]
    with pytest.raises(UnknownName, match="no approach 'd'"):
        TableLosses.gather(frame, ["a", "d"])


def test_a_table_counts_at_its_largest_size_with_all_approaches(many):
    sizes = pd.concat([many.frame_of({"a": [0.5], "b": [0.6]}, size=100), many.frame_of({"a": [0.3], "b": [0.2]}, size=800),
                       many.frame_of({"a": [0.25]}, size=1600)])
    losses = TableLosses.gather(sizes)
    assert losses.size.tolist() == [100, 800]
    largest = losses.at_largest_size()
    assert largest.size.tolist() == [800]
    assert (losses.n_tables, losses.n_sources, len(largest.loss)) == (1, 1, 1)


def test_a_source_counts_once_and_so_does_a_table_with_many_sizes(many):
    frame = pd.concat([many.frame_of({"a": [1.0, 2.0, 6.0]}, sources=["x", "x", "y"], scale=1.0, splits=1),
                       many.frame_of({"a": [3.0]}, sources=["x"], size=50, scale=1.0, splits=1)])
    losses = TableLosses.gather(frame)
    assert losses.by_source(losses.loss)[:, 0].tolist() == [2.0, 6.0]  # x: the mean of (1 + 3) / 2 and 2
    assert (losses.n_tables, losses.n_sources) == (3, 2)


@pytest.mark.parametrize(("change", "message"), [
    (lambda frame: frame.drop(columns="scale"), "lack the column 'scale'"),
    (lambda frame: pd.concat([frame, frame[:1]]), "a occurs twice on split 0 of table 't0' at 1,000 rows"),
    (lambda frame: frame.assign(loss=np.nan), "the loss of table 't0' is not finite"),
    (lambda frame: frame.assign(scale=0.0), "the scale of table 't0' is not positive"),
])
def test_unsound_losses_are_refused(many, change, message):
    with pytest.raises(BadData, match=message):
        TableLosses.gather(change(many.frame_of({"a": [0.3], "b": [0.4]})))


def test_without_anything_in_common_there_is_nothing_to_compare(many):
    apart = pd.concat([many.frame_of({"a": [0.1]}), many.frame_of({"b": [0.1]}).assign(table="u")])
    with pytest.raises(BadData, match="no approach was run on all of these tables"):
        TableLosses.gather(apart)
    with pytest.raises(BadData, match="no table has all of a, b; compare fewer"):
        TableLosses.gather(apart, ["a", "b"])


def test_evidence_becomes_rows(simulate):
    random = np.random.default_rng(0)
    evidence = simulate.evidence_of({(name, size): random.random(60) for name in ("b", "a") for size in (20, 48)})
    frame = loss_rows(evidence, table="mine", source="theirs")
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == 2 * 2 * 5
    assert frame["approach"].unique().tolist() == ["b", "a"]  # listing order
    chosen = frame[(frame["approach"] == "a") & (frame["size"] == 48)]
    assert chosen["loss"].tolist() == evidence.loss["a", 48].tolist()
    assert set(frame["scale"]) == {evidence.margin}


def test_perfect_is_the_lowest_loss_there_is():
    assert [perfect_loss(METRICS.get(name)) for name in ("log_loss", "auc", "r2")] == [0, -1, -1]
    unknown = Metric("profit", ("binary",), True, lambda *_: 0.0, None)
    assert np.isnan(perfect_loss(unknown))
