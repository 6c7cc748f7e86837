"""The two forms in which the Engine sends a log. Bytes as Engine 20.10 sent them, cut at every place."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.log import Entry
from console.sources.docker_engine.logs import Frames, Lines
from console.sources.docker_engine.wire import WireError

SECOND = 1_795_456_347  # 2026-11-23T17:52:27Z
FIRST = SECOND * 1_000_000_000 + 514_378_663
RECORDED = (
    b"\x01\x00\x00\x00\x00\x00\x00!2026-11-23T17:52:27.514378663Z a\n"
    b"\x01\x00\x00\x00\x00\x00\x00!2026-11-23T17:52:27.514395307Z b\n"
    b"\x01\x00\x00\x00\x00\x00\x00+2026-11-23T17:52:27.532200363Z unterminated"
    b"\x02\x00\x00\x00\x00\x00\x00 2026-11-23T17:52:27.532207614Z c"
)
ENTRIES: list[Entry] = [
    (FIRST, False, b"a\n"),
    (SECOND * 1_000_000_000 + 514_395_307, False, b"b\n"),
    (SECOND * 1_000_000_000 + 532_200_363, False, b"unterminated"),
    (SECOND * 1_000_000_000 + 532_207_614, True, b"c"),
]


def frame(text: bytes, *, stream: int = 1, stamp: bytes = b"2026-11-23T17:52:27.514378663Z") -> bytes:
    body = stamp + b" " + text
    return struct.pack(">BxxxL", stream, len(body)) + body


@pytest.mark.parametrize("size", range(1, 60))
def test_frames_are_read_wherever_the_network_cuts_them(size: int) -> None:
    reader = Frames()
    found: list[Entry] = []
    for at in range(0, len(RECORDED), size):
        found += reader.feed(RECORDED[at : at + size])
    assert found + reader.end() == ENTRIES


def test_a_stream_that_stops_within_an_entry_says_so() -> None:
    reader = Frames()
    reader.feed(RECORDED[:-1])
    with pytest.raises(WireError, match="not complete"):
        reader.end()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(struct.pack(">BxxxL", 1, 40) + b"no time at all, but forty bytes of text!", id="no time"),
        pytest.param(frame(b"x", stamp=b"2026-13-23T17:52:27.514378663Z"), id="no such month"),
        pytest.param(frame(b"x") + frame(b"x", stamp=b"2026-11-23T17:52:27.51437866xZ"), id="no figures"),
        pytest.param(frame(b"x", stream=7), id="no such stream"),
        pytest.param(struct.pack(">BxxxL", 1, 1 << 31), id="2 GiB announced"),
        pytest.param(b"<html><body>502 Bad Gateway</body></html>", id="a web page"),
    ],
)
def test_what_is_no_log_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        Frames().feed(data)


def test_an_engine_in_another_zone_tells_the_same_moments() -> None:
    there = frame(b"x\n", stamp=b"2026-11-24T02:52:27.514378663+09:00")
    west = frame(b"x\n", stamp=b"2026-11-23T12:22:27.514378663-05:30")
    assert Frames().feed(there + frame(b"x\n") + west) == [(FIRST, False, b"x\n")] * 3


def test_an_empty_line_and_an_empty_entry() -> None:
    assert Frames().feed(frame(b"\n") + frame(b"")) == [(FIRST, False, b"\n"), (FIRST, False, b"")]


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), max_size=12), st.integers(1, 40))
def test_any_bytes_come_through_unchanged(texts: list[tuple[bool, bytes]], size: int) -> None:
    data = b"".join(frame(text, stream=2 if stderr else 1) for stderr, text in texts)
    reader = Frames()
    found: list[Entry] = []
    for at in range(0, len(data), size):
        found += reader.feed(data[at : at + size])
    assert found == [(FIRST, stderr, text) for stderr, text in texts]


STAMP = b"2026-11-23T17:52:27.514378663Z "


@pytest.mark.parametrize("size", [1, 7, 31, 32, 16_384, 16_415, 100_000])
def test_a_terminals_log_has_the_parts_of_its_long_lines(size: int) -> None:
    """The time stands again in front of each part of 16 KiB, in the middle of the line."""
    long = b"x" * 16_384 + b"y" * 16_384 + b"z" * 100
    data = (
        STAMP
        + b"a\r\n"
        + STAMP
        + long[:16_384]
        + STAMP
        + long[16_384:32_768]
        + STAMP
        + long[32_768:]
        + b"\r\n"
        + STAMP
        + b"end"
    )
    reader = Lines()
    found: list[Entry] = []
    for at in range(0, len(data), size):
        found += reader.feed(data[at : at + size])
    found += reader.end()
    assert [text for _, _, text in found] == [b"a\r\n", long[:16_384], long[16_384:32_768], long[32_768:] + b"\r\n", b"end"]
    assert {(time, stderr) for time, stderr, _ in found} == {(FIRST, False)}


def test_a_terminals_line_without_an_end_comes_in_parts() -> None:
    part = bytes(range(32, 126)) * 174
    part = part[:16_384]
    reader = Lines()
    found: list[Entry] = []
    for _ in range(100):
        found += reader.feed(STAMP + part)
    assert len(found) > 2
    found += reader.end()
    assert {(time, stderr) for time, stderr, _ in found} == {(FIRST, False)}
    assert b"".join(text for _, _, text in found) == part * 100


def test_a_short_line_may_hold_a_time_of_its_own() -> None:
    said = b"started at 2026-11-23T17:52:27.514378663Z or so\n"
    assert Lines().feed(STAMP + said) == [(FIRST, False, said)]


def test_a_terminals_line_that_never_ends_and_has_no_parts_is_no_log() -> None:
    reader = Lines()
    reader.feed(STAMP + b"x" * 15_000_000)
    with pytest.raises(WireError, match="does not end"):
        reader.feed(b"x" * 3_000_000)
