"""An act in the test's hands, as a command: `do OBJECT...`, with every option of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from console.actions.plan import MASK, Basis, Entry, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight
from console.cli.acts import act
from console.cli.consent import asks, told
from console.cli.group import COMMANDS, Context, command
from console.cli.waiting import after, waits
from console.model.asking import FieldKind
from console.model.source import SourceError, SourceState
from console.text import Clean, clean

COMMANDS_WITH_IT = {**COMMANDS, "do": ("tests.console.cli.small_acts:do", "Do it.")}


@dataclass
class SmallAct:
    """Plans one target for each name. `seen` counts the looks; `moves` is the look from which on the world is another one.

    `forever` lets what comes of it have no end, `slow` what is done.
    """

    names: Sequence[str] = ("thing",)
    weight: Weight = Weight.ENTER
    word: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    denied: str = ""
    problem: str = ""
    moves: int | None = None
    fails: dict[str, SourceError] = field(default_factory=dict)
    after: list[News | Exception] | None = None
    says: tuple[Say, ...] = (Say("does", Clean("makes a thing")), Say("stays", Clean("all others")))
    seen: int = 0
    done: list[str] = field(default_factory=list)
    name: str = "do"
    forever: bool = False
    slow: bool = False

    def target(self, name: str) -> Target:
        why = self.refused.get(name)
        denied = clean(self.denied) if why and self.denied else None
        return Target(clean(f"thing/{name}"), clean(name), clean(why) if why else None, denied)

    async def plan(self) -> Plan:
        self.seen += 1
        moved = self.moves is not None and self.seen >= self.moves
        problem = clean(self.problem) if self.problem else None
        kind = FieldKind.PASSWORD
        return Plan(
            act=self,
            title=clean(f"Do  {', '.join(self.names)}{' once more' if moved else ''}"),
            yes=Clean("do it"),
            targets=tuple(self.target(name) for name in self.names),
            says=self.says,
            same_as=(Clean("POST thing"),),
            weight=self.weight,
            word=clean(self.word),
            basis=(Basis("world", moved, Clean("The world has moved.")),),
            entries=(
                Entry(Clean("TOKEN"), kind, MASK, Clean("")),
                Entry(Clean("SIZE"), FieldKind.TEXT, Clean("2"), Clean("1"), Clean("was 1"), changed=True, problem=problem),
            ),
        )

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        name = str(target.name)
        tell(clean(f"doing {name} for 1s"))
        tell(clean(f"doing {name} for 2s"))
        if self.slow:
            await asyncio.Event().wait()
        if name in self.fails:
            raise self.fails[name]
        self.done.append(name)
        return Result(target, Fate.DONE, clean(f"{name} is done"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        assert whole, "commands wait for the end"
        return self._news() if self.after is not None else None

    async def _news(self) -> AsyncIterator[News]:
        for one in self.after or ():
            if isinstance(one, Exception):
                raise one
            yield one
        if self.forever:
            await asyncio.Event().wait()


CURRENT: list[SmallAct] = []
"""The one that the command `do` does."""


@command("do")
@asks
@waits
@click.option("--follow", is_flag=True)
@click.pass_obj
def do(context: Context, /, **options: Any) -> int:
    """Do it."""

    async def make(_: object) -> SmallAct:
        return CURRENT[-1]

    return act(context, make, told(options), after(options["wait"], options["timeout"], follow=options["follow"]))


def away() -> SourceError:
    return SourceError(SourceState.UNREACHABLE, clean("It is away."))
