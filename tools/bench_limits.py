"""Measures what a time limit gives: the saved winner's loss on held-out rows beside other systems', and how the limit is kept.

    python tools/bench_limits.py DIR --results FILE [--limits 20,60,300] [--tables A,B] [--cells FILE]

DIR holds TABLE/{train.csv, test.csv, card.json}; FILE of results: JSON lines with `peer`, `table` and `log_loss` or `rmse` on
test.csv. Runs are appended to the file of cells (by default limit_cells.jsonl in the folder for temporary files), not repeated.
Prints the page's section. The machine should do nothing else.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DEFAULT_CELLS = Path(tempfile.gettempdir()) / "limit_cells.jsonl"
PEERS = ("autogluon-medium-60s", "flaml-60s", "lightgbm-default")
SMALLEST_PROBABILITY = 1e-15


def main() -> None:
    """Run what is missing, print the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--limits", default="20,60")
    parser.add_argument("--tables")
    parser.add_argument("--cells", type=Path, default=DEFAULT_CELLS)
    given = parser.parse_args()
    names = given.tables.split(",") if given.tables else [folder.name for folder in sorted(given.splits.iterdir())]
    done = {(row["table"], row["limit"]) for row in read(given.cells)}
    for limit in map(float, given.limits.split(",")):
        for name in names:
            if (name, limit) not in done:
                row = one_run(given.splits / name, limit)
                print(json.dumps(row), file=sys.stderr, flush=True)
                with given.cells.open("a") as sink:
                    sink.write(json.dumps(row) + "\n")
    print("\n".join(section(pd.DataFrame(read(given.cells)), losses_of_peers(given.results))))


def one_run(folder: Path, limit: float) -> dict[str, Any]:
    """A comparison with a limit whose winner is saved: wall seconds, loss on the test file, and what was run."""
    card = json.loads((folder / "card.json").read_text())
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "run"
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "tabbench", "compare", folder / "train.csv", "--target", card["target"], "--task",
                        card["task"], "--time-limit", f"{limit:g}s", "--save-winner", "--quiet", "--out", out], check=False)
        row = {"table": folder.name, "limit": limit, "seconds": round(time.monotonic() - began, 1), "loss": None}
        if (out / "winner").exists():
            subprocess.run([sys.executable, "-m", "tabbench", "predict", out / "winner", folder / "test.csv", "--out",
                            Path(place) / "predictions.csv"], check=True, capture_output=True)
            row["loss"] = loss(pd.read_csv(Path(place) / "predictions.csv"), pd.read_csv(folder / "test.csv")[card["target"]],
                               is_regression=card["task"] == "regression")
        protocol = json.loads((out / "result.json").read_text())["protocol"]
        return row | {"plan": protocol["plan"]["options"], "headline": protocol["headline_size"]}


def loss(predicted: pd.DataFrame, truth: pd.Series, *, is_regression: bool) -> float:
    """RMSE, or log loss."""
    if is_regression:
        return float(np.sqrt(np.mean((predicted["prediction"] - truth) ** 2)))
    names = [f"probability_{label}" for label in truth]
    place = predicted.columns.get_indexer(names)
    chances = np.where(place >= 0, predicted.to_numpy()[np.arange(len(truth)), place], 0.0).astype(float)
    return float(-np.log(np.clip(chances, SMALLEST_PROBABILITY, 1)).mean())


def losses_of_peers(path: Path) -> dict[str, dict[str, float]]:
    """Peer -> table -> loss."""
    found: dict[str, dict[str, float]] = {}
    for row in read(path):
        value = row.get("rmse", row.get("log_loss"))
        if value is not None:
            found.setdefault(row["peer"], {})[row["table"]] = value
    return found


def read(path: Path) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def section(frame: pd.DataFrame, peers: dict[str, dict[str, float]]) -> list[str]:
    """A row a limit: ratios to the peers and seconds; then a row a table. Tables that no peer has are left out."""
    frame = frame[frame["table"].isin(peers[PEERS[0]])]
    titles = " | ".join(f"winner / {peer}" for peer in PEERS)
    lines = [f"| limit | tables | {titles} | took |", "| --- |" + " --- |" * (len(PEERS) + 2)]
    for limit, rows in frame.groupby("limit"):
        ratios = [ratios_to(peers[peer], rows) for peer in PEERS]
        cells = " | ".join(f"{np.exp(np.log(each).mean()):.3f} (worst {each.max():.2f})" for each in ratios)
        lines.append(f"| {limit:g} s | {len(rows)} | {cells} | {rows.seconds.min():.0f}–{rows.seconds.max():.0f} s |")
    limits = sorted(frame["limit"].unique())
    titles = " | ".join(f"{limit:g} s: loss / {PEERS[0]}" for limit in limits)
    lines += ["", f"| table | {titles} |", "| --- |" + " --- |" * len(limits)]
    for table, rows in frame.groupby("table"):
        found = {row.limit: float(ratios_to(peers[PEERS[0]], rows[rows["limit"] == row.limit])[0]) for row in rows.itertuples()}
        cells = " | ".join(f"{found[limit]:.3f}" if limit in found else "" for limit in limits)
        lines.append(f"| {table} | {cells} |")
    return lines


def ratios_to(losses: dict[str, float], rows: pd.DataFrame) -> np.ndarray:
    """Of the tables that both have."""
    return np.array([row.loss / losses[row.table] for row in rows.itertuples() if row.loss is not None and row.table in losses])


if __name__ == "__main__":
    main()
