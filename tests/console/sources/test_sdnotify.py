"""What systemd is told, on a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.sources.sdnotify import Systemd
from tests.support import scratch


@pytest.fixture
def listening() -> Iterator[tuple[socket.socket, Path]]:
    with scratch.folder("n") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(folder / "s"))
        sock.settimeout(20)
        yield sock, folder / "s"


def test_it_is_told_when_all_is_ready_alive_and_over(listening: tuple[socket.socket, Path]) -> None:
    sock, place = listening
    told = Systemd({"NOTIFY_SOCKET": str(place), "WATCHDOG_USEC": "90000000", "WATCHDOG_PID": str(os.getpid())})
    assert told.watchdog == 90.0
    told.ready()
    assert sock.recv(1000) == b"READY=1"
    told.alive("recording 2 runs\nREADY=0")
    assert sock.recv(1000) == b"WATCHDOG=1\nSTATUS=recording 2 runs READY=0"
    told.stopping()
    assert sock.recv(1000) == b"STOPPING=1"


def test_an_abstract_socket_is_one_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0mlops-test-{os.getpid()}")
        sock.settimeout(20)
        Systemd({"NOTIFY_SOCKET": f"@mlops-test-{os.getpid()}"}).ready()
        assert sock.recv(1000) == b"READY=1"


@pytest.mark.parametrize("place", ["", "/no/such/socket", "relative"])
def test_where_nobody_listens_nothing_happens(place: str) -> None:
    told = Systemd({"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "x"})
    told.ready()
    assert told.watchdog is None


def test_the_watchdog_of_another_process_is_not_ours() -> None:
    assert Systemd({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog is None
