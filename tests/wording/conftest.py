"""Losses on made-up tables."""

import pytest
import simulated_tables


@pytest.fixture
def many():
    return simulated_tables.generators()
