"""Whose a process is, from files as the kernel lays them out."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.model.gpu import GpuProcess
from console.model.source import SourceError
from console.sources.gpu.processes import COMMAND_LIMIT, Owners
from tests.console.sources.gpu.procs import BOOTED, ID, process
from tests.support.nvml.stage import Stage, scene
from tests.support.waiting import DEADLINE, until_sync

OTHER = "c0" * 32
TICKS = os.sysconf("SC_CLK_TCK")


def told(owners: Owners, pid: int = 762) -> GpuProcess:
    owners.look_up(owners.check([pid]))
    return owners.tell(GpuProcess(pid, 5, 7, 3))


@pytest.mark.parametrize(
    ("cgroup", "container"),
    [
        ("0::/user.slice/session-1.scope\n", None),
        (f"0::/docker/{ID}\n", ID),
        (f"0::/system.slice/docker-{ID}.scope\n", ID),
        (f"0::/system.slice/docker-{ID}.scope/init.scope\n", ID),
        (f"12:pids:/docker/{ID}\n4:memory:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/\n", ID),
        (f"1:name=systemd:/system.slice/docker-{ID}.scope\n0::/system.slice/containerd.service\n", ID),
        (f"0::/a-parent-of-its-own/{ID}\n", ID),
        (f"0::/docker/{ID}/docker/{OTHER}\n", ID),
        (f"0::/../../docker/{ID}\n", ID),
        (f"0::/machine.slice/libpod-{OTHER}.scope/container\n", None),
        (f"0::/libpod_parent/libpod-conmon-{OTHER}\n", None),
        (f"0::/docker/{ID[:63]}\n", None),
        (f"0::/docker/{ID}0\n", None),
        ("nonsense\n\n0:\n", None),
        ("", None),
    ],
)
def test_the_container_is_read_from_the_cgroup(tmp_path: Path, cgroup: str, container: str | None) -> None:
    process(tmp_path, 762, cgroup=cgroup)
    assert told(Owners(tmp_path)).container == container


def test_inside_a_container_of_ours_those_within_it_count(tmp_path: Path) -> None:
    process(tmp_path, 762, cgroup=f"0::/docker/{ID}/tests/{OTHER}\n")
    process(tmp_path, 763, cgroup=f"0::/docker/{ID}\n")
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(f"0::/docker/{ID}\n")
    owners = Owners(tmp_path)
    assert told(owners).container == OTHER
    assert told(owners, 763).container == ID


def test_what_the_driver_said_stays_and_the_rest_is_added(tmp_path: Path) -> None:
    process(tmp_path, 762, started=250 * TICKS, command=b"python3\0train.py\0--token=hf_x\0")
    assert told(Owners(tmp_path)) == GpuProcess(
        762,
        5,
        7,
        3,
        None,
        told(Owners(tmp_path)).user,
        told(Owners(tmp_path)).command,
        datetime.fromtimestamp(BOOTED + 250, UTC),
    )
    assert told(Owners(tmp_path)).user == "root"
    assert told(Owners(tmp_path)).command == "python3 train.py --token=********"


def test_a_user_without_a_name_is_a_number(tmp_path: Path) -> None:
    process(tmp_path, 762, uid=3999999999)
    assert told(Owners(tmp_path)).user == "3999999999"


def test_a_name_with_brackets_and_blanks_does_not_move_the_fields(tmp_path: Path) -> None:
    process(tmp_path, 762, name="a) S 1 (b", started=7 * TICKS)
    assert told(Owners(tmp_path)).started_at == datetime.fromtimestamp(BOOTED + 7, UTC)


def test_a_command_line_is_short_and_harmless(tmp_path: Path) -> None:
    process(tmp_path, 762, command=b"python3\0-c\0import os\nos.system('\x1b[2J')\0" + b"x" * 5000 + b"\0\xff\0")
    command = told(Owners(tmp_path)).command
    assert command is not None
    assert len(command) <= COMMAND_LIMIT
    assert "\x1b" not in command
    assert "\n" not in command
    assert command.startswith("python3 -c import os")


def test_a_process_without_a_command_line_has_none(tmp_path: Path) -> None:
    process(tmp_path, 762, command=b"")
    found = told(Owners(tmp_path))
    assert (found.command, found.hidden) == (None, False)


def test_one_that_proc_does_not_tell_of_is_hidden(tmp_path: Path) -> None:
    assert told(Owners(tmp_path)) == GpuProcess(762, 5, 7, 3, hidden=True)


def test_one_that_ends_while_it_is_looked_at_is_hidden(tmp_path: Path) -> None:
    folder = process(tmp_path, 762)
    owners = Owners(tmp_path)
    new = owners.check([762])
    (folder / "cgroup").unlink()
    owners.look_up(new)
    assert owners.tell(GpuProcess(762, None, None)).hidden


def test_a_pid_that_was_given_to_another_process_is_another_process(tmp_path: Path) -> None:
    process(tmp_path, 762, started=100, cgroup=f"0::/docker/{ID}\n", command=b"first")
    owners = Owners(tmp_path)
    assert told(owners).container == ID
    process(tmp_path, 762, started=900, cgroup="0::/user.slice\n", command=b"second")
    found = told(owners)
    assert (found.container, found.command) == (None, "second")


def test_a_pid_that_changes_hands_before_the_look_is_not_told_as_the_first(tmp_path: Path) -> None:
    process(tmp_path, 762, started=100)
    owners = Owners(tmp_path)
    new = owners.check([762])
    folder = process(tmp_path, 762, started=900)
    command = pipe(folder)
    look = threading.Thread(target=owners.look_up, args=(new,), daemon=True)
    look.start()
    try:
        # Its command line, which could not be read now, is not even asked for.
        until_sync(lambda: not look.is_alive(), "the look to end")
    finally:
        os.close(os.open(command, os.O_RDWR))
    assert owners.tell(GpuProcess(762, None, None)).hidden


def test_a_pid_that_changes_hands_during_the_look_is_not_told_as_the_first(tmp_path: Path) -> None:
    folder = process(tmp_path, 762, started=100, cgroup=f"0::/docker/{ID}\n")
    command = pipe(folder)
    owners = Owners(tmp_path)
    look = threading.Thread(target=owners.look_up, args=(owners.check([762]),), daemon=True)
    look.start()
    with command.open("wb") as writer:  # from here on the command line is being read
        process(tmp_path / "next", 762, started=900)
        (tmp_path / "next" / "762" / "stat").replace(folder / "stat")
        writer.write(b"second")
    look.join(DEADLINE)
    assert owners.tell(GpuProcess(762, None, None)).hidden


def pipe(folder: Path) -> Path:
    """A command line that can only be read when somebody writes it."""
    command = folder / "cmdline"
    command.unlink()
    os.mkfifo(command)
    return command


def test_a_process_is_looked_at_once(tmp_path: Path) -> None:
    folder = process(tmp_path, 762, command=b"first")
    owners = Owners(tmp_path)
    assert told(owners).command == "first"
    for name in ("cmdline", "cgroup", "status"):
        (folder / name).unlink()
    assert owners.check([762]) == []
    assert owners.tell(GpuProcess(762, None, None)).command == "first"


def test_one_that_left_the_card_is_forgotten(tmp_path: Path) -> None:
    process(tmp_path, 762)
    owners = Owners(tmp_path)
    told(owners)
    owners.check([])
    assert owners.check([762]) == [(762, 100)]


@scene(loaded=1)
async def test_a_process_stuck_in_the_driver_holds_up_nothing(stage: Stage) -> None:
    """The kernel lets nobody read its command line: here that is a pipe into which nobody writes."""
    folder = process(stage.proc, 762, cgroup=f"0::/docker/{ID}\n")
    pipe(folder)
    process(stage.proc, 764, command=b"python3")
    async with stage.gpus() as gpus:
        for _ in range(2):
            stage.later(1)
            (card,) = (await gpus.read()).cards
        rows = {one.pid: one for one in card.processes or ()}
        assert (rows[762].container, rows[762].command, rows[762].hidden) == (ID, None, False)
        assert (rows[762].utilisation, rows[764].command) == (97, "python3")
        assert rows[763].hidden


@scene(loaded=1)
async def test_stuck_processes_do_not_take_a_thread_each_reading(stage: Stage) -> None:
    for pid in (762, 763, 764, 820):
        pipe(process(stage.proc, pid))
    async with stage.gpus(patience=3.0) as gpus:
        rows: dict[int, bool] = {}
        while not rows or any(rows.values()):
            with suppress(SourceError):
                rows = {one.pid: one.hidden for card in (await gpus.read()).cards for one in card.processes or ()}
        threads = threading.active_count()
        for _ in range(10):
            await gpus.read()
        assert threading.active_count() == threads
