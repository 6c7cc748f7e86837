"""The recorder: what of trainings, builds, cards and machine gets into the history, also over bad days."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.history import HistoryError, Trouble, Writer
from console.model.build import Artifact, Parameter, Result
from console.model.container import Container, ContainerState, Usage
from console.model.history import Asked, Batch
from console.model.log import Entry
from console.model.source import NotThereError, SourceError, SourceState
from console.text import Clean, clean
from tests.console import fake_gpus
from tests.console.fake_jenkins import NOW, build, ref, unreachable
from tests.console.fakes import FakeEngine, inspection
from tests.console.feeds.recording import BEGUN, EndingEngine, KeepingJenkins, Room, entries, event, told
from tests.console.runs.test_join import COMMIT, parameters, running, training
from tests.support.waiting import until


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "history" / "history.db")


def by_hand(**more: Any) -> Any:
    details = inspection(memory_limit=1 << 31, shm=1 << 26, cpus=2.0)
    return training(3, job_name="local", details=details, **more)


def values(room: Room, key: str, name: str = "train_loss") -> list[tuple[int | None, float]]:
    return [(one.step, one.value) for one in room.points(key).get(clean(name), ())]


FIVE = [(100 * n, 1 / n) for n in range(1, 6)]


async def test_a_training_is_recorded_with_all_that_is_known_of_it(room: Room) -> None:
    one = by_hand(gpu="0")
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries([*told(5), event(51, "checkpoint", epoch=5, path="checkpoint/5", bytes=4711)])
    room.engine.usages[one.id] = Usage(50.0, 1 << 30, 1 << 31)
    process = fake_gpus.process(container=one.id, memory=3 << 30)
    room.gpus = fake_gpus.FakeGpus(fake_gpus.reading(fake_gpus.held(0, 70, process), fake_gpus.card(1)))
    async with room.running():
        await until(lambda: values(room, "local#3") == FIVE)
        await until(lambda: (found := room.run("local#3")) is not None and found.checkpoint is not None)
    found = room.run("local#3")
    assert found is not None
    assert (found.project, found.job, found.number, found.commit) == ("project-a", "local", 3, COMMIT)
    assert found.parameters == {"epochs": "10", "optimizer.lr": "0.1", "optimizer.name": "sgd", "api_token": "********"}
    assert found.asked == Asked(1 << 31, 1 << 26, 2.0, 1)
    assert (found.peak_memory, found.peak_gpu_memory, found.cards) == (1 << 30, 3 << 30, ("GPU-0",))
    assert found.checkpoint is not None
    assert (found.checkpoint.epoch, found.checkpoint.bytes) == (5, 4711)
    assert (found.state is not None and found.state.word, found.ended) == ("training", None)
    assert values(room, "local#3", "val_acc")[-1] == (500, 0.5)


async def test_one_that_ends_is_told_to_have_and_is_not_read_again(room: Room) -> None:
    one = by_hand(state=ContainerState.EXITED, exit_code=1)
    one = replace(one, details=replace(one.details, finished_at=NOW))
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries([*told(2), event(30, "error", error="ValueError", message="bad")])
    assert await room.once()
    found = room.run("local#3")
    assert found is not None
    assert found.state is not None
    assert (found.state.word, found.ended) == ("failed", NOW)
    assert room.heard("is recorded to its end: failed")
    asked = len([each for each in room.engine.asked if each.startswith("log ")])
    await room.once()
    assert len([each for each in room.engine.asked if each.startswith("log ")]) == asked


async def test_one_that_ends_while_it_is_followed_keeps_its_peaks(room: Room) -> None:
    one = by_hand()
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries(told(2))
    room.engine.usages[one.id] = Usage(50.0, 5000, None)
    async with room.running():
        await until(lambda: (found := room.run("local#3")) is not None and found.peak_memory == 5000)
        room.engine.usages[one.id] = Usage(50.0, 100, None)
    # Another recorder has not seen the peak, and does not make it lower.
    async with room.running():
        await until(lambda: len([each for each in room.engine.asked if each.startswith("log ")]) > 2)
        done = replace(one, state=ContainerState.EXITED, exit_code=0, details=replace(one.details, finished_at=NOW))
        room.engine.held[one.id] = done
        room.engine.logs[one.id] = entries(told(10))
        await until(lambda: (found := room.run("local#3")) is not None and found.ended is not None)
    found = room.run("local#3")
    assert found is not None
    assert found.peak_memory == 5000


async def test_the_same_twice_is_the_same(room: Room) -> None:
    one = by_hand()
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries(told(5))
    await room.once()
    before = room.run("local#3"), room.points("local#3")
    await room.once()
    assert (room.run("local#3"), room.points("local#3")) == before
    assert values(room, "local#3") == FIVE


async def test_a_container_that_goes_away_leaves_what_its_log_said_last(room: Room) -> None:
    one = by_hand()
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries([*told(10), event(120, "end", status="ok", best=None, seconds=1)])
    async with room.running():
        await until(lambda: len(values(room, "local#3")) == 10)
        del room.engine.held[one.id]
        await until(lambda: room.heard("local #3 training"))
        seen = len(room.engine.asked)
        await until(lambda: len(room.engine.asked) > seen + 5)
        room.seconds += 1000
        await until(lambda: (found := room.run("local#3")) is not None and found.ended is not None)
    found = room.run("local#3")
    assert found is not None
    assert found.state is not None
    assert (found.state.word, found.ended and found.ended.timestamp()) == ("done", BEGUN + 120)


# Builds


def finished(number: int = 12, result: Result = Result.SUCCESS, **more: Any) -> Any:
    told_parameters = (
        *parameters(),
        Parameter(clean("OVERRIDES"), clean("lr=0.2")),
        Parameter(clean("RESUME_FROM"), clean("11")),
    )
    return build("train", number, result, parameters=told_parameters, detailed=True, **more)


RECORD = (
    b'{"project":"project-a","commit":"'
    + COMMIT.encode()
    + b'","job":"train","build":12,"run":"1f0c9a2b77","resume_from":"11",'
    b'"resources":{"gpus":1,"memory":2147483648,"shm":67108864,"cpus":2.5},"image":"mlops/project-a:7fa0","container":"c0ffee"}'
)
PUBLISHED = b'{"event":"published","ts":1,"repo":"org/a","revision":"%s","tag":"build-12","url":"https://hub/org/a"}' % (
    b"ab" * 20
)


async def test_what_nobody_watched_is_filled_in_from_what_the_build_keeps(room: Room) -> None:
    jenkins = room.jenkins = KeepingJenkins()
    files = jenkins.keep(ref("train", 12), run_json=RECORD, events_jsonl=b"\n".join(told(5)), published_json=PUBLISHED)
    jenkins.known[ref("train", 12)] = finished(artifacts=files, description=clean("project-a@7fa0: published to org/a"))
    assert await room.once()
    found = room.run("train#12")
    assert found is not None
    assert found.state is not None
    assert (found.training, found.state.word, found.resumed_from) == ("1f0c9a2b77", "published", "train#11")
    assert found.asked == Asked(1 << 31, 1 << 26, 2.5, 1)
    assert (found.published and found.published.tag, found.parameters[Clean("OVERRIDES")]) == ("build-12", "lr=0.2")
    assert found.parameters[Clean("optimizer.lr")] == "0.1"
    assert (found.started, found.ended) == (NOW - timedelta(minutes=40), NOW - timedelta(minutes=30))
    assert values(room, "train#12") == FIVE
    before = jenkins.asked["artifact train#12 events.jsonl"]
    await room.once()
    assert jenkins.asked["artifact train#12 events.jsonl"] == before == 1, "it is known to be recorded"


async def test_a_log_without_times_is_spread_over_the_run_and_says_nothing_twice(room: Room) -> None:
    jenkins = room.jenkins = KeepingJenkins()
    log = b"\n".join(b"step %d/1000 loss: %.3f" % (n * 100, 1 / n) for n in range(1, 6))
    files = jenkins.keep(ref("train", 12), run_json=RECORD, train_log=log)
    made = jenkins.known[ref("train", 12)] = finished(artifacts=files)
    await room.once()
    found = room.points("train#12")[clean("loss")]
    assert [one.step for one in found] == [100, 200, 300, 400, 500]
    begin, end = made.started.timestamp() * 1e9, made.ended.timestamp() * 1e9
    assert begin <= found[0].time < found[-1].time <= end
    room.path.unlink()
    # Somebody had watched its beginning: that stays as it was seen.
    writer = Writer(room.path)
    seen = replace(found[0], time=int(begin) + 1), replace(found[1], time=int(begin) + 2)
    writer.record(Batch(points={Clean("train#12"): {Clean("loss"): seen}}))
    writer.close()
    await room.once()
    again = room.points("train#12")[clean("loss")]
    assert [(one.step, one.value) for one in again] == [(one.step, one.value) for one in found]
    assert again[:2] == seen


async def test_a_build_that_is_followed_ends_as_its_build_says(room: Room) -> None:
    jenkins = room.jenkins = KeepingJenkins()
    one = training(12)
    made, work = running(12)
    jenkins.known[made.ref], jenkins.nodes, jenkins.flying = made, work.nodes, work.flying
    room.engine = EndingEngine(one)
    room.engine.logs[one.id] = entries(told(5))
    async with room.running():
        await until(lambda: len(values(room, "train#12")) == 5)
        done = replace(one, state=ContainerState.EXITED, exit_code=137)
        room.engine.held[one.id] = done
        failed = finished(12, Result.FAILURE, description=clean("project-a@7fa0: out of memory"))
        jenkins.known[made.ref], jenkins.nodes, jenkins.flying = failed, (replace(work.nodes[0], running=()),), frozenset()
        room.seconds += 60
        await until(lambda: (found := room.run("train#12")) is not None and found.ended is not None)
        await until(lambda: room.heard("recorded to its end"))
    assert room.said.count("run: project-a #12 training") == 1
    found = room.run("train#12")
    assert found is not None
    assert found.state is not None
    assert (found.state.word, found.reason) == (
        "failed",
        "It was killed from outside (SIGKILL); it could not say a word of it.",
    )


async def test_an_end_waits_for_a_jenkins_that_is_away_but_not_for_ever(room: Room) -> None:
    jenkins = room.jenkins = KeepingJenkins()
    jenkins.failure = unreachable()
    room.engine = FakeEngine(training(12, state=ContainerState.EXITED, exit_code=0))
    async with room.running():
        await until(lambda: room.run("train#12") is not None)
        await until(lambda: jenkins.asked["work"] > 2 or room.seconds)
        found = room.run("train#12")
        assert found is not None
        assert (found.state, found.ended) == (None, None)
        room.seconds += 1000
        await until(lambda: (known := room.run("train#12")) is not None and known.state is not None)
    assert room.heard("jenkins: Jenkins does not answer")


async def test_a_file_that_cannot_be_had_is_asked_for_again_and_then_left(room: Room) -> None:
    jenkins = room.jenkins = KeepingJenkins()
    jenkins.known[ref("train", 12)] = finished(artifacts=(Artifact(clean("run.json"), clean("run.json")),))
    jenkins.failures["artifact train#12 run.json"] = unreachable()
    await room.once()
    assert jenkins.asked["artifact train#12 run.json"] == 3
    assert room.heard("cannot be read")
    assert (found := room.run("train#12")) is not None
    assert found.ended is not None


# Run folders


def folder(place: Path, status: str = "ok", lines: int = 5) -> Path:
    made = place / "local-3"
    (made / "out").mkdir(parents=True)
    (made / "run.json").write_text(
        '{"project":"project-a","commit":"","job":"local","build":3,"run":"77aa","resources":{"gpus":0,"memory":1024}}'
    )
    (made / "out" / "events.jsonl").write_bytes(
        b"\n".join([*told(lines), event(99, "end", status="ok", best=None, seconds=9)]) + b"\n"
    )
    (made / "result.json").write_text(f'{{"status":"{status}","reason":"best val_acc 0.5 in epoch 5."}}')
    return made


async def test_a_run_by_hand_is_read_from_its_folder(room: Room, tmp_path: Path) -> None:
    folder(tmp_path / "runs")
    room.folders = (tmp_path / "nothing", tmp_path / "runs")
    await room.once()
    found = room.run("local#3")
    assert found is not None
    assert found.state is not None
    assert (found.training, found.state.word, found.reason) == ("77aa", "done", "best val_acc 0.5 in epoch 5.")
    assert (found.started and found.started.timestamp(), found.ended and found.ended.timestamp()) == (BEGUN, BEGUN + 99)
    assert values(room, "local#3") == FIVE
    room.said.clear()
    await room.once()
    assert not room.heard("is recorded from")


class Quick(FakeEngine):
    """Once it is `torn`, a container is removed while its log is still read."""

    torn = False

    async def log(
        self, container: Container, *, tail: int | None, since: int | None = None, follow: bool = False
    ) -> AsyncGenerator[list[Entry]]:
        if not self.torn:
            yield self.logs.get(container.id, [])
            if not follow:
                return
            await until(lambda: self.torn)
        raise NotThereError(SourceState.OK, clean("no such container"))


async def test_what_a_log_did_not_tell_before_its_container_went_is_read_from_the_folder(room: Room, tmp_path: Path) -> None:
    made = by_hand()
    one = replace(made, labels={**made.labels, "mlops.run": clean("77aa")})
    engine = room.engine = Quick(one)
    engine.logs[one.id] = entries(told(2))
    room.folders = (tmp_path / "runs",)
    async with room.running():
        await until(lambda: len(values(room, "local#3")) == 2)
        ended = replace(one.details, finished_at=room.moment)
        engine.held[one.id] = replace(one, state=ContainerState.EXITED, exit_code=0, details=ended)
        await until(lambda: room.heard("local #3 done"))
        engine.torn = True
        await until(lambda: room.heard("is recorded to its end: done"))
        del engine.held[one.id]
        folder(tmp_path / "runs")
        room.seconds += 61
        await until(lambda: values(room, "local#3") == FIVE)
        await until(lambda: room.heard("is recorded from"))


async def test_links_and_pipes_of_a_run_folder_are_not_followed(room: Room, tmp_path: Path) -> None:
    made = folder(tmp_path / "runs", "failed")
    events = made / "out" / "events.jsonl"
    events.rename(tmp_path / "elsewhere")
    events.symlink_to(tmp_path / "elsewhere")
    os.mkfifo(made / "train.log")
    room.folders = (tmp_path / "runs",)
    await room.once()
    found = room.run("local#3")
    assert found is not None
    assert found.state is not None
    assert found.state.word == "failed"
    assert not room.points("local#3")


# Bad days


async def test_an_engine_that_goes_away_is_told_once_and_found_again(room: Room) -> None:
    one = by_hand()
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries(told(2))
    room.engine.failure = SourceError(SourceState.UNREACHABLE, clean("Docker is away."))
    async with room.running():
        await until(lambda: len(room.engine.asked) > 3)
        assert room.said.count("docker: Docker is away.") == 1
        room.engine.failure = None
        await until(lambda: len(values(room, "local#3")) == 2)
    assert room.heard("docker: answers again")


async def test_a_history_that_is_moved_away_is_begun_anew_with_everything(room: Room) -> None:
    one = by_hand()
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries(told(5))
    async with room.running():
        await until(lambda: values(room, "local#3") == FIVE)
        room.path.rename(room.path.with_name("old.db"))
        await until(lambda: values(room, "local#3") == FIVE, "the new file")
        await until(lambda: (found := room.run("local#3")) is not None and found.project == "project-a")
        await until(lambda: room.heard("recording again"))
    assert room.heard("was moved or removed")


async def test_a_disk_that_is_full_loses_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    one = by_hand()
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries(told(5))
    record, full = Writer.record, True

    def refuses(self: Writer, batch: Batch) -> None:
        if full:
            raise HistoryError(Trouble.FULL, "The history cannot be written: the disk is full.")
        record(self, batch)

    monkeypatch.setattr(Writer, "record", refuses)
    async with room.running() as task:
        await until(lambda: room.heard("the disk is full"))
        await until(lambda: len(room.engine.asked) > 6)
        assert not task.done()
        assert room.said.count("history: The history cannot be written: the disk is full.") == 1
        full = False
        await until(lambda: values(room, "local#3") == FIVE)
        await until(lambda: room.heard("recording again"))


async def test_too_many_points_for_a_full_disk_are_read_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.feeds.recorder.MOST_POINTS", 3)
    await test_a_disk_that_is_full_loses_nothing(room, monkeypatch)


async def test_a_second_recorder_is_refused_with_who_records(room: Room) -> None:
    async with room.running():
        await until(lambda: room.path.exists() and room.heard("recording in"))
        with pytest.raises(HistoryError, match="is recorded by process") as caught:
            await room.once()
    assert caught.value.trouble is Trouble.HELD


async def test_a_clock_that_is_set_back_does_not_make_news_old(room: Room) -> None:
    one = by_hand()
    room.engine = FakeEngine(one)
    room.engine.logs[one.id] = entries(told(1))
    async with room.running():
        await until(lambda: (found := room.run("local#3")) is not None and found.state is not None)
        room.moment -= timedelta(days=400)
        room.engine.held[one.id] = replace(one, state=ContainerState.PAUSED)
        await until(
            lambda: (found := room.run("local#3")) is not None and found.state is not None and found.state.word == "paused"
        )
