"""The one shape of all acts: what exactly would happen, in words and as data, before anything does.

    act.plan()  ->  Plan  ->  a person agrees  ->  Doer.carry_out(plan)  ->  Outcome  ->  act.aftermath(outcome)

An act knows what is wanted and whom to ask for it; its plan is one look at the world. Plans are made anew at the moment of
agreeing, and one whose `basis` has changed is not carried out. Every text is clean; values that are secret are in no plan.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Protocol, runtime_checkable
from uuid import uuid4

from console.model import secretnames
from console.model.asking import FieldKind
from console.model.build import NOTHING, BuildRef
from console.model.source import SourceState
from console.model.state import StateClass
from console.text import Clean, clean

MASK = secretnames.MASK
"""What stands for a secret, whatever its length."""


class Weight(IntEnum):
    """How a person agrees. ENTER: it adds or repeats something. YES (the key y): it ends or removes what can be made again.
    WORD: what goes cannot come back, so `Plan.word` is typed."""

    ENTER = 0
    YES = 1
    WORD = 2


@dataclass(frozen=True, slots=True)
class Target:
    """One object of an act. `key` is its id (`build/train#41`, `queue/12`, `job/train`, `node/trainer-1`), `name` for people.

    `refused` says why nothing can be done to it; then the act leaves it out. `denied` is the permission that is missing, where
    that is why.
    """

    key: Clean
    name: Clean
    refused: Clean | None = None
    denied: Clean | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """A line of a plan. `label` is `does`, `but`, `then`, `goes`, `stays`, `asks` or `as`; the rest is a sentence."""

    label: str
    text: Clean


@dataclass(frozen=True, slots=True)
class Basis:
    """A fact that a plan rests on. `moved` is said where it has changed when the person agrees: the newer plan tells it."""

    name: str
    fact: Hashable
    moved: Clean


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of a form. `value` is what will be sent (secrets: MASK, or empty), `was` what it was before a person changed it.

    `note` stands beside it, `changed` marks it, `problem` says why its value cannot be sent.
    """

    name: Clean
    kind: FieldKind
    value: Clean
    was: Clean
    note: Clean = NOTHING
    choices: tuple[Clean, ...] = ()
    changed: bool = False
    problem: Clean | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Another act that a plan leads to: `key` in the sheet, in `words`."""

    key: str
    words: Clean
    act: Act


@dataclass(frozen=True, slots=True)
class Part:
    """What goes (`label` is `goes`) or `stays`: a group of objects with its `parts`, or a single one, which has none.

    `id` names it across plans. `keys` are those that a person may keep, or no longer keep: of what stays, only what stays
    because of that.
    """

    id: Clean
    label: str
    name: Clean
    size: Clean
    reason: Clean
    keys: frozenset[Clean]
    parts: tuple[Part, ...] = ()


@runtime_checkable
class Sparing(Protocol):
    """An act whose plan has `parts`, some of which a person may keep."""

    def sparing(self, keys: frozenset[Clean], *, keep: bool) -> Act:
        """The same act, that leaves these objects alone; or that no longer does."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen. `act` is the act it is made by, and makes it anew.

    `title` is the act and its object, `yes` the word for agreeing, `same_as` the requests or commands that would do the same
    (secrets masked). `refused` says why nothing can be done at all; then there is nothing to agree to. `moved` says why this
    plan took the place of another. `even_unrecorded`: what ends or frees something goes on where the audit file cannot be
    written; the rest is refused then. `shrinks`: objects that cannot be done any more are left out and told about, and do not
    make another plan of it: of a thousand objects one has always moved. `parts` tell what goes and stays line by line, where a
    person may choose among that; `aside`: the entries are seen only while they are changed.
    """

    act: Act
    title: Clean
    yes: Clean
    targets: tuple[Target, ...]
    says: tuple[Say, ...] = ()
    same_as: tuple[Clean, ...] = ()
    weight: Weight = Weight.ENTER
    word: Clean = NOTHING
    basis: tuple[Basis, ...] = ()
    entries: tuple[Entry, ...] = ()
    offers: tuple[Offer, ...] = ()
    refused: Clean | None = None
    moved: Clean | None = None
    even_unrecorded: bool = False
    shrinks: bool = False
    parts: tuple[Part, ...] = ()
    aside: bool = False
    id: str = field(default_factory=lambda: uuid4().hex, compare=False)

    @property
    def doable(self) -> tuple[Target, ...]:
        return () if self.refused is not None else tuple(one for one in self.targets if one.refused is None)

    @property
    def why_not(self) -> Clean | None:
        """Why there is nothing to agree to; None where there is."""
        if self.refused is not None:
            return self.refused
        if self.doable:
            return next((entry.problem for entry in self.entries if entry.problem is not None), None)
        return next((one.refused for one in self.targets), Clean("There is nothing to do it to."))

    def told(self, label: str) -> tuple[Clean, ...]:
        """The sentences below one label."""
        return tuple(one.text for one in self.says if one.label == label)


def moved(before: Plan, now: Plan) -> Clean | None:
    """What has changed under a plan since it was shown, in words; None when it still fits."""
    facts = {one.name: one.fact for one in before.basis}
    for one in now.basis:
        if facts.pop(one.name, _NOTHING) != one.fact:
            return one.moved
    if facts:
        return next(one.moved for one in before.basis if one.name in facts)
    if before.shrinks and now.shrinks:
        return now.refused
    # The basis is what the act rests on; whatever else it shows of what will happen must not have changed either.
    if (before.doable, before.weight, before.refused, before.same_as) != (now.doable, now.weight, now.refused, now.same_as):
        return clean(now.why_not or "Things have changed meanwhile.")
    return None


_NOTHING = object()


class Fate(Enum):
    """What became of one object. UNSURE: nobody could find out; LEFT: it was not begun, because the act was called off."""

    DONE = "done"
    FAILED = "failed"
    UNSURE = "unsure"
    LEFT = "left"

    @property
    def kind(self) -> StateClass:
        """How it is shown."""
        return _KINDS[self]


_KINDS = {
    Fate.DONE: StateClass.GOOD,
    Fate.FAILED: StateClass.BROKEN,
    Fate.UNSURE: StateClass.ATTENTION,
    Fate.LEFT: StateClass.ENDED,
}
WORST_FIRST = (Fate.FAILED, Fate.UNSURE, Fate.LEFT, Fate.DONE)


def worst(fates: Iterable[Fate]) -> Fate:
    """DONE where there are none."""
    return min(fates, key=WORST_FIRST.index, default=Fate.DONE)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one object, in words: `queued as item 12`. `denied` is the permission that was missing, `state` how the
    system was doing where it failed.

    `mark` is for the act's own aftermath, such as the item of the queue that a request became.
    """

    target: Target
    fate: Fate
    words: Clean
    denied: Clean | None = None
    state: SourceState = SourceState.OK
    mark: object = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan. `unrecorded` says why the audit line could not be written."""

    plan: Plan
    results: tuple[Result, ...]
    unrecorded: Clean | None = None

    @property
    def failed(self) -> tuple[Result, ...]:
        return tuple(one for one in self.results if one.fate is not Fate.DONE)

    @property
    def done(self) -> tuple[Result, ...]:
        return tuple(one for one in self.results if one.fate is Fate.DONE)

    @property
    def worst(self) -> Fate:
        return worst(one.fate for one in self.results)


class End(Enum):
    """How what an act has set going came out."""

    GOOD = "good"
    BAD = "bad"
    ABORTED = "aborted"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class News:
    """Something that came of an act after it was done: `queued behind project-c`, `started as #43`.

    `ref` is the build that it is about, `end` is set with the last news of that object.
    """

    target: Target
    kind: StateClass
    words: Clean
    ref: BuildRef | None = None
    end: End | None = None


Tell = Callable[[Clean], None]
"""Gets a sentence about what is being done now."""


class Act(Protocol):
    """What somebody wants. `name` is the command's (`retrigger`); it goes into the audit."""

    @property
    def name(self) -> str: ...

    async def plan(self) -> Plan:
        """One look at the world. Raises SourceError when it cannot be looked at; what cannot be done is a plan that says so."""
        ...

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        """Do it to one object. Raises SourceError: then it is known not to have happened."""
        ...

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        """What comes of it, as it comes; None where nothing does. It ends by itself; a system that is away is waited for.

        `whole` goes on until all of it has ended (a build that was started); without it, until it is known what it became.
        """
        ...


@runtime_checkable
class DoesAtOnce(Protocol):
    """An act that does several of its objects with the first of them."""

    def begun(self, target: Target) -> bool:
        """Whether it was begun with another one: then nobody can call it off, and `perform` tells what became of it."""
        ...


@runtime_checkable
class TellsMore(Protocol):
    """An act whose plan holds more than its targets."""

    def more(self) -> Mapping[str, object]:
        """What else the plan's JSON has, by its key: nothing but what JSON knows."""
        ...


def pairs(values: Mapping[str, str], secret: Collection[str]) -> str:
    """`NAME=value NAME=value` for a request that is shown. Stars stand for the whole value of each of `secret`, and of what is
    called like a secret: what is written down is masked later, too, but there nobody knows where a value with blanks ends."""
    hidden = {name for name, value in values.items() if name in secret or (value and secretnames.secret(name))}
    return " ".join(f"{name}={MASK if name in hidden else value}" for name, value in values.items())


def several(names: Sequence[str], most: int = 3) -> str:
    """`a, b and c`; `a, b, c and 4 more`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1] if names else "") if part)
