"""Settings that the whole process shares, for fits that several of its threads may do at once: warnings and library threads.

`warnings.catch_warnings` and `threadpool_limits` put back what they found. When two threads overlap, the second one finds the
first one's settings, and puts those back for good. Here warnings are ignored by a category that only matches in the threads that
ask for it, and of the numbers of threads the first to enter notes what it finds, which the last to leave restores.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController


class _Silenced(threading.local):
    """The categories that are ignored in this thread."""

    categories: tuple[type[Warning], ...] = ()


class _Shared:
    """What those who are inside now have in common."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.n_silent = self.n_limited = 0
        self.blas: Any = None


_SILENCED, _SHARED = _Silenced(), _Shared()


class _ByThread(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return issubclass(category, _SILENCED.categories)


class SilencedHere(Warning, metaclass=_ByThread):
    """Category of which every warning is one that this thread has silenced."""


_FILTER = ("ignore", None, SilencedHere, None, 0)


@contextmanager
def silent_warnings(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a category in this thread.

    >>> with silent_warnings():
    ...     warnings.warn("a fit that says something")
    """
    before = _SILENCED.categories
    _SILENCED.categories = (*before, category)
    with _SHARED.lock:
        _SHARED.n_silent += 1
        if _FILTER not in warnings.filters[:1]:
            warnings.filters.insert(0, _FILTER)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        _SILENCED.categories = before
        with _SHARED.lock:
            _SHARED.n_silent -= 1
            if not _SHARED.n_silent:
                warnings.filters[:] = [each for each in warnings.filters if each != _FILTER]  # type: ignore[index]


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Limit the threads of numeric libraries in this thread, those of BLAS until the last of the threads inside leaves."""
    with _SHARED.lock:
        libraries = ThreadpoolController()  # which takes milliseconds to find them
        own, blas = (libraries.limit(limits=threads, user_api=each) for each in ("openmp", "blas"))
        _SHARED.blas = _SHARED.blas or blas
        _SHARED.n_limited += 1
    try:
        yield
    finally:
        with _SHARED.lock:
            own.restore_original_limits()
            _SHARED.n_limited -= 1
            if not _SHARED.n_limited:
                _SHARED.blas.restore_original_limits()
                _SHARED.blas = None
