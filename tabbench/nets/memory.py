"""Tells an error that means too little memory from all others."""

from __future__ import annotations

import torch

CPU_MESSAGES = ("can't allocate memory", "not enough memory")
"""torch's allocator for the CPU raises a plain RuntimeError."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch may help."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(text in str(error) for text in CPU_MESSAGES)
