"""Services and containers acted on from their rows: which objects a key is about, what is asked of whom, what is said."""

from __future__ import annotations

import io
import os
import pty
import signal
import socket
import tarfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events

from console.actions.docker.health import Pace
from console.actions.plan import Fate
from console.demo import demo_jenkins
from console.model.container import MANAGED_LABEL, ContainerState
from console.model.process import Process
from console.model.service import ComposeProject, Declared
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.world import World
from console.sources import rawterminal
from console.sources.rawterminal import Shell
from console.text import clean
from console.ui.acting import Subject
from console.ui.app import ConsoleApp
from console.ui.choices import acts_of
from tests.console.fakes import FakeCompose, FakeEngine, container
from tests.console.ui.doing import Person, person
from tests.console.ui.pressing import line_with, press
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.worlds import world
from tests.support.waiting import until

WEB = container("mlops-web-1", service="web")
CACHE = container("mlops-cache-1", service="cache")
JENKINS = container("mlops-jenkins-1", service="jenkins")
LOOSE = container("scratch")
ENDED = container("leftover", state=ContainerState.EXITED, exit_code=0)
TRAINING = container(
    "mlops-project-a-128",
    labels={MANAGED_LABEL: "true", "mlops.project": "project-a", "mlops.job": "train", "mlops.build": "128"},
)
OTHERS = container("shop-db-1", service="db", project="shop")
ALL = (WEB, CACHE, JENKINS, LOOSE, ENDED, TRAINING, OTHERS)
PROJECT = ComposeProject(
    clean("mlops"),
    clean("infra/docker-compose.yml"),
    tuple(Declared(clean(name), clean("busybox:1"), 1, clean("")) for name in ("cache", "jenkins", "web")),
)


def app_with(made: World) -> ConsoleApp:
    app = app_of(made)
    live = still(app)
    live.log_engine = FakeEngine(*ALL)
    live.compose = FakeCompose(PROJECT)
    return app


@pytest.fixture
async def one(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    monkeypatch.setattr("console.actions.docker.services.Pace", lambda: Pace(every=0.02, steady=0.05))
    async with person(app=app_with(world(list(ALL), project=PROJECT))) as somebody:
        yield somebody


async def test_a_service_is_restarted_by_compose(one: Person) -> None:
    await one.select("web")
    await one.press("r")
    lines = await one.sees("y restart")
    assert line_with(lines, "Restart  web")
    assert line_with(lines, "same as docker compose restart web")
    assert not one.did
    one.wait()
    await one.press("y")
    await one.sees("restarted, fine after")
    assert one.did == ["compose restart web"]


@pytest.mark.parametrize(
    ("key", "agree", "asked"),
    [
        ("u", "enter", ["compose up web"]),
        ("p", "y", ["compose pull web", "compose up web"]),
        ("x", "y", ["compose stop web"]),
    ],
)
async def test_each_key_has_its_act(one: Person, key: str, agree: str, asked: Sequence[str]) -> None:
    await one.select("web")
    await one.press(key)
    await one.sees("same as docker compose")
    one.wait()
    await one.press(agree)
    await one.sees("✓ ")
    assert one.did == asked


@pytest.mark.parametrize(
    ("name", "key", "agree", "asked"),
    [
        ("scratch", "r", "y", f"restart {LOOSE.id}"),
        ("scratch", "x", "y", f"stop {LOOSE.id}"),
        ("leftover", "u", "enter", f"start {ENDED.id}"),
        ("shop-db-1", "x", "y", f"stop {OTHERS.id}"),
    ],
)
async def test_what_the_file_does_not_declare_is_a_container(one: Person, name: str, key: str, agree: str, asked: str) -> None:
    await one.select(name)
    await one.press(key)
    await one.sees("same as docker ")
    one.wait()
    await one.press(agree)
    await one.sees("✓ ")
    assert one.did == [asked]


async def test_a_container_cannot_be_fetched_anew(one: Person) -> None:
    await one.select("scratch")
    await one.press("p")
    await one.sees("only what the Compose file declares can be fetched anew")
    assert len(one.app.screen_stack) == 1


async def test_a_training_without_jenkins_is_stopped_as_a_container(one: Person) -> None:
    await one.select("mlops-project-a-128")
    await one.press("x")
    await one.sees("it saves a checkpoint")
    one.wait()
    await one.press("y")
    await one.sees("✓ stopped")
    assert one.did == [f"stop {TRAINING.id}"]


async def test_a_training_by_hand_is_no_build_of_jenkins(one: Person) -> None:
    by_hand = container("mlops-project-b-3", labels={MANAGED_LABEL: "true", "mlops.job": "local", "mlops.build": "3"})
    still(one.app).log_jenkins = demo_jenkins()
    engine = FakeEngine(*ALL, by_hand)
    still(one.app).log_engine = engine
    made = world([*ALL, by_hand], project=PROJECT)
    still(one.app).give(replace(made, sources={**made.sources, "jenkins": SourceStatus(SourceState.OK)}))
    await one.select("mlops-project-b-3")
    await one.press("x")
    await one.sees("same as docker stop mlops-project-b-3")


async def test_the_container_of_a_build_has_acts_of_its_own(one: Person) -> None:
    """Its build is what `x` stops; the container alone is stopped where Jenkins cannot."""
    app, source = one.app, demo_jenkins()
    still(app).log_jenkins = source
    made = world(list(ALL), project=PROJECT)
    still(app).give(replace(made, sources={**made.sources, "jenkins": SourceStatus(SourceState.OK)}))
    await one.select("mlops-project-a-128")
    lines = await one.press("a")
    assert line_with(lines, "Acts  train #128")
    assert line_with(lines, " X  stop the container")
    one.wait()
    await one.press("X")
    await one.sees("it saves a checkpoint")
    one.wait()
    await one.press("y")
    await one.sees("✓ stopped")
    assert one.did == [f"stop {TRAINING.id}"]


async def test_marked_services_and_containers_are_one_plan(one: Person) -> None:
    await one.select("web")
    await one.press("space")
    await one.select("scratch")
    lines = await one.press("space")
    assert line_with(lines, "1 Services").endswith("2 marked")
    await one.press("x")
    lines = await one.sees("y do all of it")
    assert line_with(lines, "* web")
    assert line_with(lines, "* scratch")
    one.wait()
    await one.press("y")
    await one.sees("esc close")
    assert one.did == ["compose stop web", f"stop {LOOSE.id}"]
    await one.press("escape")
    await one.misses("2 marked")


async def test_all_acts_of_a_service_and_why_some_cannot_be_done(one: Person) -> None:
    await one.select("web")
    await one.press("a")
    lines = await one.sees("make anew")
    for key, words in {"r": "restart", "u": "up: make", "p": "fetch and make anew", "s": "start as", "D": "end all"}.items():
        assert any(line[1:].startswith(f"{key}  {words}") for line in lines), (key, words)
    one.wait()
    await one.press("D")
    await one.sees("then type mlops")


async def test_what_a_stopped_container_cannot_do_is_said(one: Person) -> None:
    await one.select("leftover")
    await one.press("a")
    lines = await one.sees("a shell inside")
    for words in ("stop", "kill", "freeze it", "a shell inside"):
        assert line_with(lines, f"  {words} ").rstrip().endswith("it does not run")
    one.wait()
    await one.press("D")
    await one.sees("removes it for good")
    one.wait()
    await one.press("y")
    await one.sees("✓ removed")
    assert one.did == [f"remove {ENDED.id}"]


async def test_the_page_of_a_service_has_the_same_keys(one: Person) -> None:
    await one.select("web")
    lines = await one.press("enter")
    assert "r restart  x stop  S shell  a acts  i facts" in lines[-1]
    await one.press("r")
    await one.sees("y restart")
    one.wait()
    await one.press("y")
    await one.sees("restarted, fine after")
    assert one.did == ["compose restart web"]


async def test_a_failure_is_said_in_the_words_of_compose(one: Person) -> None:
    still(one.app).hands.failure = SourceError(SourceState.OK, clean("web: manifest unknown"))
    await one.select("web")
    await one.press("p")
    await one.sees("y update")
    one.wait()
    await one.press("y")
    await one.sees("✗ web: manifest unknown")
    assert one.did == ["compose pull web"]


async def test_services_by_name_from_the_palette(one: Person) -> None:
    await one.press("colon", *"service restart ", *"web")
    lines = await one.sees("service restart web")
    assert not any("scratch" in line for line in lines if line.startswith("▐"))
    await one.press("enter")
    await one.sees("Restart  web")
    await one.press("escape")
    await one.press("colon", *"service up --all", "enter")
    await one.sees("Up  all of mlops")
    one.wait()
    await one.press("enter")
    lines = await one.sees("Type mlops to up")
    assert line_with(lines, "train #128 runs, and cannot do without jenkins")
    await one.press(*"mlops", "enter")
    await one.sees("esc close")
    assert one.did == ["compose up"]


async def test_read_only_nothing_of_it_is_done(one: Person) -> None:
    one.app.read_only = clean("--read-only")
    await one.select("web")
    for key in ("r", "u", "p", "x", "S", "a", "space"):
        await one.press(key)
        await one.sees("Read-only: acts are off (--read-only).")
        assert len(one.app.screen_stack) == 1
    one.app.screen.action_serve("restart", ["web"])  # type: ignore[attr-defined]
    assert len(one.app.screen_stack) == 1
    lines = await one.press("colon", *"service")
    assert not any("restart" in line for line in lines if line.startswith("▐"))
    assert not one.did


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


async def test_the_page_of_what_is_gone_acts_on_nobody_else(one: Person) -> None:
    await one.select("scratch")
    await one.press("enter")
    still(one.app).give(world([each for each in ALL if each is not LOOSE], project=PROJECT))
    await one.sees("It is gone")
    for key in ("x", "r", "S", "i", "L", "a"):
        await one.press(key)
        await one.sees("it is gone")
        await one.press("ctrl+l")
    assert not one.did


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


async def test_another_window_runs_no_command(one: Person) -> None:
    await one.press("colon", *"service stop web")
    one.app.post_message(events.AppBlur())
    await one.pilot.pause()
    assert "service stop web" in screen_text(one.app)
    assert not one.did


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


def test_what_is_for_one_container_says_so_where_several_are_meant() -> None:
    service = Subject(clean("web"), service=clean("web"), containers=(WEB,))
    found = {each.key: each for each in acts_of([service, Subject(clean("scratch"), containers=(LOOSE,))], None)}
    assert found["shell"].why_not == "it is for one container at a time"
    assert found["stop"].why_not == ""
    assert {each.key: each.why_not for each in acts_of([service], None)}["shell"] == ""


async def test_a_label_that_is_called_like_a_secret_is_hidden_on_the_page() -> None:
    one_of = container("scratch", labels={"deploy.token": "s3cret-label", "team": "vision"})
    async with app_of(world([one_of], project=None)).run_test(size=(100, 40)) as pilot:
        text = "\n".join(await press(pilot, "enter"))
        assert "vision" in text
        assert "deploy.token ********" in text
        assert "s3cret-label" not in text
