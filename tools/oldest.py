"""Prints the oldest versions that pyproject.toml allows, as constraints for pip: what `make test-oldest` installs.

    python tools/oldest.py > constraints.txt

Of the packages that a user needs, with all extras but `onnx`, which few need, `test` and `dev`; the tools of development are as
new as these let them be.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
LEFT_OUT = ("onnx", "test", "dev")
OWN_VERSION = {"torch": "2.13.0"}
"""torch's wheels are large and each index keeps others of them; the lower bound is tested by the version in constraints.txt."""


def constraints(project: dict[str, object]) -> list[str]:
    """`name==version` for each lower bound of the project's table in pyproject.toml."""
    extras = project["optional-dependencies"]
    assert isinstance(extras, dict)
    groups = [group for name, group in extras.items() if name not in LEFT_OUT]
    asked = [*project["dependencies"], *(each for group in groups for each in group)]  # type: ignore[misc]
    bounds = [re.fullmatch(r"([\w.-]+)>=([\w.]+)", each) for each in asked]
    return [f"{bound[1]}=={OWN_VERSION.get(bound[1], bound[2])}" for bound in bounds if bound]


def main() -> None:
    """Print them, one a line."""
    print("\n".join(constraints(tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"])))


if __name__ == "__main__":
    main()
