"""What the server makes of what comes over its socket; what it forks is tested with the processes."""

import os
import socket
import sys

import pytest

from tabbench.execution import fork_server
from tabbench.execution.fork_server import ForkServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")


@pytest.fixture
def links():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_request_in_pieces_comes_whole_with_its_files_and_so_does_the_next(links, tmp_path):
    ours, theirs = links
    server = ForkServer(theirs, os.getppid())
    with open(tmp_path / "file", "wb") as file:
        socket.send_fds(ours, [b'{"number"'], [file.fileno()] * 4)
        ours.send(b": 1}\n")
        socket.send_fds(ours, [b'{"number": 2}\n'], [file.fileno()] * 4)
    assert [server._next_request(), server._next_request()] == [{"number": 1}, {"number": 2}]
    assert len(set(server._files)) == 8
    for each in server._files:
        os.close(each)


def test_it_has_no_more_requests_when_its_supervisor_is_gone_or_has_no_use_for_workers(links, monkeypatch):
    monkeypatch.setattr(fork_server, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(fork_server, "IDLE_SECONDS", 0.01)
    ours, theirs = links
    server = ForkServer(theirs, os.getppid())
    assert server._next_request() is None  # nobody asked, and there is no worker
    server._numbers[123] = 0
    server.end_if_alone()
    ours.close()
    assert server._next_request() is None  # there is one, but nobody to ask
    with pytest.raises(SystemExit):
        server.end_if_alone()


def test_it_looks_whether_its_supervisor_lives_where_a_copy_holds_the_socket(links, monkeypatch):
    monkeypatch.setattr(fork_server, "LOOK_SECONDS", 0.01)
    server = ForkServer(links[1], os.getpid())  # which is not its parent
    assert server._next_request() is None
    with pytest.raises(SystemExit):
        server.end_if_alone()
