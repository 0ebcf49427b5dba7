"""`python -m tabbench.boosting.catboost_trial`: load CatBoost models from standard input, follow them to the end, and say so.

The library's binary form cannot be checked from outside, and it trusts what it has read. A process that may die does it first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tabbench.core.errors import BadData
from tabbench.core.parts import damaged, require

LONGEST_SECONDS = 120.0
LENGTH_BYTES = 8
TRIED_ROWS = 500
EXTREMES = (np.nan, -3e38, 3e38, 0.0)
HARMLESS = b"harmless"
"""What the trial's last line says."""


def require_harmless(blobs: Sequence[bytes]) -> None:
    """Refuse models with which a process of their own did not get to its end; all in one, since it takes a second to start.

    Raises
    ------
    BadData
        It refused one, died or hung.
    """
    given = b"".join(len(blob).to_bytes(LENGTH_BYTES, "little") + blob for blob in blobs)
    try:
        ended = subprocess.run([sys.executable, "-P", "-m", "tabbench.boosting.catboost_trial"], input=given, check=False,
                               capture_output=True, timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise damaged("CatBoost did not get to the end of it") from error
    require(ended.stdout.endswith(HARMLESS), "CatBoost could not read it")


def main() -> None:
    """Try every model on standard input."""
    stream = sys.stdin.buffer
    while length := stream.read(LENGTH_BYTES):
        _try_out(stream.read(int.from_bytes(length, "little")))
    sys.stdout.buffer.write(HARMLESS)


def _try_out(blob: bytes) -> None:
    import catboost

    model = catboost.CatBoost()
    model.load_model(blob=blob)
    _require_trees(model)
    names, categories = list(model.feature_names_), set(model.get_cat_feature_indices())
    model.predict(catboost.Pool(_rows(len(names), categories), cat_features=sorted(categories)),
                  prediction_type="RawFormulaVal", thread_count=1)


def _require_trees(model: Any) -> None:
    """Of the model as the library understands it: every split on a column that there is, a value for each leaf."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        written = json.loads(path.read_text())
    numbers = {feature["feature_index"]: len(feature["borders"] or ())
               for feature in written["features_info"].get("float_features", [])}
    outputs = len(written["scale_and_bias"][1])
    for tree in written["oblivious_trees"]:
        splits = tree["splits"] or []
        require(len(tree["leaf_values"]) == outputs * 2 ** len(splits), "a tree has too few or too many leaves")
        require(all(split["float_feature_index"] in numbers for split in splits if split["split_type"] == "FloatFeature"),
                "a tree splits a column that there is not")
        require(all(np.isfinite(tree["leaf_values"])), "a tree holds numbers that are not finite")


def _rows(columns: int, categories: set[int]) -> Any:
    import pandas as pd

    random = np.random.default_rng(0)
    frame: dict[int, np.ndarray] = {}
    for column in range(columns):
        numbers = random.normal(scale=random.choice([1.0, 100.0, 1e4]), size=TRIED_ROWS)
        numbers[:len(EXTREMES)] = EXTREMES
        frame[column] = random.integers(-1, 50, TRIED_ROWS) if column in categories else numbers.astype(np.float32)
    return pd.DataFrame(frame)


if __name__ == "__main__":
    try:
        main()
    except BadData as refused:
        sys.exit(str(refused))
