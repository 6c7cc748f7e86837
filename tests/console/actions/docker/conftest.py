"""A real Engine of the module's own, whatever reaches it, and no Jenkins unless a test brings one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest

from console.actions.doer import Doer
from console.model.jenkins import NOT_CONFIGURED
from console.model.service import ComposeProject
from console.model.source import SourceState, SourceStatus
from console.sources.docker_acts import DockerActs
from console.sources.docker_engine import Endpoint
from console.sources.docker_engine.source import DockerEngine
from console.sources.protocols import ActingJenkins
from console.sources.reach import Reach
from console.text import Clean, clean
from tests.console.actions.acts import Notebook
from tests.console.fakes import FakeCompose
from tests.support import images
from tests.support.engine import Engine

NO_JENKINS = SourceStatus(SourceState.OFF, NOT_CONFIGURED)


@pytest.fixture(scope="module")
def own(engine: Engine) -> Iterator[Engine]:
    """An Engine with busybox that one module fills and empties."""
    with images.own_engine() as made:
        yield made


@pytest.fixture
async def reach(own: Engine) -> AsyncIterator[Reach]:
    made = reach_of(own)
    yield made
    await made.aclose()


NO_SERVICES = ComposeProject(clean("p"), clean("f"), ())


def reach_of(engine: Engine, compose: FakeCompose | None = None, jenkins: ActingJenkins | SourceStatus = NO_JENKINS) -> Reach:
    """Acts on this Engine; Compose and Jenkins are what the test says."""
    endpoint = Endpoint("unix", path=engine.socket)
    watched = DockerEngine(endpoint)
    return Reach(watched, watched, DockerActs(endpoint), compose or FakeCompose(NO_SERVICES), _NoServices(), jenkins)


class _NoServices:
    """Nothing here acts through Compose."""

    async def act(self, verb: str, services: Sequence[str], grace: int | None, tell: Callable[[Clean], None]) -> None:
        raise AssertionError(verb)

    def command(self, verb: str, services: Sequence[str], grace: int | None) -> Clean:
        raise AssertionError(verb)

    async def aclose(self) -> None: ...


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def doer(notebook: Notebook) -> Doer:
    return Doer(notebook)


@pytest.fixture(autouse=True)
def emptied(own: Engine) -> Iterator[None]:
    """Each test begins with busybox and nothing else."""
    yield
    if containers := own.docker("ps", "-aq").split():
        own.docker("rm", "--force", "--volumes", *containers)
    if volumes := own.docker("volume", "ls", "-q").split():
        own.docker("volume", "rm", *volumes)
    names = own.docker("images", "--format", "{{.ID}}", "--filter", "label=made-for-a-test").split()
    if names:
        own.docker("rmi", "--force", *dict.fromkeys(names))
