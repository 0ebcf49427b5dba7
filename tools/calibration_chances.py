"""Whether what is said to be likely comes true, and whether so many rows as are said to be needed decide.

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibration_chances.py --runs 300
    OMP_NUM_THREADS=1 .venv/bin/python tools/calibration_chances.py --real 10      real tables, too

Least squares on two sets of columns that differ in some, whose true losses are known in closed form, crossovers, twins, and real
tables. The judge's prior was chosen on other draws of the same kinds.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import calibration_real
import numpy as np
import pandas as pd
from calibration_fits import linear
from calibration_people import heavy, lognormal, normal, shocks
from calibration_runs import METRICS_OF, Series, as_table, draw, evidence_of, fit
from calibration_tables import Generator, Sample
from calibration_truth import known_truth

from tabbench.core.metric import METRICS
from tabbench.core.task import Task
from tabbench.splitting.splits import make_splits
from tabbench.verdict.evidence import LossEvidence, build_evidence
from tabbench.verdict.judge import decide_pairs
from tabbench.verdict.scoring import Question

INDEPENDENT = "least squares, independent columns"
FEWEST_ROWS, MOST_ROWS, MOST_COLUMNS, SPREAD_OF_SLOPES = 150, 1500, 24, 1.2
FIRST_RUN = 20_000
"""Runs are numbered from here on: none of them was looked at when the prior was chosen."""
ROWS_AGAIN = 20_000
"""Of a table that is drawn again; where more would be needed the forecast is left out."""
KNOWN = (Series("G2", "tree", "classification"), Series("G3", "tree", "regression"), Series("G4", "tree", "classification"),
         Series("G5", "tree", "regression"), Series("G6", "linear", "regression"), Series("G2", "linear", "classification"))
TWINS = (Series("G1", "linear", "regression"), Series("G1", "tree", "classification"))
HEAD = """
## Chances and rows needed

How often what was said came true: P(better), of both sides, and P(equivalent), the mean said and how often it came, for what
was said to be 0–10 % to 90–100 % likely; a dash where it was said fewer than thirty times. The prior and the usual error were
chosen on other draws of these kinds. It is measured anew, in some minutes on one core, by

    OMP_NUM_THREADS=1 .venv/bin/python tools/calibration_chances.py --runs {runs} --real {real}

| tables | differences | better, said/came % | equivalent, said/came % |
|---|---|---|---|
"""


@dataclass(frozen=True)
class World:
    """A table of least squares: its covariance (p, p), slopes, noise and the columns of two contestants."""

    covariance: np.ndarray
    slopes: np.ndarray
    noise: Callable[[np.random.Generator, int], tuple[np.ndarray, float]]
    columns: dict[str, np.ndarray]

    def loss(self, name: str, rows: int) -> float:
        """True RMSE after training on so many rows, of normal columns and with a fitted constant."""
        known, left = self.columns[name], np.setdiff1d(np.arange(len(self.slopes)), self.columns[name])
        within, across = self.covariance[np.ix_(known, known)], self.covariance[np.ix_(known, left)]
        unknown = self.covariance[np.ix_(left, left)] - across.T @ np.linalg.solve(within, across)
        variance = self.noise(np.random.default_rng(0), 1)[1] + self.slopes[left] @ unknown @ self.slopes[left]
        return float(np.sqrt(variance * (rows + 1) * (rows - 2) / (rows * (rows - len(known) - 2))))

    def evidence(self, seed: int, rows: int, repeats: int) -> LossEvidence:
        """What a comparison of the two sees, at the full size and half of it."""
        random = np.random.default_rng(seed)
        features = random.standard_normal((rows, len(self.slopes))) @ np.linalg.cholesky(self.covariance).T
        target = features @ self.slopes + self.noise(random, rows)[0]
        task = Task("regression", (), "rmse", ("rmse",))
        table = as_table(Sample(features, target), Generator("W", "", draw, ()))
        plan = make_splits(table, target, task, folds=5, repeats=repeats, seed=seed)[0]

        def predict(name: str, size: int, index: int) -> np.ndarray:
            train, test = plan.splits[index].train[:size], plan.splits[index].test
            columns = self.columns[name]
            return linear(features[train][:, columns], target[train], features[test][:, columns], True, 0)

        present = [(name, size) for name in self.columns for size in (plan.full_size // 2, plan.full_size)]
        return build_evidence(Question(task, target, plan), METRICS.get("rmse"), predict, present, approaches=list(self.columns),
                              families={name: name for name in self.columns}, cost_ranks=dict.fromkeys(self.columns, 0),
                              representatives=list(self.columns), margin=None)


NOISES = {INDEPENDENT: (normal, heavy, lognormal), "least squares, correlated columns": (normal, shocks(0.05))}


def world_of(kind: str, number: int) -> tuple[World, int, int]:
    """The world of a run, with its rows and repeats."""
    random = np.random.default_rng([number, zlib.crc32(kind.encode())])
    count = int(random.integers(4, MOST_COLUMNS + 1))
    slopes = random.standard_normal(count) * np.exp(random.normal(-2.0, SPREAD_OF_SLOPES, count))
    sees = np.tile(random.random(count) < 0.7, (2, 1))
    sees[1] ^= random.random(count) < random.uniform(0.1, 0.5)
    sees[:, 0], sees[:, 1] = True, (True, False)
    place = np.arange(count)
    memory = 0.0 if kind == INDEPENDENT else random.uniform(0.3, 0.9)
    noise = NOISES[kind][int(random.integers(len(NOISES[kind])))]
    rows = int(np.exp(random.uniform(np.log(FEWEST_ROWS), np.log(MOST_ROWS))))
    known = World(np.where(place[:, None] == place, 1.0, memory ** np.abs(place[:, None] - place)),
                  slopes * np.sqrt(noise(random, 1)[1]), noise, dict(zip("ab", map(np.flatnonzero, sees), strict=True)))
    return known, rows, int(random.choice([1, 3]))


@dataclass(frozen=True)
class Told:
    """P(first better, equivalent, second better) of a difference, and which of the three is true."""

    said: tuple[float, float, float]
    true: int


def told(row: pd.Series, margin: float, difference: float) -> Told:
    """What a row of `pairs` says, beside the true difference."""
    return Told((row["p_first"], row["p_equal"], row["p_second"]), int(difference > margin) + int(difference >= -margin))


def of_least_squares(kind: str, runs: int) -> list[Told]:
    """Both sizes of every run."""
    found = []
    for number in range(FIRST_RUN, FIRST_RUN + runs):
        world, rows, repeats = world_of(kind, number)
        evidence = world.evidence(number, rows, repeats)
        found += [told(row, evidence.margin, world.loss("a", row["size"]) - world.loss("b", row["size"]))
                  for _, row in decide_pairs(evidence).pairs.iterrows()]
    return found


def of_series(wanted: Sequence[Series], runs: int) -> list[Told]:
    """Every size of tables whose truth is known by brute force, or which are twins."""
    found = []
    for series in wanted:
        truth = known_truth(series)
        for number in range(FIRST_RUN, FIRST_RUN + runs):
            drawn, made = draw(series, number), fit(series, number)
            for metric in METRICS_OF[series.task]:
                evidence = evidence_of(drawn, made, metric)
                found += [told(row, evidence.margin, float(np.interp(row["size"], truth[metric]["sizes"],
                                                                     truth[metric]["difference"])))
                          for _, row in decide_pairs(evidence).pairs.iterrows() if np.isfinite(row["low"])]
    return found


def of_real_tables(runs: int) -> list[Told]:
    """All pairs of small learners at the full size."""
    found, names = [], list(calibration_real.LEARNERS)
    for pool in calibration_real.pools(None):
        means, _ = calibration_real.truth_of(pool, calibration_real.ROWS - calibration_real.ROWS // calibration_real.FOLDS)
        for number in range(FIRST_RUN, FIRST_RUN + runs):
            drawn = calibration_real.draw_of(pool, number, 1)
            for first, second in combinations(range(len(names)), 2):
                evidence = drawn.evidence((names[first], names[second]))
                found.append(told(decide_pairs(evidence).pairs.iloc[-1], evidence.margin, means[first] - means[second]))
    return found


def deciles(said: np.ndarray, came: np.ndarray) -> str:
    """Mean said and share that came true of each tenth, in per cent."""
    tenth, cells = np.minimum((said * 10).astype(int), 9), []
    for each in range(10):
        chosen = tenth == each
        cells.append("–" if chosen.sum() < 30 else f"{100 * said[chosen].mean():.0f}/{100 * came[chosen].mean():.0f}")
    return " · ".join(cells)


def line(title: str, found: Sequence[Told]) -> str:
    """A row of the Markdown table."""
    said, true = np.array([each.said for each in found]), np.array([each.true for each in found])
    sides = deciles(np.concatenate([said[:, 0], said[:, 2]]), np.concatenate([true == 0, true == 2]))
    return f"| {title} | {len(found):,} | {sides} | {deciles(said[:, 1], true == 1)} |"


def decided_again(kind: str, runs: int) -> tuple[int, int, int]:
    """Undecided differences, those of them with a number of rows needed that can be drawn, and those then decided."""
    undecided, drawn_again, decided = 0, 0, 0
    for number in range(FIRST_RUN, FIRST_RUN + runs):
        world, rows, repeats = world_of(kind, number)
        row = decide_pairs(world.evidence(number, rows, repeats), full_size=0).pairs.iloc[-1]
        if row["decision"] != "undecided":
            continue
        undecided += 1
        if row["rows_to_settle"] <= ROWS_AGAIN:
            drawn_again += 1
            again = world.evidence(number + runs, int(row["rows_to_settle"]), repeats)
            decided += decide_pairs(again, full_size=0).pairs.iloc[-1]["decision"] != "undecided"
    return undecided, drawn_again, decided


def kinds(runs: int, real: int) -> Iterator[tuple[str, Callable[[], list[Told]]]]:
    """What each kind of tables is called, and how it is measured."""
    for kind in NOISES:
        yield kind, partial(of_least_squares, kind, runs)
    yield "crossovers with known truth (G2 to G6)", partial(of_series, KNOWN, max(runs // 12, 1))
    yield "mirror twins (G1)", partial(of_series, TWINS, max(runs // 12, 1))
    if real:
        yield "real tables", partial(of_real_tables, real)


def lines(runs: int, real: int) -> Iterator[str]:
    """The section as it is measured."""
    yield from HEAD.format(runs=runs, real=real).splitlines()
    together = list[Told]()
    for title, measure in kinds(runs, real):
        found = measure()
        together += found
        yield line(title, found)
    yield line("all", together)
    yield ""
    for kind in NOISES:
        undecided, again, decided = decided_again(kind, runs)
        yield (f"Rows needed, {kind}: of {undecided} undecided differences {again} have a number of rows up to {ROWS_AGAIN:,}; "
               f"drawn again with so many, {decided} are decided ({100 * decided / max(again, 1):.0f} %).")


def measure_chances(runs: int, real: int) -> str:
    """The section of docs/calibration.md."""
    return "\n".join(lines(runs, real)) + "\n"


def main() -> None:
    """Print the section line by line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--real", type=int, default=0, help="draws of each real table; 0 for none")
    options = parser.parse_args()
    for each in lines(options.runs, options.real):
        print(each, flush=True)


if __name__ == "__main__":
    main()
