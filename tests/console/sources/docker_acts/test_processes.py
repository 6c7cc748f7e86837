"""Processes of containers of a real Engine, and whether something is in one."""

from __future__ import annotations

import pytest

from console.model.source import NotThereError, SourceError
from console.sources.docker_acts import DockerActs
from tests.console.sources.docker_acts.conftest import Run
from tests.support.engine import Engine


async def test_what_runs_in_it(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run("exec sleep 1000")
    (found,) = await acts.processes(container)
    assert found.pid == acted_on.inspect(container)["State"]["Pid"]
    assert (found.user, found.command) == ("root", "sleep 1000")
    assert found.cpu is not None
    assert found.memory is not None
    assert found.seconds == 0
    acted_on.docker("kill", container)
    acted_on.docker("wait", container)
    with pytest.raises(SourceError, match="is not running"):
        await acts.processes(container)
    with pytest.raises(NotThereError):
        await acts.processes("f" * 64)


async def test_whether_something_is_in_it(acted_on: Engine, acts: DockerActs, run: Run) -> None:
    container = run()
    for path, there in (("/bin/sh", True), ("/bin", True), ("/bin/bash", False), ("/nowhere/at/all", False)):
        assert await acts.has(container, path) is there
    with pytest.raises(SourceError):
        await acts.has("..", "/bin/sh")
