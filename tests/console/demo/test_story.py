"""The demo's trainings tell one story: containers, builds, cards and logs agree, and what runs goes on to its end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from console.demo import FrozenClock, demo_gpus, demo_sources
from console.demo.story import BY_NUMBER, TRAININGS
from console.feeds.ends import Known, read_end
from console.model.build import StageStatus
from console.model.orphans import seen
from console.model.run import Phase
from console.model.why import Cause
from tests.console.demo.joining import Joined, joined
from tests.console.demo.stepping import BEGAN

NOW = "project-a #128"
ENDS = BY_NUMBER[128].ends or 0.0


async def test_one_of_each_is_there() -> None:
    found = (await joined(0.0)).runs
    told = {name: (one.phase, str(one.state.word), str(one.why)) for name, one in found.items()}
    assert told == {
        "vision-large #126": (Phase.TRAINING, "training", ""),
        NOW: (Phase.TRAINING, "training", ""),
        "project-b #131": (Phase.BUILDING, "building", "image"),
        "project-c #129": (Phase.WAITING, "no GPU", "after train #128"),
        "project-a #130": (Phase.WAITING, "blocked", "train #128 has lock train-project-a"),
        "project-b #127": (
            Phase.ENDED,
            "failed",
            "out of memory: killed at its limit of 16 GiB (resources.memory); its newest checkpoint is epoch-8",
        ),
        "project-a #125": (
            Phase.ENDED,
            "published",
            "best val_acc 0.9454 in epoch 28, 30 epochs in 35m 30s, published to acme/project-a as build-125",
        ),
        "project-a #124": (Phase.ENDED, "skipped", "already trained in #120"),
        "customer-churn-forecast-eu #123": (
            Phase.ENDED,
            "published",
            "best val_auc 0.8506 in epoch 40, 40 epochs in 51m 20s, published to acme/customer-churn-forecast-eu as build-123",
        ),
        "project-b #122": (
            Phase.ENDED,
            "published",
            "best val_accuracy 0.8392 in epoch 12, 12 epochs in 23m 36s, published to acme/project-b as build-122",
        ),
        "project-c #121": (Phase.ENDED, "failed", "exit 1: loss is nan since step 812"),
        "project-a #120": (
            Phase.ENDED,
            "published",
            "best val_acc 0.9449 in epoch 30, 30 epochs in 36m 30s, published to acme/project-a as build-120",
        ),
        "vision-large #119": (Phase.ENDED, "aborted", "stopped as asked; its newest checkpoint is epoch-3"),
        "customer-churn-forecast-eu #118": (Phase.ENDED, "aborted", ""),
    }
    assert found[NOW].cards == {0}
    assert found["vision-large #126"].cards == {1}


async def test_the_one_that_trains_is_half_done_and_learns() -> None:
    at = await joined(0.0)
    figures = await at.figures(NOW)
    assert (figures.epoch, figures.epochs, figures.step, figures.steps) == (15, 30, 3040, 6330)
    assert f"{figures.done:.0%}" == "48%"
    assert figures.findings == ()
    assert figures.loss is not None
    values = [spot.value for spot in figures.loss.spots]
    assert values[0] > 1.9
    assert values[-1] < 0.41
    tenths = [sum(values[at : at + 16]) for at in range(0, len(values) - 16, 16)]
    assert tenths == sorted(tenths, reverse=True)
    assert figures.score is not None
    assert figures.score.name == "val_acc"
    assert figures.finish is not None
    assert abs((figures.finish - BEGAN).total_seconds() - ENDS) < 120
    assert "saved /out/checkpoint.pt (epoch 14, 98 MB)" in await at.lines(NOW)


@pytest.mark.parametrize(
    ("elapsed", "phase", "word"),
    [
        (ENDS - 1.0, Phase.TRAINING, "training"),
        (ENDS + 1.0, Phase.TRAINING, "training"),
        (ENDS + 10.0, Phase.PUBLISHING, "publishing"),
        (ENDS + 30.0, Phase.ENDED, "published"),
    ],
)
async def test_it_goes_on_to_its_end_and_is_published(elapsed: float, phase: Phase, word: str) -> None:
    at = await joined(elapsed)
    run = at.runs[NOW]
    assert (run.phase, run.state.word) == (phase, word)
    figures = await at.figures(NOW)
    ended = elapsed > ENDS
    assert figures.step == (6330 if ended else figures.step)
    assert run.container is not None
    assert run.container.exit_code == (0 if ended else None)
    if word == "published":
        assert run.why == "best val_acc 0.949 in epoch 30, 30 epochs in 32m 30s, published to acme/project-a as build-128"
        assert "acme/project-a build-128 is published: https://huggingface.co/" in await at.build_log(NOW)


async def test_who_waits_for_the_card_gets_it_and_then_the_next() -> None:
    for number, project in ((129, "project-c"), (130, "project-a")):
        training = BY_NUMBER[number]
        assert training.ends is not None
        at = await joined(training.begins + 300.0)
        run = at.runs[f"{project} #{number}"]
        assert (run.phase, set(run.cards)) == (Phase.TRAINING, {0})
        assert [one.process.container for one in run.holders] == [one.id for one in run.containers]
        assert (await at.figures(f"{project} #{number}")).findings == ()
        assert (await joined(training.ends + 60.0)).runs[f"{project} #{number}"].state.word == "published"


async def test_the_second_try_of_what_ran_out_of_memory_says_what_is_other() -> None:
    run = (await joined(0.0)).runs["project-b #131"]
    assert run.build is not None
    values = {str(one.name): one.value for one in run.build.parameters}
    assert (values["OVERRIDES"], values["RESUME_FROM"]) == ("batch_size=32\nresources.memory=24g", "127")
    training = BY_NUMBER[131]
    at = await joined(training.begins + 200.0)
    run = at.runs["project-b #131"]
    assert (run.phase, run.cards) == (Phase.TRAINING, frozenset())
    assert run.container is not None
    assert run.container.details is not None
    assert run.container.details.memory_limit == 24 << 30
    assert run.image == "mlops/project-b:1d44b02e9c31"


async def test_containers_and_builds_never_contradict_each_other() -> None:
    """While a container lives its build trains; a second or five lie between starting one and following it."""
    for elapsed in range(0, 4400, 193):
        at = await joined(float(elapsed))
        for name, run in at.runs.items():
            known = BY_NUMBER.get(run.ref.number) if run.ref is not None else None
            if known is None or not known.lasting or known.number == 118:
                continue
            alive = run.container is not None and run.container.alive
            near = any(abs(elapsed - moment) <= 6.0 for moment in (known.begins, known.ends) if moment is not None)
            assert near or alive == (run.phase is Phase.TRAINING), (elapsed, name, run.phase)


async def test_a_stalled_one_shows_nothing_on_its_card_either() -> None:
    at = await joined(0.0)
    figures = await at.figures("vision-large #126")
    assert [str(one.sign) for one in figures.findings] == ["stalled"]
    assert (figures.epoch, figures.epochs, f"{figures.done:.0%}") == (12, 50, "22%")
    (holder,) = at.runs["vision-large #126"].holders
    assert (holder.card, holder.process.utilisation) == (1, 0)


async def test_one_that_ran_out_of_memory_says_so_everywhere() -> None:
    at = await joined(0.0)
    name = "project-b #127"
    run = at.runs[name]
    assert run.container is not None
    assert run.container.details is not None
    assert (run.container.exit_code, run.container.details.oom_killed) == (137, True)
    lines = await at.lines(name)
    assert "WARNING:train:host memory 15.2 of 16 GiB, growing" in lines
    assert lines[-1].startswith("RuntimeError: DataLoader worker (pid 213) is killed")
    assert any('"event":"checkpoint","epoch":8,' in line for line in lines)
    log = await at.build_log(name)
    assert "[finish] project-b #127: out-of-memory: killed at its limit of 16 GiB (resources.memory)" in log
    assert "ERROR: out of memory: the container reached its limit of 16 GiB" in log


async def test_one_that_went_out_of_its_mind_has_told_since_when() -> None:
    at = await joined(0.0)
    name = "project-c #121"
    figures = await at.figures(name)
    assert [str(one.words).partition(".")[0] for one in figures.findings] == ["loss is nan since step 812"]
    assert (await at.lines(name))[-1] == "src.contract.TrainingError: loss is nan since step 812"
    assert "src.contract.TrainingError: loss is nan since step 812" in await at.build_log(name)


async def test_one_that_was_stopped_has_kept_its_checkpoint() -> None:
    at = await joined(0.0)
    name = "vision-large #119"
    assert (await at.lines(name))[-1] == "asked to stop (SIGTERM): epoch 3 is kept in /out/checkpoint.pt"
    run = at.runs[name]
    assert run.container is not None
    assert run.container.exit_code == 143
    log = await at.build_log(name)
    assert "Aborted by Console operator" in log
    assert "[finish] asking the training to stop with a checkpoint, within 30s" in log


@pytest.mark.parametrize(
    ("name", "cause", "short"),
    [
        ("project-b #127", Cause.CONTAINER_MEMORY, "out of memory 16 GiB"),
        ("project-c #121", Cause.NOT_FINITE, "loss"),
        ("vision-large #119", Cause.ABORTED, "by Console operator"),
    ],
)
async def test_why_one_ended_is_found_in_what_is_there(name: str, cause: Cause, short: str) -> None:
    at = await joined(0.0)
    run = at.runs[name]
    found = (await read_end(run, at.engine, at.jenkins, Known(figures=await at.figures(name)))).why
    assert found is not None
    assert found.cause is cause
    assert short in found.short
    # Its container is gone one day: what the build has printed is enough.
    alone = (await read_end(replace(run, containers=()), at.engine, at.jenkins, Known())).why
    assert alone is not None
    assert alone.cause is cause


async def test_one_has_outlived_its_build() -> None:
    at = await joined(0.0)
    (orphan,) = seen(at.containers, at.world, at.clock.now())
    assert orphan.container.name == "mlops-customer-churn-forecast-eu-118"
    assert orphan.why == "train #118 has ended: aborted"
    figures = await at.figures("customer-churn-forecast-eu #118")
    assert (figures.epoch, figures.epochs) == (221, 400)


class Quick(FrozenClock):
    """Time goes as fast as somebody waits for it."""

    async def sleep_until(self, moment: datetime) -> None:
        self._at = max(self._at, moment)
        await asyncio.sleep(0)


async def test_whoever_follows_sees_it_end() -> None:
    clock = Quick(BEGAN + timedelta(seconds=ENDS - 30), ENDS - 30)
    engine, _ = demo_sources(clock=clock)
    one = next(each for each in await engine.containers() if each.name == "mlops-project-a-128")
    lines = [text async for entries in engine.log(one, tail=0, follow=True) for _, _, text in entries]
    assert lines[-1] == b"done after 1975s, the model is in /out/model\n"
    assert (clock.now() - BEGAN).total_seconds() < ENDS + 60.0, "and at once"
    assert any(line.startswith(b"step 6330/6330 ") for line in lines)


async def test_a_container_comes_with_its_events() -> None:
    begins = BY_NUMBER[131].begins
    engine, _ = demo_sources(clock=Quick(BEGAN + timedelta(seconds=begins - 1), begins - 1))
    name = "mlops-project-b-131"
    assert name not in {one.name for one in await engine.containers()}
    stream = engine.events()
    event = await anext(stream)
    while event.name != name:
        event = await anext(stream)
    assert (event.action, (event.time - BEGAN).total_seconds()) == ("start", begins)
    assert name in {one.name for one in await engine.containers()}


async def test_cards_work_for_whoever_trains() -> None:
    for training in TRAININGS:
        card = training.manner.gpu
        if card is None or not training.lasting or training.begins < -86400.0:
            continue
        moment = training.begins + 100.0
        (read,) = [
            one
            for one in (await demo_gpus(FrozenClock(BEGAN + timedelta(seconds=moment), moment)).read()).cards
            if one.index == card
        ]
        assert (read.utilisation or 0) > 20, training.number
        assert any(process.container is not None for process in read.processes or ())


async def test_stages_are_those_of_the_platform() -> None:
    at: Joined = await joined(0.0)
    stages = at.world.stages
    running = {str(ref): [(str(one.name), one.status) for one in told.stages] for ref, told in stages.items()}
    done, going = StageStatus.SUCCESS, StageStatus.IN_PROGRESS
    assert running["train#128"] == [("check", done), ("image", done), ("train", going)]
    assert running["train#131"] == [("check", done), ("image", going)]
