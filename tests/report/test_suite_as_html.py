import base64
import hashlib
import re

import pytest

from tabbench.report.suite_as_html import suite_html

COMMAND = "tabbench suite report 'my suite'"


@pytest.fixture(scope="module")
def page(suite):
    return suite_html(suite, COMMAND)


def test_the_sentence_stands_first_and_every_section_names_the_command(page, suite):
    assert f"<h1>{suite.verdicts['sentence'].iloc[0]}</h1>" in page
    sections = page.count("<section")
    assert page.count("tabbench suite report &#39;my suite&#39;") == sections - 1, "all but the explanation of terms"


def test_nothing_is_fetched_and_only_the_sorting_script_may_run(page):
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL).group(1)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{allowed}'" in page
    assert page.count("<script") == 1
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)


def test_names_are_escaped(page):
    assert "<i>first" not in page
    assert "&lt;i&gt;first&lt;/i&gt;</a>" in page
    assert "a &lt;b&gt;reason&lt;/b&gt;" in page


def test_what_is_missing_is_said_at_the_top(page):
    top = page[: page.index("<section")]
    assert "1 table has no result (absent0)." in top
    assert "Without the tables on which something failed" in top
    assert "9 of 10" in top


def test_a_suite_of_next_to_nothing_is_a_page_too(tiny):
    page = suite_html(tiny, COMMAND)
    assert "nothing about other tables, so there is no verdict over tables" in page
    assert "<svg" in page, "two approaches have ranks"
