"""Named bytes in a folder or in one uncompressed zip file: written at once or not at all, read with suspicion.

Knows which members a model may have and nothing of what they mean.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import struct
import tempfile
import zipfile
from pathlib import Path

from tabbench.core.errors import BadData, BadOption

DESCRIPTION = "model.json"
ARRAYS = "arrays.safetensors"
BLOBS = "blobs"
KNOWN_MEMBERS = re.compile(r"model\.json|arrays\.safetensors|blobs/[0-9]{3,6}")
"""Nothing else is read or written, so no name can lead out of the model's own folder."""

PICKLE_SUFFIXES = frozenset({".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".dill"})

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold: the same model gives the same bytes on every day."""


PICKLE_START = b"\x80"
"""The first byte of every binary pickle."""


def blob_name(number: int) -> str:
    """The member that holds the blob of this number."""
    return f"{BLOBS}/{number:03d}"


def refuse_pickle_name(path: Path) -> None:
    """Raise `BadOption` when the name promises a pickle, which tabbench neither reads nor writes."""
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise BadOption(f"{path} is named like a pickle, which can run any code when it is read, so tabbench neither reads "
                        "nor writes one; use a name like model.tabbench, or a folder")


def write_members(path: Path, members: dict[str, bytes]) -> Path:
    """Write a single file when the name has a suffix and is no folder, else a folder; a model there is replaced.

    Raises
    ------
    BadOption
        When something else is in the way, or the place cannot be written.
    """
    try:
        as_folder = path.is_dir() or not path.suffix
        _refuse_to_overwrite(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(dir=path.parent, prefix=".tabbench-"))
        try:
            new = workplace / "new"
            if as_folder:
                _write_folder(new, members)
            else:
                _write_synced(new, _zipped(members))
            _put_in_place(new, path, workplace / "old")
        finally:
            shutil.rmtree(workplace)
    except OSError as error:
        raise BadOption(f"the model cannot be written to {path} ({error.strerror}); name another place") from error
    return path


def read_members(path: Path) -> dict[str, bytes]:
    """All members of the model at `path`, the description among them.

    Raises
    ------
    BadData
        When there is no model at `path` or its container is damaged.
    BadOption
        When it is named like a pickle.
    """
    refuse_pickle_name(path)
    try:
        if not path.exists():
            raise BadData(f"there is no model at {path}; `tabbench export` and `tabbench compare --save-winner` write one")
        members = _read_folder(path) if path.is_dir() else _read_file(path)
    except OSError as error:
        raise BadData(f"the model at {path} cannot be read ({error.strerror}); check the name and its permissions") from error
    if DESCRIPTION not in members or ARRAYS not in members:
        hint = f"; did you mean {path / 'winner'}?" if (path / "winner" / DESCRIPTION).is_file() else ""
        raise BadData(f"{path} is not a tabbench model, since it lacks {DESCRIPTION} or {ARRAYS}"
                      f"{hint or '; name what `tabbench export` wrote'}")
    return members


def _refuse_to_overwrite(path: Path) -> None:
    """Whatever is at `path` must be a model and nothing more, an empty folder, or nothing."""
    inside = [*path.iterdir(), *(path / BLOBS).glob("*")] if path.is_dir() else []
    if not path.exists() or (path.is_dir() and not inside):
        return
    names = sorted(file.relative_to(path).as_posix() for file in inside)
    foreign = [name for name in names if not KNOWN_MEMBERS.fullmatch(name) and name != BLOBS]
    if foreign:
        raise BadOption(f"{path} holds {foreign[0]}, which is no part of a tabbench model, so it is left alone; "
                        "name another place")
    try:
        read_members(path)
    except BadData as error:
        raise BadOption(f"{path} exists and is not a tabbench model, so it is left alone; name another place") from error


def _put_in_place(new: Path, path: Path, old: Path) -> None:
    """Rename `new` to `path`. A folder that is not empty cannot be replaced in one step: it steps aside to `old` first."""
    if not path.is_dir():
        new.replace(path)
        return
    path.replace(old)
    try:
        new.replace(path)
    except OSError:
        old.replace(path)
        raise


def _write_folder(path: Path, members: dict[str, bytes]) -> None:
    path.mkdir()
    for name, data in members.items():
        member = path / name
        member.parent.mkdir(exist_ok=True)
        _write_synced(member, data)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.create_system = 3  # Unix everywhere, so that every system writes the same bytes
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _read_folder(path: Path) -> dict[str, bytes]:
    files = [file for file in [path / DESCRIPTION, path / ARRAYS, *(path / BLOBS).glob("*")] if file.is_file()]
    names = {file: file.relative_to(path).as_posix() for file in files}
    return {name: file.read_bytes() for file, name in names.items() if KNOWN_MEMBERS.fullmatch(name)}


def _read_file(path: Path) -> dict[str, bytes]:
    if not path.is_file():
        raise BadData(f"{path} is neither a file nor a folder; name what `tabbench export` wrote")
    data = path.read_bytes()
    if data[:1] == PICKLE_START:
        raise BadData(f"{path} is a pickle, which can run any code when it is read, so tabbench reads none; "
                      "name what `tabbench export` wrote")
    try:
        return _unzipped(path, data)
    except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError, struct.error) as error:
        # RuntimeError is how zipfile refuses encryption and unknown compression.
        raise BadData(f"{path} is not a tabbench model or is damaged ({error}); export the model again") from error


def _unzipped(path: Path, data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        foreign = sorted(name for name in names if not KNOWN_MEMBERS.fullmatch(name))
        if foreign or len(names) < len(entries):
            raise BadData(f"{path} is not a tabbench model: it holds {foreign[0] if foreign else 'a member twice'!r}; "
                          "name what `tabbench export` wrote")
        # What is stored as it is cannot grow when it is read: the members together are no larger than the file.
        if any(entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size for entry in entries) \
                or sum(entry.file_size for entry in entries) > len(data):
            raise BadData(f"{path} was packed by another program; export the model again")
        return {entry.filename: archive.read(entry) for entry in entries}
