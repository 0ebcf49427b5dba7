"""What a command has imported before it knows what it needs is what its first worker needs."""

import sys

import pytest

from tabbench.comparison import starting
from tabbench.comparison.planner import all_contestants
from tabbench.execution.child import PRELOADED
from tabbench.execution.processes import quick_to_import
from tabbench.options import Options


def test_what_is_imported_ahead_under_a_time_limit_is_what_the_first_worker_needs():
    needs = all_contestants(Options(effort=0.3)).needs("cpu", is_limited=True)
    needed = quick_to_import({module for modules in needs.modules.values() for module in modules})
    assert {*starting.FIRST_UNDER_A_LIMIT} <= {*needed} <= {*starting.FIRST_UNDER_A_LIMIT, *PRELOADED}


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
@pytest.mark.parametrize(("is_limited", "ahead"), [(False, ()), (True, starting.FIRST_UNDER_A_LIMIT)])
def test_it_is_imported_only_where_time_is_limited(tmp_path, monkeypatch, is_limited, ahead):
    told = {}
    monkeypatch.setattr(starting, "start_server", lambda **values: told.update(values))
    starting.start_importing(tmp_path, executor="local", is_fresh=False, is_limited=is_limited)
    assert told == {"ahead": ahead}
