"""Predict with models that were changed on purpose and carry right digests, as someone who wants to do harm would make them.

python tools/crafted_models.py [--models 300] [--seed 0] [--only xgboost,forest] [--show]

Every model must predict or be refused with a sentence: a traceback, the death of the process, or more than `LONGEST_SECONDS`
is a fault, and makes the command end with 1.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.numpy

from tabbench.approaches.composed import find_approach
from tabbench.comparison.predict import predict
from tabbench.core.approach import TrainingSet, Workload
from tabbench.core.errors import TabbenchError
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.model.members import ARRAYS, DESCRIPTION
from tabbench.model.saving import SavedModel, save_model
from tabbench.views import fit_view

APPROACHES = ("dummy", "linear", "linear+pca", "linear+forest", "forest", "lightgbm", "xgboost", "catboost", "boosting", "mlp",
              "tabm", "blend")
TASKS = {"binary": Task("binary", ("no", "yes"), "log_loss", ("log_loss",)),
         "multiclass": Task("multiclass", ("a", "b", "c"), "log_loss", ("log_loss",)),
         "regression": Task("regression", (), "rmse", ("rmse",))}
COLUMNS = (Column("x", "number"), Column("y", "number"), Column("colour", "category"), Column("is_new", "boolean"),
           Column("day", "date"), Column("note", "text"))
EFFORT = 0.02
ROWS = 120
LONGEST_SECONDS = 60
STRANGE_VALUES: tuple[Any, ...] = (None, -1, 0, 1, 10**9, 2**63, -2**63, 0.5, 1e308, -1e308, "", "x", "../x", [], [0], {}, True,
                                   "\x1b[31m", [[1, 2], [3]])
STRANGE_NUMBERS = (np.nan, np.inf, -np.inf, -1, 0, 2**31 - 1, -2**31, 1e30)
STRANGE_WORDS = (b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5_000, b"\x00", b"\xff\xfe", b"\x1b[31m", b"NaN", b'"', b"\n" * 1000,
                 b"../" * 50, b"1e999", b"\\ud800", "\u202e".encode(), b"inf", b"{}", b"[]", b"null", b"true")
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass
class Members:
    """A saved model taken apart: its description, arrays by number and blobs by number."""

    content: dict[str, Any]
    arrays: dict[str, np.ndarray]
    blobs: dict[str, bytes]

    @classmethod
    def read(cls, path: Path) -> Members:
        """From a folder that `save_model` wrote."""
        content = json.loads((path / DESCRIPTION).read_text())["content"]
        blobs = {name: (path / name).read_bytes() for name in content["members"] if name != ARRAYS}
        return cls(content, safetensors.numpy.load_file(path / ARRAYS), blobs)

    def write(self, path: Path) -> None:
        """As one file whose digests are right."""
        members = {ARRAYS: safetensors.numpy.save(self.arrays)} | self.blobs
        content = self.content | {"members": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        document = {"format": 1, "sha256": hashlib.sha256(canonical).hexdigest(), "content": content}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(DESCRIPTION, json.dumps(document))
            for name, data in members.items():
                archive.writestr(name, data)


def table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Rows with every kind of column."""
    generator = np.random.default_rng(seed)
    return pd.DataFrame({
        "x": generator.normal(size=rows), "y": generator.poisson(3, rows).astype(float),
        "colour": pd.Categorical(generator.choice([f"c{i:02}" for i in range(14)], rows)),
        "is_new": pd.array(generator.random(rows) < 0.5, dtype="boolean"),
        "day": (pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, rows), unit="D"))
                .astype("datetime64[us]")),
        "note": pd.Series([f"note {i % 40} of {i % 7}" for i in range(rows)], dtype="str")})


def fitted(name: str, kind: str, folder: Path) -> Members:
    """A sound model."""
    features, task, approach = table(), TASKS[kind], find_approach(name)
    signal = 2 * features["x"] + features["colour"].cat.codes / 4
    target = (signal * 1000).to_numpy() if task.is_regression else pd.qcut(signal, task.n_classes, labels=False).to_numpy()
    view = fit_view(approach.view, features, COLUMNS, 0)
    settings = approach.settings(Workload(EFFORT, ROWS, len(COLUMNS), task.n_classes))
    model = approach.fit(TrainingSet(view.transform(features), target, task, settings, seed=1, shared_seed=2))
    columns = tuple(replace(column, levels=tuple(features[column.name].cat.categories)) if column.kind == "category" else column
                    for column in COLUMNS)
    saved = SavedModel(name, approach.version, task, columns, approach.view, view.to_parts(), model.to_parts(),
                       {"identifiers": []})
    return Members.read(save_model(folder / f"{name}-{kind}", saved))


def crafted(sound: Members, choice: random.Random) -> tuple[str, Members]:
    """What was changed, and a model with that change."""
    changed = Members(copy.deepcopy(sound.content), dict(sound.arrays), dict(sound.blobs))
    kinds = ["value", "value"] + ["array"] * (2 if sound.arrays else 0) + ["blob"] * (4 if sound.blobs else 0)
    kind = choice.choice(kinds)
    change = {"value": change_value, "array": change_array, "blob": change_blob}[kind]
    return f"{kind}: {change(changed, choice)}", changed


def change_value(model: Members, choice: random.Random) -> str:
    """Another value, or none, somewhere in the description."""
    places = [place for place in _places(model.content) if place[1] and place[1][0] != "members"]
    holder, path = choice.choice(places)
    if choice.random() < 0.15:
        _remove(holder, path[-1])
        return f"{path} removed"
    old = holder[path[-1]]
    values = list(STRANGE_VALUES)
    if isinstance(old, int | float) and not isinstance(old, bool):
        values += [old + 1, old - 1, -old, old * 2, str(old)] * 2
    holder[path[-1]] = choice.choice(values)
    return f"{path} = {holder[path[-1]]!r} instead of {str(old)[:60]}"


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(entries)[:30]:
        yield value, (*path, key)
        yield from _places(inner, (*path, key))


def _remove(holder: Any, key: Any) -> None:
    del holder[key]


def change_array(model: Members, choice: random.Random) -> str:
    """An array of another shape, type or content."""
    name = choice.choice(sorted(model.arrays))
    array = model.arrays[name].copy()
    changes = {"shorter": lambda: array[:-1], "longer": lambda: np.concatenate([array, array]), "none": lambda: array[:0],
               "flat": lambda: array.reshape(-1), "one more axis": lambda: array[None], "transposed": array.T.copy,
               "float64": lambda: array.astype(np.float64), "int64": lambda: array.astype(np.int64),
               "bool": lambda: array.astype(bool), "int8": lambda: array.astype(np.int8),
               "float16": lambda: array.astype(np.float16), "strange number": lambda: _with_strange(array, choice, 1),
               "strange numbers": lambda: _with_strange(array, choice, len(array.reshape(-1)) // 3 + 1),
               "shuffled": lambda: np.random.default_rng(0).permutation(array.reshape(-1)).reshape(array.shape),
               "negative": lambda: -array if array.dtype != bool else ~array}
    change = choice.choice(list(changes))
    with np.errstate(all="ignore"):
        model.arrays[name] = np.ascontiguousarray(changes[change]())
    return f"array {name} {array.dtype}{array.shape} {change}"


def _with_strange(array: np.ndarray, choice: random.Random, count: int) -> np.ndarray:
    flat = array.reshape(-1).copy()
    for _ in range(count):
        if len(flat):
            flat[choice.randrange(len(flat))] = np.array(choice.choice(STRANGE_NUMBERS)).astype(array.dtype)
    return flat.reshape(array.shape)


def change_blob(model: Members, choice: random.Random) -> str:
    """A library's text that is cut, with other numbers, with lines that are gone, or with other bytes."""
    name = choice.choice(sorted(model.blobs))
    blob = model.blobs[name]
    model.blobs[name] = choice.choice((change_text, change_text, change_bytes, lambda blob, choice: b"tree\nversion=v4\n"))(
        blob, choice)
    return f"{name} ({len(blob)} bytes)"


def change_text(text: bytes, choice: random.Random) -> bytes:
    """Other numbers, a line or a word that is gone, twice or another one, and what makes parsers stumble."""
    changes = (lambda: _other_numbers(text, choice, 1), lambda: _other_numbers(text, choice, choice.choice((1, 3, 20))),
               lambda: _other_lines(text, choice, choice.choice((0, 2))), lambda: _other_keys(text, choice),
               lambda: _other_words(text, choice))
    return choice.choice(changes)()


def change_bytes(content: bytes, choice: random.Random) -> bytes:
    """Cut, emptied, lengthened, or with other bytes."""
    changes = (lambda: content[:choice.randrange(len(content))], lambda: b"", lambda: bytes(len(content)),
               *[lambda: _other_bytes(content, choice)] * 3, lambda: content + content)
    return choice.choice(changes)()


def _other_words(text: bytes, choice: random.Random) -> bytes:
    place = choice.randrange(len(text) + 1)
    return text[:place] + choice.choice(STRANGE_WORDS) + text[place:]


def _other_numbers(blob: bytes, choice: random.Random, count: int) -> bytes:
    for _ in range(count):
        found = list(NUMBER.finditer(blob))
        if not found:
            return _other_bytes(blob, choice)
        match = choice.choice(found)
        new = choice.choice([b"-1", b"0", b"1", b"2147483647", b"-2147483648", b"99999", b"1e308", b"nan", b"7", b"1000000"])
        blob = blob[:match.start()] + new + blob[match.end():]
    return blob


def _other_bytes(blob: bytes, choice: random.Random) -> bytes:
    changed = bytearray(blob)
    for _ in range(choice.choice([1, 1, 4, 40])):
        if changed:
            changed[choice.randrange(len(changed))] = choice.randrange(256)
    return bytes(changed)


def _other_lines(blob: bytes, choice: random.Random, times: int) -> bytes:
    separator = b"\n" if blob.count(b"\n") > 5 else b","
    lines = blob.split(separator)
    place = choice.randrange(len(lines))
    return separator.join([*lines[:place], *[lines[place]] * times, *lines[place + 1:]])


def _other_keys(blob: bytes, choice: random.Random) -> bytes:
    keys = list(re.finditer(rb"[a-z_]{4,}", blob))
    if not keys:
        return _other_bytes(blob, choice)
    match = choice.choice(keys)
    return blob[:match.start()] + b"renamed" + blob[match.end():]


def outcome(path: Path, rows: pd.DataFrame) -> tuple[str, str]:
    """How predicting ends."""
    return ended(lambda: f"{len(predict(path, rows)[0])} rows")


def ended(work: Callable[[], str]) -> tuple[str, str]:
    """How work ends in a process of its own: "read", "refused", "traceback", "died" or "hung", and what was said."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        signal.alarm(LONGEST_SECONDS)
        os.write(writing, json.dumps(attempt(work)).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return ("hung" if number == signal.SIGALRM else "died"), signal.Signals(number).name
    return tuple(json.loads(answer)) if answer else ("died", f"exit status {status}")


def attempt(work: Callable[[], str]) -> tuple[str, str]:
    """How work ends: "read", "refused" or "traceback", and what was said."""
    try:
        return "read", work()
    except TabbenchError as error:
        return "refused", str(error)
    except BaseException:  # noqa: BLE001 - whatever it is, it is what is counted here
        return "traceback", traceback.format_exc()


def sound_models(names: list[str], folder: Path) -> dict[tuple[str, str], Members]:
    """A sound model of each approach for a task or two."""
    return {(name, kind): fitted(name, kind, folder) for name in names
            for kind in (TASKS if name in ("linear", "forest", "lightgbm", "xgboost", "catboost") else ["multiclass"])}


def require_predicting(path: Path, rows: pd.DataFrame) -> None:
    """Without any change a model must predict, or nothing is learnt from those that are refused."""
    how, said = outcome(path, rows)
    if how != "read":
        raise SystemExit(f"the sound model {path.name} does not predict: {said}")


def main() -> None:
    """Craft models, predict with each, count how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(APPROACHES))
    parser.add_argument("--show", action="store_true", help="print every model's end")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder, rows, start = Path(name), table(40, seed=1), time.monotonic()
        models = sound_models(options.only.split(","), folder)
        for key in models:
            require_predicting(folder / "-".join(key), rows)
        for number in range(options.models):
            choice = random.Random(f"{options.seed}-{number}")
            key = choice.choice(sorted(models))
            what, model = crafted(models[key], choice)
            model.write(folder / "crafted.tabbench")
            how, said = outcome(folder / "crafted.tabbench", rows)
            counts[how] += 1
            if options.show or how not in ("read", "refused"):
                print(f"{number} {'-'.join(key)} {what}\n    {how}: {said if options.show else said.strip()[-1500:]}", flush=True)
    print(f"{options.models} models in {time.monotonic() - start:.0f} s: {dict(counts)}")
    sys.exit(bool(counts.keys() - {"read", "refused"}))


if __name__ == "__main__":
    main()
