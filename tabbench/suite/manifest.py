"""manifest.json of a suite's run: what it depends on, and which tables could not be used. Knows no table's content."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tabbench.comparison.plan import Contestants
from tabbench.comparison.resume import hardware
from tabbench.core.errors import BadData
from tabbench.core.files import write_atomically
from tabbench.core.versions import versions
from tabbench.options import Options
from tabbench.suite.definition import Suite
from tabbench.suite.freezing import Frozen, plain_values
from tabbench.suite.layout import MANIFEST
from tabbench.suite.run_options import kept_options


def write_manifest(folder: Path, suite: Suite, options: Options, contestants: Contestants, jobs: int,
                   frozen: Iterable[Frozen]) -> None:
    """Write it anew."""
    threads = {name: os.environ[name] for name in sorted(os.environ) if name.endswith("_NUM_THREADS")}
    values = {"suite": suite.name, "title": suite.title, "options": kept_options(options),
              "own_approaches": [*contestants.own, *contestants.aliases], "seed": options.seed,
              "versions": versions(), "hardware": hardware(), "jobs": jobs, "threads": threads,
              "approaches": list(contestants.names), "tables": [plain_values(each) for each in frozen]}
    write_atomically(folder / MANIFEST, json.dumps(values, indent=1, allow_nan=False).encode())


def own_approaches(folder: Path) -> list[str]:
    """The names of the user's own estimators that took part."""
    return [str(name) for name in _read(folder).get("own_approaches", [])]


def problems(folder: Path) -> dict[str, str]:
    """Why tables could not be used, by name."""
    return {str(table["name"]): str(table["problem"]) for table in _read(folder).get("tables", []) if table.get("problem")}


def _read(folder: Path) -> dict[str, Any]:
    """What it holds; nothing where there is none yet.

    Raises
    ------
    BadData
        It is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path} is not JSON ({error}); {_CURE}") from error
    if not isinstance(values, dict) or not all(isinstance(table, dict) and "name" in table for table in values.get("tables", [])):
        raise BadData(f"{path} is not a suite's manifest; {_CURE}")
    return values


_CURE = "delete it and run the suite again with the same folder: it is written anew, and nothing finished is lost"
