"""The runs that a recorder has before it: what each is told to be, what of that is new, and when it is recorded to its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from console.feeds.record_facts import STARTED, Peaks, aliases, card_names, gpu_memory, of_run, over, starts, vanished
from console.feeds.record_logs import Followed, Logs
from console.feeds.record_notices import Notices
from console.feeds.record_store import Store
from console.model.build import BuildRef
from console.model.container import Container, Usage
from console.model.gpu import GpuReading
from console.model.history import PastRun
from console.model.metric import Figures
from console.model.run import Run
from console.model.state import StateClass
from console.model.training import LOCAL
from console.model.why import Why
from console.runs.facts import Said
from console.text import Clean, clean

MOST_SETTLED = 2000
JUDGED_SECONDS = 30.0
"""How often the figures of a training are judged: that takes some milliseconds."""

GONE_SECONDS = 130.0
"""How long a run by hand whose container has gone waits for its folder to tell how it ended."""

_NOTE = "settled"


@dataclass(frozen=True, slots=True)
class Going:
    """What else is known at a look. `jenkins`: whether what is said of builds, or that there are none, is to be believed;
    `engine`: the same of containers, `builds`: whether a build that is not listed is not there. `seconds` only grow."""

    now: datetime
    seconds: float
    usage: Mapping[Clean, Usage]
    reading: GpuReading | None
    engine: bool
    jenkins: bool
    builds: bool


@dataclass(slots=True)
class Known:
    """A run that is not recorded to its end. `before` is what the history had of it when it was seen first, `more` what its
    folder, or what its build keeps, told."""

    run: Run
    names: frozenset[str]
    past: PastRun
    before: PastRun | None
    peaks: Peaks
    final: bool = False
    more: PastRun | None = None
    filled: bool = False
    tries: int = 0
    why: Why | None = None
    asked: int = 0
    explained: bool = False
    """Whether it was asked why it ended badly; one that did not needs no asking."""
    sent: PastRun | None = None
    stale: bool = False
    """Whether something came to be known of it since `past` was made."""
    figures: Figures | None = None
    judged_at: float = float("-inf")
    gone_at: float | None = None
    again: bool = False
    """Whether its container was started again when the run was recorded to its end."""

    @property
    def all_names(self) -> frozenset[str]:
        """All that tells it from another run of its key, and a container that was started again from what it was before."""
        if self.again:
            return self.names
        return self.names | ({str(self.past.training)} if self.past.training is not None else frozenset())


@dataclass(slots=True)
class Runs:
    """`tell` gets a line when a run begins and when it is recorded to its end."""

    _store: Store
    _notices: Notices
    _tell: Callable[[str], None]
    known: dict[Clean, Known] = field(default_factory=dict)
    done: frozenset[Clean] = frozenset()
    """Of the containers that were seen last those whose runs are recorded to their end."""
    _settled: dict[str, list[str]] = field(default_factory=dict)

    async def load(self) -> None:
        """What was remembered. Raises HistoryError."""
        try:
            told = json.loads(await self._store.noted(_NOTE) or "{}")
        except ValueError:
            told = {}
        named = told.items() if isinstance(told, dict) else ()
        self._settled = {key: [str(one) for one in names] for key, names in named if isinstance(names, list)}

    def forget(self) -> None:
        """What was recorded is in another file."""
        self.known.clear()
        self.done = frozenset()
        self._settled = {}

    @property
    def going(self) -> int:
        return sum(not one.run.ended for one in self.known.values())

    @property
    def ends(self) -> bool:
        """Whether a run is about to be recorded to its end."""
        return any(one.final for one in self.known.values())

    def is_settled(self, ref: BuildRef, started: datetime) -> bool:
        return started.isoformat() in self._settled.get(str(ref), ())

    def has(self, key: str, names: Collection[str]) -> bool:
        """Whether this run is recorded to its end."""
        return not frozenset(names).isdisjoint(self._settled.get(key, ()))

    def _begun_again(self, run: Run) -> frozenset[str]:
        """Names of what the containers of a run did after it was recorded to its end; empty where they did nothing."""
        settled = self._settled.get(run.key, ())
        if any(one.startswith(STARTED) for one in settled):
            return starts(run).difference(settled)
        # It was recorded from its folder, by which nobody knows when its container was started.
        return starts(run) if run.container is not None and run.container.alive else frozenset()

    def containers(self) -> Iterator[tuple[Clean, Clean]]:
        """Key and container of everything that is followed."""
        for key, one in self.known.items():
            for container in one.run.containers:
                yield key, container.id

    async def see(self, runs: Sequence[Run], logs: Logs, going: Going) -> None:
        """Runs as they are now. Raises HistoryError."""
        there, done = set(), set[Clean]()
        for run in runs:
            names = aliases(run)
            again = self._begun_again(run) if self.has(run.key, names) else None
            if again is not None and not again:
                if run.ended:
                    done.update(one.id for one in run.containers)
                continue
            there.add(run.key)
            await self._one(run, names, again, logs, going)
        self.done = frozenset(done)
        for key, one in self.known.items():
            if key not in there:
                await self._not_there(one, logs, going)

    async def _one(self, run: Run, all_names: frozenset[str], again: frozenset[str] | None, logs: Logs, going: Going) -> None:
        # Under its other names people were told already how it ended.
        names = again or all_names
        known = self.known.get(run.key)
        if known is None or known.names.isdisjoint(names):
            before = _of_this(run, all_names, await self._store.run(run.key))
            peaks = Peaks()
            if before is not None:
                peaks.saw(before.peak_memory, before.peak_gpu_memory)
            known = self.known[run.key] = Known(run, names, PastRun(run.key), before, peaks, again=bool(again))
            if not run.ended:
                self._tell(f"run: {run.shown} {run.state.word}")
        elif run.state.word != known.run.state.word:
            self._tell(f"run: {run.shown} {run.state.word}{f': {run.why}' if run.why else ''}")
        # A container that is removed meanwhile still has a log that was read.
        gone = [one for one in known.run.containers if all(one.id != each.id for each in run.containers)]
        known.run, known.names, known.gone_at = replace(run, containers=(*run.containers, *gone)), known.names | names, None
        known.final = run.ended and (run.build is not None or run.ref is None or going.jenkins)
        known.explained = known.final and (known.explained or run.state.kind is StateClass.GOOD)
        self._use(known, going)
        await self._told(known, logs, going)

    def _use(self, known: Known, going: Going) -> None:
        used = [going.usage[one.id].memory for one in known.run.containers if one.id in going.usage]
        memory = sum(each for each in used if each is not None) if any(each is not None for each in used) else None
        known.peaks.saw(memory, gpu_memory(known.run))

    async def _told(self, known: Known, logs: Logs, going: Going) -> None:
        known.stale = False
        followed = newest(known.run.containers, logs)
        if followed is not None and followed.alive and going.seconds - known.judged_at >= JUDGED_SECONDS:
            known.judged_at = going.seconds
            known.figures = Figures(findings=followed.findings(going.now))
        figures = known.figures if not known.run.ended else None
        said = followed.log.said if followed is not None else None
        past = of_run(known.run, said, known.before, figures=figures, final=known.final, peaks=known.peaks, why=known.why)
        past = replace(over(past, known.more), cards=card_names(known.run, going.reading) or known.past.cards)
        known.past = past
        await self._notices.look(known.run, past, figures, known.names)

    async def _not_there(self, one: Known, logs: Logs, going: Going) -> None:
        """A run whose container has gone, and that no build tells of: it was by hand, or its build is gone or never seen."""
        if one.final or not going.engine or (one.run.ref is not None and not going.builds):
            return
        if one.gone_at is None:
            one.gone_at = going.seconds
        if going.seconds - one.gone_at < GONE_SECONDS:
            return
        one.final = one.filled = one.explained = True
        if one.run.ended:
            await self._told(one, logs, going)
            return
        followed = newest(one.run.containers, logs)
        one.past = vanished(one.past, followed.log.said if followed is not None else Said(), going.now)

    def changed(self) -> tuple[PastRun, ...]:
        """What is to be recorded: all that is not as it was sent last."""
        # Numbers of builds come again. Which training one was that nobody saw is told by what it keeps: until then it waits.
        return tuple(
            one.past
            for one in self.known.values()
            if one.past != one.sent and (one.filled or one.run.build is None or not one.run.ended or one.run.containers)
        )

    def sent(self, several: Iterable[PastRun]) -> None:
        told = {one.key: one for one in several}
        for key, one in self.known.items():
            one.sent = told.get(key, one.sent)

    async def conclude(self, logs: Logs) -> None:
        """Let go of runs of which everything is recorded, and tell people of them. Raises HistoryError."""
        through = []
        for key, one in self.known.items():
            if (
                not one.final
                or not one.explained
                or one.stale
                or one.past != one.sent
                or not (one.run.ended or one.past.ended is not None)
            ):
                continue
            await self._notices.ended(one.past, one.all_names)
            read = all(logs.settled(each.id) and not _unwritten(logs[each.id]) for each in one.run.containers)
            if read and (one.filled or one.run.build is None):
                through.append((key, one))
        for key, one in through:
            del self.known[key]
            torn = any(each.torn for container in one.run.containers if (each := logs[container.id]) is not None)
            for container in one.run.containers:
                logs.forget(container.id)
            if not (torn and by_hand(key)):
                # The container is removed as soon as it has ended: what its log did not tell any more is in the run folder.
                self._remember(key, one.all_names | (frozenset(self._settled.get(key, ())) if one.again else frozenset()))
            word = one.past.state.word if one.past.state is not None else "ended"
            self._tell(f"run: {one.run.shown} is recorded to its end: {word}")
        if through:
            await self.save()

    async def settle(self, past: PastRun, names: Collection[str]) -> None:
        """A run that only its folder told of is recorded. Raises HistoryError."""
        known = self.known.pop(past.key, None)
        self._remember(past.key, frozenset(names) | (starts(known.run) if known is not None else frozenset()))
        await self.save()

    def _remember(self, key: str, names: frozenset[str]) -> None:
        self._settled.pop(key, None)
        self._settled[key] = sorted(names)
        while len(self._settled) > MOST_SETTLED:
            del self._settled[next(iter(self._settled))]

    async def save(self) -> None:
        await self._store.note(_NOTE, json.dumps(self._settled))


def by_hand(key: str) -> bool:
    return key.startswith(f"{LOCAL}#")


def _of_this(run: Run, names: frozenset[str], before: PastRun | None) -> PastRun | None:
    """What the history has under the run's key, if it is of this run and not of one that had its number before."""
    if before is None or before.training is None or before.training in names:
        return before
    began = run.build.started if run.build is not None else None
    return before if began is not None and before.started == began else None


def newest(containers: Sequence[Container], logs: Logs) -> Followed | None:
    """The log of the container that trains, or of the newest that did."""
    found = [each for one in containers if (each := logs[one.id]) is not None]
    return next((each for each in found if each.alive), found[0] if found else None)


def _unwritten(followed: Followed | None) -> bool:
    return followed is not None and followed.log.points.count > 0


def shown(past: PastRun) -> Clean:
    return clean(f"{past.project or ''} {past.key}".strip())
