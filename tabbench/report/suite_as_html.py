"""A suite's report as one HTML file: figures, styles and the few lines that sort a map inline, nothing fetched.

The page's policy lets only that one script run, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from tabbench.core.suite_result import ALL, SuiteResult
from tabbench.report.as_html import environment
from tabbench.report.suite_cost_and_rank import cost_and_rank
from tabbench.report.suite_critical_difference import critical_difference
from tabbench.report.suite_crossings import crossing_figures
from tabbench.report.suite_heat_map import heat_map, pair_map
from tabbench.report.suite_ranks_by_size import ranks_by_size
from tabbench.report.suite_tables import remarks, suite_facts, suite_tables, verdicts_table
from tabbench.wording.suite import HOW_TO_READ

_SHOWN_BEFORE = {"verdicts"}
"""Frames whose table stands among the figures."""


def suite_html(result: SuiteResult, command: str) -> str:
    """A self-contained page; `command` is what makes it, and stands below every figure and table."""
    from markupsafe import Markup

    from tabbench.report.drawing import family_colours

    map_header, map_rows = heat_map(result)
    wins_header, wins_rows = pair_map(result)
    return environment().get_template("suite.html.jinja").render(
        result=result, command=command, family_colours=Markup(family_colours()),
        sentence=result.verdicts[result.verdicts["bucket"] == ALL]["sentence"].iloc[0],
        facts=suite_facts(result), remarks=remarks(result), verdicts=verdicts_table(result),
        ranks_by_size=Markup(ranks_by_size(result)), critical_difference=Markup(critical_difference(result)),
        map_header=map_header, map_rows=map_rows, wins_header=wins_header, wins_rows=wins_rows,
        crossings=[(title, Markup(figure)) for title, figure in crossing_figures(result)],
        cost_and_rank=Markup(cost_and_rank(result)),
        tables=[each for each in suite_tables(result) if each.frame not in _SHOWN_BEFORE],
        how_to_read=HOW_TO_READ, **sorting_script())


def sorting_script() -> dict[str, Any]:
    """The script that sorts a map, and the hash by which a page's policy lets it run, as the templates call them."""
    from markupsafe import Markup

    script = files("tabbench.report").joinpath("templates/sort.js").read_text(encoding="utf-8")
    return {"script": Markup(script), "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}
