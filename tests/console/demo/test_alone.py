"""The demo acts on itself only: no file, socket, process or network, and nothing heavy is loaded."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

AUDITED = """
import asyncio, json, sys
from datetime import timedelta

async def main():
    heard, asked = [], []
    import console.demo.ci, console.demo.gpus, console.demo.jenkins, console.demo.machine
    from console.demo import demo_gpus, demo_jenkins, demo_machine, demo_sources  # what an import reads is no act of the demo

    def hook(name, arguments):
        # Objects and clocks are its own; whatever else Python audits reaches out of the program.
        if not name.startswith(("object.", "code.", "sys._getframe", "gc.", "time.")):
            heard.append(name)
    sys.addaudithook(hook)

    class Leaping:
        # A wall clock on which a second takes no time, so that the stream passes through a whole cycle.
        def __init__(self, began):
            self.began = self.time = began
        def now(self):
            return self.time
        async def sleep_until(self, moment):
            self.time = max(self.time, moment)
            await asyncio.sleep(0)

    async def jenkins_for_two_hours(clock):
        jenkins = demo_jenkins(clock)
        for _ in range(8):
            work = await jenkins.work()
            for job in await jenkins.jobs():
                for build in await jenkins.builds(job.full_name, 3):
                    await jenkins.build(build.ref)
                    if build.pipeline:
                        for stage in (await jenkins.stages(build.ref)).stages:
                            await jenkins.stage_steps(build.ref, stage.id)
                    await jenkins.tests(build.ref)
                    async for _ in jenkins.log(build.ref, await jenkins.log_size(build.ref) // 2):
                        pass
                    for file in build.artifacts:
                        async for _ in jenkins.artifact(build.ref, file.path):
                            asked.append(str(file.path))
            for node in work.nodes:
                await jenkins.node_log(node.name)
                await jenkins.monitors(node.name)
            clock.time += timedelta(minutes=15)
        asked.append(str(await jenkins.who()))
        await jenkins.aclose()

    from console.demo import RunningClock
    engine, compose = demo_sources(clock=Leaping(RunningClock().now()))
    events = []
    async for event in engine.events(0):
        events.append(event)
        listed = await engine.containers()
        details = [await engine.inspect(one.id) for one in listed]
        await engine.usage(details)
        await engine.image_ids([one.image for one in listed])
        await engine.engine()
        await compose.project()
        compose.changed()
        if len(events) == 40:
            break
    clock = Leaping(RunningClock().now())
    for source in (demo_gpus(clock), demo_machine(clock)):
        source.past()
        await source.aclose()
    asked.append(str((await demo_gpus(clock).read()).driver))
    asked.append(str(len((await demo_machine(clock).read({"docker": "/var/lib/docker"})).disks)))
    running, _ = demo_sources()
    await running.containers()
    await jenkins_for_two_hours(Leaping(RunningClock().now()))
    await engine.aclose()
    await compose.aclose()
    of_demo = list(heard)
    open("/dev/null").close()
    print(json.dumps({"demo": of_demo, "proof": heard[len(of_demo):], "events": len(events), "asked": asked}))

asyncio.run(main())
"""


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_touches_nothing() -> None:
    told = json.loads(run(AUDITED))
    assert told["events"] == 40
    assert "dist/mlops_console-0.1.0.whl" in told["asked"]
    assert told["asked"][:2] == ["580.159.04", "1"]
    assert told["asked"][-1] == "operator"
    assert told["demo"] == []
    assert told["proof"] == ["open"]


@pytest.mark.parametrize(
    "heavy",
    ["textual", "rich", "click", "msgspec", "docker", "subprocess", "socketserver", "http", "console.ui", "console.cli"],
)
def test_it_loads_nothing_that_it_has_no_use_for(heavy: str) -> None:
    loaded = run("import asyncio, sys; before = set(sys.modules); import console.demo; print(*(set(sys.modules) - before))")
    assert "console.demo.engine" in loaded.split()
    assert heavy not in loaded.split()
