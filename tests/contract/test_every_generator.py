"""What every registered generator must keep: its table depends on seed and parameters alone, and can be read and compared."""

import numpy as np
import pandas as pd
import pytest

from tabbench.core.generator import GENERATORS, TARGET
from tabbench.reading.generated import locate_generated
from tabbench.reading.locating import locate
from tabbench.reading.reading import read_table
from tabbench.reading.target import read_target

ROWS = 120
CASES = [(generator, task) for generator in GENERATORS for task in generator.tasks]
every_generator = pytest.mark.parametrize("generator", list(GENERATORS), ids=lambda generator: generator.name)
every_task = pytest.mark.parametrize(("generator", "task"), CASES, ids=[f"{each.name}-{task}" for each, task in CASES])


@every_task
def test_the_table_is_read_with_the_declared_task_and_roles(generator, task):
    located = locate(f"generated:{generator.name}" + (f",task={task}" if len(generator.tasks) > 1 else ""))
    table = read_table(located.data, located.target, group=located.group, time=located.time)
    assert read_target(table).kind == located.task == task
    assert (table.name, table.target_name, len(table)) == (generator.name, TARGET, generator.rows)
    roles = {"group": generator.group, "time": generator.time}
    assert table.roles == {role: column for role, column in roles.items() if column}


@every_generator
def test_the_same_seed_gives_the_same_table_and_another_one_another(generator):
    table = generator.table(rows=ROWS, seed=3)
    pd.testing.assert_frame_equal(table, generator.table(rows=ROWS, seed=3))
    assert len(table) == ROWS
    assert not table.equals(generator.table(rows=ROWS, seed=4))


@every_generator
def test_numbers_are_rounded_so_that_processors_agree(generator):
    numbers = generator.table(rows=ROWS).select_dtypes(np.float64).to_numpy()
    fraction, _ = np.frexp(numbers[np.isfinite(numbers)])
    assert np.array_equal(fraction * 2**24, np.rint(fraction * 2**24))


@every_generator
def test_every_parameter_has_a_default_that_it_accepts_as_text(generator):
    as_text = {name: str(value) for name, value in generator.parameters.items()}
    assert generator.checked(as_text) == generator.parameters
    described = locate_generated(f"generated:{generator.name},rows={ROWS}").data.description
    assert described.startswith(f"generated (rows {ROWS}, seed 0")
