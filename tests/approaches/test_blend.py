"""The blend: what belongs into its key."""

from __future__ import annotations

import dataclasses

import pytest

from tabbench.core.approach import APPROACHES, Workload

WORKLOAD = Workload("fast", 200, 5, 2)


@pytest.mark.parametrize("member", ["linear", "boosting", "mlp"])
def test_a_member_of_another_version_is_another_blend(member, monkeypatch):
    blend = APPROACHES.get("blend")
    before = blend.settings(WORKLOAD)
    learner = APPROACHES.get(member)
    monkeypatch.setitem(APPROACHES._things, member, dataclasses.replace(learner, version=learner.version + 1))
    after = blend.settings(WORKLOAD)
    assert before != after
    assert before["members"] == after["members"]
