"""Whose a process is on a real /proc: containers of a real Engine, seen by root and by somebody who may nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from console.model.gpu import GpuProcess
from tests.support.engine import Engine
from tests.support.nvml.stage import NOBODY, Libraries, Stage, scene


@pytest.fixture
def plain() -> Iterator[subprocess.Popen[bytes]]:
    """A process of no container."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


@pytest.fixture
def training(engine: Engine) -> Iterator[tuple[str, int]]:
    """Id and host pid of a container that user 4242 runs."""
    made = engine.docker("run", "--detach", "--network=none", "--user=4242", "busybox:test", "sleep", "2000").strip()
    yield made, int(engine.inspect(made)["State"]["Pid"])
    engine.docker("rm", "--force", made)


async def rows(stage: Stage, pids: list[int], proc: Path) -> list[GpuProcess]:
    for place, pid in enumerate(pids):
        stage.control.pids[place] = pid
    async with stage.gpus(proc=proc) as gpus:
        (card,) = (await gpus.read()).cards
    found = {one.pid: one for one in card.processes or ()}
    return [found[pid] for pid in pids]


@scene(loaded=1)
async def of_containers(stage: Stage) -> None:
    container, inside, outside = stage.arguments
    first, second = await rows(stage, [int(inside), int(outside)], Path("/proc"))
    assert (first.container, first.user, first.command) == (container, "4242", "sleep 2000")
    assert (second.container, second.user, second.command) == (None, "root", "sleep 1000")
    for one in (first, second):
        assert not one.hidden
        assert one.started_at is not None
        assert one.started_at.timestamp() == pytest.approx(psutil.Process(one.pid).create_time(), abs=1.5)


@pytest.mark.parametrize("user", [0, NOBODY])
def test_container_user_and_command_need_no_root(
    libraries: Libraries, tmp_path: Path, training: tuple[str, int], plain: subprocess.Popen[bytes], user: int
) -> None:
    container, pid = training
    libraries.play(of_containers, "current", tmp_path, container, str(pid), str(plain.pid), user=user)


def test_the_container_of_a_container_that_ended_is_not_told(
    libraries: Libraries, tmp_path: Path, engine: Engine, training: tuple[str, int]
) -> None:
    container, pid = training
    engine.docker("kill", container)
    libraries.play(of_nobody, "current", tmp_path, str(pid), "/proc")


@scene(loaded=1)
async def of_nobody(stage: Stage) -> None:
    pid, proc = stage.arguments
    (row,) = await rows(stage, [int(pid)], Path(proc))
    assert row.hidden
    assert (row.container, row.user, row.command, row.started_at) == (None, None, None, None)


@pytest.fixture
def hiding(tmp_path: Path) -> Iterator[Path]:
    """A /proc that shows nobody but its owner a process."""
    # Before 5.8 the option would change the /proc of everybody.
    if tuple(int(part) for part in platform.release().split(".")[:2]) < (5, 8) or os.geteuid() != 0:
        pytest.skip("a /proc of its own with hidepid takes root and Linux 5.8")
    folder = tmp_path / "hiding"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "proc", "-o", "hidepid=2", "proc", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no /proc can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    with suppress(subprocess.CalledProcessError):
        subprocess.run(["umount", folder], check=True)


def test_processes_that_proc_hides_are_said_to_be_hidden(
    libraries: Libraries, tmp_path: Path, hiding: Path, plain: subprocess.Popen[bytes]
) -> None:
    libraries.play(of_nobody, "current", tmp_path, str(plain.pid), str(hiding), user=NOBODY)
