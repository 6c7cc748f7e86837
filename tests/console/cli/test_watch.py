"""--watch: printed at the start and when something changed, whatever happens to Docker and to what is watched."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.cli.group import Context
from console.cli.looking import View
from console.cli.options import GlobalOptions
from console.cli.services import _Services
from console.cli.status import _Status
from console.feeds.assemble import assemble
from console.feeds.watch import Watch
from console.model.container import Container, ContainerState, Health
from console.model.source import Snapshot, SourceError, SourceState, SourceStatus
from console.model.world import World
from console.text import clean
from tests.console.cli.calling import SCHEMAS, FakeBackend
from tests.console.cli.watching import watching
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container, failing, inspection
from tests.console.ui.worlds import PROJECT, fleet
from tests.support.waiting import until, until_sync

GONE = SourceError(SourceState.UNREACHABLE, clean("Docker does not answer."))


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    return FakeBackend(FakeEngine(*fleet()), FakeCompose(PROJECT), tmp_path)


def valid(document: dict[str, Any]) -> dict[str, Any]:
    schema = json.loads((SCHEMAS / f"{document['kind']}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


@pytest.mark.parametrize("command", ["status", "services", "containers"])
def test_docker_that_goes_and_comes_back_is_told(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    with watching(backend, monkeypatch, command, "--json") as seen:
        assert valid(seen.next_json())["sources"]["docker"]["state"] == "ok"
        backend.engine.failure = GONE
        backend.engine.stream.put_nowait(GONE)
        assert valid(seen.next_json())["sources"]["docker"]["reason"] == "Docker does not answer."
        backend.engine.failure = None
        seen.refresh()
        assert valid(seen.next_json())["sources"]["docker"]["state"] == "ok"


def test_an_empty_engine_that_comes_up_is_told(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    backend.engine = FakeEngine()
    backend.engine.failure = GONE
    with watching(backend, monkeypatch, "containers", "--json") as seen:
        assert seen.next_json()["sources"]["docker"]["state"] == "unreachable"
        backend.engine.failure = None
        seen.refresh()
        document = seen.next_json()
        assert (document["sources"]["docker"]["state"], document["items"]) == ("ok", [])


@pytest.mark.parametrize(("command", "name"), [("containers", "mlops-web-1"), ("services", "web")])
def test_what_is_watched_may_go_and_come_back(
    backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    web = container("mlops-web-1", service="web", health=Health.HEALTHY)
    backend.engine, backend.compose = FakeEngine(web), FakeCompose()
    with watching(backend, monkeypatch, command, name, "--json") as seen:
        assert [item["name"] for item in seen.next_json()["items"]] == [name]
        backend.engine.held.clear()
        seen.refresh()
        assert seen.next_json()["items"] == []
        backend.engine.held[web.id] = web
        seen.refresh()
        assert [item["name"] for item in seen.next_json()["items"]] == [name]


def test_a_name_that_never_was_there_is_wrong_use(
    backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with watching(backend, monkeypatch, "services", "portaner") as seen:
        assert seen.ended() == 2
    assert "Did you mean portainer?" in capsys.readouterr().err


def test_containers_leaves_compose_alone(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    with watching(backend, monkeypatch, "containers", "--json") as seen:
        assert list(valid(seen.next_json())["sources"]) == ["docker"]
    assert backend.compose.asked == 0
    assert backend.compose.closed


def test_nothing_is_shown_before_its_details_are_known(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that somebody stopped looks done until its restart policy is read."""
    stopped = container("old", state=ContainerState.EXITED, exit_code=0, details=inspection(restart_policy=clean("always")))

    lives: list[Watch] = []

    class Slow(FakeEngine):
        async def inspect(self, container_id: str) -> Container:
            await until(lambda: lives and (world := lives[0].world) is not None and world.containers, "the list alone")
            return await super().inspect(container_id)

    backend.engine = Slow(stopped)
    with watching(backend, monkeypatch, "containers", "--json") as seen:
        until_sync(lambda: seen.lives, "the watch")
        lives += seen.lives
        assert [item["state"] for item in seen.next_json()["items"]] == ["stopped"]


def test_people_see_when_it_changed(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    backend.engine = FakeEngine(container("web"))
    with watching(backend, monkeypatch, "containers") as seen:
        assert seen.next().startswith("CONTAINER")
        assert seen.next().startswith("web")
        backend.engine.held.clear()
        seen.refresh()
        assert seen.next() == "\n"
        assert seen.next().count(":") == 2
        assert seen.next() == "No containers on this Engine.\n"


def world(*held: Container, minutes: int = 0) -> World:
    ok = SourceStatus(SourceState.OK, None, NOW, NOW)
    return assemble(
        host=clean("train-01"),
        demo=False,
        now=NOW + timedelta(minutes=minutes),
        engine=None,
        docker=Snapshot(held, ok),
        compose=Snapshot(None, SourceStatus(SourceState.OFF, clean("no file"))),
        usage={},
        events=(),
    )


@pytest.mark.parametrize("kind", [_Status, _Services])
def test_time_alone_is_no_change_and_a_new_cause_is(backend: FakeBackend, kind: type) -> None:
    context = Context(GlobalOptions(), backend)
    view: View = _Status(context) if kind is _Status else _Services(context, ())
    sick = container("web", service="web", health=Health.UNHEALTHY, details=failing("connection refused"))
    before, later = world(sick), world(sick, minutes=9)
    assert kind is _Services or before.problems != later.problems, "its sentence holds a duration"
    assert view.seen(before) == view.seen(later)
    assert view.seen(before) != view.seen(world(replace(sick, details=failing("disk full"))))
