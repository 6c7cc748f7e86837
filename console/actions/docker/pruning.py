"""Prune: what nobody needs goes, by id and never forced. The Engine's own prunes decide anew; here goes what was seen."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace

from console.actions.docker.apart import apart
from console.actions.docker.known import known
from console.actions.docker.ruling import applied, entries
from console.actions.plan import Fate, News, Outcome, Part, Plan, Result, Say, Target, Tell, Weight
from console.model.disk import DiskUse, once
from console.model.prunable import decide
from console.model.prunegroups import groups
from console.model.pruning import Decision, Kind, Known, Rule, Verdict, Why, key_of
from console.model.source import NotThereError, SourceError, SourceState
from console.model.state import StateClass
from console.model.words import counted, decimal
from console.sources.reach import Reach
from console.text import Clean, clean

SEEN_SECONDS = 60.0
"""For so long a person chooses from what was seen once: it may take a minute to look at a disk."""

_SHORT = 12
_SAME = {
    Kind.CONTAINER: "docker rm ID",
    Kind.IMAGE: "docker image rm ID",
    Kind.VOLUME: "docker volume rm NAME",
    Kind.CACHE: "docker builder prune --filter id=ID",
}


_REMOVED, _GONE = Clean("removed"), Clean("gone already")


class Prune:
    """Removes what the rule gives up. `decision` is the newest one: what it keeps is not removed, whatever was agreed to.

    `chosen`: the plan is one to choose from, with its parts and with the rule as fields. A choice is planned from what was seen
    for the one before it; at the moment of agreeing everything is looked at anew.
    """

    name = "prune"

    def __init__(self, reach: Reach, rule: Rule, good_builds: int, *, chosen: bool = False) -> None:
        self._reach = reach
        self._base = rule
        self.rule = rule
        self._good_builds = good_builds
        self._chosen = chosen
        self._typed: Mapping[str, str] = {}
        self._seen: tuple[float, Known] | None = None
        self._may_use: tuple[float, Known] | None = None
        self.decision = Decision(rule)
        self._before: DiskUse | None = None
        self._parts_left: frozenset[Clean] | None = None
        self._parts_begun = False
        self._expected: dict[str, int] = {}
        self._names: Mapping[Clean, tuple[Clean, ...]] = {}
        self._agreed_names: dict[str, Mapping[Clean, tuple[Clean, ...]]] = {}
        self._away: SourceError | None = None
        self._parts_failed: SourceError | None = None
        self._knows_spared = False
        self._going: Mapping[Clean, Verdict] = {}
        self._staying: Mapping[Clean, Verdict] = {}

    def without(self, keys: frozenset[Clean]) -> Prune:
        """The same, but these objects (`image/ID`) stay."""
        return self.sparing(keys, keep=True)

    def sparing(self, keys: frozenset[Clean], *, keep: bool) -> Prune:
        before = self.rule.spared
        made = self._like(replace(self._base, spared=before | keys if keep else before - keys), self._typed)
        # What is no key of an object that was seen is a name that a person has for one, and is to be looked up.
        made._knows_spared &= not keep or keys <= self._going.keys() | self._staying.keys()
        return made

    def with_value(self, name: str, text: str) -> Prune:
        return self._like(replace(self._base, spared=self.rule.spared), {**self._typed, name: text})

    def _like(self, rule: Rule, typed: Mapping[str, str]) -> Prune:
        made = Prune(self._reach, rule, self._good_builds, chosen=self._chosen)
        made._typed, made.rule = typed, applied(rule, typed)
        # What was chosen a moment ago may not have been planned yet.
        made._knows_spared, made._may_use = self._knows_spared, self._seen or self._may_use
        return made

    async def look(self) -> Known:
        """Decide anew. Raises SourceError when the Engine cannot be asked, NotThereError for a spared object that is none."""
        facts = await self._look()
        if not self._knows_spared:
            # Once: what is spared may be removed by somebody else, and then it needs no sparing.
            self.rule = replace(self.rule, spared=spared(self.rule.spared, facts))
            self._knows_spared = True
        self.decision = await apart(lambda: decide(facts, self.rule))
        self._going = {key_of(one): one for one in self.decision.remove}
        self._staying = {key_of(one): one for one in self.decision.keep}
        self._before = facts.disk
        self._parts_left = self._parts_failed = self._away = None
        self._parts_begun = False
        self._names = {one.id: one.names for one in facts.disk.images}
        return facts

    async def _look(self) -> Known:
        seen, self._may_use = self._may_use, None
        if seen is None or time.monotonic() - seen[0] > SEEN_SECONDS:
            began = time.monotonic()
            seen = began, await known(self._reach, self._good_builds)
        self._seen = seen
        return seen[1]

    async def plan(self) -> Plan:
        await self.look()
        plan = await apart(self._made)
        # What was seen is what goes: a name that an image has got since is not taken from it.
        self._agreed_names[plan.id] = self._names
        self._expected[plan.id] = self.decision.bytes
        return plan

    def _made(self) -> Plan:
        """The plan of the newest decision."""
        decision, rule = self.decision, self.rule
        keep = [one for one in decision.keep if one.kind in rule.kinds and (rule.only is None or key_of(one) in rule.only)]
        named = sorted(one.name for one in decision.remove if one.kind is Kind.VOLUME and one.id in self.rule.named)
        kinds = [kind for kind in Kind if any(one.kind is kind for one in decision.remove)]
        return Plan(
            act=self,
            title=clean(f"Prune  {decimal(decision.bytes)} by the rule: {self.rule.told}"),
            yes=clean(f"prune, free {decimal(decision.bytes)}"),
            targets=tuple(Target(key_of(one), one.name) for one in decision.remove),
            says=(
                *(Say("goes", one.line) for one in groups(decision.remove)),
                *(Say("stays", one.line) for one in groups(keep)),
                *(Say("but", note) for note in decision.notes),
            ),
            same_as=tuple(_same(kind, sum(one.kind is kind for one in decision.remove)) for kind in kinds),
            weight=Weight.WORD if named else Weight.YES,
            word=clean(named[0] if len(named) == 1 else f"{len(named)} volumes") if named else Clean(""),
            refused=None if decision.remove else Clean("Nothing can go: everything is needed, or the rule keeps it."),
            shrinks=True,
            entries=entries(self._base, self._typed) if self._chosen else (),
            parts=(*_parts("goes", decision.remove), *_parts("stays", keep)) if self._chosen else (),
            aside=True,
        )

    def more(self) -> Mapping[str, object]:
        decision = self.decision
        return {
            "bytes": decision.bytes,
            "remove": [_data(one) for one in decision.remove],
            "keep": [_data(one) for one in decision.keep],
        }

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        if self._away is not None:
            raise self._away  # an Engine that is gone is not asked again for each of a thousand objects
        verdict = self._going.get(target.key)
        if verdict is None:
            kept = self._staying.get(target.key)
            if kept is None:
                return Result(target, Fate.DONE, _GONE)
            return Result(target, Fate.FAILED, clean(f"kept: {kept.reason} since the preview"))
        try:
            if verdict.kind is Kind.CACHE:
                return await self._remove_part(plan, target, verdict, tell)
            tell(clean(f"removing {verdict.name}"))
            await self._remove(plan, verdict)
        except NotThereError:
            return Result(target, Fate.DONE, _GONE)
        except SourceError as error:
            if error.state is not SourceState.OK:
                self._away = error
            raise
        return Result(target, Fate.DONE, _REMOVED)

    async def _remove_part(self, plan: Plan, target: Target, verdict: Verdict, tell: Tell) -> Result:
        """All parts that were agreed to go with the first: there are thousands, and the Engine leaves some without a word."""
        if self._parts_failed is not None:
            raise self._parts_failed
        if self._parts_left is None:
            agreed = {one.key for one in plan.doable}
            parts = [one.id for key, one in self._going.items() if one.kind is Kind.CACHE and key in agreed]
            tell(clean(f"removing {counted(len(parts), 'part')} of the build cache"))
            sent = False
            self._parts_begun = True
            try:
                await self._reach.acts.remove_cache(parts)
                sent = True
                self._parts_left = frozenset(one.id for one in (await self._reach.disk.disk()).cache)
            except SourceError as error:
                error.unsure = error.unsure or sent  # asked to go they were: which did is not known
                self._parts_failed = error
                raise
        if verdict.id in self._parts_left:
            return Result(target, Fate.FAILED, Clean("kept: in use since the preview, or needed by what is"))
        return Result(target, Fate.DONE, _REMOVED)

    def begun(self, target: Target) -> bool:
        """Parts of the build cache go with the first of them."""
        verdict = self._going.get(target.key)
        return self._parts_begun and verdict is not None and verdict.kind is Kind.CACHE

    async def _remove(self, plan: Plan, verdict: Verdict) -> None:
        acts = self._reach.acts
        match verdict.kind:
            case Kind.CONTAINER:
                # Its unnamed volumes are objects of their own here, each with its own verdict.
                await acts.remove_container(verdict.id, volumes=False)
            case Kind.IMAGE:
                await acts.remove_image(verdict.id, self._agreed_names.get(plan.id, self._names).get(verdict.id, ()))
            case Kind.VOLUME:
                await acts.remove_volume(verdict.id)

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        return self._measured(outcome)

    async def _measured(self, outcome: Outcome) -> AsyncIterator[News]:
        """What it freed, as the Engine counts afterwards, beside what was expected."""
        target = Target(Clean("prune"), Clean("prune"))
        try:
            after = await self._reach.disk.disk()
        except SourceError as error:
            words = f"how much was freed cannot be told: {error.reason}"
            yield News(target, StateClass.ATTENTION, clean(words))
            return
        before = self._before
        if before is None:
            return
        freed = total(before) - total(after)
        # What was agreed to: the last look may have found more that could go, and nobody has said yes to that.
        expected = self._expected.get(outcome.plan.id, self.decision.bytes)
        done = counted(sum(one.words == _REMOVED for one in outcome.done), "object")
        words = f"{done} removed, {decimal(max(0, freed))} freed ({decimal(expected)} expected)"
        yield News(target, StateClass.GOOD if not outcome.failed else StateClass.ATTENTION, clean(words))


def _parts(label: str, verdicts: Sequence[Verdict]) -> Iterator[Part]:
    """One for each group, the largest first, with its objects, the largest first too."""
    members: defaultdict[tuple[Kind, Clean], list[Verdict]] = defaultdict(list)
    for one in verdicts:
        members[one.kind, one.group].append(one)
    for group in groups(verdicts):
        objects = sorted(members[group.kind, group.name], key=lambda one: -(one.adds or 0))
        parts = tuple(
            Part(
                key_of(one), label, one.name, _size(one.adds), one.reason, frozenset({key_of(one)} if _may_change(one) else ())
            )
            for one in objects
        )
        keys = frozenset(key for part in parts for key in part.keys)
        yield Part(clean(f"{group.kind}/{group.name}"), label, group.what, _size(group.bytes), group.reason, keys, parts)


def _may_change(one: Verdict) -> bool:
    return one.why is None or one.why is Why.SPARED


def _size(size: int | None) -> Clean:
    return Clean(decimal(size)) if size is not None else Clean("n/a")


def total(use: DiskUse) -> int:
    """Bytes of everything: what images share is counted once, and cache that is part of an image not again."""
    cache = sum(one.size for one in use.cache if not one.shared)
    volumes = sum(one.size or 0 for one in use.volumes)
    return once(use.images) + volumes + cache + sum(use.written.values()) + sum(use.logs.values())


def spared(words: frozenset[Clean], facts: Known) -> frozenset[Clean]:
    """The keys of what a person spares, who may write an id, the beginning of one, a name, or the key itself.

    Raises NotThereError for a word that is none of them: what was to stay would go.
    """
    if not words:
        return words
    names: defaultdict[str, set[Clean]] = defaultdict(set)
    for kind, key, called in _objects(facts):
        whole = clean(f"{kind}/{key}")
        bare = str(key).removeprefix("sha256:")
        for name in {str(whole), str(key), bare, bare[:_SHORT], *called}:
            names[name].add(whole)
    for word in words:
        if word not in names:
            raise NotThereError(SourceState.OK, clean(f"there is nothing called {word} that could stay."))
    return frozenset(key for word in words for key in names[str(word)])


def _objects(facts: Known) -> Iterator[tuple[Kind, Clean, tuple[str, ...]]]:
    for image in facts.disk.images:
        yield Kind.IMAGE, image.id, tuple(map(str, image.names))
    for volume in facts.disk.volumes:
        yield Kind.VOLUME, volume.name, ()
    for part in facts.disk.cache:
        yield Kind.CACHE, part.id, ()
    for container in facts.containers:
        yield Kind.CONTAINER, container.id, (str(container.name),)


def _data(verdict: Verdict) -> Mapping[str, object]:
    return {"id": key_of(verdict), "name": verdict.name, "bytes": verdict.bytes, "reason": verdict.reason}


def _same(kind: Kind, count: int) -> Clean:
    return clean(f"{_SAME[kind]}{f' ({count} of them)' if count > 1 else ''}")
