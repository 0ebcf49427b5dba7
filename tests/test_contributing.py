"""The examples of CONTRIBUTING.md do what they promise when they are run as they stand."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabbench.core.approach import APPROACHES, TrainingSet, Workload
from tabbench.core.check import CHECKS, CheckedTable
from tabbench.core.table import Column, Table
from tabbench.core.task import Task
from tabbench.model import SavedModel, load_model, restore_model, save_model
from tabbench.reading import cards
from tabbench.views import fit_view

GUIDE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
TASKS = {
    "regression": Task("regression", (), "rmse", ("rmse",)),
    "binary": Task("binary", ("no", "yes"), "log_loss", ("log_loss",)),
    "multiclass": Task("multiclass", ("low", "mid", "high"), "log_loss", ("log_loss",)),
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)


def registered_by(code, registry, monkeypatch, folder):
    """What the code registers as a module, without leaving it there."""
    caught = []
    monkeypatch.setattr(registry, "register", caught.append)
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
    [approach] = registered_by(blocks("python")[0], APPROACHES, monkeypatch, tmp_path)
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
    [check] = registered_by(blocks("python")[1], CHECKS, monkeypatch, tmp_path)
    target = np.zeros(5, dtype=np.int64)
    [finding] = check.run(CheckedTable(table_of(5, 9), TASKS["binary"], target))
    assert (finding.code, finding.message) == ("wide-table", "there are 9 columns for 5 rows")
    assert check.run(CheckedTable(table_of(9, 9), TASKS["binary"], target)) == []


def test_example_card_is_one(tmp_path):
    [card] = blocks("toml")
    path = tmp_path / "wine_recognition.toml"
    path.write_text(card)
    assert cards.read_card(path).target == "cultivar"


def test_names_of_examples_are_free():
    assert "nearest" not in APPROACHES
    assert "wide-table" not in CHECKS
    assert cards.find_card("wine_recognition") is None
