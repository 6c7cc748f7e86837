"""`login` against a controller over HTTP: what is checked before it is kept."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from console.demo.controller import (
    Controller,
)
from console.main import main
from console.sources.jenkins.source import JenkinsServer as Source
from tests.console.cli.login.loggingin import PASSWORD, TOKEN, document, kept, login, root
from tests.support.jenkins import Fault, JenkinsServer


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
    assert item == {
        "url": root(server),
        "user": "operator",
        "version": "2.421",
        "lacks": [],
        "file": str(kept(home)),
        "unknown": ["Job/Build", "Job/Cancel"],
    }


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
    assert "Jenkins is up, but its configuration failed: jenkins: Invalid" in refuse(
        server, home, monkeypatch, capsys, "--user", "operator", typed=TOKEN
    )


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
