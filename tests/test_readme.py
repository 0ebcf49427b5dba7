"""What the README tells a stranger to type works as written."""

import importlib.util
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import tabbench

from tabbench.approaches.composed import default_approaches, listed_approaches

pytestmark = pytest.mark.usefixtures("rough_intervals", "few_rounds")
CLONE = Path(__file__).parents[1]
README = (CLONE / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(autouse=True)
def one_repeat(monkeypatch):
    """As with a long table: three repeats of a short one only take longer."""
    monkeypatch.setattr("tabbench.splitting.splits.default_repeats", lambda rows: 1)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    rng = np.random.default_rng(0)
    rooms, place = rng.integers(1, 8, 130), rng.choice(["lake", "hill", "town"], 130)
    price = (rooms * 90 + (place == "lake") * 150 + rng.normal(0, 60, 130)).round(2)
    pd.DataFrame({"rooms": rooms, "place": place, "price": price}).to_csv(folder / "data.csv", index=False)
    return folder


def test_the_shell_blocks_run_in_order(place):
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    assert [shlex.split(line)[:2] for line in lines] == [["tabbench", command] for command in (
        "compare", "resume", "report", "export", "predict", "check")]
    for line in lines:
        done = tabbench(*shlex.split(line)[1:], folder=place)
        assert done.exit_code == 0, (line, done.stderr)
    assert len(pd.read_csv(place / "predictions.csv")) == 130


@pytest.mark.filterwarnings("ignore:O01:tabbench.core.errors.TrainingWarning")  # what the block shows
def test_the_python_block_runs(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    names = {}
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), names)
    assert len(blocks("python")[0].splitlines()) == 5
    assert "130 rows" in capsys.readouterr().out
    assert names["best"].best_approach_ in names["best"].comparison_.approaches["name"].tolist()


def test_the_table_of_approaches_is_that_of_the_registry():
    spec = importlib.util.spec_from_file_location("readme_approaches", CLONE / "tools" / "readme_approaches.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.with_table(README) == README, "the README's table is old: run python tools/readme_approaches.py"


def test_what_runs_with_which_effort_is_true():
    fast, balanced, thorough = (set(default_approaches(effort)) for effort in (0.1, 1.0, 6.0))
    every = {each.name for each in listed_approaches()}
    assert [named_for(effort) for effort in ("0.1", "1", "6")] == [every - fast, every - balanced, thorough - balanced]


def named_for(effort):
    [row] = [line for line in README.splitlines() if line.startswith(f"| {effort} |")]
    return set(re.findall("`([^`]+)`", row.split("|")[-2]))


def test_every_link_exists():
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links and all(os.path.exists(CLONE / link) for link in links)
