"""The log view as people have it: real containers, tmux and screen, a real pager, and what hostile logs write to a terminal."""

from __future__ import annotations

import base64
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from tests.console.real.program import environment, screen_command
from tests.support import controls
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.terminal import Pty, Tmux
from tests.support.waiting import until_sync

pytestmark = pytest.mark.usefixtures("tmux")

TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/src/train.py", line 96, in main',
    "    for x, y in loader:",
    "RuntimeError: DataLoader worker (pid 213) is killed by signal",
)
# Three hundred steps with a heartbeat, memory warnings, and the end of a training that failed.
SCRIPT = r"""
i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "step $i/300  loss 0.688"
[ $((i % 3)) = 0 ] && echo "heartbeat ok"
[ $((i % 60)) = 0 ] && echo "WARNING:train:host memory $i of 16 GiB"
done
sleep 0.5
cat /failure >&2
exit 1
"""


@pytest.fixture(scope="module")
def fleet_of_logs(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A training that failed, and a Jenkins that ran it; gives the name of the training."""
    marker = os.getpid()
    name, jenkins = f"train-{marker}", f"logs-jenkins-{marker}"
    failure = tmp_path_factory.mktemp("failure") / "failure"
    failure.write_text("\n".join(TRACEBACK) + "\n")
    failure.chmod(0o644)
    labels = [f"mlops.{key}" for key in ("managed=true", "project=project-b", f"build={marker}", "job=train")]
    engine.docker(
        "run", "-d", "--network=none", "--name", jenkins, "--label", "com.docker.compose.project=logs",
        "--label", "com.docker.compose.service=jenkins", "--label", "com.docker.compose.container-number=1",
        BUSYBOX, "sh", "-c", "i=0; while :; do i=$((i+1)); echo \"pipeline $i\"; sleep 0.5; done",
    )  # fmt: skip
    engine.docker(
        "run", "-d", "--network=none", "--name", name, "-v", f"{failure}:/failure:ro",
        *(part for label in labels for part in ("--label", label)), BUSYBOX, "sh", "-c", SCRIPT,
    )  # fmt: skip
    engine.docker("wait", name)
    try:
        yield name
    finally:
        engine.docker("rm", "-f", name, jenkins)


SERVICES = re.compile(r"^.\d Services ", re.MULTILINE)


def opened(terminal: Tmux, name: str, *keys: str) -> str:
    """Select the row of this name, press keys there; the screen of its log."""
    # The name itself may be below the end of the list. Which number the pane has changes when runs come to be known.
    terminal.wait_for(lambda text: "✓ docker" in text and SERVICES.search(text) is not None)
    terminal.keys(":")
    terminal.wait_for("Commands")
    terminal.type("services")
    terminal.keys("Enter")
    terminal.wait_for(lambda text: "Commands" not in text)
    terminal.keys("/")
    terminal.wait_for("type to search")
    terminal.type(name)
    terminal.keys("Enter")
    terminal.wait_for(lambda text: re.search(rf"^.\d {name}", text, re.MULTILINE) is not None)
    terminal.keys(*keys)
    return terminal.wait_for("› log")


def selected(screen: str) -> str:
    return next((line[1:] for line in screen.split("\n") if line.startswith("▐")), "")


def test_seven_of_ten_tasks_with_the_keys_that_are_promised(engine: Engine, fleet_of_logs: str, tmp_path: Path) -> None:
    name = fleet_of_logs
    with Tmux(screen_command(), 80, 24, environment(engine, tmp_path)) as terminal:
        # 1 follow the training's log: L
        opened(terminal, name, "L")
        terminal.wait_for(lambda text: "has ended, exit 1" in text and "following" in text)
        # 2 look a page back, then follow again: ctrl+u f
        terminal.keys("C-u")
        terminal.wait_for("paused")
        terminal.keys("f")
        terminal.wait_for("following")
        # 3 find every "memory", go to the third: / n n
        terminal.keys("/")
        terminal.type("memory")
        terminal.keys("Enter")
        terminal.wait_for("1 of 5")
        terminal.keys("n", "n")
        screen = terminal.wait_for("3 of 5")
        assert "host memory 180 of 16 GiB" in selected(screen)
        terminal.keys("Escape")
        terminal.wait_for(lambda text: "/memory" not in text)
        terminal.keys("f")
        # 4 hide the heartbeat: &
        terminal.keys("&")
        terminal.type("-heartbeat")
        terminal.keys("Enter")
        screen = terminal.wait_for("& -heartbeat hides 100")
        assert "heartbeat ok" not in screen
        # 10 save what the filter shows: s
        terminal.keys("s")
        terminal.wait_for("save to")
        terminal.keys("Enter")
        terminal.wait_for("✓ saved 310 lines")
        terminal.keys("Escape")
        terminal.wait_for(lambda text: "heartbeat ok" in text and "hides" not in text)
        # 5 only warnings and worse: - -
        terminal.keys("-", "-")
        screen = terminal.wait_for("& >=W hides")
        assert "step" not in screen.split("\n", 2)[2]
        terminal.keys("Escape")
        # 8 go to a time: T
        moment = re.findall(r"^ (\d\d:\d\d:\d\d) ", terminal.wait_for("following"), re.MULTILINE)[0]
        terminal.keys("T")
        terminal.type(moment)
        terminal.keys("Enter")
        screen = terminal.wait_for("paused")
        assert selected(screen).startswith(moment)
        terminal.keys("q")
        terminal.wait_for(lambda text: SERVICES.search(text) is not None)
        terminal.keys("Q")
        assert terminal.wait() == 0
        saved = [one for one in Path.cwd().iterdir() if one.name.startswith(name)]
        try:
            assert [stat.S_IMODE(one.stat().st_mode) for one in saved] == [0o600]
            assert "heartbeat" not in saved[0].read_text()
        finally:
            for one in saved:
                one.unlink()


def test_the_other_three_of_the_ten(engine: Engine, fleet_of_logs: str, tmp_path: Path) -> None:
    with Tmux(screen_command(), 80, 24, environment(engine, tmp_path)) as terminal:
        # 6 from a failed run to its error, whole traceback: e enter
        opened(terminal, fleet_of_logs, "e")
        terminal.wait_for(lambda text: "RuntimeError" in selected(text))
        terminal.keys("Enter")
        terminal.wait_for(lambda text: all(line.strip()[:40] in text for line in TRACEBACK))
        # 7 copy that traceback: y
        terminal.keys("y")
        terminal.wait_for(f"✓ copied {len(TRACEBACK)} lines")
        # 9 merge trainer and Jenkins by time: M enter
        terminal.keys("M")
        terminal.wait_for("Sources")
        terminal.keys("Enter")
        terminal.wait_for(lambda text: "merged by time" in text and " a train-" in text and "pipeline" in text)
        terminal.keys("Q")
        assert terminal.wait() == 0


def test_a_copy_reaches_tmux_and_the_terminal_around_it_as_tmux_is_set_up_by_default(
    engine: Engine, fleet_of_logs: str, tmp_path: Path
) -> None:
    env = environment(engine, tmp_path, TERM="xterm-256color")
    socket = tmp_path / "tmux"
    tmux = ["tmux", "-u", "-S", str(socket), "-f", "/dev/null"]
    try:
        with Pty([*tmux, "new-session", "--", *screen_command()], 80, 24, env) as terminal:
            copy_the_error(terminal, fleet_of_logs)
            wanted = base64.b64encode("\n".join(TRACEBACK).encode())
            terminal.wait_for(lambda data: b"\x1b]52;" in data and wanted in data)
            shown = subprocess.run([*tmux, "show-buffer"], capture_output=True, text=True, check=True, env=env)
            assert shown.stdout == "\n".join(TRACEBACK)
            terminal.write(b"Q")
            assert terminal.wait() == 0
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True, check=False, env=env)


def on_screen(terminal: Pty) -> str:
    """What stands there: tmux and screen write only what differs, so the bytes alone do not tell."""
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(terminal.data)
    return "\n".join(screen.display)


def shows(terminal: Pty, pattern: str) -> None:
    """Until the screen shows this."""
    until_sync(lambda: re.search(pattern, on_screen(terminal), re.MULTILINE) is not None, f"{pattern} on the screen")


def choose(terminal: Pty, name: str) -> None:
    """Select the row of this name."""
    shows(terminal, r"✓ docker")
    shows(terminal, SERVICES.pattern)
    terminal.write(b":")
    shows(terminal, r"^ Commands")
    terminal.write(b"services\r")
    until_sync(lambda: "Commands" not in on_screen(terminal), "the list of commands to go")
    terminal.write(b"/")
    shows(terminal, "type to search")
    terminal.write(name.encode() + b"\r")
    shows(terminal, f"/{name}")


def copy_the_error(terminal: Pty, name: str) -> None:
    """Open the log of this row at its error, and copy that."""
    choose(terminal, name)
    terminal.write(b"e")
    # The cursor is there when the log stands still.
    shows(terminal, r"RuntimeError(?s:.*)paused")
    terminal.write(b"y")
    shows(terminal, "copied")


@pytest.mark.skipif(shutil.which("screen") is None, reason="GNU screen is not installed")
def test_a_copy_passes_through_screen(engine: Engine, fleet_of_logs: str, tmp_path: Path) -> None:
    folder = tmp_path / "screens"
    folder.mkdir(mode=0o700)
    env = environment(engine, tmp_path, TERM="xterm-256color", SCREENDIR=str(folder), SHELL="/bin/sh")
    with Pty(["screen", "-c", "/dev/null", *screen_command()], 80, 24, env) as terminal:
        copy_the_error(terminal, fleet_of_logs)
        wanted = base64.b64encode("\n".join(TRACEBACK).encode())
        terminal.wait_for(lambda data: b"\x1b]52;c;" + wanted + b"\x07" in data)
        terminal.write(b"Q")
        terminal.wait()


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_the_pager_shows_the_log_may_run_no_command_and_gives_the_screen_back(
    engine: Engine, fleet_of_logs: str, tmp_path: Path
) -> None:
    with Tmux(screen_command(), 80, 24, environment(engine, tmp_path, PAGER="less")) as terminal:
        opened(terminal, fleet_of_logs, "L")
        terminal.wait_for("has ended")
        terminal.keys("P")
        terminal.wait_for(lambda text: text.startswith("step 1/300") and "Services" not in text)
        terminal.keys("!")
        terminal.wait_for("Command not available")
        terminal.keys("Enter", "q")
        terminal.wait_for(lambda text: "› log" in text and "has ended" in text and "following" in text)
        terminal.keys("C-u")
        terminal.wait_for("paused")
        terminal.keys("Q")
        assert terminal.wait() == 0
    assert not [one for one in Path("/tmp").glob("mlops-console-*") if one.is_dir() and one.stat().st_mtime > time.time() - 30]


def test_lines_come_by_themselves_and_a_removed_container_is_told(engine: Engine, tmp_path: Path) -> None:
    name = f"chatty-{os.getpid()}"
    engine.docker(
        "run", "-d", "--network=none", "--name", name, BUSYBOX,
        "sh", "-c", "i=0; while :; do i=$((i+1)); echo \"said $i\"; sleep 0.1; done",
    )  # fmt: skip
    try:
        with Tmux(screen_command(), 80, 24, environment(engine, tmp_path)) as terminal:
            opened(terminal, name, "L")
            terminal.wait_for("said 30")
            terminal.keys("k")
            terminal.wait_for(lambda text: re.search(r"paused, \d+ new lines below", text) is not None)
            engine.docker("restart", "-t", "0", name)
            terminal.keys("f")
            terminal.wait_for(lambda text: "was started again; its log goes on" in text and "following" in text)
            engine.docker("rm", "-f", name)
            terminal.wait_for("The container was removed")
            terminal.keys("q")
            terminal.wait_for(lambda text: SERVICES.search(text) is not None)
            terminal.keys("Q")
            assert terminal.wait() == 0
    finally:
        if name in engine.docker("ps", "-a", "--format={{.Names}}"):
            engine.docker("rm", "-f", name)


HOSTILE = (
    "\\033]52;c;aGFja2Vk\\007\\033]0;owned\\007\\033[2J\\033[6n\\342\\200\\256"
    "\\302\\23331m\\033P+q\\033\\\\\\033[31mred\\033[0m"
)


def kinds_of_a_look(engine: Engine, home: Path, printed: str) -> set[str]:
    """The kinds of control sequences that a look at a log with this line in it writes to the terminal."""
    home.mkdir()
    name = f"hostile-{os.getpid()}"
    engine.docker("run", "-d", "--network=none", "--name", name, BUSYBOX, "printf", f"before\\n{printed} line\\nafter\\n")
    try:
        with Pty(screen_command(), 80, 24, environment(engine, home)) as terminal:
            choose(terminal, name)
            terminal.write(b"L")
            terminal.wait_for(b"after")
            for keys, wanted in ((b"k", b"paused"), (b"r", b"written"), (b"w", b"wrapped"), (b"k", b""), (b"y", b"copied")):
                before = len(terminal.data)
                terminal.write(keys)
                until_sync(lambda before=before, wanted=wanted: wanted in terminal.data[before:], repr(wanted))  # type: ignore[misc]
            terminal.write(b"Q")
            terminal.wait()
            return controls.control_kinds(terminal.data)
    finally:
        engine.docker("rm", "-f", name)


def test_a_hostile_log_writes_the_same_kinds_of_sequences_as_a_harmless_one(engine: Engine, tmp_path: Path) -> None:
    harmless = kinds_of_a_look(engine, tmp_path / "harmless", "quite harmless")
    assert "CSI m" in harmless
    assert kinds_of_a_look(engine, tmp_path / "hostile", HOSTILE) == harmless
