"""Acts and a recorder that a test holds in its hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from console.actions.audit import AuditRecorder, InMemory
from console.actions.doer import UnrecordedError
from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight
from console.model.person import Person
from console.text import clean


@dataclass
class Lamps:
    """Switches lamps off: a world of names that are on, which a test changes. `broken` raises when that lamp is reached."""

    on: set[str]
    wanted: tuple[str, ...]
    weight: Weight = Weight.ENTER
    even_unrecorded: bool = False
    broken: dict[str, Exception] = field(default_factory=dict)
    before_each: Callable[[str], None] = lambda _: None
    asked: list[str] = field(default_factory=list)
    name: str = "darken"

    async def plan(self) -> Plan:
        return Plan(
            act=self,
            title=clean(f"Darken  {', '.join(self.wanted)}"),
            yes=clean("darken"),
            targets=tuple(
                Target(clean(f"lamp/{one}"), clean(one), None if one in self.on else clean(f"{one} is dark already."))
                for one in self.wanted
            ),
            says=(Say("does", clean("makes it dark")),),
            same_as=tuple(clean(f"POST lamp/{one}/off") for one in self.wanted),
            weight=self.weight,
            basis=tuple(
                Basis(one, one in self.on, clean(f"{one} {'burns again' if one in self.on else 'is dark already'}."))
                for one in self.wanted
            ),
            even_unrecorded=self.even_unrecorded,
        )

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        self.before_each(target.name)
        self.asked.append(target.name)
        if target.name in self.broken:
            raise self.broken[target.name]
        tell(clean(f"darkening {target.name}"))
        self.on.discard(target.name)
        return Result(target, Fate.DONE, clean("dark"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


class Notebook(AuditRecorder):
    """Keeps what is recorded, and writes nothing down. `full` refuses every line, `full_after` those after so many."""

    def __init__(self, *, full: bool = False, full_after: int | None = None) -> None:
        super().__init__(InMemory(Person(clean("sato"), 1000)), clean("h"))
        self.lines: list[tuple[str, Plan | Outcome]] = []
        self._room = 0 if full else full_after

    async def begin(self, plan: Plan) -> None:
        self._keep("begun", plan)

    async def end(self, outcome: Outcome) -> None:
        self._keep("ended", outcome)

    def _keep(self, phase: str, what: Plan | Outcome) -> None:
        if self._room is not None and len(self.lines) >= self._room:
            raise UnrecordedError("the disk is full.")
        self.lines.append((phase, what))

    @property
    def phases(self) -> list[str]:
        return [phase for phase, _ in self.lines]

    @property
    def outcome(self) -> Outcome:
        return next(what for _, what in reversed(self.lines) if isinstance(what, Outcome))
