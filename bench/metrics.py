"""`make bench-metrics`: what it costs to read progress and metrics out of a log, beside only reading its lines."""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.figures import Series, interleaved, load
from bench.flood import CONTAINER, serving
from console.feeds.run_feed import Followed
from console.logs.ingest import visible
from console.logs.join import Joiner
from console.logs.lines import Item
from console.logs.tail import Tail
from console.model.log import Entry
from console.runs.progress import Progress
from console.runs.reader import LINES, MOST_A_SECOND, Reader
from console.sources.docker_engine import DockerEngine, parse_address
from console.text import Clean

ROUNDS, QUICK_ROUNDS = 15, 5
PICTURES = 0.2
"""Seconds between two looks at the figures: as often as a picture is published."""

WARM = 2.0
LINE_BY_LINE = 1000
"""Batches a second: an Engine writes a log line by line, and a reader wakes up no more often."""

SHARES = ((0, "of no interest"), (200, "10 steps a second"), (20, "100 steps a second"), (1, "all are steps"))
"""One line in so many tells of a step."""

MOST_MORE = 15
"""Percent that metrics may cost above following alone."""

RECORDINGS = Path(__file__).parents[1] / "tests/recordings/training-logs"
_SECOND = 1_000_000_000

Kind = tuple[str, Callable[[int], bytes]]
KINDS: Sequence[Kind] = (
    (
        "lines of no interest",
        lambda at: b"2026-11-23 06:32:28,697 INFO server: GET /health from 10.0.0.%d took 3 ms\n" % (at % 250),
    ),
    ("prose that names a loss", lambda at: b"worker %d: loss of precision in column 7, using 0.0 for now\n" % at),
    ("key=value", lambda at: b"epoch=%d step=%d/90000 loss=%.5f grad_norm=0.654 lr=2.0e-01\n" % (at // 99, at, 2 / (at + 1))),
    ("Epoch 3/10 - loss: ...", lambda at: b"Epoch %d/9000 - loss: %.4f - acc: 0.27 - val_loss: 2.1\n" % (at, 2 / (at + 1))),
    ("repaints of tqdm", lambda at: b"\rtrain:  14%%|#4   | %d/90000 [00:06<00:36, 8.15it/s, loss=%.4f]" % (at, 2 / (at + 1))),
    (
        "events",
        lambda at: b'{"event":"step","ts":1795413619.1,"epoch":3,"step":%d,"metrics":{"loss":%.4f}}\n' % (at, 2 / (at + 1)),
    ),
    (
        "dicts of transformers",
        lambda at: b"{'loss': '%.4f', 'learning_rate': '0.0009', 'epoch': '%.4f'}\n" % (2 / (at + 1), at / 99),
    ),
    ("xgboost", lambda at: b"[%d]\ttrain-logloss:%.5f\tvalid-auc:0.97558\n" % (at, 2 / (at + 1))),
)


def entries_of(kind: Callable[[int], bytes], count: int) -> list[Entry]:
    """Lines that come just slowly enough to be all looked at."""
    return [(at * _SECOND // MOST_A_SECOND, False, kind(at)) for at in range(count)]


def recorded() -> list[Entry]:
    """All recorded logs of real trainings, one after another."""
    found: list[Entry] = []
    for path in sorted(RECORDINGS.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            stored = [json.loads(line) for line in file]
        found += [
            (len(found) * _SECOND // 100 + at, one["stream"] == "stderr", one["log"].encode()) for at, one in enumerate(stored)
        ]
    return found


def only_lines(entries: Sequence[Entry]) -> float:
    """Microseconds of CPU a line: parts joined and made safe to show, as a log on the screen is."""
    begun = time.process_time()
    for _, _, text in Joiner(same_time=True).feed(entries):
        visible(text)
    return (time.process_time() - begun) / len(entries) * 1e6


def with_metrics(entries: Sequence[Entry]) -> float:
    """Microseconds of CPU a line: read, and kept as the state of a run."""
    reader, progress = Reader(), Progress()
    begun = time.process_time()
    for at in range(0, len(entries), 200):
        progress.add(reader.entries(entries[at : at + 200]))
    took = time.process_time() - begun
    if reader.skipped:
        raise RuntimeError(f"{reader.skipped} lines were not looked at: the figure would be too good")
    return took / len(entries) * 1e6


def flood(count: int) -> float:
    """Microseconds of CPU a line of a log that prints 50,000 of them a second, most of which are not looked at."""
    reader, progress = Reader(), Progress()
    entries = [(at * 20_000, False, KINDS[2][1](at)) for at in range(count)]
    begun = time.process_time()
    progress.add(reader.entries(entries))
    return (time.process_time() - begun) / count * 1e6


def kept(count: int) -> tuple[float, float]:
    """MB that the state of a run takes after a tenth of so many lines, and after all."""
    tracemalloc.start()
    reader, progress = Reader(), Progress()
    found = []
    for part in (range(count // 10), range(count // 10, count)):
        for at in part:
            progress.add(reader.entries([(at * _SECOND // MOST_A_SECOND, False, KINDS[2][1](at))]))
        found.append(tracemalloc.get_traced_memory()[0] / 1e6)
    tracemalloc.stop()
    return found[0], found[1]


def worst() -> list[tuple[str, float, float]]:
    """Milliseconds of CPU for a line of 100 kB and of 1 MB that is made to be hard."""
    found = []
    for unit in (b"epoch 1 loss=0.1 ", b'{"a":', b"50%| 1/2 [", b"\r50%|#| 1/2 [00:01<", b'"\\', b"[1/", b"0.1"):
        took = []
        for size in (100_000, 1_000_000):
            text = unit * (size // len(unit))
            begun = time.process_time()
            Reader().entries([(1, False, text + b"\n")])
            took.append((time.process_time() - begun) * 1000)
        found.append((unit.decode(), took[0], took[1]))
    return found


def follow(address: str, *, metrics: bool) -> None:
    """For a process of its own: follow to the end, and tell what CPU that took in seconds."""

    async def work() -> float:
        source = DockerEngine(parse_address(address))
        begun: list[float] = []
        # What is loaded and made at its first use is no matter of how long it goes on.
        asyncio.get_running_loop().call_later(WARM, lambda: begun.append(time.process_time()))
        if metrics:
            await _with_pictures(source)
        else:
            await Tail(source, CONTAINER, lines=LINES, follow=True).run(_pass_over)
        took = time.process_time() - begun[0]
        await source.aclose()
        return took

    print(asyncio.run(work()))


async def _pass_over(_: Item) -> None:
    await asyncio.sleep(0)


async def _with_pictures(source: DockerEngine) -> None:
    """As the console does it: read as it comes, and looked at with each picture that something new is the cause of."""
    news = asyncio.Event()
    one = Followed(source, Clean(CONTAINER), news.set)
    async with asyncio.TaskGroup() as group:
        one.begin(group)
        while not one.over:
            with suppress(TimeoutError):
                async with asyncio.timeout(PICTURES):
                    await news.wait()
            news.clear()
            one.figures(datetime.now(UTC), time.monotonic())
            await asyncio.sleep(PICTURES)


def following(rounds: int, seconds: float) -> None:
    """What it costs to follow 2,000 lines a second, of which so many tell of a step."""
    print(f"\n{f'following {MOST_A_SECOND:,} lines/s, % of a core':40}{'alone':>10}{'metrics':>10}{'more':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for every, words in SHARES:
            alone, full = Series("alone", "%"), Series("metrics", "%")
            costs = [
                (one, partial(_cost, Path(folder), seconds, every, mode)) for one, mode in ((alone, "tail"), (full, "full"))
            ]
            interleaved(rounds, costs)
            more = (full.median / alone.median - 1) * 100
            aim = f"   aim {MOST_MORE} %" if every != 1 else ""
            print(f"{words:40}{alone.median:>8.1f} %{full.median:>8.1f} %{more:>8.0f} %{aim}", flush=True)


def _cost(folder: Path, seconds: float, every: int, mode: str) -> float:
    path = folder / f"{mode}{every}"
    with serving(
        path, "bench.flood", str(path), str(MOST_A_SECOND), str(seconds + WARM), str(every), str(LINE_BY_LINE)
    ) as address:
        command = [sys.executable, "-m", "bench.metrics", "--follow", address, "--mode", mode]
        return float(subprocess.run(command, check=True, capture_output=True).stdout) / seconds * 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.metrics", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--follow", metavar="ADDRESS", help=argparse.SUPPRESS)
    parser.add_argument("--mode", default="tail", help=argparse.SUPPRESS)
    parser.add_argument("--only-following", action="store_true", help="nothing but what following costs")
    options = parser.parse_args()
    if options.follow:
        follow(options.follow, metrics=options.mode == "full")
        return 0
    if options.only_following:
        following(3, 10.0)
        return 0
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    count = 2_000 if options.quick else 10_000
    print(f"load before: {load()}   {rounds} rounds in turn, {count:,} lines of each kind")
    print("microseconds of CPU a line, median (best)\n")
    print(f"{'':28}{'only lines':>18}{'with metrics':>18}{'lines/s':>12}")
    logs = [(name, entries_of(kind, count)) for name, kind in KINDS]
    for name, entries in [*logs, ("45 real logs", recorded())]:
        plain, full = Series("lines", "us"), Series("metrics", "us")
        interleaved(rounds, [(plain, partial(only_lines, entries)), (full, partial(with_metrics, entries))])
        figures = [f"{one.median:.2f} ({one.best:.2f})" for one in (plain, full)]
        print(f"{name:28}{figures[0]:>18}{figures[1]:>18}{1e6 / full.median:>12,.0f}")
    sampled = Series("flood", "us")
    interleaved(rounds, [(sampled, lambda: flood(count * 5))])
    print(
        f"{'50,000 lines/s, sampled':28}{'':18}{f'{sampled.median:.2f} ({sampled.best:.2f})':>18}{1e6 / sampled.median:>12,.0f}"
    )
    early, late = kept(count * 2)
    print(f"\nmemory of a run's state: {early:.1f} MB after {count // 5:,} lines, {late:.1f} MB after {count * 2:,}")
    print(f"\n{'lines made to be hard, ms':28}{'100 kB':>18}{'1 MB':>18}")
    for unit, small, large in worst():
        print(f"{unit!r:28}{small:>18.1f}{large:>18.1f}")
    following(2 if options.quick else 5, 5.0 if options.quick else 20.0)
    print(f"\nload after: {load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
