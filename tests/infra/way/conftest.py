"""One way in for all tests of a process, from the internet to a stand-in for Jenkins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from infra.release.release import Release
from infra.release.sending import Run, Sent, send_all
from tests.support import skips
from tests.support.gotools import NoGoError
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
    """The workflow's own sender: releases these projects, and waits by the clock for nothing but the gate, which lets sixty
    through at once and then five a second: those of the tests before count, too."""

    def run(
        *projects: str, pause: Callable[[], None] | None = None, commit: str = COMMIT, run: str = "17", patience: float = 900.0
    ) -> list[Sent]:
        release = Release("example/mlops", "refs/heads/main", commit, 7, projects or ("project-a",))

        def sleep(_seconds: float) -> None:
            if pause is not None:
                pause()
            else:
                assert " 429 POST " in way.gate.log[seen:], "the sender had to wait"
                time.sleep(1.0)

        seen = len(way.gate.log)

        return list(
            way.from_world(
                lambda: send_all(release, way.target, Run(run, "1"), lambda _words: None, sleep=sleep, patience=patience)
            )
        )

    return run
