"""Which libraries a number depends on."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("tabbench", "numpy", "scipy", "pandas", "scikit-learn", "xgboost", "lightgbm", "catboost", "torch")
"""Libraries whose version can change a number; a run is continued only with the same ones."""


def versions() -> dict[str, str]:
    """Return the installed versions of the libraries that can change a number."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def tabbench_version() -> str:
    """Return the version of tabbench, also where it is imported without being installed."""
    return str(sys.modules["tabbench"].__version__)
