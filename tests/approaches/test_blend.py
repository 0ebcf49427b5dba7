"""The blend: what belongs into its key, and its weights."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tabbench.approaches.blend import weighed_together
from tabbench.core.approach import APPROACHES, HeldOut, TrainingSet, Workload
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.views import fit_view

WORKLOAD = Workload(0.1, 200, 5, 2)


@pytest.mark.parametrize("member", ["linear", "boosting", "mlp"])
def test_a_member_of_another_version_is_another_blend(member, monkeypatch):
    blend = APPROACHES.get("blend")
    before = blend.settings(WORKLOAD)
    learner = APPROACHES.get(member)
    monkeypatch.setitem(APPROACHES._things, member, dataclasses.replace(learner, version=learner.version + 1))
    after = blend.settings(WORKLOAD)
    assert before != after
    assert before["members"] == after["members"]


@pytest.mark.parametrize("metric", ["auc", "accuracy"])
def test_weights_are_weights_whatever_metric_decides(metric):
    """Losses of such metrics are negative; the weights of a few rows are drawn towards equality all the same."""
    pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=80), "z": generator.normal(size=80)})
    target = (frame["x"] + generator.normal(size=80) > 0).to_numpy().astype(np.int64)
    columns = (Column("x", "number"), Column("z", "number"))
    task = Task("binary", ("no", "yes"), metric, (metric, "log_loss"))
    blend, view = APPROACHES.get("blend"), fit_view("families", frame, columns, 0)
    fitted = blend.fit(TrainingSet(view.transform(frame), target, task, blend.settings(Workload(0.1, 80, 2, 2)), 1, 2))
    assert sum(fitted.tuned["weights"].values()) == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(fitted.predict(view.transform(frame)).sum(axis=1), 1.0)


def test_members_with_too_few_rows_in_common_are_not_weighed_by_them():
    linear, boosting, mlp = (HeldOut(np.arange(*rows), np.zeros(rows[1] - rows[0])) for rows in ((0, 60), (55, 200), (140, 300)))
    assert weighed_together([linear, boosting, mlp], 4000)[0] == (1, 2)  # 60 rows; none is common to all
    assert weighed_together([linear, boosting, mlp], 100_000)[1].tolist() == list(range(140, 200))
    places, rows = weighed_together([linear, boosting], 4000)  # five rows are not enough
    assert (places, len(rows)) == ((1,), 145)
    assert weighed_together([linear, boosting], 100)[0] == (0, 1)
