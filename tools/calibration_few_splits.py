"""Runs of the calibration with the approaches that come with tabbench: tables, cells, the truth, and what a verdict got wrong.

Cells are planned, executed and judged by the code of a comparison; only the tables are made up. Predictions and counts are
kept in a folder, a few runs to a file, so that a calibration continues where it ended and a new judge needs no new fits.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from calibration_runs import METRICS_OF, Series
from calibration_tables import GENERATORS

import tabbench
from tabbench.comparison.plan import Contestants, choose_contestants, plan_batches
from tabbench.comparison.prepare import read_and_split
from tabbench.core.approach import BASELINE
from tabbench.core.metric import METRICS, Metric
from tabbench.core.setup import Setup
from tabbench.core.versions import versions
from tabbench.execution.run import execute
from tabbench.options import Options
from tabbench.report.live import make_display
from tabbench.verdict.evidence import LossEvidence, build_evidence
from tabbench.verdict.judge import Judgement, decide_pairs, judge
from tabbench.verdict.scoring import Question

APPROACHES = ("linear", "lightgbm", "boosting", "mlp", "blend")
NULL_APPROACHES = ("linear", "lightgbm", "mlp", "blend")
"""Those that are set against themselves; boosting would tell what lightgbm does."""
EFFORT = 0.03
"""What a short limit leaves. All approaches together take a sixth of a second for one split."""
ROWS, FOLDS = 500, 5
FULL = ROWS - ROWS // FOLDS
SIZES = (62, FULL)
"""What a short limit leaves of the grid: a small size and the full one."""
CASES = {1: "one split", 3: "three folds", 5: "five folds"}
"""How many of the same five folds are judged, the first ones."""
NULLS = ("seed", "twin")
"""Against whom nobody can be better: the same approach with another seed, or on columns that are exchangeable with its own."""
OTHER_SEED = 2**20
SERIES = tuple(Series(generator, "approaches", task) for generator, task in (
    ("G1", "regression"), ("G1", "classification"), ("G3", "classification"), ("G4", "regression")))
TEST_ROWS = 4_000
RUNS_A_FILE = 5

FITTED_BY = ("approaches", "boosting", "core", "execution/run.py", "linear", "nets", "reading", "splitting", "views")
"""The parts of tabbench that predictions depend on."""
JUDGED_BY = ("verdict", "metrics", "core")
RECORD_NUMBER = 1
"""Raised when a record would mean something else."""

Truth = Mapping[tuple[str, int], float]
"""(approach, size) -> expected loss."""
Cells = Mapping[tuple[str, int], np.ndarray]
"""(approach, size) -> predictions (rows, outputs) for the test rows of split after split; NaN where a cell failed."""
Record = dict[str, int]
"""Counts of what one verdict said, and under the same name with `_false` of what was false."""


def contestants_of(names: Sequence[str] | Mapping[str, str]) -> Contestants:
    """Approaches by their names, or by other names for them, and the constant predictor."""
    return choose_contestants(Options(approaches=names, effort=EFFORT).checked())


def setup_of(series: Series, run: Sequence[int], rows: int, *, twin: int = 0, positions: Sequence[tuple[Any, Any]] | None = None
             ) -> Setup:
    """The question asked of a run's table: so many rows, of which approaches see one twin's columns; `run` seeds the draw."""
    place = list(GENERATORS).index(series.generator)
    sample = series.of.draw(np.random.default_rng([place, int(series.is_regression), *run]), rows, series.is_regression)
    frame = pd.DataFrame({f"x{number}": sample.features[:, column] for number, column in enumerate(series.of.views[twin])})
    frame["y"] = sample.target if series.is_regression else np.where(sample.target, "yes", "no")
    options = Options(target="y", folds=FOLDS, repeats=1, seed=run[-1]).checked()
    return read_and_split(frame, options, make_display(quiet=True, to_json=False), positions).setup


def setup_of_run(series: Series, number: int, twin: int = 0) -> Setup:
    """What is asked in one run."""
    return setup_of(series, [1, number], ROWS, twin=twin)


def predictions_of(setup: Setup, sizes: Sequence[int]) -> np.ndarray:
    """What all approaches predict at these sizes, (approaches, sizes, rows, outputs) of `Cells`."""
    contestants, splits = contestants_of(APPROACHES), setup.splits.splits
    ends = np.cumsum([len(split.test) for split in splits])
    place = {split.name: slice(end - len(split.test), end) for split, end in zip(splits, ends, strict=True)}
    outputs = max(setup.task.n_classes, 1)
    made = np.full((len(contestants.names), len(sizes), ends[-1], outputs), np.nan, dtype=np.float32)
    for batch in plan_batches(setup, contestants, sizes, effort=EFFORT, device="cpu"):
        for cell, result in zip(batch.cells, execute(setup, batch), strict=True):
            if result.predictions is not None:
                where = contestants.names.index(cell.approach), list(sizes).index(cell.size), place[cell.repeat, cell.fold]
                made[where] = result.predictions.reshape(-1, outputs)
    return made


def fit_run(series: Series, number: int) -> dict[str, np.ndarray]:
    """The predictions of a run's contest and, of twins, at the full size of those who can't be better than its contestants."""
    setup = setup_of_run(series, number)
    made = {"contest": predictions_of(setup, SIZES)}
    if series.of.is_null:
        other, twin = (replace(each, seed=number + OTHER_SEED) for each in (setup, setup_of_run(series, number, 1)))
        if twin.splits_digest != setup.splits_digest:
            raise RuntimeError("twins must be trained and tested on the same rows")
        made |= {"seed": predictions_of(other, SIZES[1:]), "twin": predictions_of(twin, SIZES[1:])}
    return made


# ---------------------------------------------------------------------------------------------------------------- truth


@dataclass(frozen=True, eq=False)
class Truths:
    """What is true of a series, from fits on fresh sets of training rows that are tested on many rows.

    `losses` (sets, approaches, sizes); `by_rows` (sets, approaches, approaches): the variance from test row to test row of the
    difference of two approaches' losses, at the full size. Approaches are in listing order, the constant predictor among them.
    """

    losses: np.ndarray
    by_rows: np.ndarray

    @classmethod
    def measured(cls, series: Series, training_sets: int) -> Truths:
        """By so many fits of every approach at every size."""
        positions, losses, by_rows = [(np.arange(FULL), np.arange(FULL, FULL + TEST_ROWS))], [], []
        for number in range(training_sets):
            setup = setup_of(series, [2, number], FULL + TEST_ROWS, positions=positions)
            target, metric = setup.target[setup.splits.splits[0].test], METRICS.get(setup.task.metric)
            made = predictions_of(setup, SIZES).astype(np.float64)
            losses.append([[metric.loss(metric.score(target, as_given(each), None)) for each in of_sizes] for of_sizes in made])
            of_rows = np.array([row_losses(metric, target, of_sizes[-1]) for of_sizes in made])
            by_rows.append((of_rows[:, None] - of_rows).var(axis=-1, ddof=1))
        return cls(np.array(losses), np.array(by_rows))

    def expected(self) -> Truth:
        """The mean loss of every approach at every size."""
        means = self.losses.mean(axis=0)
        return {(name, size): float(means[at, place]) for at, name in enumerate(contestants_of(APPROACHES).names)
                for place, size in enumerate(SIZES)}

    def largest_error(self) -> float:
        """The largest standard error of an expected difference between two approaches, the constant predictor left out."""
        difference = self.losses[:, :, None] - self.losses[:, None]
        return float(np.std(difference[:, *_without_constant()], axis=0, ddof=1).max() / np.sqrt(len(self.losses)))

    def training_luck(self) -> np.ndarray:
        """For each pair at the full size the variance that a row causes by being trained on, in units of that by being tested.

        It is the k of `tabbench.verdict.variance.spread`.
        """
        by_row = self.by_rows.mean(axis=0)[_without_constant()]
        full = self.losses[..., -1]
        by_set = np.var(full[:, :, None] - full[:, None], axis=0, ddof=1)[_without_constant()]
        return np.asarray((by_set - by_row / TEST_ROWS) * FULL / by_row)


def _without_constant() -> tuple[np.ndarray, np.ndarray]:
    """The positions of every two approaches that are compared."""
    places = [at for at, name in enumerate(contestants_of(APPROACHES).names) if name != BASELINE]
    first, second = np.triu_indices(len(places), 1)
    return np.array(places)[first], np.array(places)[second]


def row_losses(metric: Metric, target: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Row-level losses (rows,) of predictions (rows, outputs)."""
    if metric.row_loss is None:
        raise ValueError(f"{metric.name} has no row-level losses")
    return np.asarray(metric.row_loss(target, as_given(made), None), dtype=np.float64)


def as_given(made: np.ndarray) -> np.ndarray:
    """Predictions (rows, outputs) as metrics take them: numbers (rows,), or probabilities as they are."""
    return made[:, 0] if made.shape[1] == 1 else made


# --------------------------------------------------------------------------------------------------------------- verdict


def judge_run(series: Series, number: int, made: Mapping[str, np.ndarray], truth: Truth) -> dict[str, Record]:
    """What was said of one run: "contest 1" with one split and so on, "seed mlp 1" of those who can't be better."""
    whole, names, records = setup_of_run(series, number), contestants_of(APPROACHES).names, {}
    cells = {(name, size): made["contest"][at, place] for at, name in enumerate(names) for place, size in enumerate(SIZES)}
    for count in CASES:
        setup = replace(whole, splits=whole.splits.first(count))
        records[f"contest {count}"] = _of_contest(setup, cells, truth)
        for kind in NULLS:
            for name in NULL_APPROACHES if kind in made else ():
                again = made[kind][names.index(name), 0]
                records[f"{kind} {name} {count}"] = _of_null(setup, name, cells[BASELINE, FULL], cells[name, FULL], again)
    return records


def _of_contest(setup: Setup, cells: Cells, truth: Truth) -> Record:
    evidence = evidence_of(setup, contestants_of(APPROACHES), cells)
    said = judge(evidence, seed=setup.seed, full_size=FULL)
    return of_pairs(said.pairs, evidence, truth) | of_winner(said.winners, truth) | of_sizes(said, truth)


def _of_null(setup: Setup, name: str, constant: np.ndarray, one: np.ndarray, other: np.ndarray) -> Record:
    again = f"{name} again"
    evidence = evidence_of(setup, contestants_of({name: name, again: name}),
                           {(BASELINE, FULL): constant, (name, FULL): one, (again, FULL): other})
    pairs = decide_pairs(evidence, seed=setup.seed, full_size=FULL).pairs
    return of_pairs(pairs, evidence, {(name, FULL): 0.0, (again, FULL): 0.0})


def evidence_of(setup: Setup, contestants: Contestants, cells: Cells) -> LossEvidence:
    """What the verdict on the setup's splits is made of; `cells` may go on with further splits."""
    entries, ends = contestants.entries(setup, EFFORT), np.cumsum([0, *(len(split.test) for split in setup.splits.splits)])

    def predict(name: str, size: int, index: int) -> np.ndarray | None:
        part = cells[name, size][ends[index]:ends[index + 1]]
        return None if np.isnan(part).any() else as_given(part)

    return build_evidence(
        Question(setup.task, setup.target, setup.splits), METRICS.get(setup.task.metric), predict, list(cells),
        approaches=contestants.names, families={each.name: each.family for each in entries},
        cost_ranks={each.name: each.cost_rank for each in entries},
        representatives=[each.name for each in entries if each.represents])


def of_pairs(pairs: pd.DataFrame, evidence: LossEvidence, truth: Truth) -> Record:
    """What was said of pairs at the full size; the constant predictor left out.

    A claim is false unless the truth is on its side, however near to nothing the true difference is.
    """
    pairs = pairs[pairs["size"].eq(FULL) & pairs["first"].ne(BASELINE) & pairs["second"].ne(BASELINE)]
    true = np.array([truth[row.first, FULL] - truth[row.second, FULL] for row in pairs.itertuples()])
    side = pairs["decision"].str.partition("_")[0].map({"first": -1, "second": 1}).fillna(0).to_numpy(dtype=np.int64)
    wrong, outside = (side != 0) & (side * true <= 0), (pairs["low"] > true) | (pairs["high"] < true)
    is_material, is_equal = pairs["decision"].str.endswith("materially").to_numpy(), pairs["decision"].eq("equal").to_numpy()
    is_small = np.abs(true) <= evidence.margin
    found = {
        "runs": 1, "runs_false": wrong.any(), "claims": np.sum(side != 0), "claims_false": wrong.sum(),
        "material": is_material.sum(), "material_false": np.sum(is_material & (wrong | is_small)),
        "equal": is_equal.sum(), "equal_false": np.sum(is_equal & ~is_small),
        "intervals": len(pairs), "intervals_false": outside.sum(), "runs_outside": outside.any(),
        "failed": sum(int(each.sum()) for each in evidence.imputed.values())}
    return {name: int(value) for name, value in found.items()}


def of_winner(winners: pd.DataFrame, truth: Truth) -> Record:
    """Whether somebody was named over all others at the full size, and is not the best."""
    row = winners.set_index("size").loc[FULL]
    best = min((name for name, size in truth if size == FULL), key=lambda name: truth[name, FULL])
    is_named = row["decision"] == "winner"
    return {"winners": int(is_named), "winners_false": int(is_named and row["best"] != best)}


def of_sizes(said: Judgement, truth: Truth) -> Record:
    """How often a representative was said to be ahead at all sizes, or to be overtaken."""
    found = dict.fromkeys(("steady", "steady_false", "crossed", "crossed_false"), 0)
    difference = said.pairs.set_index(["first", "second", "size"])["difference"]
    for row in said.crossovers.itertuples():
        name = {"none": "steady", "bracket": "crossed"}.get(row.kind)
        if name is not None:
            is_true = all(difference[row.first, row.second, size] * (truth[row.first, size] - truth[row.second, size]) > 0
                          for size in SIZES)
            found[name] += 1
            found[f"{name}_false"] += not is_true
    return found


# --------------------------------------------------------------------------------------------------------- what is kept


def measure(series: Series, runs: int, training_sets: int, folder: Path, jobs: int) -> tuple[Truths, list[dict[str, Record]]]:
    """The truth and the records of all runs of a series, from what is kept in the folder and what is missing there."""
    truths = Truths(**_kept_arrays(folder / f"{series.name}_truth_{training_sets}.{fitted_version()}.npz",
                                   lambda: vars(Truths.measured(series, training_sets))))
    files = [range(start, min(start + RUNS_A_FILE, runs)) for start in range(0, runs, RUNS_A_FILE)]
    with ProcessPoolExecutor(jobs) as children:
        return truths, [each for part in children.map(partial(_records, series, truths, folder), files) for each in part]


def _records(series: Series, truths: Truths, folder: Path, numbers: range) -> list[dict[str, Record]]:
    """Those of one file of runs."""
    stem, fitted = f"{series.name}_{numbers.start:05d}_{numbers.stop:05d}", fitted_version()
    of_truth = hashlib.sha256(truths.losses.tobytes()).hexdigest()[:8]
    path = folder / f"{stem}.{fitted}.{_version(JUDGED_BY, RECORD_NUMBER)}.{of_truth}.json"
    if not path.exists():
        truth, arrays = truths.expected(), _kept_arrays(folder / f"{stem}.{fitted}.npz", lambda: {
            f"{number} {kind}": made for number in numbers for kind, made in fit_run(series, number).items()})
        records = [judge_run(series, number, dict(_of_run(arrays, number)), truth) for number in numbers]
        _replace(path, lambda file: file.write(json.dumps(records).encode()))
    kept: list[dict[str, Record]] = json.loads(path.read_text())
    return kept


def _of_run(arrays: Mapping[str, np.ndarray], number: int) -> Iterator[tuple[str, np.ndarray]]:
    for name, made in arrays.items():
        if name.startswith(f"{number} "):
            yield name.partition(" ")[2], made


def _kept_arrays(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, np.ndarray]:
    if not path.exists():
        made = make()
        _replace(path, lambda file: np.savez(file, **made))
    with np.load(path) as stored:
        return dict(stored)


def _replace(path: Path, write: Callable[[Any], Any]) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("wb") as file:
        write(file)
    unfinished.replace(path)


def fitted_version() -> str:
    """Of all that predictions depend on: what was fitted in another version counts no more."""
    return _version(FITTED_BY, [EFFORT, ROWS, FOLDS, SIZES, TEST_ROWS, APPROACHES, sorted(versions().items()),
                                Path(__file__).with_name("calibration_tables.py").read_text()])


def _version(rooms: Sequence[str], more: object) -> str:
    root = Path(tabbench.__file__).parent
    sources = [path for room in rooms for path in (sorted((root / room).rglob("*.py")) or [root / room])]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources) + repr(more).encode()).hexdigest()[:8]


def metric_of(series: Series) -> str:
    """The metric that decides."""
    return METRICS_OF[series.task][0]
