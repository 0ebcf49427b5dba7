"""What an installed tabbench holds, and that listing names loads nothing heavy."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[1]
PROJECT = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
HEAVY = {"torch", "sklearn", "xgboost", "lightgbm", "matplotlib", "scipy.stats"}
"""Libraries that take a noticeable part of a second, which only who uses them shall wait for."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `pip install .` makes: the content of each member by its name."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=CLONE, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_wheel_holds_every_source_and_data_file(wheel):
    sources = {path.relative_to(CLONE).as_posix() for path in (CLONE / "tabbench").rglob("*")
               if path.is_file() and path.suffix != ".pyc"}
    tables = {f"tabbench/datasets/{path.name}" for path in (CLONE / "datasets").iterdir()}
    assert "tabbench/py.typed" in sources
    assert sources | tables == {name for name in wheel if ".dist-info/" not in name}


def test_nobody_is_told_to_install_a_package_of_another_project_by_our_name():
    for path in [*(CLONE / "tabbench").rglob("*.py"), *CLONE.glob("*.md"), *(CLONE / "docs").glob("*.md")]:
        assert not re.search(r"(install|upgrade)[^\n.]{0,20}\btabbench\b(?!\.git)", path.read_text(), re.IGNORECASE), path


def test_wheel_has_command_and_licence(wheel):
    information = {name.partition(".dist-info/")[2]: content.decode() for name, content in wheel.items() if ".dist-info/" in name}
    assert "tabbench = tabbench.cli:main" in information["entry_points.txt"]
    assert "BSD 3-Clause" in information["licenses/LICENSE"]
    assert "Requires-Dist: torch>=2.6\n" in information["METADATA"], "the pin belongs into constraints.txt"


def test_installed_tables_are_found_beside_the_package(wheel, tmp_path):
    for name, content in wheel.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = in_new_process("from tabbench.reading import cards; print(cards.fetch(cards.get_card('penguins')))", tmp_path)
    assert Path(found) == tmp_path / "tabbench" / "datasets" / "penguins.parquet"


def test_every_dependency_is_pinned_once():
    pins = [line.partition("==")[0] for line in (CLONE / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    asked = [name for group in [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()] for name in group]
    normal = [name.lower().replace("_", "-") for name in pins]
    assert len(set(normal)) == len(normal)
    assert {name.partition(">=")[0] for name in asked if ">=" in name} <= set(normal)


@pytest.mark.parametrize("code", [
    "import tabbench",
    "from tabbench.core.approach import APPROACHES, SELECTORS; APPROACHES.names(), SELECTORS.names()",
    "from tabbench.core.check import CHECKS; from tabbench.core.metric import METRICS; CHECKS.names(), METRICS.names()",
    "from tabbench.reading import cards; cards.all_cards()",
    "import tabbench.cli",
])
def test_listing_names_loads_nothing_heavy(code):
    loaded = in_new_process(f"{code}\nimport sys; print(*sorted(sys.modules))", CLONE)
    assert HEAVY.isdisjoint(loaded.split())


def test_help_does_not_wait_for_numbers():
    loaded = in_new_process("import tabbench.cli\nimport sys; print(*sorted(sys.modules))", CLONE)
    assert {"numpy", "pandas"}.isdisjoint(loaded.split())


def test_a_comparison_of_a_file_does_not_wait_for_other_libraries_frames_or_for_the_network():
    loaded = in_new_process("import tabbench.comparison.compare\nimport sys; print(*sorted(sys.modules))", CLONE)
    assert {"narwhals", "urllib.request", "ssl", "pyarrow.parquet"}.isdisjoint(loaded.split())


def in_new_process(code, folder):
    """What the code prints when the package in `folder` is the one that is imported."""
    return subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
