"""A tail gives each line once and in order, whatever the Engine's `follow` does. Every misdeed here was seen on a real one."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from console.logs.lines import Item, Kind, Line, Notice
from console.logs.tail import Tail
from console.model.container import ContainerState
from console.model.log import Entry
from console.model.source import SourceError, SourceState
from console.text import clean
from tests.console.fakes import inspection
from tests.console.logs.engine import AWAY, Followed, LogEngine, line
from tests.support.waiting import until


async def given(tail: Tail) -> tuple[list[Line], list[Notice]]:
    """All that a tail without follow gives."""
    lines: list[Line] = []
    notices: list[Notice] = []

    async def give(item: Item) -> None:
        if isinstance(item, Notice):
            notices.append(item)
        else:
            lines.extend(item)

    await tail.run(give)
    return lines, notices


def numbers(first: int, last: int) -> list[str]:
    return [f"n={number}" for number in range(first, last + 1)]


# Beginning


@pytest.mark.parametrize(("wanted", "first"), [(None, 1), (500, 1), (300, 1), (299, 2), (3, 298), (1, 300), (0, 301)])
async def test_it_begins_with_so_many_lines(wanted: int | None, first: int) -> None:
    engine = LogEngine()
    engine.store(*[line(number) for number in range(1, 301)])
    lines, notices = await given(Tail(engine, engine.one.id, lines=wanted))
    assert [text.decode() for _, _, text in lines] == numbers(first, 300)
    assert notices == []


async def test_lines_are_counted_not_the_entries_they_came_in() -> None:
    engine = LogEngine()
    engine.store(line(1))
    for number in range(2, 6):
        engine.store(*[(number, False, b"x" * 16)] * 300, (number, False, b"end\n"))
    lines, _ = await given(Tail(engine, engine.one.id, lines=3))
    assert [len(text) for _, _, text in lines] == [16 * 300 + 3] * 3


async def test_since_leaves_out_what_is_older() -> None:
    engine = LogEngine()
    engine.store(*[line(number) for number in range(1, 101)])
    for wanted in (None, 50):
        lines, _ = await given(Tail(engine, engine.one.id, lines=wanted, since=91 * 1_000_000))
        assert [text.decode() for _, _, text in lines] == numbers(91, 100)


async def test_a_last_line_without_newline_is_given() -> None:
    engine = LogEngine()
    engine.store(line(1), (5, False, b"half"))
    assert (await given(Tail(engine, engine.one.id)))[0][-1][2] == b"half"
    assert (await given(Tail(engine, engine.one.id, lines=1)))[0] == [(5, 2, b"half")]


async def test_what_cannot_be_read_is_told_at_once() -> None:
    engine = LogEngine()
    engine.failure = SourceError(SourceState.OFF, clean('Log driver "none": Docker keeps nothing.'))
    with pytest.raises(SourceError, match="keeps nothing"):
        await given(Tail(engine, engine.one.id, follow=True))


# Following


async def test_new_lines_come_after_the_old_ones() -> None:
    engine = LogEngine()
    engine.store(line(1), line(2))
    run = Followed(engine, lines=1)
    await run.live()
    engine.say(line(3), line(4))
    await run.shows(*numbers(2, 4))
    engine.end()
    await run.ended()
    assert run.notices == [Kind.ENDED]


async def test_both_streams_keep_their_place() -> None:
    engine = LogEngine()
    run = Followed(engine)
    await run.live()
    engine.say(line(1), line(2, stderr=True), line(2, text="same time"), line(3))
    await run.shows("n=1", "n=2", "same time", "n=3")
    run.task.cancel()


async def test_lines_that_follow_sends_twice_at_a_rotation_come_once() -> None:
    engine = LogEngine(rotates=1_000_000)
    run = Followed(engine)
    await run.live()
    engine.say(*[line(number) for number in range(1, 51)])
    engine.send(*engine.stored[20:])
    engine.say(line(51))
    engine.send(*engine.stored)
    engine.say(line(52))
    await run.shows(*numbers(1, 52))
    run.task.cancel()


async def test_a_file_that_follow_leaves_out_is_read_before_what_comes_after_it() -> None:
    engine = LogEngine(rotates=1000)
    run = Followed(engine)
    await run.live()
    engine.say(*[line(number) for number in range(1, 101)])
    await run.shows(*numbers(1, 100))
    engine.store(*[line(number) for number in range(101, 301)])
    engine.say(line(301), line(302))
    await run.shows(*numbers(1, 302))
    engine.say(line(303))
    await run.shows(*numbers(1, 303))
    assert run.late == []
    run.task.cancel()


async def test_after_such_a_read_follow_is_believed_only_where_it_joins() -> None:
    """It leaves out a second file before it has come to where the read ended."""

    def quick(number: int) -> Entry:
        return line(number, time=number * 100_000)

    engine = LogEngine(rotates=1000)
    run = Followed(engine)
    await run.live()
    engine.say(*map(quick, range(1, 101)))
    await run.shows(*numbers(1, 100))
    engine.store(*map(quick, range(101, 1001)))
    engine.send(quick(701))
    await run.shows(*numbers(1, 1000))
    engine.store(*map(quick, range(1001, 1301)))
    engine.say(quick(1301))
    await run.shows(*numbers(1, 1301))
    assert run.late == []
    run.task.cancel()


async def test_what_was_left_out_unnoticed_is_found_when_nothing_comes_any_more() -> None:
    engine = LogEngine(rotates=10_000_000)
    run = Followed(engine, audit=0.05)
    await run.live()
    engine.say(line(1))
    engine.store(line(2), line(3))
    engine.say(line(4))
    await until(lambda: run.late == numbers(2, 3), "the missing lines")
    assert run.texts == ["n=1", "n=4"]
    engine.say(line(5))
    await run.shows("n=1", "n=4", "n=5")
    engine.end()
    await run.ended()
    assert run.late == numbers(2, 3)


async def test_without_rotation_nothing_is_read_a_second_time() -> None:
    engine = LogEngine()
    run = Followed(engine, audit=0.01)
    await run.live()
    reads = len(engine.reads)
    for number in range(1, 40):
        engine.say(line(number * 1000))
        await asyncio.sleep(0.002)
    assert len(engine.reads) == reads
    run.task.cancel()


async def test_what_follow_did_not_bring_before_the_end_is_read_after_it() -> None:
    engine = LogEngine()
    run = Followed(engine)
    await run.live()
    engine.say(line(1))
    engine.store(*[line(number) for number in range(2, 30_001)], (99_999_000_000, False, b"no newline"))
    engine.end(137)
    await run.ended()
    assert run.texts == [*numbers(1, 30_000), "no newline"]
    assert [item.text for item in run.items if isinstance(item, Notice)][-1] == "train has ended, exit 137."


async def test_an_engine_that_is_away_is_waited_for_and_said_once() -> None:
    engine = LogEngine()
    engine.store(line(1))
    run = Followed(engine)
    await run.live()
    engine.failure = AWAY
    engine.cut()
    await until(lambda: run.notices == [Kind.UNREACHABLE], "the notice")
    engine.store(*[line(number) for number in range(2, 3000)])
    await asyncio.sleep(0.02)
    engine.failure = None
    await run.shows(*numbers(1, 2999))
    engine.say(line(3000))
    await run.shows(*numbers(1, 3000))
    assert run.notices == [Kind.UNREACHABLE, Kind.BACK]
    run.task.cancel()


@pytest.mark.parametrize("cut", [1, 5, 90, 250])
async def test_a_first_read_that_breaks_off_is_continued(cut: int) -> None:
    engine = LogEngine()
    engine.store(*[line(number) for number in range(1, 301)])
    engine.break_reads = cut
    run = Followed(engine)
    await run.shows(*numbers(1, 300))
    run.task.cancel()


async def test_a_clock_that_is_set_back_loses_nothing() -> None:
    engine = LogEngine()
    run = Followed(engine)
    await run.live()
    engine.say(line(100), line(101))
    engine.say(line(10), line(11))
    engine.say(line(12))
    await run.shows("n=100", "n=101", "n=10", "n=11", "n=12")
    engine.cut()
    engine.store(line(13), line(14))
    await run.shows("n=100", "n=101", *numbers(10, 14))
    run.task.cancel()


async def test_parts_of_a_line_are_told_from_lines_sent_twice() -> None:
    engine = LogEngine(rotates=10_000_000)
    run = Followed(engine)
    await run.live()
    part = b"\r 10%" * 1000
    engine.say((1, True, part))
    engine.say(line(2), (1, True, b"\r 20%" * 1000))
    engine.send((1, True, b"\r 20%" * 1000))  # the last entry once more, as at a rotation
    engine.say(line(3), (1, True, b" done\n"))
    await until(lambda: len(run.texts) == 3, "the bar's end")
    assert run.texts == ["n=2", "n=3", (part + b"\r 20%" * 1000 + b" done").decode()]
    run.task.cancel()


async def test_a_line_of_one_character_keeps_its_length() -> None:
    engine = LogEngine()
    run = Followed(engine)
    await run.live()
    for _ in range(9):
        engine.say((1, False, b"\0" * 16_384))
    engine.say((1, False, b"\n"))
    await until(lambda: run.texts, "the line")
    assert [len(text) for text in run.texts] == [9 * 16_384]
    run.task.cancel()


async def test_lines_that_were_rotated_away_are_counted_and_said() -> None:
    engine = LogEngine(rotates=1000)
    run = Followed(engine)
    await run.live()
    engine.say(*[line(number) for number in range(1, 101)])
    await run.shows(*numbers(1, 100))
    engine.stored = [line(number) for number in range(1001, 1011)]
    engine.failure = AWAY
    engine.cut()
    await until(lambda: Kind.UNREACHABLE in run.notices, "the notice")
    engine.failure = None
    await run.shows(*numbers(1, 100), *numbers(1001, 1010))
    lost = next(item for item in run.items if isinstance(item, Notice) and item.kind is Kind.LOST)
    assert lost.count is not None
    assert 800 < lost.count < 1000  # 900 in truth: a line each millisecond
    assert lost.text.startswith(f"About {lost.count} lines lost by rotation, ")
    run.task.cancel()


async def test_a_restart_is_said_and_the_unfinished_line_before_it_is_kept() -> None:
    engine = LogEngine()
    run = Followed(engine)
    await run.live()
    engine.say(line(1), (2_000_000, False, b"half"))
    engine.store(line(3))  # written in its first life, and left out by follow
    later = inspection(started_at=datetime(2026, 11, 24, tzinfo=UTC))
    engine.become(details=later)
    assert engine.following is not None
    engine.following.put_nowait(None)
    await until(lambda: run.notices == [Kind.STARTED], "the notice")
    assert run.texts == ["n=1", "half", "n=3"]
    run.task.cancel()


async def test_a_container_that_crashes_between_two_looks_has_its_lines_and_its_restarts_told() -> None:
    engine = LogEngine()
    engine.become(state=ContainerState.CREATED, details=inspection(started_at=None))
    run = Followed(engine)
    await run.live()
    assert engine.following is not None
    engine.following.put_nowait(None)
    await until(lambda: run.notices == [Kind.WAITING], "the notice")
    for life in (1, 2):
        # It is never seen alive.
        engine.store(line(life, text=f"life {life}"))
        begun = inspection(started_at=datetime(2026, 11, 23, 12, life, tzinfo=UTC))
        engine.become(state=ContainerState.RESTARTING, details=begun)
        await run.shows(*[f"life {number}" for number in range(1, life + 1)])
        engine.following.put_nowait(None)
    engine.become(state=ContainerState.EXITED, exit_code=1)
    engine.following.put_nowait(None)
    await run.ended()
    assert run.notices == [Kind.WAITING, Kind.STARTED, Kind.ENDED]


async def test_a_container_that_was_never_started_is_waited_for() -> None:
    engine = LogEngine()
    engine.become(state=ContainerState.CREATED)
    run = Followed(engine)
    await until(lambda: engine.following is not None, "the tail to follow")
    assert engine.following is not None
    engine.following.put_nowait(None)
    await until(lambda: run.notices == [Kind.WAITING], "the notice")
    engine.following = None
    engine.become(state=ContainerState.RUNNING)
    await run.live()
    engine.say(line(1))
    await run.shows("n=1")
    run.task.cancel()


async def test_a_container_that_is_removed_is_said() -> None:
    engine = LogEngine()
    run = Followed(engine)
    await run.live()
    engine.say(line(1), (5_000_000, False, b"half"))
    await run.shows("n=1")
    engine.held = {}
    assert engine.following is not None
    engine.following.put_nowait(None)
    await run.ended()
    assert run.texts == ["n=1", "half"]
    assert run.notices == [Kind.REMOVED]


async def test_it_knows_how_far_behind_it_is() -> None:
    engine = LogEngine()
    run = Followed(engine)
    await run.live()
    assert run.tail.behind == 0.0
    now = time.time_ns()
    engine.say((now, False, b"fresh\n"))
    await run.shows("fresh")
    assert run.tail.behind < 1.0
    engine.say((now + 1, False, b"next\n"))
    await run.shows("fresh", "next")
    engine.say((now - 90_000_000_000, True, b"old\n"))
    await run.shows("fresh", "next", "old")
    assert 89 < run.tail.behind < 100
    engine.say((time.time_ns(), False, b"caught up\n"))
    await run.shows("fresh", "next", "old", "caught up")
    assert run.tail.behind < 5
    run.task.cancel()


# History


async def test_history_is_read_page_by_page_to_the_beginning_of_the_log() -> None:
    engine = LogEngine()
    engine.store(*[line(number) for number in range(1, 5001)])
    run = Followed(engine, lines=10)
    await run.live()
    engine.say(*[line(number) for number in range(5001, 5101)])
    await run.shows(*numbers(4991, 5100))
    last = 4990
    for count in (5, 200, 2000, 1, 2700):
        older = await run.tail.history.older(count)
        assert [text.decode() for _, _, text in older] == numbers(last - count + 1, last)
        last -= count
    assert len(await run.tail.history.older(1000)) == 84
    assert await run.tail.history.older(1000) == []
    run.task.cancel()


async def test_history_that_was_rotated_away_is_none() -> None:
    engine = LogEngine()
    engine.store(*[line(number) for number in range(1, 1001)])
    run = Followed(engine, lines=300)
    await run.live()
    engine.stored = [line(number) for number in range(5000, 5100)]
    assert [text for _, _, text in await run.tail.history.older(1)] == [b"n=700"]
    assert await run.tail.history.older(100) == []
    run.task.cancel()
