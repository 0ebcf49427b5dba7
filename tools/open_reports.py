"""Open reports full of hostile names in a real browser, with and without their policy: nothing in them may run or be loaded.

python tools/open_reports.py [--browser chromium]

The table's columns, labels and name, the folder and the submitter's note are markup, scripts, addresses and control characters.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd

import tabbench
from tabbench.suite.board import PAGE, export_submission, merge_board

RUN = "document.title='RUN'"
NAMES = (f"<script>{RUN}</script>", f'"><img src=x onerror="{RUN}">', f"'><svg onload={RUN}>",
         f"</style></title><script>{RUN}</script>", f"javascript:{RUN}", "\x1b]0;RUN\x07", "\u202ename", "{{7*7}}${7*7}",
         "=cmd|'/C calc'!A0", "](javascript:alert(1))", "<base href=https://example.org>",
         "<meta http-equiv=refresh content=0;url=https://example.org>", "]]>--><script>1</script>")
POLICY = re.compile(r"<meta[^>]*Content-Security-Policy[^>]*>")
ACTIVE = frozenset({"iframe", "object", "embed", "base", "form", "frame", "applet", "audio", "video"})
"""Elements that a report has none of."""
ADDRESSES = frozenset({"href", "src", "xlink:href", "action", "formaction", "srcset", "data"})


class Elements(HTMLParser):
    """What is active in a page: elements that run or load something, handlers, addresses of elsewhere, strange scripts."""

    def __init__(self, policy: str) -> None:
        super().__init__()
        self.policy, self.faults, self.is_script = policy, [], False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element and its attributes."""
        self.is_script = tag == "script"
        if tag in ACTIVE or (tag == "link" and ("rel", "canonical") not in attrs):
            self.faults.append(f"<{tag}>")
        self.faults += [f"{name}={value}"[:80] for name, value in attrs
                        if name.startswith("on") or (name in ADDRESSES and not re.match(r"#|data:image/|[\w./-]+$", value or ""))]

    def handle_data(self, data: str) -> None:
        """A script must be the one that the policy names."""
        if self.is_script and base64.b64encode(hashlib.sha256(data.encode()).digest()).decode() not in self.policy:
            self.faults.append(f"a script: {data[:60]}")
        self.is_script = False


def main() -> None:
    """Make the reports, open each twice, tell what was found; exit with 1 where something is active."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", default=shutil.which("chromium") or "chromium")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tabbench-reports-") as place:
        faults = [fault for page in reports(Path(place)) for fault in opened(page, given.browser)]
    print(f"{len(faults)} faults")
    sys.exit(bool(faults))


def hostile_table() -> pd.DataFrame:
    """Sixty rows whose names and labels are all of `NAMES`."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({name: generator.normal(size=60) for name in NAMES})
    frame["labels"] = [NAMES[row % len(NAMES)] for row in range(60)]
    return frame.assign(**{NAMES[0] + "y": np.where(frame[NAMES[0]] > 0, NAMES[1], NAMES[3])})


def reports(place: Path) -> list[Path]:
    """The pages of a run, a suite and a board."""
    table = place / f"{NAMES[2]}.csv".replace("/", "_")
    hostile_table().to_csv(table, index=False)
    options = {"approaches": "linear", "effort": 0.02, "folds": 2, "repeats": 1, "sizes": "full", "quiet": True}
    tabbench.compare(table, NAMES[0] + "y", out=place / "run", **options)
    suite = place / "mine.toml"
    title, source, target = map(json.dumps, (NAMES[0], table.name, NAMES[0] + "y"))
    suite.write_text(f"title = {title}\ntables = [{{source = {source}, target = {target}}}]")
    tabbench.run_suite(suite, out=place / "suite", **options)
    export_submission(place / "suite", place / "mine.board.parquet", "Ada")
    merge_board([place / "mine.board.parquet"], place / "board")
    return [place / "run" / "report.html", place / "suite" / "report.html", place / "board" / PAGE]


def opened(page: Path, browser: str) -> list[str]:
    """What is active in a page once a browser has made its elements, with its policy and without."""
    text = page.read_text(encoding="utf-8")
    policy = POLICY.search(text)
    faults = [] if policy else ["it has no policy"]
    for what, content in (("with", text), ("without", POLICY.sub("", text))):
        page.write_text(content, encoding="utf-8")
        elements = as_elements(page, browser)
        seen = Elements(policy.group() if policy else "")
        seen.feed(elements)
        faults += [f"{what} its policy: {fault}" for fault in seen.faults]
        faults += [f"{what} its policy: something ran"] * ("<title>RUN" in elements)
        print(f"{page.parent.name}/{page.name} {what} its policy: {len(elements):,} characters", flush=True)
    for fault in faults:
        print(f"FAULT {page}: {fault}")
    return faults


def as_elements(page: Path, browser: str) -> str:
    """The page as the browser has made it, three seconds of its time after it was loaded."""
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom",
                           page.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


if __name__ == "__main__":
    main()
