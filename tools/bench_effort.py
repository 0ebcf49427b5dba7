"""Measures what effort buys: loss on held-out rows against seconds, for every approach and effort on every table.

    python tools/bench_effort.py SPLITS [--results FILE] [--efforts 0.03,0.1,0.3,1,3] [--processes 2] [--picture FILE]

SPLITS holds TABLE/{train.csv, test.csv, card.json}, as for bench_peers.py. Cells are appended to FILE (effort_cells.jsonl in the
folder for temporary files by default) and not measured again. Prints the page's section: one fit on all training rows by each of
the families' representatives and their blend, the loss relative to that of effort 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DEFAULT_CELLS = Path(tempfile.gettempdir()) / "effort_cells.jsonl"
EFFORTS = "0.03,0.1,0.2,0.3,0.5,1"
APPROACHES = "linear,xgboost,lightgbm,boosting,mlp,blend"
SHOWN = ("linear", "lightgbm", "boosting", "mlp", "blend")
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
LONGEST_SECONDS = 900
REFERENCE = 1.0


def main() -> None:
    """Measure what is missing, then print the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", type=Path)
    parser.add_argument("--results", type=Path, default=DEFAULT_CELLS)
    parser.add_argument("--efforts", default=EFFORTS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        measure(given.splits, float(given.one))
        return
    done = {(row["table"], row["effort"]) for row in read(given.results)}
    orders = [(folder, float(effort)) for effort in given.efforts.split(",") for folder in sorted(given.splits.iterdir())
              if (folder.name, float(effort)) not in done]
    with ThreadPoolExecutor(given.processes) as pool, given.results.open("a") as sink:
        for lines in pool.map(in_new_process, orders):
            sink.write(lines)
            sink.flush()
    frame = pd.DataFrame(read(given.results))
    print("\n".join(section(frame)))
    if given.picture:
        draw(frame, given.picture)


def in_new_process(order: tuple[Path, float]) -> str:
    """What one measurement prints; nothing of it where it takes too long."""
    command = [sys.executable, __file__, str(order[0]), "--one", str(order[1])]
    try:
        done = subprocess.run(command, env=os.environ | THREADS, capture_output=True, text=True, check=False,
                              timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        return ""
    if done.returncode:
        print(order, done.stderr[-1000:], file=sys.stderr)
    return done.stdout


def measure(folder: Path, effort: float) -> None:
    """Fit every approach on a table's training rows; prints one JSON line each."""
    from tabbench.comparison.plan import choose_contestants, plan_batches
    from tabbench.comparison.prepare import prepare
    from tabbench.core.metric import METRICS
    from tabbench.execution.run import execute
    from tabbench.metrics.choice import choose_metrics
    from tabbench.options import Options
    from tabbench.report.live import make_display

    card = json.loads((folder / "card.json").read_text())
    options = Options(target=card["target"], task=card["task"], test=str(folder / "test.csv"), effort=effort,
                      approaches=APPROACHES).checked()
    setup = prepare(str(folder / "train.csv"), options, make_display(quiet=True, to_json=False)).setup
    metric = METRICS.get(choose_metrics(setup.task.kind, None)[0])
    size = setup.splits.full_size
    for batch in plan_batches(setup, choose_contestants(options), [size], effort=effort, device="cpu"):
        for cell, result in zip(batch.cells, execute(setup, batch), strict=True):
            if result.status == "ok" and result.predictions is not None:
                test = setup.splits.splits[0].test
                loss = metric.loss(metric.value(setup.target[test], result.predictions, None))
                print(json.dumps({"table": folder.name, "rows": size, "effort": effort, "approach": cell.approach,
                                  "loss": float(loss), "seconds": (result.fit_seconds or 0.0) + (result.predict_seconds or 0.0)}))


def read(path: Path) -> list[dict[str, Any]]:
    """The cells that were measured."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def relative(frame: pd.DataFrame) -> pd.DataFrame:
    """(approach, effort) -> geometric means over tables of the loss relative to that of effort 1, and of the seconds."""
    reference = frame[frame["effort"] == REFERENCE].set_index(["table", "approach"])["loss"]
    places = pd.MultiIndex.from_frame(frame[["table", "approach"]])
    frame = frame.assign(ratio=frame["loss"] / reference.reindex(places).to_numpy()).dropna(subset=["ratio"])
    everywhere = frame.groupby(["table", "approach"])["effort"].transform("nunique") == frame["effort"].nunique()
    logs = frame[everywhere].assign(ratio=np.log(frame["ratio"]), seconds=np.log(frame["seconds"].clip(lower=1e-3)))
    means = np.exp(logs.groupby(["approach", "effort"])[["ratio", "seconds"]].mean())
    return means.assign(tables=logs.groupby(["approach", "effort"])["table"].nunique(),
                        worst=np.exp(logs.groupby(["approach", "effort"])["ratio"].max()))


def section(frame: pd.DataFrame) -> list[str]:
    """The table of the page: a row an effort, the loss relative to effort 1 and the seconds of each approach."""
    means = relative(frame)
    names = [name for name in SHOWN if name in means.index.get_level_values(0)]
    lines = ["| effort | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    for effort in sorted(frame["effort"].unique()):
        cells = [means.loc[(name, effort)] for name in names]
        lines.append(f"| {effort:g} | " + " | ".join(f"{each['ratio']:.3f} (worst {each['worst']:.2f}); {each['seconds']:.1f} s"
                                                     for each in cells) + " |")
    return [*lines, "", f"Geometric means over {int(means['tables'].min())} tables."]


def draw(frame: pd.DataFrame, path: Path) -> None:
    """Loss relative to effort 1 against seconds."""
    from matplotlib.figure import Figure

    means, figure = relative(frame), Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for name in SHOWN:
        if name in means.index.get_level_values(0):
            rows = means.loc[name]
            axes.plot(rows["seconds"], rows["ratio"], marker="o", label=name)
    axes.set(xscale="log", xlabel="seconds of one fit on all training rows (geometric mean)",
             ylabel="loss relative to effort 1")
    axes.axhline(1.0, color="grey", linewidth=0.8)
    axes.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
