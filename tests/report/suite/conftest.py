"""A made-up suite of nine tables at two sizes, with a failure, a table that was not run, and names that are markup."""

import pytest
import simulated_suites

TABLES = 9


@pytest.fixture(scope="session")
def suite():
    trees = [0.4 + 0.002 * table for table in range(TABLES)]
    means = {"dummy": [1.0] * TABLES, "linear": [0.5 + 0.001 * table for table in range(TABLES)], "lightgbm": trees,
             "mlp": [mean + (0.001 if table % 2 else -0.001) for table, mean in enumerate(trees)]}
    names = ["<i>first</i>", "a|b", "100% & more_", *(f"table {number}" for number in range(3, TABLES))]
    return simulated_suites.suite_of(means, failed=[("mlp", 2)], absent=1, names=names)


@pytest.fixture(scope="session")
def tiny():
    """One table, one size, two approaches: nearly nothing can be said or drawn."""
    return simulated_suites.suite_of({"dummy": [1.0], "own": [0.5]}, sizes=(100,), splits=1)
