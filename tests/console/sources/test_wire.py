"""HTTP as the Engine speaks it, and everything that only pretends to."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.sources.docker_engine.wire import ChunkDecoder, Head, WireError, parse_head


def encode(parts: list[bytes]) -> bytes:
    """Chunked encoding as the Engine writes it."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"


@given(parts=st.lists(st.binary(max_size=40), max_size=12), cuts=st.lists(st.integers(0, 600), max_size=20))
def test_chunks_come_out_whole_however_they_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    wire = encode(parts)
    at = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    decoder = ChunkDecoder()
    got = b"".join(decoder.feed(wire[start:end]) for start, end in itertools.pairwise(at))
    assert got == b"".join(parts)
    assert decoder.done


@given(data=st.binary(max_size=400))
def test_any_bytes_either_decode_or_are_refused(data: bytes) -> None:
    decoder = ChunkDecoder()
    try:
        decoder.feed(data)
    except WireError:
        return
    assert decoder.done or len(data) < 1 << 20


@pytest.mark.parametrize(
    "wire",
    [b"zz\r\nab\r\n", b"-1\r\n", b"\r\n\r\n", b"f" * 17 + b"\r\n", b"x" * 1100, encode([b"a"]) + b"1\r\nb\r\n"],
)
def test_what_is_no_chunk_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        ChunkDecoder().feed(wire)


def test_a_chunk_may_carry_an_extension() -> None:
    assert ChunkDecoder().feed(b"3;name=value\r\nabc\r\n") == b"abc"


def test_a_head_is_status_and_lower_case_names() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 12\r\n\r\n")
    assert head.status == 200
    assert head.headers["api-version"] == "1.41"
    assert head.length == 12
    assert not head.chunked


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 \xb2\xb3\xb9 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_what_is_no_head_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        parse_head(raw)


def test_a_length_that_is_no_number_is_refused() -> None:
    with pytest.raises(WireError, match="Content-Length"):
        _ = Head(200, {"content-length": "-5"}).length
