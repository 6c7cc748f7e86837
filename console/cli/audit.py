"""`audit`: what was done with this console, when, and by whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import click

from console.actions.audited import NOTHING_YET, Audit, Audited, Object, look
from console.cli import forms
from console.cli.forms import moment
from console.cli.group import Context, command
from console.cli.looking import UNREACHABLE
from console.cli.options import UsageError
from console.cli.output import Cell, Column, print_json
from console.model.person import Person
from console.model.source import SourceState, SourceStatus
from console.model.times import moment as typed_moment
from console.sources.auditfile import AuditError

_COLUMNS = (
    Column("TIME"),
    Column("WHO", least=8, drop=2, middle=True),
    Column("ACT"),
    Column("ON", least=12, middle=True),
    Column("RESULT"),
    Column("", least=16, drop=1),
)


@command("audit")
@click.option("--since", metavar="T", help="Leave out what is older: 10m, 2h30m, 14:03, 2026-11-23T14:03:00Z.")
@click.pass_obj
def audit(context: Context, since: str | None) -> int:
    """Show what was done with this console, newest last: when, by whom, and what came of it.

    Exit status: 0 it was read, 3 the file cannot be read.
    """
    now = datetime.now(UTC)
    try:
        oldest = typed_moment(since, now) if since is not None else None
    except ValueError as error:
        raise UsageError(str(error)) from None
    try:
        found = asyncio.run(look(context.backend.recorder().places))
    except AuditError as error:
        context.complain(error.reason)
        if context.json:
            _print_json(context, Audit(), SourceStatus(SourceState.UNREACHABLE, error.reason))
        return UNREACHABLE
    if oldest is not None:
        found = found.since(oldest)
    if found.damage is not None:
        context.complain(found.damage)
    if context.json:
        _print_json(context, found, SourceStatus(SourceState.OK, None, None, now))
    elif not found.acts:
        context.printer().line(NOTHING_YET if oldest is None else "Nothing has been done with this console since then.")
    else:
        context.printer().table(_COLUMNS, [_row(one) for one in found.acts])
    return 0


def _row(one: Audited) -> list[Cell]:
    return [
        Cell(one.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")),
        Cell(one.person.called),
        Cell(one.act),
        Cell(one.names),
        Cell(one.state.word, one.state),
        Cell(one.told),
    ]


def _print_json(context: Context, found: Audit, status: SourceStatus) -> None:
    print_json(
        forms.envelope(
            "audit",
            [_item(one) for one in found.acts],
            taken_at=datetime.now(UTC),
            demo=context.backend.demo,
            sources={"audit": status},
            damaged=found.damaged,
        )
    )


def _item(one: Audited) -> dict[str, Any]:
    return {
        "id": one.id,
        "begun": moment(one.begun),
        "ended": moment(one.ended),
        "person": _person(one.person),
        "host": one.host,
        "act": one.act,
        "title": one.title,
        "state": one.state.word,
        "class": one.state.kind.name.lower(),
        "told": one.told,
        "objects": [_object(each) for each in one.objects],
        "left_out": [{**_object(each), "why": each.why} for each in one.left_out],
        "effects": [{"label": label, "text": text} for label, text in one.effects],
        "requests": list(one.requests),
        "results": [
            {"id": each.id, "fate": each.fate.value, "words": each.words, "denied": each.denied} for each in one.results
        ],
    }


def _person(one: Person) -> dict[str, Any]:
    return {"user": one.user, "uid": one.uid, "sudo": one.sudo, "ssh": one.ssh, "jenkins": one.jenkins}


def _object(one: Object) -> dict[str, Any]:
    return {"id": one.id, "name": one.name}
