"""The `check` command: read a table, settle its task and run the data checks. Fits no approach and writes no file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tabbench.comparison.prepare import Prepared, findings_of, read_and_split
from tabbench.core.check import Learners
from tabbench.core.setup import Setup
from tabbench.options import Options
from tabbench.wording.findings import of_a_kind_as_one, sentence
from tabbench.wording.safe_text import plain

FINDING_SEVERITIES = ("warn", "block")


class Lines:
    """A display that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        """Keep the line."""
        self.lines.append(line)

    def update(self, progress: Any) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, eq=False)
class Checked:
    """What is known of a table before anything is fitted."""

    prepared: Prepared
    said: tuple[str, ...]

    @property
    def has_warnings(self) -> bool:
        """Whether a finding warns or blocks."""
        return any(finding.severity in FINDING_SEVERITIES for finding in self.prepared.findings)

    def as_text(self) -> str:
        """For a person: the reading, then every finding."""
        lines = list(self.said)
        rows = of_a_kind_as_one([finding.to_json() for finding in self.prepared.findings])
        lines += [f"{row['severity']:5} {row['code']}: {sentence(row)}" for row in rows]
        if not self.has_warnings:
            lines.append("No warnings.")
        return "\n".join(plain(line) for line in lines) + "\n"

    def as_json(self) -> str:
        """For a program."""
        setup: Setup = self.prepared.setup
        table = setup.table
        return json.dumps({
            "table": {"name": table.name, "rows": len(table), "columns": len(table.columns), "target": table.target_name,
                      "task": setup.task.kind, "fingerprint": table.fingerprint, "classes": list(setup.task.classes)},
            "columns": [column.to_json() for column in table.columns], "reading": list(table.reading),
            "columns_read": [column.to_json() for column in table.columns_read],
            "findings": [finding.to_json() for finding in self.prepared.findings]}, indent=1, allow_nan=False) + "\n"


def check(data: Any, options: Options, learners: Learners | None = None) -> Checked:
    """Read and check a table; raises what `compare` would raise before fitting anything. `learners` fit what the checks ask."""
    lines = Lines()
    read = read_and_split(data, options, lines, most_columns=None)
    findings = dict.fromkeys((*read.findings, *findings_of(read.setup, learners)))
    return Checked(Prepared(read.setup, tuple(findings)), tuple(lines.lines))
