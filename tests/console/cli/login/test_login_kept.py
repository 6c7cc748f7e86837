"""How a login is kept, to where it is sent, and how it is forgotten."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from console.demo.controller import (
    Controller,
)
from console.main import main
from tests.console.cli.login.loggingin import TOKEN, document, kept, login, root
from tests.support.jenkins import JenkinsServer
from tests.support.terminal import Pty


def test_a_token_is_sent_to_the_jenkins_it_was_kept_for_and_to_no_other(
    server: JenkinsServer, controller: Controller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert login(monkeypatch, server.url, "--user", "operator") == 0
    with JenkinsServer(controller) as other:
        monkeypatch.setenv("MLOPS_JENKINS_URL", other.url)
        capsys.readouterr()
        assert main(["builds"]) == 3
        said = capsys.readouterr().err
        assert f"The stored token is for {root(server)} and is not sent to {root(other)}." in said
        assert TOKEN not in said
        assert other.requests == [], "not even asked without it"
    monkeypatch.setenv("MLOPS_JENKINS_URL", server.url)
    assert main(["builds"]) == 0
    monkeypatch.setenv("MLOPS_JENKINS_USER", "viewer")
    assert main(["builds"]) == 3
    assert "The stored token is operator's, and jenkins.user is viewer." in capsys.readouterr().err


def test_settings_that_name_another_jenkins_are_told(
    server: JenkinsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for other in ("https://other.example.org", "nonsense"):
        monkeypatch.setenv("MLOPS_JENKINS_URL", other)
        assert login(monkeypatch, server.url, "--user", "operator") == 0
        assert f"the settings name another Jenkins ({other}): they win." in capsys.readouterr().err
    monkeypatch.setenv("MLOPS_JENKINS_URL", server.url)
    assert login(monkeypatch, "--user", "operator") == 0
    assert "another Jenkins" not in capsys.readouterr().err


def test_the_settings_file_stays_as_it_is(server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = kept(home).parent / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("# mine\n[screen]\ntheme = 'dark' # as I like it\n")
    before = settings.read_bytes(), settings.stat().st_mtime_ns
    assert login(monkeypatch, server.url, "--user", "operator") == 0
    assert (settings.read_bytes(), settings.stat().st_mtime_ns) == before


def test_a_second_login_replaces_the_first(server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for user in ("operator", "viewer"):
        assert login(monkeypatch, server.url, "--user", user) == 0
    assert json.loads(kept(home).read_text())["user"] == "viewer"
    assert len(list(kept(home).parent.iterdir())) == 1


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_writing_that_is_interrupted_leaves_the_old_file(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    assert login(monkeypatch, server.url, "--user", "operator") == 0
    before = kept(home).read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if step == "fsync":
            patched.setattr(os, "fsync", full)
        else:
            patched.setattr(Path, "replace", full)
        assert login(patched, server.url, "--user", "viewer") == 2
    assert f"the login cannot be kept in {kept(home)}: No space left on device" in capsys.readouterr().err
    assert kept(home).read_bytes() == before
    assert [path.name for path in kept(home).parent.iterdir()] == ["jenkins-login.json"]


def test_what_a_crash_left_behind_is_no_obstacle(server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the next process has the same number."""
    kept(home).parent.mkdir(parents=True)
    (kept(home).parent / f".jenkins-login.json.{os.getpid()}").write_text("half")
    assert login(monkeypatch, server.url, "--user", "operator") == 0
    assert kept(home).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_a_sentence(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "xdg").write_text("not a folder")
    assert login(monkeypatch, server.url, "--user", "operator") == 2
    assert "the login cannot be kept in" in capsys.readouterr().err


def test_a_file_that_others_may_read_is_not_used(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert login(monkeypatch, server.url, "--user", "operator") == 0
    kept(home).chmod(0o644)
    server.forget()
    assert main(["builds"]) == 3
    assert "is open to others (mode 0644). Run: chmod 600" in capsys.readouterr().err
    assert server.requests == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "x"}', "null"])
def test_a_file_that_is_broken_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    kept(home).parent.mkdir(parents=True)
    kept(home).write_text(text)
    kept(home).chmod(0o600)
    assert main(["builds"]) == 3
    assert capsys.readouterr().err == f"mlops-console: {kept(home)} is broken. Run: mlops-console login\n"


def test_forgetting(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert login(monkeypatch, server.url, "--user", "operator") == 0
    capsys.readouterr()
    assert main(["login", "--forget"]) == 0
    assert "The token itself lives on: revoke it at Jenkins." in capsys.readouterr().out
    assert not kept(home).exists()
    assert main(["login", "--forget"]) == 0
    assert capsys.readouterr().out == "There was no login.\n"
    assert main(["login", "--forget", "--json"]) == 0
    assert document(capsys)["items"] == []
    assert main(["builds"]) == 3
    assert "Jenkins is not configured. Run: mlops-console login" in capsys.readouterr().err


# At a terminal


def test_at_a_terminal_it_asks_and_the_token_is_not_shown(server: JenkinsServer, home: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(home / "xdg"), "PYTHONPATH": os.pathsep.join(sys.path)}
    with Pty([sys.executable, "-m", "console.main", "login"], columns=200, environment=environment) as terminal:
        terminal.wait_for(b"Address of Jenkins")
        terminal.write(f"{server.url}\r".encode())
        terminal.wait_for(b"Your user at Jenkins: ")
        terminal.write(b"taro yamada\r")
        shown = terminal.wait_for(b"it stays hidden")
        assert f"Make an API token at {root(server)}/user/taro%20yamada/security".encode() in shown
        terminal.write(f"{TOKEN}\r".encode())
        assert terminal.wait() == 0
        assert TOKEN.encode() not in terminal.data
        assert b"and you are taro yamada there" in terminal.data
    assert json.loads(kept(home).read_text())["token"] == TOKEN


@pytest.mark.parametrize(("keys", "status"), [(b"\x04", 2), (b"\x03", 130)])
def test_at_a_terminal_it_can_be_left(server: JenkinsServer, home: Path, keys: bytes, status: int) -> None:
    environment = {"XDG_CONFIG_HOME": str(home / "xdg"), "PYTHONPATH": os.pathsep.join(sys.path)}
    words = ["login", server.url, "--user", "operator"]
    with Pty([sys.executable, "-m", "console.main", *words], columns=200, environment=environment) as terminal:
        terminal.wait_for(b"it stays hidden")
        terminal.write(keys)
        assert terminal.wait() == status
        assert b"Traceback" not in terminal.data
    assert not kept(home).exists()


def test_a_token_comes_from_a_file(server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "token").write_text(f"{TOKEN}\r\n")
    with (home / "token").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert main(["login", server.url, "--user", "operator"]) == 0
    assert json.loads(kept(home).read_text())["token"] == TOKEN
