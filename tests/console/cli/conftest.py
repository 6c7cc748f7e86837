"""A Jenkins in the test's hands behind the commands (`ci`), and the demo's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo import RunningClock, demo_jenkins
from console.model.build import Cause, CauseKind, Stages, StageStatus
from console.text import clean
from tests.console.cli.acting import Lab, environ, stocked
from tests.console.cli.calling import FakeBackend
from tests.console.cli.ci import SHA, given, recent
from tests.console.fake_jenkins import FakeJenkins, build, job, stage
from tests.console.fakes import FakeCompose, FakeEngine, container
from tests.support.jenkins import JenkinsServer
from tests.support.jenkins.world import World


@pytest.fixture
def jenkins() -> FakeJenkins:
    hook = (Cause(CauseKind.WEBHOOK, clean("release of project-a")),)
    parameters = given(PROJECT="project-a", COMMIT=SHA)
    train = recent(build(causes=hook, parameters=parameters, commit=clean(SHA)), 40)
    branch = recent(build("mlops/feature%2Fx", 3, took=1), 90)
    made = FakeJenkins(
        job("train", train),
        job("mlops/feature%2Fx", branch, shown="mlops/feature/x"),
        job("mlops/main", recent(build("mlops/main", 8), 95), shown="mlops/main"),
        job("docs/main", None, shown="docs/main"),
    )
    found = (train, branch, recent(build(number=11, took=8), 400), recent(build("mlops/main", 8), 95))
    made.known = {one.ref: one for one in found}
    made.staged = {train.ref: Stages(train.ref, StageStatus.SUCCESS, (stage("check", took=1), stage("train", took=500)))}
    return made


@pytest.fixture
def ci(tmp_path: Path, jenkins: FakeJenkins) -> FakeBackend:
    return FakeBackend(FakeEngine(container("web")), FakeCompose(), tmp_path, ci=jenkins)


@pytest.fixture
def demo(tmp_path: Path) -> FakeBackend:
    return FakeBackend(FakeEngine(), FakeCompose(), tmp_path, demo=True, ci=demo_jenkins(RunningClock()))


@pytest.fixture(params=["", "/jenkins"])
def lab(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Lab]:
    world = World()
    stocked(world)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    with JenkinsServer(world.controller, prefix=request.param) as server:
        environ(monkeypatch, tmp_path, server.url)
        yield Lab(world, server, capsys)
