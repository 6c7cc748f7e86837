"""What fills the disk of a real Engine: images of both builders, what they share, volumes, cache, logs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from console.model.disk import DiskUse, Image, freed, once
from console.sources.docker_engine import DockerEngine, Endpoint
from tests.support import builds, images
from tests.support.engine import Engine
from tests.support.images import BUSYBOX, import_busybox
from tests.support.waiting import until_sync

MIB = 1 << 20
BOTH = pytest.mark.parametrize("buildkit", [False, True], ids=["older builder", "BuildKit"])
# Steps that leave an empty layer, one without bytes, or none at all: the two builders do not agree on which.
ODD = f"""FROM {BUSYBOX}
ARG A=1
ENV X=y
WORKDIR /app
WORKDIR /
RUN true
RUN mkdir -p /a/b
COPY big /app/big
RUN echo hi > /app/hi; touch /app/big
RUN rm /app/big
LABEL mlops.project=project-a
CMD ["sh"]
"""


@pytest.fixture(scope="module")
def full_engine(engine: Engine) -> Iterator[Engine]:
    """An Engine whose disk only this module fills."""
    with images.own_engine() as own:
        yield own


@pytest.fixture
async def docker(full_engine: Engine) -> AsyncIterator[DockerEngine]:
    docker = DockerEngine(Endpoint("unix", path=full_engine.socket))
    yield docker
    await docker.aclose()


def built(engine: Engine, tag: str, dockerfile: str, *, buildkit: bool, files: dict[str, bytes] | None = None) -> str:
    try:
        return builds.build(engine, tag, dockerfile, buildkit=buildkit, files=files)
    except builds.NoBuilderError as error:
        pytest.skip(f"nothing here builds images that way: {error}")


def image(use: DiskUse, wanted: str) -> Image:
    return next(one for one in use.images if wanted in (one.id, *one.names))


@BOTH
async def test_layers_of_images_with_empty_ones(full_engine: Engine, docker: DockerEngine, buildkit: bool) -> None:
    made = built(full_engine, f"odd:{buildkit}", ODD, buildkit=buildkit, files={"big": builds.noise(3)})
    use = await docker.disk()
    found, base = image(use, f"odd:{buildkit}"), image(use, BUSYBOX)
    assert found.id == made
    assert found.project == "project-a"
    told = full_engine.api("GET", f"/images/{made}/json")
    assert found.size == told["Size"]
    assert found.layers is not None
    assert base.layers is not None
    assert len(found.layers) == len(told["RootFS"]["Layers"])
    assert found.layers[0] == base.layers[0]
    sized = [layer.size for layer in found.layers if layer.size]
    assert sized == [base.size, 3 * MIB, 3 * MIB + 3]
    assert found.layers[1].size == 0, "a folder has no bytes of its own"
    assert found.layers[-1].size == 0
    assert once((found, base)) == found.size
    assert abs((datetime.now(UTC) - found.created).total_seconds()) < 3600


@BOTH
async def test_what_goes_frees_what_du_says(full_engine: Engine, docker: DockerEngine, buildkit: bool) -> None:
    if builds.driver(full_engine) != "overlay2":
        pytest.skip("this storage driver keeps no layers apart")
    shared = f"FROM {BUSYBOX}\nCOPY base /base\nCOPY mid /mid\n"
    files = {"base": builds.noise(4), "mid": builds.noise(2)}
    one = built(full_engine, "one:1", f"{shared}COPY own /own\n", buildkit=buildkit, files={**files, "own": builds.noise(5)})
    two = built(full_engine, "two:1", f"{shared}COPY own /own\n", buildkit=buildkit, files={**files, "own": builds.noise(3)})
    use = await docker.disk()
    gone = (image(use, one), image(use, two))
    alone, both = freed(gone[:1], use.images), freed(gone, use.images)
    assert alone == 5 * MIB
    assert both == (4 + 2 + 5 + 3) * MIB
    await clear_cache(full_engine)
    for names, expected in ((["one:1"], alone), (["two:1"], both - alone)):
        before = builds.on_disk(full_engine)
        full_engine.docker("rmi", *names)
        assert abs(before - builds.on_disk(full_engine) - expected) < MIB


async def clear_cache(engine: Engine) -> None:
    """BuildKit's cache holds the layers of its images."""
    engine.api("POST", "/build/prune?all=true")


async def test_several_names_dangling_ones_and_those_that_end(full_engine: Engine, docker: DockerEngine) -> None:
    made = import_busybox(full_engine, "many:2", "many:1", "other/name:x")
    nameless = import_busybox(full_engine, "lost:1")
    full_engine.docker("tag", BUSYBOX, "lost:1")
    use = await docker.disk()
    assert image(use, made).names == ("many:1", "many:2", "other/name:x")
    assert image(use, nameless).names == ()
    assert image(use, nameless).shown == nameless.removeprefix("sha256:")[:12]
    full_engine.docker("rmi", "many:2", "many:1", "other/name:x", "lost:1", nameless)
    again = await docker.disk()
    assert {one.id for one in again.images} == {one.id for one in use.images} - {made, nameless}


async def test_labels_that_would_write_on_the_terminal(full_engine: Engine, docker: DockerEngine) -> None:
    hostile = {"mlops.project": "a\x1b]0;title\x07b", "\x1b[2Jname": "line\nline"}
    container = full_engine.docker("create", "--network=none", BUSYBOX, "true").strip()
    made = builds.commit(full_engine, container, "hostile", "1", hostile)
    full_engine.api("POST", "/volumes/create", {"Name": "hostile", "Labels": hostile})
    try:
        use = await docker.disk()
    finally:
        full_engine.docker("rm", container)
        full_engine.docker("rmi", made)
        full_engine.docker("volume", "rm", "hostile")
    volume = next(one for one in use.volumes if one.name == "hostile")
    for labels in (image(use, made).labels, volume.labels):
        assert labels == {"mlops.project": "ab", "name": "line␊line"}


async def test_volumes_and_their_sizes(full_engine: Engine, docker: DockerEngine) -> None:
    full_engine.docker("volume", "create", "--label", "purpose=data", "data")
    full_engine.docker("volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "elsewhere")
    full_engine.docker(
        "run", "--rm", "--network=none", "-v", "data:/d", BUSYBOX, "dd", "if=/dev/zero", "of=/d/x", "bs=1M", "count=2"
    )
    container = full_engine.docker("create", "--network=none", "-v", "/unnamed", BUSYBOX, "true").strip()
    use = await docker.disk()
    data, elsewhere = (next(one for one in use.volumes if one.name == name) for name in ("data", "elsewhere"))
    assert (data.size, data.labels, data.driver, data.anonymous) == (2 * MIB, {"purpose": "data"}, "local", False)
    assert data.created is not None
    assert datetime.now(UTC) - data.created < timedelta(hours=1)
    assert elsewhere.size is None, "nobody adds up what is on a file server"
    assert [one.anonymous for one in use.volumes].count(True) == 1
    full_engine.docker("rm", "--volumes", container)
    full_engine.docker("volume", "rm", "data", "elsewhere")
    assert (await docker.disk()).volumes == ()


async def test_what_containers_wrote_and_logged(full_engine: Engine, docker: DockerEngine) -> None:
    script = "dd if=/dev/zero of=/x bs=1M count=3; for i in 1 2 3 4; do head -c 300000 /dev/zero | tr '\\0' x; echo; done"
    options = ["--log-driver=json-file", "--log-opt=max-size=500k", "--log-opt=max-file=5"]
    writer = full_engine.docker("run", "-d", "--network=none", *options, BUSYBOX, "sh", "-c", script).strip()
    waiting = full_engine.docker("create", "--network=none", BUSYBOX, "true").strip()
    full_engine.docker("wait", writer)
    folder = full_engine.folder / "d" / "containers" / writer
    until_sync(lambda: len(list(folder.glob("*-json.log*"))) > 1, "the log to be turned over")
    use = await docker.disk()
    assert use.written[writer] == 3 * MIB  # type: ignore[index]  # an id is clean
    assert use.written[waiting] == 0  # type: ignore[index]
    assert use.logs[writer] == sum(one.stat().st_size for one in folder.glob("*-json.log*")) > 1_200_000  # type: ignore[index]
    assert waiting not in use.logs, "one that never ran has no log"
    full_engine.docker("rm", writer, waiting)
    use = await docker.disk()
    assert not {writer, waiting} & {*use.written, *use.logs}


async def test_logs_that_this_user_may_not_look_at(full_engine: Engine, docker: DockerEngine) -> None:
    container = full_engine.docker("run", "-d", "--network=none", BUSYBOX, "echo", "hi").strip()
    await docker.disk()
    full_engine.docker("wait", container)
    with as_nobody():
        # The connections are open already; only the files are looked at anew.
        use = await docker.disk()
    full_engine.docker("rm", container)
    assert use.logs == {}
    assert container in use.written


@contextmanager
def as_nobody() -> Iterator[None]:
    os.setresuid(-1, 65534, -1)
    try:
        yield
    finally:
        os.setresuid(-1, 0, -1)


async def test_the_build_cache(full_engine: Engine, docker: DockerEngine) -> None:
    await clear_cache(full_engine)
    built(full_engine, "cached:1", f"FROM {BUSYBOX}\nCOPY a /a\nRUN touch /b\n", buildkit=True, files={"a": builds.noise(1)})
    use = await docker.disk()
    assert {one.id for one in use.cache} == set(builds.cache_ids(full_engine))
    known = {one.id for one in use.cache}
    assert any(one.parents and set(one.parents) <= known for one in use.cache)
    assert any(one.shared and one.size == MIB for one in use.cache), "the layer that the image has too"
    assert any(not one.shared and one.size == MIB for one in use.cache), "what was sent to the builder"
    assert not any(one.in_use for one in use.cache)
    assert all(one.kind and one.description and one.used_at for one in use.cache)
    full_engine.docker("rmi", "cached:1")


async def test_what_cannot_change_is_asked_for_once(full_engine: Engine, docker: DockerEngine) -> None:
    await docker.disk()
    asked: list[str] = []
    get = docker._client.get

    async def listening(target: str, timeout: float | None = None) -> object:  # noqa: ASYNC109
        asked.append(target.split("/", 2)[2].partition("?")[0])
        return await get(target, timeout)

    docker._client.get = listening  # type: ignore[method-assign]
    await docker.disk()
    assert sorted(asked) == ["images/json", "system/df", "volumes"]
    asked.clear()
    made = import_busybox(full_engine, "new:1")
    assert image(await docker.disk(), made).layers
    assert sorted(asked) == ["images/json", f"images/{made}/history", f"images/{made}/json", "system/df", "volumes"]
    full_engine.docker("rmi", "new:1")
    await docker.disk()
    assert made not in docker._disk._layers


async def test_consoles_that_ask_at_once_all_get_an_answer(full_engine: Engine) -> None:
    """An Engine up to 20.10 adds its disk up for one at a time, and says 500 to the others."""
    consoles = [DockerEngine(Endpoint("unix", path=full_engine.socket)) for _ in range(4)]
    try:
        found = await asyncio.gather(*(console.disk() for console in consoles for _ in range(2)))
    finally:
        for console in consoles:
            await console.aclose()
    first, *others = [{image.id for image in use.images} for use in found]
    assert first, "there are some"
    assert all(one == first for one in others)
