"""One run of the calibration: draw a table, split it by the protocol, predict, judge. What a run said is a small record.

Predictions are kept in files of fifty runs, so that a calibration continues where it ended and a new method of judging needs no
new fits.
"""

from __future__ import annotations

import hashlib
import os
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from calibration_fits import predictions
from calibration_people import PEOPLE
from calibration_tables import GENERATORS, Generator, Sample

from tabbench.core.metric import METRICS
from tabbench.core.split import SplitPlan
from tabbench.core.table import Table
from tabbench.core.task import Task
from tabbench.splitting.sizes import size_grid
from tabbench.splitting.splits import TRAININGS, make_splits
from tabbench.verdict.evidence import LossEvidence, build_evidence, training_overlap
from tabbench.verdict.scoring import Question

FOLDS, REPEATS = 5, 3
RUNS_A_FILE = 50
ALL = ChainMap(PEOPLE, GENERATORS)
"""In the order of `GENERATORS`, then of `PEOPLE`; a place in it is part of a seed."""
DRAWN_BY = ("calibration_tables.py", "calibration_fits.py")
"""What predictions depend on besides the protocol's splits."""
METRICS_OF = {"regression": ("rmse",), "classification": ("log_loss", "auc", "accuracy"), "multiclass": ("log_loss",)}


@dataclass(frozen=True)
class Series:
    """Runs of one generator with one learner on one kind of task."""

    generator: str
    learner: str
    task: str

    @property
    def name(self) -> str:
        """For files and tables."""
        return f"{self.generator}_{self.learner}_{self.task}"

    @property
    def of(self) -> Generator:
        """The generator itself."""
        return ALL[self.generator]

    @property
    def is_regression(self) -> bool:
        """Whether numbers are predicted."""
        return self.task == "regression"


@dataclass(frozen=True, eq=False)
class Drawn:
    """A table with its splits and sizes."""

    sample: Sample
    question: Question
    sizes: tuple[int, ...]


def draw(series: Series, number: int) -> Drawn:
    """The run's table, the same whenever it is asked for."""
    generator = series.of
    random = np.random.default_rng([list(ALL).index(series.generator), int(series.is_regression), number])
    sample = generator.draw(random, generator.rows, series.is_regression)
    task = task_of(series, sample)
    repeats = TRAININGS if generator.tested else 1 if generator.split == "ordered" else REPEATS
    plan = make_splits(as_table(sample, generator), sample.target, task, folds=generator.folds, repeats=repeats, seed=number)[0]
    return Drawn(sample, Question(task, sample.target, plan, sample.weight), sizes_of(generator, plan, sample, task))


def task_of(series: Series, sample: Sample) -> Task:
    """Classes are named by their codes."""
    if series.is_regression:
        return Task("regression", (), "rmse", ("rmse",))
    if series.task == "classification":
        return Task("binary", ("no", "yes"), "log_loss", METRICS_OF["classification"])
    return Task("multiclass", tuple(map(str, range(int(sample.target.max()) + 1))), "log_loss", METRICS_OF["multiclass"])


def as_table(sample: Sample, generator: Generator) -> Table:
    """What the protocol's splits look at; a test file is the last rows, which are as good as any."""
    rows, split = np.arange(len(sample.target)), generator.split
    test = rows >= round((1 - generator.tested) * len(rows)) if generator.tested else None
    tie = rows if sample.tie is None else sample.tie
    return Table("calibration", pd.DataFrame(index=pd.RangeIndex(len(rows))), (), pd.Series(sample.target), "y", False, rows,
                 tie.astype(np.uint64), "", group=sample.group if split == "grouped" else None,
                 time=sample.time if split == "ordered" else None, test=test, roles={"group": "group", "time": "time"})


def sizes_of(generator: Generator, plan: SplitPlan, sample: Sample, task: Task) -> tuple[int, ...]:
    """The generator's own sizes, the protocol's, or the full one alone (-1)."""
    if generator.sizes is None:
        return size_grid(plan, sample.target, task)
    return tuple(plan.full_size // -size if size < 0 else min(size, plan.full_size) for size in generator.sizes)


def predictions_file(series: Series, start: int, folder: Path) -> Path:
    """Where the fifty runs from `start` on are kept; other tables or learners are kept elsewhere."""
    version = hashlib.sha256(b"".join(Path(__file__).with_name(name).read_bytes() for name in DRAWN_BY)).hexdigest()[:8]
    return folder / f"{series.name}_{start:05d}.{version}.npz"


def keep_predictions(series: Series, start: int, folder: Path) -> None:
    """Fit the fifty runs from `start` on, if that is not done yet."""
    path = predictions_file(series, start, folder)
    if not path.exists():
        made = {str(number): fit(series, number) for number in range(start, start + RUNS_A_FILE)}
        partial = path.with_suffix(f".{os.getpid()}.part")
        with partial.open("wb") as file:
            np.savez(file, **made)
        partial.replace(path)


def fit(series: Series, number: int) -> np.ndarray:
    """The predictions of one run."""
    drawn = draw(series, number)
    return predictions(drawn.sample, series.of, series.learner, drawn.question.plan, drawn.sizes, series.is_regression, number)


def kept(series: Series, start: int, folder: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Runs of one file with their predictions."""
    with np.load(predictions_file(series, start, folder)) as stored:
        for number in range(start, start + RUNS_A_FILE):
            yield number, stored[str(number)]


def evidence_of(drawn: Drawn, made: np.ndarray, metric_name: str, margin: float | None = None) -> LossEvidence:
    """Everything that a verdict on these predictions is made of; the first two contestants represent their families."""
    metric, plan = METRICS.get(metric_name), drawn.question.plan
    names = [f"contestant{place}" for place in range(made.shape[0])]
    ends = np.cumsum([len(split.test) for split in plan.splits])

    def predict(name: str, size: int, index: int) -> np.ndarray:
        stop = int(ends[index])
        part = made[names.index(name), drawn.sizes.index(size), stop - len(plan.splits[index].test):stop].astype(np.float64)
        is_whole = drawn.question.task.is_regression or part.ndim == 2
        return part if is_whole else np.column_stack([1 - part, part])

    return build_evidence(
        drawn.question, metric, predict, [(name, size) for name in names for size in drawn.sizes], approaches=names,
        families={name: name for name in names}, cost_ranks={name: place for place, name in enumerate(names)},
        representatives=names[:2], margin=margin)


def designs(whole: LossEvidence, plan: SplitPlan) -> list[LossEvidence]:
    """With all splits, with those of the first repeat alone, and with the very first."""
    counts = dict.fromkeys((whole.n_splits, whole.folds, 1))
    return [whole if count == whole.n_splits else first_splits(whole, plan, count) for count in counts]


def first_splits(evidence: LossEvidence, plan: SplitPlan, count: int) -> LossEvidence:
    """The same with the first splits alone, none of whose rows is tested twice."""
    rows = evidence.split < count
    overlap = {size: training_overlap(plan.splits[:count], size, evidence.pool_rows) for size in evidence.sizes}
    return replace(
        evidence, repeats=1, overlap=overlap,
        class_degrees=_first(evidence.class_degrees, count), class_step=_first(evidence.class_step, count),
        split=evidence.split[rows], unit=evidence.unit[rows],
        weight=None if evidence.weight is None else evidence.weight[rows],
        loss={cell: each[:count] for cell, each in evidence.loss.items()},
        row_loss={cell: each[rows] for cell, each in evidence.row_loss.items()},
        imputed={cell: each[:count] for cell, each in evidence.imputed.items()})


def _first(values: np.ndarray | None, count: int) -> np.ndarray | None:
    return None if values is None else values[:count]
