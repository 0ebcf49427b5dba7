"""A suite's report as Markdown: the sentence and every table. No figures."""

from __future__ import annotations

from tabbench.core.suite_result import ALL, SuiteResult
from tabbench.report.as_markdown import section
from tabbench.report.suite_tables import remarks, suite_facts, suite_tables
from tabbench.wording.safe_text import markdown
from tabbench.wording.suite import HOW_TO_READ, made_by


def suite_markdown(result: SuiteResult, command: str) -> str:
    """The whole report; texts from tables are escaped. `command` is what makes it, and stands below every table."""
    sentence = result.verdicts[result.verdicts["bucket"] == ALL]["sentence"].iloc[0]
    parts = [f"# tabbench: {markdown(result.suite['title'])}", f"**{markdown(sentence)}**",
             *(markdown(remark) for remark in remarks(result)),
             "\n".join(f"- {name}: {markdown(value)}" for name, value in suite_facts(result)),
             *(f"{section(each.table)}\n\n{markdown(made_by(command, each.frame))}" for each in suite_tables(result)),
             "## How to read this\n\n" + "\n".join(f"- **{term}**: {markdown(meaning)}" for term, meaning in HOW_TO_READ)]
    return "\n\n".join(parts) + "\n"
