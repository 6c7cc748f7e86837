"""Servers whose disk was read: a handful of objects of every kind, or hundreds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from console.feeds.assemble import assemble
from console.model.container import Container, ContainerState
from console.model.disk_view import DiskFacts, view
from console.model.machine import Disk, MachineHistory, MachineReading
from console.model.pruning import Known, Rule
from console.model.source import Snapshot, SourceStatus
from console.model.world import World
from console.text import clean
from tests.console.fakes import NOW
from tests.console.pruneworlds import image, known, part, trained, unnamed, using, volume
from tests.console.ui.worlds import ENGINE, OK

GB = 1_000_000_000
RULE = Rule(older_than=timedelta(days=30))


def disk_known() -> Known:
    """What `df` of the design shows: projects, cache, volumes with and without a name, what nobody needs."""
    run = trained("project-a", "a", 1, size=12 * GB)
    images = [
        run,
        *(trained("project-a", figure, 10 + 20 * at, size=(20 - at) * GB) for at, figure in enumerate("bcdef")),
        *(trained("vision-large", figure, 3 + at, size=40 * GB) for at, figure in enumerate("12")),
        *(image(f"lost-{at}", days=40 + at, size=2 * GB) for at in range(3)),
    ]
    named = [
        volume("mlops_jenkins-home", size=8 * GB),
        volume("mlops_hf_cache", size=164 * GB),
        volume("old-data", size=3 * GB),
    ]
    volumes = [*named, unnamed("1", size=5 * GB), volume("2" * 64, size=None, days=50)]
    cache = [part(f"p{at}", *([f"p{at - 1}"] if at % 2 else []), used=90 - 10 * at, size=GB) for at in range(8)]
    jobs: list[Container] = [
        using("mlops-project-a-128", of=run, volumes=[named[1]]),
        using("mlops-project-a-120", ContainerState.EXITED, ended=40, days=41),
    ]
    return known(
        images=images,
        volumes=volumes,
        cache=cache,
        containers=jobs,
        declared_volumes=["mlops_jenkins-home", "mlops_hf_cache"],
        written={one.id: 100_000_000 for one in jobs},
        logs={jobs[0].id: 30_000_000},
    )


def crowded(images: int = 300, volumes: int = 300, parts: int = 3000) -> Known:
    """As much as a server that nobody has looked after for a year."""
    return known(
        images=[trained(f"project-{at % 12}", "abcdef"[at % 6], 1 + at, size=GB) for at in range(images)],
        volumes=[volume(f"{at:064x}", days=at, size=GB // 10) for at in range(volumes)],
        cache=[part(f"p{at}", *([f"p{at - 1}"] if at % 6 else []), used=at % 90, size=GB // 100) for at in range(parts)],
    )


def facts(of: Known | None = None, rule: Rule = RULE) -> DiskFacts:
    return view(of if of is not None else disk_known(), rule)


def machine(space: int = 91, files: int = 10) -> MachineReading:
    """A machine whose disk has so many percent of its bytes and of its inodes in use."""
    total = 1_840_000_000_000
    used = total * space // 100
    disk = Disk(clean("docker"), clean("/var/lib/docker"), total, used, total - used, 1_000_000, 1_000_000 - files * 10_000)
    return MachineReading(64, 41.2, 25.3, 256 << 30, 97 << 30, 0, 0, 1.0, 0.0, 2.0, (disk,))


def status(seconds: float = 0.0, **changes: object) -> SourceStatus:
    """How reading went: well, and so many seconds ago."""
    return replace(OK, taken_at=NOW - timedelta(seconds=seconds), **changes)  # type: ignore[arg-type]


def world(
    disk: Snapshot[DiskFacts] | DiskFacts | None = None,
    *,
    docker: SourceStatus = OK,
    reading: MachineReading | None = None,
    now: datetime = NOW,
) -> World:
    """The server; without `disk` it has been read just now."""
    told = disk if isinstance(disk, Snapshot) else Snapshot(disk or facts(), status())
    return assemble(
        host=clean("train-01"),
        demo=False,
        now=now,
        engine=ENGINE,
        docker=Snapshot(disk_known().containers, docker),
        compose=None,
        usage={},
        events=(),
        machine=Snapshot(reading if reading is not None else machine(), OK),
        machine_history=MachineHistory(2.0, (), ()),
        disk=told,
    )
