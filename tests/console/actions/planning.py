"""Plans and outcomes without a world behind them, for what only writes them down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from console.actions.plan import Act, Fate, News, Outcome, Plan, Result, Say, Target, Tell
from console.model.person import Person
from console.text import Clean, clean

ANNA = Person(Clean("anna"), 1000, None, Clean("192.0.2.7"), Clean("anna-at-ci"))


@dataclass(frozen=True)
class Nothing(Act):
    """An act that is only asked for its name."""

    name: str = "retrigger"

    async def plan(self) -> Plan:
        return plan(act=self)

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        return Result(target, Fate.DONE, Clean("queued as item 12"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


def target(number: int, refused: str | None = None) -> Target:
    return Target(clean(f"build/train#{number}"), clean(f"train #{number}"), clean(refused) if refused else None)


def plan(*targets: Target, act: Act | None = None, says: tuple[Say, ...] = (), same_as: tuple[str, ...] = ()) -> Plan:
    return Plan(
        act=act or Nothing(),
        title=Clean("Retrigger train #41"),
        yes=Clean("retrigger"),
        targets=targets or (target(41),),
        says=says or (Say("does", Clean("train gets a new build")),),
        same_as=tuple(clean(one) for one in same_as),
    )


def outcome(of: Plan, *fates: Fate, words: str = "queued as item 12", denied: str | None = None) -> Outcome:
    """What became of the doable targets, in their order."""
    told = clean(denied) if denied else None
    return Outcome(of, tuple(Result(one, fate, clean(words), told) for one, fate in zip(of.doable, fates, strict=True)))
