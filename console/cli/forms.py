"""Model objects as JSON: times ISO 8601 UTC, sizes bytes, durations seconds, unknown null. Schemas: docs/schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from console.model.container import Container, Health, Inspection
from console.model.join import container_state
from console.model.service import Service
from console.model.source import SourceStatus
from console.model.world import Problem, World
from console.settings.keyfacts import KeyFact
from console.text import clean

if TYPE_CHECKING:
    from console.model.machine import Disk
    from console.model.tunnel import Tunnel
    from console.model.tunnel_log import Request

VERSION = 1


def moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def disk(one: Disk) -> dict[str, Any]:
    """A file system. Bytes, `full` in percent as `Disk.full` has it, `full_in` in seconds."""
    return {
        "path": one.path,
        "total": one.total,
        "used": one.used,
        "free": one.free,
        "inodes": one.inodes,
        "inodes_free": one.inodes_free,
        "full": round(one.full, 1),
        "full_in": round(one.full_in) if one.full_in is not None else None,
    }


def envelope(
    kind: str,
    items: Sequence[Mapping[str, Any]],
    *,
    taken_at: datetime,
    demo: bool,
    sources: Mapping[str, SourceStatus],
    **more: Any,
) -> dict[str, Any]:
    """What every answer has around its items."""
    return {
        "version": VERSION,
        "kind": kind,
        "taken_at": moment(taken_at),
        "demo": demo,
        "sources": {name: source(status) for name, status in sources.items()},
        **more,
        "items": list(items),
    }


def source(status: SourceStatus) -> dict[str, Any]:
    return {"state": status.state.value, "reason": status.reason, "taken_at": moment(status.taken_at)}


def of_world(kind: str, world: World, items: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    return envelope(kind, items, taken_at=world.taken_at, demo=world.demo, sources=world.sources, **more)


def key(one: KeyFact) -> dict[str, Any]:
    """One key as the person has it."""
    return {
        "id": one.id,
        "keys": [clean(name) for name in one.keys],
        "default": list(one.ours),
        "changed": one.changed,
        "where": one.where,
        "does": one.words,
        "acts": one.acts,
    }


def problem(one: Problem) -> dict[str, Any]:
    return {"class": one.kind.name.lower(), "sentence": one.sentence, "target": one.target}


def tunnel(one: Tunnel) -> dict[str, Any]:
    def request(found: Request | None) -> dict[str, Any] | None:
        return {"at": moment(found.at), "status": found.status} if found is not None else None

    return {
        "server": one.server,
        "domain": one.domain,
        "since": moment(one.since),
        "last_request": request(one.newest),
        "last_release": request(one.release),
    }


def mistake(message: str) -> dict[str, Any]:
    return {"message": clean(message, lines=True)}


def service(one: Service) -> dict[str, Any]:
    return {
        "project": one.project,
        "name": one.name,
        "state": one.state.word,
        "class": one.state.kind.name.lower(),
        "why": one.why or None,
        "since": moment(one.since),
        "since_exact": one.since_exact,
        "wanted": one.wanted,
        "running": sum(container.alive for container in one.containers),
        "image": one.declared.image if one.declared else (one.containers[0].image if one.containers else None),
        "drift": one.drift.value,
        "drift_detail": one.drift_detail or None,
        "containers": [
            {"id": container.id, "name": container.name, "probe": probe(container.details)} for container in one.containers
        ],
    }


def probe(details: Inspection | None) -> dict[str, Any] | None:
    """How a container is probed and what Docker keeps of it, newest first; None when it has no probe or is not known yet."""
    if details is None or (details.probe is None and not details.probes):
        return None
    plan = details.probe
    newest_first = sorted(details.probes, key=lambda one: one.start, reverse=True)
    return {
        "command": plan.command if plan else None,
        "interval": (plan.interval or None) if plan else None,
        "timeout": (plan.timeout or None) if plan else None,
        "retries": (plan.retries or None) if plan else None,
        "failing_streak": details.failing_streak,
        "results": [
            {
                "started_at": moment(one.start),
                "ended_at": moment(one.end),
                "exit_code": None if one.exit_code == -1 else one.exit_code,
                "timed_out": one.exit_code == -1,
                "output": one.output,
            }
            for one in newest_first
        ],
    }


def container(one: Container, now: datetime) -> dict[str, Any]:
    state, why, since, exact = container_state(one, now)
    details = one.details
    return {
        "id": one.id,
        "name": one.name,
        "image": one.image,
        "image_id": one.image_id,
        "state": state.word,
        "class": state.kind.name.lower(),
        "why": why or None,
        "since": moment(since),
        "since_exact": exact,
        "docker_state": one.state.value,
        "health": None if one.health is Health.NONE else one.health.value,
        "probe": probe(details),
        "exit_code": one.exit_code,
        "oom_killed": details.oom_killed if details else None,
        "restarts": details.restarts if details else None,
        "created": moment(one.created),
        "started_at": moment(details.started_at) if details else None,
        "finished_at": moment(details.finished_at) if details else None,
        "memory_limit": details.memory_limit if details else None,
        "project": one.project,
        "service": one.service,
        "training": one.training,
        "ports": [
            {
                "container_port": port.container_port,
                "protocol": port.protocol,
                "host_ip": port.host_ip,
                "host_port": port.host_port,
            }
            for port in one.ports
        ],
        "mounts": [
            {"kind": mount.kind, "source": mount.source, "target": mount.target, "read_only": mount.read_only}
            for mount in one.mounts
        ],
        "labels": dict(one.labels),
    }
