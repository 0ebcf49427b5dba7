"""Ctrl-C while cells run: the first one asks for an end, the second one is an end. Knows signals only."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@dataclass
class Stop:
    """Whether somebody has asked for an end."""

    is_requested: bool = False


@contextlib.contextmanager
def stopping() -> Iterator[Stop]:
    """While it holds, the first interruption only sets `is_requested`; the next one is a `KeyboardInterrupt`, as ever.

    What is ignored (as under nohup) stays so; outside the main thread, which gets no signals, nothing changes.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(number: int, frame: object) -> None:
        if stop.is_requested:
            raise KeyboardInterrupt
        stop.is_requested = True

    # A handler that was not installed from Python is None and cannot be put back.
    before = {number: handler for number in SIGNALS
              if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None) and _interrupts(number, handler)}
    try:
        for number in before:
            signal.signal(number, request)
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupts(number: int, handler: object) -> bool:
    """Whether a signal means an interruption: Ctrl-C does; the others only where a handler has been given to them."""
    return number == signal.SIGINT or callable(handler)
