"""Putting a run aside while another one begins in its folder: a kill at any moment leaves the old one or the new one whole.

The name of one subfolder tells how far it has come, and it goes from one name to the next by one rename: ASIDE holds those files
of the old run that were moved so far, the others are still in their places; PREVIOUS holds the whole old run, and what is in its
places is of the new one; DISCARDED holds an old run whose successor is worth keeping.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

ASIDE, PREVIOUS, DISCARDED = ".tabbench-aside", ".tabbench-previous", ".tabbench-discarded"


def put_aside(path: Path, names: Iterable[str]) -> None:
    """Put the run's files with these names aside; `settle` brings them back."""
    aside = path / ASIDE
    aside.mkdir()
    for name in sorted(names):
        if _exists(path / name):
            (path / name).rename(aside / name)
    aside.rename(path / PREVIOUS)


def discard(path: Path) -> None:
    """The run that was put aside is not needed any more."""
    if (path / PREVIOUS).is_dir():
        (path / PREVIOUS).rename(path / DISCARDED)
    shutil.rmtree(path / DISCARDED, ignore_errors=True)


def is_settled(path: Path) -> bool:
    """Whether no run is put aside, at work or by a process that was killed."""
    return not any((path / name).is_dir() for name in (ASIDE, PREVIOUS))


def settle(path: Path, names: Iterable[str]) -> None:
    """Bring back a run that was put aside and not discarded; what is in its place goes away."""
    if (path / PREVIOUS).is_dir():
        remove(path, names)
        (path / PREVIOUS).rename(path / ASIDE)
    if (path / ASIDE).is_dir():
        for child in list((path / ASIDE).iterdir()):
            child.rename(path / child.name)
        (path / ASIDE).rmdir()
    shutil.rmtree(path / DISCARDED, ignore_errors=True)


def remove(path: Path, names: Iterable[str]) -> None:
    """Remove files and folders, links themselves and not what they point to."""
    for name in names:
        child = path / name
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink(missing_ok=True)


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()
