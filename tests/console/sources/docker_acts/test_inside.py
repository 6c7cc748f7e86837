"""Short commands inside containers of a real Engine: what they say, how they end, and when they do not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.model.container import Ran
from console.model.source import NotThereError, SourceError, SourceState
from console.sources.docker_acts import DockerActs
from console.sources.docker_acts.inside import KEPT, _frames
from console.text import clean
from tests.console.sources.docker_acts.conftest import Run
from tests.console.sources.docker_acts.test_broken import NAME, acting
from tests.console.sources.test_client import VERSION, ok, serving
from tests.support.engine import Engine


async def test_what_it_says_and_how_it_ends(acts: DockerActs, run: Run) -> None:
    container = run("exec sleep 1000", "--env=OWN=1")
    script = r"""echo out; printf 'bad\033[2J\n' >&2; printf %s "$OWN$GIVEN"; id -u; exit 3"""
    ran = await acts.run_inside(container, ["sh", "-c", script], user="1000", environment={"GIVEN": "2 3"})
    assert ran == Ran(3, clean("out\n12 31000\n", lines=True), clean("bad\n", lines=True), False)
    assert await acts.run_inside(container, ["true"]) == Ran(0, clean(""), clean(""), False)
    assert (await acts.run_inside(container, ["id", "-u"])).out == "0\n", "without a user it is the container's own"


async def test_words_are_words(acts: DockerActs, run: Run) -> None:
    ran = await acts.run_inside(run(), ["echo", "a  b", "$HOME", ";", "ö", "--help"])
    assert ran.out == "a  b $HOME ; ö --help\n"


async def test_a_program_that_is_not_there(acts: DockerActs, run: Run) -> None:
    ran = await acts.run_inside(run(), ["/no/such/program"])
    assert ran.status in (126, 127)
    assert "/no/such/program" in ran.out + ran.err


async def test_what_says_much_ends_and_is_cut(acts: DockerActs, run: Run) -> None:
    ran = await acts.run_inside(run(), ["sh", "-c", "yes 123456789 | head -n 200000; echo end >&2"])
    assert (ran.status, ran.cut, ran.err) == (0, True, "end\n")
    assert len(ran.out) == KEPT
    assert ran.out.splitlines()[0] == "123456789"


async def test_what_does_not_end_in_time(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run()
    with pytest.raises(SourceError) as caught:
        await acts.run_inside(container, ["sh", "-c", "echo begun; exec sleep 999"], limit=2.0)
    assert caught.value.state is SourceState.UNREACHABLE
    assert caught.value.reason.endswith("(timed out after 2s).")
    assert caught.value.unsure, "it may go on"
    assert acted_on.inspect(container)["State"]["Running"]


async def test_one_that_does_not_run_or_is_not_there(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run("true")
    acted_on.docker("wait", container)
    with pytest.raises(SourceError, match="is not running"):
        await acts.run_inside(container, ["true"])
    with pytest.raises(NotThereError):
        await acts.run_inside("f" * 64, ["true"])
    with pytest.raises(SourceError, match="No container is called"):
        await acts.run_inside("../x", ["true"])


def frame(stream: int, text: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


@pytest.mark.parametrize("size", [1, 3, 8, 9, 1000])
def test_parts_come_out_whole_however_they_are_cut(size: int) -> None:
    sent = frame(1, b"hello") + frame(2, b"") + frame(2, b"no" * 20) + frame(1, b"!")

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(sent), size):
            yield sent[start : start + size]

    got = {1: b"", 2: b""}
    for stream, part in _frames(pieces()):
        got[stream] += part
    assert got == {1: b"hello!", 2: b"no" * 20}


@pytest.mark.parametrize("end", [-1, 10, 3])
async def test_an_answer_that_breaks_off(tmp_path: Path, end: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: close\r\n\r\n"
    output = head + frame(1, b"out\n")[:end]
    left = [VERSION, ok(b'{"Id": "e"}'), output]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            asked = await reader.readuntil(b"\r\n\r\n")
            sized = re.search(rb"Content-Length: (\d+)", asked)
            await reader.readexactly(int(sized[1]) if sized else 0)
            requests.append(asked.split()[1].decode().removeprefix("/v1.41"))
            writer.write(left.pop(0))
            await writer.drain()
        writer.close()

    requests: list[str] = []
    async with serving(tmp_path / "s", answer) as endpoint, acting(endpoint, 2.0) as acts:
        with pytest.raises(SourceError) as caught:
            await acts.run_inside(NAME, ["true"], limit=2.0)
    assert (caught.value.state, caught.value.unsure) == (SourceState.UNREACHABLE, True)
    assert requests == ["/version", f"/containers/{NAME}/exec", "/exec/e/start"]
