"""How much of a log that became shorter was passed on before: never too much, so that no new line is left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.replaced import Known, what_is_known
from console.model.build import LogPart

_LINES = st.lists(st.sampled_from(["a", "b", "tick", "", "模型"]), max_size=30)


def text_of(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


async def parts(text: bytes, piece: int) -> AsyncGenerator[LogPart]:
    served = text.replace(b"\n", b"\r\n")
    for at in range(0, len(served), piece):
        yield LogPart(served[at : at + piece], len(text), more=True)
    yield LogPart(b"", len(text), more=True)


def found(known: Known, text: bytes, piece: int) -> int:
    return asyncio.run(what_is_known(known, parts(text, piece)))


@given(before=_LINES, kept=st.integers(0, 30), new=_LINES, half=st.sampled_from([b"", b"ha"]), piece=st.integers(1, 50))
def test_of_a_log_that_is_known_whole_exactly_what_both_begin_with_is_known(
    before: list[str], kept: int, new: list[str], half: bytes, piece: int
) -> None:
    known = Known()
    known.add(text_of(before) + half)
    common = 0
    now = [*before[:kept], *new]
    while common < min(len(before), len(now)) and before[common] == now[common]:
        common += 1
    assert found(known, text_of(now), piece) == len(text_of(now[:common]))


@given(
    before=st.integers(0, 60),
    kept=st.integers(0, 60),
    gone=st.integers(0, 60),
    new=st.integers(0, 20),
    piece=st.integers(1, 50),
)
def test_of_a_long_log_no_new_line_counts_as_known(before: int, kept: int, gone: int, new: int, piece: int) -> None:
    """Lines that are all different, of which only the end is remembered."""
    lines = [f"line {number}" for number in range(before)]
    fresh = [f"new {number}" for number in range(new)]
    now = text_of([*lines[gone:kept], *fresh])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("console.logs.replaced.WINDOW", 120)
        patch.setattr("console.logs.replaced.MARK", 20)
        known = Known()
        known.begin(whole=True)
        for line in lines:
            known.add(text_of([line]))
        place = found(known, now, piece)
    assert 0 <= place <= len(text_of(lines[gone:kept]))
    assert place == 0 or now[place - 1 : place] == b"\n"
    if gone == 0 and before - 8 < kept <= before:
        assert place == len(text_of(lines[:kept])), "the cut is within what is remembered"
