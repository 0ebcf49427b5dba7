import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.report.figures import difference_to_best, score_by_size, time_and_score

Draw = Callable[[Comparison], str]
FIGURES = (score_by_size, difference_to_best, time_and_score)
MANY = ("dummy", *(f"approach-{place}" for place in range(12)))


def texts(svg: str) -> set[str]:
    return {"".join(element.itertext()) for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize("draw", FIGURES)
@pytest.mark.parametrize("shape", ["usual", "twelve sizes, thirteen approaches", "higher is better", "one approach and dummy"])
def test_every_figure_names_every_approach(draw: Draw, shape: str, make: Callable[..., Comparison]) -> None:
    comparison = {
        "usual": make,
        "twelve sizes, thirteen approaches": lambda: make(MANY, tuple(50 * 2**power for power in range(12))),
        "higher is better": lambda: make(higher=True),
        "one approach and dummy": lambda: make(("dummy", "linear", "boosting")),
    }[shape]()
    shown = " ".join(texts(draw(comparison)))
    assert all(name in shown for name in comparison.approaches["name"])


@pytest.mark.parametrize("draw", FIGURES)
def test_a_figure_is_an_element_without_fixed_colours_scripts_or_metadata(draw: Draw, hostile: Comparison) -> None:
    svg = draw(hostile)
    assert svg.startswith("<svg ")
    assert not re.search(r"#0a[0-9a-f]{2}b1", svg)
    assert "var(--" in svg
    for unwanted in ("<script", "<metadata", "<style", "font-family", "<img", "@@"):
        assert unwanted not in svg
    ElementTree.fromstring(svg)


def test_the_crossing_is_marked(comparison: Comparison) -> None:
    svg = score_by_size(comparison)
    assert "linear × boosting" in texts(svg)
    assert "boosting × mlp" not in texts(svg)


def test_one_size_makes_no_curve_but_the_other_figures(make: Callable[..., Comparison]) -> None:
    one = make(sizes=(600,))
    assert score_by_size(one) == ""
    assert difference_to_best(one)
    assert time_and_score(one)


@pytest.mark.parametrize("draw", FIGURES)
def test_nothing_scored_draws_nothing(draw: Draw, nothing: Comparison) -> None:
    assert draw(nothing) == ""


@pytest.mark.parametrize("draw", FIGURES)
def test_gaps_are_left_out(draw: Draw, comparison: Comparison) -> None:
    scores = comparison.scores.astype({"mean": "float64", "low": "float64", "high": "float64"})
    scores.loc[scores["approach"] == "forest", ["mean", "low", "high"]] = None
    scores.loc[scores["approach"] == "linear", ["low", "high"]] = None
    pairs = comparison.pairs.astype({"low": "float64"})
    pairs.loc[pairs["first"] == "mlp", "low"] = None
    costs = pd.DataFrame(columns=list(COLUMNS["costs"])) if draw is not time_and_score else comparison.costs
    svg = draw(replace(comparison, scores=scores, pairs=pairs, costs=costs))
    assert "linear" in " ".join(texts(svg))


def test_an_approach_far_behind_the_constant_predictor_does_not_flatten_the_others(comparison: Comparison) -> None:
    scores = comparison.scores.astype({"mean": "float64"})
    scores.loc[(scores["approach"] == "mlp") & (scores["metric"] == "log_loss"), "mean"] = 40.0
    shown = " ".join(texts(score_by_size(replace(comparison, scores=scores))))
    assert "mlp 40.0000 ↑" in shown
    assert "40" not in {text for text in texts(score_by_size(replace(comparison, scores=scores))) if "mlp" not in text}
