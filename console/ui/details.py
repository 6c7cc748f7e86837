"""All that is known about one row, as lines: the pane below the list shows their beginning, the detail screen all. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model.cells import cut, pad
from console.model.cells import wrapped as wrapped_cells
from console.model.container import Container, ContainerEvent, Health, Port
from console.model.join import container_state
from console.model.probes import Result, results, rhythm
from console.model.secretnames import MASK, label_value
from console.model.service import WAY_IN, Drift
from console.model.words import age, binary, memory_of, percent
from console.model.world import World
from console.ui.canvas import Line, Part
from console.ui.frame import title
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.rows import Row, history_of

_LABEL = 11
_SHOWN_EVENTS = 8
_OLDER_LINES = 2
_EVENT_WORDS = {
    "die": "ended",
    "start": "started",
    "create": "created",
    "destroy": "removed",
    "kill": "was sent a signal",
    "oom": "ran out of memory",
    "stop": "was stopped",
    "restart": "was restarted",
    "pause": "was paused",
    "unpause": "goes on",
    "rename": "was renamed",
    "update": "got new limits",
    "health_status": "is now",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its note, and lines below it."""

    title: str
    note: str
    lines: list[Line]


def sections(row: Row, world: World, look: Look, width: int, now: datetime, *, values: bool) -> list[Section]:
    """Probe first, then what happened, then what it uses and what it is. `values` shows the environment's values."""
    found: list[Section] = []
    container = _worst(row)
    if row.why and not (container and container.details and container.details.probes):
        found.append(Section("Why", "", [[look.part(f" {row.why}")]]))
    elif row.why and world.tunnel is not None and row.service is not None and row.service.name in WAY_IN:
        # Its probe alone does not tell this.
        found.append(Section("Tunnel", "", [[look.part(f" {line}")] for line in wrapped_cells(row.why, width - 2)]))
    if container is not None and container.details is not None:
        if (probe := _probe(container, look, width)) is not None:
            found.append(probe)
        elif container.health is Health.NONE and container.alive:
            found.append(Section("Probe", "it has none: running is all that is known", []))
    happened = _events(row, world.events, look, width)
    if happened:
        found.append(Section("Events", "newest first", happened))
    if len(row.containers) > 1:
        found.append(Section("Replicas", _replica_note(row), _replicas(row, look, width, now)))
    facts = _facts(row, container, world, look, width, now)
    found.append(Section("Facts", "" if container else "no container", facts))
    if container is not None and container.details is not None:
        found.append(_environment(container, look, width, values=values))
    if container is not None and container.labels:
        labels = [
            fact(name, label_value(name, value), look, width, label=_widest(container.labels))
            for name, value in sorted(container.labels.items())
        ]
        found.append(Section("Labels", str(len(container.labels)), labels))
    return found


def held(row: Row, now: datetime) -> str:
    """`for 12m`, `for about 12m` when the beginning is worked out from the probe's rhythm."""
    if row.since is None:
        return ""
    about = "" if row.since_exact else "about "
    return f"for {about}{age((now - row.since).total_seconds())}"


def flat(found: Sequence[Section], look: Look, width: int) -> list[Line]:
    """Sections for a pane that is already titled: a quiet heading before each but Why."""
    lines: list[Line] = []
    for section in found:
        if section.title != "Why":
            note = cut(f"  {section.note}" if section.note else "", width - 2 - len(section.title), look.glyphs.ellipsis)
            lines.append([look.part(f" {section.title}", bold=True), look.part(note, Role.MUTED)])
        lines += section.lines
    return lines


def titled(found: Sequence[Section], look: Look, width: int) -> list[Line]:
    """Sections for a screen of their own: each with a title line."""
    lines: list[Line] = []
    for section in found:
        lines.append(title(section.title, section.note, look, width, focused=False))
        lines += section.lines
    return lines


def _worst(row: Row) -> Container | None:
    """The replica that gives the row its state; a row's containers are few."""
    if not row.containers:
        return None
    return next((c for c in row.containers if not c.alive or c.health is Health.UNHEALTHY), row.containers[0])


def clock(moment: datetime) -> str:
    """`14:03:46` in the viewer's zone."""
    return moment.astimezone().strftime("%H:%M:%S")


def _moment(moment: datetime, now: datetime) -> str:
    """The clock, with the day when it was not within the last day."""
    if (now - moment).total_seconds() < 86_400:
        return clock(moment)
    return moment.astimezone().strftime("%b %d %H:%M")


def _probe(container: Container, look: Look, width: int) -> Section | None:
    details = container.details
    if details is None or (details.probe is None and not details.probes):
        return None
    lines: list[Line] = []
    for number, result in enumerate(results(details)):
        lines += _result_lines(result, look, width, whole=number == 0)
    if details.probe is not None:
        lines.append(fact("asks", details.probe.command, look, width))
    return Section("Probe", rhythm(container), lines)


def _result_lines(result: Result, look: Look, width: int, *, whole: bool) -> Iterable[Line]:
    """The newest result is told whole, because its end may say what to do; of older ones the first lines."""
    role = Role.TEXT if result.good else Role.BAD
    first, *more = result.lines
    indent, room = " " * 11, width - 12
    outcome = f" ({result.outcome})" if result.outcome else ""
    told = [*wrapped_cells(f"{first}{outcome}", room), *(part for line in more for part in wrapped_cells(line, room))]
    shown = told if whole else told[:_OLDER_LINES]
    head: list[Part] = [
        look.part(f" {clock(result.newest.end)} ", Role.MUTED),
        look.part("  " if result.good else "E ", role, bold=not result.good),
    ]
    yield [*head, look.part(shown[0])]
    for text in shown[1:]:
        yield [look.part(indent), look.part(text)]
    if len(told) > len(shown):
        yield [look.part(f"{indent}+{len(told) - len(shown)} lines", Role.MUTED)]
    if again := result.again(clock(result.first)):
        yield [look.part(" " * min(len(indent), width - len(again)) + again, Role.MUTED)]


def _events(row: Row, events: Iterable[ContainerEvent], look: Look, width: int) -> list[Line]:
    ids = {container.id for container in row.containers}
    lines: list[Line] = []
    for event in events:
        if event.id not in ids or len(lines) == _SHOWN_EVENTS:
            continue
        words = _EVENT_WORDS.get(event.action, event.action)
        if event.detail:
            words += f" {event.detail}"
        if event.exit_code is not None and event.action == "die":
            words += f" with exit code {event.exit_code}"
        name = f"{event.name} " if len(ids) > 1 else ""
        text = cut(f"{name}{words}", width - 11, look.glyphs.ellipsis)
        lines.append([look.part(f" {clock(event.time)} ", Role.MUTED), look.part(f" {text}")])
    return lines


def _replica_note(row: Row) -> str:
    wanted = row.service.wanted if row.service else None
    alive = sum(container.alive for container in row.containers)
    return f"{alive} of {wanted if wanted is not None else len(row.containers)} running"


def _replicas(row: Row, look: Look, width: int, now: datetime) -> list[Line]:
    lines: list[Line] = []
    for container in row.containers:
        state, why, _, _ = container_state(container, now)
        name = pad(cut(container.name, 24, look.glyphs.ellipsis), 24)
        text = cut(why, max(0, width - 39), look.glyphs.ellipsis)
        lines.append([look.part(f" {name} "), *look.state(state, 12), look.part(f" {text}")])
    return lines


def _facts(row: Row, container: Container | None, world: World, look: Look, width: int, now: datetime) -> list[Line]:
    pairs: list[tuple[str, str]] = []
    service = row.service
    if row.since is not None:
        pairs.append((row.state.word, f"{held(row, now)}, since {_moment(row.since, now)}"))
    if service is not None and service.declared is not None:
        pairs.append(("declared", f"{service.declared.image}, {service.declared.scale} of it"))
        pairs.append(
            ("differs", "no: what runs is what the file says" if service.drift is Drift.NONE else service.drift_detail)
        )
    elif service is not None:
        pairs.append(("differs", service.drift_detail or "not known: the file cannot be read"))
    if container is not None:
        pairs += _container_facts(container)
    lines = [fact(name, text, look, width) for name, text in pairs if text]
    history = history_of(row, world)
    if history is not None:
        spark = min(30, max(8, width // 6))
        cpu = look.glyphs.spark(history.cpu, spark, max([100.0, *(v for v in history.cpu if v is not None)]))
        used = [float(value) if value is not None else None for value in history.memory]
        top = float(history.memory_limit or max([1.0, *(v for v in used if v is not None)]))
        memory = look.glyphs.spark(used, spark, top)
        lines.insert(
            1 if row.since else 0,
            [
                look.part(f" {pad('use', _LABEL)}", Role.MUTED),
                look.part(f"cpu {pad(percent(history.now.cpu), 6)}"),
                look.part(pad(cpu, spark), Role.ACTIVE),
            ],
        )
        lines.insert(
            2 if row.since else 1,
            [
                look.part(" " * (_LABEL + 1)),
                look.part(f"mem {pad('', 6)}"),
                look.part(pad(memory, spark), Role.ACTIVE),
                look.part(f" {memory_of(history.now.memory, history.memory_limit)}"),
            ],
        )
    return lines


def _container_facts(container: Container) -> list[tuple[str, str]]:
    pairs = [
        ("container", f"{container.name}  {container.id[:12]}"),
        ("image", f"{container.image}  {container.image_id.removeprefix('sha256:')[:12]}"),
    ]
    details = container.details
    if details is not None:
        pairs.append(("command", details.command))
        if container.ended and container.exit_code is not None:
            oom = ", out of memory" if details.oom_killed else ""
            pairs.append(("exit code", f"{container.exit_code}{oom}"))
        if details.error:
            pairs.append(("error", details.error))
        pairs.append(("restarts", f"{details.restarts}, policy {details.restart_policy}"))
        if details.memory_limit:
            pairs.append(("limit", f"{binary(details.memory_limit)} of memory"))
        if details.user:
            pairs.append(("user", details.user))
    pairs.append(("ports", ", ".join(map(_port, container.ports))))
    for number, mount in enumerate(container.mounts):
        only = " (read only)" if mount.read_only else ""
        pairs.append(("mounts" if number == 0 else "", f"{mount.kind} {mount.source} on {mount.target}{only}"))
    return pairs


def _port(port: Port) -> str:
    inner = f"{port.container_port}/{port.protocol}"
    if port.host_port is None:
        return inner
    host = f"[{port.host_ip}]" if port.host_ip and ":" in port.host_ip else port.host_ip or ""
    return f"{host}:{port.host_port} -> {inner}" if host else f"{port.host_port} -> {inner}"


def _environment(container: Container, look: Look, width: int, *, values: bool) -> Section:
    variables = container.details.environment if container.details else ()
    key = look.keys.first("values")
    note = f"{len(variables)} set, shown: {key} hides them" if values else f"{len(variables)} set, hidden: {key} shows them"
    label = max([_LABEL, *(len(variable.name) + 1 for variable in variables)]) if variables else _LABEL
    lines = [
        fact(variable.name, variable.value if values else MASK, look, width, label=min(label, width // 2))
        for variable in variables
    ]
    return Section("Environment", note, lines)


def _widest(names: Iterable[str]) -> int:
    return max(_LABEL, *(len(name) + 1 for name in names))


def fact(name: str, text: str, look: Look, width: int, *, label: int = _LABEL) -> Line:
    label = min(label, max(_LABEL, width // 2))
    room = max(8, width - label - 2)
    shown = cut(text.replace("\n", " "), room, look.glyphs.ellipsis)
    return [look.part(f" {pad(cut(name, label - 1, look.glyphs.ellipsis), label)}", Role.MUTED), look.part(shown)]


def long_fact(name: str, text: str, look: Look, width: int, *, label: int = _LABEL) -> list[Line]:
    """One fact over as many lines as it needs, to be read whole."""
    parts = wrapped_cells(text, max(8, width - label - 2))
    return [fact(name if number == 0 else "", part, look, width, label=label) for number, part in enumerate(parts)]


def wrapped(text: str, look: Look, width: int, role: Role = Role.TEXT) -> list[Line]:
    """A sentence over as many lines as it needs."""
    return [[look.part(f" {line}", role)] for line in textwrap.wrap(text, max(10, width - 2))]
