"""What the demo looks like on the screen: the joined rows, in the words of the screens."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import Enum

import pytest

from console.demo import demo_sources
from console.demo.actor import CYCLE_SECONDS
from console.demo.cast import CAST
from console.model.container import ContainerState
from console.model.service import Drift
from console.sources.protocols import Compose, ContainerEngine
from console.text import Clean
from tests.console.demo.stepping import BEGAN, sources_at, world_at


async def test_the_sources_are_what_the_console_asks_for() -> None:
    engine: ContainerEngine
    compose: Compose
    engine, compose = demo_sources()
    assert len(await engine.containers()) == 20
    project = await compose.project()
    assert project is not None
    assert (project.name, len(project.services), compose.changed()) == ("mlops", 9, False)


async def test_at_the_beginning_it_looks_like_a_server_with_a_few_worries() -> None:
    seen = await world_at(0.0)
    assert [(one.name, one.state.word, one.why, f"{len(one.containers)}/{one.wanted}") for one in seen.services] == [
        ("portainer", "unhealthy", "connection refused on :9000", "1/1"),
        ("cache", "1 of 2", "fewer run than declared", "1/2"),
        ("jenkins", "drifted", "image 2.568.2 runs, the file says 2.568.3", "1/1"),
        ("search", "starting", "not ready: the index is loading", "1/1"),
        ("agent", "healthy", "", "1/1"),
        ("frp_client", "healthy", "", "1/1"),
        ("gate", "healthy", "", "1/1"),
        ("metrics", "running", "", "1/1"),
        ("migrate", "done", "", "1/1"),
    ]
    assert [(row.container.name, row.state.word, row.why) for row in seen.trainings] == [
        ("mlops-project-b-127", "killed", "out of memory, limit 16 GiB"),
        ("mlops-project-c-121", "exited 1", ""),
        ("mlops-customer-churn-forecast-eu-118", "running", ""),
        ("mlops-project-a-125", "done", ""),
        ("mlops-project-a-128", "running", ""),
        ("mlops-vision-large-126", "running", ""),
        ("mlops-vision-large-119", "stopped", "exit 143"),
    ]
    assert [(row.container.name, row.state.word, row.why) for row in seen.others] == [
        ("jupyter-sato", "running", ""),
        ("registry-mirror", "running", ""),
        ("tensorboard", "running", ""),
        ("pensive_borg", "stopped", "exit 130"),
    ]
    assert [problem.sentence for problem in seen.problems] == [
        "portainer unhealthy for 12m: connection refused on :9000",
        "cache 1 of 2 running",
        "jenkins drifted: image 2.568.2 runs, the file says 2.568.3",
    ]
    assert seen.notes == ()


LOST = "no connection to frps at frps.example.org:7000; frpc goes on trying, its log says why"


@pytest.mark.parametrize(
    ("elapsed", "service", "word", "why", "since"),
    [
        (20.25, "metrics", "running", "", -152.0),
        (24.0, "metrics", "restarting", "out of memory, limit 128 MiB, 2 restarts", 20.5),
        (38.0, "metrics", "running", "", 28.0),
        (39.25, "search", "starting", "not ready: the index is loading", -30.5),
        (39.5, "search", "healthy", "", -30.5),
        (99.75, "frp_client", "healthy", "", -9 * 86400.0),
        (100.0, "frp_client", "unhealthy", LOST, 100.0),
        (129.0, "frp_client", "unhealthy", LOST, 100.0),
        (130.0, "frp_client", "healthy", "", -9 * 86400.0),
        (132.0, "search", "restarting", "5 restarts", 130.75),
        (145.0, "search", "restarting", "exit 1, 7 restarts", 143.5),
        (159.5, "search", "starting", "not ready: the index is loading", 149.5),
        (2 * CYCLE_SECONDS + 145.0, "search", "restarting", "exit 1, 15 restarts", 2 * CYCLE_SECONDS + 143.5),
    ],
)
async def test_what_happens_to_services(elapsed: float, service: str, word: str, why: str, since: float) -> None:
    seen = await world_at(elapsed)
    found = next(one for one in seen.services if one.name == service)
    assert (found.state.word, found.why, found.since) == (word, why, BEGAN + timedelta(seconds=since))


async def test_every_state_is_to_be_seen_within_one_cycle() -> None:
    words: set[str] = set()
    for elapsed in {0.0, *(act.at for actor in CAST for act in actor.acts)}:
        seen = await world_at(elapsed)
        words |= {str(one.state.word) for one in seen.services}
        words |= {str(row.state.word) for row in (*seen.trainings, *seen.others)}
    assert words == {
        "healthy", "unhealthy", "starting", "restarting", "drifted", "1 of 2", "running", "done", "killed", "stopped",
        "exited 1",
    }  # fmt: skip


async def test_portainer_stays_unhealthy_since_the_same_moment() -> None:
    for elapsed in (0.0, 29.75, 30.0, 500.0, 86400.0):
        portainer = next(one for one in (await world_at(elapsed)).services if one.name == "portainer")
        assert portainer.since == BEGAN - timedelta(minutes=12), elapsed


async def test_jenkins_runs_another_image_and_hash_than_the_file_declares() -> None:
    engine, compose = sources_at(0.0)
    seen = await world_at(0.0)
    jenkins = next(one for one in seen.services if one.name == "jenkins")
    assert jenkins.drift is Drift.IMAGE
    assert jenkins.declared is not None
    assert jenkins.declared.config_hash != jenkins.containers[0].label("com.docker.compose.config-hash")
    drifted = [one.name for one in seen.services if one.drift is not Drift.NONE]
    assert drifted == ["jenkins"]
    project = await compose.project()
    assert project is not None
    known = await engine.image_ids([one.image for one in project.services])
    assert {one.image: one.image_id for one in project.services if one.image_id} == known
    assert "jenkins/jenkins:2.568.3" not in known


async def test_trainings_carry_the_labels_that_make_them_runs() -> None:
    for row in (await world_at(0.0)).trainings:
        project, build, commit = (row.container.label(f"mlops.{key}") for key in ("project", "build", "commit"))
        assert commit is not None
        assert len(commit) == 40
        assert set(commit) <= set("0123456789abcdef")
        assert row.container.name == f"mlops-{project}-{build}"
        assert row.container.image == f"mlops/{project}:{commit[:12]}"
        assert set(row.container.labels) == {
            f"mlops.{key}" for key in ("build", "build-url", "commit", "gpu", "job", "managed", "project", "purpose")
        }


async def test_hostile_and_japanese_labels_are_there_and_safe() -> None:
    seen = await world_at(0.0)
    borg, jupyter = (
        next(row for row in seen.others if row.container.name == name) for name in ("pensive_borg", "jupyter-sato")
    )
    text = "".join(f"{key}{value}" for key, value in borg.container.labels.items())
    assert borg.container.details is not None
    text += borg.container.details.command
    assert "[@click=app.quit]press me[/]" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert jupyter.container.label("持ち主") == "佐藤"


async def test_every_string_has_passed_the_gate() -> None:
    engine, compose = sources_at(145.0)
    facts = [*(await world_at(145.0)).containers, await engine.engine(), await compose.project()]
    strings = [text for fact in facts for text in _strings(fact)]
    assert len(strings) > 500
    assert [text for text in strings if type(text) is not Clean] == []


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, Enum | datetime):
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from _strings(pair)
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _strings(getattr(value, field.name))


async def test_processes_cannot_be_mistaken_for_real_ones() -> None:
    greatest_of_linux = 1 << 22
    seen = (await world_at(145.0)).containers
    assert {one.state for one in seen} == {ContainerState.RUNNING, ContainerState.EXITED, ContainerState.RESTARTING}
    pids = []
    for one in seen:
        assert one.details is not None
        assert (one.details.pid is not None) == (one.state is ContainerState.RUNNING)
        pids += [one.details.pid] if one.details.pid is not None else []
    assert min(pids) >= greatest_of_linux
    assert len(set(pids)) == len(pids)
