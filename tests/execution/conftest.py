"""A run's store, to which children can be given."""

import pytest

from tabbench.store.database import Store
from tabbench.store.folder import RunFolder
from tabbench.store.setups import save_setup


@pytest.fixture
def store(tmp_path, small_setup):
    with RunFolder.open(tmp_path / "run") as folder, Store(folder.path) as opened:
        folder.keep()
        save_setup(small_setup, folder.path)
        yield opened
