"""Systems in parts of a matrix: the reused factor gives what a direct solution gives."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.linear.subsystems import Subsystems


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_sets_that_come_one_after_another_are_solved_like_each_alone(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(60, 40))
    matrix, moving = root.T @ root, rng.random(40) < 0.7
    system = Subsystems(matrix)
    for changes in (0, 1, 2, 3, 20, 1):
        moving[rng.permutation(40)[:changes]] ^= True
        force = rng.normal(size=40)
        solution = system.solve(moving, force)
        assert not solution[~moving].any()
        expected = np.linalg.solve(matrix[np.ix_(moving, moving)], force[moving])
        np.testing.assert_allclose(solution[moving], expected, rtol=1e-6, atol=1e-8)
