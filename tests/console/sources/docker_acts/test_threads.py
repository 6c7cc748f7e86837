"""What the loop and the threads of an act share: calls that end, and pieces that wait for room."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from console.sources.docker_acts.call import Call, CalledOffError
from console.sources.docker_acts.pieces import Pieces
from tests.support.waiting import until


def test_nothing_is_sent_by_a_call_that_has_ended() -> None:
    call = Call()
    call.sending(changes=False)
    assert not call.sent
    call.end()
    with pytest.raises(CalledOffError):
        call.sending(changes=True)
    assert not call.sent


def test_a_connection_that_comes_too_late_is_closed_with_the_rest() -> None:
    call = Call()
    ours, theirs = socket.socketpair()
    with theirs:
        call.end()
        with pytest.raises(CalledOffError):
            call.opened(ours)
        call.close()
        assert ours.fileno() == -1
        assert theirs.recv(1) == b""


def test_what_was_sent_stays_sent() -> None:
    call = Call()
    call.sending(changes=True)
    call.sending(changes=False)
    call.end()
    assert call.sent


async def test_pieces_wait_for_room() -> None:
    pieces = Pieces(asyncio.get_running_loop())
    taken: list[bool] = []

    def fill() -> None:
        for number in range(100):
            taken.append(pieces.put(bytes([number])))  # noqa: PERF401 - they are counted as they come
        pieces.end(None)

    thread = threading.Thread(target=fill)
    thread.start()
    await until(lambda: len(taken) >= 16, "the first pieces")
    thread.join(0.1)
    assert len(taken) == 16
    assert [await pieces.get() for _ in range(100)] == [bytes([number]) for number in range(100)]
    assert await pieces.get() is None
    thread.join()


async def test_closing_lets_the_thread_go() -> None:
    pieces = Pieces(asyncio.get_running_loop())
    ended: list[int] = []

    def fill() -> None:
        number = 0
        while pieces.put(b"x"):
            number += 1
        ended.append(number)

    thread = threading.Thread(target=fill)
    thread.start()
    assert await pieces.get() == b"x"
    pieces.close()
    await until(lambda: ended, "the thread to end")
    thread.join()


async def test_what_the_thread_ended_with_is_raised_behind_its_pieces() -> None:
    pieces = Pieces(asyncio.get_running_loop())
    assert pieces.put(b"x")
    pieces.end(ValueError("broken off"))
    assert await pieces.get() == b"x"
    with pytest.raises(ValueError, match="broken off"):
        await pieces.get()
