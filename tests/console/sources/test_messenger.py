"""Ways out: a real server on this machine, real programs, and what each refuses."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from console.sources.messenger import Command, MessageError, Webhook, address_of
from tests.support.waiting import until

MESSAGE = {"id": "1f0c", "event": "failed", "words": "project-a #12 failed"}


class Server:
    """Takes posts; `answers` are the statuses of the next ones, the last of them stays."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], Any]] = []
        self.answers = [204]
        self.held = threading.Event()
        self.held.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                outer.came.append(({key.lower(): value for key, value in self.headers.items()}, json.loads(raw)))
                outer.held.wait(30)
                status = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                if status == 302:
                    self.send_header("location", f"{outer.url}elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/hook/s3cret/"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.held.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def webhook(url: str, secret: Path | None = None, timeout: float = 20.0) -> Webhook:
    return Webhook(address_of(url), header="X-Token", secret_file=secret, timeout=timeout)


async def refused(way: Webhook | Command) -> MessageError:
    try:
        with pytest.raises(MessageError) as caught:
            await way.send(MESSAGE, {"MLOPS_EVENT": "failed"})
    finally:
        await way.aclose()
    return caught.value


async def test_a_message_is_posted_with_the_secret_and_its_id(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("Bearer abc\n")
    secret.chmod(0o600)
    way = webhook(server.url, secret)
    await way.send(MESSAGE, {})
    secret.write_text("Bearer new\n")
    await way.send(MESSAGE, {})
    await way.aclose()
    (headers, body), (again, _) = server.came
    assert body == MESSAGE
    assert (headers["x-token"], headers["idempotency-key"], headers["content-type"]) == (
        "Bearer abc",
        "1f0c",
        "application/json",
    )
    assert again["x-token"] == "Bearer new", "it is read each time"


@pytest.mark.parametrize(
    ("status", "again", "words"),
    [
        (302, False, "redirects (302), which is not followed"),
        (404, False, "answered 404"),
        (429, True, "answered 429"),
        (500, True, "answered 500"),
        (503, True, "answered 503"),
    ],
)
async def test_what_is_not_taken_is_told(server: Server, status: int, again: bool, words: str) -> None:
    server.answers = [status]
    error = await refused(webhook(server.url))
    assert words in error.reason
    assert error.again is again
    assert len(server.came) == 1, "no redirect is followed"
    assert "s3cret" not in error.reason, "a path may be what lets one in"


async def test_a_server_that_does_not_answer_is_not_waited_for(server: Server) -> None:
    server.held.clear()
    error = await refused(webhook(server.url, timeout=0.2))
    assert "did not answer within 0.2s" in error.reason
    assert error.again


async def test_nobody_there_is_told_without_the_path(server: Server) -> None:
    url = server.url
    server.close()
    error = await refused(webhook(url))
    assert "cannot be reached" in error.reason
    assert "s3cret" not in error.reason
    assert error.again


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.org/x", "in the clear"),
        ("http://127.0.0.1.example.org/x", "in the clear"),
        ("http://10.0.0.1/x", "in the clear"),
        ("ftp://127.0.0.1/x", "wants an address"),
        ("https://", "wants an address"),
        ("https://user:pass@hooks.example.org/x", "holds a user"),
        ("https://hooks.example.org/x\r\nHost: y", "wants an address"),
        ("https://hooks.example.org:x/", "is no address"),
    ],
)
def test_where_nothing_is_posted_to(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        address_of(url)


@pytest.mark.parametrize(
    "url", ["https://hooks.example.org/x", "http://localhost:9/x", "http://127.9.9.9/", "http://[::1]:80/"]
)
def test_where_something_is(url: str) -> None:
    assert address_of(url).url == url


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("abc")
    secret.chmod(0o644)
    with pytest.raises(OSError, match="open to others"):
        webhook("http://127.0.0.1:9/", secret)
    with pytest.raises(ValueError, match="no name of a header"):
        Webhook(address_of("http://127.0.0.1:9/"), header="X: y", secret_file=None, timeout=1)


# Commands


def program(folder: Path, text: str) -> str:
    made = folder / "tell"
    made.write_text(f"#!{sys.executable}\n{text}")
    made.chmod(0o755)
    return str(made)


def command(words: list[str], timeout: float = 30.0) -> Command:
    return Command(words, env={"PATH": os.environ["PATH"], "HOME": "/", "MLOPS_JENKINS_TOKEN": "hush"}, timeout=timeout)


async def test_a_program_gets_the_message_and_nothing_that_is_ours(tmp_path: Path) -> None:
    text = (
        "import json, os, sys\n"
        f"json.dump([sys.argv[1:], dict(os.environ), json.load(sys.stdin)], open({str(tmp_path / 'got')!r}, 'w'))"
    )
    way = command([program(tmp_path, text), "; touch /tmp/x", "$HOME"])
    await way.send(MESSAGE, {"MLOPS_EVENT": "failed"})
    await way.aclose()
    words, environment, message = json.loads((tmp_path / "got").read_text())
    assert words == ["; touch /tmp/x", "$HOME"]
    assert message == MESSAGE
    assert environment["MLOPS_EVENT"] == "failed"
    assert "MLOPS_JENKINS_TOKEN" not in environment


async def test_one_that_fails_is_quoted(tmp_path: Path) -> None:
    error = await refused(command([program(tmp_path, "import sys; sys.exit('no such room')")]))
    assert "ended with 1: no such room" in error.reason
    assert not error.again


async def test_one_that_is_not_there_is_told() -> None:
    error = await refused(command(["/no/such/program"]))
    assert "cannot be started: No such file" in error.reason


async def test_one_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    text = (
        "import os, subprocess, time\n"
        f"child = subprocess.Popen(['sleep', '600']); open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)"
    )
    way = command([program(tmp_path, text)], timeout=5.0)
    error = await refused(way)
    assert "was killed" in error.reason
    for pid in map(int, pids.read_text().split()):
        await until(lambda pid=pid: not alive(pid), f"{pid} to be gone")  # type: ignore[misc]


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def test_one_that_says_too_much_is_not_listened_to_for_ever(tmp_path: Path) -> None:
    text = "import sys\nfor _ in range(300): sys.stderr.write('x' * 10000)\nsys.exit(2)"
    error = await refused(command([program(tmp_path, text)]))
    assert "ended with 2" in error.reason
    assert len(error.reason) < 400


def test_what_is_no_program() -> None:
    for words in (["tell"], [], ["/bin/a\0b"]):
        with pytest.raises(ValueError, match=r"notify\.command"):
            command(words)


async def test_letting_go_of_a_program_that_runs_ends_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    text = f"import os, time\nopen({str(pids)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    way = command([program(tmp_path, text)])
    task = asyncio.create_task(way.send(MESSAGE, {}))
    await until(lambda: pids.exists() and pids.read_text())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await way.aclose()
    pid = int(pids.read_text())
    await until(lambda: not alive(pid))
