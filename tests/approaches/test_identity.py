"""Digests of estimators: the same script has the same one in every process, whatever changes a prediction has another."""

import functools
import json
import os
import site
import subprocess
import sys
import threading
import types
import typing
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tabbench.approaches.identity import Unidentifiable, identity_of

SCRIPT = """
import enum, functools, json, sys
sys.path.insert(0, {folder!r})
import numpy as np, pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
import shared
from tabbench.approaches.identity import identity_of

WORDS = {{"a", "bb", "ccc", "dddd"}}
RATES = np.array([1.0, {array}])

class Kind(enum.Enum):
    ONE = 1

class Mine(BaseEstimator):
    level, words, kind = {attribute}, WORDS, Kind.ONE
    def __init__(self, scale=1.0):
        self.scale = scale
    def fit(self, X, y):
        return super().__sklearn_tags__()

def inner(X):
    return X * RATES.sum() if "a" in WORDS else X

def body(X):
    return inner(X) + {body}

def closing(value):
    return lambda X: X + value

print(json.dumps({{name: identity_of(thing) for name, thing in {{
    "function": FunctionTransformer(body), "lambda": FunctionTransformer(lambda X: X + {lambda_}),
    "closure": make_pipeline(FunctionTransformer(closing({closure})), LogisticRegression()), "class": Mine(),
    "partial": FunctionTransformer(functools.partial(body, X=pd.DataFrame({{"x": [1, 2], "w": ["u", None]}}))),
    "module": FunctionTransformer(shared.twice), "attribute of a module": FunctionTransformer(lambda X: shared.twice(X)),
}}.items()}}))
"""
USUAL = {"array": 2.0, "attribute": 1, "body": 1, "lambda_": 1, "closure": 1}


def identities(folder: Path, *, seed: str = "1", factor: int = 2, **changes) -> dict[str, str]:
    (folder / "shared.py").write_text(f"FACTOR = {factor}\n\n\ndef twice(X):\n    return X * FACTOR\n")
    script = SCRIPT.format(folder=str(folder), **USUAL | changes)
    where = dict(os.environ, PYTHONHASHSEED=seed, PYTHONDONTWRITEBYTECODE="1")
    return json.loads(subprocess.run([sys.executable, "-c", script], env=where, capture_output=True, check=True).stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("identity")


@pytest.fixture(scope="module")
def usual(folder):
    return identities(folder)


def test_another_process_finds_the_same_but_for_what_has_changed(folder, usual):
    again = identities(folder, seed="2", body=2)
    assert {name for name in usual if again[name] != usual[name]} == {"function", "partial"}
    assert len(set(usual.values())) == len(usual)


def test_closures_arrays_attributes_lambdas_and_modules_count(folder, usual):
    changed = identities(folder, array=2.5, closure=2, attribute=2, lambda_=2, factor=3)
    assert not set(usual.values()) & set(changed.values())


def test_what_was_learnt_before_does_not_count():
    search = GridSearchCV(make_pipeline(FunctionTransformer(), LogisticRegression()), {"logisticregression__C": [1, 10]}, cv=2)
    fresh = identity_of(search)
    search.fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    assert identity_of(search) == fresh


def test_what_cannot_be_taken_apart_is_said():
    with pytest.raises(Unidentifiable, match="lock"):
        identity_of(FunctionTransformer(kw_args={"lock": threading.Lock()}))


def cached(number, size=8, **attributes):
    def scaled(X):
        return X * number

    found = functools.lru_cache(size)(scaled)
    vars(found).update(attributes)
    return found


def test_a_cached_function_counts_by_what_it_does():
    assert identity_of(cached(2)) == identity_of(cached(2))
    assert len({identity_of(each) for each in (cached(2), cached(3), cached(2, 9), cached(2, factor=4))}) == 4


class Single:
    def __reduce__(self):
        return "SINGLE"


@pytest.mark.parametrize("hidden", [
    functools.wraps(len)(cached(2)), np.frompyfunc(lambda value: 2 * value, 1, 1), Single(), typing.NewType("Rate", float)])
def test_what_only_has_a_name_cannot_be_compared(hidden):
    with pytest.raises(Unidentifiable, match=r"hides (the|its) function|by its name only"):
        identity_of(FunctionTransformer(kw_args={"hidden": hidden}))


def test_type_variables_count_by_their_bounds():
    one, other, bound = typing.TypeVar("T"), typing.TypeVar("T"), typing.TypeVar("T", bound=int)
    assert identity_of(one) == identity_of(other) != identity_of(bound)


def module_at(place: Path, monkeypatch, version: str) -> types.ModuleType:
    found = types.ModuleType("plugged")
    found.__file__, found.__version__ = str(place / "plugged.py"), version
    monkeypatch.setitem(sys.modules, "plugged", found)
    return found


@pytest.mark.parametrize("place", [site.getusersitepackages(), *site.getsitepackages()])
def test_packages_of_the_user_and_the_system_count_by_their_version(monkeypatch, place):
    first, same, other = (identity_of(module_at(Path(place), monkeypatch, version)) for version in ("1", "1", "2"))
    assert first == same != other


def test_a_module_without_readable_source_is_said(monkeypatch, tmp_path):
    with pytest.raises(Unidentifiable, match=r"plugged\.py cannot be read"):
        identity_of(module_at(tmp_path, monkeypatch, "1"))


def test_tensors_count_by_type_and_value():
    numbers = [2**53, 1]
    kinds = [torch.tensor(numbers, dtype=each) for each in (torch.int64, torch.float64, torch.float32, torch.bfloat16)]
    others = [torch.tensor([2**53 + 1, 1]), kinds[1].clone().requires_grad_(), torch.tensor([1j, 2]).conj()]
    assert len({identity_of(each) for each in kinds + others}) == 7
    assert identity_of(kinds[3]) == identity_of(kinds[3].clone())


@pytest.mark.parametrize("tensor", [
    torch.zeros(2).to_sparse(), torch.zeros(2, device="meta"), torch.zeros(2, dtype=torch.float8_e4m3fn)])
def test_tensors_without_a_numpy_form_are_said(tensor):
    with pytest.raises(Unidentifiable, match="tensor has no NumPy form"):
        identity_of(tensor)
