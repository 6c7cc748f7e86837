"""Several logs in one order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from console.logs.lines import Item, Kind, Line, Notice
from console.logs.merge import Merge, only_lines
from console.text import clean
from tests.support.waiting import DEADLINE, until

NOW = Notice(Kind.NOW, 0, clean(""))


class Taken:
    def __init__(self) -> None:
        self.all: list[tuple[str, Line]] = []
        self.notices: list[tuple[str, Notice]] = []

    async def give(self, source: str, item: Item) -> None:
        if isinstance(item, Notice):
            self.notices.append((source, item))
        self.all += [(source, line) for line in only_lines(item)]

    def order(self) -> list[tuple[str, bytes]]:
        return [(source, text) for source, (_, _, text) in self.all]


def lines(*times: int) -> list[Line]:
    return [(time, 0, b"%d" % time) for time in times]


async def merged(logs: Mapping[str, Sequence[Sequence[Line]]]) -> Taken:
    taken = Taken()
    merge: Merge[str] = Merge(taken.give)

    async def bring(name: str, batches: Sequence[Sequence[Line]]) -> None:
        channel = merge.channel(name)
        for batch in batches:
            await channel.give(batch)
            await asyncio.sleep(0)
        channel.end()

    tasks = [asyncio.ensure_future(bring(name, batches)) for name, batches in logs.items()]
    merge.close()
    async with asyncio.timeout(DEADLINE):
        # All are known before the first line is taken.
        await asyncio.sleep(0)
        await merge.run()
        await asyncio.gather(*tasks)
    return taken


async def test_lines_come_by_time_however_they_arrive() -> None:
    taken = await merged({"a": [lines(1, 4), lines(9)], "b": [lines(2, 3, 5)], "c": [lines(6), lines(7), lines(8)]})
    assert [int(text) for _, text in taken.order()] == list(range(1, 10))


async def test_within_a_log_its_own_order_stays() -> None:
    """A bar bears the time of its beginning and ends an hour later."""
    taken = await merged({"a": [lines(10, 50, 11, 60)], "b": [lines(20, 55)]})
    assert [(source, int(text)) for source, text in taken.order()] == [
        ("a", 10),
        ("b", 20),
        ("a", 50),
        ("a", 11),
        ("b", 55),
        ("a", 60),
    ]


@settings(max_examples=60)
@given(st.lists(st.lists(st.lists(st.integers(0, 60), max_size=6), max_size=12), min_size=1, max_size=4))
def test_nothing_is_lost_and_every_log_keeps_its_order(logs: list[list[list[int]]]) -> None:
    given_logs = {str(name): [lines(*batch) for batch in batches if batch] for name, batches in enumerate(logs)}
    taken = asyncio.run(merged(given_logs))
    for name, batches in given_logs.items():
        assert [line for source, line in taken.all if source == name] == [line for batch in batches for line in batch]
    sorted_logs = all(first[0] <= second[0] for batches in given_logs.values() for first, second in pairwise(chain(*batches)))
    if sorted_logs:
        times = [line[0] for _, line in taken.all]
        assert times == sorted(times)


async def test_a_silent_log_keeps_nobody_waiting_once_it_is_live() -> None:
    taken = Taken()
    merge: Merge[str] = Merge(taken.give, window=0.01)
    first, silent = merge.channel("first"), merge.channel("silent")
    run = asyncio.ensure_future(merge.run())
    await first.give(lines(1))
    await asyncio.sleep(0.05)
    assert taken.all == []  # the silent one may still bring an older line
    await silent.give(NOW)
    await until(lambda: len(taken.all) == 1, "the first line")
    await first.give(NOW)
    await first.give(lines(5))
    await silent.give(lines(4))
    await until(lambda: len(taken.all) == 3, "all lines")
    assert [int(text) for _, text in taken.order()] == [1, 4, 5]
    run.cancel()


async def test_a_notice_stays_where_it_was_said() -> None:
    taken: list[tuple[str, str]] = []

    async def give(source: str, item: Item) -> None:
        taken.append((source, str(item.text) if isinstance(item, Notice) else ",".join(str(line[0]) for line in item)))

    merge: Merge[str] = Merge(give)
    channel, other = merge.channel("a"), merge.channel("b")
    await channel.give(lines(1, 2))
    await channel.give(Notice(Kind.STARTED, 0, clean("again")))
    await channel.give(lines(7))
    channel.end()
    await other.give(lines(1, 5))
    other.end()
    merge.close()
    await merge.run()
    names = [text for source, text in taken if source == "a"]
    assert "".join(names).replace(",", "") == "12again7"
    assert taken.index(("a", "again")) < taken.index(("a", "7"))


async def test_a_log_that_is_faster_than_its_reader_waits() -> None:
    taken = Taken()
    merge: Merge[str] = Merge(taken.give)
    fast, slow = merge.channel("fast"), merge.channel("slow")
    brought = 0

    async def bring() -> None:
        nonlocal brought
        for number in range(1000):
            await fast.give(lines(number))
            brought += 1
        fast.end()

    task = asyncio.ensure_future(bring())
    run = asyncio.ensure_future(merge.run())
    for _ in range(100):
        await asyncio.sleep(0)
    assert brought < 20
    slow.end()
    merge.close()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(task, run)
    assert len(taken.all) == 1000
