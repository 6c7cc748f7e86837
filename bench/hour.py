"""`make bench-hour`: an hour of the demo's server in a minute, and whether memory stays what it was.

The demo's clock runs sixty times as fast, and so do the feeds: as many events, readings and builds come as in an hour. A
person is there too: every few simulated minutes a log, a build, the palette, the help are opened and closed. All of it runs
in this process on a terminal without a screen. Every five simulated minutes garbage is collected and memory (PSS) is read. The
first twenty are for what is loaded at its first use, and for histories to fill.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from textual.pilot import Pilot

from bench.world import demo_watch
from console.demo.clock import RunningClock
from console.feeds import (
    build_facts,
    compose_feed,
    docker_feed,
    gpu_feed,
    jenkins_feed,
    machine_feed,
    tunnel_feed,
    usage_feed,
)
from console.text import clean
from console.ui.app import ConsoleApp, Wishes

RATE = 60.0
MINUTES, SAMPLE_MINUTES, WARM_MINUTES = 60, 5, 20
FLAT_MB = 5.0
_PACES: Mapping[ModuleType, Sequence[str]] = {
    usage_feed: ("STEP_SECONDS",),
    docker_feed: ("POLL_SECONDS",),
    gpu_feed: ("STEP_SECONDS", "TOLD_SECONDS"),
    machine_feed: ("STEP_SECONDS",),
    tunnel_feed: ("LOOK_SECONDS",),
    compose_feed: ("LOOK_SECONDS", "READ_SECONDS"),
    jenkins_feed: ("BUSY_SECONDS", "IDLE_SECONDS", "JOBS_SECONDS", "NODE_SECONDS"),
    build_facts: ("RUNNING_SECONDS", "STANDS_SECONDS", "WORKS_SECONDS", "STILL_SECONDS", "AGAIN_SECONDS", "MONITOR_SECONDS"),
}
# What a person does, one after the other, for ever. Each brings the main screen back.
TOURS: tuple[tuple[str, ...], ...] = (
    ("j", "j", "k", "o", "o", "o", "o"),
    ("L", "G", "g", "escape"),
    ("enter", "escape"),
    ("question_mark", "escape"),
    ("colon", "escape"),
    ("slash", "s", "escape", "escape"),
    ("6", "j", "enter", "L", "escape", "escape", "escape"),
    ("8", "j", "escape"),
    ("4", "4", "m", "t", "enter", "escape", "escape", "1"),
    ("z", "z"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hour", description=__doc__)
    parser.add_argument("--leaks", action="store_true", help="say which lines of code hold what was added after the warm-up")
    parser.add_argument("--hours", type=float, default=1.0, help="simulated hours")
    options = parser.parse_args()
    return asyncio.run(_hour(leaks=options.leaks, minutes=round(options.hours * MINUTES)))


async def _hour(*, leaks: bool, minutes: int) -> int:
    _hurry()
    clock = RunningClock(RATE)
    watch = demo_watch(clock)
    watch.start()
    app = ConsoleApp(watch, host=clean("demo-01"), demo=True, wishes=Wishes(glyphs="unicode"))
    samples: list[tuple[int, float]] = []
    before: tracemalloc.Snapshot | None = None
    async with app.run_test(size=(160, 48)) as pilot:
        begun = time.monotonic()
        touring = asyncio.create_task(_tour(pilot))
        for minute in range(SAMPLE_MINUTES, minutes + 1, SAMPLE_MINUTES):
            await asyncio.sleep(max(0.0, begun + minute * 60 / RATE - time.monotonic()))
            if touring.done():
                touring.result()
            if watch.failure is not None:
                raise watch.failure
            samples.append((minute, memory()))
            events = len(app.world.events) if app.world is not None else 0
            print(f"{minute:4} min {samples[-1][1]:8.1f} MB   {events} events", flush=True)
            if leaks and minute == WARM_MINUTES:
                tracemalloc.start(12)
                before = tracemalloc.take_snapshot()
        touring.cancel()
        if before is not None:
            gc.collect()
            for one in tracemalloc.take_snapshot().compare_to(before, "lineno")[:25]:
                print(one)
    watch.stop()
    warm = [size for minute, size in samples if minute >= WARM_MINUTES]
    grown = max(warm) - warm[0]
    end = f"{warm[-1] - warm[0]:+.1f} MB at the end (aim: {FLAT_MB:g} MB)"
    print(f"after {WARM_MINUTES} minutes memory grew by {grown:.1f} MB at most, {end}")
    return 0 if grown <= FLAT_MB else 1


def _hurry() -> None:
    """Feeds look as often in a minute as in an hour."""
    for feed, names in _PACES.items():
        for name in names:
            setattr(feed, name, getattr(feed, name) / RATE)


async def _tour(pilot: Pilot[int]) -> None:
    """One key after the other, about two simulated minutes for each round."""
    at = 0
    while True:
        for key in TOURS[at % len(TOURS)]:
            await pilot.press(key)
            await asyncio.sleep(0.05)
        pilot.app.close_all()  # type: ignore[attr-defined]  # the app of this pilot is ours
        at += 1


def memory() -> float:
    """MB that this process alone has, after everything that is garbage has gone."""
    gc.collect()
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise AssertionError("the kernel does not tell how much memory a process has")


if __name__ == "__main__":
    sys.exit(main())
