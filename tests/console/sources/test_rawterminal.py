"""A person's terminal lent to a program elsewhere, and given back as it was."""

from __future__ import annotations

import os
import pty
import termios
import threading
from collections.abc import Iterator

import pytest

from console.demo.shell import DemoShell
from console.model.source import SourceError, SourceState
from console.sources.rawterminal import _Modes, converse, size
from console.text import clean


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Our end and the program's."""
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def undone(*written: bytes) -> bytes:
    modes = _Modes()
    for one in written:
        modes.seen(one)
    return modes.undo()


@pytest.mark.parametrize(
    ("written", "undo"),
    [
        ([b"plain \x1b[31mred\x1b[0m"], b""),
        ([b"\x1b[?1049h\x1b[?25l"], b"\x1b[?25h\x1b[?1049l\x1b[0m"),
        ([b"\x1b[?1000;1006h"], b"\x1b[?1006l\x1b[?1000l\x1b[0m"),
        ([b"\x1b[?1049h text \x1b[?1049l"], b""),
        ([b"\x1b[?25l\x1b[?25h\x1b[?7h"], b""),
        ([b"\x1b[?20", b"04h"], b"\x1b[?2004l\x1b[0m"),
        ([b"\x1b", b"[?2004h"], b"\x1b[?2004l\x1b[0m"),
        ([b"\x1b=", b"\x1b[?1h", b"\x1b>"], b"\x1b[?1l\x1b[0m"),
        ([b"\x1b=", b"\x1b[?1h", b"\x1bc"], b""),
        ([b"\x1b="], b"\x1b>\x1b[0m"),
        ([b"\x1b[?9999h\x1b[?h"], b""),
        ([b"\x1b[?" + b"1;" * 10_000 + b"h"], b""),
    ],
)
def test_what_a_killed_program_has_left_on_is_switched_off(written: list[bytes], undo: bytes) -> None:
    assert undone(*written) == undo


def test_bytes_go_both_ways_from_any_thread(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    before = termios.tcgetattr(slave)
    shell = DemoShell()
    ended: list[object] = []
    talking = threading.Thread(target=lambda: ended.append(converse(shell, slave, slave)), daemon=True)
    talking.start()
    got = b""
    while b"$ " not in got:
        got += os.read(master, 4096)
    assert termios.tcgetattr(slave) != before
    os.write(master, b"hi\x03ab\x7f\r")
    while b"demo: a\r\n" not in got:
        got += os.read(master, 4096)
    os.write(master, b"\x04")
    talking.join(20)
    assert ended == [None]
    assert termios.tcgetattr(slave) == before
    shell.close()


def test_a_shell_that_does_not_start(terminal: tuple[int, int]) -> None:
    class Never(DemoShell):
        def start(self, rows: int, columns: int) -> None:
            raise SourceError(SourceState.OFF, clean("No."))

    _, slave = terminal
    before = termios.tcgetattr(slave)
    shell = Never()
    with pytest.raises(SourceError, match="No"):
        converse(shell, slave, slave)
    assert termios.tcgetattr(slave) == before
    shell.close()


def test_what_is_no_terminal() -> None:
    reader, writer = os.pipe()
    shell = DemoShell()
    try:
        assert size(reader) == (24, 80)
        with pytest.raises(OSError, match="ioctl"):
            converse(shell, reader, writer)
    finally:
        shell.close()
        os.close(reader)
        os.close(writer)
