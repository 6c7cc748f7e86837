"""Calls that can block for ever cost a thread, never the program."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from console.sources._blocking import Pool
from tests.support.waiting import until


async def test_results_and_errors_come_back() -> None:
    pool = Pool("test")
    assert await pool.run(lambda: 5, 5.0) == 5
    nothing: dict[str, int] = {}
    with pytest.raises(KeyError):
        await pool.run(lambda: nothing["x"], 5.0)


async def test_calls_run_in_daemon_threads_of_the_pool() -> None:
    pool = Pool("test", size=2)
    seen = {(thread.name, thread.daemon) for thread in [await pool.run(threading.current_thread, 5.0) for _ in range(10)]}
    assert seen <= {("test-1", True), ("test-2", True)}


async def test_a_call_that_hangs_ends_at_its_deadline_and_the_next_one_works() -> None:
    pool = Pool("test", size=1)
    released = threading.Event()
    try:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await pool.run(released.wait, 0.05)
            assert await pool.run(lambda: "works", 5.0) == "works"
    finally:
        released.set()


async def test_a_call_nobody_waits_for_any_more_is_not_made() -> None:
    pool = Pool("test", size=1)
    released, called = threading.Event(), threading.Event()
    first = asyncio.create_task(pool.run(released.wait, 20.0))
    second = asyncio.create_task(pool.run(called.set, 20.0))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    released.set()
    await first
    await pool.run(lambda: None, 5.0)
    assert not called.is_set()


def test_a_hung_call_does_not_keep_the_program_from_ending() -> None:
    code = """
import asyncio, threading
from console.sources._blocking import Pool
from tests.support.waiting import until
async def main():
    try:
        await Pool('test').run(threading.Event().wait, 0.05)
    except TimeoutError:
        print('late')
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "late\n"


async def test_a_pool_that_is_closed_leaves_no_thread() -> None:
    pool = Pool("closing", 2)
    assert await pool.run(lambda: 7, 5) == 7
    pool.close()
    await until(lambda: not [one for one in threading.enumerate() if one.name.startswith("closing-")], "its threads to end")
