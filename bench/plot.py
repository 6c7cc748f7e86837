"""`make bench-plot`: what it costs to draw curves, with everything that a person can ask of a plot, and to draw them again."""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.figures import Series, interleaved, load
from console.model.glyphs import Glyphs
from console.text import clean
from console.ui.look import Look
from console.ui.palette import DARK
from console.ui.plot import Trace, View, area, at, plot

ROUNDS, QUICK_ROUNDS = 41, 9
POINTS = 3000
AIM_MS = 10.0
UNICODE, ASCII = Look(DARK, Glyphs(unicode=True)), Look(DARK, Glyphs(unicode=False))
WHOLE = View(0, POINTS - 1)
ROOT = Path(__file__).parent.parent


def curves(count: int, points: int = POINTS) -> list[Trace]:
    """Falling losses with noise, one above the other."""
    drawn = random.Random(count)
    return [
        Trace(
            clean(f"loss{one}"),
            [(float(at), 2 * math.exp(-at / 350) + 0.38 + 0.2 * one + drawn.gauss(0, 0.02)) for at in range(points)],
        )
        for one in range(count)
    ]


def with_holes(traces: Sequence[Trace]) -> list[Trace]:
    """The same with values that are not finite and gaps."""
    return [
        Trace(
            one.name,
            [(at, math.nan if at % 100 == 7 else value) for at, value in one.points if not at % 500 > 400],
            [(at + 400.0, at + 500.0) for at in range(0, len(one.points), 500)],
        )
        for one in traces
    ]


def taken(what: Callable[[], object]) -> float:
    """Milliseconds of CPU."""
    begun = time.process_time()
    what()
    return (time.process_time() - begun) * 1000


def imported(cache: str) -> float:
    """Milliseconds of CPU that the plots add to a screen, in a process of its own; compiled code is kept in `cache`."""
    code = (
        "import time, console.ui.look, console.ui.curve, console.model.words; begun = time.process_time(); "
        "import console.ui.plot; print((time.process_time() - begun) * 1000)"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = cache
    return float(subprocess.run([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, check=True, cwd=ROOT).stdout)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.plot", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = QUICK_ROUNDS if parser.parse_args().quick else ROUNDS
    two, five, holes, many = curves(2), curves(5), with_holes(curves(5)), curves(1, 30 * POINTS)
    busy = [50 + 50 * math.sin(at / 9) for at in range(222)]
    takings: list[tuple[str, Callable[[], object]]] = [
        ("2 curves, 120x14", partial(plot, two, WHOLE, 120, 14, UNICODE)),
        ("5 curves, 118x30", partial(plot, five, WHOLE, 118, 30, UNICODE)),
        ("  in ASCII", partial(plot, five, WHOLE, 118, 30, ASCII)),
        ("  log scale", partial(plot, five, View(0, POINTS - 1, log=True), 118, 30, UNICODE)),
        ("  smoothed 10", partial(plot, five, View(0, POINTS - 1, smooth=10), 118, 30, UNICODE)),
        ("  zoomed to a tenth", partial(plot, five, View(POINTS * 0.9, POINTS - 1), 118, 30, UNICODE)),
        ("  with gaps and nan", partial(plot, holes, WHOLE, 118, 30, UNICODE)),
        ("1 curve of 90,000 points", partial(plot, many, View(0, 30 * POINTS), 118, 30, UNICODE)),
        ("a filled history, 118x6", partial(area, busy, busy, 100.0, 118, 6, UNICODE)),
        ("5 values at the crosshair", partial(at, five, 1234.5)),
    ]
    print(f"load before: {load()}   {rounds} rounds in turn, {POINTS:,} points in a curve, ms of CPU, median (best)\n")
    series = [Series(name, "ms") for name, _ in takings]
    series[1].target = AIM_MS
    interleaved(rounds, [(one, partial(taken, what)) for one, (_, what) in zip(series, takings, strict=True)])
    for one in series:
        aim = f"   aim {one.target:.0f}" if one.target is not None else ""
        print(f"{one.name:28}{one.median:8.2f} ({one.best:.2f}){aim}")
    loading = Series("import", "ms")
    with tempfile.TemporaryDirectory() as cache:
        imported(cache)
        interleaved(min(rounds, QUICK_ROUNDS), [(loading, partial(imported, cache))])
    print(f"{'import, beside a screen':28}{loading.median:8.2f} ({loading.best:.2f})")
    print(f"\nload after: {load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
