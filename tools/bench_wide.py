"""Measures wide tables: genes (few rows, thousands of numbers), words (counts, mostly zero) and indicators. Two minutes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""
GOALS = {"genes": "≤ 12 s", "words": "≤ 15 s", "indicators": "≤ 8 s"}
RUNS = 3


def wide() -> list[Row]:
    """`check` and a comparison at the full size of each table, in processes of their own."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as place:
        for name, table in tables().items():
            print(f"{name} ...", file=sys.stderr, flush=True)
            path = Path(place) / f"{name}.csv"
            table.to_csv(path, index=False)
            shape = f"{name}, {len(table):,} × {table.shape[1] - 1:,}"
            rows.append((f"{shape}: `check`", f"{min(seconds('check', path) for _ in range(RUNS)):.2f} s", "≤ 2 s"))
            run = seconds("compare", path, "--preset", "fast", "--repeats", "1", "--sizes", "full", "--fresh", "--quiet",
                          "--out", Path(place) / "run")
            rows.append((f"{shape}: `compare --preset fast`, one repeat of the full size", f"{run:.1f} s", GOALS[name]))
    return rows


def tables() -> dict[str, pd.DataFrame]:
    """From one seed; the target is the last column, y."""
    rng = np.random.default_rng(3)
    genes = rng.normal(size=(120, 7000)).round(4)
    words = rng.poisson(0.6 / np.arange(1, 3001) ** 0.5, size=(1500, 3000))
    indicators = np.zeros((3000, 600), dtype=np.int64)
    indicators[np.arange(3000)[:, None], rng.integers(0, 600, (3000, 3))] = 1
    spam = words[:, 20:60].sum(axis=1) - words[:, 60:120].sum(axis=1) + rng.normal(size=1500)
    return {"genes": _framed(genes, genes[:, :10].sum(axis=1) + rng.normal(size=120) > 0),
            "words": _framed(words, spam > np.median(spam)),
            "indicators": _framed(indicators, (indicators @ rng.normal(size=600) + 0.5 * rng.normal(size=3000)).round(3))}


def _framed(values: np.ndarray, target: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"x{place}" for place in range(values.shape[1])]).assign(y=target)


def seconds(command: str, path: Path, *options: object) -> float:
    """Wall time of a command."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "tabbench", command, str(path), "--target", "y", *map(str, options)],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stderr)
    return time.perf_counter() - began
