"""Accounts of the disk that are odd, wrong, slow or broken off: one bad record hides nothing, what is no account says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.model.disk import Layer
from console.model.source import SourceError, SourceState
from console.sources.docker_engine import DockerEngine, Endpoint
from tests.console.sources.test_client import ok, serving
from tests.support.waiting import until

ONE, TWO = f"sha256:{1:064x}", f"sha256:{2:064x}"


class Served:
    """An Engine made of answers: what each target (without its version) says, 404 for the others."""

    def __init__(self, api: str = "1.41", /, **answers: object) -> None:
        self.asked: list[str] = []
        self.hold: asyncio.Event | None = None
        self.answers: dict[str, object] = {
            "/version": {"ApiVersion": api, "Version": "x"},
            "/system/df": {},
            "/images/json": [],
            "/volumes": {"Volumes": None},
            f"/images/{ONE}/json": {"Id": ONE, "RootFS": {"Layers": [ONE]}},
            f"/images/{ONE}/history": [{"Size": 5, "CreatedBy": ""}],
        }
        self.answers |= {f"/{name.replace('_', '/')}": answer for name, answer in answers.items()}

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            except asyncio.IncompleteReadError:
                return
            self.asked.append(target)
            if "/system/df" in target and self.hold is not None:
                await self.hold.wait()
            path = target.partition("?")[0]
            path = "/" + path.split("/", 2)[2] if path.startswith("/v1.") else path
            known = path in self.answers
            body = json.dumps(self.answers[path] if known else {"message": "No such image"}).encode()
            writer.write(ok(body, "200 OK" if known else "404 Not Found"))

    def count(self, what: str) -> int:
        return sum(what in target for target in self.asked)


@asynccontextmanager
async def reading(served: Served, folder: Path, limit: float = 5.0) -> AsyncIterator[DockerEngine]:
    async with serving(folder / "s", served) as endpoint:
        docker = DockerEngine(endpoint, limit)
        try:
            yield docker
        finally:
            await docker.aclose()


async def refused(served: Served, folder: Path) -> SourceError:
    async with reading(served, folder) as docker:
        with pytest.raises(SourceError) as caught:
            await docker.disk()
    return caught.value


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ({"system_df": []}, "its account of the disk"),
        ({"system_df": {"Containers": 5}}, "its account of containers"),
        ({"system_df": {"Volumes": {}}}, "its account of volumes"),
        ({"system_df": {"BuildCache": "x"}}, "its account of the build cache"),
        ({"images_json": {}}, "its list of images"),
        ({"volumes": []}, "its list of volumes"),
        ({"volumes": {"Volumes": 5}}, "its list of volumes"),
    ],
)
async def test_what_is_no_account(tmp_path: Path, answers: dict[str, object], what: str) -> None:
    error = await refused(Served(**answers), tmp_path)
    assert error.reason == f"What answers on {tmp_path}/s is no Docker Engine: {what} is none."
    assert error.state is SourceState.UNREACHABLE


async def test_bad_records_are_left_out(tmp_path: Path) -> None:
    odd: list[object] = [None, 5, "x", [], {}, {"Id": 5}, {"Id": TWO, "Size": "5"}, {"Id": TWO, "Size": True}]
    good = {"Id": ONE, "Size": 5, "Created": 10**30, "RepoTags": [None, "<none>:<none>", "b:1", "a:1"], "Labels": {"a": None}}
    volumes = [None, {}, {"Name": 5}, {"Name": "v", "UsageData": {"Size": -1}, "Labels": [], "CreatedAt": "when?"}]
    cache = [None, {}, {"ID": "c"}, {"ID": "c", "Size": 1, "Parents": ["p", 5, ""], "LastUsedAt": None}]
    containers = [None, {}, {"Id": "k"}, {"Id": "m", "SizeRw": -1}, {"Id": "n", "SizeRw": 7}]
    df = {"Volumes": volumes, "BuildCache": cache, "Containers": containers}
    async with reading(Served(system_df=df, images_json=[*odd, good]), tmp_path) as docker:
        use = await docker.disk()
    (image,), (volume,), (record,) = use.images, use.volumes, use.cache
    assert (image.id, image.names, image.layers, image.labels) == (ONE, ("a:1", "b:1"), (Layer(image.id, 5),), {"a": "None"})
    assert (volume.name, volume.size, volume.created, volume.labels) == ("v", None, None, {})
    assert (record.parents, record.size, record.used_at, record.in_use) == (("p",), 1, None, False)
    assert use.written == {"k": 0, "n": 7}
    assert use.logs == {}


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"RootFS": 5}, {"RootFS": {"Layers": ["x"]}}, {"RootFS": {"Layers": [ONE, TWO, ONE]}}]
)
async def test_an_image_that_tells_too_little_counts_whole(tmp_path: Path, answer: object) -> None:
    served = Served(images_json=[{"Id": ONE, "Size": 5}])
    served.answers[f"/images/{ONE}/json"] = answer
    async with reading(served, tmp_path) as docker:
        (image,) = (await docker.disk()).images
    assert (image.layers, image.size) == (None, 5)


async def test_layers_that_do_not_add_up_count_whole(tmp_path: Path) -> None:
    async with reading(Served(images_json=[{"Id": ONE, "Size": 6}]), tmp_path) as docker:
        assert (await docker.disk()).images[0].layers is None


async def test_an_image_that_goes_while_it_is_looked_at_is_left_out(tmp_path: Path) -> None:
    served = Served(images_json=[{"Id": TWO, "Size": 5}, {"Id": ONE, "Size": 5}])
    async with reading(served, tmp_path) as docker:
        assert [image.id for image in (await docker.disk()).images] == [ONE]


@pytest.mark.parametrize(("api", "query"), [("1.41", ""), ("1.42", "?type=container&type=volume&type=build-cache")])
async def test_only_what_is_needed_is_counted_where_the_engine_lets_us_choose(tmp_path: Path, api: str, query: str) -> None:
    served = Served(api)
    async with reading(served, tmp_path) as docker:
        await docker.disk()
    assert f"/v{api}/system/df{query}" in served.asked


async def test_two_at_once_share_one_answer(tmp_path: Path) -> None:
    served = Served()
    served.hold = asyncio.Event()
    async with reading(served, tmp_path) as docker:
        await docker.engine()
        first, second, gone = (asyncio.create_task(docker.disk()) for _ in range(3))
        await until(lambda: served.count("/system/df") == 1, "the question")
        gone.cancel()
        served.hold.set()
        assert await first is await second
        assert served.count("/system/df") == 1
        await docker.disk()
        assert served.count("/system/df") == 2, "the next one is asked anew"


async def test_what_nobody_waits_for_is_not_read_on(tmp_path: Path) -> None:
    served = Served()
    served.hold = asyncio.Event()
    async with reading(served, tmp_path) as docker:
        alone = asyncio.create_task(docker.disk())
        await until(lambda: served.count("/system/df") == 1, "the question")
        alone.cancel()
        await asyncio.wait({alone})
        assert docker._disk._reading is None
        served.hold.set()
        await docker.disk()
        assert served.count("/system/df") == 2


async def test_the_account_may_take_longer_than_the_rest(tmp_path: Path) -> None:
    served = Served()
    served.hold = asyncio.Event()
    async with reading(served, tmp_path, 0.05) as docker:
        slow = asyncio.create_task(docker.disk())
        await until(lambda: served.count("/system/df") == 1, "the question")
        # What comes after it and never gets an answer has its time-out while the account goes on.
        with pytest.raises(SourceError, match=r"timed out after 0\.05s"):
            await docker._client.get("/v1.41/system/df?again")
        assert not slow.done()
        served.hold.set()
        assert (await slow).images == ()


async def test_an_account_that_never_comes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.sources.docker_engine.disk.SLOW", 0.1)
    served = Served()
    served.hold = asyncio.Event()
    error = await refused(served, tmp_path)
    served.hold.set()
    assert error.reason == f"Docker has not answered on {tmp_path}/s (timed out after 0.1s)."


async def test_closing_in_the_middle(tmp_path: Path) -> None:
    served = Served()
    served.hold = asyncio.Event()
    async with serving(tmp_path / "s", served) as endpoint:
        docker = DockerEngine(endpoint)
        waiting = asyncio.create_task(docker.disk())
        await until(lambda: served.count("/system/df") == 1, "the question")
        await docker.aclose()
        with pytest.raises(SourceError, match="is being closed"):
            await waiting
        served.hold.set()


async def test_logs_of_an_engine_elsewhere_are_not_looked_for(tmp_path: Path) -> None:
    log = tmp_path / "x-json.log"
    log.write_bytes(b"12345")
    served = Served(system_df={"Containers": [{"Id": "c1"}, {"Id": "c2"}, {"Id": "c3"}]})
    served.answers["/containers/c1/json"] = {"LogPath": str(log)}
    served.answers["/containers/c2/json"] = {"LogPath": "relative"}
    async with reading(served, tmp_path) as docker:
        assert (await docker.disk()).logs == {"c1": 5}
        (tmp_path / "x-json.log.1").write_bytes(b"123")
        (tmp_path / "x-json.log.2.gz").write_bytes(b"1")
        assert (await docker.disk()).logs == {"c1": 9}
    assert served.count("/containers/c1/json") == 1, "the path of a log does not change"
    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server:
        far = DockerEngine(Endpoint("tcp", host="127.0.0.1", port=server.sockets[0].getsockname()[1]))
        assert (await far.disk()).logs == {}
        await far.aclose()
