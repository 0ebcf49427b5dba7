"""Writes docs/checks.md from the registry of checks.

    python tools/checks_page.py
"""

from __future__ import annotations

from pathlib import Path

from tabbench.core.check import CHECKS, Check

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"
BEGINNING = """# What the checks of the data look for

Before anything is fitted, every check looks at the table. A finding of severity **block** makes every score meaningless, one of
severity **warn** may do so, and **info** is a remark. `tabbench check DATA --target Y` runs the checks alone; `--json` gives each
finding's remedy as data. The thresholds are those of the code: this page is written by `python tools/checks_page.py`.

| check | finding | severity | reported when |
|---|---|---|---|
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(as_markdown(), encoding="utf-8")


def as_markdown() -> str:
    """The page: one row for each finding that a check may make."""
    return BEGINNING + "".join(_rows(check) for check in CHECKS)


def _rows(check: Check) -> str:
    """The check is named in the first of its rows."""
    firsts = [f"**{check.name}**: {check.summary}", *[""] * (len(check.says) - 1)]
    return "".join(f"| {first} | `{each.code}` | {each.severity} | {each.limit} |\n"
                   for first, each in zip(firsts, check.says, strict=True))


if __name__ == "__main__":
    main()
