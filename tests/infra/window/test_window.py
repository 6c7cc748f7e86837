"""The window that viewers have on the Engine: what it shows, and that nothing can be done through it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.window.window import Refused, question
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.waiting import until_sync

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "infra" / "window" / "window.py"


class Seen:
    """A window on a real Engine. `environment` lets docker and the console look through it."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.path = folder / "window.sock"
        self.engine = engine
        self.log = folder / "log"
        self.environment = {**engine.environment, "DOCKER_HOST": f"unix://{self.path}"}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen([sys.executable, "-IS", PROGRAM, self.path, engine.socket], stderr=output)
        until_sync(self._answers, "the window to open")

    def docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", *words], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    def send(self, *, raw: bytes) -> bytes:
        """All that comes back for these bytes."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(self.path))
            connection.sendall(raw)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def _answers(self) -> bool:
        try:
            return self.send(raw=b"GET /_ping HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200")
        except OSError:
            return False


@pytest.fixture
def seen(tmp_path: Path, engine: Engine) -> Iterator[Seen]:
    made = Seen(tmp_path, engine)
    yield made
    made.process.terminate()
    made.process.wait()


@pytest.fixture
def container(engine: Engine) -> Iterator[str]:
    name = "seen-1"
    command = ("sh", "-c", "echo one; echo two >&2; exec sleep 1000")
    engine.docker("run", "--detach", "--network=none", f"--name={name}", "--stop-timeout=0", BUSYBOX, *command)
    until_sync(lambda: "one" in engine.docker("logs", name), "its first line")
    yield name
    engine.docker("rm", "--force", name)


def test_docker_shows_through_it_what_there_is(seen: Seen, container: str) -> None:
    assert container in seen.docker("ps", "--format={{.Names}}").stdout.split()
    logs = seen.docker("logs", container)
    assert (logs.stdout, logs.stderr) == ("one\n", "two\n")
    assert json.loads(seen.docker("inspect", container).stdout)[0]["Name"] == f"/{container}"
    assert BUSYBOX in seen.docker("images", "--format={{.Repository}}:{{.Tag}}").stdout.split()
    for words in (
        *(("version",), ("info",), ("volume", "ls"), ("system", "df"), ("image", "inspect", BUSYBOX)),
        *(("stats", "--no-stream", container), ("image", "history", BUSYBOX), ("events", "--since=1m", "--until=0s")),
    ):
        assert seen.docker(*words).returncode == 0, words


@pytest.mark.parametrize(
    "words",
    [
        *(("stop", "seen-1"), ("kill", "seen-1"), ("rm", "--force", "seen-1"), ("restart", "seen-1"), ("pause", "seen-1")),
        *(("exec", "seen-1", "true"), ("attach", "--no-stdin", "seen-1"), ("cp", "seen-1:/etc/passwd", "-")),
        *(("export", "seen-1"), ("top", "seen-1"), ("diff", "seen-1"), ("commit", "seen-1")),
        *(("run", "--rm", BUSYBOX, "true"), ("create", BUSYBOX), ("rmi", BUSYBOX), ("tag", BUSYBOX, "x"), ("save", BUSYBOX)),
        *(("volume", "create", "x"), ("network", "create", "x"), ("system", "prune", "--force"), ("container", "prune", "-f")),
        *(("update", "--memory=100m", "seen-1"), ("rename", "seen-1", "x"), ("swarm", "init"), ("load", "--input=/dev/null")),
    ],
    ids=lambda words: "-".join(words[:2]).replace("/", "_"),
)
def test_nothing_can_be_done_through_it(seen: Seen, container: str, words: tuple[str, ...]) -> None:
    def state() -> tuple[object, ...]:
        about = seen.engine.inspect(container)
        listed = (seen.engine.docker("images", "--quiet", "--all"), seen.engine.docker("ps", "--all", "--quiet"))
        return about["State"]["StartedAt"], about["State"]["Status"], about["Name"], about["HostConfig"]["Memory"], listed

    before = state()
    done = seen.docker(*words)
    assert done.returncode != 0
    # docker itself says no more of attach than the status, and has nothing to load.
    assert "window for looking" in done.stderr or words[0] in {"attach", "load"}, done.stderr
    assert state() == before


REFUSED = [
    *(b"POST /containers/a/stop HTTP/1.1", b"DELETE /containers/a HTTP/1.1", b"PUT /containers/a/archive HTTP/1.1"),
    *(b"GET /containers/a/archive?path=/ HTTP/1.1", b"GET /containers/a/attach/ws?stdin=1 HTTP/1.1"),
    *(b"GET /containers/a/export HTTP/1.1", b"GET /images/a/get HTTP/1.1", b"GET /images/get?names=a HTTP/1.1"),
    *(b"GET /containers/../images/a/get HTTP/1.1", b"GET /images/a/../../containers/b/export/json HTTP/1.1"),
    *(b"GET /containers/a%2farchive/json HTTP/1.1", b"GET //containers/a/archive HTTP/1.1", b"GET /v1.41/exec/a/json HTTP/1.1"),
    *(
        b"GET http://docker/info HTTP/1.1",
        b"GET /info HTTP/2.0",
        b"get /info HTTP/1.1",
        b"GET /info",
        b"",
        b"GET\t/info HTTP/1.1",
    ),
    *(b"GET /info HTTP/1.1\r\nUpgrade: h2c", b"GET /info HTTP/1.1\r\nTransfer-Encoding: chunked"),
    *(b"GET /info HTTP/1.1\r\ncontent-length : 4", b"GET /secrets HTTP/1.1", b"GET /containers/a/top?ps_args=e HTTP/1.1"),
]


@pytest.mark.parametrize("head", REFUSED)
def test_what_is_no_plain_question_is_refused(head: bytes) -> None:
    with pytest.raises(Refused):
        question(head + b"\r\n\r\n")


def test_of_a_question_its_path_alone_is_passed_on() -> None:
    head = b"GET /v1.41/containers/json?all=1 HTTP/1.0\r\nHost: evil\r\nX: y\r\nConnection: keep-alive\r\n\r\n"
    assert question(head) == b"GET /v1.41/containers/json?all=1 HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"


def test_who_still_sends_a_body_hears_that_it_is_refused(seen: Seen) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(seen.path))
        connection.sendall(b"POST /volumes/create HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
        answered = select.poll()
        answered.register(connection, select.POLLRDHUP)
        assert answered.poll(60_000), "the whole answer"
        connection.sendall(b"{}")
        assert b"window for looking" in connection.recv(65536)


def test_a_second_request_in_the_same_bytes_reaches_nobody(seen: Seen, container: str) -> None:
    stop = f"POST /containers/{container}/kill HTTP/1.1\r\nContent-Length: 0\r\n\r\n".encode()
    answer = seen.send(raw=b"GET /_ping HTTP/1.1\r\n\r\n" + stop)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 200")
    assert seen.engine.inspect(container)["State"]["Running"]


def test_who_stops_following_a_log_leaves_nothing_open(seen: Seen, container: str) -> None:
    def connections() -> int:
        """The window's open sockets: those that close while they are counted are not."""
        found = 0
        for fd in Path(f"/proc/{seen.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found += "socket" in str(fd.readlink())
        return found

    before = connections()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(seen.path))
        connection.sendall(f"GET /containers/{container}/logs?stdout=1&follow=1 HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(8) == b"HTTP/1.1"
        until_sync(lambda: connections() == before + 2, "both ends to be open")
    until_sync(lambda: connections() == before, "both ends to be closed")


def test_an_engine_that_is_away_is_said(tmp_path: Path) -> None:
    path = tmp_path / "window.sock"
    with subprocess.Popen([sys.executable, "-IS", PROGRAM, path, tmp_path / "none"]) as process:
        try:
            until_sync(path.is_socket, "the window to open")
            done = subprocess.run(["docker", f"--host=unix://{path}", "version"], capture_output=True, text=True, check=False)
            assert "The Docker Engine cannot be reached: No such file or directory." in done.stderr
        finally:
            process.terminate()


def test_who_opens_too_many_is_told_and_the_window_stays_open(seen: Seen) -> None:
    held = []
    try:
        for _ in range(64):
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].connect(str(seen.path))
            held[-1].sendall(b"GET /events HTTP/1.1\r\n\r\n")
            assert held[-1].recv(8) == b"HTTP/1.1"
        assert seen.send(raw=b"GET /_ping HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503")
    finally:
        for one in held:
            one.close()
    until_sync(seen._answers, "the window to answer again")


def test_refusals_are_in_its_log_with_who_asked(seen: Seen) -> None:
    seen.docker("volume", "create", "x")
    assert f"uid {os.geteuid()}: 403: " in seen.log.read_text()


def test_the_console_looks_through_it_and_cannot_act(seen: Seen, container: str) -> None:
    def console(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "console.main", *words]
        return subprocess.run(
            command, cwd=ROOT, env=seen.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    found = json.loads(console("containers", "--json").stdout)
    assert found["sources"]["docker"]["state"] == "ok"
    assert container in {item["name"] for item in found["items"]}
    assert console("logs", container, "--tail", "1").stdout.count("\n") == 1
    assert console("df", "--json").returncode == 0
