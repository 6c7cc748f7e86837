"""What is done inside of containers from their rows: a shell, a look at what runs there, a copy of a file."""

from __future__ import annotations

import io
import os
import pty
import signal
import socket
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual import events

from console.actions.plan import Fate
from console.model.process import Process
from console.model.source import SourceError, SourceState
from console.sources import rawterminal
from console.sources.rawterminal import Shell
from console.text import clean
from console.ui.app import ConsoleApp
from tests.console.ui.doing import Person
from tests.console.ui.pressing import line_with
from tests.console.ui.screenapp import still
from tests.console.ui.servingroom import ALL, LOOSE, PROJECT, serving
from tests.console.ui.worlds import world
from tests.support.waiting import until


@pytest.fixture
async def one(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    async with serving(monkeypatch) as somebody:
        yield somebody


class Talk:
    """A shell that says one thing and ends. `began` is the size of its window, `ended` its exit status."""

    def __init__(self, status: int = 0, failure: SourceError | None = None) -> None:
        self.ended, self.failure = status, failure
        self.began: tuple[int, int] | None = None
        self.closed = False
        self._here, self._there = socket.socketpair()
        self._there.close()

    def start(self, rows: int, columns: int) -> None:
        if self.failure is not None:
            raise self.failure
        self.began = (rows, columns)

    def resize(self, rows: int, columns: int) -> None: ...

    def fileno(self) -> int:
        return self._here.fileno()

    def read(self) -> bytes | None:
        return b""

    def write(self, typed: bytes) -> int:
        return len(typed)

    def status(self) -> int | None:
        return self.ended

    def close(self) -> None:
        self.closed = True
        self._here.close()


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What happened to the screen, in order; the shell sits at a terminal of the test's."""
    happened: list[str] = []
    here, there = pty.openpty()
    real = rawterminal.converse

    @contextmanager
    def suspend(_: ConsoleApp) -> Iterator[None]:
        happened.append("suspended")
        yield
        happened.append("back")

    def converse(shell: Shell, _into: int = 0, _out: int = 1) -> int | None:
        happened.append("shell")
        return real(shell, there, there)

    monkeypatch.setattr(ConsoleApp, "suspend", suspend)
    monkeypatch.setattr(rawterminal, "converse", converse)
    yield happened
    os.close(here)
    os.close(there)


async def test_a_shell_gets_the_terminal_and_gives_it_back(one: Person, at_a_terminal: list[str]) -> None:
    talk = still(one.app).hands.talk = Talk(3)
    await one.select("scratch")
    await one.press("S")
    lines = await one.sees("enter open it")
    assert line_with(lines, "same as docker exec -it scratch /bin/sh")
    assert not at_a_terminal
    one.wait()
    await one.press("enter")
    await one.sees("✓ ended with 3 after")
    assert at_a_terminal == ["suspended", "shell", "back"]
    assert one.did[-1] == f"shell {LOOSE.id} /bin/sh"
    assert talk.began == (24, 80)
    assert talk.closed
    assert [each.fate for each in one.notebook.outcome.results] == [Fate.DONE]


async def test_a_shell_that_cannot_be_started_says_why(one: Person, at_a_terminal: list[str]) -> None:
    talk = still(one.app).hands.talk = Talk(failure=SourceError(SourceState.UNREACHABLE, clean("Docker has gone.")))
    await one.select("scratch")
    await one.press("S")
    await one.sees("enter open it")
    one.wait()
    await one.press("enter")
    await one.sees("✗ Docker has gone.")
    assert at_a_terminal == ["suspended", "shell"]
    assert talk.closed


async def test_a_terminal_that_cannot_be_given_away_says_so(one: Person) -> None:
    """The one of these tests: Textual's own headless driver."""
    still(one.app).hands.talk = Talk()
    await one.select("scratch")
    await one.press("S")
    await one.sees("enter open it")
    one.wait()
    await one.press("enter")
    await one.sees("This terminal cannot be handed to a shell")


async def test_an_image_without_a_shell_says_so_in_the_plan(one: Person) -> None:
    still(one.app).hands.files.clear()
    await one.select("scratch")
    await one.press("S")
    await one.sees("There is no shell in it")


async def test_the_inside_of_a_container_hides_what_is_secret(one: Person) -> None:
    hands = still(one.app).hands
    hands.running = (Process(41822, clean("trainer"), 97.0, 61 << 30, 3700, clean("python -m src.train")),)
    hands.told = {"Config": {"Env": ["HOME=/root", "API_TOKEN=s3cret-value"]}, "Name": "/scratch"}
    await one.select("scratch")
    await one.press("i")
    lines = await one.sees("python -m src.train")
    assert line_with(lines, "41822", "trainer", "97%", "1h")
    assert line_with(lines, "- API_TOKEN=********")
    await one.press("v")
    await one.sees("API_TOKEN=s3cret-value")
    hands.failure = SourceError(SourceState.UNREACHABLE, clean("Docker has gone."))
    await one.press("ctrl+r")
    await one.sees("Docker has gone.")
    assert line_with(one.lines, "python -m src.train")
    await one.press("q")
    await one.sees("1 Services 7")


def archive(name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as packed:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        packed.addfile(entry, io.BytesIO(content))
    return made.getvalue()


async def test_a_file_is_copied_out_and_nothing_is_overwritten_unasked(
    one: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hands = still(one.app).hands
    hands.copies["/out/metrics.json"] = archive("metrics.json", b'{"loss": 0.4}')
    await one.select("scratch")
    await one.press("a")
    await one.sees("copy a file out")
    one.wait()
    await one.press("F")
    await one.sees("Copy out  scratch, into")
    await one.press("slash", "enter")
    await one.sees("name a file or folder in it")
    await one.press("backspace", *"/out/metrics.json", "enter")
    await one.sees("✓ 1 file, 13 B")
    place = tmp_path / "metrics.json"
    assert place.read_bytes() == b'{"loss": 0.4}'
    place.write_bytes(b"mine")
    one.app.screen.do_inside("copy_out", one.app.screen.subjects())  # type: ignore[attr-defined]
    await one.sees("Copy out  scratch, into")
    await one.press(*"/out/metrics.json", "enter")
    await one.sees("exists already in")
    await one.press("escape")
    await one.misses("exists already in")
    assert place.read_bytes() == b"mine"
    assert len([each for each in one.did if each.startswith("copy ")]) == 1


async def test_the_sheet_of_acts_is_about_what_its_title_says(one: Person) -> None:
    await one.select("scratch")
    await one.press("a")
    await one.sees("copy a file out")
    one.wait()
    still(one.app).give(world([each for each in ALL if each is not LOOSE], project=PROJECT))
    await one.press("F")
    await one.sees("Copy out  scratch, into")


async def test_another_window_does_not_close_the_question(one: Person) -> None:
    """People leave to look the path up."""
    await one.select("scratch")
    one.app.screen.do_inside("copy_out", one.app.screen.subjects())  # type: ignore[attr-defined]
    await one.sees("Copy out  scratch, into")
    await one.press(*"/out/m")
    one.app.post_message(events.AppBlur())
    await one.pilot.pause()
    one.app.post_message(events.AppFocus())
    await one.pilot.pause()
    await one.sees("Copy out  scratch, into")
    assert one.app.screen.prompt.value == "/out/m"  # type: ignore[attr-defined]
    await one.press("escape")
    await one.misses("Copy out")


async def test_there_is_no_place_to_copy_to(one: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    await one.select("scratch")
    await one.press("a")
    await one.sees("copy a file out")
    one.wait()
    await one.press("F")
    await one.sees("the folder that the console was started in is gone")


async def test_who_may_only_look_may_copy_out_of_the_facts(one: Person) -> None:
    one.app.read_only = clean("--read-only")
    await one.select("scratch")
    await one.press("i")
    await one.sees("All that Docker knows")
    await one.press("F")
    await one.sees("Copy out  scratch, into")


async def test_a_signal_that_ends_a_shell_is_passed_on_once_the_audit_is_written(
    one: Person, at_a_terminal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    still(one.app).hands.talk = Talk()
    written: list[bool] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: written.append("ended" in one.notebook.phases))
    monkeypatch.setattr(rawterminal, "converse", lambda *_: int(signal.SIGUSR1))
    try:
        await one.select("scratch")
        await one.press("S")
        await one.sees("enter open it")
        one.wait()
        await one.press("enter")
        await one.sees("left by SIGUSR1")
        await until(lambda: bool(written))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert written == [True]
    assert at_a_terminal == ["suspended", "back"]
