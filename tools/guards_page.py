"""Writes docs/guards.md from the catalogue of faults, and keeps or replaces the measured provocations at its end.

    python tools/guards_page.py [PROVOCATIONS]

PROVOCATIONS is a file that tools/provoke_peers.py has written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tabbench.core.faults import PROVOCATIONS, as_markdown

PAGE = Path(__file__).parents[1] / "docs" / "guards.md"


def main(arguments: list[str]) -> None:
    """Write the page."""
    measured = PAGE.read_text(encoding="utf-8").partition(PROVOCATIONS)[2] if PAGE.exists() else "\n"
    if arguments:
        measured = "\n\n" + Path(arguments[0]).read_text(encoding="utf-8")
    PAGE.write_text(as_markdown() + measured, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
