"""The console in a real terminal, as a person has it: tmux at 80x24, a bare pty, and bad days."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.console.real.program import PROGRAM, environment, run, screen_command
from tests.support import controls
from tests.support.composefleet import Fleet
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.terminal import Pty, Tmux
from tests.support.waiting import until_sync

pytestmark = pytest.mark.usefixtures("tmux")


def test_a_morning_look(fleet: Fleet, tmp_path: Path) -> None:
    env = environment(fleet.engine, tmp_path, MLOPS_COMPOSE_FILE=str(fleet.file))
    with Tmux(screen_command(), 80, 24, env) as terminal:
        wanted = ("unhealthy", "missing", "drifted", "✓ docker  ✓ compose")
        screen = terminal.wait_for(lambda text: all(one in text for one in wanted))
        lines = screen.split("\n")
        assert "✓ docker  ✓ compose" in lines[0]
        assert "go there" in lines[1]
        assert "enter open" in screen
        terminal.keys("/")
        terminal.wait_for("type to search")
        terminal.type("unhea")
        terminal.wait_for(lambda text: "1 Services 1 of " in text)
        terminal.keys("Enter", "Enter")
        screen = terminal.wait_for("› unhealthy")
        assert "E GET http://127.0.0.1:9000/api/system/status" in screen
        terminal.keys("G")
        terminal.wait_for("com.docker.compose.service")
        terminal.keys("?")
        terminal.wait_for("keys that work here")
        terminal.keys("?", "q")
        terminal.wait_for("1 Services 1 of ")
        terminal.keys("Escape")
        terminal.wait_for(lambda text: "1 Services" in text and " of 1" not in text.split("\n")[2])
        terminal.keys("q")
        assert terminal.wait() == 0


def test_a_death_reaches_the_screen(engine: Engine, tmp_path: Path) -> None:
    name = f"doomed-{os.getpid()}"
    engine.docker("run", "-d", "--network=none", "--name", name, BUSYBOX, "sleep", "1000")
    env = environment(engine, tmp_path)
    try:
        with Tmux(screen_command(), 120, 50, env) as terminal:
            terminal.wait_for(lambda text: any(name in line and "running" in line for line in text.split("\n")))
            engine.docker("kill", "--signal=KILL", name)
            terminal.wait_for(lambda text: any(name in line and "killed" in line for line in text.split("\n")))
            engine.docker("rm", "-f", name)
            terminal.wait_for(lambda text: f" {name} " not in text)
    finally:
        engine.docker("rm", "-f", name) if name in engine.docker("ps", "-a", "--format={{.Names}}") else None


def test_an_engine_that_dies_under_the_screen_and_comes_back(own_engine: Engine, tmp_path: Path) -> None:
    own_engine.docker("run", "-d", "--network=none", "--name", "lonely", BUSYBOX, "sleep", "1000")
    with Tmux(screen_command(), 80, 24, environment(own_engine, tmp_path)) as terminal:
        terminal.wait_for(lambda text: "lonely" in text and "running" in text)
        own_engine.kill()
        screen = terminal.wait_for("✗ docker unreachable")
        assert "lonely" in screen, "the last facts stay"
        terminal.wait_for("ctrl+r tries now")
        own_engine.start()
        terminal.keys("C-r")
        terminal.wait_for("✓ docker")
        terminal.keys("q")
        assert terminal.wait() == 0


def test_keys_and_leaving_work_while_the_engine_hangs(own_engine: Engine, tmp_path: Path) -> None:
    own_engine.pause()
    try:
        with Tmux(screen_command(), 80, 24, environment(own_engine, tmp_path)) as terminal:
            terminal.wait_for("Reading docker")
            terminal.keys("?")
            terminal.wait_for("keys that work here")
            terminal.keys("?", "q")
            assert terminal.wait() == 0
    finally:
        own_engine.resume()


def test_an_engine_that_was_asked_for_is_never_replaced_by_the_demo(tmp_path: Path) -> None:
    env = environment(None, tmp_path, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    with Tmux(screen_command(), 80, 24, env) as terminal:
        screen = terminal.wait_for("✗ docker unreachable")
        assert "DEMO" not in screen
        terminal.wait_for("look around in the demo")
        terminal.keys("d")
        terminal.wait_for(lambda text: " DEMO " in text and "portainer" in text)
        terminal.keys("q")
        assert terminal.wait() == 0


def test_the_demo_says_so_on_every_screen(tmp_path: Path) -> None:
    with Tmux(screen_command("--demo"), 80, 24, environment(None, tmp_path)) as terminal:
        terminal.wait_for(lambda text: " DEMO " in text and "3 Services" in text)
        terminal.keys("3")
        terminal.wait_for("▐portainer")
        terminal.keys("Enter")
        screen = terminal.wait_for("› portainer")
        assert " DEMO " in screen.split("\n")[0]
        terminal.keys("Q")
        assert terminal.wait() == 0


@pytest.mark.parametrize("keys", [(), ("L",)], ids=["list", "log"])
def test_ctrl_z_gives_the_shell_and_fg_the_whole_screen_back(tmp_path: Path, keys: tuple[str, ...]) -> None:
    with Tmux(["bash", "--norc"], 80, 24, environment(None, tmp_path)) as terminal:
        terminal.type(" ".join([*PROGRAM, "--demo"]))
        terminal.keys("Enter")
        terminal.wait_for(lambda text: "go there" in text and "portainer" in text)
        terminal.keys(*keys)
        words = "following" if keys else "1 Runs"
        terminal.wait_for(words)
        for _ in range(2):
            terminal.keys("C-z")
            terminal.wait_for("Stopped")
            terminal.type("clear; fg")
            terminal.keys("Enter")
            screen = terminal.wait_for(lambda text: " DEMO " in text and words in text and "q quit" in text)
            assert screen.startswith(" DEMO ")
        terminal.keys("Q")
        terminal.wait_for(lambda text: "DEMO" not in text)


@pytest.mark.parametrize("size", [(40, 10), (120, 36), (200, 50)])
def test_other_sizes(fleet: Fleet, tmp_path: Path, size: tuple[int, int]) -> None:
    env = environment(fleet.engine, tmp_path, MLOPS_COMPOSE_FILE=str(fleet.file))
    with Tmux(screen_command(), *size, env) as terminal:
        screen = terminal.wait_for(lambda text: "unhealthy" in text and "quit" in text)
        assert "1 Services" in screen
        terminal.resize(80, 24)
        terminal.wait_for("go there")
        terminal.keys("q")
        assert terminal.wait() == 0


def test_a_locale_without_utf_8_gets_ascii(fleet: Fleet, tmp_path: Path) -> None:
    # PYTHONCOERCECLOCALE and UTF-8 mode would hide what a C locale does to other programs.
    env = environment(fleet.engine, tmp_path, LANG="C", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    with Pty(screen_command(), 80, 24, env) as terminal:
        terminal.wait_for(b"unhealthy")
        terminal.write(b"q")
        assert terminal.wait() == 0
        assert terminal.data.isascii()
        assert b"x unhealthy" in strip(terminal.data)
    done = run(env, "services")
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert "x unhealthy" in done.stdout


def strip(data: bytes) -> bytes:
    """What remains without control sequences."""
    import re

    return re.sub(rb"\x1b\[[0-?]*[ -/]*[@-~]", b"", data)


def test_a_dumb_terminal_is_told_what_works_instead(tmp_path: Path) -> None:
    with Pty(screen_command("--demo"), 80, 24, environment(None, tmp_path, TERM="dumb")) as terminal:
        assert terminal.wait() == 2
        assert b'a terminal of type "dumb" cannot show the screen. Try: mlops-console status --watch' in terminal.data
        assert b"\x1b" not in terminal.data


def test_no_terminal_at_all(tmp_path: Path) -> None:
    done = run(environment(None, tmp_path), "--demo")
    assert done.returncode == 2
    assert done.stderr == "mlops-console: the screen needs a terminal. Without one: mlops-console status [--json]\n"


def test_no_color_keeps_the_terminals_own_colours(tmp_path: Path) -> None:
    with Pty(screen_command("--demo"), 80, 24, environment(None, tmp_path, NO_COLOR="1")) as terminal:
        terminal.wait_for(b"portainer")
        terminal.write(b"q")
        assert terminal.wait() == 0
        assert b"38;" not in terminal.data
        assert b"48;" not in terminal.data


def test_wrong_settings_are_a_sentence_and_no_screen(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("[docker]\ntiemout = 3\n")
    with Pty(screen_command("--config", str(config)), 100, 24, environment(None, tmp_path)) as terminal:
        assert terminal.wait() == 2
        assert b"line 2: there is no setting docker.tiemout. Did you mean docker.timeout?" in terminal.data
        assert b"\x1b[?1049h" not in terminal.data


def test_an_address_that_makes_no_sense_is_a_sentence_and_no_screen(tmp_path: Path) -> None:
    env = environment(None, tmp_path, DOCKER_HOST="train-01:2375")
    with Pty(screen_command(), 100, 24, env) as terminal:
        assert terminal.wait() == 2
        assert b"docker.host 'train-01:2375' is not understood: it begins with unix://, tcp:// or ssh://." in terminal.data
    done = run(env, "status")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not understood" in done.stderr


def test_watching_ends_with_ctrl_c_and_with_a_closed_pipe(tmp_path: Path) -> None:
    env = environment(None, tmp_path)
    with Pty(screen_command("status", "--watch", "--demo"), 80, 24, env) as terminal:
        terminal.wait_for(b"portainer")
        terminal.write(b"\x03")
        assert terminal.wait() == 130
    command = " ".join([*PROGRAM, "containers", "--demo", "|", "head", "-n", "1"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}; echo status $?"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("CONTAINER")
    assert done.stdout.endswith("status 0\n")


def test_watching_with_json_is_one_object_a_line(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "services", "--watch", "--json", "--demo"],
        env=environment(None, tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["kind"] == "services"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    finally:
        process.kill()
        process.communicate()


HOSTILE = "[@click=app.quit]x[/]\x1b]52;c;aGFja2Vk\x07\x1b]0;owned\x07\x1b[2J\x1b[6n\u202e\u009b31m\x1bP+q\x1b\\"


def planted(engine: Engine, label: str, probe: str) -> list[str]:
    """Start containers whose label, environment and probe output hold this text; their names."""
    names = []
    for number, what in enumerate(("label", "probe")):
        name = f"plant-{what}-{os.getpid()}-{len(label)}-{number}"
        engine.api(
            "POST",
            f"/containers/create?name={name}",
            {
                "Image": BUSYBOX,
                "Cmd": ["sleep", "1000"],
                "Labels": {"note": label, label: "x", "com.docker.compose.project": "p", "com.docker.compose.service": label},
                "Env": [f"EVIL={label}"],
                "Healthcheck": {"Test": ["CMD", "printf", "%b", probe], "Interval": 1_000_000_000, "Retries": 1},
                "HostConfig": {"NetworkMode": "none"},
            },
        )
        engine.api("POST", f"/containers/{name}/start")
        names.append(name)
    return names


def press(terminal: Pty, keys: bytes, wanted: bytes) -> None:
    """Press keys and wait until something new, with these words in it, was written."""
    before = len(terminal.data)
    terminal.write(keys)
    until_sync(lambda: len(terminal.data) > before and wanted in terminal.data[before:], repr(wanted))


def tour(engine: Engine, home: Path, *, gate: bool = True) -> set[str]:
    """The kinds of control sequences that a look at everything writes to the terminal."""
    env = environment(engine, home)
    command = list(screen_command())
    if not gate:
        env["PYTHONPATH"] = f"{home}:{env['PYTHONPATH']}"
        (home / "sitecustomize.py").write_text(GATE_OFF)
    with Pty(command, 120, 40, env) as terminal:
        terminal.wait_for(b"plant" if gate else b"1 Services")
        for keys, wanted in ((b"z", b""), (b"z", b""), (b"\r", "›".encode()), (b"v", b"")):
            press(terminal, keys, wanted)
        # They may be on the screen already, and what stands there is not written again.
        terminal.write(b"G")
        # What its probe says each second comes first, and grows.
        until_sync(lambda: b"EVIL" in terminal.data and b"Labels" in terminal.data, "the values and the labels")
        terminal.write(b"Q")
        terminal.wait()
        return controls.control_kinds(terminal.data)


# Both nets are taken away, as if they had never been written.
GATE_OFF = """
import console.text.gate as gate
def through(raw, *, lines=False, limit=4096):
    return gate.Clean(raw if isinstance(raw, str) else str(raw))
gate.clean = through
import console.text
console.text.clean = through
import console.ui.net as net
net.SafetyNet.apply = lambda self, segments, background: segments
"""


def test_hostile_and_harmless_worlds_look_alike_to_the_terminal(own_engine: Engine, tmp_path: Path) -> None:
    def kinds(text: str, name: str, *, gate: bool = True) -> set[str]:
        home = tmp_path / name
        home.mkdir()
        names = planted(own_engine, text, text.replace("\x1b", "\\033").replace("\x07", "\\007"))
        try:
            return tour(own_engine, home, gate=gate)
        finally:
            own_engine.docker("rm", "-f", *names)

    harmless = kinds("x" * len(HOSTILE), "harmless")
    assert "CSI m" in harmless
    assert kinds(HOSTILE, "hostile") == harmless
    assert kinds(HOSTILE, "open", gate=False) > harmless, "without the gate the same look must write more kinds"


@pytest.mark.usefixtures("tmux")
def test_the_tour_comes_to_a_newcomer_once(tmp_path: Path) -> None:
    env = environment(None, tmp_path, MLOPS_TOUR="true")
    with Tmux(screen_command("--demo"), 80, 24, env) as terminal:
        screen = terminal.wait_for(lambda text: "TOUR   1 of 5" in text and "portainer" in text and "1 Runs" in text)
        assert screen.rstrip().endswith("q quit")
        terminal.keys("j")
        terminal.wait_for("✓ j k move in Runs")
        terminal.keys("Escape")
        terminal.wait_for(":tour shows it again")
        terminal.keys("Q")
        assert terminal.wait() == 0
    with Tmux(screen_command("--demo"), 80, 24, env) as terminal:
        terminal.wait_for(lambda text: " DEMO " in text and "portainer" in text)
        # What the folder says has been asked by the time a second picture is painted after keys.
        terminal.keys("?")
        terminal.wait_for("next pane")
        terminal.keys("Escape")
        assert "TOUR" not in terminal.wait_for(lambda text: "next pane" not in text and "1 Runs" in text)
        terminal.keys(":")
        terminal.type("tour")
        terminal.keys("Enter")
        terminal.wait_for("TOUR   1 of 5")
        terminal.keys("Q")
        assert terminal.wait() == 0
