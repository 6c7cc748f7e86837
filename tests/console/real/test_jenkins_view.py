"""Jenkins in a real terminal: the screens at 80x24 in tmux, a restart under a log that is followed, hostile texts on a pty."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo.controller import (
    OPERATOR,
    Cause,
    CauseKind,
    Controller,
    Link,
    Lock,
    Node,
    OnNode,
    Parameter,
    Pipeline,
    Sh,
    Stage,
)
from tests.console.real.program import ROOT, environment, screen_command
from tests.console.real.test_terminal import GATE_OFF
from tests.support import controls
from tests.support.jenkins import JenkinsServer
from tests.support.terminal import Pty, Tmux
from tests.support.waiting import until_sync

TOKEN = "11" + "ab" * 16
NOWHERE = "unix:///nonexistent/docker.sock"
EPOCHS = tuple(part for epoch in range(1, 400) for part in (f"epoch {epoch}/400", 0.2))


@pytest.fixture
def server() -> Iterator[JenkinsServer]:
    """A controller on the real clock: one training runs, another waits for its lock, a third for a node that is away."""
    controller = Controller(lambda: time.time_ns() // 1_000_000, executors=0)
    controller.add_user("operator", OPERATOR, full_name="Console operator", tokens={"console": TOKEN})
    controller.add_node(Node("trainer-1", ("gpu",), executors=2))
    controller.add_node(Node("trainer-2", ("arm",), link=Link.LAUNCH_FAILED, log="Connection refused\n"))
    training = OnNode("gpu", (Stage("image", (Sh("build", ("built", 0.3)),)), Stage("train", (Sh("follow", EPOCHS),))))
    controller.add_job(
        "train",
        Pipeline((Lock("train-project-a", (training,)),), agent=None, timestamps=True),
        parameters=(Parameter("PROJECT"),),
    )
    controller.add_job("evaluate", Pipeline((Stage("evaluate", (OnNode("arm", (Sh("evaluate", ()),)),)),), agent=None))
    with JenkinsServer(controller) as front:
        with front.lock:
            controller.trigger("train", {"PROJECT": "project-a"}, by="operator", delay=0)
            controller.advance()
        until_sync(lambda: advanced(front).jobs["train"].last() is not None)
        with front.lock:
            controller.trigger("train", {"PROJECT": "project-a "}, by="operator", delay=0)
            controller.trigger("evaluate", by="operator", delay=0)
        yield front


def advanced(front: JenkinsServer) -> Controller:
    with front.lock:
        front.controller.advance()
    return front.controller


def at_jenkins(front: JenkinsServer, home: Path, **more: str) -> dict[str, str]:
    """Variables for the console: this Jenkins, and no Docker at all."""
    token = home / "token"
    token.write_text(TOKEN, encoding="ascii")
    token.chmod(0o600)
    return environment(
        None,
        home,
        DOCKER_HOST=NOWHERE,
        MLOPS_JENKINS_URL=front.url,
        MLOPS_JENKINS_USER="operator",
        MLOPS_JENKINS_TOKEN_FILE=str(token),
        **more,
    )


@pytest.mark.usefixtures("tmux")
def test_a_day_with_jenkins_while_docker_is_away(server: JenkinsServer, tmp_path: Path) -> None:
    with Tmux(screen_command(), 80, 24, at_jenkins(server, tmp_path)) as terminal:
        screen = terminal.wait_for(lambda text: "✓ jenkins" in text and "docker unreachable" in text and " 2 Queue 2" in text)
        terminal.keys("2")
        away = re.compile(r"evaluate +#1 ! no node +trainer-2 is off line: only those with")
        terminal.wait_for(lambda text: "train #1 has lock train-project-a" in text and away.search(text) is not None)
        terminal.keys("6")
        screen = terminal.wait_for(lambda text: "› builds" in text and re.search(r"train +#1 ▸ running", text) is not None)
        assert re.search(r"train +#2 ◌ blocked", screen)
        terminal.keys("/")
        terminal.wait_for("type to search")
        terminal.type("#1")
        terminal.keys("Enter", "g", "Enter")
        screen = terminal.wait_for(lambda text: "builds › " in text and "1 Stages" in text)
        terminal.keys("8")
        screen = terminal.wait_for(lambda text: "› nodes" in text and "✗ off line" in text)
        assert "1/2" in screen
        terminal.keys("Q")
        assert terminal.wait() == 0


def latest(text: str) -> int:
    """The newest epoch on a screen."""
    return max((int(number) for number in re.findall(r"epoch (\d+)/400", text)), default=0)


@pytest.mark.usefixtures("tmux")
def test_a_log_is_followed_through_a_restart_of_jenkins(server: JenkinsServer, tmp_path: Path) -> None:
    with Tmux(screen_command(), 80, 24, at_jenkins(server, tmp_path)) as terminal:
        terminal.wait_for("✓ jenkins")
        terminal.keys("6")
        terminal.wait_for(lambda text: re.search(r"train +#1 ▸ running", text) is not None)
        terminal.keys("/")
        terminal.wait_for("type to search")
        terminal.type("running")
        terminal.keys("Enter", "L")
        terminal.wait_for(lambda text: "› log" in text and "epoch 4/400" in text)
        with server.lock:
            server.controller.restart(stopping=0.5, down=1, starting=1)
        terminal.wait_for(lambda text: "jenkins starting" in text or "jenkins unreachable" in text)
        screen = terminal.wait_for(lambda text: "jenkins" not in text.split("\n")[0] and latest(text) > 40, deadline=60)
        seen = [int(number) for number in re.findall(r"epoch (\d+)/400", screen)]
        assert seen == list(range(seen[0], seen[0] + len(seen)))
        terminal.keys("&")
        terminal.wait_for("word")
        terminal.type("epoch")
        terminal.keys("Enter", "g")
        screen = terminal.wait_for(lambda text: "epoch 1/400" in text)
        seen = [int(number) for number in re.findall(r"epoch (\d+)/400", screen)]
        assert seen == list(range(1, 1 + len(seen)))
        terminal.keys("Q")
        assert terminal.wait() == 0


HOSTILE = "\x1b]52;c;aGFjaw==\x07\x1b[2J\x1b]0;t\x07\x9b31m\u202e"


def hostile_server(text: str) -> Controller:
    controller = Controller(lambda: time.time_ns() // 1_000_000, executors=0)
    controller.add_user("operator", OPERATOR, full_name=f"Op {text}", tokens={"console": TOKEN})
    controller.add_node(Node(f"trainer {text}", ("gpu",), executors=2))
    controller.add_node(Node("away", (f"arm{text}",), link=Link.LAUNCH_FAILED, log=f"ERROR: {text}\n"))
    stages = (Stage(f"train {text}", (Sh("follow", (f"epoch {text}", 0.1, f"loss {text}")),)),)
    script = Pipeline((OnNode("gpu", stages),), agent=None)
    controller.add_job("train", script, parameters=(Parameter("PROJECT"),), description=text)
    controller.add_job("evaluate", Pipeline((Stage("evaluate", (OnNode("arm", ()),)),), agent=None))
    return controller


def tour(text: str, home: Path, *, gate: bool = True) -> set[str]:
    """What kinds of control sequences a look at everything writes."""
    home.mkdir()
    more = {"TERM": "xterm-256color"}
    if not gate:
        (home / "sitecustomize.py").write_text(GATE_OFF)
        more["PYTHONPATH"] = f"{home}:{ROOT}"
    controller = hostile_server(text)
    with JenkinsServer(controller) as front:
        with front.lock:
            cause = Cause(CauseKind.HOOK, f"release {text}")
            controller.trigger("train", {"PROJECT": f"p {text}"}, causes=[cause], delay=0)
            controller.trigger("evaluate", by="operator", delay=0)
        until_sync(lambda: (build := advanced(front).jobs["train"].last()) is not None and not build.building)
        with Pty(screen_command(), 120, 36, at_jenkins(front, home, **more)) as terminal:
            terminal.wait_for(lambda data: b"jenkins" in data and b"Queue" in data)
            for keys, wanted in (
                (b"2", b"since"),
                (b"6", b"why it ran"),
                (b"/train\r\r", b"Stages"),
                (b"\r", b"loss"),
                (b"q", b"took"),
                (b"L", b"Pipeline"),
                (b"8", b"what it does"),
            ):
                before = len(terminal.data)
                terminal.write(keys)
                terminal.wait_for(lambda data, before=before, wanted=wanted: wanted in data[before:])  # type: ignore[misc]
            terminal.write(b"Q")
            terminal.wait()
            return controls.control_kinds(terminal.data)


def test_what_jenkins_says_is_text_and_nothing_else(tmp_path: Path) -> None:
    harmless = tour("x" * 12, tmp_path / "harmless")
    assert "CSI m" in harmless
    assert tour(HOSTILE, tmp_path / "hostile") <= harmless
    assert tour(HOSTILE, tmp_path / "open", gate=False) > harmless, "without the gate the same look must write more kinds"
