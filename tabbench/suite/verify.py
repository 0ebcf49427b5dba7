"""`verify`: run random cells of a finished run or suite again, and check that its files say what its stores hold."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tabbench.comparison.integrity import DAMAGED, check_folder, differences_between, read_json
from tabbench.comparison.rerun import is_planned, own_approaches, repeatable_cells, rerun_cells
from tabbench.core.errors import BadOption, OptionMention, UnknownName
from tabbench.core.verification import Damage, Difference, FolderCheck, Rerun, RerunCell, Verification
from tabbench.report.suite_as_json import suite_values
from tabbench.store.folder import DATABASE, is_store
from tabbench.suite.assemble import suite_result
from tabbench.suite.gather import named_tables, read_definition
from tabbench.suite.layout import RESULT, SUITE, TABLES
from tabbench.wording.verification import verification_sentences


def verify(folder: str | Path, *, cells: int = 5, seed: int | None = None, jobs: int = 1,
           approaches: Mapping[str, Any] | None = None) -> Verification:
    """Verify a finished run or suite.

    Random cells are fitted again and their predictions compared with the stored ones: bit by bit where the versions of the
    libraries and the CPU model are the same, else by the cell's score, which may differ by the margin. Without fitting
    anything, the checksum of every stored result is checked, and that result.json is what the stored predictions give.
    Nothing is written into the folder.

    Parameters
    ----------
    folder : str or path
        Folder of a run, or of a suite.
    cells : int, default 5
        Number of cells to run again, from all tables together; 0 only checks the files.
    seed : int or None, default None
        Seed of the choice of cells; None draws one, which the answer tells.
    jobs : int, default 1
        Number of workers; with 1 the cells run in this process.
    approaches : mapping of str to estimator or None, default None
        The estimators of your own that took part in the run, by name. Without them their cells cannot be run again.

    Returns
    -------
    verification : Verification
        What was found; `str` gives it in sentences.

    Raises
    ------
    BadOption
        The folder holds no run, or a number is out of range.
    UnknownName
        No run has such an approach of your own.

    See Also
    --------
    compare : Run a comparison.
    """
    for name, number, least in (("cells", cells, 0), ("jobs", jobs, 1), ("seed", 0 if seed is None else seed, 0)):
        if number < least:
            raise BadOption.about(OptionMention(name), f" is {number}; give {least} or more")
    folders, approaches = run_folders(Path(folder)), approaches or {}
    known = {name for each in folders for name in own_approaches(each)}
    if unknown := sorted(set(approaches) - known):
        raise UnknownName.among("approach of your own in this run:", unknown[0], sorted(known))
    seed = secrets.randbelow(2**31) if seed is None else seed
    checks = [check_folder(each) for each in folders]
    if (folder := Path(folder)) not in folders:
        checks += _check_suite(folder, checks)
    rerun = tuple(_rerun(folders, cells, seed, jobs, approaches))
    is_equal = not any(each.differences for each in checks) and all(each.outcome is not Rerun.DIFFERS for each in rerun)
    return Verification(str(folder), is_equal, verification_sentences(checks, rerun, seed), rerun, tuple(checks), seed)


def run_folders(folder: Path) -> list[Path]:
    """The run folders of a suite that have got as far as a plan, in order of their names, or the one that the folder itself is.

    Tables that were taken out of the suite are not among them.

    Raises
    ------
    BadOption
        The folder holds neither.
    """
    if is_store(folder / DATABASE):
        return [folder]
    names = named_tables(read_definition(folder / SUITE), folder) if (folder / TABLES).is_dir() else {}
    found = sorted(each for name in names if is_planned(each := folder / TABLES / name))
    if not found:
        raise BadOption(f"{folder} holds neither a run nor a suite's tables; give the folder that `tabbench compare` or "
                        "`tabbench suite run` has written")
    return found


def _check_suite(folder: Path, checks: Sequence[FolderCheck]) -> list[FolderCheck]:
    """Whether a suite's own result.json is what its runs give; nothing where there is none, or a run of it cannot be read."""
    is_readable = not any(each.kind is Damage.UNREADABLE for check in checks for each in check.differences)
    if not (folder / RESULT).is_file() or not is_readable:
        return []
    name, is_same = folder.resolve().name, not any(each.is_compared_by_scores for each in checks)
    written = read_json(folder / RESULT)
    if not isinstance(written, dict):
        return [FolderCheck(name, 0, (Difference(Damage.UNREADABLE, name, value=RESULT),))]
    try:
        computed = suite_values(suite_result(folder))
    except DAMAGED as error:
        return [FolderCheck(name, 0, (Difference(Damage.UNREADABLE, name, value=RESULT, written=str(error)),))]
    return [FolderCheck(name, 0, tuple(differences_between(name, written, computed, is_exact=is_same)), not is_same)]


def _rerun(folders: list[Path], cells: int, seed: int, jobs: int, approaches: Mapping[str, Any]) -> Iterator[RerunCell]:
    pool = [(folder, key) for folder in folders for key in repeatable_cells(folder)]
    chosen = np.sort(np.random.default_rng(seed).choice(len(pool), min(cells, len(pool)), replace=False))
    for folder in folders:
        keys = [pool[place][1] for place in chosen if pool[place][0] == folder]
        if keys:
            yield from rerun_cells(folder, keys, jobs=jobs, approaches=approaches)
