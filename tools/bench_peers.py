"""Measures how much less tabbench loses than plain learners and other systems, on fixed splits.

    python tools/bench_peers.py DIR [--tables A,B] [--results FILE] [--winner]

DIR holds TABLE/{train.csv, test.csv, card.json}; the card names `target` and `task`. FILE of results: JSON lines with `peer`,
`table` and `log_loss` or `rmse` on test.csv, of systems that need an environment of their own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

import tabbench
from tabbench.execution.machine import usable_cores

SMALL_ROWS, SMALL_SPLITS, SEED = 2_000, 10, 20261123
"""One split of a table below this many rows says little: the loss is the mean over ten random ones there."""
INNER_FOLDS = 5
SPLITS_MARK = " \\*"
SMALLEST_PROBABILITY = 1e-15
DONE, SOME_FAILED = 0, 3
"""Exit codes of tabbench."""
WINNER_TIME_LIMIT = "300s"

LIGHTGBM, XGBOOST, LINEAR, PICKED = "lightgbm-default", "xgboost-default", "linear-cv", "picked by inner folds"
BOOSTING, BLEND, WINNER = "boosting", "blend", "winner"
RATIO_GOALS = (((BOOSTING, LIGHTGBM), 0.88), ((BOOSTING, XGBOOST), 0.84), ((WINNER, "autogluon-medium-60s"), 0.98),
               ((WINNER, "flaml-60s"), 0.91), ((BOOSTING, PICKED), 1.0), ((BLEND, PICKED), 1.0))

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""
Learn = Callable[[pd.DataFrame, pd.Series, pd.DataFrame, str], tuple[np.ndarray, np.ndarray]]
"""(features, target, new features, task) -> predictions or probabilities, classes in their order."""


@dataclass(frozen=True, eq=False)
class SplitTable:
    """A table with its fixed split."""

    folder: Path
    target: str
    task: str
    train: pd.DataFrame
    test: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> SplitTable:
        """From its folder."""
        card = json.loads((folder / "card.json").read_text())
        return cls(folder, card["target"], card["task"], pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv"))

    def whole(self) -> pd.DataFrame:
        """All rows, those for training first."""
        return pd.concat([self.train, self.test], ignore_index=True)


@dataclass(frozen=True)
class Losses:
    """System -> loss: on the test file, and the mean over ten splits of a small table."""

    table: str
    rows: int
    on_file: dict[str, float]
    on_splits: dict[str, float] = field(default_factory=dict)

    def ratio(self, first: str, second: str) -> tuple[float, bool] | None:
        """First system's loss divided by the second's on the same rows, and whether these are the ten splits."""
        for losses, are_splits in ((self.on_splits, True), (self.on_file, False)):
            if first in losses and second in losses:
                return losses[first] / losses[second], are_splits
        return None


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", type=Path)
    parser.add_argument("--tables", type=lambda text: text.split(","))
    parser.add_argument("--results", type=Path)
    parser.add_argument("--winner", action="store_true")
    given = parser.parse_args()
    losses, rows = quality(given.splits, tables=given.tables, results=given.results, with_winner=given.winner)
    for row in [*losses, *rows]:
        print(" | ".join(row))


def quality(splits: Path, *, tables: Sequence[str] | None = None, results: Path | None = None, with_winner: bool = False
            ) -> tuple[list[Sequence[str]], list[Row]]:
    """A table of ratios to plain LightGBM, its header first; and the geometric means that have goals."""
    others = read_results(results)
    measured = []
    for folder in sorted(each for each in splits.iterdir() if (each / "card.json").exists()):
        if tables is None or folder.name in tables:
            measured.append(losses_of(SplitTable.read(folder), others.get(folder.name, {}), with_winner))
            print(json.dumps(vars(measured[-1])), file=sys.stderr, flush=True)
    rows = [(f"{first} / {second}, geometric mean over {len(ratios)} tables", f"{geometric_mean(ratios):.3f}", f"≤ {goal:.2f}")
            for (first, second), goal in RATIO_GOALS
            if (ratios := [found[0] for each in measured if (found := each.ratio(first, second))])]
    return ratio_table(measured), rows


def ratio_table(measured: Sequence[Losses]) -> list[Sequence[str]]:
    """Header, a row a table, and the geometric means of the columns."""
    systems = list(dict.fromkeys(name for each in measured for name in (*each.on_file, *each.on_splits) if name != LIGHTGBM))
    found = [[each.ratio(system, LIGHTGBM) for system in systems] for each in measured]
    lines = [(each.table, f"{each.rows:,}", f"{each.on_splits.get(LIGHTGBM, each.on_file[LIGHTGBM]):.5g}",
              *("" if ratio is None else f"{ratio[0]:.3f}{SPLITS_MARK * ratio[1]}" for ratio in ratios))
             for each, ratios in zip(measured, found, strict=True)]
    columns = [[ratio[0] for ratio in column if ratio is not None] for column in zip(*found, strict=True)]
    means = ("geometric mean", "", "", *(f"{geometric_mean(column):.3f} ({len(column)} tables)" for column in columns))
    return [("table", "training rows", f"loss of {LIGHTGBM}", *systems), *lines, means]


def losses_of(table: SplitTable, others: dict[str, float], with_winner: bool) -> Losses:
    """What everybody loses on one table."""
    ours = loss_of_winner(table) if with_winner else {}
    plain = {name: loss_of(learn, table.train, table.test, table.target, table.task) for name, learn in LEARNERS.items()}
    on_splits = losses_on_splits(table) if len(table.train) + len(table.test) < SMALL_ROWS else {}
    return Losses(table.folder.name, len(table.train), {**plain, **ours, **{k: v for k, v in others.items() if k not in plain}},
                  on_splits)


def losses_on_splits(table: SplitTable) -> dict[str, float]:
    """Mean losses over ten random splits of all rows: plain learners, the one that inner folds pick, boosting and blend."""
    frame, rows = table.whole(), []
    splits = [random_split(frame, table, seed) for seed in range(SMALL_SPLITS)]
    for train, test in splits:
        parts = (frame.iloc[train], frame.iloc[test])
        losses = {name: loss_of(learn, *parts, table.target, table.task) for name, learn in PLAIN.items()}
        rows.append(losses | {PICKED: losses[picked(parts[0], table.target, table.task)]})
    comparison = tabbench.compare(frame, table.target, task=table.task, approaches=[BOOSTING, BLEND], sizes=["full"],
                                  preset="balanced", splits=splits, quiet=True)
    means = dict(pd.DataFrame(rows).mean())
    if table.task != "regression" and len(comparison.table["classes"]) != frame[table.target].nunique():
        print(f"{table.folder.name}: rare classes are merged by tabbench; ten splits without it", file=sys.stderr)
        return means
    scores = comparison.scores[comparison.scores["metric"] == comparison.protocol["metric"]].set_index("approach")["mean"]
    return means | {name: float(scores[name]) for name in (BOOSTING, BLEND)}


def random_split(frame: pd.DataFrame, table: SplitTable, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of four fifths, and of the others without those of classes that are not among the former."""
    order = np.random.default_rng([SEED, seed]).permutation(len(frame))
    train, test = np.split(order, [int(0.8 * len(frame))])
    if table.task != "regression":
        test = test[frame[table.target].iloc[test].isin(frame[table.target].iloc[train].unique())]
    return train, test


def picked(train: pd.DataFrame, target: str, task: str) -> str:
    """The plain learner with the least loss over inner folds."""
    means = {name: np.mean([loss_of(learn, train.iloc[a], train.iloc[b], target, task)
                            for a, b in shuffled_folds(train, target, task, INNER_FOLDS)]) for name, learn in PLAIN.items()}
    return min(means, key=lambda name: means[name])


def shuffled_folds(frame: pd.DataFrame, target: str, task: str, folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and test positions, stratified by class."""
    splitter = (KFold if task == "regression" else StratifiedKFold)(folds, shuffle=True, random_state=0)
    return list(splitter.split(frame, frame[target]))


def loss_of(learn: Learn, train: pd.DataFrame, test: pd.DataFrame, target: str, task: str) -> float:
    """Log loss or RMSE on the test rows. A class that the learner does not know has the smallest probability."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers that do not converge, of rare classes
        predicted, classes = learn(train.drop(columns=target), train[target], test.drop(columns=target), task)
    return log_loss_or_rmse(predicted, classes, test[target].to_numpy(), task)


def log_loss_or_rmse(predicted: np.ndarray, classes: np.ndarray, truth: np.ndarray, task: str) -> float:
    """From predictions (m,) or probabilities (m, n_classes) in the order of `classes`."""
    if task == "regression":
        return float(np.sqrt(np.mean((np.ravel(predicted) - truth) ** 2)))
    codes = pd.Index(classes).get_indexer(truth)
    chosen = np.where(codes < 0, 0.0, np.asarray(predicted)[np.arange(len(truth)), codes])
    return float(-np.log(np.clip(chosen, SMALLEST_PROBABILITY, 1)).mean())


def learn_boosted(library: str) -> Learn:
    """LightGBM or XGBoost with its defaults, words as categories."""

    def learn(X: pd.DataFrame, y: pd.Series, new: pd.DataFrame, task: str) -> tuple[np.ndarray, np.ndarray]:
        from lightgbm import LGBMClassifier, LGBMRegressor
        from xgboost import XGBClassifier, XGBRegressor

        X, new = as_categories(X, new)
        if library == "lightgbm":
            kind, options = (LGBMRegressor if task == "regression" else LGBMClassifier), {"verbose": -1}
        else:
            kind, options = (XGBRegressor if task == "regression" else XGBClassifier), {"enable_categorical": True}
        codes, classes = (y, np.array([])) if task == "regression" else pd.factorize(y, sort=True)
        model = kind(n_jobs=usable_cores(), **options).fit(X, codes)
        return (model.predict if task == "regression" else model.predict_proba)(new), np.asarray(classes)

    return learn


def as_categories(X: pd.DataFrame, new: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Columns that are no numbers as categories of the first frame; plain names, which LightGBM asks for."""
    X, new = (each.set_axis([f"x{n}" for n in range(each.shape[1])], axis=1) for each in (X, new))
    for name in X.columns[[not pd.api.types.is_numeric_dtype(X[name]) for name in X]]:
        X[name] = X[name].astype(str).astype("category")
        new[name] = pd.Categorical(new[name].astype(str), categories=X[name].cat.categories)
    return X, new


def learn_linear(X: pd.DataFrame, y: pd.Series, new: pd.DataFrame, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Ridge or logistic regression of scaled and one-hot columns, its strength chosen by cross-validation."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegressionCV, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = list(X.select_dtypes("number"))
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False)
    columns = make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), numbers),
                                      (one_hot, [name for name in X if name not in numbers]))
    learner = (RidgeCV(np.logspace(-3, 4, 15)) if task == "regression"
               else LogisticRegressionCV(Cs=np.logspace(-3, 2, 8), cv=5, max_iter=300, scoring="neg_log_loss"))
    model = make_pipeline(columns, learner).fit(X, y)
    return (model.predict(new), np.array([])) if task == "regression" else (model.predict_proba(new), model.classes_)


def learn_boosting(X: pd.DataFrame, y: pd.Series, new: pd.DataFrame, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Our ensemble with the balanced preset."""
    if task == "regression":
        return tabbench.BoostedEnsembleRegressor(random_state=0, n_jobs=usable_cores()).fit(X, y).predict(new), np.array([])
    model = tabbench.BoostedEnsembleClassifier(random_state=0, n_jobs=usable_cores()).fit(X, y)
    return model.predict_proba(new), model.classes_


PLAIN: dict[str, Learn] = {LIGHTGBM: learn_boosted("lightgbm"), XGBOOST: learn_boosted("xgboost"), LINEAR: learn_linear}
LEARNERS: dict[str, Learn] = {**PLAIN, BOOSTING: learn_boosting}


def loss_of_winner(table: SplitTable) -> dict[str, float]:
    """Of the saved winner of a comparison of the training file, on the test file."""
    with tempfile.TemporaryDirectory() as place:
        run_tabbench("compare", f"{table.folder}/train.csv", "--out", f"{place}/run", "--target", table.target, "--task",
                     table.task, "--sizes", "full", "--preset", "balanced", "--time-limit", WINNER_TIME_LIMIT, "--save-winner",
                     "--quiet")
        run_tabbench("predict", f"{place}/run/winner", f"{table.folder}/test.csv", "--out", f"{place}/predictions.csv")
        frame = pd.read_csv(f"{place}/predictions.csv")
    if table.task == "regression":
        predicted, classes, truth = frame["prediction"], [], table.test[table.target]
    else:  # labels as they are spelled in the file
        names = [name for name in frame if name.startswith("probability_")]
        predicted, classes = frame[names], [name.removeprefix("probability_") for name in names]
        truth = pd.read_csv(table.folder / "test.csv", usecols=[table.target], dtype=str)[table.target]
    return {WINNER: log_loss_or_rmse(predicted.to_numpy(), np.array(classes), truth.to_numpy(), table.task)}


def read_results(path: Path | None) -> dict[str, dict[str, float]]:
    """Table -> system -> loss, the last line of each; lines of failures have no loss and are passed over."""
    found: dict[str, dict[str, float]] = {}
    for line in [] if path is None else path.read_text().splitlines():
        row = json.loads(line)
        loss = row.get("log_loss", row.get("rmse"))
        if loss is not None:
            found.setdefault(row["table"], {})[row["peer"]] = loss
    return found


def geometric_mean(values: Any) -> float:
    """Of positive numbers."""
    return float(np.exp(np.mean(np.log(list(values)))))


def run_tabbench(*arguments: str) -> float:
    """Wall seconds of a command that must finish; single cells may fail."""
    start = time.perf_counter()
    code = subprocess.run([sys.executable, "-m", "tabbench", *arguments], check=False, stdout=subprocess.DEVNULL).returncode
    if code not in (DONE, SOME_FAILED):
        raise SystemExit(f"exit code {code} from: tabbench {' '.join(arguments)}")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
