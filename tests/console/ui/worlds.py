"""Worlds made by hand, for looking at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from console.feeds.assemble import assemble
from console.model.container import Container, ContainerState, Engine, Health, Mount, Port, UsageHistory
from console.model.service import ComposeProject, Declared
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.tunnel import TunnelLook
from console.model.world import World
from console.text import clean
from tests.console.fakes import NOW, container, event, failing, inspection

ENGINE = Engine(clean("Docker Engine"), clean("29.7.2"), clean("1.51"), clean("linux/amd64"), local=True)
HASH = "com.docker.compose.config-hash"
OK = SourceStatus(SourceState.OK, None, NOW - timedelta(hours=1), NOW)


def fleet() -> list[Container]:
    """A server on an ordinary bad day."""
    refused = failing("wget: can't connect to remote host (127.0.0.1:9000): Connection refused")
    running = inspection(started_at=NOW - timedelta(days=9))
    dead = inspection(finished_at=NOW - timedelta(minutes=4))
    oom = inspection(finished_at=NOW - timedelta(minutes=2), oom_killed=True, memory_limit=64 << 20)
    loop = inspection(finished_at=NOW - timedelta(seconds=40), restarts=14, restart_policy=clean("always"))
    web = container("mlops-gate-1", service="gate", health=Health.HEALTHY, details=running, labels={HASH: "h"})
    web = replace(
        web,
        ports=(Port(8080, clean("tcp"), clean("127.0.0.1"), 18080), Port(9000, clean("udp"))),
        mounts=(Mount(clean("volume"), clean("mlops_gate"), clean("/data"), True),),
    )
    return [
        container("mlops-portainer-1", service="portainer", health=Health.UNHEALTHY, details=refused, labels={HASH: "h"}),
        container("mlops-jenkins-1", service="jenkins", health=Health.HEALTHY, image="jenkins:2.568.2", details=running),
        web,
        container("mlops-agent-1", service="agent", details=running, labels={HASH: "h"}),
        container("mlops-worker-1", service="worker", details=running, labels={HASH: "h"}),
        container(
            "mlops-flaky-1",
            service="flaky",
            state=ContainerState.RESTARTING,
            exit_code=1,
            details=loop,
            labels={HASH: "h"},
        ),
        container(
            "mlops-cache-1",
            service="cache",
            state=ContainerState.EXITED,
            exit_code=137,
            details=oom,
            labels={HASH: "h"},
        ),
        container("mlops-project-a-128", labels={"mlops.managed": "true", "mlops.project": "project-a"}, details=running),
        container("scratch", state=ContainerState.EXITED, exit_code=3, details=dead),
        container("日本語コンテナ", labels={"名前": "値"}),
    ]


PROJECT = ComposeProject(
    clean("mlops"),
    clean("infra/docker-compose.yml"),
    tuple(
        Declared(clean(name), clean(image), scale, clean("h"))
        for name, image, scale in (
            ("portainer", "busybox:1", 1),
            ("jenkins", "jenkins:2.568.3", 1),
            ("gate", "busybox:1", 1),
            ("agent", "busybox:1", 1),
            ("worker", "busybox:1", 2),
            ("flaky", "busybox:1", 1),
            ("cache", "busybox:1", 1),
            ("tunnel", "busybox:1", 1),
        )
    ),
)


def world(
    containers: Sequence[Container] | None = None,
    *,
    docker: SourceStatus = OK,
    compose: SourceStatus = OK,
    project: ComposeProject | None = PROJECT,
    demo: bool = False,
    tunnel: TunnelLook | None = None,
) -> World:
    held = tuple(fleet() if containers is None else containers)
    known = held if docker.usable else None
    usage = {one.id: UsageHistory(2.0, (1.0, 3.2, 7.5), (40 << 20, 41 << 20, 41 << 20), 512 << 20) for one in held if one.alive}
    return assemble(
        host=clean("train-01"),
        demo=demo,
        now=NOW,
        engine=ENGINE if docker.usable else None,
        docker=Snapshot(known, docker),
        compose=Snapshot(project, compose),
        usage=usage,
        events=[event(one, "die", code=3) for one in held if one.name == "scratch"],
        tunnel=tunnel,
    )
