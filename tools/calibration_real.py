"""Real tables with a known truth: rows are drawn from a large table and judged, and all its other rows say what is true.

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibration_real.py --runs 60
    OMP_NUM_THREADS=1 .venv/bin/python tools/calibration_real.py --tables FOLDER     CSV files, the target in the last column

Counted is how often the interval of a difference holds the true one, and how often the wrong approach is said to be better.
"""

from __future__ import annotations

import argparse
import tomllib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from calibration_fits import linear, tree

from tabbench.core.metric import METRICS
from tabbench.core.table import Table
from tabbench.core.task import Task
from tabbench.splitting.splits import make_splits
from tabbench.verdict.evidence import LossEvidence, build_evidence
from tabbench.verdict.judge import decide_pairs
from tabbench.verdict.scoring import Question

DATASETS = Path(__file__).parents[1] / "datasets"
LARGE = ("flights_2013", "late_minutes", "diamonds", "california_housing", "protein_structure", "randhie", "grid_stability",
         "adult", "hotel_bookings", "magic_telescope", "acs_employment_ma", "shuttle")
"""Tables of the repository with ten thousand rows or more; late minutes are delays, 0 if there is none."""
ROWS, FOLDS, TRUTH_SETS, TRUTH_ROWS = 500, 5, 60, 10_000
MOST_LEVELS, MOST_COLUMNS = 8, 40
TRIMMED = 0.005
"""Columns end at these quantiles, as approaches' own views keep them from running away; a typing error in a million would else
be the truth."""
SURE = 3.0
HEAD = """
## Real tables

{rows} rows are drawn from a large table, {runs} times, and five small learners are judged on them pair by pair, by RMSE or log
loss, with five folds, the full size and half of it. What is true is the mean loss of {sets} trainings on other draws, on
{tested:,} other rows each. *held*: intervals of the difference that hold it. *claims*: runs in which one is said to be better,
and those of them in which that is wrong; *equal*: the same of practically equal. Columns end at their 0.5 % quantiles.

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibration_real.py --runs {runs}

| table | pair | held % | claims | wrong | equal | wrong |
|---|---|---|---|---|---|---|
"""

Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, bool], np.ndarray]
"""(training features, training target, test features, is_regression) -> numbers or probabilities of class 1."""


def _few_columns(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool) -> np.ndarray:
    """Linear on the first half of the columns."""
    half = max(train.shape[1] // 2, 1)
    return linear(train[:, :half], target, test[:, :half], is_regression, 0)


def _quadratic(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool) -> np.ndarray:
    """Linear with the squares of the columns."""
    return linear(np.hstack([train, train**2]), target, np.hstack([test, test**2]), is_regression, 0)


def _neighbours(train: np.ndarray, target: np.ndarray, test: np.ndarray, is_regression: bool) -> np.ndarray:
    """The mean of the fifteen nearest rows, smoothed by one row of either class."""
    distance = np.sum(train**2, axis=1) - 2 * test @ train.T
    nearest = target[np.argpartition(distance, 15, axis=1)[:, :15]]
    return np.asarray(nearest.mean(axis=1) if is_regression else (nearest.sum(axis=1) + 1) / 17)


LEARNERS: dict[str, Fit] = {
    "linear": lambda train, target, test, is_regression: linear(train, target, test, is_regression, 0),
    "few columns": _few_columns, "quadratic": _quadratic, "neighbours": _neighbours,
    "tree": lambda train, target, test, is_regression: tree(train, target, test, is_regression, 0)}


@dataclass(frozen=True, eq=False)
class Pool:
    """A large table: features (n, p), numbers or codes 0 and 1."""

    name: str
    features: np.ndarray
    target: np.ndarray
    is_regression: bool

    @property
    def metric(self) -> str:
        """The one that decides by default."""
        return "rmse" if self.is_regression else "log_loss"


@dataclass(frozen=True)
class Count:
    """What a pair's runs came to: runs, intervals that hold the truth, claims, false ones, and those of equality."""

    runs: int
    held: int
    claims: int
    wrong: int
    equal: int
    wrong_equal: int


def pools(folder: Path | None, only: Sequence[str] = (), target: str = "") -> Iterator[Pool]:
    """The repository's large tables, or the CSV files of a folder."""
    if folder is None:
        for name in only or LARGE:
            yield _of_repository(name)
        return
    for path in sorted(folder.glob("*.csv*")):
        name, frame = path.name.partition(".")[0], pd.read_csv(path)
        if not only or name in only:
            yield pool_of(name, frame, target or frame.columns[-1])


def _of_repository(name: str) -> Pool:
    stem = "flights_2013" if name == "late_minutes" else name
    card, frame = tomllib.loads((DATASETS / f"{stem}.toml").read_text()), pd.read_parquet(DATASETS / f"{stem}.parquet")
    if name == "late_minutes":
        frame[card["target"]] = frame[card["target"]].clip(lower=0)
    return pool_of(name, frame.drop(columns=card["drop"]), card["target"])


def pool_of(name: str, frame: pd.DataFrame, target: str) -> Pool:
    """Numbers in units of their spread, without their farthest values, the most frequent levels as indicators."""
    known = frame[frame[target].notna()]
    value = known[target]
    is_regression = bool(pd.api.types.is_numeric_dtype(value)) and value.nunique() > 2
    codes = value.astype("float64") if is_regression else (value == value.value_counts().index[-1]).astype("int64")
    columns = [part for column in known.columns.drop(target) for part in _as_numbers(known[column])][:MOST_COLUMNS]
    return Pool(name, np.column_stack(columns), codes.to_numpy(), is_regression)


def _as_numbers(column: pd.Series) -> list[np.ndarray]:
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > 2:
        numbers = column.astype("float64").fillna(column.median())
        numbers = numbers.clip(*numbers.quantile([TRIMMED, 1 - TRIMMED]))
        return [((numbers - numbers.mean()) / (numbers.std() or 1.0)).to_numpy()]
    levels = column.astype(str).value_counts().index[1:MOST_LEVELS]
    return [(column.astype(str) == level).to_numpy(dtype=np.float64) for level in levels]


def truth_of(pool: Pool, size: int) -> tuple[np.ndarray, np.ndarray]:
    """True mean loss of every learner after training on `size` rows, and the losses of the training sets (sets, learners)."""
    random, metric = np.random.default_rng(zlib.crc32(pool.name.encode())), METRICS.get(pool.metric)
    losses = np.empty((TRUTH_SETS, len(LEARNERS)))
    for number in range(TRUTH_SETS):
        order = random.permutation(len(pool.target))[:size + TRUTH_ROWS]
        train, test = order[:size], order[size:]
        for place, fit in enumerate(LEARNERS.values()):
            made = fit(pool.features[train], pool.target[train], pool.features[test], pool.is_regression)
            losses[number, place] = metric.loss(metric.score(pool.target[test], _answer(made, pool), None))
    return losses.mean(axis=0), losses


def _answer(made: np.ndarray, pool: Pool) -> np.ndarray:
    return made if pool.is_regression else np.column_stack([1 - made, made])


@dataclass(frozen=True, eq=False)
class Drawn:
    """Five hundred rows of a table, and what every learner predicts of each split at the full size and half of it."""

    question: Question
    metric: str
    made: dict[tuple[str, int, int], np.ndarray]

    def evidence(self, names: Sequence[str]) -> LossEvidence:
        """The evidence on these learners alone."""
        present = [(name, size) for name, size in dict.fromkeys(cell[:2] for cell in self.made) if name in names]
        return build_evidence(
            self.question, METRICS.get(self.metric), lambda *cell: self.made[cell], present,
            approaches=names, families={name: name for name in names}, cost_ranks=dict.fromkeys(names, 0),
            representatives=names, margin=None)


def draw_of(pool: Pool, number: int, repeats: int) -> Drawn:
    """The rows of one run with the learners' predictions."""
    random = np.random.default_rng([number, zlib.crc32(pool.name.encode())])
    chosen = random.choice(len(pool.target), ROWS, replace=False)
    features, target, rows = pool.features[chosen], pool.target[chosen], np.arange(ROWS)
    task = Task("regression" if pool.is_regression else "binary", () if pool.is_regression else ("a", "b"), pool.metric,
                (pool.metric,))
    table = Table("drawn", pd.DataFrame(index=pd.RangeIndex(ROWS)), (), pd.Series(target), "y", False, rows,
                  rows.astype(np.uint64), "")
    plan = make_splits(table, target, task, folds=FOLDS, repeats=repeats, seed=number)[0]

    def predict(name: str, size: int, index: int) -> np.ndarray:
        train, test = plan.splits[index].train[:size], plan.splits[index].test
        return _answer(LEARNERS[name](features[train], target[train], features[test], pool.is_regression), pool)

    cells = product(LEARNERS, (plan.full_size // 2, plan.full_size), range(len(plan.splits)))
    return Drawn(Question(task, target, plan), pool.metric, {cell: predict(*cell) for cell in cells})


def counts_of(pool: Pool, runs: int, repeats: int) -> dict[tuple[str, str], Count]:
    """For each pair, judged by itself, what came of it."""
    means, losses = truth_of(pool, ROWS - ROWS // FOLDS)
    names, found = list(LEARNERS), {}
    tallies: dict[tuple[str, str], list[tuple[bool, ...]]] = {}
    for number in range(runs):
        drawn = draw_of(pool, number, repeats)
        for first, second in combinations(range(len(names)), 2):
            pair = names[first], names[second]
            true = means[first] - means[second]
            slack = SURE * float(np.std(losses[:, first] - losses[:, second])) / np.sqrt(TRUTH_SETS)
            evidence = drawn.evidence(pair)
            row = decide_pairs(evidence).pairs.iloc[-1]
            side = {"first": -1, "second": 1}.get(str(row["decision"]).partition("_")[0], 0)
            is_equal = row["decision"] == "equal"
            tallies.setdefault(pair, []).append((
                bool(row["low"] - slack <= true <= row["high"] + slack), side != 0, side * true < -slack * abs(side),
                is_equal, is_equal and abs(true) > evidence.margin + slack))
    for pair, rows in tallies.items():
        found[pair] = Count(len(rows), *np.sum(rows, axis=0).tolist())
    return found


def measure_real(runs: int) -> str:
    """The section of docs/calibration.md."""
    head = HEAD.format(rows=ROWS, runs=runs, sets=TRUTH_SETS, tested=TRUTH_ROWS)
    return head + "\n".join(line for pool in pools(None) for line in lines(pool, runs, 1)) + "\n"


def lines(pool: Pool, runs: int, repeats: int) -> Iterator[str]:
    """A row of a Markdown table for each pair of learners."""
    for (first, second), each in counts_of(pool, runs, repeats).items():
        yield (f"| {pool.name} | {first} – {second} | {100 * each.held / each.runs:.0f} | {each.claims} | {each.wrong} | "
               f"{each.equal} | {each.wrong_equal} |")


def main() -> None:
    """Print a line for each pair of each table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, help="a folder of CSV files, the target in the last column")
    parser.add_argument("--only", default="", help="these tables, separated by commas")
    parser.add_argument("--target", default="", help="their target, where it is not the last column")
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    only = tuple(filter(None, options.only.split(",")))
    print(HEAD.splitlines()[-2], HEAD.splitlines()[-1], sep="\n")
    for pool in pools(options.tables, only, options.target):
        for line in lines(pool, options.runs, options.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
