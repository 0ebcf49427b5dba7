"""Threads that overlap leave the process as they found it, and what one silences the others still hear."""

import threading
import warnings

import pytest
import scipy.linalg  # noqa: F401 - so that there is a BLAS
from threadpoolctl import threadpool_info

from tabbench.core.process_settings import limited_threads, silent_warnings


def overlapping(context):
    """Two threads of which the first to enter is the first to leave; what both heard in the end, and this thread meanwhile."""
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()

    def first():
        with context():
            first_in.set()
            second_in.wait(10)
        first_out.set()

    def second():
        first_in.wait(10)
        with context():
            second_in.set()
            first_out.wait(10)

    threads = [threading.Thread(target=each) for each in (first, second)]
    for thread in threads:
        thread.start()
    second_in.wait(10)
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)
    for thread in threads:
        thread.join()


def test_the_filters_of_warnings_are_those_of_before():
    before = list(warnings.filters)
    overlapping(silent_warnings)
    assert warnings.filters == before
    with silent_warnings(), silent_warnings(UserWarning):
        warnings.warn("not heard", RuntimeWarning, stacklevel=1)
    with silent_warnings(UserWarning), pytest.raises(RuntimeWarning):
        warnings.warn("of another category", RuntimeWarning, stacklevel=1)


def test_the_threads_of_blas_are_those_of_before():
    def threads():
        return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]

    with limited_threads(2):
        before = threads()
        overlapping(lambda: limited_threads(1))
    assert before and set(before) == {2}
    with limited_threads(1):
        assert set(threads()) == {1}
