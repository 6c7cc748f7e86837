"""Cards and processes that hold memory and do nothing: from when on, and what ends it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from console.feeds.idleness import Idleness
from console.model.gpu import Gpu
from console.text import clean
from tests.console.fake_gpus import GIB, MIB, NOW, card, held, process, recorded


class Looks:
    """A reading each second."""

    def __init__(self) -> None:
        self.idle = Idleness()
        self.seconds = 0.0

    def see(self, *cards: Gpu, after: float = 1.0) -> None:
        self.seconds += after
        self.idle.take(cards, self.seconds, self.moment())

    def moment(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    @property
    def since(self) -> float | None:
        at = self.idle.cards.get(0)
        return None if at is None else (at - NOW).total_seconds()

    def process_since(self, pid: int = 762) -> float | None:
        at = self.idle.processes.get((0, pid))
        return None if at is None else (at - NOW).total_seconds()


@pytest.fixture
def looks() -> Looks:
    return Looks()


def test_a_card_that_is_held_and_does_nothing(looks: Looks) -> None:
    looks.see(held(0, 97, process(utilisation=97)))
    assert looks.since is None
    for _ in range(5):
        looks.see(held(0, 0))
    assert looks.since == 2.0
    assert looks.process_since() == 2.0


@pytest.mark.parametrize("memory", [64 * MIB - 1, 0])
def test_a_context_alone_holds_nothing(looks: Looks, memory: int) -> None:
    looks.see(card(memory_used=memory, processes=(process(memory=memory),)))
    assert looks.since is None
    assert looks.process_since() is None


def test_sixty_four_mebibytes_hold_it(looks: Looks) -> None:
    looks.see(card(memory_used=64 * MIB, processes=(process(memory=64 * MIB),)))
    assert looks.since == 1.0


def test_a_card_that_nobody_holds_is_free_not_idle(looks: Looks) -> None:
    looks.see(card())
    looks.see(card(memory_used=3 * MIB))
    assert looks.since is None


@pytest.mark.parametrize("blips", [(1,), (1, 1, 1, 1), (60,), (1, 60, 1)])
def test_a_blip_does_not_end_it(looks: Looks, blips: tuple[int, ...]) -> None:
    looks.see(held(0, 0))
    for blip in blips:
        looks.see(held(0, blip))
    looks.see(held(0, 0))
    assert looks.since == 1.0


def test_two_readings_of_work_do(looks: Looks) -> None:
    looks.see(held(0, 0))
    looks.see(held(0, 2))
    looks.see(held(0, 2))
    assert looks.since is None
    looks.see(held(0, 0))
    assert looks.since == 4.0


def test_work_that_comes_now_and_then_is_work(looks: Looks) -> None:
    for _ in range(100):
        looks.see(held(0, 0), after=9.0)
        looks.see(held(0, 80))
    assert looks.since is None or looks.seconds - looks.since < 60


def test_somebody_who_looks_every_few_minutes_whether_it_answers_is_none(looks: Looks) -> None:
    looks.see(held(0, 0))
    for second in range(1200):
        looks.see(held(0, 30 if second % 300 == 299 else 0))
    assert looks.since == 1.0


def test_one_percent_begins_nothing(looks: Looks) -> None:
    looks.see(held(0, 1))
    assert looks.since is None


def test_it_ends_with_its_process(looks: Looks) -> None:
    looks.see(held(0, 0))
    looks.see(card())
    assert (looks.since, looks.process_since()) == (None, None)
    looks.see(held(0, 0, process(900)))
    assert (looks.since, looks.process_since(), looks.process_since(900)) == (3.0, None, 3.0)


def test_another_process_in_its_place_begins_anew(looks: Looks) -> None:
    looks.see(held(0, 0, process(1)))
    looks.see(held(0, 0, process(2)))
    assert looks.since == 2.0


def test_a_process_that_stays_keeps_it(looks: Looks) -> None:
    looks.see(held(0, 0, process(1)))
    looks.see(held(0, 0, process(1), process(2)))
    looks.see(held(0, 0, process(2)))
    assert looks.since == 1.0
    assert looks.process_since(2) == 2.0


def test_a_pid_that_was_given_out_again_is_another_process(looks: Looks) -> None:
    looks.see(held(0, 0, process(1, started_at=NOW)))
    looks.see(held(0, 0, process(1, started_at=None)))
    assert looks.since == 1.0
    looks.see(held(0, 0, process(1, started_at=NOW)))
    looks.see(held(0, 0, process(1, started_at=NOW + timedelta(seconds=3))))
    assert (looks.since, looks.process_since(1)) == (4.0, 4.0)


def test_one_process_works_while_another_only_holds(looks: Looks) -> None:
    for _ in range(3):
        looks.see(held(0, 97, process(1, utilisation=97), process(2, utilisation=0)))
    assert looks.since is None
    assert (looks.process_since(1), looks.process_since(2)) == (None, 1.0)


def test_a_process_in_two_instances_holds_both_shares(looks: Looks) -> None:
    shares = (process(1, 40 * MIB, 0, instance=1), process(1, 40 * MIB, 0, instance=2))
    looks.see(card(memory_used=80 * MIB, processes=shares))
    assert (looks.since, looks.process_since(1)) == (1.0, 1.0)


def test_use_that_is_not_told_is_not_none(looks: Looks) -> None:
    """As with MIG."""
    looks.see(held(0, None, process(utilisation=None)))
    assert (looks.since, looks.process_since()) == (None, None)


def test_a_value_that_is_missing_once_changes_nothing(looks: Looks) -> None:
    looks.see(held(0, 0))
    looks.see(held(0, None, process(utilisation=None)))
    looks.see(held(0, 0))
    assert (looks.since, looks.process_since()) == (1.0, 1.0)


def test_where_processes_cannot_be_seen_memory_tells(looks: Looks) -> None:
    looks.see(card(memory_used=2 * GIB, processes=None))
    assert looks.since == 1.0
    looks.see(held(0, 0))
    looks.see(card(memory_used=2 * GIB, processes=None))
    assert looks.since == 1.0
    looks.see(card(memory_used=3 * MIB, processes=None))
    assert looks.since is None


def test_a_process_that_tells_no_memory_holds_what_the_card_tells(looks: Looks) -> None:
    looks.see(card(memory_used=2 * GIB, processes=(process(1, None),)))
    assert (looks.since, looks.process_since(1)) == (1.0, 1.0)


def test_a_lost_card_is_not_idle(looks: Looks) -> None:
    looks.see(held(0, 0))
    looks.see(card(memory_used=2 * GIB, utilisation=0, lost=clean("GPU is lost")))
    assert looks.since is None


def test_after_a_time_that_nobody_saw_it_begins_anew(looks: Looks) -> None:
    looks.see(held(0, 0))
    looks.see(held(0, 0), after=29.0)
    assert looks.since == 1.0
    looks.see(held(0, 0), after=31.0)
    assert looks.since == 61.0


def test_nothing_can_be_said_any_more_while_nothing_can_be_read(looks: Looks) -> None:
    looks.see(held(0, 0))
    looks.idle.miss(looks.seconds + 10.0)
    assert looks.since == 1.0
    looks.idle.miss(looks.seconds + 31.0)
    assert looks.idle.cards == {}
    assert looks.idle.processes == {}


def test_a_real_card_as_it_was_recorded(looks: Looks) -> None:
    """The work ended at 20 s, the processes but one at 36 s; two that only hold memory held it all the time."""
    last = 0.0
    for seconds, one in recorded():
        looks.see(one, after=seconds - last)
        last = seconds
    assert looks.since == pytest.approx(20.5, abs=1.1)
    assert looks.process_since(820) == 0.0
    assert looks.process_since(762) is looks.process_since(763) is None
