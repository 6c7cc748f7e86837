"""A build's log followed: each line once, in order, through everything that happens to Jenkins."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.logs.buildtext import Endings, Stamper
from console.logs.lines import OPEN, Kind
from console.model.build import Result
from console.model.jenkins import JenkinsError, Trouble
from tests.console.logs.builds import (
    AWAY,
    FAULT,
    GONE,
    NOON,
    RESTARTING,
    REVOKED,
    FakeJenkins,
    Reading,
    note,
    stamped,
)
from tests.support.waiting import until

SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a second for the next question."""
    monkeypatch.setattr("console.logs.buildlog.QUICK_SECONDS", 0.001)
    monkeypatch.setattr("console.logs.buildlog.SLOW_SECONDS", 0.002)


@asynccontextmanager
async def following(jenkins: FakeJenkins, **options: object) -> AsyncIterator[Reading]:
    reading = Reading(jenkins, **options)  # type: ignore[arg-type]  # names and types are its own
    try:
        yield reading
    finally:
        await reading.stop()
        assert jenkins.open == 0, "an answer was left open"


async def test_what_comes_is_given_and_the_end_is_told_with_the_result() -> None:
    jenkins = FakeJenkins()
    jenkins.say("one", "two")
    async with following(jenkins) as reading:
        await reading.shows("one", "two")
        jenkins.say("three")
        await reading.shows("one", "two", "three")
        jenkins.say("Finished: FAILURE")
        jenkins.end(Result.FAILURE)
        await reading.ended()
        assert reading.texts[-1] == "Finished: FAILURE"
        assert reading.said == ["train #12 has ended: failed."]


async def test_places_are_bytes_of_the_file_and_not_of_the_text() -> None:
    jenkins = FakeJenkins()
    jenkins.write(b"Started by user " + note() + "佐藤\n".encode())
    async with following(jenkins) as reading:
        await reading.shows("Started by user 佐藤")
        first = len(jenkins.raw)
        jenkins.write(note() + b"[Pipeline] sh\n")
        await reading.shows("Started by user 佐藤", "[Pipeline] sh")
        assert first in jenkins.asked
        assert set(jenkins.asked) <= {0, first, len(jenkins.raw)}


async def test_without_follow_it_ends_with_what_is_there() -> None:
    jenkins = FakeJenkins(b"one\ntwo\nhalf")
    async with following(jenkins, follow=False) as reading:
        await reading.ended()
        assert reading.texts == ["one", "two", "half"]
        assert [bool(flags & OPEN) for _, flags, _ in reading.lines] == [False, False, True]
        assert reading.notices == []


async def test_a_line_that_is_not_finished_is_a_bar_and_completed_later() -> None:
    jenkins = FakeJenkins(b"one\n 40%\r 60%")
    async with following(jenkins) as reading:
        await reading.shows("one")
        await until(lambda: [text for _, _, text in reading.tail.unfinished()] == [b" 40%\r 60%"], "the bar to be there")
        jenkins.write(b"\r100%\nnext\n")
        await reading.shows("one", " 40%\r 60%\r100%", "next")
        assert reading.tail.unfinished() == []


async def test_letters_that_are_split_over_two_parts_are_joined() -> None:
    jenkins = FakeJenkins("模型 学習 ✓\n佐藤\n".encode())
    jenkins.piece = 1
    async with following(jenkins, follow=False) as reading:
        await reading.ended()
        assert reading.texts == ["模型 学習 ✓", "佐藤"]


async def test_times_are_taken_off_the_lines_and_inherited() -> None:
    jenkins = FakeJenkins()
    jenkins.say(
        "Started by an SCM change", stamped(3.25, "epoch 1"), "no time", stamped(4, ""), stamped(5, "\x1b[32mdone\x1b[0m")
    )
    async with following(jenkins, follow=False) as reading:
        await reading.ended()
    assert [(time - NOON, text.decode()) for time, _, text in reading.lines] == [
        (0, "Started by an SCM change"),
        (3_250_000_000, "epoch 1"),
        (3_250_000_000, "no time"),
        (4 * SECOND, ""),
        (5 * SECOND, "\x1b[32mdone\x1b[0m"),
    ]


@pytest.mark.parametrize("error", [AWAY, RESTARTING, FAULT], ids=["unreachable", "restarting", "fault"])
async def test_what_passes_is_told_once_and_nothing_is_lost_or_repeated(error: JenkinsError) -> None:
    jenkins = FakeJenkins(b"one\ntwo\n")
    async with following(jenkins) as reading:
        await reading.shows("one", "two")
        jenkins.lasting = error
        await until(lambda: reading.notices == [Kind.UNREACHABLE], "it to be told")
        assert reading.said == [error.reason]
        jenkins.say("three", "four")
        jenkins.lasting = None
        await reading.shows("one", "two", "three", "four")
        assert reading.notices == [Kind.UNREACHABLE, Kind.BACK]
        assert "train #12 goes on" in reading.said[-1]


async def test_an_answer_that_breaks_off_is_gone_on_with_where_it_broke() -> None:
    jenkins = FakeJenkins()
    jenkins.say("one")
    async with following(jenkins) as reading:
        await reading.shows("one")
        jenkins.piece = 100
        jenkins.faults.extend([(AWAY, 250), (RESTARTING, 1234), AWAY, (AWAY, 3001)])
        expected = ["one", *(f"line {number:04}" for number in range(400))]
        jenkins.say(*expected[1:])
        await reading.shows(*expected)
        assert reading.notices.count(Kind.UNREACHABLE) == reading.notices.count(Kind.BACK)
        assert Kind.UNREACHABLE in reading.notices


async def test_a_token_that_is_lost_is_waited_for_and_told_once() -> None:
    jenkins = FakeJenkins(b"one\nhalf")
    async with following(jenkins) as reading:
        await reading.shows("one")
        jenkins.lasting = REVOKED
        await until(lambda: reading.notices == [Kind.UNREACHABLE], "the notice")
        asked = jenkins.refused
        await until(lambda: jenkins.refused > asked + 2, "it to be tried again")
        assert reading.notices == [Kind.UNREACHABLE]
        assert "refuses the token of operator" in reading.said[-1]
        jenkins.write(b" way\nthree\n")
        jenkins.lasting = None
        await reading.shows("one", "half way", "three")
        assert reading.notices == [Kind.UNREACHABLE, Kind.BACK]


async def test_a_token_that_was_never_good_is_an_error() -> None:
    jenkins = FakeJenkins(b"one\n")
    jenkins.lasting = REVOKED
    async with following(jenkins) as reading:
        with pytest.raises(JenkinsError, match="refuses the token of operator"):
            await reading.ended()


async def test_what_stays_forbidden_ends_it_with_the_reason() -> None:
    jenkins = FakeJenkins(b"one\nhalf")
    async with following(jenkins) as reading:
        await reading.shows("one")
        jenkins.lasting = JenkinsError(Trouble.NOT_PERMITTED, "Jenkins: user operator lacks Job/Read.", status=403)
        with pytest.raises(JenkinsError, match="lacks Job/Read"):
            await reading.ended()
        assert reading.texts == ["one", "half"], "what was there is given before"


async def test_a_build_that_is_deleted_ends_it_with_a_notice() -> None:
    jenkins = FakeJenkins(b"one\n")
    async with following(jenkins) as reading:
        await reading.shows("one")
        jenkins.lasting = GONE
        await reading.ended()
        assert reading.notices == [Kind.REMOVED]
        assert reading.said == ["train #12 was deleted, or Jenkins hides it now."]


async def test_a_build_that_is_not_there_is_an_error() -> None:
    jenkins = FakeJenkins()
    jenkins.lasting = GONE
    async with following(jenkins) as reading:
        with pytest.raises(JenkinsError) as raised:
            await reading.ended()
        assert raised.value.trouble is Trouble.NOT_FOUND


async def test_a_log_that_looks_finished_while_the_build_goes_on_is_followed() -> None:
    """As after a restart, before the Pipeline has been resumed."""
    jenkins = FakeJenkins(b"one\n")
    jenkins.looks_finished = True
    async with following(jenkins) as reading:
        await reading.shows("one")
        await until(lambda: len(jenkins.asked) > 3, "it to be asked again")
        jenkins.say("two")
        await reading.shows("one", "two")
        assert reading.notices == []
        jenkins.end()
        await reading.ended()
        assert reading.notices == [Kind.ENDED]


# Cut off, replaced


async def test_a_log_that_was_cut_off_goes_on_with_what_is_new_only() -> None:
    jenkins = FakeJenkins()
    jenkins.say("one", "two", "three", "four")
    async with following(jenkins) as reading:
        await reading.shows("one", "two", "three", "four")
        jenkins.raw = b"one\ntwo\n"
        await until(lambda: Kind.LOST in reading.notices, "it to be told")
        jenkins.say("five")
        await reading.shows("one", "two", "three", "four", "five")
        assert reading.notices == [Kind.LOST]


async def test_lines_that_came_after_a_cut_are_given_without_those_before() -> None:
    jenkins = FakeJenkins()
    jenkins.say("one", "two", "three is a long line that is not there any more")
    async with following(jenkins) as reading:
        await until(lambda: len(reading.texts) == 3)
        jenkins.raw = b"one\ntwo\nTHREE\n"
        await reading.shows("one", "two", "three is a long line that is not there any more", "THREE")


async def test_a_log_that_was_replaced_is_given_from_its_beginning() -> None:
    jenkins = FakeJenkins()
    jenkins.say("one", "two", "three")
    async with following(jenkins) as reading:
        await reading.shows("one", "two", "three")
        jenkins.raw = b"other\n"
        await reading.shows("one", "two", "three", "other")


async def test_a_long_log_that_lost_its_end_repeats_nothing() -> None:
    jenkins = FakeJenkins()
    before = [f"line {number}: some words that make it long enough" for number in range(20_000)]
    jenkins.say(*before)
    jenkins.piece = 65536
    async with following(jenkins) as reading:
        await until(lambda: len(reading.texts) == 20_000)
        jenkins.raw = "".join(f"{line}\n" for line in before[:18_000]).encode()
        await until(lambda: Kind.LOST in reading.notices)
        jenkins.say("new")
        await until(lambda: reading.texts[-1] == "new")
        assert reading.texts == [*before, "new"]


async def test_a_long_log_that_was_cut_off_and_written_on_gives_what_is_new() -> None:
    jenkins = FakeJenkins()
    before = [f"line {number}: some words that make it long enough" for number in range(20_000)]
    jenkins.say(*before)
    jenkins.piece = 65536
    async with following(jenkins) as reading:
        await until(lambda: len(reading.texts) == 20_000)
        jenkins.raw = "".join(f"{line}\n" for line in [*before[:18_000], "new 1", "new 2"]).encode()
        await until(lambda: reading.texts[-1] == "new 2")
        assert reading.texts == [*before, "new 1", "new 2"]


async def test_a_long_log_that_says_the_same_for_hours_and_was_cut_off_repeats_nothing() -> None:
    jenkins = FakeJenkins(200_000 * b"tick\n")
    jenkins.piece = 65536
    async with following(jenkins) as reading:
        await until(lambda: len(reading.texts) == 200_000)
        jenkins.raw = 150_000 * b"tick\n"
        await until(lambda: Kind.LOST in reading.notices)
        await until(lambda: reading.tail._at == len(jenkins.raw))
        jenkins.say("new")
        await until(lambda: reading.texts[-1] == "new")
        assert len(reading.texts) == 200_001


async def test_a_long_log_that_lost_its_beginning_gives_what_is_new() -> None:
    jenkins = FakeJenkins()
    before = [f"line {number}: some words that make it long enough" for number in range(20_000)]
    jenkins.say(*before)
    jenkins.piece = 65536
    async with following(jenkins) as reading:
        await until(lambda: len(reading.texts) == 20_000)
        jenkins.raw = "".join(f"{line}\n" for line in [*before[19_000:], "new"]).encode()
        await until(lambda: reading.texts[-1] == "new")
        assert reading.texts == [*before, "new"]


async def test_a_cut_during_which_jenkins_goes_away_repeats_nothing() -> None:
    jenkins = FakeJenkins()
    before = [f"line {number}" for number in range(2000)]
    jenkins.say(*before)
    async with following(jenkins) as reading:
        await until(lambda: len(reading.texts) == 2000)
        jenkins.faults.extend([None, None, (AWAY, 5000), None, None, AWAY, None, (AWAY, 0)])
        jenkins.raw = "".join(f"{line}\n" for line in [*before[:1000], "new 1", "new 2"]).encode()
        await until(lambda: len(reading.texts) >= 2002)
        jenkins.end()
        await reading.ended()
        assert reading.texts == [*before, "new 1", "new 2"]
        assert reading.notices.count(Kind.LOST) == 1


# Much at once


async def test_two_hundred_thousand_lines_in_one_answer_let_others_work() -> None:
    jenkins = FakeJenkins()
    jenkins.piece = 1 << 30  # all of it in one part
    jenkins.say(*(f"line {number} of a flood" for number in range(200_000)))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.ensure_future(other())
    async with following(jenkins, follow=False) as reading:
        await reading.ended()
    beside.cancel()
    assert len(reading.texts) == 200_000
    assert reading.texts[::50_000] == [f"line {number} of a flood" for number in range(0, 200_000, 50_000)]
    pieces = [len(item) for item in reading.items if isinstance(item, list)]
    assert max(pieces) < 10_000
    assert turns >= len(pieces), "nobody else had a turn while it was read"


# Whatever happens

_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\ufffd\x1b"), max_size=12)
_LINES = st.lists(st.one_of(_TEXTS, st.sampled_from(["", "a", "模型", stamped(1, "x"), "[2026-11-23T02:04:01"])), max_size=40)


@settings(max_examples=60)
@given(lines=_LINES, data=st.data())
def test_however_it_comes_every_line_comes_once_and_in_order(lines: list[str], data: st.DataObject) -> None:
    raw = "".join(f"{line}\n" for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    # The controller writes letters whole.
    cuts = [cut for cut in cuts if (raw[cut : cut + 1] or b"a")[0] & 0xC0 != 0x80]
    faults = data.draw(
        st.lists(
            st.one_of(
                st.none(),
                st.sampled_from([AWAY, RESTARTING, FAULT]),
                st.tuples(st.sampled_from([AWAY, FAULT]), st.integers(0, 200)),
            ),
            max_size=12,
        )
    )
    piece = data.draw(st.integers(1, 64))

    async def go() -> list[str]:
        jenkins = FakeJenkins()
        jenkins.piece = piece
        ends = [*cuts, len(raw)]

        def grow() -> None:
            if ends:
                jenkins.raw = raw[: ends.pop(0)]
            else:
                jenkins.end()

        jenkins.grow = grow
        async with following(jenkins) as reading:
            await until(lambda: reading.tail._begun)
            jenkins.faults.extend(faults)
            await reading.ended()
            return reading.texts

    found = asyncio.run(go())
    reader = Stamper(0)
    expected = [text.decode() for _, _, text in reader.feed(raw)]
    assert Counter(found) == Counter(expected)
    assert found == expected


@given(text=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=8))
def test_line_ends_are_the_same_however_the_text_is_cut(text: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    endings = Endings()
    whole = b"".join(endings.feed(text[begin:end]) for begin, end in pairwise(places))
    assert whole + b"\r" * endings.holds == text.replace(b"\r\n", b"\n")
