import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tabbench.core.many_tables import TablesComparison
from tabbench.report.many_tables import tables_to_html, tables_to_json, tables_to_markdown


@pytest.fixture
def collection():
    interval = {"low": [1.0, np.nan], "high": [1.5, np.nan]}
    names = {"approach": ["linear", "mlp"]}
    return TablesComparison(
        sentence="Over 2 tables, <i>nothing</i>.", decision="none", reason="disagree", approaches=("linear", "mlp"),
        best="linear", recommended=None,
        without_failures={"sentence": "Over one table, *less*.", "decision": "none", "reason": "few_sources",
                          "approaches": (), "best": None, "recommended": None},
        protocol={"margin": 1.0, "alpha": 0.05, "seed": 0},
        tables=pd.DataFrame({"table": ["a|b", "c"], "source": ["0123456789abcdef", "x"], "metric": ["log_loss", "auc"],
                             "size": [800, 12_000], "preset": ["fast", "fast"], "failed": [0.0, 0.25]}),
        ranks=pd.DataFrame({**names, "mean_rank": [1.25, 1.75], **interval, "failed": [0.0, 0.5],
                            "mean_rank_without_failures": [1.0, np.nan]}),
        pairs=pd.DataFrame({"first": ["linear"], "second": ["mlp"], "difference": [-3.2], "first_ahead": [1.5],
                            "chance_if_equal": [1e-6], "chance_all_pairs": [1e-6], "p_first_better": [0.9], "p_equal": [0.1],
                            "p_second_better": [0.0], "decision": ["first"]}),
        elo=pd.DataFrame({**names, "elo": [1050.0, 950.0], **interval}),
        improvability=pd.DataFrame({"metric": ["auc"] * 2, "tables": [1] * 2, **names, "improvability": [0.0, 0.25], **interval}),
        win_rates=pd.concat([
            pd.DataFrame({"from_rows": start, "to_rows": stop, "tables": 1, **names, "win_rate": [1.0, 0.0], **interval})
            for start, stop in ((0, 1_000.0), (10_000, 100_000.0), (100_000, np.nan))], ignore_index=True))


def test_markdown_says_everything(collection):
    text = tables_to_markdown(collection)
    assert text.startswith("# tabbench: many tables\n\n**Over 2 tables, \\<i\\>nothing\\</i\\>.**\n\n"
                           "Without the tables on which something failed: Over one table, \\*less\\*.\n")
    for line in ("| linear | 1.25 | 1.00 to 1.50 | 1.00 | 0% |", "| mlp | 1.75 | – | – | 50% |",
                 "| linear | mlp | linear better | −3.20 | 1.5 | \\< 0.0001 | 0.90 | 0.10 | 0.00 |",
                 "## Elo", "| linear | 1,050 | 1 to 2 |", "## Improvability in AUC, one table",
                 "## Win rate with under 1,000 training rows, one table",
                 "## Win rate with 10,000 to 99,999 training rows, one table",
                 "## Win rate with 100,000 training rows and more, one table",
                 "| a\\|b | 0123456789ab | log loss | 800 | fast | 0% |"):
        assert line in text.splitlines()


def test_p_values_are_told_with_four_decimals(collection):
    told = {chance: tables_to_markdown(replace(collection, pairs=collection.pairs.assign(chance_all_pairs=chance)))
            for chance in (0.0123, 1.0)}
    assert "| 0.0123 |" in told[0.0123]
    assert "| 1.0000 |" in told[1.0]


def test_nothing_is_told_of_what_is_not_there(collection):
    bare = replace(collection, without_failures=None, pairs=collection.pairs[:0], improvability=collection.improvability[:0],
                   win_rates=collection.win_rates[:0])
    text = tables_to_markdown(bare)
    assert "Without the tables" not in text
    assert not any(f"## {title}" in text for title in ("Pairs", "Improvability", "Win rate"))


def test_json_is_plain_and_without_nan(collection):
    values = json.loads(json.dumps(tables_to_json(collection), allow_nan=False))
    assert values["ranks"][1]["low"] is None
    assert values["tables"][0]["size"] == 800
    assert values["win_rates"][-1]["to_rows"] is None
    assert values["without_failures"]["approaches"] == []
    assert values["approaches"] == ["linear", "mlp"]
    assert tables_to_json(replace(collection, without_failures=None))["without_failures"] is None


def test_html_is_escaped(collection):
    page = tables_to_html(collection)
    assert "<i>" not in page
    assert "&lt;i&gt;nothing" in page
    assert "Without the tables on which something failed" in page
    assert "<script" not in tables_to_html(replace(collection, tables=collection.tables.assign(source="<script>")))
