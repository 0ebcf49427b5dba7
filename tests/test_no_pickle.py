"""The interpreter's audit hook is told of everything that is looked up for a pickle: while files are read, that is nothing."""

import io
import pickle
import sys
import zipfile

import numpy as np
import pytest
from command_line import tabbench

from tabbench.core.errors import TabbenchError
from tabbench.store.setups import load_setup, save_setup

listeners = []


@pytest.fixture(scope="module")
def hook():
    """A hook of the interpreter stays until it ends, so it does nothing where nobody listens."""
    def listen(event, arguments):
        if listeners and event == "pickle.find_class":
            listeners[0].append(arguments)

    sys.addaudithook(listen)


@pytest.fixture
def listening(hook):
    """What was looked up for pickles while the test ran."""
    listeners.append([])
    yield listeners[0]
    listeners.clear()


class Evil:
    def __reduce__(self):
        return (print, ("a pickle was run",))


def test_the_hook_hears_a_pickle(listening):
    pickle.loads(pickle.dumps(Evil()))
    assert listening


def test_a_whole_run_and_its_model_are_read_without_a_pickle(tmp_path, listening):
    generator = np.random.default_rng(0)
    rows = [f"{x:.3f},{'yes' if x + noise > 0 else 'no'}" for x, noise in generator.normal(size=(90, 2))]
    (tmp_path / "data.csv").write_text("x,answer\n" + "\n".join(rows))
    run = ["compare", "data.csv", "--target", "answer", "--out", "run", "--approaches", "dummy,linear", "--effort", "0.02",
           "--executor", "in-process", "--sizes", "full", "--folds", "2", "--repeats", "1", "--quiet"]
    for command in (run, ["report", "run"], ["verify", "run", "--cells", "1"], ["export", "run", "--out", "m.tabbench"],
                    ["predict", "m.tabbench", "data.csv", "--out", "p.csv"]):
        assert tabbench(*command, folder=tmp_path).exit_code in (0, 3), command
    assert not listening


def zipped(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [
    pickle.dumps(Evil()), pickle.dumps(Evil(), protocol=0), zipped("archive/data.pkl", pickle.dumps(Evil())),
    zipped("model.json", pickle.dumps(Evil()))], ids=["binary", "text", "torch", "member"])
@pytest.mark.parametrize("name", ["m.tabbench", "m.parquet", "m.csv", "m.feather", "m.arff", "m.json"])
def test_pickles_by_any_name_are_refused_or_text(tmp_path, listening, name, content):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "rows.csv").write_text("x\n1\n")
    assert tabbench("predict", name, "rows.csv", "--out", "p.csv", folder=tmp_path).exit_code == 1
    assert tabbench("check", name, "--target", "x", folder=tmp_path).exit_code == 1
    assert not listening


def test_objects_in_the_splits_of_a_run_are_refused(tmp_path, small_setup, listening):
    save_setup(small_setup, tmp_path)
    with np.load(tmp_path / "splits.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    name = next(each for each in arrays if each != "about")
    np.savez(tmp_path / "splits.npz", **{**arrays, name: np.array([Evil()], dtype=object)})
    with pytest.raises(TabbenchError):
        load_setup(tmp_path)
    assert not listening
