"""The GPU's hop: the driver as a library says it, the Engine as one without the toolkit is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.demo import demo_gpus, demo_instruments, demo_machine, demo_reach
from console.doctor import gpu
from console.doctor.findings import Finding, HopState
from console.doctor.instruments import DockerSide, Instruments
from console.doctor.visit import Visit
from console.model.container import Container
from console.model.daemon import Daemon
from console.model.gpu import Gpu, GpuReading
from console.model.source import SourceError, SourceState, SourceStatus
from console.settings import Overrides, load
from console.sources.docker_acts import DockerActs
from console.sources.docker_engine.endpoint import find_endpoint
from console.sources.docker_engine.source import DockerEngine
from console.sources.protocols import Gpus
from console.text import Clean, clean
from tests.console.fakes import FakeCompose, FakeEngine, container
from tests.support.engine import Engine

CARD = Gpu(0, clean("GPU-1"), clean("0000:01:00.0"), clean("H100"))


class Cards:
    """Cards that a test has in its hands."""

    def __init__(self, *cards: Gpu, error: SourceError | None = None) -> None:
        self.cards, self.error = cards, error

    async def read(self) -> GpuReading:
        if self.error is not None:
            raise self.error
        return GpuReading(clean("580.1"), clean("13.0"), self.cards)

    async def aclose(self) -> None:
        """Nothing is open."""


class Knows:
    """An Engine's set-up that a test has in its hands."""

    def __init__(self, *runtimes: str, devices: tuple[str, ...] = ()) -> None:
        self.told = Daemon(True, tuple(map(clean, runtimes)), tuple(map(clean, devices)))

    async def daemon(self) -> Daemon:
        return self.told


class Tried:
    """What a container sees."""

    def __init__(self, *seen: str) -> None:
        self.seen = seen
        self.images: list[str] = []

    async def sees(self, image: str) -> tuple[Clean, ...]:
        self.images.append(image)
        return tuple(map(clean, self.seen))

    async def aclose(self) -> None:
        """Nothing is open."""


def tools(folder: Path, gpus: Gpus | SourceStatus, docker: DockerSide) -> Instruments:
    loaded = load(argv=Overrides(), env={"HOME": str(folder)}, cwd=folder, etc=folder / "etc.toml")
    whole = demo_instruments(loaded, Clean("here"), demo_reach(), demo_gpus(), demo_machine())
    return replace(whole, gpus=gpus, docker=docker, demo=False)


def side(daemon: Knows, trial: Tried | None, *held: Container) -> DockerSide:
    return DockerSide(FakeEngine(*held), daemon, FakeCompose(), None, trial)


TRAINING = container("run", labels={"mlops.managed": "true"})


@pytest.mark.parametrize(
    ("cards", "state", "said"),
    [
        (Cards(), HopState.OFF, "no card"),
        (Cards(CARD, replace(CARD, index=1, lost=clean("fell off the bus"))), HopState.BROKEN, "GPU 1 tells nothing any more"),
        (Cards(error=SourceError(SourceState.OFF, clean("No NVIDIA driver here."))), HopState.OFF, "No NVIDIA driver"),
        (Cards(error=SourceError(SourceState.UNREACHABLE, clean("other version"))), HopState.BROKEN, "other version"),
    ],
)
async def test_the_driver(tmp_path: Path, cards: Cards, state: HopState, said: str) -> None:
    found = await look(tools(tmp_path, cards, side(Knows("nvidia"), None)))
    assert found.state is state
    assert said in found.seen


async def look(instruments: Instruments) -> Finding:
    visit = Visit(instruments)
    try:
        return await gpu.look(visit)
    finally:
        await visit.aclose()


@pytest.mark.parametrize("daemon", [Knows("nvidia", "runc"), Knows("runc", devices=("nvidia.com/gpu=0",))])
async def test_a_container_that_sees_the_cards(tmp_path: Path, daemon: Knows) -> None:
    trial = Tried("GPU 0: H100")
    found = await look(tools(tmp_path, Cards(CARD), side(daemon, trial, TRAINING)))
    assert (found.state, found.seen) == (HopState.OK, "1 card, driver 580.1; a container sees them")
    assert trial.images == [str(TRAINING.image_id)]


async def test_one_that_sees_fewer(tmp_path: Path) -> None:
    both = Cards(CARD, replace(CARD, index=1))
    found = await look(tools(tmp_path, both, side(Knows("nvidia"), Tried("GPU 0: H100"), TRAINING)))
    assert found.state is HopState.BROKEN
    assert "sees 1 of them" in found.seen


@pytest.mark.parametrize(
    ("docker", "said"),
    [
        (side(Knows("nvidia"), Tried()), "no image is here to try a container with"),
        (side(Knows("nvidia"), None, TRAINING), "read-only: no container was tried"),
    ],
)
async def test_where_none_can_be_tried(tmp_path: Path, docker: DockerSide, said: str) -> None:
    found = await look(tools(tmp_path, Cards(CARD), docker))
    assert found.state is HopState.OK
    assert said in found.seen


async def test_an_engine_without_the_toolkit(tmp_path: Path, engine: Engine) -> None:
    """A real one: it has no such runtime, and starts no container with cards."""
    endpoint = find_endpoint(engine.host, "", {}, tls_verify=False, cert_path=None)
    asked, acts = DockerEngine(endpoint), DockerActs(endpoint)
    try:
        found = await look(tools(tmp_path, Cards(CARD), DockerSide(asked, asked, FakeCompose(), None, acts)))
        assert found.state is HopState.BROKEN
        assert "the Engine knows no NVIDIA toolkit" in found.seen
        assert "nvidia-ctk" in found.do
        before = engine.docker("ps", "-aq")
        image = replace(TRAINING, image_id=clean("busybox:test"))
        tried = DockerSide(FakeEngine(image), Knows("nvidia"), FakeCompose(), None, acts)
        found = await look(tools(tmp_path, Cards(CARD), tried))
        assert found.state is HopState.BROKEN
        assert "could not select device driver" in found.seen
        assert engine.docker("ps", "-aq") == before
    finally:
        await acts.aclose()
        await asked.aclose()


async def test_an_engine_tells_of_its_set_up(engine: Engine) -> None:
    asked = DockerEngine(find_endpoint(engine.host, "", {}, tls_verify=False, cert_path=None))
    told = await asked.daemon()
    await asked.aclose()
    assert told.live_restore is False
    assert "runc" in told.runtimes
    assert told.root is not None
