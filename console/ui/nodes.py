"""Nodes as lines: the list of them, and all that is known about one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from console.model.cells import width as cells_of
from console.model.jenkins import JenkinsWorld, Node
from console.model.jenkins_rows import node_state, row, with_details
from console.model.state import StateClass
from console.model.waiting import node_reason, nodes_meant
from console.model.words import binary, decimal, duration
from console.ui.builds import when
from console.ui.canvas import Line
from console.ui.columns import Column
from console.ui.details import fact, wrapped
from console.ui.look import Look
from console.ui.table import NAME, STATE, TableRow

_CLOCK_SLACK = timedelta(seconds=5)


def columns(nodes: Sequence[Node], width: int) -> tuple[Column, ...]:
    """Why a node is off line gets what is left: it is what people come for."""
    name = min(20 if width < 100 else 30, max([12, *(cells_of(node.name) for node in nodes)]))
    labels = min(24, max([6, *(cells_of(" ".join(node.labels)) for node in nodes)]))
    return (
        Column(NAME, 10, name, 0, 0),
        Column(STATE, 12, 12, 0, 0),
        Column("busy", 6, 6, 0, 1, right=True),
        Column("disk", 7, 7, 0, 4, right=True),
        Column("labels", 6, labels, 0, 3),
        Column("why", 20, 20, 500, 1),
    )


def table_row(node: Node, world: JenkinsWorld) -> TableRow:
    """The cells of one node."""
    told = node_reason(node)
    why = str(told.cause) if told is not None else ", ".join(_short(ref.job, ref.number, world) for ref in node.running)
    monitors = node.monitors
    disk = decimal(monitors.disk_free) if monitors is not None and monitors.disk_free is not None else ""
    return TableRow(
        f"node/{node.name}",
        node_state(node),
        {
            NAME: str(node.name),
            "busy": f"{node.busy}/{node.executors}",
            "labels": " ".join(node.labels),
            "disk": disk,
            "why": why,
        },
    )


def _short(job: str, number: int, world: JenkinsWorld) -> str:
    found = next((one.shown for name, one in world.jobs.items() if name == job), None)
    return f"{found or job} #{number}"


def about(node: Node, world: JenkinsWorld, look: Look, width: int, now: datetime) -> list[Line]:
    """Why it is off line and what ends that, what runs on it, what its monitors measured."""
    found: list[Line] = []
    told = node_reason(node)
    if told is not None:
        found += wrapped(told.sentence, look, width)
    for number, ref in enumerate(node.running):
        build = world.details.get(ref)
        last = world.jobs[ref.job].last if ref.job in world.jobs else None
        known = build or (last if last is not None and last.ref == ref else None)
        text = _short(ref.job, ref.number, world)
        if known is not None:
            one = row(world, with_details(world, known))
            text = f"{text}  {when(known, now)}  {one.why}"
        found.append(fact("runs" if number == 0 else "", text, look, width))
    if not node.offline:
        free = node.executors - node.busy
        found.append(
            fact("executors", f"{node.executors}, {free} free" if node.executors else "none: it only directs", look, width)
        )
    found.append(fact("labels", " ".join(node.labels) or "none", look, width))
    waits = sum(node in nodes_meant(item.why, world.work.nodes) for item in world.work.queue)
    if waits and node.offline:
        found.append(fact("wanted by", f"{waits} in the queue", look, width))
    monitors = node.monitors
    if monitors is None:
        missing = world.missing.get(("monitors", node.name))
        words = str(missing or "not told: only with Agent/Connect, after a first round")
        found.append(fact("measured", words, look, width))
        return found
    if monitors.disk_free is not None:
        found.append(fact("disk", f"{decimal(monitors.disk_free)} free at {monitors.disk_path or 'its folder'}", look, width))
    if monitors.temp_free is not None:
        found.append(fact("temporary", f"{decimal(monitors.temp_free)} free", look, width))
    if monitors.memory_free is not None and monitors.memory_total:
        found.append(fact("memory", f"{binary(monitors.memory_free)} free of {binary(monitors.memory_total)}", look, width))
    if monitors.clock_off is not None:
        off = abs(monitors.clock_off)
        way = "ahead" if monitors.clock_off < timedelta(0) else "behind"
        words = "in step" if off < _CLOCK_SLACK else f"{duration(off.total_seconds())} {way}"
        line = list(fact("clock", words, look, width))
        if off >= _CLOCK_SLACK:
            line.append(look.part("  "))
            line.append(look.glyph(StateClass.ATTENTION))
        found.append(line)
    if monitors.system:
        found.append(fact("system", monitors.system, look, width))
    return found
