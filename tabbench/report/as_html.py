"""The report as one HTML file: figures inline, styles inline, no script at all, nothing fetched.

Every text goes through the template engine's escaping and, before it, through `safe_text`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from tabbench.core.comparison import Comparison
from tabbench.report.columns_read import BAR_HEIGHT, TITLES, column_rows
from tabbench.report.sensitivity import MAP_NOTE, sensitivity_tables
from tabbench.report.tables import evidence_tables, facts, more_rows_table, record_tables, standings_table
from tabbench.wording.findings import of_a_kind_as_one
from tabbench.wording.names import with_readable_names
from tabbench.wording.safe_text import plain
from tabbench.wording.terms import HOW_TO_READ

if TYPE_CHECKING:
    from jinja2 import Environment

_NOTEBOOK_HEIGHT_PIXELS = 900
"""Sentence, facts and the first figure in sight; the rest scrolls."""


def to_html(comparison: Comparison) -> str:
    """A self-contained page for light and dark screens, phones and paper."""
    from markupsafe import Markup

    from tabbench.report.drawing import family_colours
    from tabbench.report.figures import difference_to_best, score_by_size, time_and_score
    from tabbench.report.more_rows_figure import more_rows_figure
    from tabbench.report.strip import strip
    from tabbench.report.winner_map import winner_map

    comparison = with_readable_names(comparison)
    template = environment().get_template("report.html.jinja")
    return template.render(
        comparison=comparison,
        family_colours=Markup(family_colours()),
        facts=facts(comparison),
        warnings=of_a_kind_as_one([row for row in comparison.findings.to_dict("records") if row["severity"] != "info"]),
        has_crossings=bool((comparison.crossovers["kind"].isin(["bracket", "several", "open"])).any()),
        score_by_size=Markup(score_by_size(comparison)),
        difference_to_best=Markup(difference_to_best(comparison)),
        time_and_score=Markup(time_and_score(comparison)),
        standings=standings_table(comparison),
        sensitivity=sensitivity_tables(comparison),
        strip=Markup(strip(comparison)),
        winner_map=Markup(winner_map(comparison)),
        map_note=MAP_NOTE,
        trainings=_trainings(comparison),
        evidence=evidence_tables(comparison),
        more_rows=more_rows_table(comparison),
        more_rows_figure=Markup(more_rows_figure(comparison)),
        records=record_tables(comparison),
        columns_read=column_rows(comparison),
        columns_titles=TITLES,
        bar_height=BAR_HEIGHT,
        how_to_read=HOW_TO_READ,
    )


def _trainings(comparison: Comparison) -> list[dict[str, Any]]:
    """The figures of each net's training, without those that have nothing to show."""
    from markupsafe import Markup

    from tabbench.report.net_figures import caption, training_curves, weight_histograms

    found = [{"approach": record["approach"], "caption": caption(record),
              "curves": Markup(training_curves(comparison, record, f"training-{place}")),
              "weights": Markup(weight_histograms(comparison, record, f"weights-{place}"))}
             for place, record in enumerate(comparison.training.to_dict("records"))]
    return [each for each in found if each["curves"] or each["weights"]]


def to_notebook(comparison: Comparison) -> str:
    """The same page in a frame of its own, so that its style does not spill over a notebook and nothing in it can run."""
    from markupsafe import escape

    return (f'<iframe srcdoc="{escape(to_html(comparison))}" sandbox title="tabbench report" '
            f'style="width: 100%; height: {_NOTEBOOK_HEIGHT_PIXELS}px; border: 0"></iframe>')


@cache
def environment() -> Environment:
    """The template engine: escapes every text, and makes it harmless before. It keeps the templates that it has compiled."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tabbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_harmless,
    )
    environment.filters["anchor"] = _anchor
    return environment


def _harmless(value: Any) -> Any:
    # Markup is what our own code made: figures and rendered macros. A plain string may hold a stranger's characters.
    return plain(value) if type(value) is str else value


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
