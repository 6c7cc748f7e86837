"""Runs as the screen of one meets them, joined of builds, containers and cards as they are on a server."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from console.model.build import Build, BuildRef, Cause, CauseKind, Parameter, Result, Stage, Stages, StageStatus
from console.model.container import Container, ContainerState, UsageHistory
from console.model.history import CardPast, HostPast, PastRun, Published, Saved
from console.model.history import Trace as PastTrace
from console.model.jenkins import Held, JenkinsWorld, QueueItem, Waits, Work
from console.model.metric import Curve, Figures, Finding, Spot
from console.model.past import Around, Remembered, Sent
from console.model.source import SourceError, SourceState, SourceStatus
from console.model.why import Cause as WhyCause
from console.model.why import Evidence, Why
from console.model.world import World
from console.runs.join import join
from console.text import clean
from tests.console import fake_jenkins
from tests.console.fake_gpus import GIB
from tests.console.fakes import NOW, inspection
from tests.console.ui import gpuworlds, worlds

BEGAN = NOW - timedelta(minutes=16, seconds=4)
"""When the container of #128 was started."""
COMMIT = "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21"
STEPS, OF = 3040, 6330
RUN, BEFORE, FAILED = BuildRef(clean("train"), 128), BuildRef(clean("train"), 127), BuildRef(clean("train"), 41)


def build(number: int, result: Result | None, begun: datetime, took: float | None, project: str, **more: object) -> Build:
    """A build of the job that trains; `took` minutes, None while it runs. `overrides` are lines of that parameter."""
    overrides, commit = str(more.pop("overrides", "")), str(more.pop("commit", COMMIT))
    given = {"PROJECT": project, "COMMIT": commit, "OVERRIDES": overrides, "FORCE": "false", "RESUME_FROM": ""}
    base = Build(
        BuildRef(clean("train"), number),
        building=took is None,
        result=result,
        started=begun,
        duration=timedelta(minutes=took) if took is not None else None,
        estimated=timedelta(minutes=38),
        detailed=True,
        name=clean(f"#{number}"),
        causes=(Cause(CauseKind.WEBHOOK, clean("webhook, release PR #311")),),
        parameters=tuple(Parameter(clean(name), clean(value, lines=True)) for name, value in given.items()),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # names and types are the field's own


def stage(name: str, begun: datetime, took: float | None, status: StageStatus = StageStatus.SUCCESS) -> Stage:
    """`took` seconds, None while it runs."""
    told = status if took is not None else StageStatus.IN_PROGRESS
    length = timedelta(seconds=took) if took is not None else None
    return Stage(clean(name), clean(name), told, begun, length, timedelta(0))


def _line(*parts: tuple[str, float | None] | tuple[str, float | None, StageStatus], begun: datetime) -> tuple[Stage, ...]:
    found, at = [], begun
    for name, took, *status in parts:
        found.append(stage(name, at, took, *status))
        at += timedelta(seconds=took or 0.0)
    return tuple(found)


def stages(ref: BuildRef, *parts: tuple[str, float | None] | tuple[str, float | None, StageStatus], begun: datetime) -> Stages:
    """One after the other from `begun` on."""
    return Stages(ref, StageStatus.IN_PROGRESS, _line(*parts, begun=begun))


NEWER = build(128, None, BEGAN - timedelta(seconds=74), None, "project-a", overrides="lr=1e-4\nepochs=30")
OLDER = build(
    127, Result.SUCCESS, NOW - timedelta(hours=5), 38, "project-a", overrides="lr=3e-4\nepochs=30",
    description=clean("project-a@7fa01469cc8e: published"),
)  # fmt: skip
BROKEN = build(
    41, Result.FAILURE, NOW - timedelta(minutes=65), 43, "project-b", overrides="crop=384", commit="1d44b02e" * 5,
    description=clean("project-b@1d44b02e9c31: exit code 137"),
)  # fmt: skip
WORKED = build(40, Result.SUCCESS, NOW - timedelta(days=4), 40, "project-b", overrides="crop=224", commit="1d44b02e" * 5)
STAGES = {
    RUN: stages(RUN, ("check", 2.0), ("image", 72.0), ("train", None), begun=NEWER.started),
    BEFORE: stages(BEFORE, ("check", 2.0), ("image", 60.0), ("train", 2000.0), ("publish", 30.0), begun=OLDER.started),
    FAILED: stages(
        FAILED, ("check", 2.0), ("image", 160.0), ("train", 2398.0, StageStatus.FAILED), ("finish", 12.0),
        ("publish", 0.0, StageStatus.NOT_EXECUTED), begun=BROKEN.started,
    ),
}  # fmt: skip
TRAINER = replace(gpuworlds.BUSY, details=inspection(started_at=BEGAN), image=clean("mlops/project-a:7fa01469cc8e"))
TRAINING = fake_jenkins.world(
    fake_jenkins.job("train", NEWER),
    work=Work((fake_jenkins.node("trainer-1", RUN),), (), frozenset({RUN})),
    history={clean("train"): (NEWER, OLDER, BROKEN, WORKED)},
    stages=STAGES,
)


def curve(name: str, values: Sequence[float], every: int, *, better: int = -1, epochs: bool = False) -> Curve:
    """A value after each `every` steps, evenly over the time since the container began."""
    seconds = (NOW - BEGAN).total_seconds()
    spots = tuple(
        Spot(
            BEGAN + timedelta(seconds=seconds * (number + 1) * every / STEPS),
            (number + 1) * every,
            float(number + 1) if epochs else None,
            value,
        )
        for number, value in enumerate(values)
        if math.isfinite(value)
    )
    last = spots[-1] if math.isfinite(values[-1]) else replace(spots[-1], value=values[-1], step=STEPS, time=NOW)
    best = max(spots, key=lambda one: one.value * better)
    return Curve(clean(name), better, last, best, spots)


def figures(**changes: object) -> Figures:
    """A training of 30 epochs in the middle of its 15th: it learns."""
    loss = curve("loss", [0.39 + 2.3 * math.exp(-number / 55) + 0.02 * math.sin(number) for number in range(304)], 10)
    checked = [0.45 + 2.2 * math.exp(-number / 2.6) for number in range(13)]
    val_loss = curve("val_loss", [*checked, 0.452], 217, epochs=True)
    accuracy = [0.914 - 0.5 * math.exp(-number / 2.6) for number in range(11)] + [0.914, 0.911, 0.909]
    base = Figures(
        done=STEPS / OF,
        epoch=14.4,
        epochs=30,
        step=STEPS,
        steps=OF,
        curves=(loss, val_loss, curve("val_acc", accuracy, 217, better=1, epochs=True)),
        lr=8.8e-05,
        rate=412.0,
        unit=clean("img"),
        finish=NOW + timedelta(minutes=18, seconds=20),
        basis=clean("the last 5 epochs"),
        last=NOW,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # names and types are the field's own


def world(
    jenkins: JenkinsWorld | None = TRAINING,
    containers: Sequence[Container] = (TRAINER, gpuworlds.HELD),
    *,
    known: Sequence[tuple[Container, Figures]] | None = None,
    whys: Mapping[str, Why] | None = None,
    status: SourceStatus = worlds.OK,
    cards: bool = True,
) -> World:
    """The server with its cards; `known` are the figures of containers."""
    plain = gpuworlds.world(gpuworlds.gpu_world(*gpuworlds.cards()[:2]), containers=containers)
    gpu = plain.gpu if cards else None
    return replace(
        plain,
        sources={**{name: one for name, one in plain.sources.items() if cards or name != "gpu"}, "jenkins": status},
        jenkins=jenkins,
        gpu=gpu,
        runs=join(containers, jenkins, gpu, NOW),
        figures={one.id: told for one, told in (known if known is not None else [(TRAINER, figures())])},
        whys={clean(key): why for key, why in (whys or {}).items()},
        usage={one.id: UsageHistory(2.0, (97.0,), (int(9.1 * GIB),), 16 * GIB) for one in containers if one.alive},
        outlived=frozenset(
            one.id for one in containers if one.alive and jenkins is not None and one is TRAINER and not _runs(jenkins)
        ),
    )


def _runs(jenkins: JenkinsWorld) -> bool:
    return RUN in jenkins.work.running


def ended(result: Result = Result.SUCCESS, description: str = "project-a@7fa01469cc8e: published") -> JenkinsWorld:
    """The same server after #128."""
    build_ = replace(NEWER, building=False, result=result, duration=timedelta(minutes=17), description=clean(description))
    last = stages(RUN, ("check", 2.0), ("image", 72.0), ("train", 900.0), ("publish", 40.0), begun=NEWER.started)
    return replace(
        TRAINING,
        work=Work((fake_jenkins.node("trainer-1"),), (), frozenset()),
        jobs={clean("train"): fake_jenkins.job("train", build_)},
        history={clean("train"): (build_, OLDER, BROKEN, WORKED)},
        stages={**STAGES, RUN: last},
    )


def queued(why: str = "Waiting for next available executor on 'gpu'") -> JenkinsWorld:
    """A request for project-c waits in the queue."""
    given = {"PROJECT": "project-c", "COMMIT": "9be1042f" * 5}
    waits = QueueItem(
        12, clean("train"), clean("train"), Waits.BUILDABLE, clean(why), NOW - timedelta(minutes=3), stuck=False,
        parameters=tuple(Parameter(clean(name), clean(value)) for name, value in given.items()),
    )  # fmt: skip
    return replace(TRAINING, work=replace(TRAINING.work, queue=(waits,)))


def held(why: Held) -> JenkinsWorld:
    """#128 has begun and goes no further."""
    return replace(
        TRAINING,
        held={RUN: why},
        stages={**STAGES, RUN: stages(RUN, ("check", 2.0), ("image", 72.0), ("train", None), begun=NEWER.started)},
    )


def building() -> JenkinsWorld:
    """#128 builds its image."""
    return replace(TRAINING, stages={**STAGES, RUN: stages(RUN, ("check", 2.0), ("image", None), begun=NEWER.started)})


MEMORY = Why(
    WhyCause.CONTAINER_MEMORY,
    clean("Out of memory: the container reached its 16 GiB limit and was killed."),
    clean("out of memory 16 GiB, epoch 9"),
    (
        Evidence(clean("docker"), clean("OOMKilled, exit 137 at 13:41:09; limit 16 GiB, swap off")),
        Evidence(clean("memory"), clean("8.2 GiB at epoch 1, +0.9 GiB per epoch: it grew, it was not a peak")),
        Evidence(clean("log"), clean("13:41:07 DataLoader worker (pid 213) is killed by signal: Killed"), 1),
        Evidence(clean("not"), clean("the GPU: 31 of 80 GiB used; not the disk: 155 GB free")),
        Evidence(clean("try"), clean("R go on from epoch 8 with resources.memory=24g, or lower batch_size")),
    ),
)
STALLED = Finding(clean("stalled"), clean("no step for 11m, usually one every 2s"), NOW - timedelta(minutes=11))


def gone_container() -> Container:
    """What is left of the training of #128."""
    details = inspection(started_at=BEGAN, finished_at=NOW - timedelta(minutes=1))
    return replace(TRAINER, state=ContainerState.EXITED, exit_code=0, details=details)


def by_hand(state: ContainerState = ContainerState.RUNNING, code: int | None = None) -> Container:
    """A run that no Jenkins knows."""
    marks = {"mlops.job": "local", "mlops.build": "3", "mlops.gpu": "none"}
    labels = {**TRAINER.labels, **{clean(name): clean(value) for name, value in marks.items()}}
    return replace(TRAINER, id=clean("c" * 64), name=clean("mlops-project-a-3"), labels=labels, state=state, exit_code=code)


class KnownPast:
    """A `Past` of one run, and of cards that were busy for as long as anybody asks for."""

    def __init__(self, run: PastRun | None = None, **figures: Figures) -> None:
        self.one = run
        self.known = {f"train#{name.removeprefix('n')}": one for name, one in figures.items()}
        self.asked: list[tuple[int, int, int]] = []
        self.bare = False
        """Whether nobody looked at cards and machine."""

    async def runs(self, project: str | None = None, *, limit: int = 200) -> Remembered:
        return Remembered()

    async def run(self, key: str) -> PastRun | None:
        return self.one if self.one is not None and self.one.key == key else None

    async def earlier(self, key: str, project: str) -> tuple[PastRun, ...]:
        return ()

    async def figures(self, key: str) -> Figures | None:
        return self.known.get(key)

    async def around(self, begin: int, end: int, width: int) -> Around:
        """The first tenth is a gap."""
        self.asked.append((begin, end, width))
        if self.bare:
            return Around(begin, end, (), None, ())
        first = width // 10

        def trace(value: float) -> PastTrace:
            values = tuple(None if number < first else value for number in range(width))
            return PastTrace(values, values)

        card = CardPast(
            clean("GPU-0"), 0, trace(93.0), trace(61.0 * GIB), trace(71.0), trace(612.0), (clean(str(RUN)),) * width
        )
        host = HostPast(trace(41.0), trace(97.0 * GIB), trace(1.0), trace(0.0), trace(2.0))
        return Around(begin, end, (card,), host, ())

    async def notices(self) -> Sent:
        return Sent()

    async def aclose(self) -> None:
        return None


class SlowPast(KnownPast):
    """A history that gives an answer for each time that `gate` is released; `asks` is which runs it was asked about."""

    def __init__(self, run: PastRun | None = None) -> None:
        super().__init__(run)
        self.gate = asyncio.Semaphore(0)
        self.asks: list[str] = []

    async def run(self, key: str) -> PastRun | None:
        self.asks.append(key)
        await self.gate.acquire()
        return await super().run(key)


class NoPast(KnownPast):
    """A history that cannot be read."""

    async def run(self, key: str) -> PastRun | None:
        raise SourceError(SourceState.UNREACHABLE, clean("The history cannot be read: it is damaged."))


REMEMBERED = PastRun(
    clean("train#128"),
    published=Published(
        clean("acme/project-a"), clean("9f"), clean("build-128"), clean("https://hub.example.org/acme/project-a")
    ),
    checkpoint=Saved(14, 98_000_000),
    peak_memory=10 * GIB,
)
