"""A network of the tests' own: what runs in it sees its interfaces, addresses, ports and firewall, and no others."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_FLAGS_OF_INTERFACE = "16sH14x"
_CHUNK = 1 << 16

Result = TypeVar("Result")


class Namespace:
    """A network namespace of the kernel with a loopback interface and no way out.

    It lives until `close` and until the last process in it has ended: nothing of it is ever left on the machine.
    """

    def __init__(self) -> None:
        """Make it. Raises OSError (PermissionError unless this process is root)."""
        self._handle = _in_a_thread(_new_namespace)
        self._forwarders: list[_Forwarder] = []

    def call(self, function: Callable[[], Result]) -> Result:
        """What `function` returns or raises when called in here, in a thread of its own.

        A socket belongs for ever to the network that it was made in: a server made here answers containers from any thread.
        """

        def inside() -> Result:
            _enter(self._handle)
            return function()

        return _in_a_thread(inside)

    def command(self, *arguments: str) -> list[str]:
        """A command that runs the program `arguments` in here."""
        # The open file of this process, not a number handed on: a program started by somebody else finds it as well.
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._handle}", "--", *arguments]

    def connect(self, port: int, address: str = "127.0.0.1") -> socket.socket:
        """A connection made from in here. Raises OSError."""
        return self.call(lambda: socket.create_connection((address, port), timeout=10.0))

    def forward(self, port: int, address: str = "127.0.0.1") -> int:
        """A port of 127.0.0.1 out here whose connections end at that port in here, until `close`."""
        forwarder = _Forwarder(lambda: self.connect(port, address))
        self._forwarders.append(forwarder)
        return forwarder.port

    def close(self) -> None:
        """Forward nothing any more and let go of it. Harmless when done twice."""
        while self._forwarders:
            self._forwarders.pop().close()
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class _Forwarder:
    """Takes connections and carries what they say to others and back."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False
        self._begin(self._accept)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            ending = [self._listener, *self._open]
        for end in ending:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        # The thread that accepts adds to the list until it has ended, and it is the first in it.
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _begin(self, function: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            self._begin(self._serve, taken)

    def _serve(self, taken: socket.socket) -> None:
        """One connection. A refusal in there is a connection out here that ends at once."""
        with suppress(OSError), taken, self._connect() as made:
            made.settimeout(None)
            with self._lock:
                if self._closed:
                    return
                self._open |= {taken, made}
            back = threading.Thread(target=_carry, args=(made, taken), daemon=True)
            back.start()
            _carry(taken, made)
            back.join()
            with self._lock:
                self._open -= {taken, made}


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _in_a_thread(function: Callable[[], Result]) -> Result:
    """A thread can change its namespace without moving the others of its process; it takes the change with it."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _new_namespace() -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    handle = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack(_FLAGS_OF_INTERFACE, b"lo", 0))
        _, flags = struct.unpack(_FLAGS_OF_INTERFACE, asked)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack(_FLAGS_OF_INTERFACE, b"lo", flags | _IFF_UP))
    return handle


def _enter(handle: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
