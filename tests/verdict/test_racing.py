"""Early stopping for futility: known curves with known luck, and how often the best at the full size is stopped."""

from dataclasses import replace

import numpy as np
import pytest

from tabbench.verdict.judge import judge
from tabbench.verdict.outcome import Outcome, Reach
from tabbench.verdict.racing import futile_approaches
from tabbench.verdict.winners import winners_frame

SIZES = (31, 62, 125, 250, 500, 960)
ROWS = 1200
STEPS = np.log2(np.array(SIZES) / SIZES[0])
"""Doublings since the smallest size."""
CONSTANT = 0.69


def curves_evidence(simulate, curves, *, seed=0, repeats=1, luck=0.25, failed=()):
    """Evidence of approaches whose true mean losses are `curves` (name -> loss at each size), and of a constant predictor.

    Rows have luck that all approaches share and a quarter as much of their own. Every fit has luck of its training rows,
    which shrinks with the size and is shared by nested sizes and, as far as training rows overlap, by splits.
    """
    random, splits, cells = np.random.default_rng([7, seed]), 5 * repeats, {}
    shared = luck * random.standard_normal(ROWS)
    for name, curve in {"dummy": np.full(len(SIZES), CONSTANT), **curves}.items():
        own, common, alone = 0.25 * luck * random.standard_normal(ROWS), 0.0, np.zeros(splits)
        for size, loss in zip(SIZES, curve, strict=True):
            common, alone = 0.7 * (common + random.standard_normal()), 0.7 * (alone + random.standard_normal(splits))
            overlap = size / ROWS
            of_fit = 0.5 * luck / np.sqrt(size) * (np.sqrt(overlap) * common + np.sqrt(1 - overlap) * alone)
            is_constant = name == "dummy"
            cells[name, size] = loss + np.zeros((splits, ROWS)) if is_constant else loss + (shared + own)[None] + of_fit[:, None]
    evidence = simulate.evidence_of(cells, seed=seed, repeats=repeats, margin=0.007)
    imputed = {cell: np.full(splits, cell in failed) for cell in cells}
    return replace(evidence, imputed=imputed)


def up_to(evidence, last, stopped):
    """What is known after a size; who was stopped has nothing beyond."""
    kept = {cell for cell in evidence.loss if cell[1] <= min(last, stopped.get(cell[0], last))}
    parts = {part: {cell: values for cell, values in getattr(evidence, part).items() if cell in kept}
             for part in ("loss", "row_loss", "imputed")}
    return replace(evidence, sizes=tuple(size for size in evidence.sizes if size <= last), **parts)


def raced(evidence):
    """Name -> the size after which it was stopped; and the evidence that is then left."""
    full_size, stopped = evidence.sizes[-1], {}
    for last in evidence.sizes[:-1]:
        behind = futile_approaches(up_to(evidence, last, stopped), full_size=full_size)
        stopped |= {name: why.size for name, why in behind.items()}
    return stopped, up_to(evidence, full_size, stopped)


def power(end, drop, rate):
    return end + drop * 2.0 ** (-rate * STEPS)


def logistic(end, middle, steepness=1.5):
    """From the constant predictor's loss down to `end`, half of the way after `middle` doublings."""
    return CONSTANT - (CONSTANT - end) / (1 + np.exp(-steepness * (STEPS - middle)))


GOOD, NEARLY, FLAT = power(0.30, 0.25, 0.8), power(0.31, 0.25, 0.8), power(0.55, 0.05, 1.0)


def test_who_has_fallen_behind_the_constant_predictor_may_do_anything(simulate):
    random = np.random.default_rng(0)
    own = {name: 0.02 * random.standard_normal(ROWS) for name in ("dummy", "good", "nearly", "late")}
    means = {"dummy": (0.69, 0.69), "good": (0.5, 0.45), "nearly": (0.51, 0.46), "late": (0.654, 0.701)}
    cells = {(name, size): own[name] + mean + np.zeros((5, ROWS)) for name, pair in means.items()
             for size, mean in zip((62, 125), pair, strict=True)}
    cells["late", 125] += np.array([0.06, -0.06, 0.06, -0.06, 0.0])[:, None]  # so that it may have fallen as well
    assert futile_approaches(simulate.evidence_of(cells, margin=0.007), full_size=960) == {}


def test_a_flat_curve_far_behind_is_stopped(simulate):
    evidence = curves_evidence(simulate, {"good": GOOD, "nearly": NEARLY, "flat": FLAT})
    stopped, left = raced(evidence)
    assert set(stopped) == {"flat"} and 62 <= stopped["flat"] <= 500
    why = futile_approaches(up_to(evidence, stopped["flat"], {}), full_size=960)["flat"]
    assert why.leader in ("good", "nearly") and why.gap - why.closing > evidence.margin
    assert why.gap < 0.9 * (evidence.mean("flat", why.size) - evidence.mean(why.leader, why.size))  # a lower bound
    assert why.size == stopped["flat"] and why.full_size == 960 and why.closing >= 0
    assert left.present(960) == ["dummy", "good", "nearly"]


def test_nobody_is_stopped_before_two_sizes_are_done(simulate):
    evidence = curves_evidence(simulate, {"good": GOOD, "nearly": NEARLY, "flat": FLAT}, luck=0.02)
    assert futile_approaches(up_to(evidence, 31, {}), full_size=960) == {}
    assert set(futile_approaches(up_to(evidence, 62, {}), full_size=125)) == {"flat"}


def test_two_contestants_are_always_left_and_the_constant_predictor(simulate):
    curves = {"good": GOOD, "flat": FLAT, "flatter": FLAT + 0.05}
    stopped, left = raced(curves_evidence(simulate, curves, luck=0.1))
    assert set(stopped) == {"flatter"} and left.present(960) == ["dummy", "good", "flat"]


@pytest.mark.parametrize("late", [
    logistic(0.25, middle=4.5, steepness=2.5),
    np.full(len(SIZES), CONSTANT + 0.01),
    np.array([0.60, 0.57, 0.60, 0.66, 0.60, 0.2]),
    power(0.10, 0.55, 0.35),
], ids=["wakes late", "never wakes", "peaks before it falls", "is slow"])
def test_a_curve_that_may_do_anything_goes_on(simulate, late):
    for seed in range(3):
        stopped, _ = raced(curves_evidence(simulate, {"good": GOOD, "nearly": NEARLY, "late": late}, seed=seed, luck=0.1))
        assert stopped == {}, seed


def test_what_failed_shows_no_curve(simulate):
    curves = {"good": GOOD, "nearly": NEARLY, "flat": FLAT}
    assert raced(curves_evidence(simulate, curves, luck=0.1, failed={("flat", 31)}))[0] == {}


def test_a_single_split_shows_too_little(simulate):
    evidence = curves_evidence(simulate, {"good": GOOD, "nearly": NEARLY, "flat": FLAT}, luck=0.1)
    first = evidence.split == 0
    single = replace(evidence, split=evidence.split[first], unit=evidence.unit[first],
                     loss={cell: each[:1] for cell, each in evidence.loss.items()},
                     row_loss={cell: each[first] for cell, each in evidence.row_loss.items()},
                     imputed={cell: each[:1] for cell, each in evidence.imputed.items()})
    assert raced(single)[0] == {}


def test_a_stopped_approach_leaves_the_headline_at_the_full_size_and_is_named(simulate):
    evidence = curves_evidence(simulate, {"good": GOOD, "nearly": NEARLY + 0.05, "flat": FLAT})
    stopped, left = raced(evidence)
    gone = [("flat", size) for size in SIZES if size > stopped["flat"]]
    judgement = judge(left, full_size=960, skipped=gone, stopped=gone)
    said = judgement.headline
    assert (said.outcome, said.best, said.rows, said.reach) == (Outcome.WINNER, "good", 1_200, Reach.FULL)
    assert said.stopped_early == ("flat",) and said.left_out == ()
    at_full = judgement.pairs[judgement.pairs["size"] == 960]
    assert "flat" not in {*at_full["first"], *at_full["second"]}
    not_said = judge(left, full_size=960, skipped=gone)
    assert not_said.headline.reach is not Reach.FULL and winners_frame(left, judgement.pairs)["best"].iloc[-1] == "good"


def random_curves(random, count):
    """Learning curves as they are met with: power laws of any end and rate, and logistic ones that wake at any size."""
    curves = {}
    for place in range(count):
        end = random.uniform(0.25, 0.60)
        if random.random() < 0.5:
            rate = random.uniform(0.2, 1.2)
            curves[f"power{place}"] = power(end, random.uniform(0.02, CONSTANT - end), rate)
        else:
            curves[f"logistic{place}"] = logistic(end, random.uniform(-2, 6), random.uniform(0.4, 2.5))
    return curves


@pytest.mark.usefixtures("few_draws")
def test_the_best_at_the_full_size_is_hardly_ever_stopped(simulate):
    runs, wrong, saved = 20, 0, 0
    for seed in range(runs):
        curves = random_curves(np.random.default_rng([8, seed]), 4)
        best = min(curves, key=lambda name, curves=curves: curves[name][-1])
        stopped, _ = raced(curves_evidence(simulate, curves, seed=seed, repeats=1 + 2 * (seed % 2)))
        wrong += best in stopped
        saved += len(stopped)
    assert wrong <= 0.05 * runs
    assert saved >= 0.2 * runs  # a race that never stops anybody would be safe as well


def twins_and_a_flat_one(simulate, seed, repeats=1):
    """Real fits: two least-squares fits on exchangeable columns, which no truth tells apart, and one that sees little."""
    random = np.random.default_rng([11, seed])
    features = random.standard_normal((600, 11))
    target = 0.8 * features.sum(axis=1) + 0.5 * random.standard_normal(600)
    columns = [np.arange(0), np.arange(5), np.arange(5, 10), np.array([10])]
    evidence = simulate.least_squares_evidence(
        features, target, columns, (30, 60, 120, 240, 480), simulate.random_folds(600, 5, repeats, seed))
    return replace(evidence, families=evidence.families | {"ols0": "baseline"}, margin=0.05)


@pytest.mark.usefixtures("few_draws")
def test_twins_are_told_apart_no_more_often_when_a_third_is_stopped_early(simulate):
    runs, false_claims, stops = 20, 0, 0
    for seed in range(runs):
        stopped, left = raced(twins_and_a_flat_one(simulate, seed, repeats=3))
        gone = [(name, size) for name, last in stopped.items() for size in left.sizes if size > last]
        pairs = judge(left, full_size=480, skipped=gone, stopped=gone).pairs
        twins = pairs[(pairs["first"] == "ols1") & (pairs["second"] == "ols2") & (pairs["size"] == 480)]
        false_claims += twins["decision"].iloc[0] not in ("equal", "undecided")
        stops += "ols3" in stopped
        assert not {"ols1", "ols2"} & set(stopped)
    assert false_claims <= 0.05 * runs + 2 * np.sqrt(0.05 * 0.95 * runs)
    assert stops >= 0.4 * runs


@pytest.mark.usefixtures("few_draws")
def test_least_squares_on_many_columns_is_not_stopped_before_it_overtakes(simulate):
    """Real fits with a closed form: twenty columns lose to five below about 95 rows and win beyond."""
    for seed in range(10):
        evidence, truth = simulate.crossing_pair(seed, repeats=1)
        assert truth < 300
        few = evidence.loss["ols0", evidence.sizes[0]]
        names = ("dummy", *evidence.approaches, "twin")
        random = np.random.default_rng(seed)
        parts = {part: dict(getattr(evidence, part)) for part in ("loss", "row_loss", "imputed")}
        for size in evidence.sizes:
            for part in parts.values():
                part["twin", size] = part["ols0", size]
            parts["row_loss"]["dummy", size] = 2.45 * random.chisquare(1, len(evidence.split))
            by_split = np.bincount(evidence.split, parts["row_loss"]["dummy", size])
            parts["loss"]["dummy", size] = by_split / np.bincount(evidence.split)
            parts["imputed"]["dummy", size] = np.zeros(len(few), dtype=bool)
        families = {**dict.fromkeys(names, "linear"), "dummy": "baseline"}
        with_twin = replace(evidence, approaches=names, families=families, cost_ranks=dict.fromkeys(names, 0), **parts)
        assert "ols1" not in raced(with_twin)[0]
