"""Provokes the same faults in tabbench's nets and in other libraries', and says in few words what comes of each.

    python tools/provoke_peers.py PEERS_PYTHON [--only NAME[,NAME]] [--out FILE]

PEERS_PYTHON is the Python of an environment with scikit-learn, skorch, torch and pytabkit. Each trial is a process of its own:
tabbench's in this Python, the others' in that one. The table goes to FILE, which `tools/guards_page.py FILE` puts into
docs/guards.md, or to standard output.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

LIBRARIES = {"scikit-learn": "scikit-learn", "skorch": "skorch", "pytabkit": "pytabkit", "tabbench": "tabbench"}
"""As people call them, and as the package index does."""
ROWS, COLUMNS, EPOCHS = 1000, 10, 30
DIRTY_ROW, VALIDATION_ROWS = 7, 200
TIME_LIMIT_SECONDS = 300
LONGEST_MESSAGE = 90
NOT_OFFERED = "not offered"
OUTCOME = "outcome: "


@dataclass(eq=False)
class Data:
    """Rows to learn from, the last `VALIDATION_ROWS` of them for validation where a library lets one choose, and clean ones."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @classmethod
    def make(cls, *, is_regression: bool) -> Data:
        """An interaction, a slope and a little noise."""
        X = np.random.default_rng(0).normal(size=(2 * ROWS, COLUMNS))
        y = X[:, 0] * X[:, 1] + X[:, 2] + 0.1 * np.random.default_rng(1).normal(size=2 * ROWS)
        y = y if is_regression else (y > 0).astype(np.int64)
        return cls(X[:ROWS], y[:ROWS], X[ROWS:], y[ROWS:])


@dataclass(frozen=True, eq=False)
class Knobs:
    """What a trial asks for; each library has its own names for it."""

    learning_rate: float | None = None
    is_sgd: bool = False
    jump_at: int | None = None
    has_own_loss: bool = False


@dataclass(frozen=True, eq=False)
class Provocation:
    """A fault: what is done to the data and which knobs are turned; `offered` by which libraries (None: all)."""

    title: str
    is_regression: bool = False
    spoil: Callable[[Data], None] = lambda data: None
    knobs: Knobs = field(default_factory=Knobs)
    offered: tuple[str, ...] | None = None


def _constant(data: Data) -> None:
    data.X[:], data.X_test[:] = 1.0, 1.0


def _outlying_target(data: Data) -> None:
    data.y[DIRTY_ROW] = 1e30


def _missing_target(data: Data) -> None:
    data.y[DIRTY_ROW] = np.nan


def _missing_in_validation(data: Data) -> None:
    data.X[-1, 0] = np.nan


def _huge_cell(data: Data) -> None:
    data.X[DIRTY_ROW, 0] = 1e30


PROVOCATIONS = {
    "rate 1e4": Provocation("learning rate 1e4", knobs=Knobs(learning_rate=1e4)),
    "rate 1e30": Provocation("learning rate 1e30", knobs=Knobs(learning_rate=1e30)),
    "sgd": Provocation("SGD, rate 1e4, early stopping", True, knobs=Knobs(learning_rate=1e4, is_sgd=True)),
    "jump": Provocation("rate times 1e4 at epoch 10", knobs=Knobs(jump_at=10), offered=("skorch", "tabbench")),
    "constant": Provocation("all columns constant", spoil=_constant),
    "cell": Provocation("one cell of 1e30", spoil=_huge_cell),
    "target": Provocation("one target of 1e30", True, spoil=_outlying_target),
    "missing target": Provocation("one target NaN", True, spoil=_missing_target),
    "validation": Provocation("NaN in a validation row", spoil=_missing_in_validation),
    "own loss": Provocation("own loss: root of 0 at one row", True, knobs=Knobs(has_own_loss=True),
                            offered=("skorch", "tabbench")),
    "interrupted": Provocation("interrupted at epoch 15, continued", offered=("skorch", "tabbench")),
}


# -- the libraries --------------------------------------------------------------------------------------------------------------


def scikit_learn(trial: Provocation, knobs: Knobs, data: Data) -> Any:
    """Early stopping on, all else as it comes."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    given = {} if knobs.learning_rate is None else {"learning_rate_init": knobs.learning_rate}
    kind = MLPRegressor if trial.is_regression else MLPClassifier
    return kind(early_stopping=True, max_iter=EPOCHS, random_state=0, solver="sgd" if knobs.is_sgd else "adam", **given).fit(
        data.X, data.y)


def pytabkit(trial: Provocation, knobs: Knobs, data: Data) -> Any:
    """RealMLP with tuned defaults."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    given: dict[str, Any] = {} if knobs.learning_rate is None else {"lr": knobs.learning_rate}
    given |= {"opt": "sgd"} if knobs.is_sgd else {}
    kind = RealMLP_TD_Regressor if trial.is_regression else RealMLP_TD_Classifier
    model = kind(device="cpu", random_state=0, n_cv=1, n_refit=0, n_epochs=EPOCHS, n_threads=1, verbosity=0,
                 use_early_stopping=True, **given)
    return model.fit(data.X, data.y, val_idxs=np.arange(ROWS - VALIDATION_ROWS, ROWS))


def skorch(trial: Provocation, knobs: Knobs, data: Data) -> Any:
    """Two hidden layers, Adam, early stopping that loads the best weights."""
    return _Skorch(_skorch_net(trial, knobs, data), data).fit()


def tabbench(trial: Provocation, knobs: Knobs, data: Data) -> Any:
    """The preset `fast`."""
    given: dict[str, Any] = {} if knobs.learning_rate is None else {"learning_rate": knobs.learning_rate}
    given |= {"optimizer": "sgd"} if knobs.is_sgd else {}
    given |= {"loss": own_loss(data.y)} if knobs.has_own_loss else {}
    given |= {"callbacks": [_Faster(knobs.jump_at)]} if knobs.jump_at else {}
    return _tabbench_net(trial, given).fit(data.X, data.y)


def _tabbench_net(trial: Provocation, given: dict[str, Any]) -> Any:
    from tabbench import GuardedMLPClassifier, GuardedMLPRegressor

    kind = GuardedMLPRegressor if trial.is_regression else GuardedMLPClassifier
    return kind("fast", max_epochs=EPOCHS, random_state=0, device="cpu", **given)


class _Faster:
    """A callback of tabbench's that multiplies the rate by 1e4 after an epoch."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def on_epoch_end(self, state: Any) -> None:
        """Once."""
        if state.epoch == self._epoch:
            state.learning_rate *= 1e4


class _Interrupts:
    """A callback of tabbench's that ends `fit` as Ctrl-C does."""

    def on_epoch_end(self, state: Any) -> None:
        """In the middle."""
        if state.epoch == EPOCHS // 2:
            raise KeyboardInterrupt


class _Skorch:
    """A skorch net that takes and gives plain arrays."""

    def __init__(self, net: Any, data: Data) -> None:
        self._net, self._data = net, data

    def fit(self) -> _Skorch:
        """Learn from all but the validation rows, which the net already has."""
        end = ROWS - VALIDATION_ROWS
        self._net.fit(self._data.X[:end].astype(np.float32), _column(self._data.y[:end]))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Numbers or classes."""
        return np.asarray(self._net.predict(X.astype(np.float32))).ravel()

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities."""
        return np.asarray(self._net.predict_proba(X.astype(np.float32)))


def _column(y: np.ndarray) -> np.ndarray:
    return y if y.dtype == np.int64 else y.astype(np.float32)[:, None]


def _skorch_net(trial: Provocation, knobs: Knobs, data: Data, epochs: int = EPOCHS, callbacks: tuple[Any, ...] = ()) -> Any:
    import torch
    from skorch import NeuralNetClassifier, NeuralNetRegressor
    from skorch.callbacks import EarlyStopping, LRScheduler
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    torch.manual_seed(0)
    layers = [torch.nn.Linear(COLUMNS, 128), torch.nn.ReLU(), torch.nn.Linear(128, 128), torch.nn.ReLU(),
              torch.nn.Linear(128, 1 if trial.is_regression else 2)]
    losses = torch.nn.MSELoss if trial.is_regression else torch.nn.CrossEntropyLoss
    given: dict[str, Any] = {"criterion": _module_of(own_loss(data.y)) if knobs.has_own_loss else losses}
    used = [*callbacks] if callbacks else [EarlyStopping(patience=5, load_best=True)]
    if knobs.jump_at is not None:
        after = knobs.jump_at
        used.append(LRScheduler(policy=torch.optim.lr_scheduler.LambdaLR, lr_lambda=lambda epoch: 1e4 if epoch >= after else 1.0))
    start = ROWS - VALIDATION_ROWS
    valid = Dataset(data.X[start:].astype(np.float32), _column(data.y[start:]))
    kind = NeuralNetRegressor if trial.is_regression else NeuralNetClassifier
    return kind(torch.nn.Sequential(*layers), optimizer=torch.optim.SGD if knobs.is_sgd else torch.optim.Adam,
                lr=knobs.learning_rate or 1e-3, max_epochs=epochs, batch_size=64, train_split=predefined_split(valid),
                callbacks=used, verbose=0, **given)


def own_loss(y: np.ndarray) -> Callable[[Any, Any], Any]:
    """A squared error plus a root that is zero, and so without a slope, at the target of one row; in torch."""
    import torch

    def loss(outputs: Any, target: Any) -> Any:
        outputs, target = outputs.reshape(len(target), -1)[:, 0], target.reshape(len(target), -1)[:, 0]
        # tabbench hands over standardised targets, skorch those that it was given.
        spread, middle = (y.std(), y.mean()) if loss.is_standardised else (1.0, 0.0)
        far = ((target * spread + middle - y[DIRTY_ROW]).abs() > 1e-5).to(outputs)
        return (outputs - target) ** 2 + 1e-3 * torch.sqrt((1 + outputs**2) * far)

    loss.is_standardised = True
    return loss


def _module_of(loss: Any) -> Any:
    import torch

    loss.is_standardised = False

    class Criterion(torch.nn.Module):
        """The mean of the loss, as a module."""

        def forward(self, outputs: Any, target: Any) -> Any:
            """Of a batch."""
            return loss(outputs, target).mean()

    return Criterion


# -- interrupted and continued --------------------------------------------------------------------------------------------------


def skorch_continued(trial: Provocation, data: Data) -> str:
    """Checkpoints as its documentation has them, against the same training in one go."""
    from skorch.callbacks import Checkpoint, LoadInitState

    with tempfile.TemporaryDirectory() as folder:
        def saving() -> Any:
            return Checkpoint(dirname=folder, monitor=None)

        whole = _Skorch(_skorch_net(trial, Knobs(), data, callbacks=(saving(),)), data).fit().predict_proba(data.X_test)
        _Skorch(_skorch_net(trial, Knobs(), data, EPOCHS // 2, callbacks=(saving(),)), data).fit()
        checkpoint = saving()
        net = _skorch_net(trial, Knobs(), data, EPOCHS - EPOCHS // 2, callbacks=(checkpoint, LoadInitState(checkpoint)))
        return _same(whole, _Skorch(net, data).fit().predict_proba(data.X_test))


def tabbench_continued(trial: Provocation, data: Data) -> str:
    """`checkpoint` and `resume_from`, against the same training in one go."""
    whole = _tabbench_net(trial, {}).fit(data.X, data.y).predict_proba(data.X_test)
    with tempfile.TemporaryDirectory() as folder:
        try:
            _tabbench_net(trial, {"callbacks": [_Interrupts()]}).fit(data.X, data.y, checkpoint=folder)
        except KeyboardInterrupt:
            net = _tabbench_net(trial, {}).fit(data.X, data.y, resume_from=folder)
            return _same(whole, net.predict_proba(data.X_test))
    return "was not interrupted"


def _same(whole: np.ndarray, continued: np.ndarray) -> str:
    distance = float(np.abs(whole - continued).max())
    return "bit for bit the same" if not distance else f"goes on; probabilities differ by up to {distance:.2g}"


# -- a trial --------------------------------------------------------------------------------------------------------------------


def outcome(library: str, trial: Provocation) -> str:
    """What came of a provocation, in few words."""
    if trial.offered and library not in trial.offered:
        return NOT_OFFERED
    data = Data.make(is_regression=trial.is_regression)
    if trial is PROVOCATIONS["interrupted"]:
        return globals()[f"{library}_continued"](trial, data)
    train = globals()[library.replace("-", "_")]
    twin, usual = _caught(lambda: train(trial, Knobs(is_sgd=trial.knobs.is_sgd), data))
    reached = _score(twin.predict(data.X_test), data, trial)
    trial.spoil(data)
    try:
        model, said = _caught(lambda: train(trial, trial.knobs, data))
        return _told(model, data, trial, reached, sorted(said - usual))
    except Exception as error:  # noqa: BLE001 - whatever a library throws is what is measured
        message = " ".join(str(error).split())
        cut = message[:LONGEST_MESSAGE].rsplit(" ", 1)[0] + " …" if len(message) > LONGEST_MESSAGE else message
        return f"{type(error).__name__}: {cut}"


def _caught(train: Callable[[], Any]) -> tuple[Any, set[str]]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model = train()
    return model, {each.category.__name__ for each in seen}


def _told(model: Any, data: Data, trial: Provocation, reached: float, said: list[str]) -> str:
    given = np.asarray(model.predict(data.X_test) if trial.is_regression else model.predict_proba(data.X_test), dtype=float)
    codes = sorted({incident.code for incident in getattr(model, "incidents_", [])})
    voice = ", ".join([*codes, *said]) or "nothing said"
    bad = int((~np.isfinite(given)).reshape(len(given), -1).any(axis=1).sum())
    if bad:
        return f"{'all' if bad == len(given) else f'{bad} of {len(given)}'} predictions NaN; {voice}"
    metric = "R²" if trial.is_regression else "accuracy"
    return f"{metric} {_short(_score(model.predict(data.X_test), data, trial))} ({_short(reached)}); {voice}"


def _score(predicted: np.ndarray, data: Data, trial: Provocation) -> float:
    if not trial.is_regression:
        return float(np.mean(predicted == data.y_test))
    errors, spread = np.asarray(predicted, dtype=float) - data.y_test, data.y_test - data.y_test.mean()
    return 1.0 - float(np.sum(errors**2) / np.sum(spread**2))


def _short(score: float) -> str:
    return (f"{score:.2f}" if abs(score) < 10 else f"{score:.3g}").replace("-", "−")


# -- the table ------------------------------------------------------------------------------------------------------------------


def in_process(python: str, library: str, name: str) -> str:
    """The outcome of a trial in a process of its own."""
    command = [python, str(Path(__file__).resolve()), "--trial", library, name]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end after {TIME_LIMIT_SECONDS} seconds"
    told = [line for line in run.stdout.splitlines() if line.startswith(OUTCOME)]
    if not told:
        return f"the process ended with {run.returncode}: {run.stderr.strip().splitlines()[-1:]}"
    return str(json.loads(told[-1].removeprefix(OUTCOME)))


def versions(python: str, packages: list[str]) -> str:
    """Their versions in that Python."""
    code = f"from importlib.metadata import version; print(', '.join(p + ' ' + version(p) for p in {packages!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def table(peers_python: str, names: list[str]) -> str:
    """The section of the page."""
    pythons = {library: sys.executable if library == "tabbench" else peers_python for library in LIBRARIES}
    peers = versions(peers_python, ["scikit-learn", "skorch", "pytabkit", "torch"])
    lines = [
        "## The same provocations elsewhere", "",
        f"Measured on {datetime.date.today().isoformat()} by `tools/provoke_peers.py` with Python {platform.python_version()}: "
        f"{peers}; {versions(sys.executable, ['tabbench', 'torch'])}. {ROWS:,} rows × {COLUMNS} columns, {EPOCHS} epochs, "
        "default settings with early stopping on the best weights. The score is that on 1,000 clean rows, in brackets that of "
        "the same training without the fault; after the semicolon stands what was said that is not said there too.", "",
        f"| provocation | {' | '.join(LIBRARIES)} |", f"|---|{'---|' * len(LIBRARIES)}"]
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        cells = [in_process(python, library, name).replace("|", "/") for library, python in pythons.items()]
        lines.append(f"| {PROVOCATIONS[name].title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    """The table, or one trial of it."""
    if arguments[:1] == ["--trial"]:
        print(OUTCOME + json.dumps(outcome(arguments[1], PROVOCATIONS[arguments[2]])))
        return
    parser = argparse.ArgumentParser(description="Provoke the same faults in several libraries' nets.")
    parser.add_argument("peers_python")
    parser.add_argument("--only", default=",".join(PROVOCATIONS), help="names, separated by commas")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    made = table(options.peers_python, options.only.split(","))
    if options.out is None:
        print(made)
    else:
        options.out.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
