"""A made-up comparison, close to what a real run gives, and a hostile one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import simulated_suites

from tabbench.core.comparison import COLUMNS, Comparison

NAMES = ("dummy", "linear", "linear+forest", "linear+pca", "forest", "xgboost", "lightgbm", "boosting", "mlp")
FAMILY_OF = {"dummy": "baseline", "mlp": "net", "linear": "linear", "linear+forest": "linear", "linear+pca": "linear"}
SIZES = (100, 200, 400, 800, 1600, 3200, 5634)
FLOOR = {"dummy": 0.579, "linear": 0.4185, "linear+forest": 0.4195, "linear+pca": 0.426, "forest": 0.423, "xgboost": 0.4075,
         "lightgbm": 0.4080, "boosting": 0.4045, "mlp": 0.4165}
SLOPE = {"dummy": 0.02, "linear": 0.55, "linear+forest": 0.5, "linear+pca": 0.6, "forest": 1.1, "xgboost": 1.5, "lightgbm": 1.6,
         "boosting": 1.4, "mlp": 1.3}
SECONDS = {"dummy": 0.002, "linear": 0.4, "linear+forest": 2.1, "linear+pca": 0.7, "forest": 1.6, "xgboost": 2.4, "lightgbm": 1.9,
           "boosting": 6.5, "mlp": 9.8}
MARGIN = 0.0055
COLUMNS_READ = [
    ("Churn", "target", "boolean", [["Yes", "Yes"], ["No", "No"]], 0, "", False, [5174, 1869]),
    ("MonthlyCharges", "feature", "number", [["1.234,50", "1234.5"], ["ill", "missing"]], 11, "1 cell counts as missing", True,
     [4, 12, 1, 0]),
    ("remark", "left out", "text", [], 0, "", False, [])]

HOSTILE = (
    "dummy",
    "</script><img src=http://evil.example/x onerror=alert(1)>",
    "=HYPERLINK(\"http://evil.example\")",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\u202eabc\u0000",
    "pipe|`tick`*star*_under_[link](javascript:alert(1))\nnext $x^2$",
    "🦊 näme 漢字",
    "n" * 2500 + "m" * 2500,
    "plain-one",
    "[bold]markup[/bold]",
)

TUNED = [("linear", 5634, 0, fold, {"C": c}, "tabbench.compare(data, 'Churn', approaches='linear', sizes=[5634])")
         for fold, c in enumerate((0.1, 0.1, 1.0))]


def decide(low: float, high: float) -> str:
    if low > MARGIN or high < -MARGIN:
        return "second_materially" if low > 0 else "first_materially"
    if low > 0 or high < 0:
        return "second" if low > 0 else "first"
    return "equal" if low >= -MARGIN and high <= MARGIN else "undecided"


def losses(names: tuple[str, ...], size: int, generator: np.random.Generator) -> dict[str, float]:
    known = [name if name in FLOOR else NAMES[place % len(NAMES)] for place, name in enumerate(names)]
    return {name: FLOOR[like] + SLOPE[like] / size**0.72 + generator.normal(0, 0.0006)
            for name, like in zip(names, known, strict=True)}


def pair_records(names: tuple[str, ...], size: int, loss: dict[str, float]) -> list[dict[str, object]]:
    records = []
    for first, second in combinations(names, 2):
        difference = loss[first] - loss[second]
        half = (0.004 + 0.06 / size**0.5) * (2 if "dummy" in (first, second) else 1)
        records.append({"first": first, "second": second, "size": size, "difference": difference, "low": difference - half,
                        "high": difference + half, "decision": decide(difference - half, difference + half)})
    return records


def winner_record(names: tuple[str, ...], size: int, loss: dict[str, float], pairs: list[dict[str, object]]) -> dict[str, object]:
    beaten = {pair["second" if str(pair["decision"]).startswith("first") else "first"] for pair in pairs
              if str(pair["decision"])[:5] in ("first", "secon")}
    top = sorted((name for name in names if name not in beaten), key=loss.__getitem__)
    return {"size": size, "decision": "winner" if len(top) == 1 else "top_set", "approaches": top, "best": top[0],
            "recommended": (recommended := next(name for name in names if name in top)),
            "regret": loss[recommended] - loss[top[0]], "regret_bound": 2 * (loss[recommended] - loss[top[0]])}


def training_record(name: str, size: int, epochs: int = 12) -> tuple[object, ...]:
    """What a fit of nets leaves to look at; a rate of zero and an undefined norm come last."""
    curves = {"epoch": list(range(1, epochs + 1)), "training_loss": [0.7 / epoch + 0.1 for epoch in range(1, epochs + 1)],
              "validation_loss": [0.6 / epoch + 0.2 for epoch in range(1, epochs + 1)],
              "learning_rate": [0.05 * (1 - epoch / epochs) for epoch in range(1, epochs + 1)],
              "gradient_norm": [*(1.0 / epoch for epoch in range(1, epochs)), None]}
    layer = {"low": -0.3, "high": 0.4, "counts": [0, 3, 40, 900, 80, 0, 1], "spread": 0.11, "dead_share": 0.25,
             "update_ratio": 0.003}
    return (name, size, 0, 2, 5, [9, 10, 8, 11, 9], curves, [layer, layer | {"dead_share": None, "update_ratio": None}])


def extrapolation_records(names: tuple[str, ...], size: int) -> list[tuple[object, ...]]:
    """A pair with a guess, and one that was refused."""
    guess = [(names[1], names[-1], size, factor, 0.004 * factor, -0.01, 0.02, names[1], chance, size * 1.5, None, None, 0.8, 0.2,
              "") for factor, chance in ((2, 0.05), (4, 0.3))]
    reason = "4 sizes were run, and a curve needs 5"
    return guess + [(names[-1], names[-2], size, factor, *[None] * 10, reason) for factor in (2, 4)]


def flip_records(names: tuple[str, ...], sizes: tuple[int, ...]) -> dict[str, list[tuple[object, ...]]]:
    """The sensitivity analysis: two other metrics, one change of the data, limits, a map of two budgets."""
    second, last, size = names[1], names[-1], sizes[-1]
    return {
        "what_if": [
            ("metric", "auc", "judged by AUC", size, "top_set", [last, second], last, second, False, False,
             f"Judged by AUC, no single approach wins ({last} and {second} are not separated)."),
            ("metric", "accuracy", "judged by accuracy", size, "winner", [second], second, second, True, False,
             f"Judged by accuracy, {second} wins instead of {last}."),
            ("without", "tenure", "without `tenure`", size, "winner", [second], second, second, True, False,
             f"Without `tenure`, {second} wins instead of {last}."),
            ("in-time-by", "", "split forward in time", None, None, [], None, None, None, None,
             "Split forward in time: not answered, since no column holds dates.")],
        "cost_limits": [
            ("fit_seconds", 6.5, 0.41, size, "winner", [second], second,
             f"With less than 6.5 s to train, {second} is the one to take."),
            ("fit_seconds", 0.41, None, size, "none", [], None,
             "With less than 0.41 s to train, nothing is left but a constant prediction.")],
        "winner_map": [record for place, each in enumerate(sizes) for record in (
            (each, 1.0, second if place else None, sizes[0] if place else None, "winner" if place else "none",
             [second] if place else []),
            (each, 10.0, last, each, "top_set", [last, second]))],
    }


def build(names: tuple[str, ...] = NAMES, sizes: tuple[int, ...] = SIZES, *, seed: int = 0, higher: bool = False) -> Comparison:
    generator = np.random.default_rng(seed)
    metric = "accuracy" if higher else "log_loss"
    scores, winners, pairs, costs = [], [], [], []
    for size in sizes:
        loss = losses(names, size, generator)
        for place, (name, value) in enumerate(loss.items()):
            half = 0.006 + 0.2 / size**0.5
            mean = 1 - value if higher else value
            scores.append((name, size, metric, mean, mean - half, mean + half, 10, int(name == "mlp" and size == sizes[-1])))
            scores.append((name, size, "auc", None if "dummy" in name else 1.2 - value, None, None, 10, 0))
            seconds = SECONDS[NAMES[place % len(NAMES)]] * (size / 1000) ** 0.9
            costs.append((name, size, seconds, None if place == 3 else 0.5 + 3 * place, 180 + 9 * place, 250.0))
        here = pair_records(names, size, loss)
        pairs += here
        winners.append(winner_record(names, size, loss, here))
    last = names[-1]
    start, middle = sizes[:2][-1], sizes[len(sizes) // 2]
    crossings = [(names[1], names[-2], "bracket", float(start), float(middle), start * 1.6),
                 (names[1], last, "open", float(middle), None, None), (names[-2], last, "none", None, None, None)]
    crossings = crossings if len(sizes) > 1 else []
    frames = {
        "approaches": [(name, FAMILY_OF.get(name, "trees"), 1, {"work": {"rounds": 200, "folds": [1, 2]}, "grid": "C × {l1, l2}"})
                       for name in names],
        "scores": scores, "winners": winners, "pairs": pairs, "costs": costs, "crossovers": crossings,
        "findings": [
            ("possible-leak", "warn", "TotalCharges", "TotalCharges alone predicts the target nearly as well as all columns.",
             "Drop it with --drop TotalCharges if it is known only after the fact.", True),
            ("constant-column", "info", "Country", "Country has one value and was left out.", "", False)],
        "incidents": [(last, sizes[-1], 0, 2, "O02", "net 2, epoch 7", "loss inf", "the learning rate is too high",
                       "went back to epoch 6 with half the rate", "training went on")],
        "training": [training_record(last, sizes[-1])],
        "failures": [(last, sizes[-1], 0, 3, "timed_out", "no end after 10 minutes")],
        "skipped": [("catboost", None, "the package catboost is not installed; pip install catboost")],
        "cost_crossovers": [(names[1], last, "none", None, None, None)],
        "other_crossovers": [(names[0], names[1], "open", float(start), None, start * 1.6, names[0], names[1]),
                             (names[0], last, "none", None, None, None, last, last)],
        "family_crossovers": [("linear", "trees", "bracket", float(start), float(middle), start * 1.6, "linear", "trees"),
                              ("linear", "net", "none", None, None, None, "net", "net")],
        "budget_crossovers": [(names[1], last, "bracket", 0.5, 3.0, 2.04, names[1], last)],
        "extrapolation": extrapolation_records(names, sizes[-1]),
        "extrapolated_scores": [(name, factor * sizes[-1], 0.39, 0.37, 0.42) for name in (names[1], last) for factor in (2, 4)],
        "selection": [(names[-1], size, 4.5 - place / 10, 0.71, [{"feature": "tenure", "share_of_splits": 1.0},
                                                                {"feature": "Contract", "share_of_splits": 0.9}],
                       names[1], "helps" if place < 2 else "undecided") for place, size in enumerate(sizes)]
        + [(name, sizes[-1], None, None, [], names[1], "equal") for name in names[3:4]],
    }
    frames |= flip_records(names, sizes)
    return Comparison(
        table={"name": "churn", "rows": 7043, "columns": 20, "target": "Churn", "task": "binary", "fingerprint": "5f0c2ab19d",
               "classes": ["No", "Yes"]},
        protocol={"metric": metric, "direction": "higher" if higher else "lower", "sizes": list(sizes), "folds": 5, "repeats": 2,
                  "margin": MARGIN, "alpha": 0.05, "seed": 0, "preset": "fast", "effort": 0.1, "number": 1,
                  "split_kind": "stratified"},
        sentence="On these 7,043 rows boosting wins: its log loss is lower than that of every other approach. With fewer than "
                 "about 320 rows the linear model is as good or better, and it trains in a tenth of the time.",
        timing={"wall_seconds": 83.4, "cpu_seconds": 151.0},
        reading=("churn.csv: comma, utf-8, 7,043 rows", "20 columns: 3 numbers, 16 categories, 1 text"),
        columns=pd.DataFrame(COLUMNS_READ, columns=list(COLUMNS["columns"])),
        tuned=pd.DataFrame(TUNED, columns=list(COLUMNS["tuned"])),
        **{name: pd.DataFrame(records, columns=list(COLUMNS[name])) for name, records in frames.items()},
    )


def build_hostile() -> Comparison:
    """Every text that comes from a table or a user is an attack."""
    base = build(HOSTILE)
    attack = HOSTILE[1] + HOSTILE[3] + HOSTILE[4]
    findings = pd.DataFrame([("odd-name", "warn", attack, attack, attack, False)], columns=list(COLUMNS["findings"]))
    incidents = pd.DataFrame([(HOSTILE[1], 100, 0, 0, attack, f"{attack}epoch 3", attack, attack, attack, attack)],
                             columns=list(COLUMNS["incidents"]))
    selection = base.selection.copy()
    selection["chosen"] = [[{"feature": attack, "share_of_splits": 1.0}]] * len(selection)
    failures = pd.DataFrame([(HOSTILE[1], 100, 0, 0, "failed", attack)], columns=list(COLUMNS["failures"]))
    return replace(base, table={**base.table, "name": attack + "lone\ud800surrogate", "target": HOSTILE[6]},
                   sentence=attack + "\ud800", reading=(attack,),
                   findings=findings, failures=failures, selection=selection, incidents=incidents,
                   training=pd.DataFrame([training_record(HOSTILE[1], 100)], columns=list(COLUMNS["training"])))


def build_empty() -> Comparison:
    """A run in which no cell succeeded: every frame is empty but the approaches and the failures."""
    base = build()
    kept = ("approaches", "failures", "skipped")
    empty = {name: pd.DataFrame(columns=list(COLUMNS[name])) for name in COLUMNS if name not in kept}
    return replace(base, **empty, sentence="Nothing could be trained.")


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    return build()


@pytest.fixture(scope="session")
def hostile() -> Comparison:
    return build_hostile()


@pytest.fixture(scope="session")
def nothing() -> Comparison:
    return build_empty()


@pytest.fixture(scope="session")
def make() -> Callable[..., Comparison]:
    return build


# a made-up suite ------------------------------------------------------------------------------------------------------

TABLES = 9



@pytest.fixture(scope="session")
def suite():
    """Nine tables at two sizes, with a failure, a table that was not run, and names that are markup."""
    trees = [0.4 + 0.002 * table for table in range(TABLES)]
    means = {"dummy": [1.0] * TABLES, "linear": [0.5 + 0.001 * table for table in range(TABLES)], "lightgbm": trees,
             "mlp": [mean + (0.001 if table % 2 else -0.001) for table, mean in enumerate(trees)]}
    names = ["<i>first</i>", "a|b", "100% & more_", *(f"table {number}" for number in range(3, TABLES))]
    return simulated_suites.suite_of(means, failed=[("mlp", 2)], absent=1, names=names)


@pytest.fixture(scope="session")
def tiny():
    """One table, one size, two approaches: nearly nothing can be said or drawn."""
    return simulated_suites.suite_of({"dummy": [1.0], "own": [0.5]}, sizes=(100,), splits=1)
