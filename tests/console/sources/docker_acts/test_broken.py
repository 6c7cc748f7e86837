"""Engines that are absent, forbidden, none at all, slow, or gone in the middle: what is told, and what may have happened."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.model.source import SourceError, SourceState
from console.sources.docker_acts import DockerActs
from console.sources.docker_engine import Endpoint
from console.sources.docker_engine.endpoint import Tls
from tests.console.sources.docker_acts.conftest import Run, as_before, as_nobody
from tests.console.sources.test_client import VERSION, Answer, ok, saying, serving
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.waiting import until

NAME = "train-7"
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


@asynccontextmanager
async def acting(endpoint: Endpoint, limit: float = 10.0) -> AsyncIterator[DockerActs]:
    acts = DockerActs(endpoint, limit)
    try:
        yield acts
    finally:
        await acts.aclose()


async def failure(endpoint: Endpoint, act: Callable[[DockerActs], Awaitable[object]], limit: float = 10.0) -> SourceError:
    async with acting(endpoint, limit) as acts:
        with pytest.raises(SourceError) as caught:
            await act(acts)
    assert "\x1b" not in caught.value.reason
    return caught.value


def start(acts: DockerActs) -> Awaitable[object]:
    return acts.start(NAME)


def counting(requests: list[str], *replies: bytes) -> Answer:
    """One answer after another, whatever connection a request comes on; nothing and an end when there are none left."""
    left = list(replies)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            requests.append(head.split(b"\r\n")[0].decode())
            if not left:
                break
            writer.write(left.pop(0))
            await writer.drain()
        writer.close()

    return answer


async def test_no_socket_and_one_that_nobody_listens_on(tmp_path: Path) -> None:
    error = await failure(Endpoint("unix", path=tmp_path / "none"), start)
    assert error.reason == f"Docker is not there: there is no {tmp_path}/none: is Docker installed and started?"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "dead"))
    error = await failure(Endpoint("unix", path=tmp_path / "dead"), start)
    assert error.reason == f"Nobody listens on {tmp_path}/dead: the Docker Engine is not running."
    assert (error.state, error.unsure) == (SourceState.UNREACHABLE, False)


async def test_a_name_that_is_not_known() -> None:
    error = await failure(Endpoint("tcp", host="nowhere.invalid", port=2375), start)
    assert error.reason == "The name 'nowhere.invalid' is not known here."


async def test_a_socket_that_is_not_permitted(acted_on: Engine, run: Run) -> None:
    container = run()
    async with acting(Endpoint("unix", path=acted_on.socket)) as acts:
        await acts.raw(container)
        as_nobody()
        try:
            with pytest.raises(SourceError) as caught:
                await acts.stop(container, 0)
        finally:
            as_before()
    assert caught.value.reason == f"No permission for {acted_on.socket}. Join group docker, then log in again."
    assert (caught.value.state, caught.value.unsure) == (SourceState.DENIED, False)
    assert acted_on.inspect(container)["State"]["Running"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00\xff\x1b]52;c;aGk=\x07" * 100 + b"\r\n\r\n",
        b"x" * 500_000 + b"\r\n\r\n",
        ok(b"<html>hello</html>"),
        ok(b"[]"),
        ok(b'{"ApiVersion": 5}'),
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_nothing_is_done_to_what_is_no_engine(tmp_path: Path, garbage: bytes) -> None:
    requests: list[str] = []
    async with serving(tmp_path / "s", counting(requests, garbage)) as endpoint:
        error = await failure(endpoint, start)
    assert error.reason.startswith(f"What answers on {tmp_path}/s is no Docker Engine: "), error.reason
    assert (error.state, error.unsure) == (SourceState.UNREACHABLE, False)
    assert requests == ["GET /version HTTP/1.1"]


async def test_an_engine_that_is_too_new(tmp_path: Path) -> None:
    newer = ok(b'{"ApiVersion": "2.5", "MinAPIVersion": "2.0"}')
    async with serving(tmp_path / "s", saying(newer)) as endpoint:
        error = await failure(endpoint, start)
    assert "wants API 2.0 or newer" in error.reason


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort",
    ],
)
async def test_a_connection_that_breaks_after_the_request_leaves_it_unsure(tmp_path: Path, cut: bytes) -> None:
    async with serving(tmp_path / "s", saying(VERSION, cut)) as endpoint:
        error = await failure(endpoint, start)
    assert error.reason == f"Docker on {tmp_path}/s has closed the connection: it was stopped or is being restarted."
    assert error.state is SourceState.UNREACHABLE
    assert error.unsure


async def test_a_request_is_sent_once_whatever_comes_back(tmp_path: Path) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /v1.41/containers/other/start\r\nContent-Length: 0\r\n\r\n"
    for number, reply in enumerate((busy, moved, None)):
        requests: list[str] = []
        replies = [VERSION, reply] if reply else [VERSION]
        async with serving(tmp_path / str(number), counting(requests, *replies, *[DONE] * bool(reply))) as endpoint:
            error = await failure(endpoint, start)
        assert requests == ["GET /version HTTP/1.1", f"POST /v1.41/containers/{NAME}/start HTTP/1.1"]
        assert error.state is SourceState.UNREACHABLE
        assert error.unsure is (reply is not busy)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (b"401 Unauthorized", SourceState.DENIED),
        (b"403 Forbidden", SourceState.DENIED),
        (b"404 Not Found", SourceState.OK),
        (b"409 Conflict", SourceState.OK),
        (b"500 Oops", SourceState.OK),
        (b"501 No", SourceState.OFF),
        (b"502 Gateway", SourceState.UNREACHABLE),
    ],
)
async def test_the_engines_own_message_is_told_clean_and_short(tmp_path: Path, status: bytes, state: SourceState) -> None:
    body = b'{"message": "network \\u001b]0;x\\u0007gone ' + b"y" * 2000 + b'"}'
    refusal = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
    async with serving(tmp_path / "s", saying(VERSION, refusal)) as endpoint:
        error = await failure(endpoint, start)
    assert error.reason.startswith(f"Docker answers {status[:3].decode()}: network gone yyy")
    assert len(error.reason) < 450
    assert (error.state, error.unsure, type(error)) == (state, False, SourceError)


async def test_a_refusal_without_a_message(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", saying(VERSION, b"HTTP/1.1 409 No\r\nContent-Length: 0\r\n\r\n")) as endpoint:
        error = await failure(endpoint, start)
    assert error.reason == "Docker answers 409: no reason given"


async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_one_that_hangs_before_it_says_who_it_is_has_got_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", hang) as endpoint:
        error = await failure(endpoint, start, limit=0.1)
    assert error.reason == f"Docker has not answered on {tmp_path}/s (timed out after 0.1s)."
    assert not error.unsure


async def test_one_that_hangs_with_the_request_leaves_it_unsure(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(VERSION)
        await hang(reader, writer)

    async with serving(tmp_path / "s", answer) as endpoint:
        error = await failure(endpoint, start, limit=0.5)
        await until(lambda: not any(one.name.startswith("docker-acts") for one in threading.enumerate()), "threads to end")
    assert error.reason == f"Docker has not answered on {tmp_path}/s (timed out after 0.5s)."
    assert error.unsure


async def test_an_archive_that_stands_still_is_given_up(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(VERSION)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await hang(reader, writer)

    async def read(acts: DockerActs) -> None:
        assert [piece async for piece in acts.copy_out(NAME, "/x")]

    async with serving(tmp_path / "s", answer) as endpoint:
        error = await failure(endpoint, read, limit=0.3)
        await until(lambda: not any(one.name.startswith("docker-acts") for one in threading.enumerate()), "threads to end")
    assert error.reason == f"Docker has not answered on {tmp_path}/s (timed out after 0.3s)."


async def test_who_stops_waiting_does_not_break_off_what_was_sent(tmp_path: Path) -> None:
    go_on, requests = asyncio.Event(), list[str]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (VERSION, DONE):
            requests.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0].decode())
            if reply is DONE:
                await go_on.wait()
            writer.write(reply)

    async with serving(tmp_path / "s", answer) as endpoint, acting(endpoint) as acts:
        stopping = asyncio.create_task(acts.stop(NAME, 5))
        await until(lambda: requests == ["GET", "POST"], "the request")
        (call,) = acts._calls
        stopping.cancel()
        await asyncio.wait({stopping})
        await acts.aclose()
        assert call.sent
        assert not call._ended, "some Engines kill a container at once when nobody waits for its stop any more"
        go_on.set()
        await until(lambda: call._ended, "the thread to be done")


async def test_what_has_not_begun_is_not_begun_later(tmp_path: Path) -> None:
    requests: list[str] = []
    held = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0].decode())
        await held.wait()
        writer.write(VERSION)
        await counting(requests, DONE)(reader, writer)

    async with serving(tmp_path / "s", answer) as endpoint, acting(endpoint) as acts:
        starting = asyncio.create_task(acts.start(NAME))
        await until(lambda: requests == ["GET"], "the first question")
        starting.cancel()
        await asyncio.wait({starting})
        held.set()
        await acts.aclose()
        await until(lambda: not any(one.name.startswith("docker-acts") for one in threading.enumerate()), "threads to end")
    assert requests == ["GET"]


async def test_an_engine_killed_in_the_middle_of_a_stop(own_engine: Engine) -> None:
    script = "trap '' TERM; touch /ready; while true; do sleep 0.05; done"
    container = own_engine.docker("run", "-d", "--network=none", BUSYBOX, "sh", "-c", script).strip()
    path = f"/containers/{container}/archive?path=/ready"
    await until(lambda: own_engine.request("GET", path, b"", "text/plain")[0] == 200, "the container to begin")
    async with acting(Endpoint("unix", path=own_engine.socket)) as acts:
        stopping = asyncio.create_task(acts.stop(container, 60))
        await until(lambda: any(call.sent for call in acts._calls), "the request to be sent")
        own_engine.kill()
        with pytest.raises(SourceError) as caught:
            await stopping
    where = own_engine.socket
    assert caught.value.reason == f"Docker on {where} has closed the connection: it was stopped or is being restarted."
    assert caught.value.unsure


async def test_an_engine_that_stands_still(own_engine: Engine) -> None:
    own_engine.pause()
    try:
        error = await failure(Endpoint("unix", path=own_engine.socket), start, limit=0.2)
    finally:
        own_engine.resume()
    assert error.reason == f"Docker has not answered on {own_engine.socket} (timed out after 0.2s)."
    assert not error.unsure


@pytest.mark.parametrize("answer", [b"[]", b"5", b'{"Titles": 5}', b'{"Processes": []}'])
async def test_a_table_that_is_none(tmp_path: Path, answer: bytes) -> None:
    async with serving(tmp_path / "s", saying(VERSION, ok(answer))) as endpoint:
        error = await failure(endpoint, lambda acts: acts.top(NAME))
    assert error.reason == "Docker's table of processes has no titles."


async def test_an_answer_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.sources.docker_acts.library.LARGEST_ANSWER", 1 << 20)
    async with serving(tmp_path / "s", saying(VERSION, ok(b'"' + b"x" * (2 << 20) + b'"'))) as endpoint:
        error = await failure(endpoint, lambda acts: acts.raw(NAME))
    assert error.reason.endswith("is no Docker Engine: an answer of more than 1 MiB.")


def test_the_package_is_loaded_by_threads_only() -> None:
    script = "import sys, console.sources.docker_acts; print({'docker', 'requests', 'urllib3'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


async def test_one_that_hangs_is_noticed_long_before_a_grace_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.sources.docker_acts.library._WHO", 0.2)
    async with serving(tmp_path / "s", hang) as endpoint:
        error = await failure(endpoint, lambda acts: acts.stop(NAME, 600))
    assert error.reason == f"Docker has not answered on {tmp_path}/s (timed out after 0.2s)."
    assert not error.unsure


async def test_a_connection_that_does_not_come_about_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("console.sources.docker_acts.library._CONNECT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        endpoint = Endpoint("tcp", host="127.0.0.1", port=port, tls=Tls(tmp_path, False))
        error = await failure(endpoint, lambda acts: acts.stop(NAME, 600))
    assert error.reason == f"Docker has not answered on tcp://127.0.0.1:{port} (timed out after 0.2s)."
    assert not error.unsure
