"""Secrets that a person gives: from a file, from standard input, on a terminal; refused by name and never by value."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from tests.infra.platform.site import FIXTURES, Site
from tests.support.waiting import until_sync

CERTIFICATE = (FIXTURES / "ca.pem").read_bytes()


def give(site: Site, name: str, content: bytes, *, stdin: bool = False) -> subprocess.CompletedProcess[str]:
    source = site.root / "given"
    source.write_bytes(content)
    if stdin:
        return site.run("infra/bin/secrets", GIVE=name, FILE="-", typed=content.decode())
    return site.run("infra/bin/secrets", GIVE=name, FILE="given")


@pytest.mark.parametrize("stdin", [False, True], ids=["file", "stdin"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"], ids=["bare", "line", "pasted"])
def test_a_token_is_taken_without_its_last_line_end(site: Site, stdin: bool, end: bytes) -> None:
    site.secrets()
    done = give(site, "hf-write-token", b"hf_Abc-123" + end, stdin=stdin)
    assert done.returncode == 0, done.stderr
    path = site.place.secrets / "hf-write-token"
    assert path.read_bytes() == b"hf_Abc-123"
    assert (path.stat().st_uid, path.stat().st_mode & 0o7777) == (1000, 0o400)
    assert "hf_Abc" not in done.stdout + done.stderr
    assert "up -d --force-recreate jenkins\n" in done.stdout
    assert ("given still holds it: delete that file" in done.stdout) == (not stdin)
    assert "hf-write-token                there\n" in site.secrets()


def test_one_can_be_given_before_the_others_are_made_and_stays(site: Site) -> None:
    assert give(site, "git-token", b"ghp_1").returncode == 0
    assert list(site.contents()) == ["git-token"]
    assert site.secrets().splitlines()[-1] == "22 secrets in infra/secrets: 18 made, 1 there, 3 none"
    assert site.contents()["git-token"] == b"ghp_1"


def test_a_rotation_of_a_given_one_asks_for_it_again(site: Site) -> None:
    site.secrets()
    (site.root / "new").write_text("hf_new")
    assert site.secrets(ROTATE="hf-read-token", FILE="new").startswith("hf-read-token is given.")
    assert site.contents()["hf-read-token"] == b"hf_new"
    without = site.run("infra/bin/secrets", ROTATE="hf-read-token")
    assert without.returncode == 2
    assert without.stderr == "secrets: Say where hf-read-token is: FILE=path, or FILE=- for standard input.\n"


def test_none_takes_it_back(site: Site) -> None:
    give(site, "hf-read-token", b"hf_1")
    assert give(site, "hf-read-token", b"none\n").stdout.startswith("hf-read-token is none.")
    assert site.contents()["hf-read-token"] == b"none"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"hf_secret\nhf_other\n", "has several lines, and a token is one"),
        (b"hf_sec ret", "has a blank in it, and no token has one"),
        (b" hf_secret", "has a blank in it, and no token has one"),
        (b"hf_secret\x1b[2J", "has characters that no token has"),
        ("hf_secret\u200b".encode(), "has characters that no token has"),
        (b"hf_secret" * 10000, "is larger than 64 KiB"),
    ],
)
def test_what_cannot_be_a_token_is_refused_by_name(site: Site, content: bytes, words: str) -> None:
    site.secrets()
    before = site.contents()
    done = give(site, "hf-write-token", content)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"secrets: hf-write-token {words}. Nothing was changed.\n"
    assert site.contents() == before


def test_a_certificate_is_taken_as_it_is(site: Site) -> None:
    site.secrets()
    done = give(site, "frp-ca", CERTIFICATE + b"\n")
    assert done.returncode == 0, done.stderr
    assert site.contents()["frp-ca"] == CERTIFICATE
    assert (site.place.secrets / "frp-ca").stat().st_mode & 0o7777 == 0o444


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "is no certificate in PEM form"),
        (CERTIFICATE.replace(b"MII", b"MIX"), "is no certificate in PEM form"),
        (CERTIFICATE + b"-----BEGIN PRIVATE KEY-----\n", "holds a private key: give the certificate alone"),
    ],
)
def test_what_is_no_certificate_is_refused(site: Site, content: bytes, words: str) -> None:
    done = give(site, "frp-ca", content)
    assert done.returncode == 2
    assert f"frp-ca {words}" in done.stderr
    assert not site.place.secrets.exists()


@pytest.mark.parametrize(
    ("name", "words"), [("nothing", "No such file or directory (nothing)"), ("infra", "Is a directory (infra)")]
)
def test_a_file_that_cannot_be_read_is_named(site: Site, name: str, words: str) -> None:
    done = site.run("infra/bin/secrets", GIVE="git-token", FILE=name)
    assert (done.returncode, done.stderr) == (2, f"secrets: git-token cannot be read: {words}.\n")


def on_terminal(site: Site, typed: bytes, **more: str) -> tuple[int, str]:
    """Exit status, and all that the terminal shows when this is typed after the question."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover  # the other process
        os.chdir(site.root)
        os.execve("infra/bin/secrets", ["secrets"], {**site.environment, **more})  # noqa: S606
    shown = bytearray()

    def read() -> bool:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            return True
        shown.extend(data)
        return not data

    try:
        until_sync(lambda: read() or b"(is not shown): " in shown, "the question")
        if b"(is not shown): " in shown:
            os.write(terminal, typed)
        until_sync(read, "the program to end")
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()
    finally:
        os.close(terminal)


def test_on_a_terminal_it_is_asked_for_without_echo(site: Site) -> None:
    status, shown = on_terminal(site, b"hf_typed\n", GIVE="hf-read-token")
    assert status == 0
    assert shown.startswith("hf-read-token (is not shown): ")
    assert "hf-read-token is given." in shown
    assert "hf_typed" not in shown
    assert site.contents()["hf-read-token"] == b"hf_typed"


@pytest.mark.parametrize(
    ("typed", "status", "words"), [(b"\x03", 130, ""), (b"\x04", 2, "hf-read-token was not given. Nothing was changed.")]
)
def test_on_a_terminal_it_can_be_left(site: Site, typed: bytes, status: int, words: str) -> None:
    ended, shown = on_terminal(site, typed, GIVE="hf-read-token")
    assert (ended, "Traceback" in shown, words in shown) == (status, False, True)
    assert not site.place.secrets.exists()


def test_on_a_terminal_a_certificate_wants_a_file(site: Site) -> None:
    status, shown = on_terminal(site, b"", GIVE="frp-ca")
    assert status == 2
    assert "frp-ca has several lines: say in which file it is, FILE=path." in shown
