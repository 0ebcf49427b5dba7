"""Compare estimators that do everything wrong beside sound approaches, whose scores must not change by a bit.

python tools/torture_estimators.py [KIND ...] [--jobs 2]

Each kind has a run of its own. A fault is a traceback, another score or a failure of the others, a process that outlives the
run, a log or a run that takes far too much. The command ends with 1 if there is one.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import io
import locale
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import psutil
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

import tabbench

LONGEST_SECONDS = 90.0
MOST_LOG_BYTES = 20_000_000
SLEEPER = "98765.4321"
"""How long the processes sleep that must not outlive a run: by this they are found."""


class Evil(ClassifierMixin, BaseEstimator):
    """Predicts class shares; subclasses misbehave."""

    def fit(self, X: Any, y: Any) -> Evil:
        """Learn the shares, then misbehave."""
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        self.in_fit(X, y)
        return self

    def in_fit(self, X: Any, y: Any) -> None:
        """What it does while it is fitted."""

    def in_predict(self, X: Any) -> Any:
        """What it predicts; None for the shares."""

    def predict(self, X: Any) -> np.ndarray:
        """The first class."""
        return np.repeat(self.classes_[0], len(X))

    def predict_proba(self, X: Any) -> Any:
        """The shares, or what the subclass makes of it."""
        own = self.in_predict(X)
        return np.tile(self.shares_, (len(X), 1)) if own is None else own


def in_fit(work: Any) -> type[Evil]:
    """An estimator that does this when it is fitted."""
    return type("InFit", (Evil,), {"in_fit": lambda self, X, y: work(X)})


def in_predict(work: Any) -> type[Evil]:
    """An estimator that predicts this; `work` is given the shares of the classes, tiled."""
    return type("InPredict", (Evil,), {"in_predict": lambda self, X: work(np.tile(self.shares_, (len(X), 1)), X)})


def raising(error: BaseException) -> Any:
    """Work that raises."""
    def work(*given: Any) -> None:
        raise error

    return work


def clear_state(X: Any) -> None:
    """Nothing is where it was."""
    os.environ.clear()
    sys.path.clear()
    sys.modules.clear()


def recurse_deeply(*given: Any) -> None:
    """Until there is no room."""
    sys.setrecursionlimit(10**6)

    def deeper(n: int) -> int:
        return deeper(n + 1) + 1

    deeper(0)


def chain_errors(*given: Any) -> None:
    """An error in the handler of an error in the handler …"""
    error: BaseException | None = None
    for number in range(100_000):
        following = ValueError(number)
        following.__context__ = error
        error = following
    raise ValueError("last") from error


def print_much(X: Any) -> None:
    """160 MB."""
    for _ in range(16):
        sys.stdout.write("x" * 10_000_000)


def leave_daemon(X: Any) -> None:
    """A process with a session of its own, twice removed."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", SLEEPER])
        os._exit(0)


def leave_threads(X: Any) -> None:
    """Fifty that never end."""
    for _ in range(50):
        threading.Thread(target=time.sleep, args=(3600,), daemon=False).start()


def monkeypatch(X: Any) -> None:
    """The libraries that everybody uses."""
    np.mean = lambda *a, **k: 7.0  # type: ignore[assignment]
    np.random.default_rng = lambda *a, **k: None  # type: ignore[assignment]
    LogisticRegression.fit = raising(ValueError("patched"))
    pd.DataFrame.iloc = property(raising(ValueError("patched")))


def limit_resources(X: Any) -> None:
    """Hardly any open files and no large file."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def settle_strangely(X: Any) -> None:
    """State of the process that others would inherit."""
    os.chdir("/")
    os.umask(0o777)
    np.seterr(all="raise")
    warnings.simplefilter("error")
    np.random.seed(0)
    random.seed(0)
    gc.disable()
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "C")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def change_rows(X: Any) -> None:
    """The rows that it was given, in place."""
    for column in X.columns:
        with contextlib.suppress(ValueError, TypeError):
            X[column] = X[column].iloc[0]
            X[column].to_numpy(copy=False)[:] = 0


def delete_run(X: Any) -> None:
    """The spool of the run, which its command line names."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is not None and (folder / "spool").is_dir():
        shutil.rmtree(folder / "spool")


def fill_temporary(X: Any) -> None:
    """100 MB in the folder for temporary files."""
    with tempfile.NamedTemporaryFile("wb", prefix="torture-") as file:
        file.write(bytes(100_000_000))


class Unsendable(Evil):
    """Ends the process that it is unpickled in."""

    def __setstate__(self, state: Any) -> None:
        if sys.argv and "child" in " ".join(sys.orig_argv):
            os._exit(5)
        self.__dict__.update(state)


def segfault(*given: Any) -> None:
    """Read from nowhere."""
    ctypes.string_at(0)


def speak_for_worker(X: Any) -> None:
    """Nonsense into every open descriptor."""
    for descriptor in range(3, 30):
        with contextlib.suppress(OSError):
            os.write(descriptor, b'{"finished": "nothing", "file": "../x"}\n{"idle": true}\nnonsense\n')


KINDS: dict[str, type[Evil]] = {
    "forks and returns twice": in_fit(lambda X: os.fork()),
    "clears environment, path and modules": in_fit(clear_state),
    "leaves a child in another session": in_fit(lambda X: subprocess.Popen(["sleep", SLEEPER], start_new_session=True)),
    "leaves a daemon": in_fit(leave_daemon),
    "leaves a daemon and dies": in_fit(lambda X: (leave_daemon(X), os._exit(3))),
    "recurses deeply in predict": in_predict(recurse_deeply),
    "raises with a long chain": in_predict(chain_errors),
    "prints 160 MB": in_fit(print_much),
    "calls os._exit": in_fit(lambda X: os._exit(0)),
    "calls sys.exit": in_fit(lambda X: sys.exit(3)),
    "is killed": in_fit(lambda X: os.kill(os.getpid(), signal.SIGKILL)),
    "kills its parent": in_fit(lambda X: os.kill(os.getppid(), signal.SIGKILL)),
    "kills its group": in_fit(lambda X: os.killpg(0, signal.SIGTERM)),
    "segfaults": in_fit(segfault),
    "aborts": in_predict(lambda shares, X: os.abort()),
    "raises BaseException": in_fit(raising(BaseException("base"))),
    "raises KeyboardInterrupt": in_fit(raising(KeyboardInterrupt())),
    "raises StopIteration": in_fit(raising(StopIteration())),
    "raises GeneratorExit": in_predict(raising(GeneratorExit())),
    "raises MemoryError": in_fit(raising(MemoryError())),
    "raises with a hostile message": in_fit(raising(ValueError("\x1b[31m<script>alert(1)</script>\x00=cmd()"))),
    "leaves threads": in_fit(leave_threads),
    "changes the process's state": in_fit(settle_strangely),
    "patches numpy, pandas and scikit-learn": in_fit(monkeypatch),
    "limits resources": in_fit(limit_resources),
    "closes all descriptors": in_fit(lambda X: os.closerange(0, 100)),
    "writes into all descriptors": in_fit(speak_for_worker),
    "replaces standard streams": in_fit(lambda X: (setattr(sys, "stdout", io.StringIO()), setattr(sys, "stderr", None))),
    "traces every line": in_fit(lambda X: sys.settrace(lambda *given: 1 / 0)),
    "changes its rows in place": in_fit(change_rows),
    "deletes the run's spool": in_fit(delete_run),
    "fills the folder for temporary files": in_fit(fill_temporary),
    "ends the process when it is unpickled": Unsendable,
    "predicts NaN": in_predict(lambda shares, X: shares * np.nan),
    "predicts complex numbers": in_predict(lambda shares, X: shares + 1j),
    "predicts objects": in_predict(lambda shares, X: np.array([[object()] * 2] * len(X))),
    "predicts ragged lists": in_predict(lambda shares, X: [[0.5] * (1 + row % 3) for row in range(len(X))]),
    "predicts too few rows": in_predict(lambda shares, X: shares[:-1]),
    "predicts a generator": in_predict(lambda shares, X: (row for row in shares)),
    "predicts negative probabilities": in_predict(lambda shares, X: np.column_stack([-shares[:, 0], 1 + shares[:, 0]])),
    "predicts 2 GB": in_predict(lambda shares, X: np.zeros((len(X), 2**28 // len(X)))),
}


def table(rows: int = 160) -> pd.DataFrame:
    """A small task that can be learnt."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"number": generator.normal(size=rows), "label": generator.choice(list("xyz"), rows)})
    return frame.assign(answer=np.where(frame["number"] + generator.normal(size=rows) > 0, "yes", "no"))


def compared(estimator: Evil, folder: Path, jobs: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The others' mean scores, and all failures. Intervals may differ: the variance is pooled over all that take part."""
    result = tabbench.compare(table(), "answer", approaches={"linear": "linear", "own": estimator}, folds=3, repeats=1,
                              sizes="full", effort=0.02, out=folder, jobs=jobs, executor="local")
    scores = result.scores.loc[result.scores["approach"] != "own", ["approach", "size", "metric", "mean", "splits", "failed"]]
    return scores.reset_index(drop=True), result.failures


def faults_of(kind: str, reference: pd.DataFrame, folder: Path, jobs: int) -> tuple[list[str], str]:
    """What went wrong with a kind, and how its own cells ended."""
    start = time.monotonic()
    try:
        scores, failures = compared(KINDS[kind](), folder, jobs)
    except BaseException:  # noqa: BLE001 - whatever comes out is what is looked for
        return [traceback.format_exc()], ""
    faults = [] if scores.equals(reference) else ["the others' scores have changed"]
    faults += [f"{name} has failed" for name in set(failures["approach"]) - {"own"}]
    faults += [f"took {time.monotonic() - start:.0f} s"] if time.monotonic() - start > LONGEST_SECONDS else []
    size = sum(log.stat().st_size for log in (folder / "logs").glob("*"))
    faults += [f"{size:,} bytes of logs"] if size > MOST_LOG_BYTES else []
    for process in psutil.process_iter(["cmdline", "environ"]):
        line = process.info["cmdline"] or []
        if SLEEPER in line or str(folder) in line:
            faults.append(f"left {line[:3]}")
            process.kill()
    reasons = failures["reason"].unique().tolist() if len(failures) else []
    return faults, f"{time.monotonic() - start:.0f} s, {reasons[0][:110] if reasons else 'ok'}"


def main() -> None:
    """Run every kind, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with tempfile.TemporaryDirectory() as name:
        reference, _ = compared(Evil(), Path(name) / "reference", options.jobs)
        bad = 0
        for number, kind in enumerate(options.kinds or KINDS):
            faults, said = faults_of(kind, reference, Path(name) / str(number), options.jobs)
            bad += bool(faults)
            print(f"{kind}: {said}" + "".join(f"\n    FAULT {fault[-1500:]}" for fault in faults), flush=True)
    print(f"{len(options.kinds or KINDS)} kinds, {bad} with faults")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
