"""What a recorded H100 says, through the official package, in every state it was recorded in."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from console.model.gpu import Gpu, Slowdown
from tests.support.nvml.recorded import recording
from tests.support.nvml.stage import Stage, scene

PROCESSES = "nvmlDeviceGetComputeRunningProcesses()"
SECOND = "nvmlDeviceGetMemoryInfo(33554472)"


async def only(stage: Stage) -> Gpu:
    async with stage.gpus() as gpus:
        (card,) = (await gpus.read()).cards
    return card


def agrees(card: Gpu, state: str) -> None:
    """Every field of a card against the recording of it."""
    told = {call: answer.get("value") for call, answer in recording()[state].items()}
    memory = told[SECOND]
    assert (card.index, card.uuid, card.name) == (0, told["nvmlDeviceGetUUID()"], told["nvmlDeviceGetName()"])
    assert card.bus == told["nvmlDeviceGetPciInfo()"]["busId"]
    assert card.utilisation == told["nvmlDeviceGetUtilizationRates()"]["gpu"]
    assert (card.memory_used, card.memory_total) == (memory["used"], memory["total"])
    assert card.memory_reserved == memory["reserved"]
    assert (card.temperature, card.slows_at) == (told["nvmlDeviceGetTemperature(0)"], 89)
    assert card.power == pytest.approx(told["nvmlDeviceGetPowerUsage()"] / 1000)
    assert card.power_limit == 700.0
    assert (card.sm_clock, card.memory_clock) == (told["nvmlDeviceGetClockInfo(1)"], told["nvmlDeviceGetClockInfo(2)"])
    assert card.slowdown == told["nvmlDeviceGetCurrentClocksEventReasons()"]
    assert (card.ecc_corrected, card.ecc_uncorrected) == (0, 0)
    assert card.remapped is not None
    assert [
        card.remapped.correctable,
        card.remapped.uncorrectable,
        card.remapped.pending,
        card.remapped.failed,
    ] == told["nvmlDeviceGetRemappedRows()"]
    assert (card.mig, card.instances, card.lost) == (False, (), None)


@scene()
async def test_an_idle_card_says_what_was_recorded(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        reading = await gpus.read()
    assert (reading.driver, reading.cuda, reading.blind, reading.xids) == ("580.159.04", "13.0", None, ())
    (card,) = reading.cards
    agrees(card, "idle")
    assert card.slowdown is Slowdown.IDLE
    assert card.processes == ()


@scene(loaded=1)
async def test_a_card_under_load_says_what_was_recorded(stage: Stage) -> None:
    card = await only(stage)
    agrees(card, "loaded")
    recorded = {row["pid"]: row["usedGpuMemory"] for row in recording()["loaded"][PROCESSES]["value"]}
    assert {one.pid: one.memory for one in card.processes or ()} == recorded
    assert len(card.processes or ()) == len(recorded)


@scene(loaded=1, stale=1)
async def test_only_a_sample_of_now_counts_as_use(stage: Stage) -> None:
    """764's sample came with the answer and was eleven seconds old; 763 and 820 have none."""
    card = await only(stage)
    assert {one.pid: one.utilisation for one in card.processes or ()} == {762: 97, 764: 0, 763: 0, 820: 0}


@scene(loaded=1)
async def test_no_sample_since_the_last_question_is_idle(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        stage.now += 1
        stage.wall += 1
        (card,) = (await gpus.read()).cards
        assert {one.utilisation for one in card.processes or ()} == {0}
        stage.later(1)
        (card,) = (await gpus.read()).cards
    assert {one.pid: one.utilisation for one in card.processes or ()} == {762: 97, 764: 0, 763: 0, 820: 0}


@scene(loaded=1)
async def test_a_clock_that_was_set_back_does_not_make_processes_idle(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        stage.now += 1
        stage.wall -= 3600
        stage.control.shift -= 3600_000_000
        (card,) = (await gpus.read()).cards
    assert next(one.utilisation for one in card.processes or () if one.pid == 762) == 97


@scene(loaded=1, memory_unknown=1)
async def test_memory_that_the_driver_does_not_know_is_not_a_number(stage: Stage) -> None:
    card = await only(stage)
    assert {one.memory for one in card.processes or ()} == {None}


@scene(loaded=1, graphics=1)
async def test_a_process_that_draws_and_computes_is_there_once(stage: Stage) -> None:
    card = await only(stage)
    assert sorted(one.pid for one in card.processes or ()) == [762, 763, 764, 820]
    assert next(one.memory for one in card.processes or () if one.pid == 762) == 1050673152


@scene(loaded=1, bare=1)
async def test_a_card_without_most_of_it_says_none_and_is_not_lost(stage: Stage) -> None:
    card = await only(stage)
    assert card.memory_total == 85520809984
    assert card.lost is None
    assert (card.utilisation, card.power, card.temperature, card.sm_clock, card.slowdown) == (None,) * 5
    assert (card.slows_at, card.power_limit, card.ecc_corrected, card.remapped, card.mig) == (None, None, None, None, False)
    assert {one.utilisation for one in card.processes or ()} == {None}


@scene("old", loaded=1)
async def test_an_old_driver_is_asked_in_the_forms_it_knows(stage: Stage) -> None:
    card = await only(stage)
    first = recording()["loaded"]["nvmlDeviceGetMemoryInfo()"]["value"]
    assert (card.memory_used, card.memory_reserved) == (first["used"], None)
    assert card.slowdown is Slowdown.POWER_CAP
    assert sorted(one.pid for one in card.processes or ()) == [762, 763, 764, 820]
    assert {"nvmlDeviceGetMemoryInfo", "nvmlDeviceGetComputeRunningProcesses_v2"} <= stage.control.calls().keys()


@scene(loaded=1, cards=8)
async def test_what_is_dear_is_asked_in_turn_and_the_rest_at_every_reading(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        first = await gpus.read()
        assert [card.index for card in first.cards] == list(range(8))
        assert len({card.uuid for card in first.cards}) == len({card.bus for card in first.cards}) == 8
        assert all(one.utilisation is not None for card in first.cards for one in card.processes or ())
        before = stage.control.calls()
        for _ in range(8):
            stage.later(1)
            reading = await gpus.read()
        asked = {name: count - before.get(name, 0) for name, count in stage.control.calls().items()}
    # The package asks for the size and then for the list.
    assert asked["nvmlDeviceGetProcessUtilization"] == 8 * 2
    assert asked["nvmlDeviceGetUtilizationRates"] == asked["nvmlDeviceGetPowerUsage"] == 64
    rare = ("TotalEccErrors", "RemappedRows", "EnforcedPowerLimit", "TemperatureThreshold", "MigMode")
    assert not any(asked[f"nvmlDeviceGet{name}"] for name in rare)
    # Each card had its turn: the newest sample of every one was seen.
    assert [next(one.utilisation for one in card.processes or () if one.pid == 762) for card in reading.cards] == [97] * 8


@scene(loaded=1)
async def test_what_hardly_changes_is_asked_again_after_half_a_minute(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        stage.later(29)
        await gpus.read()
        assert stage.control.calls()["nvmlDeviceGetRemappedRows"] == 1
        stage.later(1)
        await gpus.read()
    assert stage.control.calls()["nvmlDeviceGetRemappedRows"] == 2
    assert not [name for name in stage.control.calls() if "Pcie" in name]


@scene(loaded=1, cards=8)
async def test_readings_that_come_quickly_do_not_ask_for_what_is_dear_more_often(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        before = stage.control.calls()["nvmlDeviceGetProcessUtilization"]
        for _ in range(5):
            stage.later(0.1)
            await gpus.read()
        assert stage.control.calls()["nvmlDeviceGetProcessUtilization"] == before


@scene(cards=2)
async def test_xid_errors_come_once_with_the_card_that_they_are_of(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        await gpus.read()
        for event in recording()["xid_events"]:
            stage.control.report(1, event["eventData"])
        reading = await gpus.read()
        assert [(one.index, one.number) for one in reading.xids] == [(1, 43), (1, 31)]
        assert reading.xids[0].at.timestamp() == pytest.approx(stage.wall)
        assert (await gpus.read()).xids == ()


@scene(no_events=1)
async def test_cards_that_report_no_xid_are_read_all_the_same(stage: Stage) -> None:
    agrees(await only(stage), "idle")
    assert "nvmlEventSetWait_v2" not in stage.control.calls()


@scene(loaded=1, mig=1)
async def test_a_divided_card_has_its_instances_and_their_processes(stage: Stage) -> None:
    async with stage.gpus() as gpus:
        (card,) = (await gpus.read()).cards
        divided(card)
        stage.control.list_denied = 1
        (card,) = (await gpus.read()).cards
        divided(card)
        stage.control.mig = 0
        (card,) = (await gpus.read()).cards
        assert card.instances == ()
        (card,) = (await gpus.read()).cards
    agrees(card, "loaded")


def divided(card: Gpu) -> None:
    assert card.mig
    assert card.utilisation is None
    assert [(one.index, one.id, one.name) for one in card.instances] == [(0, 7, "MIG 1g.10gb"), (3, 1, "MIG 3g.40gb")]
    assert len({one.uuid for one in card.instances}) == 2
    small, large = card.instances
    held = {one.pid: (one.instance, one.memory, one.utilisation) for one in card.processes or ()}
    assert {pid: instance for pid, (instance, _, _) in held.items()} == {762: 7, 763: 1, 764: 1, 820: 1}
    assert {use for _, _, use in held.values()} == {None}
    assert small.memory_used == held[762][1] == 1050673152
    assert (small.memory_total, large.memory_total) == (int(9.75 * 2**30), int(39.5 * 2**30))


@scene()
async def test_the_stand_in_says_what_the_card_said(stage: Stage) -> None:
    """Not the console: the library of these tests against the recording, call by call."""
    import pynvml  # type: ignore[import-untyped]

    pynvml.nvmlInit()
    card = pynvml.nvmlDeviceGetHandleByIndex(0)
    compared = 0
    for state in ("idle", "loaded"):
        stage.control.loaded = state == "loaded"
        for call, answer in recording()[state].items():
            name, _, rest = call.rstrip(")").partition("(")
            arguments = [int(one) for one in rest.split(", ") if one.isdigit()]
            needs = [card] if name.startswith("nvmlDeviceGet") and name != "nvmlDeviceGetCount" else []
            try:
                said = plain(getattr(pynvml, name)(*needs, *arguments))
            except (pynvml.NVMLError_FunctionNotFound, pynvml.NVMLLibraryMismatchError, TypeError):
                continue
            except pynvml.NVMLError as error:
                said = {"nvml_error": error.value}
            wanted = {"nvml_error": answer["nvml_error"]} if "nvml_error" in answer else answer["value"]
            assert said == wanted, call
            compared += 1
    assert compared > 60
    pynvml.nvmlShutdown()


def plain(value: Any) -> Any:
    if isinstance(value, ctypes.Structure):
        return {field[0]: getattr(value, field[0]) for field in value._fields_}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return vars(value) if hasattr(value, "__dict__") else value
