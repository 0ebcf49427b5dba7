"""A suite's tables in LaTeX, ready for a paper: one file a table, for the packages booktabs and longtable."""

from __future__ import annotations

from collections.abc import Iterable

from tabbench.core.suite_result import SuiteResult
from tabbench.report.suite_tables import costs_table, pairs_table, ranks_table, scores_table, verdicts_table
from tabbench.report.tables import ReportTable
from tabbench.wording.safe_text import latex, plain


def latex_tables(result: SuiteResult, command: str) -> dict[str, str]:
    """File name (without suffix) to text, of every table that has rows."""
    found = {"verdicts": verdicts_table(result), "ranks": ranks_table(result), "pairs": pairs_table(result),
             "scores": scores_table(result), "costs": costs_table(result)}
    return {name: _table(name, table, command) for name, table in found.items() if table.rows}


def _table(name: str, table: ReportTable, command: str) -> str:
    """A longtable, since the scores of a suite may need more than a page."""
    columns = "".join(_column(table, place) for place in range(len(table.header)))
    caption = latex(f"{table.title}. {table.note}" if table.note else f"{table.title}.")
    head = _line(table.header)
    lines = [
        f"% {plain(command)}", "% \\usepackage{booktabs,longtable}", f"\\begin{{longtable}}{{{columns}}}",
        f"\\caption{{{caption}}}\\label{{tab:suite-{name}}}\\\\", "\\toprule", head, "\\midrule", "\\endfirsthead",
        "\\toprule", head, "\\midrule", "\\endhead", "\\bottomrule", "\\endfoot",
        *(_line(row, is_bold=place in table.emphasised) for place, row in enumerate(table.rows)), "\\end{longtable}", ""]
    return "\n".join(lines)


def _column(table: ReportTable, place: int) -> str:
    """Numbers to the right; sentences in a column that breaks lines."""
    if place in table.numbers:
        return "r"
    return "p{0.5\\linewidth}" if max(len(row[place]) for row in table.rows) > 60 else "l"


def _line(cells: Iterable[str], *, is_bold: bool = False) -> str:
    escaped = [latex(cell) for cell in cells]
    return " & ".join(f"\\textbf{{{cell}}}" if is_bold and cell else cell for cell in escaped) + " \\\\"
