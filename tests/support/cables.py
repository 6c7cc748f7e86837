"""Machines that are network namespaces, with cables between them, and names that they know each other by."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.namespace import Namespace


class Names:
    """Docker's own name server, at the address where every container finds it: answers for these names, and no others."""

    def __init__(self, machine: Namespace, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses
        self._socket: socket.socket = machine.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._socket.bind(("127.0.0.11", 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5.0)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                asked, who = self._socket.recvfrom(512)
            except OSError:
                return
            if not asked:
                return
            with contextlib.suppress(OSError):
                self._socket.sendto(self._answer(asked), who)

    def _answer(self, asked: bytes) -> bytes:
        labels, at = [], 12
        while asked[at]:
            labels.append(asked[at + 1 : at + 1 + asked[at]].decode())
            at += 1 + asked[at]
        question = asked[12 : at + 5]
        address = self._addresses.get(".".join(labels))
        kind = int.from_bytes(asked[at + 1 : at + 3], "big")
        if address is None or kind != 1:
            return asked[:2] + (b"\x81\x83" if address is None else b"\x81\x80") + b"\0\1\0\0\0\0\0\0" + question
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4" + socket.inet_aton(address)
        return asked[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + record


@contextmanager
def names_known(addresses: Mapping[str, str]) -> Iterator[None]:
    """Names that the resolver of this process knows besides, for the time of a `with`."""
    real = socket.getaddrinfo

    def known(host: Any, *arguments: Any, **named: Any) -> Any:
        return real(addresses.get(host, host), *arguments, **named)

    socket.getaddrinfo = known
    try:
        yield
    finally:
        socket.getaddrinfo = real


def cable(one: Namespace, its_name: str, its_address: str, other: Namespace, other_name: str, other_address: str) -> None:
    """Two machines with a cable between them."""
    target = other.command()[1].partition("=")[2]
    for machine, command in (
        (one, f"ip link add {its_name} type veth peer name {other_name} netns {target}"),
        (one, f"ip address add {its_address} dev {its_name}"),
        (one, f"ip link set {its_name} up"),
        (other, f"ip address add {other_address} dev {other_name}"),
        (other, f"ip link set {other_name} up"),
    ):
        subprocess.run(machine.command(*command.split()), check=True, capture_output=True)


def write(machine: Namespace, path: str, value: str) -> None:
    machine.call(lambda: Path(path).write_text(value))


def listens(machine: Namespace, port: int) -> bool:
    try:
        machine.connect(port).close()
    except OSError:
        return False
    return True
