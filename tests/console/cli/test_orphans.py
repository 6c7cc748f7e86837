"""`orphans`: listed, with who was adopted; adopted and stopped as every act is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.actions.docker.adopting import PROGRAM
from console.model.build import Result
from console.model.container import Container, Ran
from console.model.source import SourceError, SourceState
from console.sources.reach import Hands, Reach
from console.text import clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.ci import recent
from tests.console.fake_hands import FakeHands
from tests.console.fake_jenkins import FakeJenkins, build, job, unreachable
from tests.console.fakes import FakeCompose, FakeEngine, container

AGENT = container("mlops-agent-1", service="agent")


def training(name: str, number: int) -> Container:
    labels = {"mlops.managed": "true", "mlops.job": "train", "mlops.build": str(number), "mlops.project": "cats"}
    return container(name, labels={**labels, "mlops.gpu": "0", "mlops.purpose": "train"})


ORPHAN, AT_WORK = training("mlops-cats-4", 4), training("mlops-cats-9", 9)


class Server(FakeBackend):
    """A backend whose hands write down what they are asked."""

    doer: FakeHands
    source: FakeJenkins

    def reach(self) -> Reach:
        return Reach(self.engine, self.doer, self.doer, self.compose, self.doer, self.source)

    def hands(self) -> Hands:
        return Hands(self.doer, self.doer, self.doer)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    made = Server(FakeEngine(AGENT, ORPHAN, AT_WORK), FakeCompose(None), tmp_path)
    made.doer = FakeHands()
    made.doer.ran = Ran(0, clean('{"limit": 43200, "at": null, "by": null}'), clean(""))
    made.source = FakeJenkins(job("train", build(number=9, result=None)))
    over = recent(build(number=4, result=Result.ABORTED, took=15), 40)
    made.source.known = {over.ref: over, build(number=9).ref: build(number=9, result=None)}
    return made


def listed(server: Server, at: float | None, by: str | None) -> None:
    server.doer.ran = Ran(0, clean(json.dumps([{"container": ORPHAN.id, "at": at, "by": by}])), clean(""))


def test_they_are_listed_with_how_long_and_why(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.doer.ran = Ran(127, clean(""), clean("not found"))
    assert call(server, "orphans") == 1
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["mlops-cats-4", "!", "orphan", "25m", "0", "train", "#4", "has", "ended:", "aborted"]


def test_one_that_was_adopted_says_so_and_wants_no_look(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    listed(server, datetime.now(UTC).timestamp() - 7300, "anna")
    assert call(server, "orphans") == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert "adopted" in row.split()
    assert row.rstrip().endswith("train #4 has ended: aborted; adopted 2h ago by anna")
    assert server.doer.did == [f"run {AGENT.id} {PROGRAM} --list"]


def test_json_has_it_too(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    listed(server, 1_700_000_000, None)
    status, document = answer(server, capsys, "orphans")
    assert (status, [one["name"] for one in document["items"]]) == (0, ["mlops-cats-4"])
    assert document["items"][0]["adopted"] == {"at": "2023-11-14T22:13:20Z", "by": None}
    server.doer.failure = SourceError(SourceState.OK, clean("Docker answers 409: it is paused"))
    status, document = answer(server, capsys, "orphans")
    assert (status, document["items"][0]["adopted"]) == (1, None)


def test_status_knows_of_those_that_were_adopted(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """As the screen does: what a person has agreed to is no trouble."""

    def orphans() -> list[str]:
        _, document = answer(server, capsys, "status")
        return [one["sentence"] for one in document["items"] if "mlops-cats-4" in one["sentence"]]

    server.ci = server.source
    server.doer.ran = Ran(127, clean(""), clean("not found"))
    assert len(orphans()) == 1
    listed(server, datetime.now(UTC).timestamp() - 7300, "anna")
    assert orphans() == []
    server.doer.failure = SourceError(SourceState.OK, clean("Docker answers 409: it is paused"))
    assert len(orphans()) == 1
    server.doer.failure, server.doer.did[:] = None, []
    server.env["MLOPS_READ_ONLY"] = "1"
    assert (len(orphans()), server.doer.did) == (1, []), "whoever only looks runs nothing on the server"


def test_status_asks_nobody_while_no_build_is_outlived(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.ci = server.source
    del server.engine.held[ORPHAN.id]
    answer(server, capsys, "status")
    assert server.doer.did == []


def test_whoever_only_looks_runs_nothing_on_the_server(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.env["MLOPS_READ_ONLY"] = "1"
    assert call(server, "orphans") == 1
    assert server.doer.did == []
    capsys.readouterr()
    for words in (("adopt", "mlops-cats-4", "--yes"), ("stop", "mlops-cats-4", "--yes")):
        assert call(server, "orphans", *words) == 2
        assert "acts are off" in capsys.readouterr().err
    assert call(server, "orphans", "--help") == 0
    assert "Let a training" not in capsys.readouterr().out
    assert server.doer.did == []


def test_a_name_that_is_no_act(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server, "orphans", "adpot", "x") == 2
    assert "adpot" in capsys.readouterr().err
    assert call(server, "orphans", "--help") == 0
    assert "Let a training" in capsys.readouterr().out


def test_adopt(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server, "orphans", "adopt", "mlops-cats-4", "--dry-run") == 0
    assert "until it ends by itself or its limit of 12h passes" in capsys.readouterr().out
    assert [what.split()[-2] for what in server.doer.did] == ["--look"]
    assert call(server, "orphans", "adopt", "mlops-cats-4") == 2
    assert "without a terminal it wants --yes" in capsys.readouterr().err
    assert call(server, "orphans", "adopt", "mlops-cats-4", "--yes") == 0
    assert "adopted: it goes on" in capsys.readouterr().out
    assert server.doer.did[-1] == f"run {AGENT.id} {PROGRAM} {ORPHAN.id}"
    status, document = answer(server, capsys, "orphans", "adopt", ORPHAN.id, "--yes")
    assert (status, document["kind"], document["items"][0]["words"]) == (0, "outcome", "adopted: it goes on")
    (record, _) = [json.loads(line) for line in (server.folder / "state" / "audit.jsonl").read_text().splitlines()][-2:]
    assert record["act"] == "adopt"


def test_adopt_what_is_none(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server, "orphans", "adopt", "mlops-cats-9", "--yes") == 1
    assert "It is no orphan: its build still runs." in capsys.readouterr().err
    assert call(server, "orphans", "adopt", "nobody", "--yes") == 2
    assert "there is no container nobody" in capsys.readouterr().err
    assert server.doer.did == []


def test_stop(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(server, "orphans", "stop", "mlops-cats-4", "--dry-run", "--grace", "7") == 0
    out = capsys.readouterr().out
    assert "within 7s" in out
    assert "the agent's reaper collects what it left" in out
    assert server.doer.did == []
    assert call(server, "orphans", "stop", "mlops-cats-4", "--yes") == 0
    assert server.doer.did == [f"stop {ORPHAN.id}"]
    capsys.readouterr()
    assert call(server, "orphans", "stop", "mlops-cats-4", "mlops-cats-9", "--yes") == 2
    assert "mlops-cats-9 is no orphan: mlops-console orphans lists them." in capsys.readouterr().err
    assert server.doer.did == [f"stop {ORPHAN.id}"]


def test_without_jenkins_nobody_is_adopted_or_stopped(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.source.failure = unreachable()
    for words in (("adopt", "mlops-cats-4", "--yes"), ("stop", "mlops-cats-4", "--yes"), ()):
        assert call(server, "orphans", *words) == 3
        assert "Jenkins does not answer" in capsys.readouterr().err
    assert server.doer.did == []
