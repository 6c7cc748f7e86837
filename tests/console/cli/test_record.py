"""`record`: what it refuses, and how it lives as a service: a real process, a real history, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.cli.record import LONGEST_INTERVAL
from console.demo import demo_sources
from console.history import HistoryError, Reader, Writer
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.fakes import FakeCompose, FakeEngine
from tests.support import scratch
from tests.support.waiting import until_sync

OUT_OF_THE_WAY = {"DOCKER_HOST": "unix:///no/such/socket", "LANG": "C.UTF-8"}


def backend(tmp_path: Path, settings: str = "") -> FakeBackend:
    config = tmp_path / "config.toml"
    config.write_text(f'[history]\npath = "{tmp_path}/h/history.db"\n{settings}')
    return FakeBackend(FakeEngine(), FakeCompose(None), tmp_path, config=config)


def test_the_demo_is_not_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = FakeBackend(*demo_sources(), tmp_path, demo=True)  # type: ignore[arg-type]  # the demo's own sources
    assert call(made, "record") == 2
    assert "the demo is not recorded: nothing of it is real" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (("--json",), "", "no answer that --json could print"),
        (("--once", "--test-notification"), "", "take one"),
        (("--once", "--notices"), "", "--notices only lists"),
        ((), f"interval = {LONGEST_INTERVAL + 1}", "history.interval is at most 30"),
        ((), 'run_folders = ["runs"]', "wants absolute paths, found runs"),
        ((), '[notify]\nevents = ["failed"]', "nobody to be told"),
        ((), '[notify]\nevents = ["often"]', "wants a list of: ended, failed, unhealthy"),
        ((), '[notify]\nwebhook = "http://hooks.example.org/"', "in the clear"),
        ((), '[notify]\ncommand = ["tell"]', "absolute path"),
        ((), '[notify]\nwebhook = "https://h.example.org/"\nsecret_file = "/no/such"', "cannot be read"),
        (("--test-notification",), "", "nobody to be told"),
    ],
)
def test_what_makes_no_sense(
    words: tuple[str, ...], settings: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(backend(tmp_path, settings), "record", *words) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("key", ["history.path", "history.run_folders", "notify.command", "notify.webhook", "notify.events"])
def test_a_clone_says_nothing_of_it(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, _, name = key.partition(".")
    value = '["/bin/sh"]' if name in ("command", "run_folders", "events") else '"/tmp/x"'
    (tmp_path / ".mlops-console.toml").write_text(f"[{table}]\n{name} = {value}\n")
    assert call(backend(tmp_path), "record", "--once") == 2
    assert f"{key} cannot be set by a repository" in capsys.readouterr().err


def noted(tmp_path: Path, *arrived: bool) -> FakeBackend:
    """A server whose recorder has sent these, the last one a minute ago."""
    made = backend(tmp_path)
    made.history = tmp_path / "h" / "history.db"
    made.history.parent.mkdir()
    writer = Writer(made.history)
    begun = datetime.now(UTC) - timedelta(minutes=len(arrived))
    told = [
        {
            "at": (begun + timedelta(minutes=at)).isoformat(timespec="seconds"),
            "id": f"id-{at}",
            "event": "failed",
            "words": f"project-a #{at} failed",
            "way": "webhook https://hooks.example.org",
            "arrived": well,
            "why": None if well else "https://hooks.example.org answered 410.",
        }
        for at, well in enumerate(arrived)
    ]
    writer.note("notices", json.dumps(told))
    writer.close()
    return made


def test_notices_are_listed_and_those_that_did_not_arrive_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = noted(tmp_path, True, False)
    assert call(made, "record", "--notices") == 1
    out, err = capsys.readouterr()
    head, newest, oldest = out.splitlines()
    assert head.split()[:4] == ["TIME", "EVENT", "ARRIVED", "WAY"]
    assert "project-a #1 failed: https://hooks.example.org answered 410." in newest
    assert "no" in newest.split()
    assert "yes" in oldest.split()
    assert err == "mlops-console: 1 of 2 notices did not arrive: https://hooks.example.org answered 410\n"
    status, document = answer(made, capsys, "record", "--notices")
    assert status == 1
    assert [(one["id"], one["arrived"]) for one in document["items"]] == [("id-1", False), ("id-0", True)]
    assert document["sources"]["history"]["state"] == "ok"


def test_a_way_that_works_again_is_no_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(noted(tmp_path, False, True), "record", "--notices") == 0
    assert capsys.readouterr().err == ""


def test_where_nobody_was_told_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = noted(tmp_path)
    assert call(made, "record", "--notices") == 0
    assert "Nobody was told anything yet." in capsys.readouterr().out
    made.history = tmp_path / "none.db"
    status, document = answer(made, capsys, "record", "--notices")
    assert (status, document["items"], document["sources"]["history"]["state"]) == (0, [], "off")
    assert call(made, "record", "--notices") == 0
    assert "No history yet." in capsys.readouterr().err
    made.history.write_bytes(b"no history at all, and long enough to look like something")
    status, document = answer(made, capsys, "record", "--notices")
    assert (status, document["items"]) == (3, [])
    demo = FakeBackend(*demo_sources(), tmp_path, demo=True)  # type: ignore[arg-type]  # the demo's own sources
    assert call(demo, "record", "--notices") == 0


def test_once_records_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend(tmp_path), "record", "--once") == 0
    assert "history: recording in" in capsys.readouterr().err
    reader = Reader(tmp_path / "h" / "history.db")
    assert reader.runs().runs == ()
    reader.close()


def test_a_history_that_cannot_be_written_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "history.db").write_text("dear diary")
    assert call(backend(tmp_path), "record", "--once") == 3
    assert "is no database" in capsys.readouterr().err
    assert (tmp_path / "h" / "history.db").read_text() == "dear diary"


def test_a_test_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    got = tmp_path / "got"
    script = tmp_path / "tell"
    script.write_text(f'#!/bin/sh\ncat >{got}\necho "$MLOPS_EVENT $MLOPS_PROJECT" >>{got}\n')
    script.chmod(0o755)
    settings = f'[notify]\ncommand = ["{script}"]'
    assert call(backend(tmp_path, settings), "record", "--test-notification") == 0
    message, variables = got.read_text().splitlines()
    assert (json.loads(message)["event"], variables) == ("test", "test test")
    assert "command tell has taken it" in capsys.readouterr().err
    script.write_text("#!/bin/sh\nexit 3\n")
    assert call(backend(tmp_path, settings), "record", "--test-notification") == 1
    assert "ended with 3" in capsys.readouterr().err


# As a service


@contextmanager
def service(folder: Path, notify: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    env = {**OUT_OF_THE_WAY, "HOME": str(folder), "PATH": os.environ["PATH"], "MLOPS_HISTORY": str(folder / "history.db")}
    if notify is not None:
        env["NOTIFY_SOCKET"] = str(notify)
    (folder / "config.toml").write_text("[history]\ninterval = 0.05\n")
    command = [sys.executable, "-m", "console.main", "--config", str(folder / "config.toml"), "record"]
    with (folder / "err").open("a") as err, subprocess.Popen(command, env=env, stderr=err, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def err(folder: Path) -> str:
    return (folder / "err").read_text()


def test_it_tells_systemd_and_ends_in_order(tmp_path: Path) -> None:
    with scratch.folder("n") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(folder / "s"))
        sock.settimeout(60)
        with service(tmp_path, folder / "s") as process:
            assert sock.recv(1000) == b"READY=1"
            assert sock.recv(1000).startswith(b"WATCHDOG=1\nSTATUS=recording 0 runs in ")
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            while (last := sock.recv(1000)) != b"STOPPING=1":
                assert last.startswith(b"WATCHDOG=1")
    assert "ended in order" in err(tmp_path)
    assert "Docker is not there" in err(tmp_path)
    assert not (tmp_path / "history.db-wal").exists()


def test_ctrl_c_is_130(tmp_path: Path) -> None:
    with service(tmp_path) as process:
        until_sync(lambda: "recording in" in err(tmp_path), deadline=60)
        until_sync(lambda: "Docker is not there" in err(tmp_path), deadline=60)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert "Traceback" not in err(tmp_path)


def test_killed_it_leaves_nothing_in_the_way_of_the_next_one(tmp_path: Path) -> None:
    with service(tmp_path) as process:
        until_sync(lambda: "Docker is not there" in err(tmp_path), deadline=60)
        second = subprocess.run(
            [sys.executable, "-m", "console.main", "record", "--once"],
            env={**OUT_OF_THE_WAY, "HOME": str(tmp_path), "MLOPS_HISTORY": str(tmp_path / "history.db")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 3
        assert f"is recorded by process {process.pid} on" in second.stderr
        process.kill()
        process.wait(60)
    with service(tmp_path) as process:
        until_sync(lambda: err(tmp_path).count("recording in") == 2, deadline=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    reader = Reader(tmp_path / "history.db")
    try:
        assert reader.runs().runs == ()
    except HistoryError as error:
        pytest.fail(str(error))
    finally:
        reader.close()


def test_no_screen_is_loaded_for_it() -> None:
    code = (
        "import sys; from console.main import main; main(['record', '--once']);"
        "print([one for one in ('textual', 'docker', 'jenkins', 'requests', 'PIL') if one in sys.modules])"
    )
    with scratch.folder("r") as folder:
        env = {**OUT_OF_THE_WAY, "HOME": str(folder), "MLOPS_HISTORY": str(folder / "history.db")}
        found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.strip() == "[]"
