"""Logs of real containers on a real Engine: killed and restarted, rotating, cut off, and all that programs write."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from console.logs.ingest import visible
from console.logs.lines import LATE, OPEN, STDERR, Item, Kind, Line, Notice
from console.logs.tail import Tail
from console.sources.docker_engine import DockerEngine, parse_address
from tests.console.real.program import PROGRAM, environment, run
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.terminal import Pty
from tests.support.waiting import DEADLINE, until, until_sync


def started(engine: Engine, script: str, *options: str) -> str:
    """The id of a new container that runs a shell script."""
    return engine.docker("run", "-d", "--network=none", *options, BUSYBOX, "sh", "-c", script).strip()


def counting(count: int, batch: int, pause: int) -> str:
    """Numbered lines of about 70 characters, `batch` at once, `pause` microseconds in between."""
    say = 'printf "n=%09d ' + "x" * 60 + '\\n",i'
    wait = f'if(i%{batch}==0){{fflush();system("usleep {pause}")}}'
    return f"exec awk 'BEGIN{{for(i=1;i<={count};i++){{{say};{wait}}}}}'"


class Collected:
    """What a tail gave."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.notices: list[Notice] = []

    async def give(self, item: Item) -> None:
        if isinstance(item, Notice):
            self.notices.append(item)
        else:
            self.lines += item

    def numbers(self, *, late: bool) -> list[int]:
        return [int(text[2:11]) for _, flags, text in self.lines if bool(flags & LATE) is late]

    def kinds(self) -> set[Kind]:
        return {notice.kind for notice in self.notices}


async def collect(engine: Engine, container: str, **options: object) -> Collected:
    source = DockerEngine(parse_address(engine.host))
    found = Collected()
    try:
        await Tail(source, container, **options).run(found.give)  # type: ignore[arg-type]  # the test's own words
    finally:
        await source.aclose()
    return found


FLOWS = {
    "a quick log that rotates at 200 kB": (("max-size=200k", "max-file=90"), "json-file", counting(30_000, 20, 1000)),
    "bursts that rotate at 1 MB": (("max-size=1m", "max-file=50"), "json-file", counting(120_000, 500, 10_000)),
    "a slow log that rotates at 50 kB": (("max-size=50k", "max-file=90"), "json-file", counting(6000, 1, 500)),
    "the other driver": (("max-size=50k", "max-file=200"), "local", counting(6000, 1, 500)),
    "a log that never rotates": ((), "json-file", counting(100_000, 1000, 30_000)),
}


WHOLE = re.compile(rb"n=\d{9} x{60}")


async def test_no_line_is_lost_or_doubled_while_the_engine_is_killed_and_files_rotate(lasting_engine: Engine) -> None:
    """Five logs at once, three times SIGKILL for dockerd and its containerd, each at any moment."""
    engine = lasting_engine
    seed = random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    containers = {}
    for name, (options, driver, script) in FLOWS.items():
        words = [f"--log-driver={driver}", *(word for option in options for word in ("--log-opt", option))]
        containers[name] = started(engine, script, *words)
    tails = {name: asyncio.ensure_future(collect(engine, one, follow=True)) for name, one in containers.items()}
    for _ in range(3):
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        await asyncio.to_thread(engine.kill)
        await asyncio.sleep(chance.uniform(0.0, 0.4))
        await asyncio.to_thread(engine.start)
    for name, tail in tails.items():
        async with asyncio.timeout(300):
            found = await tail
        # What dockerd had read and not written when it was killed is in no file: the log itself is the truth.
        truth = engine.docker("logs", containers[name]).splitlines()
        told = f"{name}, seed {seed}"
        assert len(truth) > 1000, told
        assert Counter(text.decode() for _, _, text in found.lines) == Counter(truth), told
        in_order = [text for _, flags, text in found.lines if not flags & LATE and WHOLE.fullmatch(text)]
        assert in_order == sorted(in_order), told
        assert {Kind.UNREACHABLE, Kind.BACK, Kind.ENDED} <= found.kinds(), told


async def test_a_reader_slower_than_the_log_still_gets_every_line(engine: Engine) -> None:
    container = started(engine, counting(40_000, 2000, 50_000), "--log-opt", "max-size=500k", "--log-opt", "max-file=40")
    source = DockerEngine(parse_address(engine.host))
    found = Collected()

    async def slowly(item: Item) -> None:
        await asyncio.sleep(0.03)
        await found.give(item)

    try:
        await Tail(source, container, follow=True).run(slowly)
    finally:
        await source.aclose()
        engine.docker("rm", "-f", container)
    assert sorted([*found.numbers(late=False), *found.numbers(late=True)]) == list(range(1, 40_001))


async def test_lines_that_are_gone_are_said(engine: Engine) -> None:
    """Two files of 100 kB, while the console is away."""
    container = started(engine, counting(20_000, 500, 20_000), "--log-opt", "max-size=100k", "--log-opt", "max-file=2")
    source = DockerEngine(parse_address(engine.host))
    found = Collected()

    async def stuck(item: Item) -> None:
        await found.give(item)
        if len(found.lines) > 1500 and not found.notices[1:]:
            await asyncio.sleep(0.5)

    try:
        await Tail(source, container, follow=True).run(stuck)
    finally:
        await source.aclose()
        engine.docker("rm", "-f", container)
    numbers = found.numbers(late=False)
    assert numbers == sorted(set(numbers))
    missing = 20_000 - len(numbers)
    assert missing > 0
    assert Kind.LOST in found.kinds()


UNFINISHED = "head -c 40000 /dev/zero | tr '\\0' 'x'; printf end"


@pytest.mark.parametrize("options", [(), ("-t",)], ids=["without a terminal", "with a terminal"])
async def test_an_unfinished_last_line_is_there_whole(engine: Engine, options: Sequence[str]) -> None:
    """`follow` of Engine 20.10 loses what has no newline at the end in most runs."""
    for _ in range(4):
        container = started(engine, f"echo a; sleep 0.2; {UNFINISHED}", *options)
        found = await collect(engine, container, follow=True, grace=0.0)
        engine.docker("rm", container)
        assert [text for _, _, text in found.lines] == [b"a", b"x" * 40_000 + b"end"]
        assert found.lines[-1][1] == OPEN


async def test_what_programs_write_is_shown_as_what_it_is(engine: Engine) -> None:
    script = (
        "printf 'crlf\\r\\n'; printf '10%%\\r20%%\\r30%%\\n'; printf 'nul\\0\\n'; printf '\\377\\376\\n'; printf '学習\\n';"
        "printf '\\033[31mred\\033[0m\\n'; echo err >&2; sleep 0.2; head -c 100000 /dev/urandom |"
        "tr -d '\\n' | head -c 50000; echo"
    )
    container = started(engine, script)
    engine.docker("wait", container)
    found = await collect(engine, container)
    engine.docker("rm", container)
    out = [visible(text).decode() for _, flags, text in found.lines if not flags & STDERR]
    assert out[:6] == ["crlf", "30%", "nul␀", "\ufffd\ufffd", "学習", "red"]
    assert len(out) == 7
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in out[6])
    assert [text for _, flags, text in found.lines if flags & STDERR] == [b"err"]


async def test_a_line_of_20_mb_comes_in_parts_of_bounded_size(engine: Engine) -> None:
    container = started(engine, "head -c 20000000 /dev/zero | tr '\\0' 'x'; echo")
    engine.docker("wait", container)
    found = await collect(engine, container)
    engine.docker("rm", container)
    assert sum(len(text) for _, _, text in found.lines) == 20_000_000
    assert max(len(text) for _, _, text in found.lines) < 300_000


async def test_history_is_paged_in_while_lines_go_on(engine: Engine) -> None:
    """Through several files, and without a gap to what the tail began with."""
    container = started(engine, counting(12_000, 1000, 100_000), "--log-opt", "max-size=300k", "--log-opt", "max-file=20")
    await asyncio.to_thread(until_sync, lambda: int(engine.docker("logs", "--tail=1", container)[2:11] or 0) >= 1000, "history")
    source = DockerEngine(parse_address(engine.host))
    found = Collected()
    tail = Tail(source, container, lines=10, follow=True)
    running = asyncio.ensure_future(tail.run(found.give))
    await until(lambda: len(found.lines) > 4000, "some thousand lines")
    first = found.numbers(late=False)[0]
    assert first > 900
    older: list[int] = []
    while pages := await tail.history.older(700):
        older = [*(int(text[2:11]) for _, _, text in pages), *older]
    assert older == list(range(1, first))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await source.aclose()
    engine.docker("rm", "-f", container)


# The program


def test_a_log_is_the_same_as_docker_prints_it(engine: Engine, tmp_path: Path) -> None:
    container = started(engine, counting(30_000, 1000, 0))
    engine.docker("wait", container)
    env = environment(engine, tmp_path)
    assert run(env, "logs", container).stdout == engine.docker("logs", container)
    assert run(env, "logs", container[:12], "--tail", "3").stdout == engine.docker("logs", "--tail", "3", container)
    engine.docker("rm", container)


def test_a_restart_is_said_and_followed(engine: Engine, tmp_path: Path) -> None:
    container = started(engine, "echo begun; trap 'exit 0' TERM; sleep 60 & wait", "--name", "restarted")
    env = environment(engine, tmp_path)
    words = [*PROGRAM, "logs", "-f", "restarted"]
    program = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stderr is not None
    assert program.stdout.readline() == "begun\n"
    engine.docker("restart", "-t", "5", container)
    assert program.stdout.readline() == "begun\n"
    assert program.stderr.readline() == "mlops-console: restarted was started again; its log goes on.\n"
    engine.docker("rm", "-f", container)
    assert program.wait(20) == 0
    assert program.stdout.read() == ""
    assert "restarted" in program.stderr.read()


async def test_every_life_of_a_crash_loop_is_shown(engine: Engine) -> None:
    container = started(engine, "echo life; exit 1", "--restart=on-failure:3")
    found = await collect(engine, container, follow=True)
    engine.docker("rm", container)
    assert [text for _, _, text in found.lines] == [b"life"] * 4
    assert found.notices[-1].kind is Kind.ENDED


def test_a_service_that_is_made_anew_is_followed_on(engine: Engine, tmp_path: Path) -> None:
    labels = ("--label", "com.docker.compose.project=p", "--label", "com.docker.compose.service=anew")
    first = started(engine, "echo first; sleep 60", *labels)
    program = subprocess.Popen(
        [*PROGRAM, "logs", "-f", "anew"],
        env=environment(engine, tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "first\n"
    engine.docker("rm", "-f", first)
    second = started(engine, "echo second; sleep 1", *labels)
    assert program.stdout.readline() == "second\n"
    assert program.wait(20) == 0
    engine.docker("rm", second)


def test_ctrl_c_ends_it_at_once_also_while_nobody_reads(engine: Engine, tmp_path: Path) -> None:
    container = started(engine, "yes 'a line that comes again and again'")
    env = environment(engine, tmp_path)
    reader, writer = os.pipe()
    for follow in ((), ("-f",)):
        program = subprocess.Popen([*PROGRAM, "logs", *follow, container], env=env, stdout=writer, stderr=subprocess.PIPE)
        until_sync(partial(_waits_for_a_pipe, program.pid), "the program to wait for its reader")
        program.send_signal(signal.SIGINT)
        assert program.wait(5) == 130
        assert program.stderr is not None
        assert program.stderr.read().strip() == b""
    os.close(reader)
    os.close(writer)
    engine.docker("rm", "-f", container)


def _waits_for_a_pipe(pid: int) -> bool:
    return "pipe" in Path(f"/proc/{pid}/wchan").read_text()


def test_ctrl_c_in_a_terminal(engine: Engine, tmp_path: Path) -> None:
    container = started(engine, "echo ready; sleep 60")
    with Pty([*PROGRAM, "logs", "-f", container], environment=environment(engine, tmp_path, TERM="xterm")) as terminal:
        terminal.wait_for(b"ready")
        terminal.write(b"\x03")
        assert terminal.wait() == 130
        assert b"Traceback" not in terminal.data
    engine.docker("rm", "-f", container)


def test_a_reader_that_goes_away_is_no_error(engine: Engine, tmp_path: Path) -> None:
    container = started(engine, counting(50_000, 1000, 0))
    engine.docker("wait", container)
    env = environment(engine, tmp_path)
    words = " ".join([*PROGRAM, "logs", container])
    done = subprocess.run(
        ["bash", "-c", f"{words} | head -1; echo ${{PIPESTATUS[0]}}"], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[0].startswith("n=000000001 ")
    assert done.stdout.splitlines()[1] == "0"
    assert done.stderr == ""
    engine.docker("rm", container)


def test_a_bar_without_a_newline_shows_its_state_now_and_then(engine: Engine, tmp_path: Path) -> None:
    repaint = "i=0; while [ $i -lt 3000 ]; do printf '\\rstep %06d of 3000 ' $i; i=$((i+1)); done; sleep 60"
    container = started(engine, repaint)
    words = [*PROGRAM, "logs", "-f", container]
    program = subprocess.Popen(words, env=environment(engine, tmp_path), stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    shown = program.stdout.readline()
    assert re.fullmatch(r"step 00\d{4} of 3000 \n", shown), shown
    program.send_signal(signal.SIGINT)
    assert program.wait(5) == 130
    engine.docker("rm", "-f", container)


def test_several_logs_come_by_time(engine: Engine, tmp_path: Path) -> None:
    names = ("merge-a", "merge-b", "merge-c")
    script = "for i in 1 2 3 4 5 6 7 8; do echo $0 $i; usleep 30000; done"
    made = [
        engine.docker("run", "-d", "--network=none", "--name", name, BUSYBOX, "sh", "-c", script, name).strip()
        for name in names
    ]
    for container in made:
        engine.docker("wait", container)
    env = environment(engine, tmp_path)
    document = json.loads(run(env, "logs", *names, "--json").stdout)
    times = [item["time"] for item in document["items"]]
    assert len(times) == 24
    assert times == sorted(times)
    text = run(env, "logs", *names).stdout.splitlines()
    assert sorted(text) == sorted(f"{name} | {name} {number}" for name in names for number in range(1, 9))
    assert [line.split(" | ")[1] for line in text] == [item["text"] for item in document["items"]]
    engine.docker("rm", *made)


def test_a_driver_that_keeps_nothing_is_named(engine: Engine, tmp_path: Path) -> None:
    container = started(engine, "echo lost", "--log-driver", "none")
    done = run(environment(engine, tmp_path), "logs", container)
    engine.docker("rm", "-f", container)
    assert done.returncode == 3
    assert done.stderr == 'mlops-console: Log driver "none": Docker keeps nothing.\n'


async def test_a_follower_starts_before_its_container_does(engine: Engine) -> None:
    container = engine.docker("create", "--network=none", BUSYBOX, "echo", "at last").strip()
    source = DockerEngine(parse_address(engine.host))
    found = Collected()
    tail = asyncio.ensure_future(Tail(source, container, follow=True, grace=0.5).run(found.give))
    await until(lambda: Kind.WAITING in found.kinds(), "the notice")
    engine.docker("start", container)
    async with asyncio.timeout(DEADLINE):
        await tail
    await source.aclose()
    engine.docker("rm", container)
    assert [text for _, _, text in found.lines] == [b"at last"]
