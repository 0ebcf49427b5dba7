"""From a store's results to a verdict: which families were missing for lack of time, and what the sentence makes of it."""

import numpy as np
import pytest

from tabbench.comparison.assess import chosen, judge_run, missing_families, winner_of
from tabbench.comparison.run import Entry, Run
from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.limits import Limited
from tabbench.core.skip import Skip, SkipKind
from tabbench.report.as_json import to_json
from tabbench.store.database import Store
from tabbench.wording.limits import unjudged_sentence

FAMILIES = {"dummy": "baseline", "linear": "linear", "xgboost": "trees", "forest": "trees", "mlp": "net", "blend": "blend",
            "mine": "own"}
ENTRIES = tuple(Entry(name, family, 1, rank, name in ("linear", "xgboost", "mlp"), {})
                for rank, (name, family) in enumerate(FAMILIES.items()))
SIZES = (20, 60)


@pytest.mark.parametrize(("present", "skips", "missing"), [
    ("linear xgboost forest", [Skip("mlp", 60, SkipKind.TIME)], {"net": ["mlp"]}),
    ("linear xgboost forest", [Skip("mlp", 60, SkipKind.WAITING)], {"net": ["mlp"]}),
    ("linear xgboost forest", [Skip("mlp", 20, SkipKind.TIME)], {"net": ["mlp"]}),  # planned for no other size
    ("linear xgboost forest", [Skip("mlp", 60, SkipKind.LIBRARY, "the package torch is not installed")], {}),
    ("linear xgboost forest", [Skip("mlp", 60, SkipKind.MEMORY, "too little memory"), Skip("mlp", 80, SkipKind.TIME)], {}),
    ("linear xgboost forest", [Skip("mlp", 60, SkipKind.RACE, "stopped early for futility")], {}),
    ("linear xgboost forest", [], {}),  # nobody asked for a net
    ("linear mlp", [Skip("xgboost", 60, SkipKind.TIME), Skip("forest", 60, SkipKind.TIME)], {"trees": ["xgboost", "forest"]}),
    ("linear mlp", [Skip("xgboost", 60, SkipKind.LIBRARY, "absent"), Skip("forest", 60, SkipKind.TIME)], {"trees": ["forest"]}),
    ("linear mlp forest", [Skip("xgboost", 60, SkipKind.TIME)], {}),  # another of its family was run
    ("linear mlp", [Skip("xgboost", 60, SkipKind.TIME), Skip("forest", 60, SkipKind.RACE, "behind")], {}),
    ("linear xgboost mlp", [Skip(name, 60, SkipKind.TIME) for name in ("mine", "blend", "dummy")], {}),
])
def test_families_that_are_missing_for_lack_of_time(present, skips, missing):
    assert missing_families(ENTRIES, skips, ["dummy", *present.split()], 60) == missing


@pytest.fixture
def judged(small_setup, tmp_path):
    """Judges a run in which these approaches were run at both sizes, the first of them best, a constant worst."""

    def judged(names, planned, **changes):
        cells = [Cell("t", "k", "s", name, 1, {}, size, *split.name, 0, "cpu")
                 for name in planned for size in SIZES for split in small_setup.splits.splits]
        run = Run(small_setup, tuple(each for each in ENTRIES if each.name in planned), SIZES, 1.0, None, cells, **changes)
        with Store(tmp_path) as store:
            store.declare([Batch((cell,)) for cell in cells])
            store.put([Result(cell.key, "ok", predictions=predicted(cell, names.index(cell.approach)),
                              fit_seconds=0.0 if cell.approach == "dummy" else 2.0 - names.index(cell.approach))
                       for cell in cells if cell.approach in names])
            comparison = judge_run(run, store)
            assert winner_of(run, store) == chosen(comparison)["recommended"], "what is said of it in a tenth of the time"
            return comparison

    def predicted(cell, place):
        test = small_setup.split(cell.repeat, cell.fold).test
        wrong = 0.5 if cell.approach == "dummy" else 0.1 + 0.2 * place
        return np.where(small_setup.target[test][:, None] == np.arange(2), 1 - wrong, wrong).astype(np.float32)

    return judged


def test_a_net_that_was_not_run_leaves_linear_without_recommendation(judged):
    limited, skips = Limited(("2 of 3 repeats",), 170.0), [Skip("mlp", size, SkipKind.TIME) for size in SIZES]
    comparison = judged(["linear", "xgboost", "dummy"], ["dummy", "linear", "xgboost", "mlp"], skips=skips, limited=limited)
    assert comparison.sentence.startswith("No neural net was run, as the time limit was too short, so nothing is recommended")
    assert "(a recommendation takes about 3 minutes): on 120 rows linear is ahead of" in comparison.sentence
    assert comparison.sentence.endswith("; the time limit also cost 2 of 3 repeats.")
    assert list(comparison.winners["best"]) == ["linear", "linear"]
    values = to_json(comparison)
    assert [(row["decision"], row["recommended"]) for row in values["winners"]] == [("winner", None)] * 2
    assert values["cost_limits"] == []
    assert {row["approach"] for row in values["winner_map"]} == {None, "xgboost"}  # which is cheaper here than linear


def test_trees_are_recommended_over_a_net_that_was_not_run(judged):
    comparison = judged(["xgboost", "linear", "dummy"], ["dummy", "linear", "xgboost", "mlp"],
                        skips=[Skip("mlp", size, SkipKind.TIME) for size in SIZES], limited=Limited((), 170.0))
    assert comparison.sentence.startswith("No neural net was run, as the time limit was too short (about 3 minutes would do)")
    assert "): on 120 rows xgboost wins: log loss " in comparison.sentence
    assert list(comparison.winners["recommended"]) == ["xgboost", "xgboost"]


def test_what_waits_to_be_run_was_interrupted(judged):
    comparison = judged(["linear", "xgboost", "dummy"], ["dummy", "linear", "xgboost", "mlp"])
    assert comparison.sentence.startswith("No neural net was run, as the run was interrupted, so nothing is recommended")
    assert "(tabbench resume continues it): on 120 rows linear is ahead of the others" in comparison.sentence


def test_where_nobody_wanted_a_net_linear_is_recommended(judged):
    comparison = judged(["linear", "xgboost", "dummy"], ["dummy", "linear", "xgboost"])
    assert comparison.sentence.startswith("On 120 rows linear wins: ")
    assert list(comparison.winners["recommended"]) == ["linear", "linear"]
    assert list(comparison.cost_limits["recommended"]) == ["xgboost", None]
    assert set(comparison.winner_map["approach"]) == {"xgboost", "linear"}


def test_without_any_result_the_time_that_would_give_one_is_told(judged):
    limited = Limited(("every approach",), 100.0)
    comparison = judged([], ["dummy", "linear"], limited=limited)
    assert comparison.sentence == unjudged_sentence(limited)
