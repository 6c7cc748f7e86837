"""Worlds with runs in them: one of everything that the list of runs can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from console.feeds.assemble import assemble
from console.model.build import Build, Cause, CauseKind, Parameter, Result, Stages, StageStatus
from console.model.container import Container, ContainerState
from console.model.gpu import GpuWorld
from console.model.jenkins import Held, JenkinsWorld, Work
from console.model.metric import Curve, Figures, Finding, Spot
from console.model.source import Snapshot, SourceStatus
from console.model.why import Cause as WhyCause
from console.model.why import Evidence, Why
from console.model.world import World
from console.runs.join import join
from console.text import Clean, clean
from tests.console import fake_gpus, fake_jenkins
from tests.console.fake_jenkins import item, job, node, ref, stage
from tests.console.fakes import NOW, inspection
from tests.console.runs.test_join import COMMIT, training
from tests.console.ui import worlds

FAILURE = clean("Out of memory: the container reached its 16 GiB limit and was killed.")
SHORT = clean("out of memory 16 GiB, epoch 9")


def build(number: int, project: str, result: Result | None = Result.SUCCESS, ago: float = 60, **more: object) -> Build:
    """Of job train; it ended `ago` minutes before NOW, or began then if it runs."""
    given = (Parameter(clean("PROJECT"), clean(project)), Parameter(clean("COMMIT"), clean(COMMIT)))
    took = None if result is None else 10.0
    made = fake_jenkins.build("train", number, result, took=10.0, parameters=given, detailed=True)
    started = NOW - timedelta(minutes=ago + (took or 0))
    causes = (Cause(CauseKind.WEBHOOK, clean(f"release of {project}")),)
    return replace(made, started=started, causes=causes, **more)  # type: ignore[arg-type]  # as there


def curve(name: str, values: Sequence[float], better: int) -> Curve:
    spots = [Spot(NOW - timedelta(minutes=len(values) - at), at * 20, None, value) for at, value in enumerate(values)]
    best = min(spots, key=lambda one: -better * one.value)
    return Curve(clean(name), better, spots[-1], best, spots)


FALLING = curve("loss", [2.4, 1.9, 1.4, 1.0, 0.8, 0.62, 0.55, 0.5, 0.46, 0.43, 0.42, 0.409], -1)


def figures(**more: object) -> Figures:
    """A training at half its way that learns."""
    base = Figures(
        done=0.48,
        epoch=15,
        epochs=30,
        step=3040,
        steps=6330,
        curves=(FALLING, curve("val_acc", [0.5, 0.8, 0.914], 1)),
        lr=8.8e-5,
        rate=412.0,
        unit=clean("img/s"),
        finish=NOW + timedelta(minutes=18),
        basis=clean("the last 5 epochs"),
        last=NOW - timedelta(seconds=3),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # names and types are the field's own, checked at the call


def stalled() -> Figures:
    finding = Finding(clean("stalled"), clean("No progress for 11m. It usually comes every 20s."), NOW - timedelta(minutes=11))
    return figures(done=0.22, epoch=11, epochs=50, findings=(finding,), finish=None, last=NOW - timedelta(minutes=11))


def containers() -> list[Container]:
    details = inspection(started_at=NOW - timedelta(minutes=16))
    return [
        training(128, "project-a", gpu="0", details=details),
        training(126, "vision-large", gpu="1", details=details),
        training(127, "project-b", state=ContainerState.EXITED, exit_code=137),
    ]


def jenkins() -> JenkinsWorld:
    """Two train, one is being built, one asks a person, one waits for a card, one is queued; the others have ended."""
    history = (
        build(132, "project-c", None, 1),
        build(131, "project-b", None, 2),
        build(130, "customer-churn-forecast-eu", None, 40),
        build(128, "project-a", None, 16),
        build(127, "project-b", Result.FAILURE, 22),
        build(126, "vision-large", None, 300),
        build(125, "project-a", ago=300, description=clean("project-a@7fa01469cc8e: published as build-125")),
        build(124, "project-a", Result.NOT_BUILT, 3000, description=clean("project-a@7fa01469cc8e: already trained in #120")),
        build(121, "project-c", Result.FAILURE, 4000),
        build(119, "project-d", Result.FAILURE, 5000),
    )
    running = frozenset(one.ref for one in history if one.building)
    builds = (stage("check", took=2), stage("image", StageStatus.IN_PROGRESS, took=None))
    trains = (stage("check", took=2), stage("image", took=72), stage("train", StageStatus.IN_PROGRESS, took=None))
    queued = item(9, parameters=build(133, "project-a").parameters)
    return fake_jenkins.world(
        job("train", history[0]),
        work=Work((node("trainer-1", *sorted(running)),), (replace(queued, since=NOW - timedelta(minutes=3)),), running),
        history={clean("train"): history},
        stages={
            ref("train", 131): Stages(ref("train", 131), StageStatus.IN_PROGRESS, builds),
            ref("train", 128): Stages(ref("train", 128), StageStatus.IN_PROGRESS, trains),
        },
        held={
            ref("train", 132): Held("lock", clean("gpu-0"), ref("train", 128), NOW - timedelta(minutes=1)),
            ref("train", 130): Held("input", clean("Publish build-130?"), None, NOW - timedelta(minutes=4)),
        },
        failures={ref("train", 127): clean("train: exit code 137"), ref("train", 121): clean("train: loss is NaN")},
    )


def gpus() -> GpuWorld:
    first, second, _ = containers()
    cards = (
        fake_gpus.held(0, 97, fake_gpus.process(container=first.id)),
        fake_gpus.held(1, 0, fake_gpus.process(container=second.id)),
    )
    return GpuWorld(fake_gpus.reading(*cards))


def whys() -> dict[Clean, Why]:
    evidence = (
        Evidence(clean("docker"), clean("OOMKilled, exit 137; limit 16 GiB, swap off")),
        Evidence(clean("kept"), clean("checkpoint epoch 8, 412 MB")),
    )
    return {clean("train#127"): Why(WhyCause.CONTAINER_MEMORY, FAILURE, SHORT, evidence)}


def world(
    builds: JenkinsWorld | None = None,
    *,
    known: Mapping[Clean, Figures] | None = None,
    jenkins_status: SourceStatus = worlds.OK,
    held: Sequence[Container] | None = None,
    cards: GpuWorld | None = None,
    with_jenkins: bool = True,
) -> World:
    """The server on a busy day."""
    trainings = containers() if held is None else list(held)
    told = {trainings[0].id: figures(), trainings[1].id: stalled()} if known is None and held is None else known or {}
    found = assemble(
        host=clean("train-01"),
        demo=False,
        now=NOW,
        engine=worlds.ENGINE,
        docker=Snapshot((*worlds.fleet()[:6], *trainings), worlds.OK),
        compose=Snapshot(worlds.PROJECT, worlds.OK),
        usage={},
        events=[],
        jenkins=Snapshot(builds or jenkins(), jenkins_status) if with_jenkins else None,
        gpus=Snapshot(cards or gpus(), worlds.OK),
        figures=told,
        runs=join,
    )
    return replace(found, whys=whys())
