"""Plug-ins of other packages: found by their entry point, and left out with one line of warning where they don't load."""

import importlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tabbench.core.errors import TabbenchError, UnknownName
from tabbench.core.family import Family
from tabbench.core.registry import Registry

CLONE = Path(__file__).parents[2]
LOOK_TWICE = """
from tabbench.core.approach import APPROACHES, SELECTORS
from tabbench.core.check import CHECKS
from tabbench.core.metric import METRICS
first = [registry.names() for registry in (CHECKS, APPROACHES, SELECTORS, METRICS)]
assert first == [registry.names() for registry in (CHECKS, APPROACHES, SELECTORS, METRICS)]
print(*first[0])
print(*first[1])
"""
CHECK = """
from tabbench.core.check import CHECKS, Check
CHECKS.register(Check({name!r}, "a question", lambda evidence: [], ()))
"""
LINEAR = """
from tabbench.approaches.dummy import fit_dummy, restore_dummy
from tabbench.core.approach import APPROACHES, Approach
APPROACHES.register(Approach(name="linear", version=1, family="own", cost_rank=1, view="raw", summary="another one",
                             settings=lambda workload: {}, fit=fit_dummy, restore=restore_dummy))
"""


@pytest.fixture
def installed(tmp_path):
    """A function that installs a distribution with one module and one entry point, as pip would, and returns its folder."""

    def install(name, code):
        (tmp_path / f"{name}.py").write_text(code)
        information = tmp_path / f"{name}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[tabbench]\nof_{name} = {name}\n")
        return tmp_path

    return install


def run(folder, *arguments):
    found = f"import sys; sys.path[:0] = [{str(CLONE)!r}, {str(folder)!r}]"
    code = arguments[0] if len(arguments) == 1 else f"import sys; sys.argv = {['tabbench', *arguments[1:]]!r}\n" + arguments[0]
    return subprocess.run([sys.executable, "-c", f"{found}\n{code}"], capture_output=True, text=True, check=False, cwd=folder)


BAD = {
    "missing": ("import a_package_that_is_not_there", "ModuleNotFoundError: No module named 'a_package_that_is_not_there'"),
    "broken": ("raise RuntimeError('no licence\\nwas found')", "RuntimeError: no licence was found"),
    "leaving": ("import sys; sys.exit('not here')", "SystemExit: not here"),
    "check": (CHECK.format(name="duplicates"), "TabbenchError: the name of the check 'duplicates' is taken"),
    "approach": (LINEAR, "TabbenchError: the name of the approach 'linear' is taken"),
}


def test_plug_ins_that_do_not_load_are_one_line_of_warning_each_and_keep_no_other_out(installed):
    for name, (code, _) in BAD.items():
        installed(name, code)
    folder = installed("zgood", CHECK.format(name="mine"))
    done = run(folder, LOOK_TWICE)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stderr.splitlines()) == sorted(
        f"the plug-in of_{name} of the package {name} was not loaded: {reason}" for name, (_, reason) in BAD.items())
    checks, approaches = (set(line.split()) for line in done.stdout.splitlines())
    assert {"mine", "duplicates"} <= checks and {"linear", "mlp"} <= approaches and len(checks) > 10


@pytest.mark.slow
def test_a_command_goes_on_and_tells_it_once(installed):
    folder = installed("guest", "1 / 0")
    (folder / "table.csv").write_text("a,y\n" + "".join(f"{row % 7},{row % 2}\n" for row in range(80)))
    command = ("from tabbench.cli import main; main()", "compare", "table.csv", "--target", "y", "--approaches", "dummy",
               "--effort", "0.01", "--sizes", "full", "--folds", "2", "--repeats", "1", "--quiet", "--jobs", "1")
    done = run(folder, *command)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "the plug-in of_guest of the package guest was not loaded: ZeroDivisionError: division by zero\n"


def test_names_are_taken_once_and_unknown_ones_are_told():
    registry = Registry("family", "tabbench.metrics")  # a package in which nobody registers one
    registry.register(Family("mine"))
    with pytest.raises(TabbenchError, match="the name of the family 'mine' is taken"):
        registry.register(Family("mine"))
    with pytest.raises(UnknownName, match="did you mean 'mine'"):
        registry.get("mien")


def test_a_package_that_fails_to_load_fails_again(tmp_path, monkeypatch):
    (tmp_path / "halfway").mkdir()
    (tmp_path / "halfway" / "__init__.py").touch()
    (tmp_path / "halfway" / "broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("thing", "halfway")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            registry.names()


SLOW = """
import time
from tabbench.core.family import Family
import slow
time.sleep(0.02)  # long enough for the other threads to ask meanwhile
slow.REGISTRY.register(Family({name!r}))
"""


def test_threads_that_ask_at_the_same_time_all_get_every_name(tmp_path, monkeypatch):
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "__init__.py").write_text(
        "from tabbench.core.registry import Registry\nREGISTRY = Registry('family', 'slow')\n")
    for name in "abc":
        (tmp_path / "slow" / f"{name}.py").write_text(SLOW.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    registry = importlib.import_module("slow").REGISTRY
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: registry.names(), range(4))) == [["a", "b", "c"]] * 4


def test_what_fails_after_it_has_registered_fails_alike_each_time(tmp_path, monkeypatch):
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "__init__.py").write_text(
        "from tabbench.core.registry import Registry\nREGISTRY = Registry('family', 'later')\n")
    (tmp_path / "later" / "broken.py").write_text(
        "import later\nfrom tabbench.core.family import Family\nlater.REGISTRY.register(Family('mine'))\n1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = importlib.import_module("later").REGISTRY
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            registry.names()
