"""What is sent for each act, to the letter: nothing is forced, nothing is sent twice, and a grace is what was asked for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from console.model.source import SourceError
from console.sources.docker_acts import DockerActs
from tests.console.sources.docker_acts.test_broken import DONE, NAME, acting, counting
from tests.console.sources.test_client import VERSION, ok, serving
from tests.support.waiting import until

OWN = ok(b'{"Id": "x", "Config": {"StopTimeout": 45}}')
PLAIN = ok(b'{"Id": "x", "Config": {}}')


@pytest.mark.parametrize(
    ("act", "replies", "sent"),
    [
        (lambda acts: acts.start(NAME), [], [f"POST /containers/{NAME}/start"]),
        (lambda acts: acts.stop(NAME, 3), [], [f"POST /containers/{NAME}/stop?t=3"]),
        (lambda acts: acts.stop(NAME, 0), [], [f"POST /containers/{NAME}/stop?t=0"]),
        (lambda acts: acts.stop(NAME, None), [OWN, VERSION], [f"GET /containers/{NAME}/json", f"POST /containers/{NAME}/stop"]),
        (lambda acts: acts.restart(NAME, 3), [], [f"POST /containers/{NAME}/restart?t=3"]),
        (
            lambda acts: acts.restart(NAME, None),
            [OWN, VERSION],
            [f"GET /containers/{NAME}/json", f"POST /containers/{NAME}/restart?t=45"],
        ),
        (
            lambda acts: acts.restart(NAME, None),
            [PLAIN, VERSION],
            [f"GET /containers/{NAME}/json", f"POST /containers/{NAME}/restart?t=10"],
        ),
        (lambda acts: acts.kill(NAME, "SIGINT"), [], [f"POST /containers/{NAME}/kill?signal=SIGINT"]),
        (lambda acts: acts.pause(NAME), [], [f"POST /containers/{NAME}/pause"]),
        (lambda acts: acts.unpause(NAME), [], [f"POST /containers/{NAME}/unpause"]),
        (
            lambda acts: acts.remove_container(NAME, volumes=True),
            [],
            [f"DELETE /containers/{NAME}?v=True&link=False&force=False"],
        ),
        (lambda acts: acts.remove_volume(NAME), [], [f"DELETE /volumes/{NAME}"]),
        (lambda acts: acts.remove_cache([]), [], []),
    ],
)
async def test_requests(
    tmp_path: Path, act: Callable[[DockerActs], Awaitable[object]], replies: list[bytes], sent: list[str]
) -> None:
    requests: list[str] = []
    async with serving(tmp_path / "s", counting(requests, VERSION, *replies, DONE)) as endpoint, acting(endpoint) as acts:
        await act(acts)
    told = [line.removesuffix(" HTTP/1.1").replace("/v1.41", "") for line in requests]
    assert [line for line in told if line != "GET /version"] == sent


async def test_an_answer_that_drips_has_no_more_time_than_one_that_hangs(tmp_path: Path) -> None:
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(VERSION)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not over.is_set():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(tmp_path / "s", answer) as endpoint, acting(endpoint, 0.3) as acts:
        with pytest.raises(SourceError, match=r"timed out after 0\.3s") as caught:
            await acts.start(NAME)
        assert caught.value.unsure
        await acts.aclose()
        await until(lambda: not any(one.name.startswith("docker-acts") for one in threading.enumerate()), "the thread to end")
        over.set()


async def test_nothing_of_the_persons_own_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    (tmp_path / "config.json").write_text('{"HttpHeaders": {"X-Mine": "1"}}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (VERSION, DONE):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(reply)

    async with serving(tmp_path / "s", answer) as endpoint, acting(endpoint) as acts:
        await acts.start(NAME)
    told = {line.partition(b":")[0].lower() for head in heads for line in head.split(b"\r\n")[1:] if line}
    assert told <= {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection", b"content-length"}


async def test_a_table_is_clean_and_without_what_is_no_row(tmp_path: Path) -> None:
    table = ok(b'{"Titles": ["PID", "C\\u001b[2JMD"], "Processes": [["1", "a\\u001b]0;title\\u0007b"], 5, ["2"]]}')
    async with serving(tmp_path / "s", counting([], VERSION, table)) as endpoint, acting(endpoint) as acts:
        assert await acts.top(NAME) == (("PID", "CMD"), ("1", "ab"), ("2",))


async def test_a_name_that_moves_in_the_meantime_is_left_alone(tmp_path: Path) -> None:
    one, two = f"sha256:{1:064x}", f"sha256:{2:064x}"
    looked = ok(f'{{"Id": "{one}", "RepoTags": ["a:1", "b:1"], "RootFS": {{"Layers": ["{one}", "{two}"]}}}}'.encode())
    other = ok(f'{{"Id": "{two}"}}'.encode())
    gone = ok(f'[{{"Untagged": "b:1"}}, {{"Deleted": "{one}"}}, {{"Deleted": "{two}"}}]'.encode())
    requests: list[str] = []
    answers = counting(requests, VERSION, looked, ok(b"[]"), other, looked, gone)
    async with serving(tmp_path / "s", answers) as endpoint, acting(endpoint) as acts:
        assert await acts.remove_image(one, ["a:1", "b:1"]) == 1, "the other one is the id of an image, or of a layer of others"
    assert [line.split(" ")[1] for line in requests if line.startswith("DELETE")] == [
        "/v1.41/images/b:1?force=False&noprune=False"
    ]
