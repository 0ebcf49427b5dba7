import pytest
from markdown_it import MarkdownIt

from tabbench.core.comparison import Comparison
from tabbench.report import render


@pytest.mark.parametrize("kind", ["comparison", "hostile", "nothing"])
def test_tables_are_whole_and_nothing_is_markup(kind: str, request: pytest.FixtureRequest) -> None:
    text = render(request.getfixturevalue(kind), "md")
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
    inner = [child for token in tokens for child in token.children or []]
    assert not {token.type for token in [*tokens, *inner]} & {
        "html_block", "html_inline", "link_open", "image", "code_inline", "fence", "em_open", "s_open", "blockquote_open"}
    rows = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| --")]
    assert sum(token.type == "tr_open" for token in tokens) == len(rows) > 9
    text.encode("utf-8")


def test_the_report_says_it_all(comparison: Comparison) -> None:
    text = render(comparison, "md")
    assert text.startswith(f"# tabbench: churn\n\n**{comparison.sentence}**\n")
    assert "| **1** | **xgboost ✓** |" in text and "| 1 | boosting | 0.4066 |" in text
    assert "| 4 | linear+forest |" in text
    assert "linear and boosting cross in score between 200 and 800 rows, at about 320" in text
    assert "mlp at 5,634 rows, repeat 1, fold 4 | timed out | no end after 10 minutes" in text
    assert "catboost | the package catboost is not installed; pip install catboost" in text


def test_the_same_comparison_gives_the_same_text(comparison: Comparison) -> None:
    assert render(comparison, "md") == render(comparison, "md")
