"""Every example of docs/acts.md, as a shell runs it."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from console.demo.controller import Fail, Input, Multibranch, Parameter, ParameterKind, Pipeline, Say, Sh, Stage
from tests.console.actions.stage import COMMIT, training
from tests.console.cli.acting import stocked
from tests.console.real.program import PROGRAM, ROOT
from tests.support.jenkins import JenkinsServer
from tests.support.jenkins.reaching import TOKEN
from tests.support.jenkins.world import World

EXAMPLES = re.findall(r"^    (mlops-console .+)$", (ROOT / "docs" / "acts.md").read_text(), re.MULTILINE)
PUBLISH = (
    Parameter("CHANNEL", ParameterKind.CHOICE, choices=("nightly", "stable")),
    Parameter("TOKEN", ParameterKind.PASSWORD, default="x"),
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[JenkinsServer, World]]:
    """What the page is about: project-b failed as #1 and left a checkpoint as #2, project-a is trained as #3, project-c waits,
    `promote` asks."""
    world = World()
    stocked(world, lambda build: training(build) if build.number > 1 else Pipeline((Fail("exit 1"),)))
    made = world.controller
    made.add_job("publish", Pipeline((Sh("upload", ("done", 5.0)),)), parameters=PUBLISH)
    made.add_job("nightly", Pipeline((Say("x"),)))
    where = Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production"))
    made.add_job("promote", Pipeline((Stage("ask", (Input("go", "Serve it?", "Promote", parameters=(where,)),)),), agent=None))
    project = made.add_multibranch("my-repo", {})
    assert isinstance(project, Multibranch)
    made.add_branch(project, "main", "a" * 40, Pipeline((Say("hello"),)))
    for name, delay, seconds in (
        ("project-b", 0, 700.0),
        ("project-b", 0, 1.0),
        ("project-a", 0, 1.0),
        ("project-c", 3e5, 1.0),
    ):
        made.trigger("train", {"PROJECT": name, "COMMIT": COMMIT}, by="admin", delay=delay)
        world.tick(seconds)
        if name == "project-b" and seconds == 1.0:
            made.stop("train", 2, by="admin")
            world.tick(60.0)
    made.trigger("promote", by="admin", delay=0)
    world.tick(5.0)
    (tmp_path / "overrides.txt").write_text("lr=0.1\n")
    (tmp_path / "token-file").write_text("hunter2\n")
    with JenkinsServer(made) as serving:
        yield serving, world


@contextmanager
def going_on(server: JenkinsServer, world: World, seconds: float) -> Iterator[None]:
    """Time goes by, so many seconds at once."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.02):
            with server.lock:
                world.tick(seconds)

    ticking = threading.Thread(target=go_on, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        over.set()
        ticking.join(20)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_works(place: tuple[JenkinsServer, World], tmp_path: Path, example: str) -> None:
    server, world = place
    program = tmp_path / "mlops-console"
    program.write_text(f'#!/bin/sh\nexec {" ".join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "MLOPS_JENKINS_URL": server.url,
        "MLOPS_JENKINS_USER": "operator",
        "MLOPS_JENKINS_TOKEN": TOKEN,
    }
    command = ["sh", "-c", example]
    waits = "--wait" in example or "--follow" in example
    # What is to be stopped must not end before it is.
    with going_on(server, world, 0.5 if "abort" in example else 4.0) if waits else nullcontext():
        done = subprocess.run(
            command, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "hunter2" not in done.stdout + done.stderr
