"""The real app on a Compose project and loose containers, whose acts are done to what the test holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from console.actions.docker.health import Pace
from console.model.container import MANAGED_LABEL, ContainerState
from console.model.service import ComposeProject, Declared
from console.model.world import World
from console.text import clean
from console.ui.app import ConsoleApp
from tests.console.fakes import FakeCompose, FakeEngine, container
from tests.console.ui.doing import Person, person
from tests.console.ui.screenapp import app_of, still
from tests.console.ui.worlds import world

WEB = container("mlops-web-1", service="web")
CACHE = container("mlops-cache-1", service="cache")
JENKINS = container("mlops-jenkins-1", service="jenkins")
LOOSE = container("scratch")
ENDED = container("leftover", state=ContainerState.EXITED, exit_code=0)
TRAINING = container(
    "mlops-project-a-128",
    labels={MANAGED_LABEL: "true", "mlops.project": "project-a", "mlops.job": "train", "mlops.build": "128"},
)
OTHERS = container("shop-db-1", service="db", project="shop")
ALL = (WEB, CACHE, JENKINS, LOOSE, ENDED, TRAINING, OTHERS)
PROJECT = ComposeProject(
    clean("mlops"),
    clean("infra/docker-compose.yml"),
    tuple(Declared(clean(name), clean("busybox:1"), 1, clean("")) for name in ("cache", "jenkins", "web")),
)


def app_with(made: World) -> ConsoleApp:
    app = app_of(made)
    live = still(app)
    live.log_engine = FakeEngine(*ALL)
    live.compose = FakeCompose(PROJECT)
    return app


@asynccontextmanager
async def serving(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    """Somebody before that app; services are known to be well soon."""
    monkeypatch.setattr("console.actions.docker.services.Pace", lambda: Pace(every=0.02, steady=0.05))
    async with person(app=app_with(world(list(ALL), project=PROJECT))) as somebody:
        yield somebody
