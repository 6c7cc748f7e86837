"""Rights and owners of files of this machine that are set right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight
from console.model.filefacts import FileFacts
from console.model.source import NotThereError
from console.sources.protocols import Files
from console.text import Clean, clean

_ROOT = 0
GONE = Clean("It is gone.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The twelve bits that a file should have, and its owner (None: the one that it has)."""

    path: Path
    rights: int
    uid: int | None = None


class SetRights:
    """Gives files the rights that they should have. `uid` is who asks: only root gives files away."""

    name = "rights"

    def __init__(self, files: Files, wanted: Sequence[Wanted], uid: int) -> None:
        self._files = files
        self._wanted = {_key(one): one for one in wanted}
        self._uid = uid
        self._facts: dict[Clean, FileFacts] = {}

    async def plan(self) -> Plan:
        targets, basis, commands = [], [], []
        for key, one in self._wanted.items():
            facts = await self._look(one)
            refused = self._refused(one, facts)
            targets.append(Target(key, clean(str(one.path)), refused))
            basis.append(Basis(str(key), facts, refused or clean(f"{one.path} is another one, or has other rights now.")))
            if facts is not None and refused is None:
                self._facts[key] = facts
                commands += _commands(one, facts)
        return Plan(
            act=self,
            title=clean("Set rights  " + (str(targets[0].name) if len(targets) == 1 else f"{len(targets)} files")),
            yes=Clean("set them"),
            targets=tuple(targets),
            says=tuple(Say("does", self._words(one)) for one in self._wanted.values()),
            same_as=tuple(commands),
            weight=Weight.YES,
            basis=tuple(basis),
        )

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        one = self._wanted[target.key]
        tell(clean(f"setting the rights of {one.path}"))
        await self._files.set_rights(one.path, self._facts[target.key], one.rights, one.uid)
        return Result(
            target, Fate.DONE, clean(f"mode {one.rights:04o}" + (f", owner {one.uid}" if one.uid is not None else ""))
        )

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None

    async def _look(self, one: Wanted) -> FileFacts | None:
        try:
            return await self._files.facts(one.path)
        except NotThereError:
            return None

    def _refused(self, one: Wanted, facts: FileFacts | None) -> Clean | None:
        if facts is None:
            return GONE
        if not facts.plain:
            return Clean("It is no plain file.")
        if self._uid != _ROOT and (self._uid != facts.uid or one.uid not in (None, facts.uid)):
            return clean(f"{one.path} is not yours to change: sudo mlops-console doctor --fix")
        if facts.rights == one.rights and one.uid in (None, facts.uid):
            return Clean("It is as it should be already.")
        return None

    def _words(self, one: Wanted) -> Clean:
        known = self._facts.get(_key(one))
        was = f" instead of {known.rights:04o}" if known is not None else ""
        owner = f", owner {one.uid}" if one.uid is not None else ""
        return clean(f"{one.path}: mode {one.rights:04o}{was}{owner}")


def _key(one: Wanted) -> Clean:
    return clean(f"file/{one.path}")


def _commands(one: Wanted, facts: FileFacts) -> list[Clean]:
    found = [clean(f"chmod {one.rights:04o} {one.path}")]
    return found if one.uid in (None, facts.uid) else [*found, clean(f"chown {one.uid} {one.path}")]
