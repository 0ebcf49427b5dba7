"""Measures the guarded net on a GPU: a captured step, the guard's share, fits beside one core's, all splits as one stack.

    python tools/bench_gpu.py [--profile]

Needs a GPU and a torch build that can use it; two minutes. Times of steps are medians of blocks between two waits for the device.
With --profile it prints instead which kernels the step's time goes to.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

import tabbench
from tabbench.core.approach import TrainingSet, Workload
from tabbench.core.matrices import NetMatrix
from tabbench.core.task import Task
from tabbench.nets.amount import net_settings
from tabbench.nets.model import PreparedTraining, fit_net, folds_of
from tabbench.nets.training import Training
from tabbench.nets.training_options import TrainingOptions

NETS, WIDTH, BATCH_ROWS, COLUMNS = 64, 256, 256, 50
"""The step that the goal is about."""
BATCHES, BLOCKS = 100, 12
"""Steps an epoch, and epochs that are timed."""
FIT_ROWS, MOST_ROWS_OF_A_CORE, FIT_COLUMNS = (1_000, 10_000, 100_000), 1_000, 20
"""Whole fits; beyond so many rows one core would need minutes."""
SPLITS, SPLIT_ROWS = 15, 2_000
"""A comparison's outer splits at one size: each a training of its own on five inner folds, or all in one stack."""
STEP_GOAL, GUARD_GOAL = "≤ 0.5 ms", "≤ 2 %"
Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""


def main() -> None:
    """Print the rows, or a profile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", action="store_true")
    if parser.parse_args().profile:
        profile()
        return
    for row in gpu():
        print(" | ".join(row), flush=True)


def gpu() -> Iterator[Row]:
    """All rows.

    Raises
    ------
    SystemExit : without a usable GPU.
    """
    if not torch.cuda.is_available():
        raise SystemExit("no usable GPU was found; check the driver and the torch build")
    yield "GPU and torch", f"{torch.cuda.get_device_name()}, {torch.__version__}", ""
    yield from steps()
    yield from fits()
    yield from one_stack()


def steps() -> Iterator[Row]:
    """A step as a graph, as it is written, and without a guard."""
    what = f"step of {NETS} stacked nets of 3 × {WIDTH} units, batches of {BATCH_ROWS}"
    unguarded = replace(TrainingOptions(), is_guarded=False)
    timed = {"guarded": training(TrainingOptions()), "bare": training(unguarded), "written": training(TrainingOptions()),
             "rounded": training(TrainingOptions(), precision="tf32"), "bare and rounded": training(unguarded, precision="tf32")}
    timed["written"]._is_captured = False
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for epoch in range(1, BLOCKS + 2):
        for name, run in timed.items():
            taken = epoch_seconds(run, epoch)
            if epoch > 1:
                seconds[name].append(taken / BATCHES)
    milliseconds = {name: f"{1000 * statistics.median(values):.2f} ms" for name, values in seconds.items()}
    yield what + ', captured, precision="tf32"', milliseconds["rounded"], STEP_GOAL
    yield "share of it that the guard takes", guards_share(seconds["rounded"], seconds["bare and rounded"]), GUARD_GOAL
    yield 'the captured step, precision="float32"', milliseconds["guarded"], STEP_GOAL
    yield "share of it that the guard takes", guards_share(seconds["guarded"], seconds["bare"]), GUARD_GOAL
    yield "the same as it is written, without a graph", milliseconds["written"], ""


def guards_share(guarded: list[float], bare: list[float]) -> str:
    """Median over alternating blocks."""
    return f"{statistics.median(with_guard / without - 1.0 for with_guard, without in zip(guarded, bare, strict=True)):.1%}"


def training(options: TrainingOptions, **knobs: Any) -> Training:
    """The nets on generated rows, ready for their first epoch."""
    rng = np.random.default_rng(0)
    rows = BATCHES * BATCH_ROWS
    numbers = rng.normal(size=(rows, COLUMNS)).astype(np.float32)
    settings = {"folds": 0, "repeats": NETS, "bins": 0, "epochs": 10_000, "batch_rows": BATCH_ROWS, "hidden": [WIDTH] * 3} | knobs
    data = training_set(numbers, (numbers[:, 0] > 0).astype(np.int64), settings)
    run = PreparedTraining.of(data, None).begin([(np.arange(rows), np.arange(10))] * NETS, options)
    run.begin()
    return run


def training_set(numbers: np.ndarray, target: np.ndarray, settings: dict[str, Any], device: str = "cuda",
                 threads: int = 1) -> TrainingSet:
    """Numbers (n, columns) and labels (n,) for a net."""
    names = tuple(f"x{column}" for column in range(numbers.shape[1]))
    matrix = NetMatrix(numbers, np.zeros((len(numbers), 0), dtype=np.int64), (), names)
    return TrainingSet(matrix, target, Task("binary", ("a", "b"), "log_loss", ("log_loss",)), settings, seed=0, shared_seed=0,
                       device=device, threads=threads)


def epoch_seconds(run: Training, epoch: int) -> float:
    """Wall seconds of one epoch, from an idle device to an idle device."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    run.take_epoch(epoch)
    torch.cuda.synchronize()
    return time.perf_counter() - start


def fits() -> Iterator[Row]:
    """Whole fits of the balanced preset, on the device and on one core."""
    rng = np.random.default_rng(0)
    for rows in FIT_ROWS:
        X = rng.normal(size=(rows + 2_000, FIT_COLUMNS)).astype(np.float32)
        y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.3 * rng.normal(size=len(X)).astype(np.float32) > 0
        devices = {"GPU": "cuda"} | ({"one core": "cpu"} if rows <= MOST_ROWS_OF_A_CORE else {})
        found = []
        for name, device in devices.items():
            model = tabbench.GuardedMLPClassifier("balanced", device=device, random_state=0)
            start = time.perf_counter()
            model.fit(X[:rows], y[:rows])
            found.append(f"{name}: {time.perf_counter() - start:.1f} s, accuracy {model.score(X[rows:], y[rows:]):.3f}")
        yield f"a balanced fit of {rows:,} × {FIT_COLUMNS}", "; ".join(found), ""


def one_stack() -> Iterator[Row]:
    """The inner folds of a comparison's splits, a training a split and all in one."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(SPLIT_ROWS, FIT_COLUMNS)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    settings = net_settings(Workload(1.0, rows=SPLIT_ROWS, columns=FIT_COLUMNS, classes=2)) | {"patience": None}
    data = training_set(X, y, dict(settings))
    fit_net(data)  # the first fit of a process also waits for libraries
    start = time.perf_counter()
    fit_net(data)
    apart = SPLITS * (time.perf_counter() - start)
    folds = folds_of(data) * settings["repeats"] * SPLITS
    start = time.perf_counter()
    PreparedTraining.of(data, None).begin(folds, TrainingOptions()).run()
    together = time.perf_counter() - start
    yield (f"{SPLITS} splits of {SPLIT_ROWS:,} × {FIT_COLUMNS}, {len(folds)} nets: one split after the other, and as one stack",
           f"{apart:.1f} s, {together:.1f} s ({apart / together:.1f} ×)", "")


def profile() -> None:
    """Which kernels an epoch's time goes to."""
    run = training(TrainingOptions(), precision="tf32")
    for epoch in (1, 2):
        epoch_seconds(run, epoch)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]) as found:
        epoch_seconds(run, 3)
    print(found.key_averages().table(sort_by="self_cuda_time_total", row_limit=28, max_name_column_width=80), file=sys.stderr)


if __name__ == "__main__":
    main()
