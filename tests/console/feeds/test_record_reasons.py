"""Why a training ended, as the history has it: with what its own log measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from console.model.container import ContainerState
from tests.console.fakes import inspection
from tests.console.feeds.recording import EndingEngine, Room, entries, event, told
from tests.console.runs.test_join import training
from tests.support.waiting import until


async def test_the_reason_says_what_the_figures_of_its_log_know(tmp_path: Path) -> None:
    room = Room(tmp_path / "history.db", engine=EndingEngine())
    one = training(3, job_name="local", details=inspection(started_at=room.moment))
    room.engine.held[one.id] = one
    room.engine.logs[one.id] = entries(told(2))
    async with room.running():
        await until(lambda: room.run("local#3") is not None)
        broken = event(30, "epoch", epoch=3, epochs=10, step=300, metrics={"train_loss": float("nan"), "val_acc": 0.1})
        room.engine.logs[one.id] += entries([broken, event(40, "error", error="ValueError", message="loss is nan")], 30)
        details = replace(one.details or inspection(), finished_at=room.moment)
        room.engine.held[one.id] = replace(one, state=ContainerState.EXITED, exit_code=1, details=details)
        await until(lambda: room.heard("is recorded to its end"))
    found = room.run("local#3")
    assert found is not None
    assert found.reason == "What it measures is no number any more: train_loss is nan since step 300."
