"""What logs said before they were looked at, several of them in one order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from console.logs.history import History
from console.logs.lines import SOURCE, SOURCE_SHIFT, Line
from console.logs.past import Past
from console.logs.store import LogStore
from console.logs.tail import Tail
from console.model.log import Entry
from console.model.source import SourceError
from tests.console.logs.engine import LogEngine, line

COUNT = 6000


async def known(engine: LogEngine, lines: int = 5) -> History:
    """The history of a log of which the newest lines have been read."""
    tail = Tail(engine, engine.one.id, lines=lines)
    given: list[Line] = []

    async def give(item: object) -> None:
        given.extend(item)  # type: ignore[arg-type]

    await tail.run(give)
    return tail.history


def engine_of(entries: Sequence[Entry]) -> LogEngine:
    engine = LogEngine()
    engine.store(*entries)
    return engine


async def rest_of(past: Past) -> tuple[list[Line], bool]:
    lines: list[Line] = []

    async def give(some: Sequence[Line]) -> None:
        lines.extend(some)

    return lines, await past.rest(give)


async def test_pages_and_the_rest_together_are_the_whole_log_once() -> None:
    engine = engine_of([line(number) for number in range(COUNT)])
    past = Past([(0, await known(engine))])
    found = await past.older(100)
    found = [*await past.older(1000), *found]
    rest, met = await rest_of(past)
    assert met
    assert past.at_beginning
    assert [one[2].decode() for one in [*rest, *found]] == [f"n={number}" for number in range(COUNT - 5)]
    assert await past.older(10) == []


async def test_several_logs_come_in_one_order_page_by_page() -> None:
    engines = [engine_of([line(number) for number in range(start, 3000, step)]) for start, step in ((0, 2), (1, 4), (3, 40))]
    past = Past([(at, await known(engine, 0)) for at, engine in enumerate(engines)])
    pages: list[Line] = []
    for size in (7, 100, 500):
        page = await past.older(size)
        assert len(page) == size
        pages = [*page, *pages]
    times = [one[0] for one in pages]
    assert times == sorted(times)
    rest, met = await rest_of(past)
    assert met
    every = [*rest, *pages]
    assert [one[0] for one in every] == sorted(one[0] for one in every)
    wanted = sorted(number for start, step in ((0, 2), (1, 4), (3, 40)) for number in range(start, 3000, step))
    assert [one[0] // 1_000_000 for one in every] == wanted
    assert {(one[1] & SOURCE) >> SOURCE_SHIFT for one in every} == {0, 1, 2}


async def test_a_log_that_was_rotated_away_meanwhile_gives_nothing_of_use() -> None:
    engine = engine_of([line(number) for number in range(COUNT)])
    past = Past([(0, await known(engine))])
    engine.stored = [line(number) for number in range(COUNT + 50, COUNT + 100)]
    _, met = await rest_of(past)
    assert not met


async def test_a_lost_connection_is_raised_and_the_next_call_begins_again() -> None:
    engine = engine_of([line(number) for number in range(COUNT)])
    past = Past([(0, await known(engine))])
    engine.break_reads = 300
    with pytest.raises(SourceError):
        await rest_of(past)
    assert not past.at_beginning
    rest, met = await rest_of(past)
    assert met
    assert len(rest) == COUNT - 5


async def test_who_leaves_in_the_middle_leaves_no_task_behind() -> None:
    engine = engine_of([line(number) for number in range(COUNT)])
    past = Past([(0, await known(engine)), (1, await known(engine_of([line(1)])))])
    begun = asyncio.Event()

    async def give(_some: Sequence[Line]) -> None:
        begun.set()
        await asyncio.Event().wait()

    before = asyncio.all_tasks()
    reading = asyncio.ensure_future(past.rest(give))
    await begun.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert asyncio.all_tasks() == before


def kept(store: LogStore) -> list[bytes]:
    return [row.text for row in store.rows(store.first, store.end)]


@pytest.mark.parametrize("memory", [1 << 20, 64 << 20])
def test_an_older_store_comes_before_all_lines(memory: int) -> None:
    newer, older = LogStore(memory=memory), LogStore(memory=memory)
    newer.append([(at, 0, b"new %d" % at) for at in range(9000)])
    newer.prepend([(at, 0, b"page %d" % at) for at in range(100)])
    older.append([(at, 0, b"old %d" % at) for at in range(50_000)])
    end, row = newer.end, newer.row(4000)
    newer.adopt(older)
    assert (newer.end, newer.row(4000)) == (end, row)
    assert newer.first == -50_100
    assert kept(newer)[:2] == [b"old 0", b"old 1"]
    assert kept(newer)[49_999:50_001] == [b"old 49999", b"page 0"]
    assert newer.size[0] <= memory + (1 << 19)
    newer.append([(1, 0, b"last")])
    assert kept(newer)[-1] == b"last"


def test_an_empty_store_takes_an_older_one() -> None:
    newer, older = LogStore(), LogStore()
    older.append([(1, 0, b"one"), (2, 0, b"two")])
    newer.adopt(older)
    assert (newer.first, newer.end, kept(newer)) == (-2, 0, [b"one", b"two"])
