"""`make bench-prune`: the preview of a prune of three hundred images and as many volumes, on a real Engine of its own.

The objects are made once, which takes a minute. One program is measured, as a person has it: how long until the disk is on the
screen for the first time (the Engine is asked about every image), from `p` to the plan (all of this is too young to go),
and from a key to what it draws while the same is read and decided again. Nothing is removed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.figures import Series, cpu_seconds, load
from bench.world import own_engine, persons_environment
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.terminal import Pty

IMAGES, VOLUMES, PROJECTS = 300, 300, 12
ROUNDS, QUICK_ROUNDS = 9, 4
KEYS, QUICK_KEYS = 40, 15
PATIENCE = 60.0
PLAN_AIM, KEY_AIM = 1000.0, 100.0
ROOT = Path(__file__).parent.parent
SIZE = (120, 36)
READ_AGAIN, CURSOR = b"\x12", "▐".encode()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.prune", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    rounds, keys = (QUICK_ROUNDS, QUICK_KEYS) if options.quick else (ROUNDS, KEYS)
    with own_engine() as engine, tempfile.TemporaryDirectory() as home:
        fill(engine)
        measure(engine, Path(home), rounds, keys)
    return 0


def fill(engine: Engine) -> None:
    """Images of a dozen projects, every third without a name, and volumes without one."""
    container = engine.docker("create", BUSYBOX, "true").strip()
    for number in range(IMAGES):
        named = "" if number % 3 == 0 else f"&repo=mlops/project-{number % PROJECTS}&tag={number:012x}"
        engine.api("POST", f"/commit?container={container}{named}", {"Labels": {"made-for": f"bench {number}"}})
    engine.docker("rm", container)
    for _ in range(VOLUMES):
        engine.api("POST", "/volumes/create", {})


def measure(engine: Engine, home: Path, rounds: int, keys: int) -> None:
    (home / "compose.yml").write_text("services:\n  web:\n    image: busybox:none\n")
    settings = home / "settings.toml"
    settings.write_text(f'[compose]\nfile = "{home / "compose.yml"}"\n')
    env = persons_environment(engine, home)
    command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "console.main", "--config", str(settings)]
    first = Series("7: first look at the disk", "ms")
    plan = Series("p: to the plan", "ms", target=PLAN_AIM)
    moving = Series("a key meanwhile, p95", "ms", target=KEY_AIM)
    still = Series("a key while nothing is read, p95", "ms")
    print(f"{IMAGES} images, {VOLUMES} volumes, {rounds} rounds, {SIZE[0]}x{SIZE[1]}   load before: {load()}")
    with Pty(command, *SIZE, env) as terminal:
        terminal.wait_for(b"web", PATIENCE)
        time.sleep(3)
        first.values.append(_until(terminal, b"7", b"volumes"))
        before = cpu_seconds(psutil.Process(terminal.pid))
        for _ in range(rounds):
            _quiet(terminal)
            plan.values.append(_until(terminal, b"p", b"by the rule"))
            time.sleep(0.5)  # a sheet that has just opened takes no key
            terminal.write(b"\x1b")
            time.sleep(0.5)
        computed = (cpu_seconds(psutil.Process(terminal.pid)) - before) / rounds
        still.values.append(_keys(terminal, keys, reading=False))
        moving.values.append(_keys(terminal, keys, reading=True))
    print(f"\n{'':46}{'median':>10}{'best':>10}  {'aim':>8}")
    for one in (first, plan, moving, still):
        aim = f"{one.target:g} {one.unit}" if one.target is not None else ""
        print(f"{one.name:46}{one.median:>7.0f} {one.unit:2}{one.best:>7.0f} {one.unit:2}  {aim:>8}")
    print(f"one plan costs the console {computed * 1000:.0f} ms of CPU   load after: {load()}")


def _until(terminal: Pty, key: bytes, words: bytes) -> float:
    """Milliseconds from a key to the byte on the terminal that completes `words`."""
    before = len(terminal.data)
    begun = time.perf_counter()
    terminal.write(key)
    terminal.wait_for(lambda data: words in data[before:], PATIENCE)
    return (time.perf_counter() - begun) * 1000


def _keys(terminal: Pty, count: int, *, reading: bool) -> float:
    """Milliseconds from a key that moves the selection to the sign of it on its new row: 95 of 100 are quicker."""
    taken = []
    for number in range(count):
        _quiet(terminal)
        if reading:
            terminal.write(READ_AGAIN)
            time.sleep(0.03 + number % 10 * 0.02)  # at another moment of the reading each time
        before, begun = len(terminal.data), time.perf_counter()
        terminal.write(b"j" if number % 2 == 0 else b"k")
        terminal.wait_for(lambda data, before=before: CURSOR in data[before:], PATIENCE)  # type: ignore[misc]
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)[round(0.95 * (count - 1))]


def _quiet(terminal: Pty) -> None:
    while True:
        before = len(terminal.data)
        time.sleep(0.1)
        if len(terminal.data) == before:
            return


if __name__ == "__main__":
    sys.exit(main())
