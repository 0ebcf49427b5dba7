"""Measures the guarded net: what the guard costs, time and epochs beside other libraries' nets, losses beside theirs.

    python tools/bench_nets.py [--peers PYTHON] [--data DIR --results FILE] [--presets fast,balanced,thorough]

PYTHON is an interpreter that has pytabkit, skorch and scikit-learn; DIR and FILE are those of bench_peers.py, FILE with lines of
the peers `realmlp-td-s` and `realmlp-td`. One thread; processor seconds, so that other work disturbs little. About four minutes
with peers; losses take half an hour on eight tables.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench_peers import SplitTable, geometric_mean, log_loss_or_rmse, read_results
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import tabbench
from tabbench.core.approach import TrainingSet
from tabbench.core.matrices import NetMatrix
from tabbench.core.task import Task
from tabbench.reading.cards import card_path, find_card

ROWS, COLUMNS = 1_000, 20
CLEAN_TABLES, CLEAN_SEEDS, CLEAN_ROWS, FEWEST_OF_A_CLASS = ("adult", "credit_g", "diamonds", "penguins", "generated"), 50, (
    60, 150, 400, 800), 4
"""For false alarms: from each table so many samples, of these numbers of rows in turn."""
SAME_NETS = ((256, 256), (64, 32))
"""Units a layer and rows a batch, for epochs of nets that are the same everywhere."""
PRESETS = {"fast": "realmlp-td-s", "balanced": "realmlp-td", "thorough": "realmlp-td"}
LOSS_GOALS = {"fast": 1.0, "balanced": 1.0, "thorough": 0.98}
"""Beside which peer each preset stands, and its loss's share of the peer's."""
BLOCK_SECONDS = 8.0
Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--presets", type=lambda text: text.split(","), default=list(PRESETS))
    given = parser.parse_args()
    for row in nets(given.peers, given.data, given.results, given.presets):
        print(" | ".join(row), flush=True)


def nets(peers: str | None = None, data: Path | None = None, results: Path | None = None,
         presets: Sequence[str] = tuple(PRESETS)) -> Iterator[Row]:
    """All rows; those beside other libraries where an interpreter or results of theirs are given."""
    yield from costs()
    yield false_alarms()
    if peers is not None:
        yield from beside(peers)
    if data is not None and results is not None:
        yield from accuracy(data, read_results(results), presets)


def costs() -> list[Row]:
    """What the guard takes of a step."""
    return [("share of a step that the guard takes, 3 × 256 units, batches of 256", *overhead(256, 256, 1, 0.02)),
            ("the same, ten nets of 3 × 64 units, batches of 32 (the default for 1,000 rows)", *overhead(64, 32, 10, 0.05)),
            ("the same, one net of 3 × 64 units, batches of 32", *overhead(64, 32, 1, 0.05))]


def false_alarms() -> Row:
    """Of fits of clean rows, how many say that something went wrong."""
    alarmed, count = [], 0
    for name in CLEAN_TABLES:
        table, target, is_number = clean_table(name)
        for seed in range(CLEAN_SEEDS):
            some = table.sample(min(CLEAN_ROWS[seed % len(CLEAN_ROWS)], len(table)), random_state=seed)
            if not is_number:
                some = some[some[target].map(some[target].value_counts()) >= FEWEST_OF_A_CLASS]
            make = tabbench.GuardedMLPRegressor if is_number else tabbench.GuardedMLPClassifier
            fitted = make("fast", random_state=seed, device="cpu", n_jobs=1).fit(some.drop(columns=target), some[target])
            count += 1
            if fitted.incidents_:
                alarmed.append(f"{name} {seed}: {', '.join(incident.code for incident in fitted.incidents_)}")
    print(*alarmed, sep="\n", file=sys.stderr, flush=True)
    return f"fits of clean rows with an incident, of {count}", f"{len(alarmed)} ({len(alarmed) / count:.1%})", "< 2 %"


def clean_table(name: str) -> tuple[pd.DataFrame, str, bool]:
    """A shipped table, or a generated one; its target, and whether that is a number."""
    card = find_card(name)
    if card is not None:
        return pd.read_parquet(card_path(card)), card.target, card.task == "regression"
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(2_000, 8)), columns=list("abcdefgh"))
    y = X["a"] * X["b"] + X["c"] + rng.standard_t(5, size=len(X))
    return X.mask(rng.random(X.shape) < 0.1).assign(y=y), "y", True


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
    from tabbench.nets.model import PreparedTraining, torch_with
    from tabbench.nets.training_options import TrainingOptions

    rng = np.random.default_rng(0)
    rows = 100 * batch_rows
    numbers = rng.normal(size=(rows, 50)).astype(np.float32)
    target = (numbers[:, 0] > 0).astype(np.int64)
    matrix = NetMatrix(numbers, np.zeros((rows, 0), dtype=np.int64), (), tuple(f"x{column}" for column in range(50)))
    settings = {"folds": 0, "repeats": members, "bins": 0, "epochs": 10_000, "batch_rows": batch_rows, "hidden": [width] * 3}
    training = TrainingSet(matrix, target, Task("binary", ("a", "b"), "log_loss", ("log_loss",)), settings, seed=0, shared_seed=0)
    everything = np.arange(rows)
    with torch_with(1):
        folds = [(everything, everything[:10])] * members
        run = PreparedTraining.of(training, None).begin(folds, replace(TrainingOptions(), is_guarded=is_guarded))
        run.begin()
    epoch = iter(range(1, 10_000))

    def one_epoch() -> float:
        with torch_with(1):
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
    from skorch import NeuralNetClassifier
    def an_epoch(fit):
        return min((seconds(lambda: fit(7)) - seconds(lambda: fit(2))) / 5 for _ in range(3))
    for width, batch in json.loads(sys.argv[3]):
        def sklearn_epochs(n):
            MLPClassifier((width,) * 3, batch_size=batch, max_iter=n, n_iter_no_change=n + 1, tol=0).fit(big, label)
        def skorch_epochs(n):
            layers = []
            for inputs in (columns, width, width):
                layers += [torch.nn.Linear(inputs, width), torch.nn.SiLU()]
            NeuralNetClassifier(torch.nn.Sequential(*layers, torch.nn.Linear(width, 2)), criterion=torch.nn.CrossEntropyLoss,
                                optimizer=torch.optim.AdamW, max_epochs=n, batch_size=batch, train_split=None,
                                verbose=0).fit(big, label)
        found[f"sklearn {width}"], found[f"skorch {width}"] = an_epoch(sklearn_epochs), an_epoch(skorch_epochs)
    print(json.dumps(found))
    """)


def beside(peers: str) -> list[Row]:
    """Ratios of processor seconds: whole fits on 1,000 × 20, and epochs of 10,000 rows at equal layers and batches."""
    done = subprocess.run([peers, "-c", PEERS, str(ROWS), str(COLUMNS), json.dumps(SAME_NETS)], check=True, capture_output=True,
                          text=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    ours = {"fast": whole_fit("fast"), "balanced": whole_fit("balanced"), "folds": whole_fit("balanced", folds=5)}
    rows = [ratio("`fast` beside RealMLP-TD-S", ours["fast"], theirs["td_s"], 0.5),
            ratio("`balanced` beside RealMLP-TD", ours["balanced"], theirs["td"], 0.45),
            ratio("`balanced` beside RealMLP-TD with five folds", ours["folds"], theirs["td_cv5"], 0.45)]
    for width, batch_rows in SAME_NETS:
        epoch, what = an_epoch(width, batch_rows), f"an epoch of 10,000 rows, 3 × {width} units, batches of {batch_rows}"
        rows += [ratio(f"{what}, beside skorch", epoch, theirs[f"skorch {width}"], 0.5),
                 ratio("the same beside scikit-learn's MLP", epoch, theirs[f"sklearn {width}"], 1.0)]
    return rows


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


def an_epoch(width: int, batch_rows: int) -> float:
    """Processor seconds of one of our epochs of 10,000 rows, the guard on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10_000, COLUMNS))

    def fit(epochs: int) -> float:
        model = tabbench.GuardedMLPClassifier("fast", bins=0, hidden_sizes=(width,) * 3, batch_size=batch_rows,
                                              max_epochs=epochs, dropout=0.0, early_stopping=False, random_state=0, device="cpu",
                                              n_jobs=1)
        start = time.process_time()
        model.fit(X, X[:, 0] > 0)
        return time.process_time() - start

    return min((fit(7) - fit(2)) / 5 for _ in range(3))


def accuracy(data: Path, results: dict[str, dict[str, float]], presets: Sequence[str]) -> Iterator[Row]:
    """Ratios of losses on the test files of all tables that RealMLP was measured on, and of scikit-learn's MLP to ours."""
    tables = [SplitTable.read(data / name) for name, losses in sorted(results.items()) if set(PRESETS.values()) <= set(losses)]
    ours: dict[str, dict[str, tuple[float, float]]] = {preset: {} for preset in presets}
    for table in tables:
        for preset in presets:
            ours[preset][table.folder.name] = loss_and_seconds(table, our_net(preset, table.task))
            print(table.folder.name, preset, *ours[preset][table.folder.name], file=sys.stderr, flush=True)
    names = [table.folder.name for table in tables]
    for preset in presets:
        ratios = {name: ours[preset][name][0] / results[name][PRESETS[preset]] for name in names}
        yield (f"loss of `{preset}` divided by that of {PRESETS[preset]}, geometric mean over {len(names)} tables",
               f"{geometric_mean(ratios.values()):.3f} ({', '.join(f'{name} {each:.3f}' for name, each in ratios.items())})",
               f"≤ {LOSS_GOALS[preset]:.2f}")
    if {"balanced", "thorough"} <= set(presets):
        times = [ours["thorough"][name][1] / ours["balanced"][name][1] for name in names]
        yield ("time of `thorough` divided by that of `balanced`, geometric mean; the most",
               f"{geometric_mean(times):.1f} ×; {max(times):.1f} ×", "≤ 20 ×")
    if "balanced" in presets:
        theirs = {table.folder.name: loss_and_seconds(table, sklearn_net(table))[0] for table in tables}
        ratios = {name: ours["balanced"][name][0] / theirs[name] for name in names}
        yield ("loss of `balanced` divided by that of scikit-learn's MLP with early stopping, geometric mean",
               f"{geometric_mean(ratios.values()):.3f}", "≤ 0.90")


def our_net(preset: str, task: str) -> Any:
    """With all other parameters as they are."""
    make = tabbench.GuardedMLPRegressor if task == "regression" else tabbench.GuardedMLPClassifier
    return make(preset, random_state=0, device="cpu", n_jobs=1)


def sklearn_net(table: SplitTable) -> Any:
    """As a competent user sets it up: scaled numbers, one-hot categories, a scaled target."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    categories = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", max_categories=50))
    encode = ColumnTransformer([("numbers", numbers, make_column_selector(dtype_include="number")),
                                ("categories", categories, make_column_selector(dtype_exclude="number"))])
    if table.task != "regression":
        return make_pipeline(encode, MLPClassifier(hidden_layer_sizes=(256,) * 3, early_stopping=True, random_state=0))
    net = MLPRegressor(hidden_layer_sizes=(256,) * 3, early_stopping=True, random_state=0)
    return make_pipeline(encode, TransformedTargetRegressor(net, transformer=StandardScaler()))


def loss_and_seconds(table: SplitTable, model: Any) -> tuple[float, float]:
    """Log loss or RMSE on the test file, and processor seconds of the fit."""
    start = time.process_time()
    model.fit(table.train.drop(columns=table.target), table.train[table.target])
    seconds = time.process_time() - start
    new, truth = table.test.drop(columns=table.target), table.test[table.target].to_numpy()
    predicted = model.predict(new) if table.task == "regression" else model.predict_proba(new)
    classes = [] if table.task == "regression" else model.classes_
    return log_loss_or_rmse(predicted, np.array(classes), truth, table.task), seconds


if __name__ == "__main__":
    main()
