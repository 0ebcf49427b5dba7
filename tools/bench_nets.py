"""Measures the guarded net: what the guard costs, and time and epochs beside other libraries' nets on the same rows.

    python tools/bench_nets.py [--peers PYTHON]

PYTHON is an interpreter that has pytabkit, skorch and scikit-learn. One thread; processor seconds, so that other work disturbs
little. About four minutes with peers.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import tabbench
from tabbench.core.approach import TrainingSet
from tabbench.core.matrices import NetMatrix
from tabbench.core.task import Task

ROWS, COLUMNS = 1_000, 20
BLOCK_SECONDS = 8.0
Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers")
    for row in nets(parser.parse_args().peers):
        print(" | ".join(row))


def nets(peers: str | None = None) -> list[Row]:
    """All rows; those beside other libraries where an interpreter for them is given."""
    rows = [("share of a step that the guard takes, 3 × 256 units, batches of 256", *overhead(256, 256, 1, 0.02)),
            ("the same, five nets of 3 × 64 units, batches of 32", *overhead(64, 32, 5, 0.05))]
    return rows if peers is None else rows + beside(peers)


def overhead(width: int, batch_rows: int, members: int, goal: float) -> tuple[str, str]:
    """Median over alternating blocks of guarded steps' time over bare ones', minus one."""
    guarded, bare = (blocks(width, batch_rows, members, is_guarded) for is_guarded in (True, False))
    ratios = []
    end = time.process_time() + BLOCK_SECONDS
    while time.process_time() < end:
        with_guard, without = guarded(), bare()
        ratios.append(with_guard / without - 1.0)
    return f"{statistics.median(ratios):.1%}", f"≤ {goal:.0%}"


def blocks(width: int, batch_rows: int, members: int, is_guarded: bool) -> Callable[[], float]:
    """A function that trains one epoch more and gives its processor seconds."""
    from tabbench.nets.model import Prepared, threads_limited_to
    from tabbench.nets.training import Options

    rng = np.random.default_rng(0)
    rows = 100 * batch_rows
    numbers = rng.normal(size=(rows, 50)).astype(np.float32)
    target = (numbers[:, 0] > 0).astype(np.int64)
    matrix = NetMatrix(numbers, np.zeros((rows, 0), dtype=np.int64), (), tuple(f"x{column}" for column in range(50)))
    settings = {"folds": 0, "repeats": members, "bins": 0, "epochs": 10_000, "batch_rows": batch_rows, "hidden": [width] * 3}
    training = TrainingSet(matrix, target, Task("binary", ("a", "b"), "log_loss", ("log_loss",)), settings, seed=0, shared_seed=0)
    everything = np.arange(rows)
    with threads_limited_to(1):
        folds = [(everything, everything[:10])] * members
        run = Prepared.of(training, None).begin(folds, replace(Options(), is_guarded=is_guarded))
        run.begin()
    epoch = iter(range(1, 10_000))

    def one_epoch() -> float:
        with threads_limited_to(1):
            start = time.process_time()
            run.take_epoch(next(epoch))
            return time.process_time() - start

    one_epoch()
    return one_epoch


PEERS = textwrap.dedent("""
    import json, sys, time, warnings
    warnings.filterwarnings("ignore")
    import numpy as np, torch
    torch.set_num_threads(1)
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int64)
    def seconds(fit):
        start = time.process_time(); fit(); return time.process_time() - start
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_S_Classifier
    found = {}
    for name, make in (("td_s", lambda: RealMLP_TD_S_Classifier(n_threads=1, device="cpu", random_state=0)),
                       ("td", lambda: RealMLP_TD_Classifier(n_threads=1, device="cpu", random_state=0)),
                       ("td_cv5", lambda: RealMLP_TD_Classifier(n_threads=1, device="cpu", random_state=0, n_cv=5))):
        make().fit(X[:200], y[:200])
        found[name] = seconds(lambda: make().fit(X, y))
    from sklearn.neural_network import MLPClassifier
    big = rng.normal(size=(10_000, columns)).astype(np.float32); label = (big[:, 0] > 0).astype(np.int64)
    def sklearn_epochs(n):
        MLPClassifier((256, 256, 256), batch_size=256, max_iter=n, n_iter_no_change=n + 1, tol=0).fit(big, label)
    found["sklearn_epoch"] = (seconds(lambda: sklearn_epochs(7)) - seconds(lambda: sklearn_epochs(2))) / 5
    from skorch import NeuralNetClassifier
    net = lambda: torch.nn.Sequential(torch.nn.Linear(columns, 256), torch.nn.SiLU(), torch.nn.Linear(256, 256), torch.nn.SiLU(),
                                      torch.nn.Linear(256, 256), torch.nn.SiLU(), torch.nn.Linear(256, 2))
    def skorch_epochs(n):
        NeuralNetClassifier(net(), criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.AdamW, max_epochs=n, batch_size=256,
                            train_split=None, verbose=0).fit(big, label)
    found["skorch_epoch"] = (seconds(lambda: skorch_epochs(7)) - seconds(lambda: skorch_epochs(2))) / 5
    print(json.dumps(found))
    """)


def beside(peers: str) -> list[Row]:
    """Ratios of processor seconds: whole fits on 1,000 × 20, and epochs of 10,000 rows at equal layers and batches."""
    done = subprocess.run([peers, "-c", PEERS, str(ROWS), str(COLUMNS)], check=True, capture_output=True, text=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    ours = {"fast": whole_fit("fast"), "balanced": whole_fit("balanced"), "folds": whole_fit("balanced", folds=5)}
    epoch = blocks_like_theirs()
    return [ratio("`fast` beside RealMLP-TD-S", ours["fast"], theirs["td_s"], 0.5),
            ratio("`balanced` beside RealMLP-TD", ours["balanced"], theirs["td"], 0.45),
            ratio("`balanced` beside RealMLP-TD with five folds", ours["folds"], theirs["td_cv5"], 0.45),
            ratio("an epoch of 10,000 rows, 3 × 256 units, beside skorch", epoch, theirs["skorch_epoch"], 0.5),
            ratio("the same beside scikit-learn's MLP", epoch, theirs["sklearn_epoch"], 1.0)]


def ratio(what: str, ours: float, theirs: float, goal: float) -> Row:
    """A row of the page."""
    return what, f"{ours / theirs:.2f} × ({ours:.2f} s against {theirs:.2f} s)", f"≤ {goal} ×"


def whole_fit(preset: str, **parameters: Any) -> float:
    """Processor seconds of a fit."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, COLUMNS))
    y = X[:, 0] * X[:, 1] + X[:, 2] > 0
    make = tabbench.GuardedMLPClassifier
    make(preset, random_state=0, device="cpu", n_jobs=1, **parameters).fit(X[:200], y[:200])
    start = time.process_time()
    make(preset, random_state=0, device="cpu", n_jobs=1, **parameters).fit(X, y)
    return time.process_time() - start


def blocks_like_theirs() -> float:
    """Seconds of one of our epochs at their sizes, the guard on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10_000, COLUMNS))

    def epochs(count: int) -> float:
        model = tabbench.GuardedMLPClassifier("fast", bins=0, hidden_sizes=(256, 256, 256), batch_size=256, max_epochs=count,
                                              dropout=0.0, early_stopping=False, random_state=0, device="cpu", n_jobs=1)
        start = time.process_time()
        model.fit(X, X[:, 0] > 0)
        return time.process_time() - start

    return (epochs(7) - epochs(2)) / 5


if __name__ == "__main__":
    main()
