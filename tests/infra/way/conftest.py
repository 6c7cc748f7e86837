"""One way in for all tests of a process, from the internet to a stand-in for Jenkins."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from infra.release.release import Release
from infra.release.sending import Run, Sent, send_all
from tests.support import skips
from tests.support.gotools import NoGoError
from tests.support.waiting import until_sync
from tests.support.way import NoWayError, Way

COMMIT = "a" * 40
Send = Callable[..., list[Sent]]


@pytest.fixture(scope="session")
def way_or_reason() -> Iterator[Way | str]:
    """Tried once for each process."""
    try:
        way = Way()
    except NoGoError as error:
        yield skips.NO_GO.format(why=error)
    except NoWayError as error:
        yield skips.NO_WAY.format(why=error)
    else:
        yield way
        way.close()


@pytest.fixture
def way(way_or_reason: Way | str) -> Iterator[Way]:
    """Open, and nothing has come in as yet."""
    if isinstance(way_or_reason, str):
        pytest.skip(way_or_reason)
    _forget(way_or_reason)
    yield way_or_reason
    _forget(way_or_reason)


def _forget(way: Way) -> None:
    way.jenkins.trigger.leave_queue()
    way.jenkins.arrived.clear()


@pytest.fixture
def send(way: Way) -> Send:
    """The workflow's own sender: releases these projects, and never waits by the clock: for the gate alone, which lets
    sixty through at once and then five a second. Those of the tests before count, too."""

    def run(
        *projects: str, pause: Callable[[], None] | None = None, commit: str = COMMIT, run: str = "17", patience: float = 900.0
    ) -> list[Sent]:
        release = Release("example/mlops", "refs/heads/main", commit, 7, projects or ("project-a",))

        seen = len(way.gate.log)

        def sleep(_seconds: float) -> None:
            nonlocal seen
            if pause is not None:
                pause()
                return
            # It asks again at once, until the gate has room: for nothing else it may have had to wait.
            until_sync(lambda: " 429 POST " in way.gate.log[seen:], "the gate to have refused it for its rate")
            seen = len(way.gate.log)

        return list(
            way.from_world(
                lambda: send_all(release, way.target, Run(run, "1"), lambda _words: None, sleep=sleep, patience=patience)
            )
        )

    return run
