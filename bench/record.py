"""`make bench-record`: what the recorder costs beside three trainings that print ten lines a second each, and two GPUs.

The trainings run on an Engine of their own, the cards are stand-ins whose calls keep the processor as busy as a recorded H100's
did (`tests/support/nvml`), Jenkins is a model of one in a process of its own. The recorder is the real program, as a service
runs it; what it has recorded is looked at in the end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil

from bench.controller import controller
from bench.figures import cpu_seconds, load, memory
from bench.gpus import machine
from bench.world import own_engine, persons_environment
from console.history import Reader
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.jenkins.crowd import TOKEN, USER
from tests.support.nvml.stage import NoCompilerError

TRAININGS, LINES, CARDS = 3, 10, 2
SETTLE, WINDOW, QUICK_WINDOW = 30.0, 120.0, 40.0
AIM_CPU, AIM_MEMORY = 1.0, 50.0
ROOT = Path(__file__).parent.parent

# Busybox has no clock finer than a second: the event's own time is left out, and the Engine's counts.
_EVENT = '{"event":"step","epoch":%d,"step":%d,"metrics":{"train_loss":%.4f,"grad_norm":%.3f},"lr":0.001}'
_TRAINING = (
    'BEGIN{{for(i=1;;i++){{printf "{event}\\n",i/500,i,2/i+(i*7919%101)/1000,(i*31%97)/10;fflush();system("usleep {pause}")}}}}'
)


def train(engine: Engine, number: int) -> None:
    labels = {
        "mlops.managed": "true",
        "mlops.project": f"project-{number}",
        "mlops.job": "local",
        "mlops.build": str(number),
        "mlops.run": f"{number:016x}",
        "mlops.gpu": str(number % CARDS),
        "mlops.purpose": "train",
    }
    options = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    script = _TRAINING.format(event=_EVENT.replace('"', '\\"'), pause=int(1e6 / LINES) - 2000)
    engine.docker("run", "-d", "--network=none", "--memory=64m", *options, BUSYBOX, "awk", script)


def measure(*, quick: bool, profile: str | None) -> None:
    window = QUICK_WINDOW if quick else WINDOW
    with ExitStack() as stack:
        engine = stack.enter_context(own_engine())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = persons_environment(engine, home)
        settings = home / "settings.toml"
        settings.write_text(f'[history]\npath = "{home}/history.db"\n')
        try:
            more, cards = stack.enter_context(machine(home / "machine"))
            cards.cards = CARDS
            env |= more
        except NoCompilerError:
            print("no C compiler here: measured without GPUs")
        ci = stack.enter_context(controller(20, 40.0))
        # As the unit sets it: each thread would have a heap of its own.
        env["MALLOC_ARENA_MAX"] = "1"
        env |= {"MLOPS_JENKINS_URL": ci.url, "MLOPS_JENKINS_USER": USER, "MLOPS_JENKINS_TOKEN": TOKEN}
        for number in range(1, TRAININGS + 1):
            train(engine, number)
        print(f"load before: {load()}   {TRAININGS} trainings, {LINES} lines/s each, {CARDS} cards, {window:g} s")
        cpu, resident, lines = _recording(env, settings, home, window, profile)
    print(f"{'CPU':24}{cpu:>8.2f} %   {AIM_CPU:g} % of one core")
    print(f"{'memory':24}{resident:>8.1f} MB  {AIM_MEMORY:g} MB")
    print(f"{'recorded values':24}{lines:>8,.0f} a second")
    print(f"load after: {load()}")


def _recording(
    env: Mapping[str, str], settings: Path, home: Path, window: float, profile: str | None
) -> tuple[float, float, float]:
    """CPU in percent of one core and resident MB once it has settled, and values a second that got into the history."""
    profiled = ["-m", "cProfile", "-o", profile] if profile is not None else []
    program = [sys.executable, *profiled, "-m", "console.main", "--config", str(settings), "record"]
    with subprocess.Popen(program, env=dict(env), cwd=ROOT) as process:
        try:
            time.sleep(SETTLE)
            watched = psutil.Process(process.pid)
            before, values, begun = cpu_seconds(watched), _values(home), time.perf_counter()
            time.sleep(window)
            took = time.perf_counter() - begun
            found = (cpu_seconds(watched) - before) / took * 100, memory(watched), (_values(home) - values) / took
            process.terminate()
            process.wait(30)
        finally:
            process.kill()
    return found


def _values(home: Path) -> int:
    reader = Reader(home / "history.db")
    try:
        runs = reader.runs().runs
        return sum(len(points) for one in runs for points in reader.points(one.key).values())
    finally:
        reader.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.record", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter window")
    parser.add_argument("--profile", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    measure(quick=options.quick, profile=options.profile)
    return 0


if __name__ == "__main__":
    sys.exit(main())
