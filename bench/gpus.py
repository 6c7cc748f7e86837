"""`make bench-gpus`: eight cards, four processes on each; the console beside nvitop in the same run.

No card is needed: both load a library with NVIDIA's ABI (`tests/support/nvml`) whose answers are a recorded H100's, whose
figures move from second to second, and whose calls keep the processor as busy as the recorded ones did. Reading alone is
measured in a process of its own: the source and its feed, as the console runs them, once with those costs and once with
calls that cost nothing, which is what of it is ours. Programs take turns in each round; figures are median and best.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.figures import Series, cpu_seconds, interleaved, load, memory
from bench.world import own_engine, persons_environment
from tests.support.nvml import control
from tests.support.nvml.stage import RECORDED_AT, Libraries, NoCompilerError
from tests.support.terminal import Pty

CARDS, PROCESSES = 8, 4
ROUNDS, QUICK_ROUNDS = 5, 3
WINDOW, QUICK_WINDOW = 60.0, 20.0
SETTLE = 5.0
PATIENCE = 30.0
AIM = 1.0
"""Percent of one core for reading eight cards once a second."""
PROGRAM = Path(sys.executable).with_name("mlops-console")
ROOT = Path(__file__).parent.parent
SIZE = (160, 48)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A program that shows cards: bytes that tell it has begun, and the keys that lead to the view that is measured."""

    name: str
    command: Sequence[str]
    ready: bytes
    keys: Sequence[bytes] = ()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.gpus", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and shorter windows")
    parser.add_argument("--read", type=float, metavar="SECONDS", help=argparse.SUPPRESS)
    parser.add_argument("--profile", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        return _read(options.read, options.profile)
    with own_engine() as engine, tempfile.TemporaryDirectory() as name:
        home = Path(name)
        try:
            with machine(home / "machine") as (env, cards):
                measure(env | persons_environment(engine, home), cards, _settings(home), quick=options.quick)
        except NoCompilerError:
            print("no C compiler here: the library cannot be built")
            return 3
    return 0


def measure(env: Mapping[str, str], cards: control.Control, settings: Path, *, quick: bool) -> None:
    rounds, window = (QUICK_ROUNDS, QUICK_WINDOW) if quick else (ROUNDS, WINDOW)
    print(f"{CARDS} cards, {PROCESSES} processes on each, {rounds} rounds of {window:g} s   load before: {load()}")
    whole = Series("reading every second, calls as recorded", "%", target=AIM)
    ours = Series("reading every second, calls cost nothing", "%")
    interleaved(
        rounds, [(whole, lambda: _reading(env, cards, window, cost=1)), (ours, lambda: _reading(env, cards, window, cost=0))]
    )
    cards.cost = 1
    console = [str(PROGRAM), "--config", str(settings)]
    viewers = [
        Viewer("mlops-console, screen of the cards", console, b"GPUs", (b":", b"gpus", b"\r")),
        Viewer("mlops-console, dashboard", console, b"GPUs"),
    ]
    if (peer := shutil.which("nvitop")) is not None:
        viewers.append(Viewer("nvitop, every second", [peer, "--interval", "1"], b"NVITOP"))
    else:
        print("nvitop is not installed (pip install nvitop): measured without it")
    figures = {viewer.name: (Series(f"CPU: {viewer.name}", "%"), Series(f"memory: {viewer.name}", "MB")) for viewer in viewers}
    for _ in range(rounds):
        for viewer in viewers:
            cpu, resident = _watching(viewer, env, window)
            figures[viewer.name][0].values.append(cpu)
            figures[viewer.name][1].values.append(resident)
    print(f"\n{'CPU in percent of one core':46}{'median':>10}{'best':>10}  {'aim':>8}")
    for series in (whole, ours, *(one for one, _ in figures.values()), *(one for _, one in figures.values())):
        aim = f"{series.target:g} {series.unit}" if series.target is not None else ""
        print(f"{series.name:46}{series.median:>7.2f} {series.unit:2}{series.best:>7.2f} {series.unit:2}  {aim:>8}")
    print(f"load after: {load()}")


@contextmanager
def machine(folder: Path) -> Iterator[tuple[dict[str, str], control.Control]]:
    """Eight cards at work, and the variables by which a program finds them. Raises NoCompilerError."""
    (folder / "lib").mkdir(parents=True)
    Libraries(folder).put("current", folder / "lib")
    cards = control.make(folder / "control")
    cards.cards, cards.loaded, cards.moving, cards.cost = CARDS, 1, 1, 1
    holders = [subprocess.Popen(["sleep", "infinity"]) for _ in range(PROCESSES)]
    over = threading.Event()
    samples = threading.Thread(target=_samples, args=(cards, over), daemon=True)
    try:
        for place, holder in enumerate(holders):
            cards.pids[place] = holder.pid
        samples.start()
        yield {"LD_LIBRARY_PATH": str(folder / "lib"), "NVML_STAND_IN": str(folder / "control")}, cards
    finally:
        over.set()
        for holder in holders:
            holder.kill()
            holder.wait()


def _samples(cards: control.Control, over: threading.Event) -> None:
    """The driver's samples of what processes did go on coming, as new as the clock."""
    while not over.wait(1.0):
        cards.shift = int((time.time() - RECORDED_AT) * 1_000_000)


def _settings(home: Path) -> Path:
    """Of a project of its own: the one in this folder wants settings of the platform."""
    (home / "compose.yaml").write_text("services: {idle: {image: busybox:test}}\n")
    settings = home / "settings.toml"
    settings.write_text(f'[compose]\nfile = "{home / "compose.yaml"}"\n')
    return settings


def _reading(env: Mapping[str, str], cards: control.Control, window: float, *, cost: int) -> float:
    cards.cost = cost
    command = [sys.executable, "-m", "bench.gpus", "--read", str(window)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    # A machine that is too busy to read once a second costs less, and measures nothing.
    if found["cards"] != CARDS or found["readings"] < 0.9 * window:
        raise RuntimeError(f"nothing was measured: {found}")
    return float(found["cpu"])


def _read(seconds: float, profile: str | None) -> int:
    """Read for so long, as the console does, and say what it cost as JSON."""
    import cProfile

    taken = cProfile.Profile(time.thread_time)
    found = taken.runcall(asyncio.run, _feed(seconds)) if profile is not None else asyncio.run(_feed(seconds))
    if profile is not None:
        taken.dump_stats(profile)
    print(json.dumps(found))
    return 0


async def _feed(seconds: float) -> dict[str, float]:
    """CPU in percent of one core from the second reading on: the first one loads the library."""
    from console.feeds.gpu_feed import GpuFeed
    from console.sources.gpu.source import NvmlGpus

    news = asyncio.Event()
    source = NvmlGpus()
    feed = GpuFeed(source, news.set)
    feed.watched(True)
    running = asyncio.create_task(feed.run())
    await news.wait()
    await asyncio.sleep(1.5)
    cpu, begun, readings = time.process_time(), time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds:
        news.clear()
        await news.wait()
        # Who publishes a world looks at it once.
        cards = feed.snapshot.value
        readings += 1
    spent = time.process_time() - cpu
    running.cancel()
    await source.aclose()
    return {"cpu": spent / passed * 100, "readings": readings, "cards": len(cards.reading.cards) if cards is not None else 0}


def _watching(viewer: Viewer, env: Mapping[str, str], window: float) -> tuple[float, float]:
    """CPU in percent of one core, and resident MB, while a person looks at the cards."""
    with Pty(viewer.command, *SIZE, env) as terminal:
        terminal.wait_for(viewer.ready, PATIENCE)
        time.sleep(SETTLE)
        for key in viewer.keys:
            terminal.write(key)
            time.sleep(1.0)
        time.sleep(SETTLE)
        process = psutil.Process(terminal.pid)
        before, begun = cpu_seconds(process), time.perf_counter()
        time.sleep(window)
        cpu = (cpu_seconds(process) - before) / (time.perf_counter() - begun) * 100
        return cpu, memory(process)


if __name__ == "__main__":
    sys.exit(main())
