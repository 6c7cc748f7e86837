"""Engines that are absent, forbidden, talk nonsense, hang or go away: each is one sentence, and nothing waits for ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.model.source import NotThereError, SourceError, SourceState
from console.sources.docker_engine import DockerEngine, Endpoint
from console.sources.docker_engine.client import Client
from console.sources.docker_engine.source import local_socket_answers
from tests.console.fakes import container, inspection

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(path: Path, answer: Answer) -> AsyncIterator[Endpoint]:
    """A server that treats every connection as `answer` does."""
    writers: list[asyncio.StreamWriter] = []

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            await answer(reader, writer)
        except ConnectionError:
            return

    server = await asyncio.start_unix_server(on_connection, str(path))
    try:
        yield Endpoint("unix", path=path)
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


def saying(*replies: bytes) -> Answer:
    """Answer the first request with the first reply and so on, then close."""
    left = list(replies)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(left.pop(0))
            await writer.drain()
        writer.close()

    return answer


def ok(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


VERSION = ok(b'{"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24", "Os": "linux", "Arch": "amd64"}')


async def failure(endpoint: Endpoint, limit: float = 5.0) -> SourceError:
    engine = DockerEngine(endpoint, limit)
    try:
        with pytest.raises(SourceError) as caught:
            await engine.containers()
    finally:
        await engine.aclose()
    return caught.value


async def test_no_socket(tmp_path: Path) -> None:
    error = await failure(Endpoint("unix", path=tmp_path / "none.sock"))
    assert error.state is SourceState.UNREACHABLE
    assert error.reason == f"Docker is not there: there is no {tmp_path}/none.sock: is Docker installed and started?"


async def test_a_socket_nobody_listens_on(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    error = await failure(Endpoint("unix", path=path))
    assert error.reason == f"Nobody listens on {path}: the Docker Engine is not running."
    assert not local_socket_answers(path)


async def test_a_socket_that_is_not_permitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(asyncio, "open_unix_connection", refuse)
    error = await failure(Endpoint("unix", path=Path("/var/run/docker.sock")))
    assert error.state is SourceState.DENIED
    assert error.reason == "No permission for /var/run/docker.sock. Join group docker, then log in again."


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00\xff\x1b]52;c;aGk=\x07" * 100 + b"\r\n\r\n",
        b"x" * 500_000,
        ok(b"<html>hello</html>"),
        ok(b"[]"),
        ok(b'{"ApiVersion": 5}'),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_garbage_is_no_engine(tmp_path: Path, garbage: bytes) -> None:
    async with serving(tmp_path / "s", saying(garbage)) as endpoint:
        error = await failure(endpoint)
    assert error.state is SourceState.UNREACHABLE
    assert error.reason.startswith(f"What answers on {tmp_path}/s is no Docker Engine: "), error.reason
    assert "\x1b" not in error.reason


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"])
async def test_an_engine_that_goes_away_in_the_middle_is_still_an_engine(tmp_path: Path, said: bytes) -> None:
    async with serving(tmp_path / "s", saying(said)) as endpoint:
        error = await failure(endpoint)
    assert error.reason == f"Docker on {tmp_path}/s has closed the connection: it was stopped or is being restarted."


async def test_an_engine_that_hangs_costs_its_time_limit_and_no_more(tmp_path: Path) -> None:
    released = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await released.wait()

    async with serving(tmp_path / "s", hang) as endpoint:
        error = await failure(endpoint, limit=0.05)
        released.set()
    assert error.reason == f"Docker has not answered on {tmp_path}/s (timed out after 0.05s)."


async def test_many_requests_to_one_that_hangs_all_end_with_the_first(tmp_path: Path) -> None:
    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(tmp_path / "s", hang) as endpoint:
        client = Client(endpoint, timeout=0.2)
        async with asyncio.timeout(2.0):
            results = await asyncio.gather(*(client.get("/x") for _ in range(40)), return_exceptions=True)
        await client.aclose()
    assert all(isinstance(result, SourceError) for result in results)


async def test_an_old_engine_is_told_so(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", saying(ok(b'{"ApiVersion": "1.38"}'))) as endpoint:
        error = await failure(endpoint)
    assert error.reason == "Docker API 1.38 is too old, 1.40 is needed (Engine 19.03)."


async def test_an_engine_that_wants_more_than_we_speak_is_told_so(tmp_path: Path) -> None:
    reply = ok(b'{"ApiVersion": "1.99", "MinAPIVersion": "1.60"}')
    async with serving(tmp_path / "s", saying(reply)) as endpoint:
        error = await failure(endpoint)
    assert "wants API 1.60 or newer" in error.reason


@pytest.mark.parametrize(("theirs", "used"), [("1.41", "1.41"), ("1.99", "1.51")])
async def test_requests_carry_the_negotiated_version(tmp_path: Path, theirs: str, used: str) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head.split(b" ")[1])
            version = b'{"ApiVersion": "%s"}' % theirs.encode()
            writer.write(ok(version if asked[-1] == b"/version" else b"[]"))

    async with serving(tmp_path / "s", answer) as endpoint:
        engine = DockerEngine(endpoint)
        assert await engine.containers() == ()
        await engine.aclose()
    assert asked == [b"/version", b"/v%s/containers/json?all=1" % used.encode()]


async def test_the_folder_that_the_engine_keeps_everything_in(tmp_path: Path) -> None:
    async with serving(
        tmp_path / "s", saying(VERSION, ok(b'{"ID": "x", "DockerRootDir": "/srv/docker\\u001b[2J"}'))
    ) as endpoint:
        engine = DockerEngine(endpoint)
        assert await engine.root() == "/srv/docker"
        await engine.aclose()


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"DockerRootDir": 7}', b'{"DockerRootDir": "C:\\\\ProgramData"}'])
async def test_an_engine_that_does_not_tell_its_folder(tmp_path: Path, body: bytes) -> None:
    async with serving(tmp_path / "s", saying(VERSION, ok(body))) as endpoint:
        engine = DockerEngine(endpoint)
        assert await engine.root() is None
        await engine.aclose()


async def test_an_idle_connection_that_was_closed_is_replaced(tmp_path: Path) -> None:
    connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(VERSION)
        await writer.drain()
        if connections == 1:
            writer.close()
        else:
            await asyncio.Event().wait()

    async with serving(tmp_path / "s", answer) as endpoint:
        engine = DockerEngine(endpoint)
        assert (await engine.engine()).version == "20.10.24"
        assert (await engine.engine()).version == "20.10.24"
        await engine.aclose()
    assert connections == 2


async def test_errors_of_the_engine_carry_its_own_words(tmp_path: Path) -> None:
    replies = (
        VERSION,
        ok(b'{"message": "No such container: x\\u001b[2J"}', "404 Not Found"),
        ok(b'{"message": "not for you"}', "403 Forbidden"),
    )
    async with serving(tmp_path / "s", saying(*replies)) as endpoint:
        engine = DockerEngine(endpoint)
        with pytest.raises(NotThereError) as missing:
            await engine.inspect("x")
        with pytest.raises(SourceError) as denied:
            await engine.inspect("x")
        await engine.aclose()
    assert missing.value.reason == "Docker answers 404: No such container: x"
    assert denied.value.state is SourceState.DENIED


async def test_a_stream_with_something_else_in_it_ends_with_a_sentence(tmp_path: Path) -> None:
    stream = b'HTTP/1.1 200 OK\r\n\r\n{"Type":"container","Action":"die","Actor":{"ID":"a"},"timeNano":5}\nnot json\n'
    async with serving(tmp_path / "s", saying(VERSION, ok(b"[]"))) as endpoint:
        engine = DockerEngine(endpoint)
        await engine.engine()
    async with serving(tmp_path / "s", saying(stream)) as endpoint:
        events = engine.events()
        assert (await anext(events)).action == "die"
        with pytest.raises(SourceError, match="no JSON"):
            await anext(events)
        await engine.aclose()


async def test_a_log_that_stops_in_the_middle_is_no_log_that_has_ended(tmp_path: Path) -> None:
    """Read as far as it is it may not hang for ever; followed, it may be silent for as long as the training is."""
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    line = b"2026-11-23T00:00:00.000000001Z said\n"
    frame = b"\x01\0\0\0" + len(line).to_bytes(4, "big") + line
    answer = begun + b"%x\r\n%s\r\n" % (len(frame), frame)
    rest = asyncio.Event()

    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"/version" in await reader.readuntil(b"\r\n\r\n"):
            writer.write(VERSION)
        writer.write(answer)
        await rest.wait()
        writer.write(b"0\r\n\r\n")

    async def texts(engine: DockerEngine, *, follow: bool) -> list[bytes]:
        log = engine.log(container("train", details=inspection()), tail=None, follow=follow)
        return [text async for entries in log for _, _, text in entries]

    async with serving(tmp_path / "s", stuck) as endpoint:
        engine = DockerEngine(endpoint, silence=0.05)
        with pytest.raises(SourceError) as hung:
            await texts(engine, follow=False)
        assert hung.value.state is SourceState.UNREACHABLE
        assert hung.value.reason == (f"Docker on {tmp_path}/s hangs: nothing has come for 0.05s in the middle of an answer.")
        following = asyncio.create_task(texts(engine, follow=True))
        done, _ = await asyncio.wait({following}, timeout=0.3)
        assert not done
        rest.set()
        assert await following == [b"said\n"]
        await engine.aclose()


async def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await failure(Endpoint("tcp", host="nowhere.invalid", port=2375))
    assert error.reason == "The name 'nowhere.invalid' is not known here."


async def test_ssh_failures_repeat_what_ssh_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ssh"
    fake.write_text("#!/bin/sh\nprintf 'Warning: x\\nops@far: Permission denied (publickey).\\n' >&2\nexit 255\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    error = await failure(Endpoint("ssh", host="far", user="ops"))
    assert "Permission denied (publickey)" in error.reason


async def test_ssh_speaks_to_the_engine_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ssh"
    arguments = tmp_path / "arguments"
    body = tmp_path / "reply"
    body.write_bytes(VERSION)
    # Reads the request up to its blank line, as a real far end would, and answers.
    fake.write_text(
        f'#!/bin/sh\necho "$@" > {arguments}\nwhile IFS= read -r line; do [ "${{#line}}" -le 1 ] && break; done\ncat {body}\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    engine = DockerEngine(Endpoint("ssh", host="far", user="ops", port=2222))
    assert (await engine.engine()).version == "20.10.24"
    await engine.aclose()
    assert arguments.read_text().rstrip() == "-o BatchMode=yes -T -p 2222 -- ops@far docker system dial-stdio"
