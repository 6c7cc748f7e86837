"""Values of parameters on the command line: secrets are seen nowhere, what cannot be sent is not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console.cli.acting import SECRET, Lab

# Secrets


def test_a_password_is_never_on_the_command_line(lab: Lab, tmp_path: Path) -> None:
    said = lab.wrong("retrigger", "with parameters", "-p", f"TOKEN={SECRET}", "--yes")
    ways = "-p TOKEN=@FILE, or -p TOKEN=- for standard input"
    assert said == f"TOKEN is a password, never on a command line: {ways}."


def _from_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch, text: bytes) -> str:
    (folder / "token").write_bytes(text)
    return "TOKEN=@token"


def _from_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch, text: bytes) -> str:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    return "TOKEN=-"


WAYS = pytest.mark.parametrize("give", [_from_a_file, _from_standard_input], ids=["file", "stdin"])


@WAYS
@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["bare", "lf", "crlf"])
def test_a_password_from_elsewhere_is_seen_nowhere(
    lab: Lab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    give: Callable[[Path, pytest.MonkeyPatch, bytes], str],
    end: str,
) -> None:
    word = give(tmp_path, monkeypatch, f"{SECRET}{end}".encode())
    assert lab.call("retrigger", "with parameters", "-p", word, "--dry-run")[0] == 0
    word = give(tmp_path, monkeypatch, f"{SECRET}{end}".encode())
    status, document = lab.answered("retrigger", "with parameters", "-p", word, "--yes")
    assert status == 0
    assert SECRET not in str(document)
    lab.world.tick(15.0)
    assert lab.values(lab.world.build("with parameters"))["TOKEN"] == SECRET
    assert not [line for line in lab.server.requests if "hunter2" in line]
    written = (tmp_path / "mlops-console" / "audit.jsonl").read_text()
    assert (written.count('"phase":"begun"'), written.count('"phase":"ended"'), "hunter2" in written) == (1, 1, False)


@WAYS
@pytest.mark.parametrize(
    ("text", "says"), [(b"\xff\xfe", "is no text in UTF-8"), (b"x" * 65537, "64 KiB at most")], ids=["bytes", "long"]
)
@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_value_that_cannot_be_one(
    lab: Lab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    give: Callable[[Path, pytest.MonkeyPatch, bytes], str],
    text: bytes,
    says: str,
) -> None:
    assert says in lab.wrong("retrigger", "with parameters", "-p", give(tmp_path, monkeypatch, text), "--yes")


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_the_longest_value_arrives(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("x" * 65536 + "\n")
    assert lab.call("retrigger", "with parameters", "-p", "NOTES=@notes", "--yes")[0] == 0
    lab.world.tick(15.0)
    assert lab.values(lab.world.build("with parameters"))["NOTES"] == "x" * 65536


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("TOKEN=@nowhere", "the file nowhere cannot be read: No such file or directory."),
        ("TOKEN=@.", "the file . cannot be read: Is a directory."),
        ("TOKEN=@", "-p TOKEN=@ wants a file"),
        ("TOKEN=@~nobody-at-all/x", "nobody here has that home folder"),
        ("NOTES=\udcff", "-p NOTES: that is no text in UTF-8."),
        ("=x", "-p wants NAME=VALUE"),
    ],
)
@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_value_that_is_not_there(lab: Lab, word: str, says: str) -> None:
    assert says in lab.wrong("retrigger", "with parameters", "-p", word, "--yes")


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_standard_input_is_one_value(lab: Lab) -> None:
    said = lab.wrong("retrigger", "with parameters", "-p", "TOKEN=-", "-p", "NOTES=-", "--yes")
    assert said == "standard input is one value: it is TOKEN already, and NOTES wants it too."


@pytest.mark.parametrize("lab", [""], indirect=True)
def test_a_secret_for_the_wrong_parameter_is_not_quoted(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    for name in ("DRY", "TARGET"):
        lab.wrong("retrigger", "with parameters", "-p", f"{name}=@token", "--yes")
