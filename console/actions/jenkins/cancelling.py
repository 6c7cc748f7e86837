"""Taking requests out of the queue before they become builds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from console.actions.jenkins.patience import Patience
from console.actions.plan import Basis, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight, several
from console.model.build import BuildRef, as_people_write
from console.model.jenkins import JenkinsError, LeftItem, QueueItem, Trouble
from console.sources.protocols import ActingJenkins
from console.text import Clean, clean


@dataclass(frozen=True, slots=True)
class _Seen:
    id: int
    item: QueueItem | LeftItem | None

    @property
    def key(self) -> Clean:
        return clean(f"queue/{self.id}")

    @property
    def name(self) -> Clean:
        """`project-b, item 12`: by what is to be trained where it tells."""
        item = self.item
        job = as_people_write(item.job) if item is not None and item.job is not None else None
        project = None
        if isinstance(item, QueueItem):
            project = next((one.value for one in item.parameters if one.name == "PROJECT"), None)
            job = job or item.title
        return clean(f"{project or job or 'something'}, item {self.id}", limit=80)

    @property
    def gone(self) -> Clean | None:
        """Why it can not be taken out any more."""
        if isinstance(self.item, QueueItem):
            return None
        if self.item is None:
            return clean(f"item {self.id} is not in the queue any more.")
        if self.item.build is not None:
            return clean(f"it has begun as {self.item.build.shown}: stop that.")
        return clean("somebody has taken it out already." if self.item.cancelled else "it is about to begin.")


class CancelItems:
    """Takes items out of the queue, by their ids."""

    name = "cancel"

    def __init__(self, jenkins: ActingJenkins, ids: Sequence[int], patience: Patience | None = None) -> None:
        self._jenkins = jenkins
        self._ids = tuple(dict.fromkeys(ids))
        self._patience = patience or Patience()

    async def plan(self) -> Plan:
        seen = [await self._look(one) for one in self._ids]
        waiting = [one for one in seen if one.gone is None]
        title = seen[0].name if len(seen) == 1 else f"{len(seen)} requests"
        return Plan(
            act=self,
            title=clean(f"Cancel  {title}"),
            yes=clean("take it out" if len(seen) == 1 else f"take {len(waiting)} out"),
            targets=tuple(Target(one.key, one.name, one.gone) for one in seen),
            says=(
                Say(
                    "does", clean(f"takes {several([str(one.name) for one in waiting])} out of the queue: no build comes of it")
                ),
                Say("stays", clean("what was asked for can be asked for again")),
            )
            if waiting
            else (),
            same_as=tuple(clean(f"POST queue/cancelItem?id={one.id}") for one in waiting),
            weight=Weight.YES,
            basis=tuple(Basis(str(one.key), _fact(one), clean(f"{one.name}: {one.gone or 'it waits again.'}")) for one in seen),
            even_unrecorded=True,
        )

    async def _look(self, number: int) -> _Seen:
        try:
            return _Seen(number, await self._jenkins.queue_item(number))
        except JenkinsError as error:
            if error.trouble is Trouble.NOT_FOUND:
                return _Seen(number, None)
            raise

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        number = int(target.key.removeprefix("queue/"))
        tell(clean(f"taking {target.name} out of the queue"))
        try:
            await self._jenkins.cancel(number)
        except JenkinsError as error:
            if not error.unsure and error.trouble is not Trouble.NOT_FOUND:
                raise
            return await self._found_out(number, target, error, tell)
        return Result(target, Fate.DONE, clean("taken out of the queue"))

    async def _found_out(self, number: int, target: Target, error: JenkinsError, tell: Tell) -> Result:
        """It may have begun at this moment, or the connection broke: what Jenkins knows of it now tells."""
        try:
            item = await self._patience.asked(lambda: self._look(number), tell)
        except JenkinsError as away:
            return Result(target, Fate.UNSURE, clean(f"Nobody knows whether Jenkins took it: {away.reason}"))
        if isinstance(item.item, LeftItem) and item.item.cancelled:
            return Result(target, Fate.DONE, clean("is out of the queue"), mark=None)
        return Result(target, Fate.FAILED, item.gone or clean(f"not cancelled: {error.reason}"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return None


def _fact(one: _Seen) -> tuple[bool, bool, BuildRef | None]:
    item = one.item
    return isinstance(item, QueueItem), item is None, item.build if isinstance(item, LeftItem) else None
