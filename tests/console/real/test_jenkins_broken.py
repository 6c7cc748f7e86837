"""A Jenkins that is up and whose configuration failed: on the screen, in commands, and that it goes away by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.demo.controller import Controller
from tests.console.real.program import answer, run, screen_command
from tests.console.real.test_jenkins_view import at_jenkins, server
from tests.support.jenkins import JenkinsServer
from tests.support.terminal import Tmux

__all__ = ["server"]
TOLD = "Jenkins is up, but its configuration failed: jenkins: Invalid configuration elements for type: class"
WHOLE = f"{TOLD} jenkins.model.Jenkins : nonsense (UnknownAttributesException)."


def restarted(front: JenkinsServer, *, broken: bool) -> Controller:
    with front.lock:
        front.controller.restart(stopping=0, down=0, starting=0, broken=broken)
        front.controller.advance()
    return front.controller


@pytest.mark.usefixtures("tmux")
def test_the_screen_says_what_failed_and_recovers(server: JenkinsServer, tmp_path: Path) -> None:
    with Tmux(screen_command(), 80, 24, at_jenkins(server, tmp_path)) as terminal:
        terminal.wait_for(lambda text: "✓ jenkins" in text and " 2 Queue 2" in text)
        restarted(server, broken=True)
        screen = terminal.wait_for(lambda text: "✗ jenkins config failed" in text.split("\n")[0])
        terminal.keys("2")
        screen = terminal.wait_for(lambda text: "its configuration failed" in text[text.index(" 2 Queue") :])
        assert TOLD in " ".join(screen[screen.index(" 2 Queue") :].split())
        assert " 2 Queue 2 " in screen, "what was known is still counted"
        terminal.keys("6")
        screen = terminal.wait_for(lambda text: "› builds" in text and "its configuration failed" in text)
        assert "✗ jenkins config failed" in screen.split("\n")[0]
        restarted(server, broken=False)
        screen = terminal.wait_for(lambda text: "config failed" not in text and "configuration failed" not in text, deadline=60)
        assert "› builds" in screen
        terminal.keys("Q")
        assert terminal.wait() == 0


def test_commands_say_what_failed(server: JenkinsServer, tmp_path: Path) -> None:
    env = at_jenkins(server, tmp_path)
    restarted(server, broken=True)
    done = run(env, "builds")
    assert done.returncode == 3
    assert WHOLE in done.stdout + done.stderr
    done = run(env, "status")
    assert re.search(rf"^jenkins +✗ config failed +{re.escape(WHOLE)}$", done.stdout, re.MULTILINE)
    for command in ("builds", "status"):
        _, document = answer(env, command)
        told = document["sources"]["jenkins"]
        assert (told["state"], told["reason"]) == ("unreachable", WHOLE)
    restarted(server, broken=False)
    _, document = answer(env, "builds")
    assert document["sources"]["jenkins"]["state"] == "ok"
