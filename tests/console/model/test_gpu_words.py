"""Cards in words: which state, whose fault, what to do, and what is not worth a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from console.model.gpu import Gpu, GpuHistory, GpuWorld, Instance, Remapped, Slowdown, Window, Xid
from console.model.gpu_words import (
    Blame,
    card_name,
    card_state,
    fault_sentences,
    fault_words,
    held_words,
    memory_pair,
    problems,
    slowdown_words,
    worst,
    xid_meaning,
    xid_words,
)
from console.model.state import StateClass
from console.text import clean
from tests.console.fake_gpus import GIB, NOW, card, held, process, reading

SOUND = Remapped(0, 0, pending=False, failed=False)
PENDING = replace(SOUND, correctable=1, pending=True)
FAILED = replace(SOUND, uncorrectable=9, failed=True)


def world(
    *cards: Gpu, idle: timedelta | None = None, xids: tuple[Xid, ...] = (), heat: tuple[float | None, ...] = ()
) -> GpuWorld:
    """`idle` and `heat` are the first card's."""
    minute = GpuHistory(1.0, heat, heat, heat, heat)
    return GpuWorld(
        reading(*cards),
        histories={Window.MINUTE: {0: minute}} if heat else {},
        idle_since={} if idle is None else {0: NOW - idle},
        xids=xids,
    )


def xid(number: int, ago: timedelta = timedelta(minutes=12), index: int | None = 0) -> Xid:
    return Xid(NOW - ago, index, number)


def words(of: GpuWorld, now: datetime = NOW) -> tuple[str, StateClass]:
    found = card_state(of, of.reading.cards[0], now)
    return str(found.word), found.kind


def sentences(of: GpuWorld, **holders: str) -> list[str]:
    return [str(one.sentence) for one in problems(of, NOW, {int(index[1:]): who for index, who in holders.items()})]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (card(), ("free", StateClass.GOOD)),
        (card(memory_used=3 << 20, processes=(process(memory=3 << 20),)), ("free", StateClass.GOOD)),
        (card(utilisation=3), ("working", StateClass.ACTIVE)),
        (held(0, 97), ("working", StateClass.ACTIVE)),
        (held(0, 0), ("held", StateClass.WAITING)),
        (card(memory_used=2 * GIB, processes=None), ("held", StateClass.WAITING)),
        (held(0, None), ("in use", StateClass.ACTIVE)),
        (card(utilisation=None, mig=True), ("free", StateClass.GOOD)),
        (card(utilisation=None, memory_used=None, processes=None), ("unknown", StateClass.UNKNOWN)),
        (card(lost=clean("GPU is lost")), ("lost", StateClass.BROKEN)),
        (card(remapped=FAILED), ("bad memory", StateClass.BROKEN)),
        (card(remapped=PENDING), ("reset due", StateClass.ATTENTION)),
        (card(ecc_uncorrected=2, remapped=SOUND), ("ecc error", StateClass.ATTENTION)),
        (card(ecc_corrected=2000, ecc_uncorrected=0, remapped=replace(SOUND, correctable=3)), ("free", StateClass.GOOD)),
        (card(slowdown=Slowdown.THERMAL), ("hot", StateClass.ATTENTION)),
        (card(slowdown=Slowdown.HARDWARE | Slowdown.POWER_BRAKE), ("slowed", StateClass.ATTENTION)),
        (held(0, 100, process()), ("working", StateClass.ACTIVE)),
    ],
)
def test_states(one: Gpu, expected: tuple[str, StateClass]) -> None:
    assert words(world(one)) == expected
    assert len(expected[0]) <= 10


@pytest.mark.parametrize("slowdown", [Slowdown(0), Slowdown.POWER_CAP, Slowdown.IDLE, Slowdown.POWER_CAP | Slowdown.SYNC_BOOST])
def test_a_power_cap_at_full_load_is_normal(slowdown: Slowdown) -> None:
    one = replace(held(0, 100), slowdown=slowdown, power=699.0)
    assert words(world(one)) == ("working", StateClass.ACTIVE)
    assert problems(world(one), NOW) == ()
    assert fault_words(slowdown) == ""


@pytest.mark.parametrize(
    ("idle", "expected", "is_problem"),
    [
        (timedelta(seconds=59), ("working", StateClass.ACTIVE), False),
        (timedelta(minutes=1), ("held", StateClass.WAITING), False),
        (timedelta(minutes=9, seconds=59), ("held", StateClass.WAITING), False),
        (timedelta(minutes=10), ("idle", StateClass.ATTENTION), True),
    ],
)
def test_a_card_may_be_idle_for_ten_minutes(idle: timedelta, expected: tuple[str, StateClass], is_problem: bool) -> None:
    of = world(held(), idle=idle)
    assert words(of) == expected
    assert bool(problems(of, NOW)) is is_problem


def test_who_holds_it_is_said_where_that_is_known() -> None:
    of = world(held(), idle=timedelta(minutes=14))
    assert sentences(of) == ["GPU 0: 2 GiB held, 0% for 14m"]
    assert sentences(of, _0="vision-large #126") == ["GPU 0, vision-large #126: 2 GiB held, 0% for 14m"]
    (problem,) = problems(of, NOW)
    assert (problem.kind, problem.target) == (StateClass.ATTENTION, "gpu/0")


def test_what_is_held() -> None:
    since = NOW - timedelta(minutes=14)
    assert held_words(5 * GIB // 2, since, NOW) == "2.5 GiB held, 0% for 14m"
    assert held_words(47_355_789_312, since, NOW) == "44 GiB held, 0% for 14m"
    assert held_words(None, since, NOW) == "held, 0% for 14m"


def test_heat_takes_two_readings_in_a_row() -> None:
    one = card(temperature=88)
    for heat in ((88.0,), (60.0, 88.0), (88.0, 60.0), (None, 88.0), (88.0, 60.0, 88.0)):
        assert words(world(one, heat=heat))[0] == "free", heat
    hot = world(one, heat=(60.0, 87.0, 88.0))
    assert words(hot) == ("hot", StateClass.ATTENTION)
    assert sentences(hot) == ["GPU 0 hot at 88C: it slows down from 87C on"]
    assert words(world(replace(one, slows_at=None), heat=(88.0, 88.0)))[0] == "free"


@pytest.mark.parametrize(("temperature", "expected"), [(86, "free"), (87, "hot"), (None, "free")])
def test_heat_of_a_card_that_is_read_once_only(temperature: int | None, expected: str) -> None:
    assert words(world(card(temperature=temperature)))[0] == expected


@pytest.mark.parametrize(
    ("slowdown", "why", "facts"),
    [
        (None, "", "n/a"),
        (Slowdown(0), "", "none"),
        (Slowdown.IDLE, "", "idle"),
        (Slowdown.POWER_CAP, "", "power cap, normal at full load"),
        (Slowdown.HARDWARE, "heat or power, says the hardware", "heat or power, says the hardware"),
        (Slowdown.HARDWARE | Slowdown.HARDWARE_THERMAL, "far too hot", "far too hot"),
        (Slowdown.THERMAL | Slowdown.POWER_CAP, "too hot", "too hot, power cap, normal at full load"),
        (Slowdown(0x8000 | 0x100), "", "set so for a display"),
    ],
)
def test_why_a_card_is_slow(slowdown: Slowdown | None, why: str, facts: str) -> None:
    assert fault_words(slowdown) == why
    assert slowdown_words(slowdown) == facts


def test_a_card_that_is_slowed_down_says_by_what() -> None:
    hot = world(card(temperature=90, slowdown=Slowdown.HARDWARE | Slowdown.HARDWARE_THERMAL))
    assert sentences(hot) == ["GPU 0 slowed down at 90C: far too hot"]
    brake = world(card(temperature=None, slowdown=Slowdown.POWER_BRAKE))
    assert sentences(brake) == ["GPU 0 slowed down: the server's power supply asks for it"]


@pytest.mark.parametrize("number", [13, 31, 43, 45])
def test_faults_of_a_program_are_none_of_the_card(number: int) -> None:
    of = world(held(0, 97), xids=(xid(number),))
    assert words(of) == ("working", StateClass.ACTIVE)
    assert problems(of, NOW) == ()
    assert xid_meaning(number).blame is Blame.PROGRAM
    assert xid_words(xid(number)).endswith("a fault of the program, not of the card")
    (told,) = fault_sentences(of, of.reading.cards[0], NOW)
    assert told.startswith(f"Xid {number} 12m ago, ")


@pytest.mark.parametrize("number", [48, 63, 64, 74, 79, 94, 95, 119])
def test_faults_of_the_card_say_what_to_do(number: int) -> None:
    of = world(held(0, 97), xids=(xid(number),))
    assert words(of) == (f"xid {number}", StateClass.ATTENTION)
    (said,) = sentences(of)
    assert said.startswith(f"GPU 0: Xid {number} 12m ago, ")
    assert "reset" in said or "switch the server off and on" in said
    assert fault_sentences(of, of.reading.cards[0], NOW) == []


@pytest.mark.parametrize("number", [48, 63, 64, 94, 95])
def test_an_error_of_memory_is_over_when_the_card_was_reset(number: int) -> None:
    sound = card(remapped=SOUND, ecc_uncorrected=0)
    assert problems(world(sound, xids=(xid(number),)), NOW) == ()
    for still in (replace(sound, remapped=None), replace(sound, ecc_uncorrected=1), replace(sound, remapped=PENDING)):
        assert len(problems(world(still, xids=(xid(number),)), NOW)) == 1


@pytest.mark.parametrize("number", [74, 79, 119])
def test_one_of_another_kind_is_not(number: int) -> None:
    assert len(problems(world(card(remapped=SOUND, ecc_uncorrected=0), xids=(xid(number),)), NOW)) == 1


def test_an_error_that_is_not_known_here_is_looked_up_by_people() -> None:
    of = world(card(), xids=(xid(999),))
    assert sentences(of) == ["GPU 0: Xid 999 12m ago, an error of the driver's list: see NVIDIA's list of Xid errors"]
    assert problems(world(card(), xids=(xid(999, timedelta(hours=1)),)), NOW) == ()


def test_the_newest_error_that_lasts_is_the_one_that_is_said() -> None:
    of = world(card(0), card(1), xids=(xid(31, timedelta(minutes=1)), xid(79, index=1), xid(94), xid(48)))
    assert [(one.target, str(one.sentence)[:13]) for one in problems(of, NOW)] == [
        ("gpu/0", "GPU 0: Xid 94"),
        ("gpu/1", "GPU 1: Xid 79"),
    ]


def test_an_error_of_a_card_that_was_not_named() -> None:
    (found,) = problems(world(card(), xids=(xid(79, index=None),)), NOW)
    assert found.target == "gpu"
    assert found.sentence.startswith("a GPU: Xid 79")
    assert problems(world(card(), xids=(xid(43, index=None),)), NOW) == ()


def test_a_lost_card_says_that_and_nothing_else() -> None:
    of = world(card(lost=clean("GPU is lost"), remapped=PENDING), idle=timedelta(hours=1), xids=(xid(79),))
    assert sentences(of) == ["GPU 0 lost: GPU is lost"]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (card(remapped=FAILED), "GPU 0: bad memory, and no spare rows are left: replace the card"),
        (card(remapped=PENDING), "GPU 0: bad rows of memory are to be replaced: reset the card when it is free"),
        (
            card(ecc_uncorrected=1),
            "GPU 0: 1 error of memory not corrected since the driver was loaded: reset the card when it is free",
        ),
    ],
)
def test_memory_that_is_bad(one: Gpu, said: str) -> None:
    assert sentences(world(one)) == [said]
    assert sentences(world(one, xids=(xid(48), xid(63)))) == [said], "once"


def test_the_worst_comes_first_and_cards_in_their_order() -> None:
    of = world(held(0), card(1, ecc_uncorrected=2), card(2, lost=clean("gone")), idle=timedelta(hours=2))
    assert [one.target for one in problems(of, NOW)] == ["gpu/2", "gpu/0", "gpu/1"]
    kinds = [one.kind.value for one in problems(of, NOW)]
    assert all(left <= right for left, right in pairwise(kinds))
    found = worst(of, NOW)
    assert found is not None
    assert (found.kind, found.word) == (StateClass.BROKEN, "lost")
    assert worst(world(), NOW) is None


def test_a_card_in_parts() -> None:
    parts = (Instance(0, 1, clean("1g.10gb"), clean("MIG-1"), 2 * GIB, 10 * GIB),)
    assert (
        words(world(card(utilisation=None, mig=True, instances=parts, processes=(process(utilisation=None),))))[0] == "in use"
    )


def test_short_forms() -> None:
    assert card_name("NVIDIA H100 80GB HBM3") == "H100 80GB"
    assert card_name("NVIDIA A100-SXM4-40GB") == "A100-SXM4-40GB"
    assert card_name("NVIDIA") == "NVIDIA"
    assert memory_pair(65_284_341_760, 85_520_809_984) == "61/80G"
    assert memory_pair(None, 85_520_809_984) == memory_pair(0, None) == "n/a"
    assert memory_pair(0, 85_520_809_984) == "0/80G"
