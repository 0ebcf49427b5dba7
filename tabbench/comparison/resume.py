"""What makes a run continuable: its frozen setup, its identity and its options, kept in the store."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from tabbench.comparison.plan import Contestants
from tabbench.comparison.prepare import Prepared, differs, identity, require_same
from tabbench.comparison.run import Entry, Run
from tabbench.core.errors import BadOption, OptionMention
from tabbench.core.files import write_atomically
from tabbench.core.finding import Finding
from tabbench.core.limits import Limited
from tabbench.core.progress import Display
from tabbench.core.setup import Setup
from tabbench.core.skip import Skip
from tabbench.core.versions import versions
from tabbench.execution.machine import cpu_model, machine_memory_bytes, usable_cores
from tabbench.options import Options, reading_options, work_of
from tabbench.store.database import Store
from tabbench.store.folder import MANIFEST, SPLITS, RunFolder, writing
from tabbench.store.setups import file_digest, has_setup, load_setup, save_given, save_setup, save_splits, setup_digests

NOT_KEPT = frozenset({"out", "fresh", "quiet", "dry_run", "jobs", "executor", "time_limit", "memory_limit", "test"})
"""Options that belong to one call: `resume` takes its own. The test file's rows are in the frozen table."""


def freeze(folder: RunFolder, store: Store, prepared: Prepared, options: Options, *, may_have_more_repeats: bool = False) -> None:
    """Write the setup, or require that the folder holds the same one, but for further repeats where those may be added."""
    new = identity(prepared.setup, options)
    if may_have_more_repeats:
        _add_repeats(store, prepared, new)
    is_there = require_same(store, new, folder.path)
    with writing(folder.path):
        _write(store, prepared.setup, is_whole=is_there and has_setup(folder.path, store.recall("setup_digests")))
    if not is_there:
        store.remember(identity=new, findings=[finding.to_json() for finding in prepared.findings])
    folder.keep()


def _write(store: Store, setup: Setup, *, is_whole: bool) -> None:
    """Write what is not there or damaged, and always the rows as given, whose types may be others than in an earlier call."""
    if not is_whole:
        save_setup(setup, store.folder)
    elif setup.given is not None:
        save_given(setup.given, store.folder)
    else:
        return
    store.remember(setup_digests=setup_digests(store.folder))


def _add_repeats(store: Store, prepared: Prepared, new: dict[str, Any]) -> None:
    old = store.recall("identity")
    if old is not None and new["--repeats"] > old["--repeats"] and new == old | {"--repeats": new["--repeats"]}:
        with writing(store.folder):
            save_splits(prepared.setup.splits, store.folder)  # the repeats that are there already stay as they are
            digests = store.recall("setup_digests", {}) | {SPLITS: file_digest(store.folder / SPLITS)}
            store.remember(identity=new, setup_digests=digests)


def remember(store: Store, run: Run, options: Options, contestants: Contestants, device: str) -> None:
    """Keep what `resume` and `report` need, and say in manifest.json what this run is."""
    kept = {each.name: getattr(options, each.name) for each in fields(options) if each.name not in NOT_KEPT}
    own, sizes = list(contestants.own), run.sizes
    if isinstance(options.approaches, Mapping):
        kept["approaches"] = {name: value for name, value in options.approaches.items() if isinstance(value, str)}
    store.remember(options=kept, own=own, aliases=dict(contestants.aliases), entries=[asdict(entry) for entry in run.entries],
                   sizes=list(sizes), device=device, planned=[cell.key for cell in run.planned])
    manifest = {"options": kept, "own_approaches": own, "sizes": list(sizes), "device": device, "jobs": options.jobs,
                "identity": store.recall("identity"), "plan": run.plan, "hardware": hardware()}
    with writing(store.folder):
        write_atomically(store.folder / MANIFEST, json.dumps(manifest, indent=1, allow_nan=False).encode())


@contextlib.contextmanager
def resumable(store: Store, display: Display) -> Iterator[None]:
    """Say on standard error, also when quiet, how an interrupted run goes on."""
    try:
        yield
    except KeyboardInterrupt:
        display.close()
        say_how_to_continue(store)
        raise


def say_how_to_continue(store: Store) -> None:
    """What an interruption has left, on standard error."""
    if store.recall("planned") is None:
        print("interrupted before the first cell", file=sys.stderr)
        return
    how = "the same call of compare" if store.recall("own") else f"tabbench resume {shlex.quote(str(store.folder))}"
    print(f"interrupted; nothing finished is lost. Continue with: {how}", file=sys.stderr)


def recall_options(store: Store) -> Options:
    """The options of the run, but for those that belong to one call.

    Raises
    ------
    BadOption : the run has estimators of the user's own, was made with other versions of a library, or never got as far as
        its first cell.
    """
    kept, own = store.recall("options"), store.recall("own", [])
    if kept is None:
        raise BadOption(f"the run in {store.folder} ended before it was planned; start it again with tabbench compare")
    if own:
        raise BadOption(f"the run in {store.folder} has approaches of your own ({', '.join(own)}); "
                        "continue it from Python by the same call of compare")
    require_same_versions(store)
    return Options(**kept)


def require_same_versions(store: Store) -> None:
    """Refuse to continue a frozen run with other versions of the libraries.

    Raises
    ------
    BadOption
        They are others.
    """
    old = store.recall("identity")["versions"]
    if old != versions():
        raise BadOption.about(f"{store.folder} holds a run with {differs('versions', old, versions())}; install the same "
                              "versions, or start over with ", OptionMention("fresh"))


def recall_prepared(store: Store) -> Prepared:
    """The frozen setup and its findings."""
    setup = load_setup(store.folder, store.recall("setup_digests"))
    return Prepared(setup, recall_findings(store))


def recall_findings(store: Store) -> tuple[Finding, ...]:
    """What reading and, where they have ended, the checks have found."""
    return tuple(Finding.from_json(finding) for finding in store.recall("findings"))


def recall_run(store: Store) -> Run:
    """Everything that the last judgement was made from.

    Raises
    ------
    BadOption
        The run never got as far as its first cell.
    """
    kept, entries, sizes = store.recall("options"), store.recall("entries"), store.recall("sizes")
    if kept is None:
        raise BadOption(f"the run in {store.folder} ended before it was planned; start it again with tabbench compare")
    prepared = recall_prepared(store)
    planned, plan, limited = store.cells(store.recall("planned")), store.recall("plan"), store.recall("limited")
    effort = work_of(kept.get("effort"), kept["preset"]) if plan is None else plan["effort"]
    return Run(prepared.setup, tuple(Entry(**entry) for entry in entries), tuple(sizes), effort, kept["margin"], planned,
               prepared.findings, tuple(Skip.from_json(each) for each in store.recall("skips", [])), store.recall("timing", {}),
               extrapolates=kept.get("extrapolate", False), limited=None if limited is None else Limited.from_json(limited),
               plan=store.recall("run_plan"), reading=reading_options(kept))


def hardware() -> dict[str, Any]:
    """The machine, as a manifest tells of it."""
    return {"system": platform.platform(), "python": platform.python_version(), "machine": platform.machine(),
            "cpu": cpu_model(), "cores": usable_cores(), "threads_per_cell": 1,
            "memory_gb": round(machine_memory_bytes() / 1e9, 1), "process": os.getpid()}
