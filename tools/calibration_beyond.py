"""How good the guesses of `--extrapolate` are: the true difference at twice and four times the rows, known by brute force."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from calibration_rates import SURE
from calibration_runs import METRICS_OF, RUNS_A_FILE, Series, draw, evidence_of, keep_predictions, kept
from calibration_truth import brute_force

from tabbench.verdict.evidence import LossEvidence
from tabbench.verdict.extrapolation import FACTORS, extrapolate

FOLLOWED = (Series("G2", "linear", "regression"), Series("G2", "linear", "classification"), Series("G4", "tree", "regression"),
            Series("G4", "tree", "classification"), Series("G5", "tree", "regression"))

HEAD = """
## More rows, guessed

What `--extrapolate` said of twice and four times the full size, in {runs} runs. *refused*: no guess was made. *held*: its 95 %
interval held the true difference. *said*, *came*: the mean probability that who is behind will overtake, and how often it does.

| table | learner | metric | factor | refused | held | said | came |
|---|---|---|---|---|---|---|---|"""


def measure_guesses(runs: int, folder: Path, version: str) -> str:
    """The table, from what is kept in the folder and what is missing there."""
    lines = [HEAD.format(runs=runs)]
    for series in FOLLOWED:
        path = folder / f"beyond_{series.name}_{runs}.{version}.json"
        if not path.exists():
            path.write_text(json.dumps(guesses(series, runs, folder)))
        lines += [f"| {series.generator} | {series.learner} | {metric} | {factor}× | {' | '.join(_cells(rows))} |"
                  for metric, by_factor in json.loads(path.read_text()).items() for factor, rows in by_factor.items()]
    return "\n".join(lines) + "\n"


def guesses(series: Series, runs: int, folder: Path) -> dict[str, dict[int, list[list[float]]]]:
    """metric -> factor -> a row for each run: whether its interval held, what it said, what came; NaN where it was refused."""
    full = max(draw(series, 0).sizes)
    truth = brute_force(series, [factor * full for factor in FACTORS])
    found: dict[str, dict[int, list[list[float]]]] = {metric: {factor: [] for factor in FACTORS}
                                                      for metric in METRICS_OF[series.task]}
    for start in range(0, runs, RUNS_A_FILE):
        keep_predictions(series, start, folder)
        for number, made in kept(series, start, folder):
            drawn = draw(series, number)
            for metric, by_factor in found.items():
                for factor, row in _guessed(evidence_of(drawn, made, metric), truth[metric], number).items():
                    by_factor[factor].append(row)
    return found


def _guessed(evidence: LossEvidence, truth: dict[str, list[float]], seed: int) -> dict[int, list[float]]:
    rows = {}
    pairs = extrapolate(evidence, seed=seed).pairs
    for place, row in enumerate(pairs.to_dict("records")):
        true, slack = truth["difference"][place], SURE * truth["standard_error"][place]
        is_refused = row["refusal"] is not None
        is_overtaken = (true < 0) == (row["behind"] == row["first"])
        rows[row["factor"]] = [np.nan] * 3 if is_refused else [
            float(row["low"] - slack <= true <= row["high"] + slack), row["p_overtakes"], float(is_overtaken)]
    return rows


def _cells(rows: list[list[float]]) -> list[str]:
    values = np.array(rows, dtype=np.float64)
    is_known = ~np.isnan(values[:, 0])
    cells = [f"{100 * (1 - is_known.mean()):.0f} %"]
    if not is_known.any():
        return [*cells, "–", "–", "–"]
    held, said, came = values[is_known].mean(axis=0)
    error = np.sqrt(held * (1 - held) / is_known.sum())
    return [*cells, f"{100 * held:.1f} ± {100 * error:.1f}", f"{100 * said:.0f} %", f"{100 * came:.0f} %"]
