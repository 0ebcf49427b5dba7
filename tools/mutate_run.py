"""Change the files of a finished run at random and see whether that is noticed or harmless.

python tools/mutate_run.py RUN --mutations 5000 [--seed 0]

Every mutation is made in a copy and judged in a process of its own, which may not die, hang, show a traceback, or give another
answer. A damaged store is repaired, and what is left must be part of what was there.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pandas as pd

from tabbench.comparison.result import reopen
from tabbench.comparison.resume import recall_run
from tabbench.core.errors import TabbenchError
from tabbench.report.as_json import to_json
from tabbench.splitting.splits import splits_fingerprint
from tabbench.store.database import Store
from tabbench.store.folder import DATABASE, RunFolder
from tabbench.store.repair import repair
from tabbench.store.spool import spool

SECONDS = 30
"""No mutation may take a reader longer."""
WHOLE_ANSWER_EVERY = 10
"""The result.json is made from what is read, so that it need not be made anew each time."""
ROWS = ("UPDATE {table} SET {column} = {value} WHERE rowid = {row}", "DELETE FROM {table} WHERE rowid = {row}",
        "UPDATE {table} SET {column} = (SELECT {column} FROM {table} ORDER BY rowid DESC LIMIT 1) WHERE rowid = {row}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE rowid = {row}", "DROP TABLE {table}",
        "ALTER TABLE {table} ADD COLUMN more TEXT", "CREATE INDEX another ON {table} ({column})")
VALUES = ("NULL", "''", "'x'", "x'00ff'", "-1", "1e999", "'{{}}'", "'[]'", "zeroblob(100000)")

Evidence = dict[str, object]


def mutated(content: bytes, choice: random.Random) -> bytes:
    """The same bytes but for one accident."""
    place, length = choice.randrange(len(content)), choice.choice((1, 2, 16, 512, 4096))
    part, end = content[place:place + length], place + length
    accidents: list[Callable[[], bytes]] = [
        lambda: content[:place] + bytes([content[place] ^ 1 << choice.randrange(8)]) + content[place + 1:],
        lambda: content[:place] + choice.randbytes(len(part)) + content[end:],
        lambda: content[:place] + bytes(len(part)) + content[end:],
        lambda: content[:place],
        lambda: content[:place] + content[end:],
        lambda: content[:place] + part + content[place:],
        lambda: content[:place] + content[:len(part)] + content[end:]]
    return choice.choice(accidents)()


def mutate_rows(path: Path, choice: random.Random) -> None:
    """What a statement of somebody with a SQLite client may do; a few of them fail, which is one way of doing no harm."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, suppress(sqlite3.Error):
        connection.execute("PRAGMA ignore_check_constraints = ON")
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        table = choice.choice(tables)
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        [(rows,)] = connection.execute(f"SELECT coalesce(max(rowid), 1) FROM {table}")
        connection.execute(choice.choice(ROWS).format(
            table=table, column=choice.choice(columns), value=choice.choice(VALUES).format(), row=choice.randint(1, rows)))


def evidence(folder: Path) -> Evidence:
    """All that a verdict is made from."""
    with Store.reading(folder) as store:
        run = recall_run(store)
        found: Evidence = {key: (store.header(key), result.predictions.tobytes() if result.predictions is not None else None)
                           for key in store.finished() if (result := store.result(key)) is not None}
        setup = run.setup
        return found | {
            "run": repr((run.entries, run.sizes, run.effort, run.margin, [cell.key for cell in run.planned], run.findings,
                         run.skips, run.timing, run.extrapolates, run.limited, run.plan)),
            "table": (pd.util.hash_pandas_object(setup.table.features).tolist(), setup.target.tolist(), setup.table.fingerprint),
            "splits": splits_fingerprint(setup.splits)}


def answer(folder: Path) -> Evidence:
    """The evidence and all that result.json says, costs included."""
    return evidence(folder) | {"result.json": to_json(reopen(folder))}


def damage(folder: Path, choice: random.Random) -> str:
    """Change one file of a run; gives its name."""
    kind = choice.choices(("run.db", "rows of run.db", "table.arrow", "splits.npz", "spool"), (4, 2, 2, 1, 1))[0]
    if kind == "rows of run.db":
        mutate_rows(folder / DATABASE, choice)
    elif kind == "spool":
        _damage_spool(folder, choice)
    else:
        (folder / kind).write_bytes(mutated((folder / kind).read_bytes(), choice))
    return kind


def _damage_spool(folder: Path, choice: random.Random) -> None:
    """A result is on its way into the store and is damaged there."""
    with Store(folder) as store:
        key = choice.choice(sorted(store.finished()))
        path = spool(store.result(key), folder / "spool")
        store.forget([key])
        path.write_bytes(mutated(path.read_bytes(), choice))
        store.adopt_spooled()


def outcome(folder: Path, kind: str, before: Evidence, answer: Callable[[Path], Evidence]) -> str:
    """What came of a mutation: "harmless", "detected", "repaired" or what is wrong."""
    try:
        found = answer(folder)
    except TabbenchError:
        return _repaired(folder, before) if "run.db" in kind else "detected"
    if kind == "spool":  # the cell runs again, unless the damage has left the result as it was
        return "harmless" if all(before[key] == value for key, value in found.items() if key != "result.json") else "WRONG"
    expected = {key: value for key, value in before.items() if key in found or key != "result.json"}
    return "harmless" if found == expected else "WRONG"


def _repaired(folder: Path, before: Evidence) -> str:
    """What a repair leaves: part of what was there, or a sentence."""
    try:
        with RunFolder.open(folder):
            repair(folder)
            with Store(folder) as store:
                kept = {key: (store.header(key), store.result(key).predictions.tobytes()) for key in store.finished()
                        if store.result(key).predictions is not None}
    except TabbenchError:
        return "detected"
    return "repaired" if all(before[key] == value for key, value in kept.items()) else "WRONG after a repair"


def apart(judge: Callable[[], str]) -> str:
    """The outcome that a process of its own finds, or how it ended without one."""
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        signal.alarm(SECONDS)
        text = "TRACEBACK"
        try:
            text = judge()
        finally:
            if text == "TRACEBACK":
                text = f"{text} {traceback.format_exc()[-1500:]}"
            os.write(writer, text.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    _, status = os.waitpid(pid, 0)
    return said or f"DIED of signal {os.WTERMSIG(status)}"


def main() -> None:
    """Print how many mutations of which file came to what; exit with 1 where one was not handled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--mutations", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    before, counts, wrong = answer(given.run), Counter[tuple[str, str]](), []
    for number in range(given.mutations):
        judged_by = evidence if number % WHOLE_ANSWER_EVERY else answer
        choice = random.Random(f"{given.seed}-{number}")
        with tempfile.TemporaryDirectory(prefix="tabbench-mutate-") as place:
            folder = Path(shutil.copytree(given.run, Path(place) / "run"))
            kind = damage(folder, choice)
            found = apart(lambda folder=folder, kind=kind, judged_by=judged_by: outcome(folder, kind, before, judged_by))
        counts[kind, found.split()[0]] += 1
        if (number + 1) % 500 == 0:
            print(f"{number + 1:,} mutations, {len(wrong)} not handled so far", flush=True)
        if not found.islower():
            wrong.append(number)
            print(f"mutation {number} of {kind}: {found}", flush=True)
    for (kind, found), count in sorted(counts.items()):
        print(f"{kind:15} {found:10} {count:,}")
    print(f"{given.mutations:,} mutations, {len(wrong)} of them not handled")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
