"""The line that says a plan before the first cell."""

import pytest

from tabbench.wording.plan import limited_plan_line


@pytest.mark.parametrize(("given_up", "is_new", "told"), [
    ((), False, "plan: --sizes 100 (the largest that should end within 1 min 0 s)"),
    ((), True, "plan: --sizes 100 (the largest that, by the first look, should end within 1 min 0 s)"),
    (("2 of 3 repeats", "linear"), False,
     "plan: --sizes 100 (the largest that should end within 1 min 0 s, without 2 of 3 repeats and linear; all of it would take "
     "about 10 min 0 s)"),
])
def test_a_limited_plan_says_what_it_does_without(given_up, is_new, told):
    assert limited_plan_line("--sizes 100", 60.0, given_up, 600.0, is_new=is_new) == told
