"""Taking figures: how each is measured is said where it is measured."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psutil

from tests.support.terminal import Pty


@dataclass(slots=True)
class Series:
    """Several takings of one figure."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    target: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def best(self) -> float:
        return min(self.values)


@dataclass(frozen=True, slots=True)
class Idle:
    """What a program costs while nothing happens."""

    cpu: float
    bytes_per_second: float
    memory: float


def start(command: Sequence[str], env: Mapping[str, str], name: str) -> float:
    """Milliseconds from starting the program to the byte on its terminal that completes `name`."""
    wanted = name.encode()
    begun = time.perf_counter()
    with Pty(command, 160, 48, env) as terminal:
        terminal.wait_for(wanted)
        return (time.perf_counter() - begun) * 1000


def command_time(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Milliseconds that a command without a screen takes, from start to end."""
    begun = time.perf_counter()
    subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    return (time.perf_counter() - begun) * 1000


def idle(command: Sequence[str], env: Mapping[str, str], ready: bytes, settle: float, window: float) -> Idle:
    """CPU of the whole process tree in percent of one core, bytes to the terminal a second, resident MB at the end."""
    with Pty(command, 160, 48, env) as terminal:
        terminal.wait_for(ready)
        time.sleep(settle)
        process = psutil.Process(terminal.pid)
        cpu, written = cpu_seconds(process), len(terminal.data)
        begun = time.perf_counter()
        time.sleep(window)
        seconds = time.perf_counter() - begun
        return Idle(
            (cpu_seconds(process) - cpu) / seconds * 100,
            (len(terminal.data) - written) / seconds,
            memory(process),
        )


def quit_time(command: Sequence[str], env: Mapping[str, str], ready: bytes) -> float:
    """Milliseconds from `q` to the end of the program."""
    with Pty(command, 80, 24, env) as terminal:
        terminal.wait_for(ready)
        time.sleep(0.5)
        begun = time.perf_counter()
        terminal.write(b"q")
        terminal.wait()
        return (time.perf_counter() - begun) * 1000


def memory(process: psutil.Process) -> float:
    """Resident MB of the process tree."""
    return sum(one.memory_info().rss for one in _tree(process)) / 1e6


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def cpu_seconds(process: psutil.Process) -> float:
    """Seconds of CPU of the process and all its children, ended ones included."""
    total = 0.0
    for one in _tree(process):
        times = one.cpu_times()
        total += times.user + times.system
        if one.pid == process.pid:
            total += times.children_user + times.children_system
    return total


def interleaved(rounds: int, takings: Sequence[tuple[Series, Callable[[], float]]]) -> None:
    """One of each, then one of each again: what else the machine does hits all alike."""
    for _ in range(rounds):
        for series, take in takings:
            series.values.append(take())


def load() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())
