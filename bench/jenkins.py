"""`make bench-jenkins`: what watching a Jenkins with 200 jobs costs it and us; beside python-jenkins in the same run.

The controller is a model behind a real HTTP front in a process of its own. Bytes are counted at its sockets: what clients
send and what they get, with all headers, above TCP; answers are packed as the client asks for.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.acting import acting
from bench.controller import Remote, controller
from bench.figures import Series, command_time, cpu_seconds, interleaved, load, memory
from console.feeds.jenkins_feed import BUSY_SECONDS, IDLE_SECONDS
from tests.support.jenkins.crowd import TOKEN, USER
from tests.support.scratch import Scratch
from tests.support.terminal import Pty

TRAINING_SECONDS = 40.0
JOBS, MANY_JOBS = 200, 2000
PROGRAM = Path(sys.executable).with_name("mlops-console")


@dataclass(frozen=True, slots=True)
class Window:
    """One program in one window. CPU in percent of one core; the rest is of a minute."""

    cpu: float
    requests: float
    bytes: float
    paths: Counter[str]
    memory: float


@contextlib.contextmanager
def process(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A module of this repository that runs until its input is closed, or it is told to end."""
    child = subprocess.Popen([sys.executable, "-m", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.terminate()
        child.communicate(timeout=20)


def window(remote: Remote, pid: int, settle: float, seconds: float) -> Window:
    time.sleep(settle)
    tree = psutil.Process(pid)
    remote.ask("spent")
    cpu, began = cpu_seconds(tree), time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - began
    used = cpu_seconds(tree) - cpu
    spent = remote.ask("spent")
    per_minute = 60 / took
    requests = [line.split()[1].partition("?")[0] for line in spent["requests"]]
    return Window(
        used / took * 100,
        len(requests) * per_minute,
        (spent["sent"] + spent["received"]) * per_minute,
        Counter(_kind(path) for path in requests),
        memory(tree),
    )


def _kind(path: str) -> str:
    end = path.rstrip("/").rpartition("/")[2]
    return path if path in ("/api/json", "/computer/api/json", "/queue/api/json") else f".../{end}"


def watching(remote: Remote, words: Sequence[str], settle: float, seconds: float) -> Window:
    with process(*words) as child:
        return window(remote, child.pid, settle, seconds)


def screen(remote: Remote, env: Mapping[str, str], settle: float, seconds: float) -> Window:
    """The whole console on 80x24. No Engine is there; the terminal is read and thrown away."""
    with Pty([str(PROGRAM)], 80, 24, env) as terminal:
        return window(remote, terminal.pid, settle, seconds)


def show(name: str, found: Window, aim: str = "") -> None:
    print(
        f"{name:44}{found.cpu:>7.2f} %{found.requests:>9.0f}{found.bytes / 1000:>11.1f} kB{found.memory:>8.0f} MB  {aim}",
        flush=True,
    )


def rounds(found: Window) -> None:
    print(f"{'':6}" + ", ".join(f"{count} x {path}" for path, count in sorted(found.paths.items())))


def costs(remote: Remote, env: Mapping[str, str], settle: float, seconds: float) -> None:
    """Idle, then busy: the console's back room, python-jenkins and the whole console in turn, never two at once."""
    for state, every in (("idle", IDLE_SECONDS), ("busy", BUSY_SECONDS)):
        if state == "busy":
            remote.ask(f"busy {TRAINING_SECONDS / 2}")
        print(f"\n{state + ', ' + format(seconds, 'g') + ' s each':44}{'cpu':>9}{'requests':>9}{'a minute':>14}{'memory':>11}")
        found = watching(remote, ["bench.watchers", "ours", remote.url], settle, seconds)
        show(f"watching: mlops-console every {every:g} s", found, "1 %")
        rounds(found)
        found = watching(remote, ["bench.watchers", "peer", remote.url, str(every)], settle, seconds)
        show(f"watching: python-jenkins every {every:g} s", found)
        rounds(found)
        show("the whole console, 80x24", screen(remote, env, settle, seconds))
        without = {name: value for name, value in env.items() if not name.startswith("MLOPS_JENKINS")}
        show("the whole console without a Jenkins", screen(remote, without, settle, seconds))
    remote.ask("calm")


def delays(remote: Remote, count: int) -> None:
    """From the end of a build, as the controller notes it, to the picture that has it."""
    dice = random.Random(5)
    before = len(remote.ask("ended")["ended"])
    seen: dict[tuple[str, int], float] = {}
    with process("bench.watchers", "ours", remote.url) as child:
        out = child.stdout
        assert out is not None  # noqa: S101 - it is a pipe

        def read() -> None:
            for line in out:
                job, number, at = json.loads(line)
                seen[job, number] = at

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        remote.ask("busy 0.5")
        time.sleep(5)
        for _ in range(count):
            remote.ask("end")
            time.sleep(dice.uniform(3.0, 5.0))
        time.sleep(5)
        ended = {(job, number): at for job, number, at in remote.ask("ended")["ended"][before:]}
        remote.ask("calm")
        child.terminate()
        reader.join(20)
    late = [seen[key] - at for key, at in ended.items() if key in seen]
    missed = len(ended) - len(late)
    print(
        f"\n{'from the end of a build to the picture':44}{'median':>9}{'worst':>9}\n"
        f"{f'{len(late)} builds, {missed} never seen':44}{statistics.median(late):>7.2f} s{max(late):>7.2f} s"
        f"   aim {BUSY_SECONDS:g} s"
    )


def commands(env: Mapping[str, str], rounds: int, many: Mapping[str, str]) -> None:
    command = [str(PROGRAM), "builds", "--json"]
    print(f"\n{'':44}{'median':>10}{'best':>10}")
    series = Series(f"builds --json, {JOBS} jobs", "ms", target=300.0)
    bare = Series("--version, for comparison", "ms")
    interleaved(
        rounds,
        [
            (series, lambda: command_time(command, env)),
            (bare, lambda: command_time([str(PROGRAM), "--version"], env)),
        ],
    )
    for one in (series, bare):
        print(f"{one.name:44}{one.median:>7.0f} ms{one.best:>7.0f} ms  {'aim 300 ms' if one.target else ''}")
    print(f"{f'builds --json, {MANY_JOBS:,} jobs, once':44}{command_time(command, many):>7.0f} ms")


def environment(home: str, url: str) -> dict[str, str]:
    """An Engine is named that is not there: nothing steps in for it, and only Jenkins is left to ask."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "DOCKER_HOST": f"unix://{home}/no-engine.sock",
        "MLOPS_JENKINS_URL": url,
        "MLOPS_JENKINS_USER": USER,
        "MLOPS_JENKINS_TOKEN": TOKEN,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.jenkins", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and shorter windows")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    settle, seconds, ends, rounds = (5.0, 20.0, 6, 5) if options.quick else (8.0, 60.0, 20, 9)
    scratch = Scratch()
    print(
        f"load before: {load()}   {JOBS} jobs of 20 builds, 5 nodes; busy: one training ends every {TRAINING_SECONDS / 2:g} s"
    )
    try:
        with tempfile.TemporaryDirectory() as home:
            with controller(JOBS, TRAINING_SECONDS) as remote:
                env = environment(home, remote.url)
                costs(remote, env, settle, seconds)
                with controller(MANY_JOBS, TRAINING_SECONDS) as larger:
                    commands(env, rounds, environment(home, larger.url))
            with controller(JOBS, 3600.0) as remote:
                delays(remote, ends)
            with controller(JOBS, 3600.0) as remote:
                acting(remote, str(PROGRAM), environment(home, remote.url), rounds)
    finally:
        scratch.close()
    print(f"\nload after: {load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
