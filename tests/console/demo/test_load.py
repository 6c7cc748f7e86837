"""CPU and memory of the demo: plausible, within limits, smooth, and always the same."""

from __future__ import annotations

from collections.abc import Mapping

from console.demo.actor import CYCLE_SECONDS
from console.demo.cast import CAST
from console.demo.timeline import once
from console.model.container import ContainerState, Usage
from tests.console.demo.stepping import everything, sources_at

STEP = 0.5


async def usages(elapsed: float, seed: int = 7) -> Mapping[str, Usage]:
    engine, _ = sources_at(elapsed, seed)
    listed = await engine.containers()
    found = await engine.usage(listed)
    return {str(one.name): found[one.id] for one in listed if one.id in found}


async def test_the_same_seed_and_time_give_the_same_world() -> None:
    for elapsed in (0.0, 24.0, 145.0, 1000.25):
        (left, left_file), (right, right_file) = sources_at(elapsed), sources_at(elapsed)
        assert await everything(left) == await everything(right)
        assert await left_file.project() == await right_file.project()
        assert await usages(elapsed) == await usages(elapsed)
    assert await usages(60.0, seed=7) != await usages(60.0, seed=8)


async def test_only_what_runs_uses_anything() -> None:
    for elapsed in (0.0, 24.0, 145.0):
        engine, _ = sources_at(elapsed)
        containers = await everything(engine)
        running = {name for name, one in containers.items() if one.state is ContainerState.RUNNING}
        assert set(await usages(elapsed)) == running
        assert running < set(containers)
    asked = [containers["mlops-jenkins-1"]]
    assert set(await engine.usage(asked)) == {asked[0].id}


async def test_a_container_that_died_since_it_was_listed_uses_nothing() -> None:
    before, _ = sources_at(10.0)
    old = (await everything(before))["mlops-metrics-1"]
    assert old.state is ContainerState.RUNNING
    after, _ = sources_at(24.0)
    assert await after.usage([old]) == {}


async def test_figures_stay_within_what_is_plausible_and_below_limits() -> None:
    busy, idle, seen = [], [], []
    for count in range(int(2 * CYCLE_SECONDS / STEP)):
        found = await usages(count * STEP)
        for name, usage in found.items():
            actor = next(one for one in CAST if one.name == name)
            assert usage.cpu is not None
            assert usage.memory is not None
            assert usage.memory_limit == actor.limit
            assert 0.0 <= usage.cpu <= 1.15 * actor.cpu, name
            assert 0 < usage.memory <= (actor.limit or 1.05 * actor.memory), name
        busy.append(found["mlops-project-a-128"].cpu or 0.0)
        idle.append(found["mlops-jenkins-1"].cpu or 0.0)
        seen.append(found["mlops-project-a-128"])
    assert 340.0 < min(busy) < 370.0
    assert 385.0 < max(busy) < 420.0
    assert 2.8 < min(idle) < max(idle) < 3.6
    assert len({usage.memory for usage in seen}) > 100


async def test_curves_are_smooth_except_where_something_started() -> None:
    before = await usages(0.0)
    for count in range(1, int(CYCLE_SECONDS / STEP)):
        now = await usages(count * STEP)
        for actor in CAST:
            left, right = before.get(actor.name), now.get(actor.name)
            acts = (*actor.acts, *once(actor))
            if left is None or right is None or any(0.0 <= count * STEP - act.at <= 40.0 for act in acts):
                continue
            assert left.cpu is not None
            assert right.cpu is not None
            assert left.memory is not None
            assert right.memory is not None
            assert abs(right.cpu - left.cpu) <= 0.03 * actor.cpu, (actor.name, count)
            assert abs(right.memory - left.memory) <= 0.03 * actor.memory, (actor.name, count)
        before = now


async def test_what_the_kernel_ends_has_filled_its_memory() -> None:
    filled = [(await usages(elapsed))["mlops-metrics-1"] for elapsed in (30.0, 100.0, 199.75)]
    shares = [(usage.memory or 0) / (usage.memory_limit or 1) for usage in filled]
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[2] > 0.98
