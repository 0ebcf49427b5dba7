from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from tabbench.core.comparison import COLUMNS, Comparison
from tabbench.report import render
from tabbench.report.more_rows import more_rows_lines, more_rows_sentence
from tabbench.report.more_rows_figure import more_rows_figure

PAIR = {"first": "linear", "second": "mlp", "size": 1000, "behind": "mlp", "n_star_low": np.inf, "n_star": np.inf,
        "n_star_high": np.inf, "p_never": 0.9, "last_share": 0.2, "refusal": ""}


def sentence(*probabilities: float, **changes: object) -> str:
    return more_rows_sentence([PAIR | {"factor": factor, "p_overtakes": share, **changes}
                               for factor, share in zip((2, 4), probabilities, strict=True)])


@pytest.mark.parametrize("probabilities, changes, said", [
    ((0.004, 0.06), {},
     "An extrapolation, not a verdict: with more rows linear would probably be better than mlp, as its mean is now; the "
     "probability that mlp is better is below 1 % at 2,000 training rows and 6 % at 4,000 training rows."),
    ((0.8, 0.995), {"n_star_low": 1100.0, "n_star": 1505.0, "n_star_high": 3600.0},
     "An extrapolation, not a verdict: with more rows mlp would probably overtake linear at about 1,505 training rows (1,100 to"
     " 3,600); the probability that it is better is 80 % at 2,000 training rows and above 99 % at 4,000 training rows."),
    ((0.7, 0.9), {"behind": "linear", "n_star_low": 1100.0, "n_star": 1505.0},
     "An extrapolation, not a verdict: with more rows linear would probably overtake mlp at about 1,505 training rows (1,100 to"
     " beyond 4,000 or never); the probability that it is better is 70 % at 2,000 training rows and 90 % at 4,000 training "
     "rows."),
    ((0.95, 0.95), {"n_star_low": 1000.0, "n_star": 1000.0},
     "An extrapolation, not a verdict: with more rows mlp would probably overtake linear; the probability that it is better is "
     "95 % at 2,000 training rows and 95 % at 4,000 training rows."),
    ((0.3, 0.5), {},
     "An extrapolation, not a verdict: with more rows either of linear and mlp may be better; the probability that mlp, now "
     "behind, is better is 30 % at 2,000 training rows and 50 % at 4,000 training rows."),
    ((0.3, 0.5), {"last_share": 0.6},
     "An extrapolation, not a verdict: with more rows either of linear and mlp may be better; the probability that mlp, now "
     "behind, is better is 30 % at 2,000 training rows and 50 % at 4,000 training rows; fitted curves predicted the larger "
     "sizes no better than the last difference did, so mostly that is continued."),
    ((np.nan, np.nan), {"refusal": "4 sizes were run, and a curve needs 5"},
     "No extrapolation of linear and mlp to more rows: 4 sizes were run, and a curve needs 5."),
])
def test_every_outcome_has_its_sentence(probabilities: tuple[float, ...], changes: dict[str, object], said: str) -> None:
    assert sentence(*probabilities, **changes) == said


@pytest.mark.parametrize("kind", ["html", "md"])
def test_the_long_reports_hold_extrapolations_and_refusals(kind: str, comparison: Comparison) -> None:
    text = render(comparison, kind)
    assert "An extrapolation, not a verdict: with more rows either of mlp and linear may be better" in text
    assert "No extrapolation of mlp and boosting to more rows: 4 sizes were run, and a curve needs 5." in text
    assert "8,451 to beyond 22,536 or never" in text


@pytest.mark.parametrize("kind", ["html", "md"])
def test_without_the_option_nothing_is_said(kind: str, comparison: Comparison) -> None:
    nothing = {name: pd.DataFrame(columns=list(COLUMNS[name])) for name in ("extrapolation", "extrapolated_scores")}
    text = render(replace(comparison, **nothing), kind)
    assert "extrapolat" not in text.lower()


def test_refusals_alone_make_no_table_and_no_figure(comparison: Comparison) -> None:
    refused = comparison.extrapolation[comparison.extrapolation["refusal"] != ""]
    none = replace(comparison, extrapolation=refused,
                   extrapolated_scores=pd.DataFrame(columns=list(COLUMNS["extrapolated_scores"])))
    assert more_rows_figure(none) == ""
    text = render(none, "md")
    section = text[text.index("## More rows"):text.index("## How to read this")]
    assert "No extrapolation of mlp and boosting" in section and "|" not in section


def test_the_terminal_tells_of_the_best_approach_only(comparison: Comparison) -> None:
    assert len(more_rows_lines(comparison)) == 2
    assert [line[:42] for line in more_rows_lines(comparison, about_best=True)] == ["No extrapolation of mlp and boosting to mo"]


@pytest.mark.parametrize("higher", [False, True])
def test_the_figure_has_solid_and_dashed_curves_up_to_four_times_the_rows(make: Callable[..., Comparison], higher: bool) -> None:
    svg = more_rows_figure(make(higher=higher))
    texts = {"".join(element.itertext()) for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}
    assert {"linear", "mlp", "5,634", "22,536", "training rows; measured up to the line, extrapolated beyond it"} <= texts
    assert "boosting" not in texts
    assert svg.count("stroke-dasharray") >= 2
