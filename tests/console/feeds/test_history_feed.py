"""The past that a console shows: the file, and above it what it saw itself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.feeds.history_feed import HistoryFeed
from console.feeds.seen import Seen
from console.feeds.watch import Watch
from console.history import Reader
from console.history.place import connect, usual_place
from console.model.gpu import GpuHistory, GpuReading, GpuWorld, Window
from console.model.history import NANO, Batch, GpuSample, HostSample, Span
from console.model.machine import MachineHistory
from console.model.past import Around, Past, Remembered
from console.model.source import Snapshot, SourceState, SourceStatus
from console.text import Clean
from tests.console.fake_gpus import card
from tests.console.fakes import FakeCompose, FakeEngine
from tests.console.history.making import FULL_RUN, NOW, Place, curve, points, run, started
from tests.console.ui.gpuworlds import machine
from tests.support.waiting import until_sync

LATER = NOW + 600 * NANO
"""When everybody looks here: ten minutes after the recordings began."""


def at(nano: int) -> datetime:
    return datetime.fromtimestamp(nano / NANO, UTC)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "history" / "history.db")
    yield made
    made.close()


def feed(path: Path | None, seen: Seen | None = None, now: int = LATER, deadline: float = 8.0) -> HistoryFeed:
    """Rings are counted from `NOW` on."""
    told = seen or Seen()
    return HistoryFeed(path, lambda: told, clock=lambda: at(now), ticks=lambda: (now - NOW) / NANO, deadline=deadline)


def seen(*use: float | None, state: SourceState = SourceState.OK, uuid: str = "GPU-1", until: int = LATER) -> Seen:
    """A card whose newest value is of `until`, 15 seconds each."""
    empty = (None,) * len(use)
    history = GpuHistory(15.0, use, empty, empty, empty)
    world = GpuWorld(GpuReading(Clean("1"), Clean("1"), (card(0, uuid=Clean(uuid)),)), {Window.HOUR: {0: history}})
    return Seen(gpus=Snapshot(world, SourceStatus(state, None, None, at(until))))


async def around(made: HistoryFeed, begin: int = NOW, end: int = LATER, width: int = 20) -> Around:
    try:
        return await made.around(begin, end, width)
    finally:
        await made.aclose()


async def test_runs_and_what_they_measured(place: Place) -> None:
    writer = place.writer()
    writer.record(Batch(runs=(FULL_RUN, run("train#127", project=Clean("project-b"), started=started(-9)))))
    writer.record(points("train#128", *curve(100), metric="val_loss"))
    made: Past = feed(place.path)
    assert [one.key for one in (await made.runs()).runs] == ["train#128", "train#127"]
    assert [one.key for one in (await made.runs("project-b")).runs] == ["train#127"]
    assert [one.key for one in (await made.runs(limit=1)).runs] == ["train#128"]
    assert await made.run("train#128") == FULL_RUN
    assert await made.run("train#5") is None
    known = await made.figures("train#128")
    assert known is not None
    assert (known.step, known.last) == (99, at(NOW + 99 * NANO))
    (one,) = known.curves
    assert (one.name, one.better, len(one.spots)) == ("val_loss", -1, 100)
    assert one.best is not None
    assert (one.best.step, one.last.step) == (0, 99)
    assert await made.figures("train#127") is None
    assert await made.figures("train#5") is None
    await made.aclose()


async def test_which_runs_there_were_before(place: Place) -> None:
    keys = ("train#125", "train#126", "train#127")
    mine = [run(key, project=Clean("project-a"), started=started(day)) for key, day in zip(keys, (-9, -8, -7), strict=True)]
    other = run("train#124", project=Clean("project-b"), started=started(-10))
    place.writer().record(Batch(runs=(*mine, other)))
    made: Past = feed(place.path)
    assert [one.key for one in await made.earlier("train#127", "project-a")] == ["train#126", "train#125"]
    assert [one.key for one in await made.earlier("queue/9", "project-a")] == ["train#127", "train#126", "train#125"]
    assert await made.earlier("queue/9", "project-z") == ()
    await made.aclose()
    assert await feed(None).earlier("train#127", "project-a") == ()


async def test_whether_somebody_records_now(place: Place) -> None:
    place.writer().beat()
    for later, recorder in ((20, True), (200, False)):
        made = feed(place.path, now=NOW + later * NANO)
        assert (await made.runs()).recorder is recorder
        await made.aclose()


async def test_what_is_wrong_with_the_file_is_told_and_raises_nothing(place: Place, tmp_path: Path) -> None:
    async def told(path: Path | None) -> Remembered:
        made = feed(path)
        found = await made.runs()
        assert (await made.run("a#1"), await made.figures("a#1")) == (None, None)
        assert (await made.around(NOW, LATER, 3)).gaps == (Span(NOW, LATER),)
        await made.aclose()
        return found

    assert await told(None) == Remembered()
    missing = await told(tmp_path / "none.db")
    assert missing.words is not None
    assert missing.words.startswith("No history yet. mlops-console record keeps one in ")
    text = tmp_path / "text.db"
    text.write_text("somebody's notes")
    assert str((await told(text)).words) == f"{text} is no database. Move it away, or name another file."
    place.writer().record(Batch(runs=(FULL_RUN,)))
    place.close()
    with sqlite3.connect(place.path) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("UPDATE meta SET value = 99 WHERE name = 'readable_from'")
    db.close()
    newer = await told(place.path)
    assert newer.runs == ()
    assert "newer" in str(newer.words)


async def test_a_file_that_another_one_holds_is_told_in_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.history.place.BUSY_SECONDS", 0.01)
    monkeypatch.setattr("console.history.reader.connect", lambda path, **more: connect(path, busy=0.01, **more))
    place.writer().record(Batch(runs=(FULL_RUN,)))
    place.close()
    with sqlite3.connect(place.path, isolation_level=None) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("BEGIN EXCLUSIVE")
        made = feed(place.path)
        assert "another program holds it" in str((await made.runs()).words)
        db.execute("ROLLBACK")
        assert (await made.runs()).words is None
        await made.aclose()
    db.close()


async def test_a_disk_that_hangs_holds_up_nobody_twice(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.writer().record(Batch(runs=(FULL_RUN,)))
    hung, asked = threading.Event(), []
    real = Reader.runs

    def hang(self: Reader, *args: object, **more: object) -> object:
        asked.append(threading.current_thread().name)
        hung.wait()
        return real(self, None)

    monkeypatch.setattr(Reader, "runs", hang)
    made = feed(place.path, deadline=0.05)
    for _ in range(3):
        assert "its disk hangs" in str((await made.runs()).words)
        assert await made.run("train#128") is None
    assert len(asked) == 1, "it is not asked again while it hangs"
    hung.set()
    monkeypatch.setattr(Reader, "runs", real)
    until_sync(lambda: not made._hangs, "the disk to answer")
    generous = feed(place.path)
    assert (await generous.runs()).runs == (FULL_RUN,)
    await generous.aclose()
    await made.aclose()


async def test_the_file_counts_and_what_it_lacks_this_console_saw(place: Place) -> None:
    writer = place.writer()
    writer.record(
        Batch(
            gpus=tuple(GpuSample(NOW + at * NANO, Clean("GPU-1"), 0, 10.0, run=Clean("a#1")) for at in range(0, 300, 10)),
            host=(HostSample(NOW, 5.0),),
        )
    )
    found = await around(feed(place.path, seen(*[90.0] * 24)))
    (one,) = found.cards
    # 24 values of 15 seconds: from the 255th second on.
    assert one.utilisation.mean == (10.0,) * 10 + (90.0,) * 10
    assert one.runs == ("a#1",) * 10 + (None,) * 10
    assert found.host is not None
    assert found.host.cpu.mean[:2] == (5.0, None)


async def test_a_card_that_only_this_console_saw_is_a_card(place: Place) -> None:
    place.writer().record(Batch(gpus=(GpuSample(NOW, Clean("GPU-9"), 3, 10.0),)))
    found = await around(feed(place.path, seen(50.0, 50.0)))
    assert [(one.card, one.index) for one in found.cards] == [("GPU-1", 0), ("GPU-9", 3)]
    assert found.cards[0].utilisation.mean[-1] == 50.0
    assert found.cards[0].utilisation.mean[0] is None
    alone = await around(feed(None, seen(50.0, 50.0)))
    assert [one.card for one in alone.cards] == ["GPU-1"]


async def test_gaps_are_when_neither_the_recorder_nor_this_console_looked(place: Place) -> None:
    writer = place.writer()
    for _ in range(11):
        writer.beat()
        place.clock.go(10)
    # The recorder saw 100 seconds, this console the last 120.
    found = await around(feed(place.path, seen(*[1.0] * 8)), end=LATER + 300 * NANO)
    assert found.gaps == (Span(NOW + 100 * NANO, NOW + 495 * NANO),), "what is still to come is no gap"
    quiet = await around(feed(place.path, now=NOW + 130 * NANO), end=NOW + 130 * NANO)
    assert quiet.gaps == (), "a recorder writes now and then"
    gone = await around(feed(place.path, now=NOW + 160 * NANO), end=NOW + 160 * NANO)
    assert gone.gaps == (Span(NOW + 100 * NANO, NOW + 160 * NANO),)


async def test_a_gap_within_what_this_console_saw_stays_one() -> None:
    found = await around(feed(None, seen(*[1.0] * 20, None, None, *[1.0] * 20)), width=40)
    assert found.gaps == (Span(NOW + 285 * NANO, NOW + 315 * NANO),)
    assert found.cards[0].utilisation.mean[18:22] == (1.0, None, None, 1.0)


async def test_the_machine_that_this_console_saw() -> None:
    history = MachineHistory(2.0, (10.0, 30.0), (1e9, 3e9))
    of_machine = Seen(machine=Snapshot(machine(), SourceStatus(SourceState.OK, None, None, at(LATER))), history=history)
    found = await around(feed(None, of_machine), begin=LATER - 2 * NANO, end=LATER + 2 * NANO, width=1)
    assert found.host is not None
    assert (found.host.cpu.mean, found.host.cpu.high, found.host.memory.high) == ((20.0,), (30.0,), (3e9,))
    nobody = await around(feed(None))
    assert (nobody.host, nobody.cards, nobody.gaps) == (None, (), (Span(NOW, LATER),))


def test_where_it_is(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    assert usual_place(None, env) == tmp_path / "mlops-console" / "history.db"
    assert usual_place(tmp_path / "all.db", env) == tmp_path / "all.db"


def test_whoever_is_in_the_back_room_is_given_the_past_once(place: Place) -> None:
    place.writer().record(Batch(runs=(FULL_RUN,)))
    made: list[HistoryFeed] = []
    given: list[object] = []

    def make(seen: object) -> Past:
        made.append(HistoryFeed(place.path, seen))  # type: ignore[arg-type]  # what Watch gives
        return made[-1]

    live = Watch(lambda: (FakeEngine(), FakeCompose()), host=Clean("train-01"), demo=False, make_past=make)

    async def ask(_: object) -> None:
        past = await live.past()
        given.append((past, await past.runs(), await past.around(NOW, LATER, 4)))

    live.start()
    until_sync(lambda: live.world is not None, "the first world")
    for _ in range(2):
        live.attach(ask)
    until_sync(lambda: len(given) == 2, "an answer")
    assert len(made) == 1
    assert live.stop()
    assert made[0]._reader is not None
    assert made[0]._reader._db is None, "the file is let go of"


def test_without_one_there_is_an_empty_past() -> None:
    live = Watch(lambda: (FakeEngine(), FakeCompose()), host=Clean("train-01"), demo=False)
    given: list[Remembered] = []

    async def ask(_: object) -> None:
        given.append(await (await live.past()).runs())

    live.start()
    until_sync(lambda: live.world is not None, "the first world")
    live.attach(ask)
    until_sync(lambda: given, "an answer")
    assert given == [Remembered()]
    assert live.stop()
