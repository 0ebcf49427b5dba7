"""Checkpoints of a training: two generations, each complete or absent, with a checksum of its own.

The newest that is whole is read; a torn one is passed over for the one before. Tensors are in safetensors' format, which cannot
carry code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

import tabbench
from tabbench.core.errors import BadOption
from tabbench.core.files import write_atomically

GENERATIONS = ("checkpoint-0.safetensors", "checkpoint-1.safetensors")
FORMAT = 1


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """`identity` says what was trained on what; `tensors` and plain `values` are the state."""

    identity: str
    tensors: dict[str, Tensor]
    values: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Found:
    """The newest whole checkpoint; `trouble` says why a newer one was passed over."""

    checkpoint: Checkpoint
    trouble: str


def has_checkpoint(folder: Path) -> bool:
    """Whether there is one in a folder, whole or not."""
    return any(True for _ in _written(folder))


def open_folder(folder: Path) -> None:
    """Make the folder, before hours are spent.

    Raises
    ------
    BadOption
        It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadOption(f"checkpoint: {folder} cannot be written to: {error.strerror}") from error


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write over the older generation.

    Raises
    ------
    OSError
        The disk is full or the folder cannot be written; the other generation stays as it was.
    """
    number = checkpoint.values["epoch"]
    head = json.dumps({"format": FORMAT, "identity": checkpoint.identity, "values": checkpoint.values})
    body = save({name: value.detach().cpu().contiguous().clone() for name, value in checkpoint.tensors.items()}, {"head": head})
    write_atomically(folder / GENERATIONS[number % 2], hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def read_checkpoint(folder: Path, identity: str, parameter: str = "resume_from") -> Found:
    """The newest whole checkpoint in a folder that a parameter names.

    Raises
    ------
    BadOption
        There is none, or it was written for other rows, parameters or versions.
    """
    whole: list[Checkpoint] = []
    torn: list[str] = []
    for path in _written(folder):
        try:
            whole.append(_read(path))
        except (ValueError, KeyError, SafetensorError) as error:
            torn.append(f"{path.name}: {error}")
    if not whole:
        raise BadOption(f"{parameter}: there is no whole checkpoint in {folder}{': ' if torn else ''}{'; '.join(torn)}")
    fitting = [each for each in whole if each.identity == identity]
    if not fitting:
        raise BadOption(f"{parameter}: the checkpoint in {folder} was written for other rows, parameters or versions; give `fit` "
                        "what it was given then" + (", or name another folder" if parameter == "checkpoint" else ""))
    return Found(max(fitting, key=lambda each: each.values["epoch"]), "; ".join(torn))


def _written(folder: Path) -> Iterator[Path]:
    return (folder / name for name in GENERATIONS if (folder / name).exists())


def _read(path: Path) -> Checkpoint:
    checksum, _, body = path.read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        raise ValueError("its checksum is wrong")
    length = int.from_bytes(body[:8], "little")
    head = json.loads(json.loads(body[8:8 + length])["__metadata__"]["head"])
    if head["format"] != FORMAT:
        raise ValueError(f"its format is {head['format']}, not {FORMAT}")
    return Checkpoint(head["identity"], load(body), head["values"])


def identity_of(*parts: Any) -> str:
    """A digest of arrays, tensors and plain values, and of the versions that make numbers of them."""
    digest = hashlib.sha256(f"{tabbench.__version__} {torch.__version__}".encode())
    for part in parts:
        array = part.detach().cpu().numpy() if isinstance(part, torch.Tensor) else part
        digest.update(array.tobytes() if hasattr(array, "tobytes") else json.dumps(array, sort_keys=True, default=str).encode())
    return digest.hexdigest()
