"""Programs that watch one Jenkins, each for a process of its own.

python -m bench.watchers ours URL       the console's back room; prints a line for each end of a build that it published
python -m bench.watchers peer URL 5     python-jenkins, every 5 s
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Hashable
from importlib import import_module

from console.feeds.watch import Watch
from console.model.build import BuildRef
from console.model.world import World
from console.settings.secret import Secret
from console.sources.jenkins.address import parse
from console.sources.jenkins.client import Access
from console.sources.jenkins.source import JenkinsServer
from console.text import clean
from tests.console.fakes import FakeCompose, FakeEngine
from tests.support.jenkins.crowd import TOKEN, USER

PEER_JOBS_SECONDS = 30.0


def ours(url: str) -> None:
    """Everything behind the screen. Docker and Compose are stand-ins that say nothing, so that only Jenkins costs."""
    watch = Watch(
        lambda: (FakeEngine(), FakeCompose()),
        host=clean("bench"),
        demo=False,
        make_jenkins=lambda: JenkinsServer(Access(parse(url), USER, Secret(TOKEN))),
    )
    running: set[BuildRef] = set()

    def published(world: World) -> None:
        value = world.jenkins
        if value is None:
            return
        for ref in running - value.work.running:
            job = value.jobs.get(ref.job)
            if job is not None and job.last is not None and job.last.ref == ref and not job.last.building:
                running.discard(ref)
                print(json.dumps([ref.job, ref.number, time.time()]), flush=True)
        running.update(value.work.running)

    watch.start()
    watch.listen(published)
    sys.stdin.read()
    watch.stop()


def peer(url: str, every: float) -> None:
    """What one would write with python-jenkins: the jobs every half minute, and when something has changed."""
    warnings.filterwarnings("ignore")
    server = import_module("jenkins").Jenkins(url, username=USER, password=TOKEN)
    seen: Hashable = None
    jobs_at = 0.0
    while True:
        began = time.monotonic()
        running = server.get_running_builds()
        queue = server.get_queue_info()
        now = (tuple(one["url"] for one in running), tuple(one["id"] for one in queue))
        if now != seen or began - jobs_at > PEER_JOBS_SECONDS:
            server.get_all_jobs()
            seen, jobs_at = now, began
        time.sleep(max(0.0, every - (time.monotonic() - began)))


if __name__ == "__main__":
    if sys.argv[1] == "ours":
        ours(sys.argv[2])
    else:
        peer(sys.argv[2], float(sys.argv[3]))
