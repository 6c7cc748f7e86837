"""What cards, memory and machine say of a run that trains: on a recorded card, and on what was made up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from console.feeds.assemble import assemble
from console.feeds.curves import Curves
from console.feeds.runlist import RunList
from console.model.container import ContainerState, UsageHistory
from console.model.gpu import Gpu, GpuWorld, Slowdown, Xid
from console.model.machine import Disk, MachineReading
from console.model.metric import Figures, Finding
from console.model.run import Run
from console.model.run_words import shown_state
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.state import StateClass
from console.runs.figures import figures
from console.runs.hardware import LONG, hardware_findings, with_hardware
from console.runs.join import join
from console.runs.progress import Progress
from console.runs.reader import Reader
from console.text import clean
from tests.console import fake_gpus, fakes
from tests.console.fake_gpus import card, reading
from tests.console.fakes import NOW, inspection
from tests.console.runs.recorded import NAMES, blocks_of, truth_of
from tests.console.runs.test_join import training

GIB = 1 << 30
LEARNS = Figures(step=300, steps=1000, last=NOW - timedelta(seconds=6))
STALLED = Finding(clean("stalled"), clean("No progress for 11m. It usually comes every 6s."), NOW - timedelta(minutes=11))
HANGS = replace(LEARNS, findings=(STALLED,), last=NOW - timedelta(minutes=11))
CALM = MachineReading(32, 5.0, 1.0, 256 * GIB, 40 * GIB, None, None, 0.0, 0.0, 0.0, ())


def run_on(*cards: int, minutes: float = 60, **more: object) -> Run:
    """A training by hand that was given these cards."""
    details = inspection(started_at=NOW - timedelta(minutes=minutes))
    one = training(3, job_name="local", gpu=",".join(map(str, cards)) or "none", details=details, **more)  # type: ignore[arg-type]
    world = GpuWorld(reading(*map(card, cards or (0,))))
    (found,) = join([one], None, world, NOW)
    return found


def seen(*cards: Iterable[Gpu], seconds: float = 1.0, xids: tuple[Xid, ...] = ()) -> GpuWorld:
    """What is known after these readings, each `seconds` after the one before."""
    curves, newest = Curves(), tuple[Gpu, ...]()
    for at, newest in enumerate(zip(*cards, strict=True)):
        curves.add(at * seconds, newest)
    return GpuWorld(reading(*newest), curves.histories(), xids=xids)


def for_minutes(minutes: float, index: int = 0, **changes: object) -> list[Gpu]:
    return [card(index, **changes)] * round(minutes * 60)


def signs(found: Sequence[Finding]) -> list[str]:
    return [str(one.sign) for one in found]


def recorded(begin: float, end: float, minutes: float) -> list[Gpu]:
    """A stretch of the recording, over and over: what the card does goes on for so long. Two readings a second."""
    stretch = [one for at, one in fake_gpus.recorded() if begin <= at < end]
    return (stretch * (1 + round(minutes * 120) // len(stretch)))[: round(minutes * 120)]


def test_a_recorded_card_at_work_is_well() -> None:
    world = seen(recorded(0, 20, 10), seconds=0.5)
    assert hardware_findings(run_on(0), LEARNS, world, None, CALM, NOW) == ()


def test_a_recorded_card_that_is_held_and_idle_while_steps_go_on_is_starved() -> None:
    world = seen(recorded(21, 36, 10), seconds=0.5)
    (found,) = hardware_findings(run_on(0), LEARNS, world, None, CALM, NOW)
    assert (found.sign, found.words) == ("starved", "GPU 0 at 0% while steps go on, for 10m.")
    assert NOW - found.since >= timedelta(minutes=9)


def test_the_recording_itself_is_too_short_to_say_anything() -> None:
    world = seen([one for _, one in fake_gpus.recorded()], seconds=0.5)
    assert hardware_findings(run_on(0), LEARNS, world, None, CALM, NOW) == ()


@pytest.mark.parametrize("name", [name for name in NAMES if truth_of(name)["end"]["how"] == "ok"])
def test_recorded_trainings_on_a_card_at_work_are_well_while_they_run(name: str) -> None:
    """Replayed as they came: what their log says and a card that computes make no trouble of the hardware."""
    world, run = seen(recorded(0, 20, 6), seconds=0.5), run_on(0)
    reader, progress = Reader(), Progress()
    for moment, entries in blocks_of(name):
        progress.add(reader.entries(entries, moment))
        now = datetime.fromtimestamp(moment / 1e9, NOW.tzinfo)
        assert hardware_findings(run, figures(progress, now), world, None, CALM, now) == ()


def test_the_recorded_hang_on_a_card_at_work_is_told_as_one() -> None:
    world, run = seen(recorded(0, 20, 6), seconds=0.5), run_on(0)
    begins = next(mark["t"] for mark in truth_of("end-hang")["marks"] if "begin" in str(mark))
    reader, progress = Reader(), Progress()
    for moment, entries in blocks_of("end-hang"):
        if moment / 1e9 <= begins:
            progress.add(reader.entries(entries, moment))
    now = datetime.fromtimestamp(begins + 20, NOW.tzinfo)
    (found,) = hardware_findings(run, figures(progress, now), world, None, CALM, now)
    assert found.sign == "stalled"
    assert "GPU 0 is at 100% all the time" in found.words


def test_what_the_machine_waits_for_is_evidence() -> None:
    world = seen(for_minutes(5, utilisation=12))
    pressed = replace(CALM, cpu_pressure=34.0, io_pressure=81.0)
    (found,) = hardware_findings(run_on(0), LEARNS, world, None, pressed, NOW)
    assert found.words == (
        "GPU 0 at 12% while steps go on, for 5m; the machine waits for its processors 34% and for its disks 81% of the time."
    )


def test_a_single_reading_says_nothing() -> None:
    world = seen([card(0, utilisation=3)])
    assert hardware_findings(run_on(0), LEARNS, world, None, CALM, NOW) == ()
    assert hardware_findings(run_on(0), LEARNS, GpuWorld(reading(card(0))), None, CALM, NOW) == ()
    short = seen(for_minutes(LONG.total_seconds() / 60 - 1, utilisation=3))
    assert hardware_findings(run_on(0), LEARNS, short, None, CALM, NOW) == ()


def test_who_does_not_go_on_or_has_just_begun_is_not_starved() -> None:
    world = seen(for_minutes(10, utilisation=3))
    assert not hardware_findings(run_on(0), replace(LEARNS, last=NOW - timedelta(minutes=9)), world, None, CALM, NOW)
    assert not hardware_findings(run_on(0), HANGS, world, None, CALM, NOW)
    assert not hardware_findings(run_on(0), None, world, None, CALM, NOW)
    assert not hardware_findings(run_on(0, minutes=2), LEARNS, world, None, CALM, NOW)
    assert not hardware_findings(run_on(), LEARNS, world, None, CALM, NOW)


def test_one_of_several_cards_that_works_is_enough() -> None:
    world = seen(for_minutes(10, utilisation=3), for_minutes(10, 1, utilisation=80))
    assert not hardware_findings(run_on(0, 1), LEARNS, world, None, CALM, NOW)
    assert signs(hardware_findings(run_on(0), LEARNS, world, None, CALM, NOW)) == ["starved"]


def test_a_gap_ends_what_is_known() -> None:
    curves = Curves()
    for at in range(600):
        curves.add(at, [card(0, utilisation=3)])
    for at in range(600, 660):
        curves.miss(at)
    for at in range(660, 720):
        curves.add(at, [card(0, utilisation=3)])
    world = GpuWorld(reading(card(0)), curves.histories())
    assert not hardware_findings(run_on(0), LEARNS, world, None, CALM, NOW)


def test_no_steps_and_cards_at_work_may_be_a_hang() -> None:
    world = seen(for_minutes(10, utilisation=100), for_minutes(10, 1, utilisation=100))
    (found,) = hardware_findings(run_on(0, 1), HANGS, world, None, CALM, NOW)
    assert found.sign == "stalled"
    assert found.words == f"{STALLED.words} GPU 0, 1 are at 100% all the time: a collective operation may hang."
    (alone,) = hardware_findings(run_on(0), HANGS, world, None, CALM, NOW)
    assert "collective" not in alone.words
    known = with_hardware(run_on(0, 1), HANGS, world, None, CALM, NOW)
    assert known is not None
    assert known.findings == (found,), "it is said once"


def test_a_stall_on_cards_that_do_nothing_is_only_a_stall() -> None:
    world = seen(for_minutes(10, utilisation=0))
    assert with_hardware(run_on(0), HANGS, world, None, CALM, NOW) is HANGS


def used(*gibs: float | None) -> UsageHistory:
    return UsageHistory(2.0, (), tuple(round(one * GIB) if one is not None else None for one in gibs), 16 * GIB)


def test_memory_near_the_limit_of_the_container() -> None:
    (found,) = hardware_findings(run_on(), LEARNS, None, used(8.0, *[15.5] * 60), CALM, NOW)
    assert (found.sign, found.words) == ("memory", "Its memory is at 15.5 of 16 GiB for 2m: at the limit it is killed.")
    assert found.since == NOW - timedelta(minutes=2)
    assert not hardware_findings(run_on(), LEARNS, None, used(8.0, 15.5), CALM, NOW), "a peak is none"
    assert not hardware_findings(run_on(), LEARNS, None, used(*[15.5] * 60, 8.0), CALM, NOW)
    assert not hardware_findings(run_on(), LEARNS, None, used(*[15.5] * 60, None), CALM, NOW), "not known is not full"
    assert not hardware_findings(run_on(), LEARNS, None, used(*[12.0] * 60), CALM, NOW)
    free = replace(used(*[15.5] * 60), memory_limit=None)
    assert not hardware_findings(run_on(), LEARNS, None, free, CALM, NOW)


def test_a_disk_that_will_be_full_before_the_run_ends_is_told() -> None:
    fills = Disk(clean("docker"), clean("/var/lib/docker"), 10**12, 7 * 10**11, 3 * 10**11, full_in=3.2 * 3600)
    machine = replace(CALM, disks=(fills,))
    long = replace(LEARNS, finish=NOW + timedelta(hours=5))
    (found,) = hardware_findings(run_on(), long, None, None, machine, NOW)
    assert found.words == "The Engine's disk will be full in about 3h, before this run ends: 300 GB are free."
    assert found.sign == "disk"
    for told in (replace(LEARNS, finish=NOW + timedelta(hours=3)), replace(LEARNS, finish=None), None):
        assert not hardware_findings(run_on(), told, None, None, machine, NOW)
    assert not hardware_findings(run_on(), long, None, None, replace(CALM, disks=(replace(fills, full_in=None),)), NOW)
    assert not hardware_findings(run_on(), long, None, None, replace(CALM, disks=(replace(fills, what=clean("home")),)), NOW)


def test_memory_of_a_card_and_a_disk_are_told_and_no_trouble_of_the_run() -> None:
    world = seen(for_minutes(5, utilisation=90, memory_used=round(79.2 * GIB)))
    full = replace(CALM, disks=(Disk(clean("docker"), clean("/var/lib/docker"), 10**12, 98 * 10**10, 2 * 10**10),))
    found = hardware_findings(run_on(0), LEARNS, world, None, full, NOW)
    assert [(str(one.sign), str(one.words)) for one in found] == [
        ("gpu memory", "GPU 0 has 819 MiB of 80 GiB memory left."),
        ("disk", "The Engine's disk is 98% full, 20 GB are free."),
    ]
    run = run_on(0)
    assert shown_state(run, with_hardware(run, LEARNS, world, None, full, NOW)) == run.state


def test_a_card_that_is_slowed_down_by_heat() -> None:
    hot = {"utilisation": 99, "temperature": 88, "slowdown": Slowdown.THERMAL}
    (found,) = hardware_findings(run_on(0), LEARNS, seen(for_minutes(2, **hot)), None, CALM, NOW)
    assert (found.sign, found.words) == ("hot", "GPU 0 is slowed down at 88C: too hot.")
    once = [*for_minutes(2, utilisation=99, temperature=60), card(0, **hot)]
    assert not hardware_findings(run_on(0), LEARNS, seen(once), None, CALM, NOW), "a single reading says nothing"
    capped = {**hot, "slowdown": Slowdown.POWER_CAP}
    assert not hardware_findings(run_on(0), LEARNS, seen(for_minutes(2, **capped)), None, CALM, NOW)


def test_an_error_of_its_card_while_it_runs() -> None:
    def with_xid(number: int, index: int, ago: float) -> list[str]:
        xid = Xid(NOW - timedelta(minutes=ago), index, number)
        world = seen(for_minutes(2, utilisation=90), for_minutes(2, 1, utilisation=90), xids=(xid,))
        return signs(hardware_findings(run_on(0), LEARNS, world, None, CALM, NOW))

    assert with_xid(94, 0, 10) == ["xid"]
    assert with_xid(94, 1, 10) == [], "another card's"
    assert with_xid(94, 0, 90) == [], "before it began"
    assert with_xid(31, 0, 10) == [], "a fault of a program"


def test_what_has_ended_says_nothing() -> None:
    run = run_on(0, state=ContainerState.EXITED, exit_code=1)
    assert not hardware_findings(run, HANGS, seen(for_minutes(10, utilisation=100)), used(*[15.5] * 60), CALM, NOW)


def test_row_and_problems_say_it() -> None:
    details = inspection(started_at=NOW - timedelta(hours=1), memory_limit=16 * GIB)
    one = training(12, gpu="0", details=details)
    well = SourceStatus(SourceState.OK, None, NOW, NOW)
    world = assemble(
        host=clean("train-01"),
        demo=False,
        now=NOW,
        engine=None,
        docker=Snapshot((one, fakes.container("web")), well),
        compose=None,
        usage={one.id: used(*[15.5] * 90)},
        events=(),
        gpus=Snapshot(seen(for_minutes(10, utilisation=3)), well),
        figures={one.id: LEARNS},
        runs=RunList(),
    )
    (row,) = world.trainings
    assert (row.state.word, row.state.kind) == ("memory", StateClass.ATTENTION)
    assert [str(each.sentence) for each in world.problems if each.target == f"container/{one.id}"] == [
        "project-a #12 memory: Its memory is at 15.5 of 16 GiB for 3m: at the limit it is killed."
    ]
    assert signs(world.figures[one.id].findings) == ["memory", "starved"]
    assert shown_state(world.runs[0], world.figures[one.id]).word == "memory"
