"""What the demo remembers: its trainings that are over or go on, and what cards and machine did over the last day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from console.demo import training_log
from console.demo.actor import DAY, GIB, HOUR, MINUTE
from console.demo.clock import Clock
from console.demo.gpus import DemoGpus
from console.demo.machine import DemoMachine
from console.demo.story import TRAININGS, End, Training
from console.model.gpu import Gpu
from console.model.history import NANO, Asked, CardPast, HostPast, PastRun, Published, Saved, Span, Trace
from console.model.machine import MachineReading
from console.model.metric import Curve, Figures, Spot
from console.model.past import Around, Remembered, Sent
from console.model.state import State, StateClass, state
from console.model.times import nanoseconds
from console.runs.figures import figures
from console.runs.names import better
from console.runs.progress import Progress
from console.runs.reader import Reader
from console.text import Clean, clean

T = TypeVar("T")

GAP = (-9 * HOUR, -8 * HOUR - 20 * MINUTE)
"""When the recorder was away, in seconds after the world began."""

_KEPT = DAY
# A plot of a day has columns of minutes: one look each would miss the end of an epoch.
_LOOKS = 3


class DemoPast:
    """See `console.model.past.Past`. Nothing here fails."""

    def __init__(self, clock: Clock, gpus: DemoGpus, machine: DemoMachine) -> None:
        self._clock = clock
        self._gpus = gpus
        self._machine = machine
        self._briefs: dict[str, Figures] = {}

    async def runs(self, project: str | None = None, *, limit: int = 200) -> Remembered:
        found = [one for one in self._begun() if project is None or one.project == project]
        shown = found[:limit]
        told = {_key(one): brief for one in shown if (brief := self._brief(one)) is not None}
        return Remembered(tuple(self._past(one) for one in shown), recorder=True, figures=told)

    def _brief(self, one: Training) -> Figures | None:
        """Whether one learned that is over, and how good it was, without the curves."""
        over, epochs = self._over(one), one.done_by(self._elapsed())
        found = training_log.best(one, epochs) if over is not None else None
        if over is None or found is None:
            return None
        key = _key(one)
        if key in self._briefs:
            return self._briefs[key]
        loss = self._read(one).loss
        name = clean(one.manner.score)
        last, best = (
            Spot(self._moment(over), None, float(epoch), value)
            for value, epoch in ((training_log.score(one, epochs), epochs), found)
        )
        score = Curve(name, better(name), last, best, ())
        told = Figures(curves=(score,) if loss is None else (replace(loss, spots=()), score), last=last.time)
        if self._ended(one):
            # Nothing of it changes any more: its log is read once.
            self._briefs[key] = told
        return told

    async def run(self, key: str) -> PastRun | None:
        found = self._named(key)
        return self._past(found) if found is not None else None

    async def earlier(self, key: str, project: str) -> tuple[PastRun, ...]:
        found = self._named(key)
        every = [one for one in self._begun() if one.project == project and (found is None or one.begins < found.begins)]
        return tuple(self._past(one) for one in every)

    async def figures(self, key: str) -> Figures | None:
        found = self._named(key)
        return self._read(found) if found is not None else None

    def _read(self, found: Training) -> Figures:
        now = self._clock.now()
        reader, progress = Reader(), Progress()
        lines = training_log.said(found, found.begins, self._elapsed())
        entries = [(self._nano(one.at), one.stderr, f"{one.text}\n".encode()) for one in lines]
        progress.add(reader.entries(entries))
        progress.add(reader.end(int(now.timestamp() * NANO)))
        return figures(progress, now, ended=self._ended(found), note=reader.words)

    async def notices(self) -> Sent:
        return Sent()

    async def around(self, begin: int, end: int, width: int) -> Around:
        now, zero = self._elapsed(), self._nano(0.0)
        first, last = (begin - zero) / NANO, (end - zero) / NANO
        step = (last - first) / max(1, width)
        moments = [first + step * at for at in range(width)]
        looks = [
            [at + step * (look + 0.5) / _LOOKS for look in range(_LOOKS)] if _seen(at, step, now) else [] for at in moments
        ]
        cards = [[self._gpus.at(moment).cards for moment in column] for column in looks]
        hosts = [[self._machine.at(moment) for moment in column] for column in looks]
        away = ((begin, self._nano(now - _KEPT)), tuple(self._nano(moment) for moment in GAP))
        spans = [Span(max(left, begin), min(right, end)) for left, right in away]
        gaps = tuple(one for one in spans if one.begin < one.end)
        indices = [card.index for card in self._gpus.at(now).cards]
        told = tuple(self._card(index, cards, moments) for index in indices)
        return Around(begin, end, told, _host(hosts), gaps)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _card(self, index: int, columns: Sequence[Sequence[Sequence[Gpu]]], moments: Sequence[float]) -> CardPast:
        of_one = [[cards[index] for cards in column] for column in columns]
        runs = [self._on(index, at) if column else None for at, column in zip(moments, columns, strict=True)]
        return CardPast(
            card=self._gpus.at(self._elapsed()).cards[index].uuid,
            index=index,
            utilisation=_trace(of_one, lambda card: card.utilisation),
            memory=_trace(of_one, lambda card: card.memory_used),
            temperature=_trace(of_one, lambda card: card.temperature),
            power=_trace(of_one, lambda card: card.power),
            runs=tuple(runs),
        )

    def _on(self, index: int, at: float) -> Clean | None:
        for one in TRAININGS:
            if one.lasting and one.manner.gpu == index and one.begins <= at < (one.ends if one.ends is not None else at + 1):
                return _key(one)
        return None

    def _past(self, one: Training) -> PastRun:
        ended, over = self._ended(one), self._over(one)
        epoch = one.done_by(self._elapsed())
        manner = one.manner
        # As a recorder keeps them: which run it is says no parameter.
        given = dict(one.given)
        resumed = given.get("RESUME_FROM")
        tag = f"build-{one.number}"
        url = f"https://huggingface.co/acme/{one.project}/tree/{tag}"
        published = Published(clean(f"acme/{one.project}"), clean(one.commit), clean(tag), clean(url))
        memory = one.memory * GIB
        return PastRun(
            key=_key(one),
            training=clean(f"demo-{one.number}"),
            project=clean(one.project),
            job=Clean("train"),
            number=one.number,
            commit=clean(one.commit),
            parameters={clean(name): clean(value, lines=True) for name, value in given.items()},
            causes=(clean(f"Started by user {one.by}" if one.by else f"release of {one.project} at {one.commit[:12]}"),),
            image=clean(f"mlops/{one.project}:{one.commit[:12]}"),
            container=clean(f"mlops-{one.project}-{one.number}"),
            cards=() if manner.gpu is None else (self._gpus.at(self._elapsed()).cards[manner.gpu].uuid,),
            started=self._moment(one.begins),
            ended=self._moment(over) if over is not None else None,
            state=_state(one, ended=over is not None),
            reason=clean(training_log.described(one).removeprefix("failed: ")) if ended else None,
            published=published if ended and one.end is End.DONE else None,
            checkpoint=Saved(epoch, manner.checkpoint_bytes) if epoch else None,
            asked=Asked(memory=memory, gpus=0 if manner.gpu is None else 1),
            peak_memory=memory if one.end is End.MEMORY and ended else round(0.6 * memory),
            peak_gpu_memory=None if manner.gpu is None else 61 * GIB,
            resumed_from=clean(f"train#{resumed}") if resumed is not None else None,
        )

    def _begun(self) -> list[Training]:
        """The newest first."""
        now = self._elapsed()
        return sorted((one for one in TRAININGS if one.begins <= now), key=lambda one: one.begins, reverse=True)

    def _named(self, key: str) -> Training | None:
        return next((one for one in self._begun() if _key(one) == key), None)

    def _ended(self, one: Training) -> bool:
        return one.ends is not None and one.ends <= self._elapsed()

    def _over(self, one: Training) -> float | None:
        """When its build ended, or its container did; None while it goes on."""
        moment = one.left if one.left is not None else one.ends
        return moment if moment is not None and moment <= self._elapsed() else None

    def _elapsed(self) -> float:
        return (self._clock.now() - self._clock.began).total_seconds()

    def _moment(self, seconds: float) -> datetime:
        return self._clock.began + timedelta(seconds=seconds)

    def _nano(self, seconds: float) -> int:
        return nanoseconds(self._moment(seconds))


def _key(one: Training) -> Clean:
    return clean(f"train#{one.number}")


def _state(one: Training, *, ended: bool) -> State:
    if not ended:
        return state(StateClass.ACTIVE, "training")
    match one.end:
        case End.DONE:
            return state(StateClass.GOOD, "published")
        case End.STOPPED | End.NEVER:
            return state(StateClass.ENDED, "aborted")
        case _:
            return state(StateClass.BROKEN, "failed")


def _seen(at: float, step: float, now: float) -> bool:
    """Whether somebody looked in the middle of a column."""
    middle = at + step / 2
    return now - _KEPT <= middle <= now and not GAP[0] <= middle < GAP[1]


def _host(columns: Sequence[Sequence[MachineReading]]) -> HostPast:
    return HostPast(
        cpu=_trace(columns, lambda one: one.cpu),
        memory=_trace(columns, lambda one: one.memory_used),
        cpu_pressure=_trace(columns, lambda one: one.cpu_pressure),
        memory_pressure=_trace(columns, lambda one: one.memory_pressure),
        io_pressure=_trace(columns, lambda one: one.io_pressure),
    )


def _trace(columns: Iterable[Sequence[T]], figure: Callable[[T], float | None]) -> Trace:
    told = [[value for one in column if (value := figure(one)) is not None] for column in columns]
    return Trace(
        tuple(sum(values) / len(values) if values else None for values in told),
        tuple(float(max(values)) if values else None for values in told),
    )
