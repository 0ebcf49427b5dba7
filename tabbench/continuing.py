"""What makes a run continuable: its frozen setup, its identity and its options, kept in the store."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from tabbench.core.errors import BadOption
from tabbench.core.finding import Finding
from tabbench.executors.local import machine_memory_bytes, usable_cores
from tabbench.executors.schedule import Skip
from tabbench.judging import Entry, Run
from tabbench.options import Options
from tabbench.preparing import Prepared, identity, require_same
from tabbench.store.database import Store
from tabbench.store.folder import MANIFEST, RunFolder, write_atomically
from tabbench.store.setups import load_setup, save_setup

NOT_KEPT = frozenset({"out", "fresh", "quiet", "jobs", "time_limit", "memory_limit", "test"})
"""Options that belong to one call: `resume` takes its own. The test file's rows are in the frozen table."""


def freeze(folder: RunFolder, store: Store, prepared: Prepared, options: Options) -> None:
    """Write the setup, or require that the folder holds the same one."""
    new = identity(prepared.setup, options)
    if not require_same(store, new, folder.path):
        save_setup(prepared.setup, folder.path)
        store.remember(identity=new, findings=[finding.to_json() for finding in prepared.findings])
    folder.keep()


def remember(store: Store, options: Options, entries: Sequence[Entry], sizes: tuple[int, ...], device: str) -> None:
    """Keep what `resume` needs, and say in manifest.json what this run is."""
    kept = {each.name: getattr(options, each.name) for each in fields(options) if each.name not in NOT_KEPT}
    if isinstance(options.approaches, Mapping):
        kept["approaches"] = [name if value == "default" else value for name, value in options.approaches.items()
                              if isinstance(value, str)]
        own = [name for name, value in options.approaches.items() if not isinstance(value, str)]
    else:
        own = []
    store.remember(options=kept, own=own, entries=[asdict(entry) for entry in entries], sizes=list(sizes), device=device)
    manifest = {"options": kept, "own_approaches": own, "sizes": list(sizes), "device": device, "jobs": options.jobs,
                "identity": store.recall("identity"), "hardware": _hardware()}
    write_atomically(store.folder / MANIFEST, json.dumps(manifest, indent=1, allow_nan=False).encode())


def recall_options(store: Store) -> Options:
    """The options of the run, but for those that belong to one call.

    Raises
    ------
    BadOption : the run has estimators of the user's own, or never got as far as its first cell.
    """
    kept, own = store.recall("options"), store.recall("own", [])
    if kept is None:
        raise BadOption(f"the run in {store.folder} ended before it was planned; start it again with tabbench compare")
    if own:
        raise BadOption(f"the run in {store.folder} has approaches of your own ({', '.join(own)}); "
                        "continue it from Python by the same call of compare")
    return Options(**kept)


def recall_prepared(store: Store) -> Prepared:
    """The frozen setup and its findings."""
    return Prepared(load_setup(store.folder), tuple(Finding(**finding) for finding in store.recall("findings")))


def recall_run(store: Store) -> Run:
    """Everything that the last judgement was made from.

    Raises
    ------
    BadOption : the run never got as far as its first cell.
    """
    kept, entries, sizes = store.recall("options"), store.recall("entries"), store.recall("sizes")
    if kept is None:
        raise BadOption(f"the run in {store.folder} ended before it was planned; start it again with tabbench compare")
    prepared = recall_prepared(store)
    names = {entry["name"] for entry in entries}
    planned = [cell for cell in store.cells() if cell.approach in names and cell.size in sizes]
    return Run(prepared.setup, tuple(Entry(**entry) for entry in entries), tuple(sizes), kept["preset"], kept["margin"], planned,
               prepared.findings, tuple(Skip(**skip) for skip in store.recall("skips", [])), store.recall("timing", {}))


def _hardware() -> dict[str, Any]:
    return {"system": platform.platform(), "python": platform.python_version(), "machine": platform.machine(),
            "cores": usable_cores(), "memory_gb": round(machine_memory_bytes() / 1e9, 1), "process": os.getpid()}
