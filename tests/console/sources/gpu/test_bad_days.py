"""No driver, another driver, a card that falls off the bus, a call that never comes back, a console inside a container."""

from __future__ import annotations

import asyncio
import ctypes
import sys
import threading
from contextlib import suppress

import pytest

from console.model.gpu import Xid
from console.model.source import SourceError, SourceState
from console.sources.gpu.source import NvmlGpus
from tests.support.nvml.stage import LIBRARY, Stage, scene
from tests.support.waiting import DEADLINE, until

OFF = (SourceState.OFF, "No NVIDIA driver here. Trainings use the CPU.")
BLIND = "Processes are hidden: the console runs in a container itself."


async def refusal(gpus: NvmlGpus) -> tuple[SourceState, str]:
    with pytest.raises(SourceError) as caught:
        await gpus.read()
    return caught.value.state, caught.value.reason


async def lost(gpus: NvmlGpus) -> dict[int, str | None]:
    return {card.index: card.lost for card in (await gpus.read()).cards}


async def answered(gpus: NvmlGpus) -> dict[int, str | None]:
    """Once the driver answers: on a busy machine an impatient console gives up on the first call."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                return await lost(gpus)
            except SourceError:
                await asyncio.sleep(0.005)


@scene("none")
async def test_without_a_driver_it_is_off_and_the_package_stays_unloaded(stage: Stage) -> None:
    with pytest.raises(OSError, match=LIBRARY):
        ctypes.CDLL(LIBRARY)
    async with stage.gpus() as gpus:
        assert await refusal(gpus) == OFF
        assert await refusal(gpus) == OFF
    assert "pynvml" not in sys.modules


@scene("none")
async def test_a_driver_that_is_installed_later_is_found(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        assert await refusal(gpus) == OFF
        stage.update("current")
        stage.later(10)
        assert await lost(gpus) == {0: None}


@scene()
async def test_a_library_without_its_module_is_off_until_the_module_is_loaded(stage: Stage) -> None:
    module, stage.control.module = stage.control.module, b""
    async with stage.gpus() as gpus:
        for _ in range(5):
            assert await refusal(gpus) == OFF
            stage.later(1)
        # The driver's own library may start a program as root each time.
        assert stage.control.calls()["nvmlInitWithFlags"] == 1
        stage.control.module = module
        stage.later(5)
        assert await lost(gpus) == {0: None}


@scene("other")
async def test_after_an_update_it_says_what_to_do_and_takes_the_new_library(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        state, reason = await refusal(gpus)
        assert state is SourceState.UNREACHABLE
        assert "Restart the server, or load the module again." in reason
        stage.update("current")
        stage.later(10)
        assert await lost(gpus) == {0: None}


@scene(init_error=4)
async def test_without_permission_it_is_denied(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        state, reason = await refusal(gpus)
    assert state is SourceState.DENIED
    assert "/dev/nvidiactl" in reason


@scene(cards=0)
async def test_a_driver_without_a_card_is_off(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        assert await refusal(gpus) == (SourceState.OFF, "No NVIDIA GPU here. Trainings use the CPU.")
        stage.control.cards = 1
        stage.later(10)
        assert await lost(gpus) == {0: None}


@scene(init_error=999)
async def test_any_other_refusal_is_quoted(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        assert await refusal(gpus) == (SourceState.UNREACHABLE, "The NVIDIA driver does not work: Unknown Error.")


@scene(cards=3, loaded=1)
async def test_a_card_off_the_bus_says_so_while_the_others_go_on(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        before = (await gpus.read()).cards
        stage.control.lost[1] = 15
        stage.control.report(2, 43)
        cards = (await gpus.read()).cards
        assert [card.index for card in cards] == [0, 1, 2]
        assert (cards[1].uuid, cards[1].bus, cards[1].name) == (before[1].uuid, before[1].bus, before[1].name)
        assert (cards[1].lost or "").startswith("The card has fallen off the bus.")
        assert (cards[1].utilisation, cards[1].processes) == (None, None)
        assert [cards[0].utilisation, cards[2].utilisation] == [99, 99]
        stage.control.lost[1] = 0
        assert await lost(gpus) == {0: None, 1: None, 2: None}


@scene(cards=3)
async def test_cards_keep_their_index_while_one_is_away(stage: Stage) -> None:
    """Once the driver was begun anew it lists two cards, as 0 and 1. What was card 2 is not card 1 now."""
    async with stage.gpus() as gpus:
        names = {card.index: card.uuid for card in (await gpus.read()).cards}
        stage.control.lost[1] = 15
        await gpus.read()
        stage.control.absent[1], stage.control.lost[1] = 1, 0
        stage.later(10)
        reading = await gpus.read()
        assert {card.index: card.uuid for card in reading.cards} == names
        assert [card.lost for card in reading.cards] == [None, "The driver does not list the card any more.", None]
        stage.control.absent[1] = 0
        stage.later(10)
        reading = await gpus.read()
        assert {card.index: card.uuid for card in reading.cards} == names
        assert [card.lost for card in reading.cards] == [None, None, None]


@scene(cards=2)
async def test_a_card_that_is_put_in_takes_nobodys_index(stage: Stage) -> None:
    stage.control.absent[0] = 1
    async with stage.gpus() as gpus:
        (second,) = (await gpus.read()).cards
        stage.control.absent[0], stage.control.every_error = 0, 9
        await refusal(gpus)
        stage.control.every_error = 0
        stage.later(10)
        cards = (await gpus.read()).cards
    assert [card.index for card in cards] == [0, 1]
    assert cards[0].uuid == second.uuid
    assert [card.lost for card in cards] == [None, None]


@scene(cards=2)
async def test_a_card_that_was_lost_before_we_came_is_there_and_comes_back(stage: Stage) -> None:
    stage.control.lost[1] = 16
    async with stage.gpus() as gpus:
        assert (await lost(gpus))[1] == "The card needs a reset: nvidia-smi --gpu-reset, when nothing uses it."
        assert (await lost(gpus))[0] is None
        stage.control.lost[1] = 0
        stage.later(10)
        assert await lost(gpus) == {0: None, 1: None}


@scene(cards=2)
async def test_a_card_whose_every_call_fails_is_lost_in_the_drivers_words(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        stage.control.lost[0] = 999
        assert await lost(gpus) == {0: "The driver says of this card: Unknown Error.", 1: None}


@scene(cards=2, loaded=1)
async def test_a_driver_that_was_unloaded_and_loaded_again_is_begun_anew(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        stage.control.every_error = 9
        assert await refusal(gpus) == OFF
        stage.control.every_error, stage.control.module = 0, b""
        stage.later(10)
        assert await refusal(gpus) == OFF
        stage.control.module = b"580.159.04"
        stage.later(10)
        assert await lost(gpus) == {0: None, 1: None}


@scene(loaded=1)
async def test_a_call_that_hangs_holds_nothing_and_is_not_made_again_meanwhile(stage: Stage) -> None:
    async with stage.gpus(patience=3.0) as gpus:
        await answered(gpus)
        stage.control.hang = 1
        hung = (SourceState.UNREACHABLE, "The NVIDIA driver has not answered for 3s.")
        assert await refusal(gpus) == hung
        threads = threading.active_count()
        for _ in range(20):
            state, reason = await refusal(gpus)
            assert (state, reason.startswith("The NVIDIA driver has not answered for ")) == (hung[0], True)
        assert threading.active_count() == threads
        stage.control.hang = 0
        assert await answered(gpus) == {0: None}


@scene()
async def test_an_xid_error_that_comes_while_the_driver_hangs_is_told(stage: Stage) -> None:
    async with stage.gpus(patience=3.0) as gpus:
        await answered(gpus)
        stage.control.hang = 1
        await refusal(gpus)
        stage.control.report(0, 31)
        stage.control.hang = 0
        told: tuple[Xid, ...] = ()
        async with asyncio.timeout(DEADLINE):
            while not told:
                with suppress(SourceError):
                    told = (await gpus.read()).xids
                await asyncio.sleep(0.005)
        assert [(one.index, one.number) for one in told] == [(0, 31)]
        assert (await gpus.read()).xids == ()


@scene()
async def test_a_driver_that_hangs_does_not_keep_the_console_from_ending(stage: Stage) -> None:
    stage.control.hang = 1
    async with stage.gpus(patience=0.1) as gpus:
        await refusal(gpus)


@scene(loaded=1)
async def test_a_reading_that_nobody_waits_for_any_more_harms_none_after_it(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        stage.control.hang = 1
        given_up = asyncio.create_task(gpus.read())
        calls = sum(stage.control.calls().values())
        await until(lambda: sum(stage.control.calls().values()) > calls, "the driver to be asked")
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        next_one = asyncio.create_task(gpus.read())
        await asyncio.sleep(0)
        stage.control.hang = 0
        assert len((await next_one).cards) == 1


@scene(loaded=1, namespaced=1)
async def test_inside_a_container_it_says_that_processes_are_hidden(stage: Stage) -> None:
    stage.in_namespace(4026532177)
    async with stage.gpus() as gpus:
        reading = await gpus.read()
    assert reading.blind == BLIND
    assert reading.cards[0].processes is None
    assert reading.cards[0].utilisation == 99


@scene(loaded=1)
async def test_inside_a_container_those_that_the_driver_does_list_are_told(stage: Stage) -> None:
    stage.in_namespace(4026532177)
    async with stage.gpus() as gpus:
        reading = await gpus.read()
    assert reading.blind == BLIND
    assert len(reading.cards[0].processes or ()) == 4


@scene(loaded=1, namespaced=1)
async def test_use_by_processes_that_no_list_has_says_it_too(stage: Stage) -> None:
    """As recorded from within a pid namespace: an empty list, and samples of host pids. /proc says nothing here."""
    async with stage.gpus() as gpus:
        assert (await gpus.read()).blind is None
        stage.later(3)
        reading = await gpus.read()
        assert reading.blind == BLIND
        assert reading.cards[0].processes is None
        stage.control.namespaced = 0
        stage.later(1)
        assert (await gpus.read()).blind is None


@scene(loaded=1, namespaced=1)
async def test_once_they_have_ended_nobody_is_hidden_any_more(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        stage.later(3)
        assert (await gpus.read()).blind == BLIND
        stage.control.loaded = 0
        stage.later(3)
        reading = await gpus.read()
    assert reading.blind is None
    assert reading.cards[0].processes == ()


@scene(loaded=1)
async def test_the_last_sample_of_a_process_that_has_ended_is_no_hidden_one(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        stage.later(1)
        stage.control.namespaced = 1
        assert (await gpus.read()).blind is None
