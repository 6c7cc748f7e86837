"""Times on the screen are the viewer's: in tests the viewer lives in UTC."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from console.demo import FrozenClock, demo_jenkins
from console.model.jenkins import JenkinsWorld
from console.ui.app import ConsoleApp
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui import jenkinsworlds
from tests.console.ui.screenapp import app_of, still
from tests.support.held import all_loaded, no_loop_is_held

__all__ = ["all_loaded", "no_loop_is_held"]


@pytest.fixture(autouse=True)
def viewer_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def jenkins() -> JenkinsWorld:
    """The demo's Jenkins, read whole. Nobody changes it: worlds cannot be."""
    return jenkinsworlds.read_all()


@pytest.fixture
def reading_app(jenkins: JenkinsWorld) -> ConsoleApp:
    """The app on that world, with the demo's Jenkins to read logs and files from."""
    app = app_of(jenkinsworlds.world(jenkins))
    still(app).log_engine = FakeEngine()
    still(app).log_jenkins = demo_jenkins(FrozenClock(NOW))
    return app
