"""The examples of CONTRIBUTING.md do what they promise: pasted in as files, they pass the contract tests of their kind."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabbench.core.approach import APPROACHES, SELECTORS, TrainingSet, Workload
from tabbench.core.check import CHECKS, CheckedTable
from tabbench.core.executor import EXECUTORS
from tabbench.core.family import FAMILIES
from tabbench.core.generator import GENERATORS
from tabbench.core.metric import METRICS
from tabbench.core.table import Column, Table
from tabbench.core.task import Task
from tabbench.model import SavedModel, load_model, restore_model, save_model
from tabbench.reading import cards
from tabbench.views import fit_view

CLONE = Path(__file__).parents[1]
GUIDE = (CLONE / "CONTRIBUTING.md").read_text()
EXAMPLES = dict(re.findall(r"`(\S+)`,\scomplete.*?```\w+\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE))
"""Path -> what CONTRIBUTING says stands there."""
APPROACH, SELECTOR, METRIC = "tabbench/approaches/nearest.py", "tabbench/selection/ridge.py", "tabbench/metrics/spherical.py"
CHECK, CARD = "tabbench/checks/wide_table.py", "datasets/wine_recognition.toml"
EXECUTOR, GENERATOR = "tabbench/execution/fresh.py", "tabbench/generators/rings.py"
KINDS = ("approach", "selector", "metric", "check", "executor", "generator")
CONTRACTS = (*(f"tests/contract/test_every_{kind}.py" for kind in KINDS), "tests/reading/test_cards.py")
NAMES = ("nearest", "ridge", "spherical", "wide-table", "fresh-process", "rings", "wine_recognition")
TASKS = {
    "regression": Task("regression", (), "rmse", ("rmse",)),
    "binary": Task("binary", ("no", "yes"), "log_loss", ("log_loss",)),
    "multiclass": Task("multiclass", ("low", "mid", "high"), "log_loss", ("log_loss",)),
}


def registered_by(code, registry, monkeypatch, folder):
    """What the code registers as a module, without leaving it there."""
    caught = []
    monkeypatch.setattr(registry, "register", caught.append)
    monkeypatch.setattr(FAMILIES, "register", lambda family: None)
    path = folder / "added_by_example.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return caught


def table_of(rows, columns):
    random = np.random.default_rng(3)
    features = pd.DataFrame({f"x{number}": random.normal(size=rows) for number in range(columns)})
    return Table("made", features, tuple(Column(name, "number") for name in features), pd.Series(features["x0"] > 0).map(str),
                 "y", False, np.arange(rows), np.arange(rows, dtype=np.uint64), "f")


@pytest.mark.parametrize("kind", TASKS)
def test_example_approach_learns_predicts_and_comes_back(kind, monkeypatch, tmp_path):
    [approach] = registered_by(EXAMPLES[APPROACH], APPROACHES, monkeypatch, tmp_path)
    table, task = table_of(120, 3), TASKS[kind]
    signal = table.features["x0"].to_numpy()
    shares = np.arange(1, task.n_classes) / max(task.n_classes, 1)
    target = signal if task.is_regression else np.digitize(signal, np.quantile(signal, shares))
    settings = approach.settings(Workload(0.1, 120, 3, task.n_classes))
    view = fit_view(approach.view, table.features, table.columns, 0)
    features = view.transform(table.features)
    fitted = approach.fit(TrainingSet(features, target, task, settings, 1, 2, weight=np.linspace(0.5, 1.5, 120)))

    predictions = fitted.predict(features)
    if task.is_regression:
        assert np.corrcoef(predictions, target)[0, 1] > 0.9
    else:
        assert np.allclose(predictions.sum(axis=1), 1)
        assert predictions.min() > 0
        assert (predictions.argmax(axis=1) == target).mean() > 0.75
    saved = SavedModel(approach.name, approach.version, task, table.columns, approach.view, view.to_parts(), fitted.to_parts())
    restored = restore_model(load_model(save_model(tmp_path / "model", saved)), lambda name: approach)
    assert restored.predict(table.features).tobytes() == predictions.tobytes()


def test_example_check_finds_the_fault_and_is_silent_without_it(monkeypatch, tmp_path):
    [check] = registered_by(EXAMPLES[CHECK], CHECKS, monkeypatch, tmp_path)
    target = np.zeros(5, dtype=np.int64)
    [finding] = check.run(CheckedTable(table_of(5, 9), TASKS["binary"], target))
    assert (finding.code, finding.message) == ("wide-table", "there are 9 columns for 5 rows")
    assert check.run(CheckedTable(table_of(9, 9), TASKS["binary"], target)) == []


def test_names_of_examples_are_free():
    assert set(EXAMPLES) == {APPROACH, SELECTOR, METRIC, CHECK, EXECUTOR, GENERATOR, CARD}
    for registry, name in zip((APPROACHES, SELECTORS, METRICS, CHECKS, EXECUTORS, GENERATORS), NAMES, strict=False):
        assert name not in registry
    assert "neighbours" not in FAMILIES
    assert cards.find_card("wine_recognition") is None


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of what a contributor has, with the examples pasted in."""
    folder = tmp_path_factory.mktemp("clone")
    for part in ("tabbench", "datasets", "tests/contract"):
        shutil.copytree(CLONE / part, folder / part, copy_function=shutil.copy2)
    for part in ("pyproject.toml", "tests/conftest.py", "tests/simulated.py", "tests/reading/test_cards.py"):
        (folder / part).parent.mkdir(exist_ok=True)
        shutil.copy(CLONE / part, folder / part)
    for path, text in EXAMPLES.items():
        (folder / path).write_text(text)
    put_table_beside(folder / CARD)
    return folder


def put_table_beside(card):
    """A table that is as the card says; the card's hash and size are examples."""
    random, known = np.random.default_rng(0), cards.read_card(card)
    table = pd.DataFrame({f"x{number}": random.normal(size=known.rows) for number in range(known.columns - 1)})
    table[known.target] = random.choice(["a", "b", "c"], known.rows)
    table.to_parquet(card.parent / known.file)
    content = (card.parent / known.file).read_bytes()
    text = card.read_text().replace(known.sha256, hashlib.sha256(content).hexdigest())
    card.write_text(text.replace(f"bytes = {known.bytes}", f"bytes = {len(content)}"))


def in_clone(clone, *arguments):
    return subprocess.run([sys.executable, "-m", *arguments], cwd=clone, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(clone)})


def test_the_examples_pass_the_contract_tests(clone):
    done = in_clone(clone, "pytest", "-vv", "-p", "no:cacheprovider", *CONTRACTS, "-k", " or ".join(NAMES))
    assert done.returncode == 0, done.stdout
    passed = [line for line in done.stdout.splitlines() if "PASSED" in line]
    for name in NAMES:
        assert sum(name in line for line in passed) >= 2, name
    assert "SKIPPED" not in done.stdout


def test_the_examples_take_part_in_a_comparison(clone):
    """With a family of its own the approach is drawn in its colour; the metric decides under its own name."""
    done = in_clone(clone, "tabbench", "compare", "wine_recognition", "--approaches", "nearest,linear+ridge", "--metric",
                    "spherical", "--effort", "0.01", "--sizes", "full", "--folds", "2", "--repeats", "1", "--out", "run",
                    "--executor", "in-process")
    assert done.returncode == 0, done.stderr
    page = (clone / "run" / "report.html").read_text()
    assert "spherical score" in page and "--neighbours-0: #7a6a00" in page and "var(--neighbours-0)" in page
