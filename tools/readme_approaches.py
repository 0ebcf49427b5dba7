"""Writes the README's table of approaches from their registrations.

    python tools/readme_approaches.py
"""

from __future__ import annotations

from pathlib import Path

from tabbench.approaches.composed import listed_approaches
from tabbench.core.approach import SELECTORS, Approach
from tabbench.core.phrases import listed

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- written by tools/readme_approaches.py -->\n", "<!-- until here -->\n"


def table() -> str:
    """One row an approach, the cheapest first, and a sentence on what is joined to what."""
    rows = [f"| `{each.name}` | {each.family} | {_from(each)} | {each.summary} |" for each in listed_approaches()]
    selectors = listed([f"`{each.name}`" for each in SELECTORS])
    return "\n".join((
        "| approach | family | runs by default | what it is |", "|---|---|---|---|", *rows, "",
        f"Any learner joins any of the selectors {selectors} by `+`, as in `linear+pca`,",
        "also several in a row; the report says at which sizes that helps and how stable the choice is.", ""))


def _from(approach: Approach) -> str:
    if approach.from_effort is None:
        return "when named"
    return f"from effort {approach.from_effort:g}" if approach.from_effort else "always"


def with_table(readme: str) -> str:
    """The README with the present table between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
