"""`make bench-way-in`: from a merged release to "queued", without GitHub's own delay, and what the way in adds to a request.

The workflow's own sender, the front, frps, frpc and the gate are real and have the product's files; they are on one machine,
with a network of its own for each place, so distances are nothing. Jenkins' answer is that of a small server: what Jenkins
takes for itself (10 ms, seen on a real one) comes on top of each figure. Between requests there is as much time as the gate's
limit of requests wants.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable

from bench.figures import Series, interleaved, load
from infra.release.release import Release
from infra.release.request import Means, body, send, signature
from infra.release.sending import Run, send_all
from tests.support.scratch import Scratch
from tests.support.way import DOMAIN, PATH, VHOST, Way

# The gate and the front let five a second in, of each address.
PAUSE = 0.21
MANY = 30
JENKINS = ("192.0.2.2", 8080)


def _release(projects: int) -> Release:
    return Release("example/mlops", "refs/heads/main", "a" * 40, 7, tuple(f"project-{one}" for one in range(projects)))


class Measured:
    """Takings of one request and of releases, each in the network where it would begin."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._number = 0

    def direct(self) -> float:
        """To Jenkins, with the plugin's token, from the host that it runs on."""
        return self._plain(self._way.home.call, *JENKINS, {"token": self._way.token})

    def gate(self) -> float:
        return self._plain(self._way.home.call, "127.0.0.1", 8080, {})

    def tunnel(self) -> float:
        """frps, frpc and gate."""
        return self._plain(self._way.public.call, "127.0.0.1", VHOST, {})

    def whole(self) -> float:
        """TLS and front too, by the workflow's own sender: a new connection for each request."""
        content = self._content()
        took: list[float] = []

        def once() -> None:
            began = time.perf_counter()
            answer = send(self._way.target, content)
            took.append((time.perf_counter() - began) * 1000)
            if answer.means is not Means.QUEUED:
                raise SystemExit(f"the way in is not open: {answer.words}")

        self._way.from_world(once)
        time.sleep(PAUSE)
        return took[0]

    def release(self, projects: int) -> float:
        """Milliseconds until every project of a release is queued."""
        self._number += 1
        took: list[float] = []

        def once() -> None:
            began = time.perf_counter()
            sent = send_all(_release(projects), self._way.target, Run(str(self._number), "1"), lambda _words: None)
            took.append((time.perf_counter() - began) * 1000)
            if not all(one.queued and one.tries == 1 for one in sent):
                raise SystemExit(f"not queued at the first try: {sent}")

        self._way.from_world(once)
        self._way.jenkins.trigger.leave_queue()
        time.sleep(projects * PAUSE)
        return took[0]

    def _content(self) -> bytes:
        self._number += 1
        return body(_release(1), "project-0", f"delivery-{self._number}", int(time.time()))

    def _plain(self, inside: Callable[[Callable[[], float]], float], host: str, port: int, more: dict[str, str]) -> float:
        content = self._content()
        signed = signature(self._way.hmac.encode(), content)
        headers = {"Host": DOMAIN, "Content-Type": "application/json", "X-Hub-Signature-256": signed, **more}

        def once() -> float:
            began = time.perf_counter()
            connection = http.client.HTTPConnection(host, port, timeout=20.0)
            connection.request("POST", PATH, content, headers)
            told = json.loads(connection.getresponse().read())
            took = (time.perf_counter() - began) * 1000
            connection.close()
            if told["jobs"]["train"]["triggered"] is not True:
                raise SystemExit(f"{host}:{port} did not take a good request")
            return took

        took = inside(once)
        if not more:
            time.sleep(PAUSE)
        return took


def _show(series: Series) -> None:
    late = statistics.quantiles(series.values, n=20)[-1] if len(series.values) > 1 else series.median
    print(f"{series.name:52}{series.median:>9.1f} ms{late:>9.1f} ms{series.best:>9.1f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.way_in", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    rounds, releases = (30, 3) if options.quick else (100, 7)
    print(f"load before: {load()}")
    scratch = Scratch()
    try:
        way = Way()
        try:
            measured = Measured(way)
            places = [
                (Series("straight to Jenkins", "ms"), measured.direct),
                (Series("gate", "ms"), measured.gate),
                (Series("frps, frpc, gate", "ms"), measured.tunnel),
                (Series("sender: TLS, front, frps, frpc, gate", "ms"), measured.whole),
            ]
            interleaved(rounds, places)
            print(f"\n{f'one request, {rounds} of each in turn':52}{'median':>12}{'p95':>12}{'best':>12}")
            for series, _ in places:
                _show(series)
            added = places[-1][0].median - places[0][0].median
            print(f"{'what the way in adds':52}{added:>9.1f} ms")
            merged = [
                (Series("1 project", "ms"), lambda: measured.release(1)),
                (Series(f"{MANY} projects, one after the other", "ms"), lambda: measured.release(MANY)),
            ]
            interleaved(releases, merged)
            print(f"\n{f'merged to queued, {releases} of each in turn':52}{'median':>12}{'p95':>12}{'best':>12}")
            for series, _ in merged:
                _show(series)
        finally:
            way.close()
    finally:
        scratch.close()
    print(f"\nload after: {load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
