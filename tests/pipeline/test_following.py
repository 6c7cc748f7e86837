"""The log on its way to whoever follows it: nothing is lost, and train.log has nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from infra.jenkins.steps import docker, entries, finish, follow
from infra.jenkins.steps.entries import Entry
from infra.jenkins.steps.record import Folder, Record
from tests.pipeline.workplace import Workplace
from tests.support.waiting import until_sync

# Lines from 1 on, and on when a file appears: `docker exec` makes it.
# Much text between the numbers: what is written then reaches the disk before it is noted.
COUNTS = """
number=0
padding=$(head -c 2000 /dev/zero | tr '\\0' x)
while [ ! -e /tmp/enough ]; do
    number=$((number + 1))
    echo "line $number"
    echo $padding
    usleep 2000
done
echo "$number lines"
"""


def count(text: str) -> list[int]:
    return [int(line.removeprefix("line ")) for line in text.splitlines() if line.startswith("line ")]


def has_shown(work: Workplace, follower: subprocess.Popen[bytes], lines: int) -> bool:
    return len(count(work.output(follower))) > lines


def test_a_follower_is_killed_again_and_again(work: Workplace) -> None:
    container = work.started("small", work.project("small", COUNTS), "1")
    seen: list[str] = []
    for _ in range(4):
        follower = work.begin("follow", BUILD_NUMBER="1")
        until_sync(partial(has_shown, work, follower, 200))
        os.kill(follower.pid, signal.SIGKILL)
        follower.wait()
        seen.append(work.output(follower))
    work.engine.docker("exec", container, "touch", "/tmp/enough")
    seen.append(work.good("follow", BUILD_NUMBER="1").stdout)
    total = int(seen[-1].splitlines()[-1].removesuffix(" lines"))
    # Shown to somebody: every line at least once. Lines that were cut by the kill come again.
    assert set(count("".join(seen))) >= set(range(1, total + 1))
    assert count(work.file("1", "train.log").read_text()) == list(range(1, total + 1))
    # Not from the beginning every time.
    assert min(count(seen[-1])) > 50


def test_a_follower_that_comes_late_gets_all(work: Workplace) -> None:
    container = work.started("small", work.project("small", "for n in 1 2 3; do echo line $n; done"), "2")
    until_sync(lambda: not work.engine.inspect(container)["State"]["Running"])
    assert count(work.good("follow", BUILD_NUMBER="2").stdout) == [1, 2, 3]
    assert count(work.good("follow", BUILD_NUMBER="2").stdout) == []


def test_the_last_words_have_no_line_end(work: Workplace) -> None:
    """`docker logs -f` often loses them: the log is read once more when the container has ended."""
    script = "echo first; for n in $(seq 2000); do printf '%s' 0123456789; done"
    for build in ("3", "4", "5"):
        work.started("small", work.project("small", script), build)
        said = work.good("follow", BUILD_NUMBER=build).stdout
        assert said == "first\n" + "0123456789" * 2000 + "\n"


def test_a_long_line_is_one_line(work: Workplace) -> None:
    """The Engine cuts at 16 KiB, and marks the pieces with times that are no part of the text."""
    work.started("small", work.project("small", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo after"), "6")
    assert work.good("follow", BUILD_NUMBER="6").stdout == "x" * 100000 + "\nafter\n"


def test_a_flood_arrives_whole(work: Workplace) -> None:
    work.started("small", work.project("small", "seq 200000 | sed 's/^/line /'"), "7")
    followed = work.good("follow", BUILD_NUMBER="7").stdout
    work.good("finish", BUILD_NUMBER="7")
    assert count(followed) == list(range(1, 200001))
    assert count(work.file("7", "train.log").read_text()) == list(range(1, 200001))


def logged(*lines: bytes) -> Callable[..., Iterator[Entry]]:
    """entries.read of an Engine that has these lines."""

    def read(*_: object, **__: object) -> Iterator[Entry]:
        for line in lines:
            yield Entry(stderr=False, time=f"time of {line.decode()}", text=line + b"\n")

    return read


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The folder of a training whose container has ended."""
    folder = Folder(tmp_path)
    folder.keep(Record("p", "0" * 40, "train", 5, resources={"timeout": 60}, container="c"))
    monkeypatch.setattr(docker, "inspect", lambda *_: {"State": {"Running": False, "StartedAt": ""}})
    return folder


@pytest.mark.parametrize("at_the_end", [True, False])
def test_what_a_follower_had_before_a_rotation_stays(ended: Folder, monkeypatch: pytest.MonkeyPatch, at_the_end: bool) -> None:
    """The Engine's files hold a gigabyte: of a longer log the follower's own has the beginning."""
    monkeypatch.setattr(entries, "read", logged(b"1", b"2"))
    follow.follow(ended, lambda _: None)
    monkeypatch.setattr(entries, "read", logged(b"3", b"4"))
    if at_the_end:
        follow.follow(ended, lambda _: None)
    for _ in range(2):
        finish._collect_log(ended, "c")
        assert ended.log.read_text() == "1\n2\n3\n4\n"


def test_what_nobody_dropped_is_not_there_twice(ended: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "read", logged(b"1", b"2"))
    follow.follow(ended, lambda _: None)
    monkeypatch.setattr(entries, "read", logged(b"1", b"2", b"3"))
    finish._collect_log(ended, "c")
    assert ended.log.read_text() == "1\n2\n3\n"


def test_the_engine_is_killed_while_somebody_follows(work_of_its_own: Workplace) -> None:
    """The training dies with it here; its log and its end are told all the same."""
    work = work_of_its_own
    work.started("small", work.project("small", COUNTS), "8")
    follower = work.begin("follow", BUILD_NUMBER="8")
    until_sync(lambda: len(count(work.output(follower))) > 20)
    work.engine.kill()
    until_sync(lambda: "Trying again" in work.output(follower))
    work.engine.start()
    assert follower.wait(60) == 0
    assert work.step("finish", BUILD_NUMBER="8").returncode == 1
    numbers = count(work.file("8", "train.log").read_text())
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers == count(work.output(follower))
