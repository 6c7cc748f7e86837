"""Ending builds: with grace, once more, or at once; and what is saved meanwhile."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

from console.actions.jenkins.builds import build_of, key_of, name_of, not_there, unseen
from console.actions.jenkins.finding import LOOKED_AT
from console.actions.jenkins.following import ended, tail
from console.actions.jenkins.patience import Patience
from console.actions.plan import Basis, End, Fate, News, Outcome, Plan, Result, Say, Target, Tell, Weight
from console.actions.streams import merged
from console.model.asking import Needs, Stop
from console.model.build import Build, BuildRef, as_people_write
from console.model.build import Result as Ended
from console.model.jenkins import JenkinsError
from console.model.jenkins_rows import build_state
from console.model.state import StateClass
from console.model.training import STAGE, TRAIN
from console.model.words import duration
from console.sources.protocols import ActingJenkins
from console.text import Clean, clean

# Both are in the log before anything else tells of a stop (recordings abort-*-log); times may stand before them.
_ABORTED_BY = re.compile(r"(?:^|\] ?)Aborted by (?P<who>.+)$")
_SAVING = re.compile(r"\[finish\] asking the training to stop with a checkpoint, within (?P<grace>\d{1,6})s$")
_FINISHED = re.compile(r"\[finish\] .+: (?:stopped|timed-out|failed|ok|out-of-memory|could-not-start): ")
_LOOKED_BACK = 1024 * 1024
"""Bytes of a log that are read for who stopped its build: a training that saves its checkpoint may print a lot meanwhile."""

_VERBS = {Stop.STOP: "Stop", Stop.TERM: "Terminate", Stop.KILL: "Kill"}
_NAMES = {Stop.STOP: "abort", Stop.TERM: "terminate", Stop.KILL: "kill"}
_WAYS = {Stop.STOP: "stop", Stop.TERM: "term", Stop.KILL: "kill"}


@dataclass(frozen=True, slots=True)
class _Seen:
    """`by` is who stopped it already, `grace` the seconds that its training has for a checkpoint, once its log tells.
    `begun` is whether its training has; None where that is not told."""

    ref: BuildRef
    build: Build | None
    stopping: bool = False
    by: Clean | None = None
    grace: int | None = None
    begun: bool | None = None

    @property
    def name(self) -> Clean:
        return name_of(self.ref, self.build)

    @property
    def trains(self) -> bool:
        """Whether there is a checkpoint to be saved or lost."""
        return self.ref.job == TRAIN and self.begun is not False


class StopBuilds:
    """Ends builds. A second stop, terminate and kill may cost a checkpoint."""

    def __init__(
        self, jenkins: ActingJenkins, refs: Sequence[BuildRef], how: Stop = Stop.STOP, patience: Patience | None = None
    ) -> None:
        self._jenkins = jenkins
        self._refs = tuple(dict.fromkeys(refs))
        self._how = how
        self._patience = patience or Patience()
        self._lacks: dict[Clean, bool | None] = {}

    @property
    def name(self) -> str:
        return _NAMES[self._how]

    async def plan(self) -> Plan:
        seen = [await self._look(ref) for ref in self._refs]
        targets = [self._target(one, await self._why_not(one)) for one in seen]
        doable = [one for one, target in zip(seen, targets, strict=True) if target.refused is None]
        again = any(one.stopping for one in doable)
        final = again or self._how is not Stop.STOP
        title = f"{_VERBS[self._how]}{' again' if again else ''}  {seen[0].name if len(seen) == 1 else f'{len(seen)} builds'}"
        return Plan(
            act=self,
            title=clean(title),
            yes=clean(f"{_VERBS[self._how].lower()} {'it' if len(seen) == 1 else f'{len(doable)} of them'}"),
            targets=tuple(targets),
            says=tuple(self._says(doable)),
            same_as=tuple(clean(f"POST {one.ref.path}/{_WAYS[self._how]}") for one in doable),
            weight=Weight.WORD if final else Weight.YES,
            word=_word(doable) if final else clean(""),
            basis=tuple(_basis(one) for one in seen),
            even_unrecorded=True,
        )

    async def _look(self, ref: BuildRef) -> _Seen:
        build = await build_of(self._jenkins, ref)
        if build is None or not build.building:
            return _Seen(ref, build)
        # Whoever stopped it stands above all that it has printed since: a second stop must not pass for the first one.
        told = _told(await tail(self._jenkins, ref, _LOOKED_BACK))
        stopping = told.by is not None or build.result is Ended.ABORTED
        return _Seen(ref, build, stopping, told.by, told.grace, await self._begun(ref))

    async def _begun(self, ref: BuildRef) -> bool | None:
        """A build that waits for its lock, or makes its image, has no training yet: there are no stages to come."""
        if ref.job != TRAIN:
            return None
        try:
            found = await self._jenkins.stages(ref)
        except JenkinsError:
            return None
        return any(one.name.lower() == STAGE for one in found.stages)

    async def _why_not(self, seen: _Seen) -> Clean | None:
        build = seen.build
        if build is None:
            return not_there(seen.ref)
        if not build.building:
            return clean(f"{seen.ref.shown} has ended: {build_state(build).word}.")
        if self._how is not Stop.STOP and not build.pipeline:
            return clean(f"{seen.ref.shown} is no Pipeline: Jenkins can only stop it.")
        job = seen.ref.job
        if job not in self._lacks:
            self._lacks[job] = await self._lacks_cancel(job)
        if self._lacks[job]:
            return self._lack(job)
        return None

    def _target(self, seen: _Seen, refused: Clean | None) -> Target:
        denied = clean(Needs.CANCEL) if refused == self._lack(seen.ref.job) else None
        return Target(key_of(seen.ref), seen.name, refused, denied)

    def _lack(self, job: Clean) -> Clean:
        return clean(f"{self._jenkins.controller.user} lacks {Needs.CANCEL} on {as_people_write(job)}.")

    async def _lacks_cancel(self, job: Clean) -> bool | None:
        try:
            builds = await self._jenkins.builds(job, LOOKED_AT)
        except JenkinsError:
            return None
        over = next((one.ref for one in builds if not one.building and one.result is not None), None)
        return await self._jenkins.lacks(Needs.CANCEL, job, over) if over is not None else None

    def _says(self, seen: Sequence[_Seen]) -> list[Say]:
        told: list[Say] = []
        for one in seen:
            before = f"{one.ref.shown}: " if len(seen) > 1 else ""
            told += [Say(say.label, clean(f"{before}{say.text}")) for say in self._about(one)]
        return told

    def _about(self, one: _Seen) -> list[Say]:
        told = []
        if one.stopping:
            by = f", by {one.by}" if one.by else ""
            saving = f": it saves its checkpoint, which takes {one.grace}s at most" if one.grace is not None else ""
            told.append(Say("but", clean(f"it is being stopped already{by}{saving}.")))
        match self._how:
            case Stop.STOP if one.stopping:
                told.append(Say("does", clean("interrupts what it is doing now to end in order")))
                told.append(
                    Say("goes", clean("the checkpoint that is being saved may be lost" if one.trains else "what it saves"))
                )
            case Stop.STOP if one.trains:
                told.append(Say("does", clean("has the training save a checkpoint and end")))
                told.append(Say("stays", clean("its log, its metrics and the checkpoint: it can be gone on from")))
            case Stop.STOP if one.begun is False:
                told.append(Say("does", clean("ends it before its training has begun: nothing is trained")))
                told.append(Say("stays", clean("its log")))
            case Stop.STOP:
                told.append(Say("does", clean("interrupts its step; the steps that clean up after it still run")))
                told.append(Say("stays", clean("its log")))
            case Stop.TERM:
                told.append(Say("does", clean("ends every step at once, without the time that a stop gives it")))
                told.append(Say("goes", clean("what its steps have not saved" + (": the checkpoint" if one.trains else ""))))
            case Stop.KILL:
                told.append(
                    Say("does", clean("ends the build as it stands: no step runs any more, not even those that clean up"))
                )
                left = (
                    "its container may run on, and holds its GPU until reap finds it" if one.trains else "what it began runs on"
                )
                told.append(Say("goes", clean(f"the order in which it ends: {left}")))
        return told

    # Doing it

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        ref = next(one for one in self._refs if key_of(one) == target.key)
        tell(clean(f"telling {ref.shown} to end"))
        try:
            await self._jenkins.stop(ref, self._how)
        except JenkinsError as error:
            if not error.unsure:
                raise
            return await self._found_out(ref, target, error, tell)
        return Result(target, Fate.DONE, clean("told to stop" if self._how is Stop.STOP else f"told to end ({self.name})"))

    async def _found_out(self, ref: BuildRef, target: Target, error: JenkinsError, tell: Tell) -> Result:
        """The connection broke after it was sent: a second stop may cost the checkpoint, so it is not sent again."""
        try:
            build = await self._patience.asked(lambda: self._jenkins.build(ref), tell)
        except JenkinsError as away:
            return Result(target, Fate.UNSURE, clean(f"Nobody knows whether Jenkins took it: {away.reason}"))
        told = _told(await tail(self._jenkins, ref, _LOOKED_BACK))
        if not build.building or build.result is Ended.ABORTED or told.by is not None:
            return Result(target, Fate.DONE, clean("the connection broke, but it is stopping"))
        return Result(target, Fate.FAILED, clean(f"not stopped: {error.reason.partition(' It may have')[0]} It runs on."))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        """Until each of them has ended, in any case."""
        refs = {key_of(ref): ref for ref in self._refs}
        streams = [self._ending(one.target, refs[one.target.key]) for one in outcome.done]
        return merged(streams) if streams else None

    async def _ending(self, target: Target, ref: BuildRef) -> AsyncGenerator[News]:
        """`saving checkpoint, 12s of 120s` until it has ended."""
        began = self._patience.now()
        grace: int | None = None
        saving = self._patience.now()
        while True:
            try:
                build = await self._jenkins.build(ref)
                if not build.building:
                    news = ended(target, build)
                    over = End.GOOD if build.result is Ended.ABORTED else news.end
                    yield News(target, news.kind, news.words, ref, over)
                    return
                told = _told(await tail(self._jenkins, ref))
                if told.grace is not None and grace is None:
                    grace, saving = told.grace, self._patience.now()
                words = f"stopping, for {duration(self._patience.now() - began)}"
                if grace is not None and not told.finished:
                    words = f"saving checkpoint, {duration(self._patience.now() - saving)} of {duration(grace)}"
                yield News(target, StateClass.ACTIVE, clean(f"#{ref.number} {words}"), ref)
            except JenkinsError as error:
                news = unseen(target, ref, error)
                yield news
                if news.end is not None:
                    return
            await self._patience.sleep(self._patience.every)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a log says of a stop."""

    by: Clean | None = None
    grace: int | None = None
    finished: bool = False


def _told(lines: Sequence[Clean]) -> _Told:
    by = next((clean(found["who"], limit=60) for line in reversed(lines) if (found := _ABORTED_BY.search(line))), None)
    at = next((number for number in reversed(range(len(lines))) if _SAVING.search(lines[number])), None)
    if at is None:
        return _Told(by)
    found = _SAVING.search(lines[at])
    assert found is not None  # noqa: S101 - it is how the line was chosen
    return _Told(by, int(found["grace"]), any(_FINISHED.search(line) for line in lines[at:]))


def _word(seen: Sequence[_Seen]) -> Clean:
    """What is typed: the project that is trained, else the last part of the job's name; of several how many they are."""
    if len(seen) != 1:
        return clean(f"{len(seen)} builds")
    build = seen[0].build
    project = build.parameter("PROJECT") if build is not None else None
    return clean(project or as_people_write(seen[0].ref.job).rpartition("/")[2], limit=60)


def _basis(one: _Seen) -> Basis:
    build = one.build
    fact = (build is not None, build is not None and build.building, one.stopping, one.begun is False)
    if build is None:
        words = f"{one.ref.shown} was deleted since."
    elif not build.building:
        words = f"{one.ref.shown} has ended since: {build_state(build).word}."
    elif not one.stopping:
        words = f"{one.ref.shown} has begun to train since."
    else:
        words = f"{one.ref.shown} is being stopped since{f', by {one.by}' if one.by else ''}."
    return Basis(str(key_of(one.ref)), fact, clean(words))
