"""`queue` and `nodes`: why something waits, and what could run it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click

from console.cli import jenkins_forms
from console.cli.asking import ask, document, world_of
from console.cli.group import Context, command
from console.cli.output import Cell, Column, print_json
from console.feeds.jenkins_once import with_node_logs, with_waited_for, with_waits
from console.model.jenkins import JenkinsError, Node
from console.model.jenkins_rows import node_state, waiting
from console.model.jenkins_rows import nodes as listed_nodes
from console.model.waiting import node_reason
from console.model.words import age, decimal
from console.sources.protocols import Jenkins

_COLUMNS = (
    Column("WHAT", least=12, middle=True),
    Column("", drop=3),
    Column("STATE"),
    Column("WAITS FOR", least=20),
    Column("FOR", drop=1),
)
_NODE_COLUMNS = (
    Column("NODE", least=10, middle=True),
    Column("STATE"),
    Column("BUSY", drop=1),
    Column("LABELS", least=6, drop=3),
    Column("FREE", drop=4),
    Column("", least=24, drop=2),
)


@command("queue")
@click.pass_obj
def queue(context: Context) -> int:
    """Show what waits and why: also for a lock, which Jenkins' own queue does not show.

    Exit status: 0 nothing waits for ever, 1 something does or asks a person, 3 Jenkins cannot be asked.
    """
    return ask(context, "queue", lambda source: _queue(context, source))


async def _queue(context: Context, source: Jenkins) -> int:
    world = await world_of(source)
    world = await with_waited_for(source, await with_waits(source, world))
    now = datetime.now(UTC)
    rows = waiting(world, now)
    if context.json:
        print_json(document(context, "queue", [jenkins_forms.waits(one) for one in rows]))
    elif not rows:
        context.printer().line("Nothing waits.")
    else:
        context.printer().table(
            _COLUMNS,
            [
                [
                    Cell(one.name),
                    Cell(one.short),
                    Cell(one.reason.state.word, one.reason.state),
                    Cell(one.reason.cause),
                    Cell(age((now - one.since).total_seconds()) if one.since is not None else ""),
                ]
                for one in rows
            ],
        )
    return 1 if any(one.reason.state.bad for one in rows) else 0


@command("nodes")
@click.pass_obj
def nodes(context: Context) -> int:
    """List the machines that run builds, and why one is off line.

    Exit status: 0 all are on line or set off line by somebody, 1 one is not, 3 Jenkins cannot be asked.
    """
    return ask(context, "nodes", lambda source: _nodes(context, source))


async def _nodes(context: Context, source: Jenkins) -> int:
    world = await world_of(source, jobs=False)
    world = await with_node_logs(source, world, world.work.nodes)
    measured = [await _measured(source, node) for node in world.work.nodes]
    world = replace(world, work=replace(world.work, nodes=tuple(measured)))
    found = listed_nodes(world)
    if context.json:
        items = [jenkins_forms.node(one) for one in found]
        print_json(document(context, "nodes", items, controller=jenkins_forms.controller(world)))
    else:
        context.printer().table(_NODE_COLUMNS, [_row(one) for one in found])
    return 1 if any(node_state(one).bad for one in found) else 0


def _row(one: Node) -> list[Cell]:
    why, told = node_reason(one), node_state(one)
    disk = one.monitors.disk_free if one.monitors is not None else None
    return [
        Cell(one.name),
        Cell(told.word, told),
        Cell(f"{one.busy}/{one.executors}"),
        Cell(" ".join(one.labels)),
        Cell(decimal(disk) if disk is not None else ""),
        Cell(why.cause if why is not None else ", ".join(ref.shown for ref in one.running)),
    ]


async def _measured(source: Jenkins, node: Node) -> Node:
    try:
        return replace(node, monitors=await source.monitors(node.name))
    except JenkinsError:
        return node
