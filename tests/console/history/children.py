"""Programs of their own: python -m tests.console.history.children WHAT FILE. They write and read as the real ones do."""

from __future__ import annotations

import sys
from pathlib import Path

from console.history import Bounds, HistoryError, Reader, Trouble, Writer
from console.model.history import Batch
from console.text import Clean
from tests.console.history.making import curve, run
from tests.support.waiting import until_sync

METRICS = ("loss", "acc")
AT_ONCE = 200
SMALL = Bounds(points=400)


def batch(number: int) -> Batch:
    """The points of one batch of `a#1`: both metrics have the same steps."""
    more = curve(AT_ONCE, number * AT_ONCE)
    return Batch(runs=(run(peak_memory=number),), points={Clean("a#1"): {Clean(name): more for name in METRICS}}, told=number)


def write(path: Path, bounds: Bounds) -> None:
    """Write batch after batch, and tell each that is written, until somebody ends it."""
    writer = Writer(path, bounds)
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    while True:
        writer.record(batch(number))
        writer.beat()
        print(number, flush=True)  # noqa: T201
        number += 1


def _begun(reader: Reader) -> bool:
    """Whether the run is there. All that a reader may be told before that is that it is not."""
    try:
        reader.points("a#1")
    except HistoryError as error:
        if error.trouble is not Trouble.NOT_THERE:
            raise
        return False
    return True


def read(path: Path) -> None:
    """Read until `argv[3]` different states were seen; what does not fit together ends it with 1."""
    reader = Reader(path)
    wanted = int(sys.argv[3])
    until_sync(lambda: _begun(reader), "the first batch")
    newest, states = -1, 0
    while states < wanted:
        told, points = reader.run("a#1"), reader.points("a#1")
        seen = told.peak_memory if told.peak_memory is not None else -1
        last = [points[Clean(name)][-1].step or 0 for name in METRICS]
        if last[0] != last[1] or seen < newest or (last[0] + 1) % AT_ONCE:
            print(f"half of a batch is seen: {seen} after {newest}, {last}", flush=True)  # noqa: T201
            sys.exit(1)
        states += seen > newest
        newest = seen


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), SMALL)
    else:
        read(Path(sys.argv[2]))
