"""What is no plain file, or too large for one, is refused, and nobody waits for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.settings import Overrides, SettingsError, load, read_secret_file
from console.settings.loading import LARGEST
from console.settings.plainfile import read_plain


def problem(file: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load(argv=Overrides(config=file), env={"HOME": "/nonexistent"}, cwd=file.parent, etc=file.parent / "none.toml")
    (told,) = caught.value.problems
    return told.removeprefix(f"{file}: ")


def test_a_pipe_in_the_place_of_the_settings(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.toml")
    assert problem(tmp_path / "x.toml") == "cannot be read: it is no plain file"


def test_a_device_that_never_ends(tmp_path: Path) -> None:
    (tmp_path / "x.toml").symlink_to("/dev/zero")
    assert problem(tmp_path / "x.toml") == "cannot be read: it is no plain file"


def test_more_than_anybody_has_settings(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("#" * LARGEST)
    assert read_plain(file, LARGEST) == b"#" * LARGEST
    file.write_text("#" * (LARGEST + 1))
    assert problem(file) == "cannot be read: it is larger than 256 KiB"


def test_lists_without_end(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("a = " + "[" * 100_000)
    assert "lists within lists without end" in problem(file)


def test_a_link_and_the_null_device_are_read(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("read_only = true\n")
    (tmp_path / "x.toml").symlink_to("there")
    assert read_plain(tmp_path / "x.toml", 100) == b"read_only = true\n"
    assert read_plain(Path(os.devnull), 100) == b""


def test_a_secret_that_became_a_pipe_after_it_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    os.mkfifo(file, 0o600)
    monkeypatch.setattr("console.settings.secret.check_secret_file", lambda _path: None)
    with pytest.raises(OSError, match="it is no plain file"):
        read_secret_file(file)
