"""The console on another machine: `ssh -tt` into it, and `--host`, through a real sshd and the system's ssh."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.console.real.program import PROGRAM, ROOT, environment, run
from tests.console.real.test_crash import left_as_it_was, modes
from tests.console.real.test_leaving import BOUND, is_gone
from tests.support import sshd
from tests.support.sshd import Sshd
from tests.support.terminal import Pty, Tmux
from tests.support.waiting import until_sync

pytestmark = pytest.mark.skipif(not sshd.can_run(), reason=sshd.NO_SSHD)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Sshd]:
    """A server with the console on its PATH, which also writes down the words that it was started with."""
    program = tmp_path / "there" / "bin" / "mlops-console"
    program.parent.mkdir(parents=True)
    home = tmp_path / "there"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"os.environ.update(HOME={str(home)!r}, PYTHONPATH={str(ROOT)!r}, LANG='C.UTF-8', WHERE='there', MLOPS_TOUR='false')\n"
        f"open({str(home / 'words')!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
        f"os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'console.main', *sys.argv[1:]])\n"
    )
    program.chmod(0o755)
    with sshd.running({"PATH": f"{program.parent}:/usr/bin:/bin"}) as server:
        yield server


def here(server: Sshd, home: Path, **more: str) -> dict[str, str]:
    """The environment of a person who can reach the server by its name `train-01`."""
    env = environment(None, home, **more)
    env["PATH"] = f"{server.client(home)}:{env['PATH']}"
    return env


def words_there(home: Path) -> list[str]:
    found: list[str] = json.loads((home / "there" / "words").read_text())
    return found


@pytest.mark.usefixtures("tmux")
def test_ssh_tt_opens_the_console_takes_keys_and_leaves(there: Sshd, tmp_path: Path) -> None:
    folder = there.client(tmp_path)
    command = [str(folder / "ssh"), "-tt", "train-01", "mlops-console", "--demo"]
    with Tmux(command, 80, 24, environment(None, tmp_path)) as terminal:
        terminal.wait_for(lambda text: " DEMO " in text and "3 Services" in text)
        terminal.keys("3")
        terminal.wait_for("▐portainer")
        terminal.keys("Enter")
        terminal.wait_for("› portainer")
        terminal.resize(100, 30)
        terminal.wait_for(lambda text: "quit" in text.split("\n")[29])
        terminal.keys("Escape")
        terminal.wait_for("3 Services")
        # From another pane it would go back to the first one.
        terminal.keys("1", "q")
        assert terminal.wait() == 0


@pytest.mark.usefixtures("tmux")
def test_host_opens_the_screen_there(there: Sshd, tmp_path: Path) -> None:
    with Tmux([*PROGRAM, "--host", "train-01", "--demo"], 80, 24, here(there, tmp_path)) as terminal:
        terminal.wait_for(lambda text: " DEMO " in text and "portainer" in text)
        terminal.keys("C-c")
        terminal.wait_for("Press ctrl+c again to quit")
        terminal.keys("C-c")
        assert terminal.wait() == 130, "the exit status comes back"
    assert words_there(tmp_path) == ["--demo"]


ODD = ["logs", "a b", "it's", '"two"', "$HOME", "`id`", "a;b", "*", "\\", "--grep", "x|y & z", ""]


def test_words_arrive_as_they_were_given(there: Sshd, tmp_path: Path) -> None:
    run(here(there, tmp_path), "--host", "train-01", "--read-only", *ODD)
    assert words_there(tmp_path) == ["--read-only", *ODD]


def test_answers_and_statuses_come_back_without_a_terminal(there: Sshd, tmp_path: Path) -> None:
    env = here(there, tmp_path)
    done = run(env, "--host", "train-01", "status", "--json", "--demo")
    assert json.loads(done.stdout)["kind"] == "status"
    assert "\r" not in done.stdout
    assert done.returncode == run(env, "status", "--json", "--demo").returncode == 1
    done = run(env, "--host", "train-01", "nonsense")
    assert done.returncode == 2
    assert "there is no command nonsense" in done.stderr


def test_an_unknown_server_is_sshs_own_question_and_never_answered(there: Sshd, tmp_path: Path) -> None:
    env = here(there, tmp_path)
    there.client(tmp_path, known=False)
    done = run(env, "--host", "train-01", "--demo", "status")
    assert done.returncode == 255
    assert "Host key verification failed." in done.stderr
    assert not (tmp_path / "there" / "words").exists()
    with Pty([*PROGRAM, "--host", "train-01", "--demo"], 80, 24, env) as terminal:
        terminal.wait_for(b"Are you sure you want to continue connecting")
        terminal.write(b"no\r")
        assert terminal.wait() == 255


def test_a_server_with_another_key_is_refused(there: Sshd, tmp_path: Path) -> None:
    env = here(there, tmp_path)
    there.new_host_key()
    done = run(env, "--host", "train-01", "--demo", "status")
    assert done.returncode == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in done.stderr
    assert not (tmp_path / "there" / "words").exists()


def test_the_configuration_of_ssh_counts_and_so_does_its_agent(there: Sshd, tmp_path: Path) -> None:
    mark = tmp_path / "proxied"
    proxy = f" ProxyCommand sh -c 'touch {mark}; exec busybox nc 127.0.0.1 {there.port}'"
    env = environment(None, tmp_path)
    env["PATH"] = f"{there.client(tmp_path, key=False, more=proxy)}:{env['PATH']}"
    # The server is refused without a key of one's own ...
    assert run(env, "--host", "train-01", "--demo", "status").returncode == 255
    assert mark.exists()
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        until_sync(socket.exists, "the agent to listen")
        env["SSH_AUTH_SOCK"] = str(socket)
        subprocess.run(["ssh-add", "-q", str(there.folder / "user")], env=env, check=True, timeout=30)
        # ... and lets in who has it in his agent.
        assert run(env, "--host", "train-01", "--demo", "status").returncode == 1
    finally:
        agent.terminate()
        agent.wait(timeout=20)


def test_a_server_without_the_console_says_what_to_do(there: Sshd, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "there" / "bin")
    done = run(here(there, tmp_path), "--host", "train-01", "status")
    assert done.returncode == 127
    *_, first, second = done.stderr.splitlines()
    assert first == (
        "mlops-console: mlops-console is not installed on train-01, or not on the PATH of a shell that nobody has logged in to."
    )
    assert (
        second == "See what that is: ssh train-01 'echo $PATH'. A link to the program in /usr/local/bin helps everybody there."
    )


@pytest.mark.parametrize("host", ["-oProxyCommand=touch owned", "-Fx", "a b", "a\nb", "a\x1b[31m"])
def test_what_is_no_host_is_refused(tmp_path: Path, host: str) -> None:
    done = run(environment(None, tmp_path), "--host", host, "status")
    assert done.returncode == 2
    assert "is no host name" in done.stderr
    assert "\x1b" not in done.stderr
    assert not (tmp_path / "owned").exists()


def test_a_connection_that_dies_leaves_nothing_there(there: Sshd, tmp_path: Path) -> None:
    with Pty([*PROGRAM, "--host", "train-01", "--demo"], 80, 24, here(there, tmp_path)) as terminal:
        before = modes(terminal)
        terminal.wait_for(b"portainer")
        mark = f"{tmp_path}/there".encode()
        consoles = [one.pid for one in psutil.process_iter() if _has_home(one.pid, mark)]
        assert consoles
        there.cut()
        assert terminal.wait(BOUND) == 255
        for pid in consoles:
            until_sync(lambda pid=pid: is_gone(pid), "the console there to end", BOUND)  # type: ignore[misc]
        assert modes(terminal) == before


def test_closing_the_terminal_here_ends_the_console_there(there: Sshd, tmp_path: Path) -> None:
    with Pty([*PROGRAM, "--host", "train-01", "--demo"], 80, 24, here(there, tmp_path)) as terminal:
        terminal.wait_for(b"portainer")
        mark = f"{tmp_path}/there".encode()
        consoles = [one.pid for one in psutil.process_iter() if _has_home(one.pid, mark)]
        terminal.hang_up()
        for pid in (terminal.pid, *consoles):
            until_sync(lambda pid=pid: is_gone(pid), "both consoles to end", BOUND)  # type: ignore[misc]


def _has_home(pid: int, home: bytes) -> bool:
    try:
        return b"HOME=" + home in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def test_a_signal_reaches_the_console_there(there: Sshd, tmp_path: Path) -> None:
    with Pty([*PROGRAM, "--host", "train-01", "--demo"], 80, 24, here(there, tmp_path)) as terminal:
        before = modes(terminal)
        terminal.wait_for(b"portainer")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait(BOUND) != 0
        assert modes(terminal) == before


@pytest.mark.usefixtures("tmux")
def test_sshs_own_ctrl_z_stops_both_and_fg_goes_on(there: Sshd, tmp_path: Path) -> None:
    with Tmux(["bash", "--norc"], 80, 24, here(there, tmp_path)) as terminal:
        terminal.type(" ".join([*PROGRAM, "--host", "train-01", "--demo"]))
        terminal.keys("Enter")
        terminal.wait_for("portainer")
        # ssh takes its escape only after a line end.
        terminal.keys("Enter", "~", "C-z")
        terminal.wait_for("Stopped")
        terminal.type("clear; fg")
        terminal.keys("Enter")
        terminal.wait_for(lambda text: "fg" not in text)
        terminal.keys("C-l")
        terminal.wait_for("DEMO")
        terminal.keys("Q")
        terminal.wait_for(lambda text: "DEMO" not in text)


def test_the_mouse_and_the_keyboard_are_given_back_over_ssh(there: Sshd, tmp_path: Path) -> None:
    with Pty([*PROGRAM, "--host", "train-01", "--demo"], 80, 24, here(there, tmp_path)) as terminal:
        terminal.wait_for(b"portainer")
        terminal.write(b"Q")
        assert terminal.wait() == 0
        left_as_it_was(terminal.data)
