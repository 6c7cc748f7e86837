"""The watchdog sees what holds a loop, and nothing that only waits."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from tests.console.ui.screenapp import app_of
from tests.console.ui.worlds import world
from tests.support import watchdog
from tests.support.watchdog import GENEROUS, HELD_SECONDS, Watchdog, limit, load_everything, watching


def burn(seconds: float) -> None:
    """Use so much CPU."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def compute(limits: float = 1.7) -> None:
    """Use more CPU than may be used, by `limits` times the limit."""
    burn(limits * limit())


def test_a_long_computation_is_seen_with_its_name() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(compute)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with Watchdog(limit()) as dog:
        asyncio.run(main())
    assert [one.what for one in dog.holds] == ["compute"]
    assert dog.holds[0].cpu >= limit()


def test_a_step_of_a_task_is_seen_with_its_coroutine() -> None:
    async def greedy() -> None:
        compute()

    async def main() -> None:
        await asyncio.gather(greedy())

    with Watchdog(limit()) as dog:
        asyncio.run(main())
    assert any("greedy" in one.what for one in dog.holds)


def test_other_threads_and_waiting_are_not_blamed_on_the_loop() -> None:
    async def main() -> None:
        thread = threading.Thread(target=lambda: compute(3.0))
        thread.start()
        asyncio.get_running_loop().call_soon(thread.join)  # held by the clock, without computing anything
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with Watchdog(limit()) as dog:
        asyncio.run(main())
    assert dog.holds == []
    assert dog.longest["MainThread"][1] >= limit()


def test_loops_of_other_threads_are_watched_too() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(compute)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with Watchdog(limit()) as dog:
        thread = threading.Thread(target=lambda: asyncio.run(main()), name="backroom")
        thread.start()
        thread.join()
    assert [one.thread for one in dog.holds] == ["backroom"]


def test_what_was_there_before_is_there_again() -> None:
    before = asyncio.Handle._run
    with Watchdog():
        assert asyncio.Handle._run is not before
    assert asyncio.Handle._run is before


async def slow_paints(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """An app whose paints compute for so many seconds of CPU more."""
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        real = app.screen.paint  # type: ignore[attr-defined]  # the screen of this app is a ConsoleScreen

        def paint() -> None:
            burn(seconds)
            real()

        monkeypatch.setattr(app.screen, "paint", paint)
        await pilot.press("j")
        await pilot.pause()


async def test_a_paint_that_computes_for_a_tenth_of_a_second_fails_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    # As on the machine that the limit was set on, however busy this one is.
    monkeypatch.setattr(watchdog, "limit", lambda: HELD_SECONDS * GENEROUS)
    monkeypatch.setattr(watchdog, "slowness", lambda: 1.0)
    dog = watching()
    dog.__enter__()
    await slow_paints(monkeypatch, 0.1)
    with pytest.raises(AssertionError, match=r"MessagePump|ConsoleApp|run_app"):
        dog.__exit__(None, None, None)


async def test_a_paint_as_it_is_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    load_everything()
    with watching():
        await slow_paints(monkeypatch, 0.0)
