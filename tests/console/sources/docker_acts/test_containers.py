"""Containers of a real Engine started, stopped, killed, paused, removed and looked into."""

from __future__ import annotations

import asyncio
import time

import pytest

from console.model.source import NotThereError, SourceError, SourceState
from console.sources.docker_acts import DockerActs
from tests.console.sources.docker_acts.conftest import Run
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.waiting import until_sync

STUBBORN = "trap '' TERM; touch /ready; while true; do sleep 0.05; done"
WILLING = "trap 'exit 7' TERM; touch /ready; while true; do sleep 0.05; done"
NOBODY = "f" * 64


def state(engine: Engine, container: str) -> str:
    return str(engine.inspect(container)["State"]["Status"])


def ready(engine: Engine, container: str) -> None:
    """Its trap is laid: a signal before that would meet a shell that ignores it, being process 1."""
    path = f"/containers/{container}/archive?path=/ready"
    until_sync(lambda: engine.request("GET", path, b"", "text/plain")[0] == 200, "the container to begin")


async def test_start_and_stop_tell_what_was_so_already(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run(WILLING)
    ready(acted_on, container)
    assert await acts.start(container) is False
    assert await acts.stop(container, None) is True
    assert state(acted_on, container) == "exited"
    assert acted_on.inspect(container)["State"]["ExitCode"] == 7, "it was asked, and not killed"
    assert await acts.stop(container, 5) is False
    assert await acts.start(container) is True
    assert state(acted_on, container) == "running"


async def test_a_grace_ends_with_a_kill(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run(STUBBORN)
    ready(acted_on, container)
    assert await acts.stop(container, 0) is True
    assert acted_on.inspect(container)["State"]["ExitCode"] == 137


async def test_none_is_the_grace_of_the_container_itself(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run(STUBBORN, "--stop-timeout=1")
    ready(acted_on, container)
    begun = time.monotonic()
    assert await acts.stop(container, None) is True
    assert time.monotonic() - begun >= 1
    assert acted_on.inspect(container)["State"]["ExitCode"] == 137
    acted_on.docker("start", container)
    begun = time.monotonic()
    await acts.restart(container, None)
    assert time.monotonic() - begun >= 1


async def test_restart(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run(WILLING)
    ready(acted_on, container)
    before = acted_on.inspect(container)["State"]["StartedAt"]
    await acts.restart(container, 0)
    assert state(acted_on, container) == "running"
    assert acted_on.inspect(container)["State"]["StartedAt"] > before


async def test_how_long_a_stop_is_waited_for(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    own = run(WILLING, "--stop-timeout=120")
    for_ever = run(WILLING, "--stop-timeout=-1")
    none = run(WILLING)
    assert await acts._patience(own, None) == 150
    assert await acts._patience(none, None) == 40
    assert await acts._patience(own, 3) == 33
    assert await acts._patience(for_ever, None) > 24 * 3600
    assert await acts._patience(own, 10**12) < 10**6


async def test_kill_by_name_of_the_signal(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run(WILLING)
    ready(acted_on, container)
    await acts.kill(container, "SIGTERM")
    acted_on.docker("wait", container)
    assert acted_on.inspect(container)["State"]["ExitCode"] == 7
    with pytest.raises(SourceError) as caught:
        await acts.kill(container, "SIGKILL")
    assert caught.value.state is SourceState.OK
    assert caught.value.reason.startswith("Docker answers 409: ")
    assert "is not running" in caught.value.reason
    assert not caught.value.unsure
    assert not isinstance(caught.value, NotThereError)
    with pytest.raises(SourceError, match=r"(?i)invalid signal"):
        await acts.kill(container, "SIGNONE")


async def test_pause_and_unpause(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run()
    await acts.pause(container)
    assert state(acted_on, container) == "paused"
    with pytest.raises(SourceError, match="already paused"):
        await acts.pause(container)
    await acts.unpause(container)
    assert state(acted_on, container) == "running"
    with pytest.raises(SourceError, match="not paused"):
        await acts.unpause(container)


async def test_a_container_that_runs_is_not_removed(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run("exec sleep 1000", "-v", "/unnamed", "-v", "named:/named")
    with pytest.raises(SourceError, match="You cannot remove a running container"):
        await acts.remove_container(container, volumes=True)
    assert state(acted_on, container) == "running"
    await acts.kill(container, "SIGKILL")
    acted_on.docker("wait", container)
    await acts.remove_container(container, volumes=True)
    assert acted_on.docker("volume", "ls", "-q").split() == ["named"]
    await acts.remove_volume("named")


async def test_volumes_stay_unless_told_otherwise(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run("true", "-v", "/unnamed")
    acted_on.docker("wait", container)
    await acts.remove_container(container, volumes=False)
    (left,) = acted_on.docker("volume", "ls", "-q").split()
    await acts.remove_volume(left)
    assert acted_on.docker("volume", "ls", "-q") == ""


async def test_a_volume_in_use_stays(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run("true", "-v", "held:/d")
    acted_on.docker("wait", container)
    with pytest.raises(SourceError) as caught:
        await acts.remove_volume("held")
    assert caught.value.reason.startswith("Docker answers 409: ")
    assert "volume is in use" in caught.value.reason
    acted_on.docker("rm", container)
    await acts.remove_volume("held")
    with pytest.raises(NotThereError):
        await acts.remove_volume("held")


async def test_top_is_a_table(acts: DockerActs, run: Run) -> None:
    titles, *rows = await acts.top(run("exec sleep 1234"))
    assert "PID" in titles
    assert [row[-1] for row in rows] == ["sleep 1234"]


async def test_raw_is_what_inspect_tells(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run("exec sleep 1000", "--env=SECRET=\x1b[2J")
    assert await acts.raw(container) == acted_on.inspect(container)


async def test_what_is_gone_is_not_there(acts: DockerActs) -> None:
    for act in (
        acts.start(NOBODY),
        acts.stop(NOBODY, 1),
        acts.stop(NOBODY, None),
        acts.restart(NOBODY, 1),
        acts.restart(NOBODY, None),
        acts.kill(NOBODY, "SIGKILL"),
        acts.pause(NOBODY),
        acts.unpause(NOBODY),
        acts.remove_container(NOBODY, volumes=False),
        acts.top(NOBODY),
        acts.raw(NOBODY),
        acts.remove_volume("nobody"),
    ):
        with pytest.raises(NotThereError) as caught:
            await act
        assert caught.value.state is SourceState.OK
        assert caught.value.reason.lower().startswith("docker answers 404: ")


async def test_names_that_would_be_another_address(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run()
    for name in ("", "..", "../volumes/x", f"{container}/../{container}", "a b", "\x1b[2J", f"{container}?force=1"):
        for act in (acts.stop(name, 0), acts.start(name), acts.remove_container(name, volumes=False), acts.raw(name)):
            with pytest.raises(SourceError, match="No container is called"):
                await act
        with pytest.raises(SourceError, match="No volume is called"):
            await acts.remove_volume(name)
    assert state(acted_on, container) == "running"


async def test_a_container_that_cannot_start_says_why(acted_on: Engine, acts: DockerActs) -> None:
    container = acted_on.docker("create", "--network=none", BUSYBOX, "/no/such/program\x1b[2J" + "x" * 900).strip()
    try:
        with pytest.raises(SourceError) as caught:
            await acts.start(container)
    finally:
        acted_on.docker("rm", container)
    assert not isinstance(caught.value, NotThereError)
    assert caught.value.reason.startswith("Docker answers ")
    assert "\x1b" not in caught.value.reason
    assert len(caught.value.reason) < 450


async def test_stops_do_not_wait_for_each_other(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    slow, fast = run(STUBBORN), run(WILLING)
    ready(acted_on, slow)
    ready(acted_on, fast)
    stopping = asyncio.create_task(acts.stop(slow, 5))
    assert await acts.stop(fast, 5) is True
    assert not stopping.done()
    await acts.kill(slow, "SIGKILL")
    assert await stopping is True
