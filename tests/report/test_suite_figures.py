"""Every figure of a suite: what it shows, that it is safe and the same again, and that there is none of nothing."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tabbench.report.suite_cost_and_rank import cost_and_rank
from tabbench.report.suite_critical_difference import critical_difference
from tabbench.report.suite_crossings import crossing_figures
from tabbench.report.suite_ranks_by_size import ranks_by_size

FIGURES = {"ranks": ranks_by_size, "critical": critical_difference, "costs": cost_and_rank,
           "crossings": lambda result: "".join(figure for _, figure in crossing_figures(result))}


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_well_formed_and_the_same_again(suite, name):
    svg = FIGURES[name](suite)
    assert ElementTree.fromstring(f"<div>{svg}</div>").find(".//{*}svg") is not None
    assert svg == FIGURES[name](suite)


@pytest.mark.parametrize("name", ["ranks", "critical", "costs"])
def test_every_approach_is_named(suite, name):
    shown = " ".join(texts(FIGURES[name](suite)))
    assert all(approach in shown for approach in suite.families)


def test_ranks_by_size_has_a_place_for_each_bucket(suite, tiny):
    shown = texts(ranks_by_size(suite))
    assert {"up to 500 rows", "501 to 2,000 rows"} <= set(shown)
    assert ranks_by_size(tiny) == ""


def test_the_critical_difference_diagram_has_a_bar_for_each_clique(suite):
    def bars(result):
        return critical_difference(result).count("stroke-width: 3.2")

    assert bars(suite) == len(suite.cliques[suite.cliques["bucket"] == "all"]) > 0
    assert bars(replace(suite, cliques=suite.cliques[:0])) == 0
    assert critical_difference(replace(suite, ranks=suite.ranks[:0])) == ""


def test_every_table_is_a_bar_of_the_crossings_and_its_name_harmless(suite):
    (title, figure), *more = crossing_figures(suite)
    assert title == "From linear to trees"
    assert more == [], "no net was followed"
    shown = texts(figure)
    assert "&lt;i&gt;first&lt;/i&gt;" in shown
    assert shown.count("linear, then trees") == shown.count("undecided") == 3
    assert shown.count("trees") == 3


def test_names_of_approaches_of_the_same_rank_and_time_do_not_lie_on_each_other(suite):
    ranks = suite.ranks.assign(mean_rank=2.0)
    together = replace(suite, ranks=ranks, relative_costs=suite.relative_costs.assign(fit_time=1.0))
    heights = {name: height for height, name in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>([^<]*)<', cost_and_rank(together))}
    assert heights["lightgbm"] != heights["linear"]


def test_sizes_within_two_decades_have_more_than_one_mark(suite):
    sizes = {"from_size": 60.0, "to_size": 450.0}
    [(_, figure), *_] = crossing_figures(replace(suite, crossovers=suite.crossovers.assign(**sizes)))
    assert {"100", "200"} <= set(texts(figure))


def test_there_is_no_figure_of_costs_without_the_reference(tiny):
    assert cost_and_rank(tiny) == ""


def test_a_step_that_no_table_follows_has_no_figure(suite):
    assert crossing_figures(replace(suite, crossovers=suite.crossovers.assign(state="not run"))) == []
