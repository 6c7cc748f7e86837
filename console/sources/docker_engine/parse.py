"""The Engine's JSON turned into model objects. Shapes: Docker Engine API 1.40 to 1.51, seen from Engine 20.10 on.

Whatever is missing or of another type becomes "unknown" instead of an error: one odd container must not hide the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from console.model.container import (
    Container,
    ContainerEvent,
    ContainerState,
    Health,
    Inspection,
    Mount,
    Port,
    Probe,
    ProbePlan,
    Usage,
    Variable,
)
from console.model.daemon import Daemon
from console.model.secretnames import arguments, masked
from console.text import Clean, clean

_EXIT_CODE = re.compile(r"(?:Exited|Restarting) \((-?\d+)\)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANO = 1_000_000_000
_LOCAL_ROTATES = 20_000_000


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _text(value: object) -> Clean:
    return clean(value) if isinstance(value, str) else Clean("")


def moment(value: object) -> datetime | None:
    """An RFC 3339 time of the Engine as aware UTC; None for its zero time (year 1) and for anything else."""
    if not isinstance(value, str) or value.startswith("0001-"):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def daemon(value: object) -> Daemon:
    """What `/info` says of the set-up; from Engine 28.3 on it lists the devices of CDI."""
    raw = _dict(value)
    live, root = raw.get("LiveRestoreEnabled"), raw.get("DockerRootDir")
    return Daemon(
        live_restore=live if isinstance(live, bool) else None,
        runtimes=tuple(clean(name) for name in sorted(_dict(raw.get("Runtimes")))),
        devices=tuple(_text(_dict(one).get("ID")) for one in _list(raw.get("DiscoveredDevices"))),
        root=clean(root) if isinstance(root, str) and root.startswith("/") else None,
        warnings=tuple(_text(one) for one in _list(raw.get("Warnings")) if one),
    )


def _state(value: object) -> ContainerState:
    try:
        return ContainerState(str(value))
    except ValueError:
        return ContainerState.UNKNOWN


def _labels(value: object) -> Mapping[Clean, Clean]:
    return {clean(name): _text(text) for name, text in _dict(value).items()}


def listed(item: object) -> Container | None:
    """One element of `GET /containers/json`; None if it has no id."""
    raw = _dict(item)
    if not isinstance(raw.get("Id"), str):
        return None
    status = str(raw.get("Status", ""))
    names = [name for name in _list(raw.get("Names")) if isinstance(name, str)]
    # A link makes further names such as /other/alias: the container's own is the one with a single slash.
    own = next((name for name in names if name.count("/") == 1), names[0] if names else raw["Id"][:12])
    exit_code = _EXIT_CODE.match(status)
    return Container(
        id=clean(raw["Id"]),
        name=clean(own.removeprefix("/")),
        image=_text(raw.get("Image")),
        image_id=_text(raw.get("ImageID")),
        state=_state(raw.get("State")),
        health=_health_of_status(status),
        exit_code=int(exit_code.group(1)) if exit_code else None,
        created=datetime.fromtimestamp(_int(raw.get("Created")), UTC),
        labels=_labels(raw.get("Labels")),
        ports=tuple(sorted((_listed_port(port) for port in _list(raw.get("Ports"))), key=_port_order)),
        mounts=_mounts(raw.get("Mounts")),
    )


def _health_of_status(status: str) -> Health:
    """`Up 3 minutes (unhealthy)`, `Up 2 seconds (health: starting)`: the list has no field for it before API 1.52."""
    if status.endswith("(healthy)"):
        return Health.HEALTHY
    if status.endswith("(unhealthy)"):
        return Health.UNHEALTHY
    return Health.STARTING if status.endswith("(health: starting)") else Health.NONE


def _listed_port(value: object) -> Port:
    raw = _dict(value)
    public = raw.get("PublicPort")
    return Port(
        container_port=_int(raw.get("PrivatePort")),
        protocol=_text(raw.get("Type")),
        host_ip=_text(raw["IP"]) if raw.get("IP") else None,
        host_port=public if isinstance(public, int) else None,
    )


def _port_order(port: Port) -> tuple[int, str, int, str]:
    return (port.container_port, port.protocol, port.host_port or 0, port.host_ip or "")


def _mounts(value: object) -> tuple[Mount, ...]:
    mounts = []
    for item in _list(value):
        raw = _dict(item)
        mounts.append(
            Mount(
                kind=_text(raw.get("Type")),
                source=_text(raw.get("Name") or raw.get("Source")),
                target=_text(raw.get("Destination")),
                read_only=raw.get("RW") is False,
            )
        )
    return tuple(sorted(mounts, key=lambda mount: mount.target))


def inspected(value: object) -> Container | None:
    """An answer of `GET /containers/{id}/json`; None if it has no id."""
    raw = _dict(value)
    if not isinstance(raw.get("Id"), str):
        return None
    config, host, state = _dict(raw.get("Config")), _dict(raw.get("HostConfig")), _dict(raw.get("State"))
    log = _dict(host.get("LogConfig"))
    now = _state(state.get("Status"))
    ended = now in (ContainerState.EXITED, ContainerState.DEAD, ContainerState.RESTARTING, ContainerState.REMOVING)
    health = _dict(state.get("Health"))
    return Container(
        id=clean(raw["Id"]),
        name=clean(str(raw.get("Name", raw["Id"][:12])).removeprefix("/")),
        image=_text(config.get("Image")),
        image_id=_text(raw.get("Image")),
        state=now,
        health=_health(health.get("Status")),
        exit_code=_int(state.get("ExitCode")) if ended else None,
        created=moment(raw.get("Created")) or _EPOCH,
        labels=_labels(config.get("Labels")),
        ports=_inspected_ports(raw),
        mounts=_mounts(raw.get("Mounts")),
        details=Inspection(
            started_at=moment(state.get("StartedAt")),
            finished_at=moment(state.get("FinishedAt")),
            restarts=_int(raw.get("RestartCount")),
            oom_killed=state.get("OOMKilled") is True,
            error=_text(state.get("Error")),
            pid=_int(state.get("Pid")) or None,
            command=_command(raw),
            user=_text(config.get("User")),
            restart_policy=_text(_dict(host.get("RestartPolicy")).get("Name")) or Clean("no"),
            memory_limit=_int(host.get("Memory")) or None,
            log_driver=_text(log.get("Type")),
            log_rotates=_log_rotates(log),
            tty=config.get("Tty") is True,
            probe=_probe_plan(config.get("Healthcheck")),
            probes=_probes(health.get("Log")),
            failing_streak=_int(health.get("FailingStreak")),
            environment=tuple(_variable(entry) for entry in _list(config.get("Env")) if isinstance(entry, str)),
            shm=_int(host.get("ShmSize")) or None,
            cpus=_cpus(host),
        ),
    )


def _cpus(host: dict[str, Any]) -> float | None:
    """`--cpus` is stored as billionths of a core; older programs give a quota of a period."""
    if nano := _int(host.get("NanoCpus")):
        return nano / 1e9
    quota, period = _int(host.get("CpuQuota")), _int(host.get("CpuPeriod"))
    return quota / period if quota > 0 and period > 0 else None


def _log_rotates(log: dict[str, Any]) -> int | None:
    """Bytes of one log file. `json-file` keeps one for ever unless told otherwise, `local` rotates at 20 MB by itself."""
    size = re.fullmatch(r"([0-9]{1,15})\s*([kmgt]?)i?b?", str(_dict(log.get("Config")).get("max-size", "")).lower())
    if size is not None and int(size[1]) > 0:
        power: int = " kmgt".index(size[2] or " ")
        return int(int(size[1]) * 1000**power)
    return _LOCAL_ROTATES if log.get("Type") == "local" else None


def _health(value: object) -> Health:
    try:
        return Health(str(value or "none"))
    except ValueError:
        return Health.NONE


def _command(raw: dict[str, Any]) -> Clean:
    words = [str(raw.get("Path", "")), *(str(word) for word in _list(raw.get("Args")))]
    return clean(" ".join(arguments(words)))


def _variable(entry: str) -> Variable:
    name, _, value = entry.partition("=")
    return Variable(clean(name), clean(value))


def _inspected_ports(raw: dict[str, Any]) -> tuple[Port, ...]:
    """Published ports while it runs, exposed ones always: `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}`."""
    ports = []
    known = _dict(_dict(raw.get("NetworkSettings")).get("Ports"))
    for name, bindings in {**_dict(_dict(raw.get("Config")).get("ExposedPorts")), **known}.items():
        number, _, protocol = str(name).partition("/")
        if not number.isdigit():
            continue
        for binding in _list(bindings) or [{}]:
            where = _dict(binding)
            host_port = str(where.get("HostPort", ""))
            ports.append(
                Port(
                    container_port=int(number),
                    protocol=clean(protocol or "tcp"),
                    host_ip=_text(where["HostIp"]) if where.get("HostIp") else None,
                    host_port=int(host_port) if host_port.isdigit() else None,
                )
            )
    return tuple(sorted(ports, key=_port_order))


def _probe_plan(value: object) -> ProbePlan | None:
    raw = _dict(value)
    test = [str(word) for word in _list(raw.get("Test"))]
    if not test or test[0] == "NONE":
        return None
    return ProbePlan(
        command=clean(" ".join(arguments(test[1:]))),
        interval=_int(raw.get("Interval")) / _NANO,
        timeout=_int(raw.get("Timeout")) / _NANO,
        retries=_int(raw.get("Retries")),
        start_period=_int(raw.get("StartPeriod")) / _NANO,
    )


def _probes(value: object) -> tuple[Probe, ...]:
    probes = []
    for item in _list(value):
        raw = _dict(item)
        start, end = moment(raw.get("Start")), moment(raw.get("End"))
        if start is None or end is None:
            continue
        output = raw.get("Output")
        said = masked(output.strip("\r\n") if isinstance(output, str) else "", lines=True)
        probes.append(Probe(start, end, _int(raw.get("ExitCode")), said))
    return tuple(probes)


def event(value: object) -> ContainerEvent | None:
    """One object of `GET /events`; None for what is not about a container."""
    raw = _dict(value)
    actor = _dict(raw.get("Actor"))
    if raw.get("Type") != "container" or not isinstance(actor.get("ID"), str):
        return None
    attributes = _dict(actor.get("Attributes"))
    action, _, detail = str(raw.get("Action", "")).partition(":")
    exit_code = str(attributes.get("exitCode", ""))
    nano = _int(raw.get("timeNano")) or _int(raw.get("time")) * _NANO
    return ContainerEvent(
        id=clean(actor["ID"]),
        name=_text(attributes.get("name")),
        action=clean(action.strip()),
        detail=clean(detail.strip()),
        exit_code=int(exit_code) if exit_code.lstrip("-").isdigit() else None,
        time=datetime.fromtimestamp(nano / _NANO, UTC),
        time_nano=nano,
    )


def stats(value: object) -> Usage | None:
    """One object of `GET /containers/{id}/stats`; None before the Engine has two readings of a running container.

    CPU is the share of one core between its two readings; memory leaves out the inactive page cache, as `docker stats` does.
    """
    raw = _dict(value)
    now, before, memory = _dict(raw.get("cpu_stats")), _dict(raw.get("precpu_stats")), _dict(raw.get("memory_stats"))
    if "usage" not in memory:
        return None
    read, preread = moment(raw.get("read")), moment(raw.get("preread"))
    cpu = None
    if read and preread and (seconds := (read - preread).total_seconds()) > 0:
        used = _int(_dict(now.get("cpu_usage")).get("total_usage"))
        used_before = _int(_dict(before.get("cpu_usage")).get("total_usage"))
        cpu = max(0.0, (used - used_before) / _NANO / seconds * 100)
    detail = _dict(memory.get("stats"))
    cache = _int(detail.get("total_inactive_file", detail.get("inactive_file")))
    limit = _int(memory.get("limit"))
    return Usage(cpu, max(0, _int(memory.get("usage")) - cache), limit or None)
