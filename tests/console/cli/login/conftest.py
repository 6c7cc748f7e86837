"""A controller to log in to, over HTTP, and an empty home."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo.controller import (
    LIMITED,
    NOBODY,
    VIEWER,
    Controller,
    Link,
    Node,
    Pipeline,
    Say,
)
from tests.console.cli.login.loggingin import PASSWORD, SEES_NODES, TOKEN
from tests.support.jenkins import JenkinsServer


@pytest.fixture
def controller() -> Controller:
    made = Controller(lambda: time.time_ns() // 1_000_000)
    for name, role in {
        "operator": SEES_NODES,
        "viewer": VIEWER,
        "limited": LIMITED,
        "nobody": NOBODY,
        "taro yamada": VIEWER,
    }.items():
        made.add_user(name, role, password=PASSWORD, tokens={"console": TOKEN})
    made.add_node(Node("trainer-1", ("gpu",), link=Link.LAUNCH_FAILED, log="Connection refused\n"))
    made.add_job("train", Pipeline((Say("x"),), agent=""))
    return made


@pytest.fixture
def server(controller: Controller) -> Iterator[JenkinsServer]:
    with JenkinsServer(controller) as serving:
        yield serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home: nothing of whoever runs the tests is read or written."""
    for name in [name for name in os.environ if name.startswith("MLOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)
    return tmp_path
