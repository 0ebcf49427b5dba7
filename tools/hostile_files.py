"""Read tables, cards, suites and submissions that were changed at random, as strangers and failing disks make them.

python tools/hostile_files.py [--files 600] [--seed 0] [--only parquet,card]

Every file must be read or be refused with a sentence: a traceback, the death of the process or a hang is a fault, and makes the
command end with 1.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import random
import shutil
import sqlite3
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from crafted_models import change_bytes, change_text, ended, table

import tabbench
from tabbench.comparison.check import check
from tabbench.options import Options
from tabbench.reading.card import read_card
from tabbench.suite.board import export_submission, merge_board
from tabbench.suite.definition import read_suite
from tabbench.suite.report import read_result

ROWS = 60
ARFF = "@relation r\n@attribute x numeric\n@attribute colour {a,b}\n@attribute y {no,yes}\n@data\n"
SUITE = '''name = "mine"
title = "Mine"
[options]
folds = 3
[[tables]]
source = "yacht"
origin = "somewhere"
metric = "mae"
[[tables]]
source = "generated:xor,noise=0.5"
name = "xor"
'''

Sound = tuple[Path, Callable[[Path], object]]


def main() -> None:
    """Change files, read each, count how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="kinds, all where it is empty")
    given = parser.parse_args()
    counts, start = Counter[str](), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tabbench-hostile-") as name:
        place = Path(name)
        kinds = sound_files(place)
        names = given.only.split(",") if given.only else sorted(kinds)
        for each in names:
            require_read(*kinds[each])
        for number in range(given.files):
            counts[changed_and_read(place, number, given.seed, names, kinds)] += 1
    print(f"{given.files} files in {time.monotonic() - start:.0f} s: {dict(counts)}")
    sys.exit(bool(counts.keys() - {"read", "refused"}))


def changed_and_read(place: Path, number: int, seed: int, names: list[str], kinds: dict[str, Sound]) -> str:
    """Change a file of some kind and read it; tells how that ended."""
    choice = random.Random(f"{seed}-{number}")
    kind = choice.choice(names)
    path, read = kinds[kind]
    changed = place / "changed" / path.name
    changed.parent.mkdir(exist_ok=True)
    content = path.read_bytes()
    is_text = kind in ("card", "suite", "result.json", "json", "arff")
    changed.write_bytes(change_text(content, choice) if is_text and choice.random() < 0.7 else change_bytes(content, choice))
    how, said = ended(lambda: str(read(changed))[:50])
    if how not in ("read", "refused"):
        print(f"{number} {kind}: {how}: {said.strip()[-1500:]}", flush=True)
    shutil.rmtree(changed.parent)
    return how


def require_read(path: Path, read: Callable[[Path], object]) -> None:
    """Without any change a file must be read, or nothing is learnt from those that are refused."""
    how, said = ended(lambda: str(read(path))[:50])
    if how != "read":
        raise SystemExit(f"the sound file {path.name} is not read: {said}")


def sound_files(place: Path) -> dict[str, Sound]:
    """A file of every kind and what reads it."""
    return table_files(place) | {
        "card": (Path(shutil.copy(Path(__file__).parents[1] / "datasets" / "yacht.toml", place)), read_card),
        "suite": (_written(place / "mine.toml", SUITE.encode()), read_suite)} | suite_files(place)


def table_files(place: Path) -> dict[str, Sound]:
    """One table in many formats."""
    frame = table(ROWS).assign(answer=["no", "yes"] * (ROWS // 2))
    arrow, text = pa.Table.from_pandas(frame), frame.to_csv(index=False).encode()
    pa.feather.write_feather(arrow, place / "t.feather", compression="uncompressed")
    pa.feather.write_feather(arrow, place / "lz4.feather", compression="lz4")
    pa.parquet.write_table(arrow, place / "t.parquet")
    pa.parquet.write_table(arrow, place / "plain.parquet", compression="none", use_dictionary=False)
    with pa.OSFile(str(place / "t.arrows"), "wb") as sink, pa.ipc.new_stream(sink, arrow.schema) as writer:
        writer.write_table(arrow)
    frame.astype(str).to_excel(place / "t.xlsx", index=False)
    with contextlib.closing(sqlite3.connect(place / "t.sqlite")) as database, database:
        frame.astype(str).to_sql("t", database, index=False)
    with zipfile.ZipFile(place / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", text)
    _written(place / "t.csv.gz", gzip.compress(text))
    _written(place / "t.csv", text)
    _written(place / "t.json", frame.astype(str).to_json(orient="records").encode())
    rows = "\n".join(f"{x},{'ab'[i % 2]},{y}" for i, (x, y) in enumerate(zip(frame["x"], frame["answer"], strict=True)))
    _written(place / "t.arff", (ARFF.replace("@attribute y", "@attribute answer") + rows).encode())
    names = ("t.feather", "lz4.feather", "t.parquet", "plain.parquet", "t.arrows", "t.xlsx", "t.sqlite", "t.zip", "t.csv.gz",
             "t.csv", "t.json", "t.arff")
    return {name.removeprefix("t."): (place / name, _checked) for name in names}


def suite_files(place: Path) -> dict[str, Sound]:
    """What a suite's run hands on to others."""
    frame = table(ROWS).assign(answer=["no", "yes"] * (ROWS // 2))
    frame.to_csv(place / "first.csv", index=False)
    suite = _written(place / "two.toml", b'tables = [{source = "first.csv", target = "answer"}]')
    tabbench.run_suite(suite, out=place / "run", approaches="linear", effort=0.02, folds=2, repeats=1, sizes="full", quiet=True)
    export_submission(place / "run", place / "mine.board.parquet", "Ada")
    return {"result.json": (place / "run" / "result.json", read_result),
            "board": (place / "mine.board.parquet", lambda path: merge_board([path], path.parent / "board"))}


def _checked(path: Path) -> object:
    return check(str(path), Options(target="answer").checked()).as_text()


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


if __name__ == "__main__":
    main()
