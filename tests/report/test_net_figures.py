import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.report import render
from tabbench.report.net_figures import caption, training_curves, weight_histograms

SVG = "{http://www.w3.org/2000/svg}"


def record_of(comparison: Comparison, **changes: Any) -> dict[Any, Any]:
    return comparison.training.to_dict("records")[0] | changes


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def lines(svg: str) -> int:
    return len(re.findall(r'<g id="[^"]*line2d', svg))


@pytest.mark.parametrize("draw", [training_curves, weight_histograms])
def test_a_figure_is_an_element_without_fixed_colours_scripts_or_metadata(draw: Any, hostile: Comparison) -> None:
    svg = draw(hostile, record_of(hostile), "some-name")
    assert svg.startswith('<svg class="figure-some-name"')
    assert not re.search(r"#0a[0-9a-f]{2}b1", svg)
    for unwanted in ("<script", "<metadata", "<style", "font-family", "<img", "@@"):
        assert unwanted not in svg
    ElementTree.fromstring(svg)


def test_curves_incidents_and_best_epoch_are_in_the_figure(comparison: Comparison) -> None:
    record = record_of(comparison)
    svg = training_curves(comparison, record, "t")
    assert {"loss", "learning rate", "gradient norm", "training", "validation", "epoch"} <= set(texts(svg))
    assert texts(svg).count("O02") == 3
    assert "var(--warn)" in svg
    quiet = replace(comparison, incidents=comparison.incidents.iloc[:0])
    assert "O02" not in texts(training_curves(quiet, record, "t"))
    assert lines(svg) == lines(training_curves(quiet, record, "t")) + 3
    assert lines(svg) == lines(training_curves(comparison, record | {"best_epochs": [0]}, "t")) + 3


def test_only_incidents_of_this_very_fit_are_marked(comparison: Comparison) -> None:
    others = comparison.incidents.assign(fold=3)
    assert "O02" not in texts(training_curves(replace(comparison, incidents=others), record_of(comparison), "t"))


def test_incidents_of_one_epoch_are_counted_and_neighbours_do_not_cover_each_other(comparison: Comparison) -> None:
    one = comparison.incidents.iloc[0].to_dict()
    many = [one | {"where": f"net {net}, epoch {epoch}"} for epoch in range(1, 13) for net in (1, 2)]
    crowd = replace(comparison, incidents=pd.DataFrame([*many, one | {"where": "before training"}],
                                                             columns=list(COLUMNS["incidents"])))
    shown = texts(training_curves(crowd, record_of(comparison), "t"))
    assert 3 <= shown.count("O02 ×2") <= 36


@pytest.mark.parametrize("values", [[None] * 12, [0.0] * 12, [-1.0] * 12, [1e30, *[0.5] * 11], [0.5, *[None] * 11]])
def test_odd_curves_are_drawn(comparison: Comparison, values: list[float | None]) -> None:
    curves = record_of(comparison)["curves"] | dict.fromkeys(("training_loss", "gradient_norm", "learning_rate"), values)
    assert "validation" in texts(training_curves(comparison, record_of(comparison, curves=curves), "t"))


def test_nothing_trained_draws_nothing(comparison: Comparison) -> None:
    record = record_of(comparison, curves={}, layers=[])
    assert training_curves(comparison, record, "t") == weight_histograms(comparison, record, "t") == ""
    shown = replace(comparison, training=pd.DataFrame([record], columns=list(COLUMNS["training"])))
    assert "Training of mlp" not in render(shown, "html")


def test_layers_tell_spread_dead_units_and_updates(comparison: Comparison) -> None:
    shown = texts(weight_histograms(comparison, record_of(comparison), "w"))
    assert {"layer 1", "layer 2 (output)", "spread 0.11 · 25% dead · update 0.003", "spread 0.11"} <= set(shown)


def test_equal_weights_have_a_histogram_too(comparison: Comparison) -> None:
    layer = record_of(comparison)["layers"][0] | {"low": 0.0, "high": 0.0, "spread": 0.0}
    assert "layer 1" in texts(weight_histograms(comparison, record_of(comparison, layers=[layer]), "w"))


def test_the_caption_names_the_fit(comparison: Comparison) -> None:
    assert caption(record_of(comparison)) == "One fit of many: 5,634 training rows, repeat 1, fold 3; medians over 5 nets."
    assert caption(record_of(comparison, nets=1)).endswith("; one net.")
