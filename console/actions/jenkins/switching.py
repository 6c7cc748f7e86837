"""Switches: a job on or off, a build kept or not, a node off line or back, the branches of a project looked for anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from console.actions.jenkins.builds import build_of, key_of
from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight
from console.model.build import BuildRef, as_people_write, job_path
from console.sources.protocols import ActingJenkins
from console.text import Clean, clean

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class _Switch:
    """One object. `on` is how it stands (None: not known), `asks` the request, `send` sends it: False where it was so."""

    target: Target
    on: bool | None
    asks: Clean
    send: Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class _Words:
    """How a kind of switch speaks. `moved` tells of an object that stands otherwise than it did."""

    verb: str
    yes: str
    does: str
    done: str
    moved: str
    weight: Weight = Weight.YES


class _Switching:
    """What all switches share. Subclasses look at their objects."""

    name = ""

    def __init__(self, jenkins: ActingJenkins, words: _Words) -> None:
        self._jenkins = jenkins
        self._words = words
        self._switches: dict[Clean, _Switch] = {}

    async def look(self) -> list[_Switch]:
        raise NotImplementedError

    def says(self) -> list[Say]:
        return []

    async def plan(self) -> Plan:
        words, switches = self._words, await self.look()
        self._switches = {one.target.key: one for one in switches}
        what = switches[0].target.name if len(switches) == 1 else f"{len(switches)} of them"
        return Plan(
            act=self,
            title=clean(f"{words.verb}  {what}"),
            yes=clean(words.yes),
            targets=tuple(one.target for one in switches),
            says=(Say("does", clean(words.does)), *self.says()),
            same_as=tuple(one.asks for one in switches if one.target.refused is None),
            weight=words.weight,
            basis=tuple(
                Basis(str(one.target.key), (one.on, one.target.refused), one.target.refused or clean(words.moved))
                for one in switches
            ),
        )

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        tell(clean(f"{self._words.verb.lower()} {target.name}"))
        done = await self._switches[target.key].send()
        return Result(target, Fate.DONE, clean(self._words.done if done else "it was so already"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


class Scan(_Switching):
    """Has projects of branches look for new and changed ones. Jenkins lists none of them: they are the folders of branches."""

    name = "scan"

    def __init__(self, jenkins: ActingJenkins, projects: Sequence[str]) -> None:
        super().__init__(
            jenkins,
            _Words(
                verb="Scan",
                yes="scan",
                does="looks for branches that are new or changed, and builds them",
                done="told to scan",
                moved="It has changed since.",
                weight=Weight.ENTER,
            ),
        )
        self._projects = tuple(dict.fromkeys(projects))

    async def look(self) -> list[_Switch]:
        jobs = {str(job.full_name) for job in await self._jenkins.jobs()}
        return [self._one(project, jobs) for project in self._projects]

    def _one(self, project: str, jobs: set[str]) -> _Switch:
        why = f"{as_people_write(project)} is a job: only projects of branches can be scanned." if project in jobs else None
        target = Target(clean(f"job/{project}"), as_people_write(project), clean(why) if why else None)

        async def send() -> bool:
            await self._jenkins.scan(project)
            return True

        return _Switch(target, None, clean(f"POST {job_path(project)}/build"), send)


class SetEnabled(_Switching):
    """Lets jobs be built, or lets them not."""

    def __init__(self, jenkins: ActingJenkins, jobs: Sequence[str], on: bool) -> None:
        words = (
            _Words("Enable", "enable it", "lets it be built again", "enabled", "Somebody has enabled it since.", Weight.ENTER)
            if on
            else _Words(
                "Disable",
                "disable it",
                "starts no more builds of it; what runs goes on",
                "disabled",
                "Somebody has disabled it since.",
            )
        )
        super().__init__(jenkins, words)
        self._jobs = tuple(dict.fromkeys(jobs))
        self._on = on
        self.name = "enable" if on else "disable"

    async def look(self) -> list[_Switch]:
        found = {str(job.full_name): job for job in await self._jenkins.jobs()}
        return [self._one(name, found[name].buildable if name in found else None) for name in self._jobs]

    def _one(self, name: str, on: bool | None) -> _Switch:
        why = None
        if on is None:
            why = "Jenkins has no such job any more, or hides it."
        elif on is self._on:
            why = f"It is {'enabled' if on else 'disabled'} already."
        target = Target(clean(f"job/{name}"), as_people_write(name), clean(why) if why else None)

        async def send() -> bool:
            await self._jenkins.set_enabled(name, on=self._on)
            return True

        return _Switch(target, on, clean(f"POST {job_path(name)}/{'enable' if self._on else 'disable'}"), send)


class SetKept(_Switching):
    """Keeps builds from being discarded, or lets them be."""

    def __init__(self, jenkins: ActingJenkins, refs: Sequence[BuildRef], on: bool) -> None:
        words = (
            _Words("Keep", "keep it", "is not discarded with the old builds", "kept", "Somebody keeps it since.", Weight.ENTER)
            if on
            else _Words(
                "Keep no longer", "let it go", "is discarded when it is old", "not kept any more", "Nobody keeps it since."
            )
        )
        super().__init__(jenkins, words)
        self._refs = tuple(dict.fromkeys(refs))
        self._on = on
        self.name = "keep" if on else "unkeep"

    async def look(self) -> list[_Switch]:
        return [await self._one(ref) for ref in self._refs]

    async def _one(self, ref: BuildRef) -> _Switch:
        build = await build_of(self._jenkins, ref)
        kept = build.kept if build is not None else None
        why = "It was deleted." if build is None else ""
        if kept is self._on:
            why = "It is kept already." if kept else "Nobody keeps it."
        target = Target(key_of(ref), ref.shown, clean(why) if why else None)
        asks = clean(f"POST {ref.path}/toggleLogKeep")
        return _Switch(target, kept, asks, lambda: self._jenkins.set_kept(ref, on=self._on))


class SetOffline(_Switching):
    """Takes nodes off line with a reason that everybody sees; None brings them back."""

    def __init__(self, jenkins: ActingJenkins, nodes: Sequence[str], reason: str | None) -> None:
        words = (
            _Words(
                "Bring back",
                "bring it back",
                "lets builds run on it again",
                "on line again",
                "It is on line since.",
                Weight.ENTER,
            )
            if reason is None
            else _Words(
                "Take off line",
                "take it off line",
                "starts no more builds on it; what runs there goes on",
                "off line",
                "It is off line since.",
            )
        )
        super().__init__(jenkins, words)
        self._nodes = tuple(dict.fromkeys(nodes))
        self._reason = reason
        self.name = "online" if reason is None else "offline"

    def says(self) -> list[Say]:
        return [Say("as", clean(f"reason: {self._reason}"))] if self._reason is not None else []

    async def look(self) -> list[_Switch]:
        work = await self._jenkins.work()
        found = {str(node.name): node.set_offline for node in work.nodes}
        return [self._one(name, found.get(name)) for name in self._nodes]

    def _one(self, name: str, off: bool | None) -> _Switch:
        wanted = self._reason is not None
        why = None
        if off is None:
            why = "Jenkins has no such node any more, or hides it."
        elif off is wanted:
            why = "Somebody has taken it off line already." if off else "Nobody has taken it off line."
        elif self._reason is not None and not self._reason.strip():
            why = "It needs a reason: others see it, and wonder."
        elif self._reason is not None and len(self._reason) > _LONGEST_REASON:
            why = f"The reason is longer than {_LONGEST_REASON} characters."
        target = Target(clean(f"node/{name}"), clean(name), clean(why) if why else None)
        asks = clean(f"POST computer/{name}/toggleOffline{f'?offlineMessage={self._reason}' if self._reason else ''}")
        return _Switch(target, off, asks, lambda: self._jenkins.set_offline(name, self._reason))
