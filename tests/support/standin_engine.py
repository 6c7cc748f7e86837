"""A Docker Engine that speaks real HTTP over a real socket and runs nothing: what it says was recorded from one that does.

For tests of many containers. It knows what the console asks for: the version, the list, one container, events, statistics.
"""

from __future__ import annotations

import asyncio
import copy
import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support import scratch

RECORDINGS = Path(__file__).parent.parent / "console" / "sources" / "recordings"


class StandinEngine:
    """`services` times `replicas` containers of a Compose project and as many others as make it `containers` in all.

    It answers in a thread of its own. `host` is for DOCKER_HOST; `asked` is what was asked for, in its order.
    """

    def __init__(self, *, containers: int = 300, services: int = 30, replicas: int = 4) -> None:
        self._listed, self._inspected = _crowd(containers, services, replicas)
        self._statistics = json.loads((RECORDINGS / "stats-20.10-cgroup1.json").read_text())
        self._version = json.loads((RECORDINGS / "version-20.10.json").read_text())
        self._folder = scratch.new_folder("i")
        self.socket = self._folder / "s"
        self.host = f"unix://{self.socket}"
        self.asked: list[str] = []
        self._ready = threading.Event()
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: set[asyncio.Queue[bytes]] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="standin engine", daemon=True)
        self._thread.start()
        self._ready.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._loop is not None
        assert self._over is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self.socket.unlink(missing_ok=True)
        self._folder.rmdir()

    def tell(self, number: int, action: str) -> None:
        """Tell everybody who follows the events of one about the container `number`."""
        raw = self._listed[number]
        self._nano = getattr(self, "_nano", 1_795_429_700_000_000_000) + 1_000_000
        attributes = {**raw["Labels"], "image": raw["Image"], "name": raw["Names"][0][1:]}
        event = {
            "Type": "container",
            "Action": action,
            "Actor": {"ID": raw["Id"], "Attributes": attributes},
            "time": self._nano // 1_000_000_000,
            "timeNano": self._nano,
        }
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._spread, json.dumps(event).encode() + b"\n")

    def _spread(self, line: bytes) -> None:
        for queue in self._told:
            queue.put_nowait(line)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        talks: set[asyncio.Task[None]] = set()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    await self._answer(head.split(b" ", 2)[1].decode(), writer)
            except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                return
            finally:
                writer.transport.abort()

        server = await asyncio.start_unix_server(talk, str(self.socket))
        self._ready.set()
        await self._over.wait()
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _answer(self, target: str, writer: asyncio.StreamWriter) -> None:
        self.asked.append(target)
        path = target.partition("?")[0]
        parts = path.removeprefix("/").split("/")
        if parts[0].startswith("v1."):
            parts = parts[1:]
        match parts:
            case ["version"]:
                _whole(writer, self._version)
            case ["containers", "json"]:
                _whole(writer, self._listed)
            case ["containers", one, "json"] if one in self._inspected:
                _whole(writer, self._inspected[one])
            case ["containers", one, "stats"] if one in self._inspected:
                await self._stream_statistics(writer)
            case ["events"]:
                await self._stream_events(writer)
            case _:
                _whole(writer, {"message": f"no such thing: {path}"}, "404 Not Found")
        await writer.drain()

    async def _stream_statistics(self, writer: asyncio.StreamWriter) -> None:
        used = 0
        writer.write(_STREAM)
        while True:
            used += 1_000_000
            fresh = copy.deepcopy(self._statistics)
            fresh["cpu_stats"]["cpu_usage"]["total_usage"] += used
            writer.write(_chunk(json.dumps(fresh).encode() + b"\n"))
            await writer.drain()
            await asyncio.sleep(1.0)

    async def _stream_events(self, writer: asyncio.StreamWriter) -> None:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._told.add(queue)
        writer.write(_STREAM)
        try:
            while True:
                writer.write(_chunk(await queue.get()))
                await writer.drain()
        finally:
            self._told.discard(queue)


_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _whole(writer: asyncio.StreamWriter, value: object, status: str = "200 OK") -> None:
    body = json.dumps(value).encode()
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def _crowd(containers: int, services: int, replicas: int) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The list, and by its id what is told of each."""
    list_model = next(
        one for one in json.loads((RECORDINGS / "containers-20.10.json").read_text()) if one["State"] == "running"
    )
    inspect_model = json.loads((RECORDINGS / "inspect-full-20.10.json").read_text())
    listed, inspected = [], {}
    for number in range(containers):
        identity = f"{number:064x}"
        labels: dict[str, str] = {}
        name = f"other-{number:03}"
        if number < services * replicas:
            service, replica = f"svc-{number // replicas:02}", number % replicas + 1
            name = f"crowd-{service}-{replica}"
            labels = {
                "com.docker.compose.project": "crowd",
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": str(replica),
                "com.docker.compose.oneoff": "False",
            }
        listed.append({**copy.deepcopy(list_model), "Id": identity, "Names": [f"/{name}"], "Labels": labels})
        told = copy.deepcopy(inspect_model)
        told |= {"Id": identity, "Name": f"/{name}"}
        told["Config"]["Labels"] = labels
        inspected[identity] = told
    return listed, inspected
