"""The demo's logs: the same lines at every reading, and new ones as its time goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from console.demo.cast import CAST
from console.demo.clock import FrozenClock
from console.demo.engine import DemoEngine
from console.demo.logs import HISTORY, next_said, said
from console.logs.levels import Level, level_of
from console.logs.lines import Item, Notice
from console.logs.tail import Tail
from console.model.container import Container

AT = datetime(2026, 11, 23, 14, 3, 46, tzinfo=UTC)


async def read(engine: DemoEngine, name: str, **options: object) -> list[tuple[int, bool, bytes]]:
    one = next(container for container in await engine.containers() if container.name == name)
    found = []
    async for entries in engine.log(await engine.inspect(one.id), **options):  # type: ignore[arg-type]  # the test's words
        found += entries
    return found


async def test_what_was_said_stays_said() -> None:
    early, late = DemoEngine(7, FrozenClock(AT, 60.0)), DemoEngine(7, FrozenClock(AT, 60.0))
    for container in await early.containers():
        first, again = await read(early, container.name, tail=None), await read(late, container.name, tail=None)
        assert first == again
        assert first == sorted(first, key=lambda entry: entry[0])
        assert all(text.endswith(b"\n") and text.count(b"\n") == 1 for _, _, text in first)


async def test_time_adds_lines_and_changes_none() -> None:
    for actor in CAST:
        before, after = said(actor, -HISTORY, 30.0), said(actor, -HISTORY, 300.0)
        assert after[: len(before)] == before
        silent = dict(actor.labels).get("mlops.project") == "vision-large"
        assert actor.ended is not None or silent or len(after) > len(before)
        assert next_said(actor, 30.0) > 30.0


async def test_tail_and_since() -> None:
    engine = DemoEngine(7, FrozenClock(AT, 60.0))
    every = await read(engine, "mlops-project-a-128", tail=None)
    assert await read(engine, "mlops-project-a-128", tail=5) == every[-5:]
    assert await read(engine, "mlops-project-a-128", tail=0) == []
    assert await read(engine, "mlops-project-a-128", tail=None, since=every[10][0]) == every[10:]


async def test_a_service_in_trouble_says_why() -> None:
    engine = DemoEngine(7, FrozenClock(AT, 60.0))
    lines = [text.rstrip() for _, _, text in await read(engine, "mlops-search-1", tail=None)]
    assert {level_of(text) for text in lines if text.startswith(b"level=")} == {Level.ERROR}
    assert b"sqlite3.OperationalError: database is locked" in lines


async def test_a_running_one_is_followed() -> None:
    class Quick(FrozenClock):
        """Time goes as fast as somebody waits for it."""

        async def sleep_until(self, moment: datetime) -> None:
            self._at = max(self._at, moment)
            await asyncio.sleep(0)

    engine = DemoEngine(7, Quick(AT, 60.0))
    one: Container = next(one for one in await engine.containers() if one.name == "mlops-project-a-128")
    lines: list[bytes] = []

    class EnoughError(Exception):
        """It would go on for ever."""

    async def give(item: Item) -> None:
        if not isinstance(item, Notice):
            lines.extend(text for _, _, text in item)
        if len(lines) > 40:
            raise EnoughError

    with pytest.raises(EnoughError):
        await Tail(engine, one.id, lines=3, follow=True).run(give)
    steps = [int(line.split()[1].partition(b"/")[0]) for line in lines if line.startswith(b"step")]
    assert steps == [steps[0] + 20 * at for at in range(len(steps))]


@pytest.mark.parametrize("name", ["pensive_borg", "mlops-project-a-125", "mlops-project-b-127"])
async def test_what_ended_long_ago_has_said_something_too(name: str) -> None:
    assert len(await read(DemoEngine(7, FrozenClock(AT, 60.0)), name, tail=None)) > 100


async def test_hostile_lines_a_crash_and_a_flood_can_be_looked_at() -> None:
    engine = DemoEngine(7, FrozenClock(AT, 100.0))
    assert any(b"\x1b]52;" in text for _, _, text in await read(engine, "pensive_borg", tail=None))
    assert b"RuntimeError: DataLoader worker" in (await read(engine, "mlops-project-b-127", tail=1))[0][2]
    times = [time for time, _, _ in await read(engine, "registry-mirror", tail=2000)]
    assert times[-1] - times[0] < 60 * 10**9, "two thousand lines within a minute"


async def test_jenkins_writes_the_time_of_each_line_and_warns_of_the_disk() -> None:
    lines = await read(DemoEngine(7, FrozenClock(AT, 60.0)), "mlops-jenkins-1", tail=None)
    for nanoseconds, _, text in lines:
        written = datetime.fromisoformat(text.decode().split()[0])
        assert abs(written.timestamp() - nanoseconds / 1e9) < 2
    assert any(b"WARNING" in text and b"disk" in text for _, _, text in lines)
