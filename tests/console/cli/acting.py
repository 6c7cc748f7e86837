"""A controller over HTTP for the commands that act: its clock goes on only while a command waits."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.actions.jenkins import answering, patience, retrigger, stopping
from console.demo.controller import (
    OPERATOR,
    Build,
    Controller,
    Fail,
    Input,
    Kind,
    Multibranch,
    Node,
    Parameter,
    ParameterKind,
    Permission,
    Pipeline,
    Say,
    Sh,
    Stage,
)
from console.main import main
from tests.console.actions.stage import ASKS, COMMIT, TRAIN, training
from tests.console.cli.calling import SCHEMAS
from tests.support.jenkins.reaching import TOKEN, allow
from tests.support.jenkins.server import JenkinsServer
from tests.support.jenkins.world import World

SECRET = "hunter2-\N{LATIN SMALL LETTER E WITH ACUTE}"
DECLARED = (
    Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production")),
    Parameter("DRY", ParameterKind.BOOLEAN, default=False),
    Parameter("TOKEN", ParameterKind.PASSWORD, default="from-the-job"),
    Parameter("NOTES", ParameterKind.TEXT),
)
ASKS_TWICE = Pipeline(
    (Stage("ask", (Input("secret", "Its key?", "Use it", parameters=(Parameter("KEY", ParameterKind.PASSWORD),)), Say("go"))),),
    agent=None,
)


@dataclass
class Lab:
    """`call` runs the program; `done` are its requests that act, less those that only ask what the user may do."""

    world: World
    server: JenkinsServer
    capsys: pytest.CaptureFixture[str]
    secrets: list[str] = field(default_factory=lambda: [TOKEN, SECRET])

    @property
    def controller(self) -> Controller:
        return self.world.controller

    def call(self, *words: str) -> tuple[int, list[str], list[str]]:
        """Exit status, stdout and stderr."""
        status = main(list(words))
        got = self.capsys.readouterr()
        assert not [one for one in self.secrets if one in got.out + got.err]
        return status, got.out.splitlines(), got.err.splitlines()

    def wrong(self, *words: str) -> str:
        """The one sentence of a wrong use, which changes nothing."""
        before = self.picture()
        status, out, err = self.call(*words)
        assert (status, out, len(err)) == (2, [], 1), err
        assert self.done == []
        assert self.picture() == before
        return err[0].removeprefix("mlops-console: ")

    def answered(self, *words: str) -> tuple[int, dict[str, Any]]:
        status, out, _ = self.call(*words, "--json")
        assert len(out) == 1
        document: dict[str, Any] = json.loads(out[0])
        schema = json.loads((SCHEMAS / f"{document['kind']}.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document)
        return status, document

    @property
    def done(self) -> list[str]:
        posts = [line.partition(" ")[2] for line in self.server.requests if line.startswith("POST")]
        return [one for one in posts if not one.endswith("/build?delay=3600sec")]

    def picture(self) -> object:
        """All of the controller that an act could change."""
        with self.server.lock:
            jobs = self.controller.jobs
            builds = [
                (name, one.number, one.building, one.result, one.keep)
                for name, job in jobs.items()
                for one in job.newest_first()
            ]
            queue = [(one.id, one.state) for one in self.controller.waiting_items]
            nodes = [(one.name, one.temporarily_offline is not None) for one in self.controller.nodes.values()]
            return builds, queue, nodes, {name: job.disabled for name, job in jobs.items()}

    def train(self, project: str, *, seconds: float = 1.0) -> Build:
        with self.server.lock:
            given: dict[str, str | bool] = {"PROJECT": project, "COMMIT": COMMIT}
            self.controller.trigger("train", given, by="admin", delay=0)
            self.world.tick(seconds)
            return self.world.build("train")

    def start(self, job: str, *, seconds: float = 3.0) -> Build:
        with self.server.lock:
            self.controller.trigger(job, by="admin", delay=0)
            self.world.tick(seconds)
            return self.world.build(job)

    def values(self, build: Build) -> dict[str, str | bool]:
        return {one.name: one.value for one in build.parameters}

    def permit(self, *permissions: Permission) -> None:
        with self.server.lock:
            allow(self.controller, permissions)

    @contextmanager
    def going_on(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let time go by while a command waits."""

        async def sleep(seconds: float) -> None:
            with self.server.lock:
                self.world.tick(seconds)
            await asyncio.sleep(0)

        def patient() -> patience.Patience:
            return patience.Patience(sleep=sleep, now=lambda: self.world.at / 1000)

        with monkeypatch.context() as patched:
            for module in (answering, retrigger, stopping):
                patched.setattr(module, "Patience", patient)
            yield


def stocked(world: World, train: Callable[[Build], Pipeline] = training) -> None:
    """Jobs, nodes and a project of branches."""
    made = world.controller
    allow(made, OPERATOR | {Permission.RUN_UPDATE, Permission.AGENT_DISCONNECT, Permission.JOB_CONFIGURE})
    made.add_node(Node("trainer-1", ("gpu",)))
    made.add_job("train", train, parameters=TRAIN, concurrent=True)
    made.add_job("plain", Pipeline((Sh("work", ("one", 30.0, "two")),)))
    made.add_job("fails", Pipeline((Fail("no disk"),)))
    made.add_job("free", Pipeline((Sh("work", ("one", 30.0)),)), kind=Kind.FREESTYLE)
    made.add_job("with parameters", Pipeline((Sh("work", ("one", 30.0)),)), parameters=DECLARED)
    made.add_job("deploy", ASKS)
    made.add_job("ask", ASKS_TWICE)
    made.add_job("never", Pipeline((Sh("work", ("one", 30.0)),), agent="nowhere"))
    project = made.add_multibranch("mlops", {})
    assert isinstance(project, Multibranch)
    made.add_branch(project, "feature/x", "a" * 40, Pipeline((Say("hello"),)))


def environ(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    for name in [name for name in os.environ if name.startswith("MLOPS_")]:
        monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("MLOPS_JENKINS_URL", url)
    monkeypatch.setenv("MLOPS_JENKINS_USER", "operator")
    monkeypatch.setenv("MLOPS_JENKINS_TOKEN", TOKEN)
    monkeypatch.chdir(folder)
