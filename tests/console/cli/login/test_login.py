"""`login` against a controller over HTTP: what is checked before it is kept, how it is kept, and where it is sent."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.demo.controller import (
    LIMITED,
    NOBODY,
    OPERATOR,
    VIEWER,
    Controller,
    Link,
    Node,
    Permission,
    Pipeline,
    Say,
)
from console.main import main
from console.sources.jenkins.source import JenkinsServer as Source
from tests.console.cli.calling import SCHEMAS
from tests.support.jenkins import Fault, JenkinsServer
from tests.support.terminal import Pty

TOKEN = "11" + "b" * 32
PASSWORD = "correct-horse"
SEES_NODES = OPERATOR | {Permission.AGENT_CONNECT}


@pytest.fixture
def controller() -> Controller:
    made = Controller(lambda: time.time_ns() // 1_000_000)
    for name, role in {
        "operator": SEES_NODES,
        "viewer": VIEWER,
        "limited": LIMITED,
        "nobody": NOBODY,
        "taro yamada": VIEWER,
    }.items():
        made.add_user(name, role, password=PASSWORD, tokens={"console": TOKEN})
    made.add_node(Node("trainer-1", ("gpu",), link=Link.LAUNCH_FAILED, log="Connection refused\n"))
    made.add_job("train", Pipeline((Say("x"),), agent=""))
    return made


@pytest.fixture
def server(controller: Controller) -> Iterator[JenkinsServer]:
    with JenkinsServer(controller) as serving:
        yield serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home: nothing of whoever runs the tests is read or written."""
    for name in [name for name in os.environ if name.startswith("MLOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(home: Path) -> Path:
    return home / "xdg" / "mlops-console" / "jenkins-login.json"


def login(monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = f"{TOKEN}\n") -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return main(["login", *words])


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    schema = json.loads((SCHEMAS / f"{told['kind']}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(told)
    return told


def root(server: JenkinsServer) -> str:
    return server.url.rstrip("/")


def test_a_good_token_is_checked_and_kept_for_its_owner_alone(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert login(monkeypatch, server.url, "--user", "operator") == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == f"✓ {root(server)} is Jenkins 2.421, and you are operator there"
    assert f"Kept in {kept(home)}, for {root(server)} alone." in told.out
    assert TOKEN not in told.out + told.err
    assert kept(home).stat().st_mode & 0o777 == 0o600
    assert kept(home).parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(kept(home).read_text()) == {"url": root(server), "user": "operator", "token": TOKEN}
    assert [path.name for path in kept(home).parent.iterdir()] == ["jenkins-login.json"]
    assert main(["builds"]) == 0
    assert capsys.readouterr().out == "Nothing was built yet.\n"


def test_nothing_is_acted_on_while_it_is_checked(
    controller: Controller, server: JenkinsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert login(monkeypatch, server.url, "--user", "operator") == 0
    assert {line.partition("?")[0] for line in server.requests if not line.startswith("GET ")} == {"POST /api/json"}
    assert not controller.queue
    assert not controller.job("train").builds


def test_a_program_gets_it_as_json_without_the_token(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert login(monkeypatch, server.url, "--user", "operator", "--json") == 0
    (item,) = document(capsys)["items"]
    assert item == {"url": root(server), "user": "operator", "version": "2.421", "lacks": [], "file": str(kept(home))}


@pytest.mark.parametrize(
    ("user", "lacks"),
    [
        ("operator", []),
        ("viewer", ["Agent/Connect: why a node is off line stays hidden"]),
        ("limited", ["Job/Read (or there are no jobs)", "Agent/Connect: why a node is off line stays hidden"]),
    ],
)
def test_what_that_user_may_not_see_is_named(
    server: JenkinsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], user: str, lacks: list[str]
) -> None:
    assert login(monkeypatch, server.url, "--user", user) == 0
    told = capsys.readouterr().out
    assert [line.removeprefix(f"! {user} lacks ") for line in told.splitlines() if line.startswith("! ")] == lacks
    assert f"Whether {user} may start and stop builds shows when it is first done" in told
    assert login(monkeypatch, server.url, "--user", user, "--json") == 0
    assert document(capsys)["items"][0]["lacks"] == lacks


@pytest.mark.parametrize("page", ["log of the node", "everything"])
def test_a_node_whose_log_fails_is_no_reason_to_refuse(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    server.fault(Fault.OOPS, count=99, match="logText" if page == "log of the node" else "")
    assert login(monkeypatch, server.url, "--user", "operator") == (0 if page == "log of the node" else 3)
    assert kept(home).exists() is (page == "log of the node")


def refuse(
    server: JenkinsServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *words: str,
    typed: str,
) -> str:
    """What it says when it keeps nothing: the same on both ways out."""
    assert login(monkeypatch, server.url, *words, typed=typed) == 3
    got = capsys.readouterr()
    assert not kept(home).exists()
    assert got.out == ""
    assert got.err.count("\n") == 1
    assert typed.strip() not in got.err
    assert login(monkeypatch, server.url, *words, "--json", typed=typed) == 3
    told = document(capsys)
    assert told["items"] == []
    assert told["sources"]["jenkins"]["state"] != "ok"
    assert f"mlops-console: {told['sources']['jenkins']['reason']}\n" == got.err
    return got.err


def test_a_wrong_token_is_not_kept(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refuse(server, home, monkeypatch, capsys, "--user", "operator", typed="11" + "c" * 32)
    assert "refuses the token of operator (401)" in said
    said = refuse(server, home, monkeypatch, capsys, "--user", "stranger", typed=TOKEN)
    assert "refuses the token of stranger (401)" in said


def test_a_password_is_no_token(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Jenkins takes it for reading, so it would seem to be good until something is to be done with it."""
    said = refuse(server, home, monkeypatch, capsys, "--user", "operator", typed=PASSWORD)
    assert "that was a password. Give an API token" in said


def test_a_proxy_that_keeps_the_token_for_itself_is_found_out(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then Jenkins takes us for nobody, and may still answer."""

    async def nobody(_: Source) -> None:
        return None

    monkeypatch.setattr(Source, "who", nobody)
    said = refuse(server, home, monkeypatch, capsys, "--user", "operator", typed=TOKEN)
    assert "Jenkins does not know the user operator." in said


def test_a_user_who_may_nothing(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refuse(server, home, monkeypatch, capsys, "--user", "nobody", typed=TOKEN)
    assert "nobody lacks Overall/Read" in said


def test_a_controller_that_starts_is_told_as_such(
    controller: Controller,
    server: JenkinsServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with server.lock:
        controller.restart(stopping=600)
    assert "Jenkins is restarting (503)." in refuse(server, home, monkeypatch, capsys, "--user", "operator", typed=TOKEN)


def test_one_that_is_broken_is_not_blamed_on_the_token(
    controller: Controller,
    server: JenkinsServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with server.lock:
        controller.restart(stopping=0, down=0, starting=0, broken=True)
    assert "configuration is broken" in refuse(server, home, monkeypatch, capsys, "--user", "operator", typed=TOKEN)


def test_nobody_there(
    server: JenkinsServer, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refuse()
    assert "connection refused" in refuse(server, home, monkeypatch, capsys, "--user", "operator", typed=TOKEN)


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        ((), TOKEN, "login wants the address of Jenkins"),
        (("http://ci.example.org", "--user", "x"), TOKEN, "would send the token readable over the network"),
        (("ci.example.org", "--user", "x"), TOKEN, "it begins with https://."),
        (("https://x:s3cret@ci.example.org", "--user", "x"), TOKEN, "must not hold a name or a token"),
        (("https://ci.example.org/?a=1", "--user", "x"), TOKEN, "it ends before the ?"),
        (("http://127.0.0.1:1",), TOKEN, "login wants your user at Jenkins: --user NAME"),
        (("http://127.0.0.1:1", "--user", "a:b"), TOKEN, "a:b is no user of Jenkins."),
        (("http://127.0.0.1:1", "--user", "x"), "", "login wants the token on standard input"),
        (("http://127.0.0.1:1", "--user", "x"), " \n", "login wants the token on standard input"),
        (("http://127.0.0.1:1", "--user", "x"), "two words", "what came on standard input is no API token."),
        (("http://127.0.0.1:1", "--user", "x"), "a\nb", "what came on standard input is no API token."),
        (("http://127.0.0.1:1", "--user", "x"), "x" * 5000, "what came on standard input is no API token."),
        (("http://127.0.0.1:1", "--user", "x", "--token", "y"), TOKEN, "there is no option --token."),
        (("http://127.0.0.1:1", "token", "--user", "x"), TOKEN, "login wants one address."),
        (("http://127.0.0.1:1", TOKEN, "--user", "x"), "", "login wants one address."),
    ],
)
def test_wrong_use_is_a_sentence_that_repeats_no_secret(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    typed: str,
    says: str,
) -> None:
    assert login(monkeypatch, *words, typed=typed) == 2
    got = capsys.readouterr()
    assert says in got.err
    assert "s3cret" not in got.err + got.out
    assert TOKEN not in got.err + got.out
    assert not kept(home).exists()


def test_a_file_that_is_no_text_is_no_token(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00\x80"), encoding="utf-8"))
    assert main(["login", "http://127.0.0.1:1", "--user", "x"]) == 2
    assert "standard input" in capsys.readouterr().err


def test_the_demo_needs_none(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert login(monkeypatch, "--demo") == 2
    assert "the demo's Jenkins needs no login." in capsys.readouterr().err


# How it is kept


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
