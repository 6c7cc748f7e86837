"""The way in, in `status`: for people, for programs, and with --watch."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from console.cli.group import Context
from console.cli.options import GlobalOptions
from console.cli.status import _Status
from console.feeds.assemble import assemble
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.tunnel import TunnelLook
from console.model.tunnel_log import refusals, requests
from console.model.world import World
from console.text import clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.watching import watching
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container
from tests.console.feeds.test_tunnel_feed import GATE, entries
from tests.console.model.test_tunnel import DENIED, HELD, LOST, UP, client, log


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    engine = FakeEngine(client(UP), GATE)
    engine.logs = {GATE.id: entries("gate")[:2], client(UP).id: entries("wrong-token")}
    return FakeBackend(engine, FakeCompose(), tmp_path)


def line(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> str:
    call(backend, "status")
    return next(" ".join(one.split()) for one in capsys.readouterr().out.split("\n") if one.startswith("tunnel "))


def test_a_tunnel_that_is_up(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(backend, capsys, "status")
    assert status == 0
    assert document["sources"]["tunnel"]["state"] == "ok"
    assert document["tunnel"] == {
        "server": "frps.example.org",
        "domain": "hook.example.org",
        "since": "2026-11-14T14:03:00Z",
        "last_request": {"at": "2026-11-23T14:03:39Z", "status": 403},
        "last_release": {"at": "2026-11-23T14:03:38Z", "status": 200},
    }
    assert line(backend, capsys).startswith("tunnel ✓ ok logged in for ")


def test_one_that_is_refused_is_a_problem(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.engine.held[client(UP).id] = client(LOST, 1)
    status, document = answer(backend, capsys, "status")
    assert status == 1
    assert document["sources"]["tunnel"]["state"] == "denied"
    assert document["sources"]["tunnel"]["reason"] == DENIED["wrong-token"]
    assert document["items"] == [
        {"class": "broken", "sentence": f"tunnel: {DENIED['wrong-token']}", "target": "service/frp_client"}
    ]
    assert document["tunnel"]["since"] is None
    assert line(backend, capsys) == f"tunnel ✗ denied {DENIED['wrong-token']}"


def test_one_that_nobody_wants_is_off(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.engine.held[client(UP).id] = client(f"frp_client: {HELD}", 1)
    assert line(backend, capsys) == f"tunnel - off {HELD}"
    backend.engine = FakeEngine(container("web", service="web"))
    assert line(backend, capsys) == "tunnel - off There is no service frp_client here."


def test_other_commands_do_not_look_at_it(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("services", "containers"):
        _, document = answer(backend, capsys, command)
        assert "tunnel" not in document["sources"]
    assert not [asked for asked in backend.engine.asked if asked.startswith("log")]


def world(look: TunnelLook, minutes: int = 0) -> World:
    ok = SourceStatus(SourceState.OK, None, NOW, NOW)
    return assemble(
        host=clean("train-01"),
        demo=False,
        now=NOW + timedelta(minutes=minutes),
        engine=None,
        docker=Snapshot((client(UP), GATE), ok),
        compose=None,
        usage={},
        events=(),
        tunnel=look,
    )


def test_time_alone_is_no_change_and_a_request_is(backend: FakeBackend) -> None:
    view = _Status(Context(GlobalOptions(), backend))
    release, refused, *_ = requests(log("gate"))
    before = TunnelLook(newest=release, release=release)
    assert view.seen(world(before)) == view.seen(world(before, minutes=99))
    assert view.seen(world(before)) != view.seen(world(TunnelLook(newest=refused, release=release)))
    bad = TunnelLook(client(LOST, 1, back=0.0), refusals(log("wrong-token")), release, release)
    assert view.seen(world(before)) != view.seen(world(bad))


def test_nothing_is_shown_before_it_was_looked_at(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    with watching(backend, monkeypatch, "status", "--json") as seen:
        assert seen.next_json()["tunnel"]["last_request"]["status"] == 403
