"""Child processes: what comes back, and that nothing stays behind however it ends."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from console.sources._process import LINE_LIMIT, OUTPUT_LIMIT, Children, Finished
from tests.support.waiting import until, until_sync

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
# Tells its own number and that of a child which keeps the output open, and never ends by itself.
STAYS = "sleep 1000 & echo $$ $! > pids.new; mv pids.new pids; wait"


def gone(pids: list[int]) -> bool:
    """Whether all are dead. One that its parent has not heard of yet is."""
    return all(state(pid) in "ZX" for pid in pids)


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return "X"


async def started(folder: Path) -> list[int]:
    await until((folder / "pids").exists, "the child to tell its numbers")
    return [int(word) for word in (folder / "pids").read_text().split()]


def shell(
    children: Children, script: str, folder: Path, *, deadline: float = 60.0, given: bytes = b""
) -> asyncio.Task[Finished]:
    return asyncio.create_task(children.run(["sh", "-c", script], env=ENV, cwd=folder, deadline=deadline, given=given))


async def test_status_and_both_outputs(tmp_path: Path) -> None:
    done = await shell(Children(), "echo out; echo err >&2; exit 3", tmp_path)
    assert done == Finished(3, b"out\n", b"err\n")


async def test_only_the_given_variables_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAK", "s3cret")
    done = await shell(Children(), "env; pwd", tmp_path)
    assert b"LEAK" not in done.out
    assert done.out.endswith(f"{tmp_path}\n".encode())


async def test_what_is_given_is_read_and_otherwise_there_is_nothing_to_read(tmp_path: Path) -> None:
    much = b"x" * 1_000_000
    assert (await shell(Children(), "cat", tmp_path, given=much)).out == much
    assert (await shell(Children(), "cat", tmp_path)).out == b""
    assert (await shell(Children(), "exec <&-; exit 4", tmp_path, given=much)).status == 4


async def test_output_beyond_the_limit_is_dropped_and_told(tmp_path: Path) -> None:
    done = await shell(Children(), f"head -c {OUTPUT_LIMIT + 1} /dev/zero; echo end >&2", tmp_path)
    assert (done.status, len(done.out), done.err, done.cut) == (0, OUTPUT_LIMIT, b"end\n", True)
    full = await shell(Children(), f"head -c {OUTPUT_LIMIT} /dev/zero", tmp_path)
    assert (len(full.out), full.cut) == (OUTPUT_LIMIT, False)


async def test_the_deadline_ends_all_of_it(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        await shell(Children(), "sleep 1000", tmp_path, deadline=0.1)


async def test_cancelling_ends_all_of_it(tmp_path: Path) -> None:
    task = shell(Children(), STAYS, tmp_path)
    pids = await started(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: gone(pids), "all of the group to be gone")


async def test_cancelling_in_the_middle_of_the_start_ends_all_of_it(tmp_path: Path) -> None:
    """A child can be quicker than the loop that has just forked it."""
    task = shell(Children(), STAYS, tmp_path)
    for _ in range(2):
        await asyncio.sleep(0)
    until_sync((tmp_path / "pids").exists, "the child to be ahead of the loop, which stands still")
    pids = await started(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: gone(pids), "all of the group to be gone")


async def test_a_group_without_its_leader_ends_too(tmp_path: Path) -> None:
    task = shell(Children(), STAYS.replace("; wait", ""), tmp_path)
    leader, left = await started(tmp_path)
    await until(lambda: gone([leader]), "the leader to end")
    assert not gone([left])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: gone([left]), "what it left to be gone")


async def test_closing_ends_all_of_them(tmp_path: Path) -> None:
    children = Children()
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    tasks = [shell(children, STAYS, folder) for folder in folders]
    pids = [pid for folder in folders for pid in await started(folder)]
    await children.aclose()
    assert [(await task).status for task in tasks] == [-9, -9]
    await until(lambda: gone(pids), "both groups to be gone")
    await children.aclose()


async def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    for command in (str(program), str(tmp_path / "none")):
        with pytest.raises(OSError, match=r"program|none|Exec format"):
            await Children().run([command], env=ENV, cwd=tmp_path, deadline=60.0)


def test_on_a_loop_that_is_not_the_main_thread_s(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told: list[object] = []

    async def cancelled() -> Finished:
        children = Children()
        task = shell(children, STAYS, tmp_path)
        told.append(await started(tmp_path))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await shell(children, "echo fine", tmp_path)

    thread = threading.Thread(target=lambda: told.append(asyncio.run(cancelled())))
    thread.start()
    thread.join(60.0)
    assert told[1:] == [Finished(0, b"fine\n", b"")]
    assert not caplog.records, "asyncio complains of a process that it did not see end"


def followed(
    children: Children, script: str, folder: Path, heard: list[bytes], *, quiet: float = 60.0, last_words: float = 60.0
) -> asyncio.Task[int]:
    return asyncio.create_task(
        children.follow(["sh", "-c", script], env=ENV, cwd=folder, quiet=quiet, hear=heard.append, last_words=last_words)
    )


async def test_lines_are_heard_as_they_come(tmp_path: Path) -> None:
    heard: list[bytes] = []
    task = followed(
        Children(), "echo out; while [ ! -e go ]; do sleep 0.01; done; printf 'a\\n\\nb' >&2; exit 3", tmp_path, heard
    )
    await until(lambda: heard, "the first line")
    (tmp_path / "go").touch()
    assert await task == 3
    assert heard == [b"out", b"a", b"", b"b"]


async def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    heard: list[bytes] = []
    (tmp_path / "said").write_bytes(b"x" * (4 * LINE_LIMIT + 100) + b"\nend\nx")
    assert await followed(Children(), "cat said", tmp_path, heard) == 0
    assert [len(line) for line in heard] == [LINE_LIMIT, 3, 1]


async def test_whoever_is_silent_is_asked_to_end(tmp_path: Path) -> None:
    heard: list[bytes] = []
    task = followed(
        Children(), "trap 'echo ending; exit 0' INT; sleep 1000 & while :; do sleep 1000; done", tmp_path, heard, quiet=0.3
    )
    await until(task.done, "it to end")
    with pytest.raises(TimeoutError):
        await task
    assert heard == [b"ending"]  # though what it has left behind keeps its output open


async def test_whoever_talks_is_not(tmp_path: Path) -> None:
    heard: list[bytes] = []
    script = "for n in 1 2 3 4 5 6; do sleep 0.2; printf .; done"
    assert await followed(Children(), script, tmp_path, heard, quiet=1.0) == 0
    assert heard == [b"......"]


async def test_cancelling_asks_all_of_the_group_to_end_in_order(tmp_path: Path) -> None:
    heard: list[bytes] = []
    child = "sh -c 'trap \"echo child; exit 0\" INT; echo ready; while :; do sleep 0.01; done'"
    task = followed(Children(), f"trap 'echo parent; exit 0' INT; {child}; exit 1", tmp_path, heard)
    await until(lambda: heard, "the child to be ready")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == [b"ready", b"child", b"parent"]


@pytest.mark.parametrize("impatient", [False, True])
async def test_whoever_does_not_end_is_killed(tmp_path: Path, impatient: bool) -> None:
    heard: list[bytes] = []
    # A shell that is about to wait can miss its trap until the wait ends: this one sleeps.
    script = f"trap 'echo no' INT; {STAYS.removesuffix('; wait')}; echo ready; while :; do sleep 0.01; done"
    task = followed(Children(), script, tmp_path, heard, last_words=60.0 if impatient else 0.1)
    pids = await started(tmp_path)
    # Whoever is cancelled before it has begun to listen asks nobody, and kills.
    await until(lambda: heard, "it to be listened to")
    task.cancel()
    if impatient:
        await until(lambda: b"no" in heard, "it to refuse")
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: gone(pids), "all of the group to be gone")


async def test_closing_ends_whoever_is_followed(tmp_path: Path) -> None:
    children = Children()
    task = followed(children, STAYS, tmp_path, [])
    pids = await started(tmp_path)
    await children.aclose()
    assert await task == -9
    await until(lambda: gone(pids), "all of the group to be gone")
    with pytest.raises(OSError, match="none"):
        await children.follow([str(tmp_path / "none")], env=ENV, cwd=tmp_path, quiet=60.0, hear=print, last_words=1.0)
