"""docs/checks.md says what the registered checks declare."""

import importlib.util
import re
from pathlib import Path

from tabbench.checks.label_noise import DOUBTFUL_TARGET, LABEL_NOISE
from tabbench.core.check import CHECKS

ROOT = Path(__file__).parents[2]


def test_every_finding_in_the_code_is_declared_and_every_declared_one_is_in_the_code():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tabbench" / "checks").glob("*.py"))
    made = set(re.findall(r'\bFinding\("([\w-]+)", "(\w+)"', code))
    declared = {(each.code, each.severity) for check in CHECKS for each in check.says}
    assert made == {pair for pair in declared if pair[0] not in (LABEL_NOISE, DOUBTFUL_TARGET)}


def test_the_page_is_what_its_script_writes():
    spec = importlib.util.spec_from_file_location("checks_page", ROOT / "tools" / "checks_page.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.PAGE.read_text(encoding="utf-8") == script.as_markdown(), (
        "docs/checks.md differs from the checks: run python tools/checks_page.py")
