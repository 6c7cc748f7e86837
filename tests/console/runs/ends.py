"""Runs that have ended, and what is explained of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from console.model.build import Build, Result
from console.model.container import Container, ContainerState
from console.model.log import Entry
from console.model.run import Run
from console.model.why import Why
from console.runs.case import Clues
from console.runs.endings import of_build, of_container
from console.runs.explain import explain
from console.runs.join import join
from console.text import clean
from tests.console.fake_jenkins import NOW, build, job, world
from tests.console.fakes import inspection
from tests.console.runs.test_join import parameters, training

RECORDINGS = Path(__file__).parents[2] / "recordings"
GIB = 1 << 30
KEY = "project-a@7fa01469cc8e"


def ended(
    code: int = 1, *, oom: bool = False, limit: int | None = 16 * GIB, job_name: str = "local", gpu: str = "none"
) -> Container:
    """The container of a training that has ended."""
    details = inspection(oom_killed=oom, memory_limit=limit, finished_at=NOW)
    return training(12, job_name=job_name, gpu=gpu, state=ContainerState.EXITED, exit_code=code, details=details)


def by_hand(one: Container) -> Run:
    (run,) = join([one], None, None, NOW)
    return run


def made(result: Result, description: str = "") -> Build:
    told = clean(f"{KEY}: {description}" if description else "")
    return build(result=result, parameters=parameters(), detailed=True, description=told)


def of_jenkins(result: Result, description: str = "", *containers: Container) -> Run:
    (run,) = join(containers, world(job("train", made(result, description))), None, NOW)
    return run


def entries(out: str = "", err: str = "") -> list[Entry]:
    """What a program wrote to both streams, a second for each line."""
    start = int(datetime(2026, 11, 24, 11, tzinfo=UTC).timestamp()) * 10**9
    lines = [(False, line) for line in out.splitlines()] + [(True, line) for line in err.splitlines()]
    return [(start + at * 10**9, stderr, line.encode() + b"\n") for at, (stderr, line) in enumerate(lines)]


def why(run: Run, out: str = "", err: str = "", *, console: str = "", **more: Any) -> Why | None:
    return explain(run, Clues(lines=of_container(entries(out, err)), build_lines=of_build(console), **more))


def certain(found: Why | None) -> Why:
    assert found is not None
    return found


def rows(found: Why | None, source: str) -> Sequence[str]:
    return [str(one.words) for one in certain(found).evidence if one.source == source]


@cache
def gpu_failures() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / "gpu/failures.json").read_text())
    return found


def consoles() -> list[tuple[str, str]]:
    """Each recorded console of a build that has ended, by its name."""
    found = []
    for path in sorted((RECORDINGS / "jenkins").rglob("*log*.json")):
        answer = json.loads(path.read_text()).get("response")
        body = answer.get("body") if isinstance(answer, dict) else None
        if isinstance(body, str) and "\nFinished: " in body:
            found.append((path.relative_to(RECORDINGS / "jenkins").as_posix().removesuffix(".json"), body))
    return found
