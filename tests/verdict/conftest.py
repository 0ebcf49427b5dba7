"""What tests of error rates share."""

import pytest


@pytest.fixture
def few_draws(monkeypatch):
    """A tenth of the draws of the farthest t, which is most of what a judgement costs.

    The reach then has an error of its own of 0.03 instead of 0.01, which shifts a level of 0.05 by less than 0.005 either way
    in each run: far below what the few runs of a test can tell.
    """
    monkeypatch.setattr("tabbench.verdict.simultaneous.DRAWS", 4_000)
