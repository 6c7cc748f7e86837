"""`build --save`: what it prints and how it ends, on a real server's answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo.controller import Archive, Say
from console.sources.jenkins.source import JenkinsServer as Source
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.fakes import FakeCompose, FakeEngine
from tests.support.jenkins.faults import Fault
from tests.support.jenkins.reaching import access, allow
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World

FILES = {"metrics.json": b"{}\n", "out/model.bin": b"\0" * 2000, "out/log.txt": b"said\n", "out/\x1b[2Jx.txt": b"hostile"}


@pytest.fixture
def server() -> Iterator[JenkinsServer]:
    world = World()
    allow(world.controller)
    world.start(Say("x"), *(Archive(path, content) for path, content in FILES.items()))
    world.tick(20)
    world.start(Say("x"), job="bare")
    world.tick(20)
    with JenkinsServer(world.controller) as server:
        yield server


@pytest.fixture
def backend(server: JenkinsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    monkeypatch.chdir(tmp_path)
    return FakeBackend(FakeEngine(), FakeCompose(), tmp_path, ci=Source(access(server.url)))


def test_a_line_for_each_file(backend: FakeBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend, "build", "train", "--save", "*.json", "--save", "*.bin", "--to", "got") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines] == ["got/metrics.json  3 B", "got/out/model.bin  2.0 kB"]
    assert (tmp_path / "got/out/model.bin").read_bytes() == FILES["out/model.bin"]


def test_what_is_there_is_named_and_the_rest_is_saved(
    backend: FakeBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics.json").write_text("mine")
    assert call(backend, "build", "train", "1", "--save", "metrics.json", "--save", "out/log.txt") == 1
    out = capsys.readouterr().out
    assert "metrics.json is there already, and is not overwritten." in out
    assert (tmp_path / "metrics.json").read_text() == "mine"
    assert (tmp_path / "out/log.txt").read_bytes() == b"said\n"


def test_to_programs(backend: FakeBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(backend, capsys, "build", "train", "--save", "*.txt")
    assert status == 1
    (item,) = document["items"]
    bad, good = item["saved"]
    assert good == {"path": "out/log.txt", "file": "out/log.txt", "size": 5, "error": None}
    assert (bad["file"], bad["size"]) == (None, None)
    assert "cannot be shown" in bad["error"]
    assert item["number"] == 1
    assert sorted(one.name for one in tmp_path.rglob("*.txt")) == ["log.txt"]


def test_without_save_nothing_was_to_be_saved(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(backend, capsys, "build", "train")
    assert status == 0
    assert document["items"][0]["saved"] is None
    assert len(document["items"][0]["artifacts"]) == len(FILES)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("train", "--save", "*.onnx"), "no file of train #1 fits *.onnx. It keeps: metrics.json, "),
        (("bare", "--save", "*"), "bare #1 keeps no files."),
        (("train", "--to", "x"), "it wants --save PATTERN"),
        (("train", "--save", "*", "--to", "taken"), "--to taken is no folder."),
        (("nobody", "--save", "*"), "there is no job nobody."),
    ],
)
def test_wrong_use(
    backend: FakeBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], told: str
) -> None:
    (tmp_path / "taken").write_text("x")
    assert call(backend, "build", *argv) == 2
    assert told in capsys.readouterr().err


def test_a_jenkins_that_goes_away_in_between(
    backend: FakeBackend, server: JenkinsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.fault(Fault.PROXY_502, match="/artifact/out/log.txt")
    status, document = answer(backend, capsys, "build", "train", "--save", "*.json", "--save", "out/?o*")
    assert status == 3
    assert document["sources"]["jenkins"]["state"] == "unreachable"
    assert [one["error"] is None for one in document["items"][0]["saved"]] == [True, False]
    assert (tmp_path / "metrics.json").exists()
    assert not (tmp_path / "out").exists()


def test_one_file_that_is_gone_is_no_reason_to_stop(
    backend: FakeBackend, server: JenkinsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.fault(Fault.OOPS, match="/artifact/metrics.json")
    assert call(backend, "build", "train", "--save", "*.json", "--save", "*.bin") == 1
    assert "its log has the cause under" in capsys.readouterr().out
    assert (tmp_path / "out/model.bin").exists()


def test_many_files_are_not_all_listed(server: JenkinsServer, backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    with server.lock:
        build = server.controller.build("train", 1)
        build.artifacts = {f"f{number:02}": b"" for number in range(23)}
    assert call(backend, "build", "train") == 0
    out = capsys.readouterr().out
    assert "f19" in out
    assert "f20" not in out
    assert "3 more: --json lists them all" in out
