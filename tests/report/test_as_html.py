import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from tabbench.core.comparison import Comparison
from tabbench.core.errors import UnknownName
from tabbench.report import render
from tabbench.report.as_html import to_notebook

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Reads a page strictly: every element must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def pages(comparison: Comparison, hostile: Comparison, nothing: Comparison) -> dict[str, str]:
    return {"usual": render(comparison, "html"), "hostile": render(hostile, "html"), "nothing": render(nothing, "html")}


@pytest.mark.parametrize("kind", ["usual", "hostile", "nothing"])
def test_the_page_is_well_formed_and_loads_nothing(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    assert set(page.tags) & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "a"} == set()
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "action", "data"}
        assert name not in {"href", "xlink:href"} or value.startswith("#")
    addresses = set(re.findall(r"url\(([^)]*)\)", pages[kind]))
    assert all(address.startswith("#") for address in addresses)
    assert "@import" not in pages[kind]
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = {value[1:] for _, name, value in page.attributes if name == "xlink:href"} | {address[1:] for address in addresses}
    assert targets <= set(ids)


def test_the_policy_forbids_everything_but_inline_style(pages: dict[str, str]) -> None:
    page = Page(pages["usual"])
    policy = next(value for tag, name, value in page.attributes if tag == "meta" and name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert "script-src" not in policy


def test_the_page_holds_the_answer_figures_and_tables(pages: dict[str, str], comparison: Comparison) -> None:
    page = Page(pages["usual"])
    text = " ".join(page.texts)
    assert comparison.sentence in text
    assert page.tags["svg"] == 8 + 2  # histograms of two columns
    for title in ("Standings at 5,634 training rows", "Sensitivity analysis", "Best under a budget",
                  "Winner map", "Best by size", "Crossings", "All pairs at the full size", "Failures",
                  "Skipped", "Findings in the data", "Training of mlp", "Incidents in training",
                  "Approaches and their settings", "Protocol",
                  "How to read the verdict", "How the file was read"):
        assert title in text
    assert "linear and boosting cross in score between 200 and 800 rows, at about 320" in text
    assert "no end after 10 minutes" in text


def test_hostile_names_are_text(pages: dict[str, str]) -> None:
    page = pages["hostile"]
    assert "<img" not in page
    assert "&lt;img src=http" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    page.encode("utf-8")
    assert max(len(text) for text in Page(page).texts if ":root" not in text) < 1000
    assert "@@" not in page


def test_the_same_comparison_gives_the_same_bytes(pages: dict[str, str], make: Callable[..., Comparison]) -> None:
    assert render(make(), "html") == pages["usual"]


def test_a_notebook_gets_the_page_in_a_frame(hostile: Comparison, pages: dict[str, str]) -> None:
    frame = Page(to_notebook(hostile))
    assert set(frame.tags) == {"iframe"}
    attributes = {name: value for _, name, value in frame.attributes}
    assert attributes["srcdoc"] == pages["hostile"]
    assert attributes["sandbox"] == ""


def test_an_unknown_format_is_a_mistake(comparison: Comparison) -> None:
    with pytest.raises(UnknownName, match="did you mean 'html'"):
        render(comparison, "htm")


def test_the_columns_as_they_were_read_doubtful_ones_first(pages: dict[str, str]) -> None:
    page = pages["usual"]
    part = page[page.index('id="reading"'):]
    assert part.index("MonthlyCharges") < part.index("Churn") and "1.234,50 → 1234.5 | ill → missing" in part
    assert "0.2%" in part and part.count("<svg") == 2 and '<rect x="6" y="0" width="5" height="18"/>' in part
    assert "boolean" not in part and "yes/no (target)" in part and "text (left out)" in part
