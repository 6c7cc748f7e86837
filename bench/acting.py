"""From a key to what it did, on the screen, as part of `make bench-jenkins`; the POST that it leads to is timed beside it."""

from __future__ import annotations

import base64
import http.client
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from bench.controller import Remote
from bench.figures import Series
from tests.support.jenkins.crowd import TOKEN, USER
from tests.support.terminal import Pty

DEAF_SECONDS = 0.5
"""A sheet takes no key at first, so that a key pressed twice does nothing: 0.3 s."""

CALM_SECONDS = 9.0
"""Until the last news of an act is gone from the screen: quiet period, start, and the time that a sentence stands."""


def acting(remote: Remote, program: str, env: Mapping[str, str], rounds: int) -> None:
    """Run builds again by `R` and `enter`. Requests of our own in between, on a connection that stays open."""
    plan = Series("R: to the plan on the screen", "ms")
    queued = Series('enter: to "queued" on the screen', "ms")
    own = Series("the POST by itself", "ms")
    direct = _Direct(remote.url)
    jobs = remote.ask("startable")["jobs"]
    with Pty([program], 80, 24, env) as terminal:
        terminal.wait_for(b"Queue")
        terminal.write(b"6")
        terminal.wait_for(b"Builds")
        time.sleep(2)
        for number, (name, path) in enumerate(jobs[:rounds]):
            # One row is left, of a job that nobody has started yet.
            terminal.write(b"/" + name.encode() + b"\r")
            time.sleep(1)
            plan.values.append(_until(terminal, b"R", b"start it"))
            time.sleep(DEAF_SECONDS)
            queued.values.append(_until(terminal, b"\r", b"queued"))
            own.values.append(direct.build(path, number))
            time.sleep(CALM_SECONDS)
            terminal.write(b"\x1b")
            time.sleep(1)
    direct.close()
    print(f"\n{'from a key to what came of it':44}{'median':>10}{'best':>10}")
    for one in (plan, queued, own):
        print(f"{one.name:44}{one.median:>7.0f} ms{one.best:>7.0f} ms")


def _until(terminal: Pty, key: bytes, words: bytes) -> float:
    """Milliseconds from a key to the byte on the terminal that completes `words`."""
    before = len(terminal.data)
    begun = time.perf_counter()
    terminal.write(key)
    terminal.wait_for(lambda data: words in data[before:])
    return (time.perf_counter() - begun) * 1000


class _Direct:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
        pair = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.connect()

    def build(self, path: str, number: int) -> float:
        """Milliseconds that one request for a build takes. Each is another one, so that none is folded into one before."""
        form = urlencode({"OVERRIDES": f"bench={number}"})
        begun = time.perf_counter()
        self._connection.request("POST", f"{path}/buildWithParameters?delay=600sec", form, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        took = (time.perf_counter() - begun) * 1000
        if answer.status != http.HTTPStatus.CREATED:
            raise SystemExit(f"the controller answers {answer.status} to a request for a build of {path}")
        return took

    def close(self) -> None:
        self._connection.close()
