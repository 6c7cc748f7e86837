"""`make bench-history`: how fast runs are recorded and read, how large the file gets, and how much memory that takes.

Each figure is taken in a process of its own, on the file system of the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.figures import load
from console.history import Bounds, Reader, Writer
from console.model.history import NANO, Axis, Batch, Point
from console.text import Clean

ROUNDS, QUICK_ROUNDS = 5, 1
MILLION, QUICK = 1_000_000, 100_000
METRICS = 20
COLUMNS = 120
AT_ONCE = 50
KEY = Clean("train#1")
NAMES = tuple(Clean(f"metric-{at}") for at in range(METRICS))


def points(first: int, count: int) -> tuple[Point, ...]:
    begin = 1_793_491_200 * NANO
    return tuple(
        Point(begin + step * NANO // 5, math.exp(-step / 5000) + (step * 7919 % 101) / 1000, step, step / 500)
        for step in range(first, first + count)
    )


def memory() -> float:
    """Most MB that this process has had."""
    return int(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) / 1000


def write(path: Path, many: int, kept: int, at_once: int) -> dict[str, float]:
    """`many` points in 20 metrics, some steps at once, as a recorder reads them; the seconds are those of `record` alone."""
    writer = Writer(path, Bounds(points=kept))
    before = memory()
    seconds = cpu = 0.0
    for step in range(0, many // METRICS, at_once):
        more = points(step, at_once)
        batch = Batch(points={KEY: dict.fromkeys(NAMES, more)})
        begun, used = time.perf_counter(), time.process_time()
        writer.record(batch)
        seconds += time.perf_counter() - begun
        cpu += time.process_time() - used
    told = {"rate": many / seconds, "cpu": cpu / many * 1e6, "memory": memory(), "grown": memory() - before}
    writer.close()
    reader = Reader(path)
    there = sum(len(reader.packed(KEY, name)) for name in NAMES)
    reader.close()
    return {**told, "kept": there, "bytes": path.stat().st_size}


def read(path: Path, rounds: int) -> dict[str, float]:
    """Milliseconds until a run of 100,000 kept points is there in 120 columns, on a new connection and on one that was open."""
    writer = Writer(path, Bounds(points=100_000))
    for step in range(0, 100_000 // METRICS, 1000):
        writer.record(Batch(points={KEY: dict.fromkeys(NAMES, points(step, 1000))}))
    writer.record(Batch(points={Clean("one#1"): {NAMES[0]: points(0, 100_000)}}))
    found: dict[str, list[float]] = {"first": [], "again": [], "time": [], "single": [], "points": []}
    for _ in range(rounds):
        reader = Reader(path)
        takings: dict[str, Callable[[], object]] = {
            "first": partial(reader.columns, KEY, COLUMNS),
            "again": partial(reader.columns, KEY, COLUMNS),
            "time": partial(reader.columns, KEY, COLUMNS, Axis.TIME),
            "single": partial(reader.columns, "one#1", COLUMNS),
            "points": partial(reader.points, KEY),
        }
        for name, take in takings.items():
            begun = time.perf_counter()
            take()
            found[name].append((time.perf_counter() - begun) * 1000)
        reader.close()
    writer.close()
    return {name: statistics.median(values) for name, values in found.items()}


def apart(what: str, *args: object) -> dict[str, float]:
    """One of the above, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.history", what, str(Path(folder) / "history.db"), *map(str, args)]
        told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    found: dict[str, float] = json.loads(told)
    return found


def measure(*, quick: bool) -> None:
    many, rounds = (QUICK, QUICK_ROUNDS) if quick else (MILLION, ROUNDS)
    print(f"load before: {load()}\n")
    thin = apart("write", many, 3000, AT_ONCE)
    print(f"{many:,} points in {METRICS} metrics, {AT_ONCE} steps at once, 3000 points of a metric are kept at most")
    print(f"  {thin['rate']:,.0f} points/s ({thin['cpu']:.1f} us of CPU each), {thin['memory']:.0f} MB of memory")
    print(f"  {thin['kept']:,.0f} are kept in {thin['bytes'] / 1e6:.1f} MB of file")
    whole = apart("write", many, many, 1000)
    print(f"all kept: {whole['bytes'] / whole['kept']:.0f} MB of file for a million points\n")
    told = apart("read", rounds)
    print(f"a run of 100,000 points in {COLUMNS} columns, median of {rounds}")
    for name, words in (
        ("first", "20 metrics, a connection of its own"),
        ("again", "20 metrics again"),
        ("time", "20 metrics over time"),
        ("single", "one metric of 100,000 points"),
        ("points", "20 metrics as points, not thinned"),
    ):
        print(f"  {words:38}{told[name]:>10.0f} ms")
    print(f"\nload after: {load()}")


def main() -> int:
    takers: dict[str, Callable[..., dict[str, float]]] = {"write": write, "read": read}
    if len(sys.argv) > 2 and sys.argv[1] in takers:
        print(json.dumps(takers[sys.argv[1]](Path(sys.argv[2]), *map(int, sys.argv[3:]))))
        return 0
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer points and rounds")
    measure(quick=parser.parse_args().quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
