"""Logs that somebody goes on looking at after they have ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from console.logs.lines import Item, Kind, Notice
from console.logs.origin import Origin
from console.logs.several import Several
from console.model.container import ContainerState
from tests.console.fakes import event
from tests.console.logs.engine import LogEngine, line
from tests.support.waiting import DEADLINE, until


async def test_one_that_is_started_again_later_goes_on_where_it_was() -> None:
    engine = LogEngine()
    engine.store(line(1), line(2))
    items: list[Item] = []

    async def give(_origin: Origin, item: Item) -> None:
        items.append(item)

    def texts() -> list[str]:
        return [text.decode() for item in items if not isinstance(item, Notice) for _, _, text in item]

    def kinds() -> list[Kind]:
        return [item.kind for item in items if isinstance(item, Notice)]

    several = Several(engine, [engine.one], lambda one: one.name == "train", lines=5, follow=True, grace=0.0, lasting=True)
    running = asyncio.ensure_future(several.run(give))
    await until(lambda: engine.following is not None and texts() == ["n=1", "n=2"], "the first life")
    assert several.ready.is_set()
    engine.end(1)
    await until(lambda: Kind.ENDED in kinds(), "its end")
    await until(lambda: not several._woken.is_set(), "it to have nothing left to do")
    assert not running.done(), "it waits for another one"
    began = engine.details.started_at
    assert began is not None
    engine.details = replace(engine.details, started_at=began + timedelta(hours=1))
    engine.become(state=ContainerState.RUNNING, exit_code=None, details=engine.details)
    engine.following = None
    engine.store(line(3))
    engine.stream.put_nowait(event(engine.one, "start"))
    await until(lambda: "n=3" in texts(), "the second life")
    assert texts() == ["n=1", "n=2", "n=3"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_with_nothing_to_begin_with_it_waits_for_the_first_start() -> None:
    engine = LogEngine()
    engine.store(line(1))
    given: list[Item] = []

    async def give(_origin: Origin, item: Item) -> None:
        given.append(item)

    several = Several(engine, [], lambda one: one.name == "train", lines=0, follow=True, grace=0.0, lasting=True)
    running = asyncio.ensure_future(several.run(give))
    await asyncio.wait_for(several.ready.wait(), DEADLINE)
    await engine.connected.wait()
    engine.stream.put_nowait(event(engine.one, "start"))
    await until(lambda: any(not isinstance(one, Notice) for one in given), "its first line")
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
