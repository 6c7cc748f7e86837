"""The screen of what was done: read in the back room, newest first, anew after each act."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from console.actions.audit import AuditRecorder, InMemory, begun, ended, line_of
from console.actions.plan import Fate, Outcome, Say
from console.demo import demo_sources
from console.feeds.watch import Watch
from console.model.person import Person
from console.sources.auditfile import AuditError
from console.text import Clean, clean
from console.ui.app import ConsoleApp
from console.ui.screens.audit import AuditScreen
from tests.console.actions.planning import ANNA, Nothing, outcome, plan, target
from tests.console.fakes import NOW, FakeEngine
from tests.console.ui.pressing import line_with, press, selected
from tests.console.ui.screenapp import ENV, app_of, screen_text, still
from tests.console.ui.test_snapshots import Compare, taken
from tests.console.ui.worlds import world
from tests.support.waiting import until

HOST = Clean("train-01")
ROOT = Person(Clean("root"), 0, Clean("ben"), None, None)
PALETTE = ("colon", *"audit", "enter")


class Places(InMemory):
    """What it is given, unless it refuses. It counts how often it was read."""

    def __init__(self) -> None:
        super().__init__(ANNA)
        self.refuses: str | None = None
        self.reads = 0
        self.warns: Clean | None = None

    async def lines(self) -> list[bytes]:
        self.reads += 1
        if self.refuses is not None:
            raise AuditError(self.refuses)
        return await super().lines()

    async def write(self, line: str, fields: object) -> Clean | None:
        await super().write(line, [])
        return self.warns

    def put(self, *outcomes: Outcome, person: Person = ANNA, ago: timedelta = timedelta(minutes=1), end: bool = True) -> None:
        for one in outcomes:
            self._lines.append(line_of(begun(one.plan, person, HOST, NOW - ago)).encode())
            if end:
                self._lines.append(line_of(ended(one, person, HOST, NOW - ago + timedelta(seconds=2))).encode())


@pytest.fixture
def places() -> Places:
    made = Places()
    made.put(outcome(replace(plan(), title=clean("Retrigger train #38")), Fate.DONE), ago=timedelta(days=400))
    made.put(outcome(plan(act=Nothing("keep")), Fate.DONE, words="kept for ever"), ago=timedelta(days=2), person=ROOT)
    bulk = replace(
        plan(
            target(42),
            target(43),
            target(44, "It has ended."),
            act=Nothing("abort"),
            says=(
                Say("does", clean("two builds are stopped")),
                Say("goes", clean("what train #43 has not saved")),
                Say("stays", clean("the checkpoint of epoch 12")),
            ),
            same_as=("POST /job/train/42/stop", "POST /job/train/43/stop"),
        ),
        title=clean("Abort 2 builds of train"),
    )
    failed = outcome(bulk, Fate.DONE, Fate.FAILED, words="Jenkins does not permit it.", denied="Job/Cancel")
    good = replace(failed.results[0], words=clean("was stopped"), denied=None)
    made.put(replace(failed, results=(good, *failed.results[1:])), ago=timedelta(minutes=30))
    made.put(outcome(replace(plan(act=Nothing("approve")), title=clean("Approve promote #9")), Fate.DONE), end=False)
    return made


@pytest.fixture
def app(places: Places) -> ConsoleApp:
    recorder = AuditRecorder(places, HOST)
    made = app_of(world())
    made._make_recorder = lambda: recorder
    still(made).log_engine = FakeEngine()
    return made


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_audit(snap_compare: Compare, app: ConsoleApp, size: tuple[int, int]) -> None:
    says = ("› audit", "1 Audit 4", "! no end", "✗ 1 of 2", "2 Abort 2 builds of train", "missing: Job/Cancel", "left out")
    taken(snap_compare, app, size, *PALETTE, "j", says=says)


def test_the_audit_in_a_narrow_terminal(snap_compare: Compare, app: ConsoleApp) -> None:
    taken(snap_compare, app, (40, 10), *PALETTE, says=("no end", "appro", "train #41"))


async def test_the_palette_opens_it_with_the_newest_first(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        lines = await press(pilot, *PALETTE)
        assert isinstance(app.screen, AuditScreen)
        assert selected(lines).split()[:6] == ["▐14:02:46", "!", "no", "end", "approve", "train"]
        assert line_with(lines, "abort", "train #42 and train #43", "anna@192.0.2.7").split()[0] == "13:33:46"
        assert "Nov 21 14:03 ✓ done" in line_with(lines, "keep")
        assert "2025-10-19" in line_with(lines, "retrigger")
        assert any("how it ended was never written down" in line for line in lines)


async def test_all_of_it_can_be_read_below(app: ConsoleApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *PALETTE)
        lines = await press(pilot, "j", "z", "enter")
        text = "\n".join(lines)
        for words in (
            "✗ train #43  Jenkins does not permit it. (missing: Job/Cancel)",
            "train #44: It has ended.",
            "goes       what train #43 has not saved",
            "anna (user id 1000), over ssh from 192.0.2.7, at Jenkins anna-at-ci",
            "2026-11-23 13:33:46, it took 2s",
            "POST /job/train/43/stop",
        ):
            assert words in text, words
        await press(pilot, "escape", "escape", "j")
        assert "root (user id 0), by sudo from ben" in "\n".join(await press(pilot))


async def test_it_is_read_anew_after_each_act_and_with_ctrl_r(app: ConsoleApp, places: Places) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *PALETTE, "j")
        before = places.reads
        recorder = app.recorder
        assert recorder is not None
        made = replace(plan(target(77)), title=clean("Retrigger train #77"))
        await recorder.begin(made)
        await recorder.end(outcome(made, Fate.DONE))
        lines = await press(pilot)
        assert places.reads > before
        assert "1 Audit 5" in lines[1]
        assert "✓ done" in line_with(lines, "train #77")
        # What was selected stays selected while new rows come above it.
        assert "abort" in selected(lines)
        places.put(outcome(plan(target(78)), Fate.DONE))
        assert "1 Audit 6" in (await press(pilot, "ctrl+r"))[1]
        assert still(app).refreshed == 1


async def test_a_screen_that_was_left_reads_no_more(app: ConsoleApp, places: Places) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *PALETTE, "escape")
        recorder = app.recorder
        assert recorder is not None
        before = places.reads
        await recorder.begin(plan())
        await press(pilot)
        assert (places.reads, recorder.listeners) == (before, [])


async def test_while_it_is_read_another_act_is_not_missed(app: ConsoleApp, places: Places) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *PALETTE)
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        before = places.reads
        for _ in range(5):
            screen.read()
        while any(not task.done() for task in still(app).reading):
            await asyncio.wait(still(app).reading)
        await press(pilot)
        # One that was under way, and one for all that came meanwhile.
        assert places.reads - before == 2


async def test_what_cannot_be_read_is_told_and_what_was_read_stays(app: ConsoleApp, places: Places) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *PALETTE)
        places.refuses = "/x/audit.jsonl cannot be read: Permission denied."
        lines = await press(pilot, "ctrl+r")
        assert " /x/audit.jsonl cannot be read: Permission denied." in lines
        assert any("approve" in line for line in lines)


async def test_damage_and_warnings_stand_above(app: ConsoleApp, places: Places) -> None:
    places._lines.append(b"{")
    places.warns = clean("The systemd journal takes nothing: it does not read.")
    async with app.run_test(size=(80, 24)) as pilot:
        assert " 1 line of the audit file is damaged and left out." in await press(pilot, *PALETTE)
        recorder = app.recorder
        assert recorder is not None
        await recorder.begin(plan())
        assert " The systemd journal takes nothing: it does not read." in await press(pilot)


async def test_the_filter_looks_at_all_of_a_row(app: ConsoleApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        lines = await press(pilot, *PALETTE, "slash", *"ben", "enter")
        assert any("1 Audit 1 of 4" in line for line in lines)
        assert "keep" in selected(lines)
        lines = await press(pilot, "slash", *"zzz", "enter")
        assert ' No act matches "benzzz". esc shows all 4.' in lines
        lines = await press(pilot, "escape")
        assert any("1 Audit 4" in line for line in lines)


async def test_nothing_yet_is_said(app: ConsoleApp, places: Places) -> None:
    places._lines.clear()
    async with app.run_test(size=(80, 24)) as pilot:
        assert " Nothing has been done with this console yet." in await press(pilot, *PALETTE)


async def test_what_was_written_by_others_draws_nothing(app: ConsoleApp, places: Places) -> None:
    places._lines[-1] = places._lines[-1].replace(b"Approve promote", rb"\u001b[2J\u202eApprove")
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, *PALETTE)
        assert any("2 <U+202E>Approve #9" in line for line in lines)


async def test_from_the_real_back_room(places: Places) -> None:
    """The screen lives in one loop, reading in another."""
    recorder = AuditRecorder(places, HOST)
    watch = Watch(demo_sources, host=HOST, demo=True)
    app = ConsoleApp(watch, host=HOST, demo=True, env=ENV, make_recorder=lambda: recorder)
    watch.start()
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, *PALETTE)
            await until(lambda: "1 Audit 4" in screen_text(app))
            watch.attach(lambda _engine: recorder.begin(plan(target(77))))
            await until(lambda: "1 Audit 5" in screen_text(app))
    finally:
        watch.stop()
