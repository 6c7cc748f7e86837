"""`make bench-logs`: following a flood, searching a million lines, printing a log; beside docker and lnav of the same run."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.figures import Series, cpu_seconds, interleaved, load, memory
from bench.flood import CONTAINER, serving
from console.logs.lines import Item, Line, Notice
from console.logs.patterns import Pattern
from console.logs.search import Query, Search
from console.logs.store import LogStore
from console.logs.tail import Tail
from console.sources.docker_engine import DockerEngine, parse_address
from tests.console.real.program import environment
from tests.support.engine import NoEngineError
from tests.support.images import BUSYBOX, engine_with_busybox
from tests.support.scratch import Scratch
from tests.support.terminal import Pty

MILLION = 1_000_000
PROGRAM = Path(sys.executable).with_name("mlops-console")
KEPT = 64 << 20


@dataclass
class Watched:
    """What a program that follows costs. CPU in percent of one core, memory in MB, `behind` in seconds."""

    cpu: float = 0.0
    memory: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    lines: int = 0


@contextmanager
def flooding(folder: Path, rate: int, seconds: float) -> Iterator[str]:
    """The address of a source that prints so fast."""
    path = folder / f"f{rate}"
    with serving(path, "bench.flood", str(path), str(rate), str(seconds)) as address:
        yield address


def watch(process: subprocess.Popen[bytes], seconds: float, behind: Callable[[], float | None]) -> Watched:
    """Look at a program each second while it follows, and wait for its end."""
    found = Watched()
    tree = psutil.Process(process.pid)
    begun = cpu_seconds(tree)
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        time.sleep(1.0)
        found.memory.append(memory(tree))
        told = behind()
        if told is not None:
            found.behind.append(told)
    found.cpu = (cpu_seconds(tree) - begun) / (time.perf_counter() - started) * 100
    process.wait(120)
    return found


def follow_into_store(address: str) -> None:
    """For a process of its own: keep what comes, and tell each half second how far it is."""
    store = LogStore(memory=KEPT)
    newest: list[Line] = []

    async def give(item: Item) -> None:
        if not isinstance(item, Notice):
            store.append(item)
            newest[:] = item[-1:]

    def tell() -> None:
        while True:
            time.sleep(0.5)
            if newest:
                written = float(newest[0][2].split(b" t=")[1][:14])
                print(json.dumps({"lines": store.end, "behind": time.time() - written}), flush=True)

    threading.Thread(target=tell, daemon=True).start()

    async def work() -> None:
        source = DockerEngine(parse_address(address))
        await Tail(source, CONTAINER, follow=True, grace=0.0).run(give)
        await source.aclose()

    asyncio.run(work())
    numbers = (int(row.text[2:11]) for row in store.rows(store.first, store.end))
    whole = all(number == at for at, number in enumerate(numbers, store.first))
    print(json.dumps({"lines": store.end, "behind": 0.0, "whole": whole, "evicted": store.evicted}), flush=True)


def store_figures(folder: Path, rate: int, seconds: float) -> None:
    """The console's own tail and store."""
    with flooding(folder, rate, seconds) as address:
        command = [sys.executable, "-m", "bench.logs", "--store", address]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        told: list[dict[str, float]] = []

        def read() -> None:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            told.extend(map(json.loads, process.stdout))

        reader = threading.Thread(target=read)
        reader.start()
        found = watch(process, seconds, lambda: told[-1]["behind"] if told else None)
        reader.join()
        last = told[-1]
        if rate > 50_000:
            print(f"  behind, second by second: {' '.join(f'{value:.1f}' for value in found.behind)}")
        show(f"tail and store, {rate:,} lines/s", found, int(last["lines"]), rate * seconds)
        print(
            f"  every number from first to last is there: {'yes' if last['whole'] else 'NO'}, given up: {last['evicted']:.0f}"
        )


def printing_figures(folder: Path, name: str, command: list[str], env: Mapping[str, str], rate: int, seconds: float) -> None:
    """A program that prints what it follows into a file."""
    out = folder / "out"
    with flooding(folder, rate, seconds) as address, out.open("wb") as file:
        process = subprocess.Popen(command, env={**env, "DOCKER_HOST": address}, stdout=file, stderr=subprocess.DEVNULL)
        found = watch(process, seconds, lambda: _behind_of(out))
        show(f"{name}, {rate:,} lines/s", found, _count(out), rate * seconds)
    out.unlink()


def lnav_figures(folder: Path, env: Mapping[str, str], rate: int, seconds: float) -> None:
    """lnav on a file that `docker logs -f` fills; the CPU is lnav's alone."""
    out = folder / "out"
    with flooding(folder, rate, seconds) as address, out.open("wb") as file:
        fill = subprocess.Popen(["docker", "logs", "-f", CONTAINER], env={**env, "DOCKER_HOST": address}, stdout=file)
        time.sleep(0.5)
        with Pty(["lnav", str(out)], 160, 48, env) as terminal:
            process = psutil.Process(terminal.pid)
            begun, started = cpu_seconds(process), time.perf_counter()
            time.sleep(seconds - 2)
            found = Watched((cpu_seconds(process) - begun) / (time.perf_counter() - started) * 100, [memory(process)])
        fill.wait(60)
        show(f"lnav on a file, {rate:,} lines/s", found, _count(out), rate * seconds)
    out.unlink()


def _behind_of(out: Path) -> float | None:
    with out.open("rb") as file:
        file.seek(max(0, out.stat().st_size - 400))
        lines = [line for line in file.read().split(b"\n") if line.startswith(b"n=") and len(line) > 30]
    return time.time() - float(lines[-1].split(b" t=")[1][:14]) if lines else None


def _count(out: Path) -> int:
    with out.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def show(name: str, found: Watched, lines: int, offered: float) -> None:
    late = f"{max(found.behind):>6.1f} s" if found.behind else f"{'':>8}"
    peak, end = max(found.memory), found.memory[-1]
    print(f"{name:44}{found.cpu:>7.0f} %{late}{peak:>7.0f} MB{end:>7.0f} MB  {lines:>10,} of {offered:,.0f}", flush=True)


def search_figures(rounds: int) -> None:
    """A million lines of 99 characters, most of them beyond the memory that is allowed."""
    store = LogStore(memory=KEPT)
    for begin in range(0, MILLION, 1000):
        numbers = range(begin, begin + 1000)
        store.append([(number * 23_000, 0, _line(number)) for number in numbers])
    size = store.size
    print(f"\n{MILLION:,} lines kept: {size[0] / 1e6:.0f} MB in memory, {size[1] / 1e6:.0f} MB in the file")
    print(f"{'searching them':44}{'first hit':>12}{'all':>12}{'hits':>12}")
    for pattern in ("needle", "needl[e]", r"n=000\d{3}777", "(a+)+$", "loss", "lo[s]s"):
        first, every = Series(pattern, "ms"), Series(pattern, "ms")
        for _ in range(rounds):
            begun = time.perf_counter()
            search = Search(store, Query([Pattern(pattern)]))
            while search.step(0.0) and not len(search):
                pass
            first.values.append((time.perf_counter() - begun) * 1000)
            search.run()
            every.values.append((time.perf_counter() - begun) * 1000)
            hits = len(search)
        print(f"{pattern:44}{first.median:>9.0f} ms{every.median:>9.0f} ms{hits:>12,}", flush=True)


def _line(number: int) -> bytes:
    word = "needle" if number % 100_000 == 5 else "xxxxxx"
    return b"n=%09d t=1795413618.123 step 2740/9600  loss 0.688  lr 2.4e-04  188 img/s %s xxxxxxxxxxxx" % (
        number,
        word.encode(),
    )


def whole_log_figures(folder: Path, rounds: int) -> None:
    """`--tail all` of a million lines into a file, on a real Engine."""
    engine = engine_with_busybox()
    try:
        script = 'BEGIN{for(i=0;i<1000000;i++)printf "n=%09d ' + "x" * 87 + '\\n",i}'
        container = engine.docker("run", "-d", "--network=none", BUSYBOX, "awk", script).strip()
        engine.docker("wait", container, limit=300)
        env = environment(engine, folder)
        env["PATH"] = os.environ["PATH"]
        env.pop("PYTHONPATH")
        out = folder / "out"

        def taken(command: list[str]) -> float:
            with out.open("wb") as file:
                begun = time.perf_counter()
                subprocess.run(command, env=env, stdout=file, check=True)
                return time.perf_counter() - begun

        ours = Series("mlops-console logs --tail all", "s")
        docker = Series("docker logs", "s")
        stamped = Series("docker logs -t", "s")
        interleaved(
            rounds,
            [
                (ours, lambda: taken([str(PROGRAM), "logs", container])),
                (docker, lambda: taken(["docker", "logs", container])),
                (stamped, lambda: taken(["docker", "logs", "-t", container])),
            ],
        )
        print(f"\n{'1,000,000 lines to a file':44}{'median':>10}{'best':>10}")
        for one in (ours, docker, stamped):
            print(f"{one.name:44}{one.median:>8.1f} s{one.best:>8.1f} s")
        print(f"{'of docker logs':44}{ours.median / docker.median:>8.2f} x{'':10}  aim 2 x")
    finally:
        engine.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.logs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and shorter floods")
    parser.add_argument("--store", metavar="ADDRESS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.store:
        follow_into_store(options.store)
        return 0
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    seconds, rounds = (15.0, 2) if options.quick else (60.0, 5)
    scratch = Scratch()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            env = {"PATH": os.environ["PATH"], "HOME": name, "LANG": "C.UTF-8", "TERM": "xterm-256color"}
            print(f"load before: {load()}")
            print(f"{'following for ' + format(seconds, 'g') + ' s':44}{'cpu':>9}{'behind':>8}{'peak':>10}{'end':>10}")
            store_figures(folder, 42_000, seconds)
            ours = [str(PROGRAM), "logs", "-f", "flood"]
            printing_figures(folder, "mlops-console logs -f", ours, env, 42_000, seconds)
            printing_figures(folder, "mlops-console logs -f -t", [*ours, "-t"], env, 42_000, seconds)
            printing_figures(folder, "docker logs -f", ["docker", "logs", "-f", CONTAINER], env, 42_000, seconds)
            if shutil.which("lnav"):
                lnav_figures(folder, env, 42_000, seconds)
            store_figures(folder, 100_000, seconds / 3)
            search_figures(rounds)
            try:
                whole_log_figures(folder, rounds)
            except NoEngineError as error:
                print(f"no Docker Engine can be started here: {error}")
            print(f"\nload after: {load()}")
    finally:
        scratch.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
