"""The report as Markdown (GitHub's dialect): the sentence, the standings, then every other table. No figures."""

from __future__ import annotations

from collections.abc import Iterable

from tabbench.core.comparison import Comparison
from tabbench.report.columns_read import TITLES, column_rows
from tabbench.report.sensitivity import sensitivity_tables
from tabbench.report.tables import ReportTable, evidence_tables, facts, more_rows_table, record_tables, standings_table
from tabbench.wording.names import with_readable_names
from tabbench.wording.safe_text import markdown
from tabbench.wording.terms import HOW_TO_READ


def to_markdown(comparison: Comparison) -> str:
    """The whole report; texts from the table are escaped, so that none becomes markup or a link."""
    comparison = with_readable_names(comparison)
    standing, more_rows = standings_table(comparison), more_rows_table(comparison)
    parts = [
        f"# tabbench: {markdown(comparison.table['name'])}",
        f"**{markdown(comparison.sentence)}**",
        "\n".join(f"- {name}: {markdown(value)}" for name, value in facts(comparison)),
        *([] if standing is None else [section(standing)]),
        *(section(table) for table in sensitivity_tables(comparison)),
        *(section(table) for table in evidence_tables(comparison)),
        *([] if more_rows is None else [section(more_rows)]),
        "## How to read this\n\n" + "\n".join(f"- **{term}**: {markdown(meaning)}" for term, meaning in HOW_TO_READ),
        *(section(table) for table in record_tables(comparison)),
        *_reading(comparison),
    ]
    return "\n\n".join(parts) + "\n"


def _reading(comparison: Comparison) -> list[str]:
    lines = [f"- {markdown(line)}" for line in comparison.reading]
    columns = [each.cells for each in column_rows(comparison)]
    grid = _grid(ReportTable("", TITLES, columns, numbers=frozenset({3}))) if columns else ""
    return ["## How the file was read\n\n" + "\n\n".join(filter(None, ["\n".join(lines), grid]))] if lines else []


def section(table: ReportTable) -> str:
    """A titled table with what is said about it."""
    head = f"## {markdown(table.title)}\n\n"
    note = f"{markdown(table.note)}\n\n" if table.note else ""
    said = "".join(f"- {markdown(line)}\n" for line in table.said)
    return head + (said and f"{said}\n") + note + (_grid(table) if table.rows else "")


def _grid(table: ReportTable) -> str:
    rule = ["--:" if place in table.numbers else "---" for place in range(len(table.header))]
    lines = [_line(markdown(title) for title in table.header), _line(rule)]
    for place, row in enumerate(table.rows):
        cells = [markdown(cell) for cell in row]
        lines.append(_line(f"**{cell}**" if cell and place in table.emphasised else cell for cell in cells))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
