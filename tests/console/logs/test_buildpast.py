"""A build's log opened at its end and read backwards: every line once, in order, however the file and the text differ."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.logs import buildpast
from console.logs.buildpast import BuildHistory
from console.logs.buildtext import Stamper
from console.logs.lines import Line
from console.model.build import BuildRef, LogPart
from console.model.jenkins import JenkinsError
from tests.console.logs.builds import AWAY, NOON, FakeJenkins, Reading, note, served, stamped
from tests.support.waiting import until

MB = 1 << 20


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.logs.buildlog.QUICK_SECONDS", 0.001)
    monkeypatch.setattr("console.logs.buildlog.SLOW_SECONDS", 0.002)


def texts(lines: Sequence[Line]) -> list[str]:
    return [text.decode() for _, _, text in lines]


def lines_of(raw: bytes) -> list[str]:
    reader = Stamper(0)
    return texts([*reader.feed(served(raw).replace(b"\r\n", b"\n")), *reader.end()])


async def opened(jenkins: FakeJenkins, lines: int = 0) -> Reading:
    reading = Reading(jenkins, lines=lines, follow=False)
    await reading.ended()
    return reading


async def the_rest(history: BuildHistory) -> tuple[bool, list[str]]:
    found: list[Line] = []

    async def give(lines: Sequence[Line]) -> None:
        found.extend(lines)

    return await history.rest(give), texts(found)


def pipeline(count: int) -> bytes:
    """A log with a hidden note at every fifth line, as a Pipeline writes it."""
    pieces = []
    for number in range(count):
        if number % 5 == 0:
            pieces.append(note() + f"[Pipeline] sh {number}\n".encode())
        pieces.append(f"line {number} 模型\n".encode())
    return b"".join(pieces)


async def test_the_end_is_there_at_once_and_pages_go_back_to_the_beginning() -> None:
    jenkins = FakeJenkins(pipeline(60_000), building=False)
    expected = lines_of(jenkins.raw)
    reading = await opened(jenkins, 100)
    assert reading.texts == expected[-100:]
    back: list[str] = []
    while len(page := texts(await reading.tail.history.older(5000))) == 5000:
        back = [*page, *back]
    assert [*page, *back] == expected[:-100], "fewer lines than asked come at the beginning only"
    assert jenkins.open == 0, "every answer was closed"


async def test_a_page_is_read_only_as_far_as_what_is_known() -> None:
    jenkins = FakeJenkins("".join(f"line {number} of many\n" for number in range(300_000)).encode(), building=False)
    reading = await opened(jenkins)
    before = jenkins.served
    for _ in range(8):
        assert len(await reading.tail.history.older(20_000)) == 20_000
    assert jenkins.served - before < 6 * MB, "what lies behind was read again"
    assert jenkins.open == 0


async def test_all_of_it_is_streamed_from_the_beginning() -> None:
    jenkins = FakeJenkins(pipeline(30_000), building=False)
    expected = lines_of(jenkins.raw)
    reading = await opened(jenkins, 10)
    page = texts(await reading.tail.history.older(777))
    met, rest = await the_rest(reading.tail.history)
    assert met
    assert [*rest, *page, *reading.texts] == expected
    assert await the_rest(reading.tail.history) == (True, []), "there is nothing more"


@pytest.mark.parametrize("tail", [b"tick\n", b"a\nb\n", b"\n"])
async def test_a_log_that_says_the_same_for_hours_loses_and_repeats_no_line(tail: bytes) -> None:
    """What is known of it begins in a thousand places."""
    jenkins = FakeJenkins(note() + b"begin\n" + 200_000 * tail, building=False)
    jenkins.piece = 65536
    expected = lines_of(jenkins.raw)
    reading = await opened(jenkins, 3)
    page = texts(await reading.tail.history.older(300_000 // len(tail)))
    met, rest = await the_rest(reading.tail.history)
    assert met
    assert len(rest) + len(page) + 3 == len(expected)
    assert [*rest, *page, *reading.texts] == expected


async def test_a_block_that_is_printed_twice_is_there_twice() -> None:
    block = "".join(f"step {number}: the same in each try\n" for number in range(15_000)).encode()
    jenkins = FakeJenkins(b"try 1\n" + note() + block + b"try 2\n" + note() + block + b"Finished\n", building=False)
    expected = lines_of(jenkins.raw)
    reading = await opened(jenkins, 1)
    back: list[str] = []
    while page := texts(await reading.tail.history.older(3000)):
        back = [*page, *back]
    assert [*back, *reading.texts] == expected


async def test_history_is_read_while_the_same_line_comes_on_and_on() -> None:
    jenkins = FakeJenkins(b"begin\n" + 100_000 * b"tick\n")
    reading = Reading(jenkins, lines=0)
    try:
        await until(lambda: reading.tail._begun)
        jenkins.write(7 * b"tick\n")
        await until(lambda: len(reading.texts) == 7)
        jenkins.write(5 * b"tick\n")
        met, rest = await the_rest(reading.tail.history)
        assert met
        assert rest == ["begin", *["tick"] * 100_000]
        await until(lambda: len(reading.texts) == 12)
    finally:
        await reading.stop()


async def test_a_start_within_a_letter_or_a_note_shows_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    for shift in range(12):
        raw = (
            b"x" * 10 + ("模" * 90_000 + "\n" + "型" * 3 + "\n").encode() + note(5) + b"noted\n" + b"y\n" * 5000 + b"z" * shift
        )
        jenkins = FakeJenkins(raw, building=False)
        for page in (1000 + shift, 10_035 + shift):
            monkeypatch.setattr("console.logs.buildlog.PAGE", page)
            monkeypatch.setattr("console.logs.buildpast.PAGE", page)
            reading = await opened(jenkins)
            back: list[str] = []
            while found := texts(await reading.tail.history.older(3000)):
                back = [*found, *back]
            assert "\ufffd" not in "".join(back)
            assert [*back, *reading.texts] == lines_of(raw)


async def test_lines_of_history_have_times_that_run_forward() -> None:
    jenkins = FakeJenkins(building=False)
    jenkins.say("Started by timer", *(stamped(number / 100, f"line {number}") for number in range(30_000)), "Finished: SUCCESS")
    reading = await opened(jenkins, 5)
    found = await reading.tail.history.older(1_000_000)
    times = [time for time, _, _ in [*found, *reading.lines]]
    assert times == sorted(times)
    assert times[0] == NOON
    assert times[-1] == times[-2], "the last line has none of its own"


async def test_lines_without_a_time_at_the_beginning_of_a_page_have_that_of_the_next() -> None:
    jenkins = FakeJenkins(building=False)
    for number in range(2000):
        jenkins.say(stamped(number / 100, f"line {number}"), *("  a line of it that has no time of its own" for _ in range(20)))
    reading = await opened(jenkins, 5)
    found = [*await reading.tail.history.older(9000), *reading.lines]
    times = [time for time, _, _ in found]
    assert times == sorted(times)
    last = next(time for time, _, text in found if text == b"line 1999")
    assert times[-1] == last


async def test_a_log_without_times_is_as_old_as_its_build() -> None:
    jenkins = FakeJenkins(pipeline(20_000), building=False)
    reading = await opened(jenkins, 5)
    found = await reading.tail.history.older(1_000_000)
    times = [time for time, _, _ in [*found, *reading.lines]]
    assert times == sorted(times)
    assert times[0] == NOON
    assert times[-1] == NOON + 100 * 1_000_000_000


async def test_a_log_that_was_replaced_has_no_history_any_more() -> None:
    for other in (b"other\n" * 200_000, b"short\n"):
        jenkins = FakeJenkins(pipeline(30_000), building=False)
        reading = await opened(jenkins, 10)
        kept = texts(await reading.tail.history.older(100))
        jenkins.raw = other
        older = texts(await reading.tail.history.older(100_000))
        assert "other" not in older
        assert "short" not in older
        assert kept == lines_of(pipeline(30_000))[-110:-10]
        assert (await the_rest(reading.tail.history))[0] is False
        assert jenkins.open == 0


async def test_a_page_that_breaks_off_is_read_again() -> None:
    jenkins = FakeJenkins(pipeline(30_000), building=False)
    expected = lines_of(jenkins.raw)
    reading = await opened(jenkins)
    jenkins.faults.append((AWAY, 200_000))
    with pytest.raises(JenkinsError, match="connection refused"):
        await reading.tail.history.older(30_000)
    assert texts(await reading.tail.history.older(30_000)) == expected[-30_000:]
    jenkins.faults.append((AWAY, 100))
    with pytest.raises(JenkinsError, match="connection refused"):
        await the_rest(reading.tail.history)
    assert await the_rest(reading.tail.history) == (True, expected[:-30_000])


class EndlessJenkins(FakeJenkins):
    """A log of 300 MB whose bytes are made when they are asked for. `begun` counts what was made."""

    LINE = 100
    SIZE = 300 * MB

    def __init__(self) -> None:
        super().__init__(building=False)
        self.made = 0
        self.piece = 65536

    async def log_size(self, ref: BuildRef, step: str | None = None) -> int:
        return self.SIZE // self.LINE * self.LINE

    async def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        end = await self.log_size(ref)
        self.open += 1
        try:
            while start < end:
                number, within = divmod(start, self.LINE)
                count = min(600, end // self.LINE - number)
                text = b"".join(b"line %094d\n" % one for one in range(number, number + count))[within:]
                start += len(text)
                self.made += len(text)
                yield LogPart(text.replace(b"\n", b"\r\n"), end, more=False)
            yield LogPart(b"", end, more=False)
        finally:
            self.open -= 1


async def test_three_hundred_megabytes_are_opened_at_their_end_by_reading_a_thousandth() -> None:
    jenkins = EndlessJenkins()
    reading = await opened(jenkins, 20)
    last = EndlessJenkins.SIZE // EndlessJenkins.LINE
    assert [int(text.split()[1]) for text in reading.texts] == list(range(last - 20, last))
    assert jenkins.made < 400_000
    found = await reading.tail.history.older(4000)
    assert [int(text.split()[1]) for text in texts(found)] == list(range(last - 4020, last - 20))
    assert jenkins.made < 2 * MB
    assert jenkins.open == 0


_LINE = st.one_of(
    st.sampled_from([b"a", b"", b"tick", b"[Pipeline] sh", note(20) + b"noted", "模型".encode()]),
    st.text(st.characters(codec="utf-8", exclude_characters="\n\r\ufffd\x1b"), max_size=10).map(str.encode),
)


@settings(max_examples=150)
@given(
    lines=st.lists(_LINE, max_size=120),
    tail=st.binary(max_size=0) | st.just(b"half"),
    first=st.integers(0, 30),
    pages=st.lists(st.integers(1, 40), max_size=8),
    reach=st.integers(10, 300),
    piece=st.integers(1, 50),
)
def test_in_whatever_pages_it_is_read_every_line_comes_once_and_in_order(
    lines: list[bytes], tail: bytes, first: int, pages: list[int], reach: int, piece: int
) -> None:
    raw = b"".join(line + b"\n" for line in lines) + tail

    async def go() -> list[str]:
        jenkins = FakeJenkins(raw, building=False)
        jenkins.piece = piece
        with pytest.MonkeyPatch.context() as patch:
            for name in ("console.logs.buildlog", "console.logs.buildpast"):
                patch.setattr(f"{name}.PAGE", reach)
                patch.setattr(f"{name}.FRONT", 24)
            reading = await opened(jenkins, first)
            found = reading.texts
            for count in pages:
                page = texts(await reading.tail.history.older(count))
                left = len(lines_of(raw)) - len(found)
                assert len(page) == min(count, left)
                found = [*page, *found]
            met, rest = await the_rest(reading.tail.history)
            assert met
            assert jenkins.open == 0
            return [*rest, *found]

    assert buildpast.FRONT > 24
    assert asyncio.run(go()) == lines_of(raw)
