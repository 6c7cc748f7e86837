"""Run a build again: with the same parameters, or with others; where nobody knows whether Jenkins took it, it is found out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from console.actions.jenkins.builds import build_of, key_of, not_there
from console.actions.jenkins.checkpoint import Checkpoint, checkpoint_of
from console.actions.jenkins.finding import LOOKED_AT, Wish
from console.actions.jenkins.following import build_news, item_news
from console.actions.jenkins.patience import Patience
from console.actions.jenkins.values import RESUME, Asked, asked
from console.actions.plan import Basis, Fate, News, Offer, Outcome, Plan, Result, Say, Target, Tell, pairs, several
from console.actions.streams import merged
from console.model.asking import Definition, FieldKind, Needs
from console.model.build import Build, BuildRef, as_people_write, job_path
from console.model.build import Result as Ended
from console.model.jenkins import JenkinsError, Job, Queued, QueueItem, Trouble, Work
from console.sources.protocols import ActingJenkins
from console.text import Clean, clean

_UNFINISHED = frozenset({Ended.FAILURE, Ended.ABORTED})
_SLACK = timedelta(minutes=1)
_LOOKS = 3
"""How often Jenkins is asked, once it answers again, before a request that is nowhere counts as not taken."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known about one wish at one moment. `refused` says why nothing can be asked for."""

    wish: Wish
    job: Job | None
    source: Build | None = None
    definitions: tuple[Definition, ...] = ()
    history: tuple[Build, ...] = ()
    work: Work | None = None
    checkpoint: Checkpoint = field(default_factory=lambda: Checkpoint(known=True))
    told: Asked = field(default_factory=lambda: Asked({}))
    refused: Clean | None = None

    @property
    def name(self) -> Clean:
        """`project-b #41`; without a project the job's name."""
        project = self.told.project or (self.source.parameter("PROJECT") if self.source is not None else None)
        number = f" #{self.wish.source.number}" if self.wish.source is not None else ""
        return clean(f"{project or self.shown}{number}", limit=80)

    @property
    def shown(self) -> Clean:
        return self.job.shown if self.job is not None else as_people_write(self.wish.job)

    @property
    def values(self) -> Mapping[str, str] | None:
        return self.told.values if self.definitions else None


class Retrigger:
    """Asks for one build for each wish."""

    name = "retrigger"

    def __init__(self, jenkins: ActingJenkins, wishes: Sequence[Wish], patience: Patience | None = None) -> None:
        self._jenkins = jenkins
        self.wishes = tuple(wishes)
        self._patience = patience or Patience()
        self._lacks: dict[Clean, bool | None] = {}
        self._left: dict[BuildRef, Checkpoint] = {}
        self._seen: dict[Clean, _Seen] = {}

    # Changing what is wanted, of a single one

    def with_value(self, name: str, text: str) -> Retrigger:
        """The same with another value of one parameter."""
        wish = self.wishes[0]
        return self._changed(replace(wish, values={**wish.values, name: text}))

    def _changed(self, wish: Wish) -> Retrigger:
        made = Retrigger(self._jenkins, [wish, *self.wishes[1:]], self._patience)
        # Neither permissions nor what a build has left change with what is typed.
        made._lacks, made._left = self._lacks, self._left
        return made

    # The plan

    async def plan(self) -> Plan:
        # All at once: a person waits for this, before the plan and once more before the act.
        (work, jobs), read = await asyncio.gather(
            asyncio.gather(self._jenkins.work(), self._jenkins.jobs()),
            asyncio.gather(*(self._read(wish) for wish in self.wishes)),
        )
        known = {job.full_name: job for job in jobs}
        seen = [await self._look(one, known.get(one.wish.job), work) for one in read]
        keys = [_key(number, one) for number, one in enumerate(seen)]
        self._seen = dict(zip(keys, seen, strict=True))
        plan = Plan(
            act=self,
            title=_title(seen),
            yes=clean("start it" if len(seen) == 1 else f"start {len(seen)}"),
            targets=tuple(Target(key, one.name, one.refused, self._denied(one)) for key, one in self._seen.items()),
            says=tuple(_says(seen)),
            same_as=tuple(_request(one) for one in seen),
            basis=tuple(basis for key, one in self._seen.items() for basis in _basis(key, one)),
            entries=seen[0].told.entries if len(seen) == 1 else (),
            offers=tuple(self._offers(seen[0])) if len(seen) == 1 else (),
        )
        problem = next((entry.problem for one in seen[1:] for entry in one.told.entries if entry.problem), None)
        return plan if len(seen) == 1 or problem is None else replace(plan, refused=problem)

    async def _read(self, wish: Wish) -> _Seen:
        """What is told about the job and its builds; nothing of a job that is gone."""
        try:
            definitions, source, history = await asyncio.gather(
                self._jenkins.parameters(wish.job), self._source(wish), self._jenkins.builds(wish.job, LOOKED_AT)
            )
        except JenkinsError as error:
            if error.trouble is Trouble.NOT_FOUND:
                return _Seen(wish, None)
            raise
        return _Seen(wish, None, source, definitions, history)

    async def _look(self, seen: _Seen, job: Job | None, work: Work) -> _Seen:
        wish, definitions, source, history = seen.wish, seen.definitions, seen.source, seen.history
        if job is None:
            shown = as_people_write(wish.job)
            return _Seen(wish, None, refused=clean(f"Jenkins has no job {shown} any more, or hides it."))
        if wish.source is not None and source is None:
            return _Seen(wish, job, refused=not_there(wish.source))
        checkpoint = await self._checkpoint(wish, definitions, source, history)
        told = asked(wish, definitions, source, history, str(checkpoint.words) if checkpoint.name else "")
        seen = replace(seen, job=job, work=work, checkpoint=checkpoint, told=told)
        return replace(seen, refused=await self._why_not(seen))

    async def _source(self, wish: Wish) -> Build | None:
        return await build_of(self._jenkins, wish.source) if wish.source is not None else None

    async def _checkpoint(
        self, wish: Wish, definitions: Sequence[Definition], source: Build | None, history: Sequence[Build]
    ) -> Checkpoint:
        """Of the training that was asked to be gone on from, or that could be."""
        if not any(one.name == RESUME for one in definitions):
            return Checkpoint(known=True)
        if wish.resume_from is not None:
            ref = BuildRef(wish.job, wish.resume_from)
            known = next((one for one in history if one.ref == ref), None)
            if known is None:
                # An old one may have been deleted, and its checkpoint is on the agent still; one that never was left none.
                return Checkpoint(known=ref.number > max((one.number for one in history), default=0))
            if ref in self._left:
                return self._left[ref]
            source = await self._jenkins.build(ref)
        if source is None or source.building or (wish.resume_from is None and source.result not in _UNFINISHED):
            return Checkpoint(known=True)
        if source.ref in self._left:
            return self._left[source.ref]
        found = await checkpoint_of(self._jenkins, source)
        if found.known:
            self._left[source.ref] = found
        return found

    async def _why_not(self, seen: _Seen) -> Clean | None:
        job, wish = seen.job, seen.wish
        assert job is not None  # noqa: S101 - whoever calls has looked
        if not job.buildable:
            return clean(f"{job.shown} is disabled, or its branch is gone: Jenkins does not build it.")
        unknown = [name for name in wish.values if not any(str(one.name) == name for one in seen.definitions)]
        if unknown:
            known = ", ".join(str(one.name) for one in seen.definitions) or "none"
            return clean(f"{job.shown} has no parameter {unknown[0]}. It has: {known}.")
        for name, wanted in (("FORCE", wish.force), (RESUME, wish.resume_from is not None)):
            if wanted and not any(one.name == name for one in seen.definitions):
                return clean(f"{job.shown} has no parameter {name}.")
        if wish.resume_from is not None and not seen.checkpoint.possible:
            return clean(f"#{wish.resume_from} left no checkpoint to go on from.")
        if wish.job not in self._lacks:
            self._lacks[wish.job] = await self._jenkins.lacks(Needs.BUILD, wish.job)
        if self._lacks[wish.job]:
            return self._lack(job.shown)
        return None

    def _lack(self, shown: Clean) -> Clean:
        return clean(f"{self._jenkins.controller.user} lacks {Needs.BUILD} on {shown}.")

    def _denied(self, seen: _Seen) -> Clean | None:
        return clean(Needs.BUILD) if seen.refused == self._lack(seen.shown) else None

    def _offers(self, seen: _Seen) -> list[Offer]:
        """To go on from a checkpoint, or not to; and what failed last, where another build of the project was chosen."""
        return [*self._resuming(seen), *self._last_failed(seen)]

    def _last_failed(self, seen: _Seen) -> list[Offer]:
        source = seen.source
        if source is None or source.result is Ended.FAILURE or seen.wish.values:
            return []
        project = source.parameter("PROJECT")
        failed = (one for one in seen.history if one.result is Ended.FAILURE and not one.building)
        last = next((one for one in failed if one.parameter("PROJECT") == project), None)
        if last is None:
            return []
        words = clean(f"#{last.number} instead, which failed")
        return [Offer("f", words, self._changed(Wish(seen.wish.job, last.ref)))]

    def _resuming(self, seen: _Seen) -> list[Offer]:
        source = seen.source
        if source is None or not any(one.name == RESUME for one in seen.definitions):
            return []
        if seen.told.values.get(RESUME) == str(source.number):
            return [Offer("c", clean("from the beginning"), self._changed(_from_the_beginning(seen.wish)))]
        if source.building or source.result not in _UNFINISHED or not seen.checkpoint.possible:
            return []
        words = clean(f"go on from {seen.checkpoint.words}")
        return [Offer("c", words, self._changed(replace(_without_resume(seen.wish), resume_from=source.number)))]

    # Doing it

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        seen = self._seen[target.key]
        sent = datetime.now(UTC)
        tell(clean(f"asking for a build of {seen.shown}"))
        try:
            queued = await self._jenkins.trigger(seen.wish.job, seen.values)
        except JenkinsError as error:
            if not error.unsure:
                raise
            return await self._found_out(seen, target, error, sent, tell)
        words = f"queued as item {queued.item_id}"
        if queued.already:
            words = f"an equal request stood in the queue as item {queued.item_id}: one build serves both"
        if queued.held:
            words += "; Jenkins is about to shut down and begins nothing"
        return Result(target, Fate.DONE, clean(words), mark=queued)

    async def _found_out(self, seen: _Seen, target: Target, error: JenkinsError, sent: datetime, tell: Tell) -> Result:
        """The connection broke after the request was sent. It is not sent again: what Jenkins has says whether it was taken."""
        newest = max((one.number for one in seen.history), default=0)
        for _ in range(_LOOKS):
            try:
                work = await self._patience.asked(self._jenkins.work, tell)
                builds = await self._patience.asked(lambda: self._jenkins.builds(seen.wish.job, 10), tell)
            except JenkinsError as away:
                words = clean(f"Nobody knows whether Jenkins took it: {away.reason}")
                return Result(target, Fate.UNSURE, words)
            # One that stood there before serves this request as well.
            item = next(iter(_equal(seen, work)), None)
            if item is not None:
                mark = Queued(item.id, already=False, session=self._jenkins.controller.session)
                return Result(target, Fate.DONE, clean(f"the connection broke, but it is queued as item {item.id}"), mark=mark)
            build = next((one for one in builds if one.number > newest and _has_become(one, seen, sent)), None)
            if build is not None:
                return Result(target, Fate.DONE, clean(f"the connection broke, but it runs as #{build.number}"), mark=build.ref)
            await self._patience.sleep(self._patience.every)
        words = clean(f"not started: {error.reason.partition(' It may have')[0]} Nothing came of the request.")
        return Result(target, Fate.FAILED, words)

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        streams = []
        for one in outcome.done:
            if isinstance(one.mark, Queued):
                job = self._seen[one.target.key].wish.job
                streams.append(item_news(self._jenkins, one.target, one.mark, job, self._patience, whole=whole))
            elif isinstance(one.mark, BuildRef) and whole:
                streams.append(build_news(self._jenkins, one.target, one.mark, self._patience))
        return merged(streams) if streams else None


def _without_resume(wish: Wish) -> Wish:
    return replace(wish, values={name: value for name, value in wish.values.items() if name != RESUME}, resume_from=None)


def _from_the_beginning(wish: Wish) -> Wish:
    return replace(_without_resume(wish), values={**wish.values, RESUME: ""})


def _key(number: int, seen: _Seen) -> Clean:
    """By what is run again, so that two wishes for one job are two."""
    return key_of(seen.wish.source) if seen.wish.source is not None else clean(f"job/{seen.wish.job}/{number}")


def _title(seen: Sequence[_Seen]) -> Clean:
    if len(seen) > 1:
        return clean(f"Run again  {len(seen)} builds")
    one = seen[0]
    changes = sum(entry.changed for entry in one.told.entries)
    how = f" with {changes} change{'s' * (changes != 1)}" if changes else ""
    return clean(f"{'Run again' if one.wish.source is not None else 'Run'}  {one.name}{how}")


def _says(seen: Sequence[_Seen]) -> list[Say]:
    if len(seen) > 1:
        jobs = list(dict.fromkeys(str(one.shown) for one in seen))
        told = [Say("does", clean(f"starts one build for each, of {several(jobs)}"))]
        return told + [Say(say.label, clean(f"{one.name}: {say.text}")) for one in seen for say in one.told.sentences]
    one = seen[0]
    told = [Say("does", clean(f"starts one build of job {one.shown}")), *one.told.sentences]
    told += [Say("then", words) for words in _then(one)]
    if one.source is not None:
        kept = [f"#{one.source.number}", "its log"]
        kept += [f"its {one.checkpoint.words}"] if one.checkpoint.name is not None else []
        told.append(Say("stays", clean(several(kept))))
    return told


def _then(seen: _Seen) -> list[Clean]:
    """What it will wait for, as far as that can be told beforehand."""
    if seen.work is None:
        return []
    found = [clean(f"joins item {item.id} of the queue, which asks for the same") for item in _equal(seen, seen.work)]
    before = _before(seen)
    if before:
        found.append(clean(f"waits for {several([f'#{one.number}' for one in before])}: {seen.told.project}, one at a time"))
    return found


def _equal(seen: _Seen, work: Work) -> list[QueueItem]:
    return [item for item in work.queue if item.job == seen.wish.job and _same(item, seen)]


def _before(seen: _Seen) -> list[Build]:
    """The trainings of the same project that run: its lock is theirs."""
    project = seen.told.project
    return [one for one in seen.history if one.building and project and one.parameter("PROJECT") == project]


def _same(item: QueueItem | Build, seen: _Seen) -> bool:
    """Whether it was asked for with these values. Hidden ones count as the same."""
    known = {str(one.name): one.value for one in item.parameters}
    secret = {str(one.name) for one in seen.definitions if one.kind is FieldKind.PASSWORD}
    return all(
        name in secret or (known.get(name) or "") == clean(value, lines=True) for name, value in (seen.values or {}).items()
    )


def _has_become(build: Build, seen: _Seen, sent: datetime) -> bool:
    return _same(build, seen) and build.started > sent - _SLACK


def _request(seen: _Seen) -> Clean:
    path = job_path(seen.wish.job)
    if not seen.definitions:
        return clean(f"POST {path}/build")
    secret = {str(one.name) for one in seen.definitions if one.kind is FieldKind.PASSWORD}
    return clean(f"POST {path}/buildWithParameters {pairs(seen.told.values, secret)}")


def _basis(key: Clean, seen: _Seen) -> list[Basis]:
    """What must not change between the plan and the act."""
    shown, source = seen.shown, seen.source
    declared = tuple((one.name, one.kind, one.choices, one.default) for one in seen.definitions)
    names = several([str(one.name) for one in seen.definitions], 6) or "none"
    before = _before(seen)
    running = (
        f"{several([f'#{one.number}' for one in before])} has started since." if before else "What it waited for has ended."
    )
    trained = seen.told.trained
    found = [
        Basis(f"{key} parameters", declared, clean(f"{shown} has other parameters or defaults now: {names}.")),
        Basis(f"{key} refused", seen.refused, seen.refused or clean("It can be started now.")),
        Basis(
            f"{key} trained", trained, clean(f"#{trained} has trained it since." if trained else "It is not trained any more.")
        ),
        Basis(f"{key} running", tuple(one.number for one in before), clean(running)),
    ]
    if source is not None:
        words = f"#{source.number} has ended since." if not source.building else f"#{source.number} runs again."
        found.append(Basis(f"{key} source", (source.building, source.result, source.parameters), clean(words)))
    return found
