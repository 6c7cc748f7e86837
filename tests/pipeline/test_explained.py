"""What the console makes of the ends of real builds of the platform: the Jenkinsfile's words, and what its steps print."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.build import Result
from console.model.why import Cause, Why
from console.runs.case import Clues
from console.runs.endings import of_build
from console.runs.explain import explain
from console.runs.join import join
from console.text import clean
from tests.console.fake_jenkins import NOW, job, world
from tests.console.runs.ends import certain, made
from tests.console.runs.test_join import only
from tests.pipeline.test_jenkinsfile import building
from tests.pipeline.test_trainings import TRAINS, saves
from tests.pipeline.workplace import CONFIG, DOCKERFILE, Workplace
from tests.support import skips
from tests.support.pipeline.runner import Run


def explained(build: Run, *, described: bool = True) -> Why:
    """Out of the console, and the description where it is there: Jenkins' view of a build may come without either."""
    result = Result(str(build.result()))
    told = replace(made(result), description=clean(str(build.description or "") if described else ""))
    run = only(join([], world(job("train", told)), None, NOW))
    return certain(explain(run, Clues(build_lines=of_build(build.console))))


def both(build: Run, cause: Cause) -> Why:
    assert explained(build, described=False).cause is cause, build.console
    found = explained(build)
    assert found.cause is cause, build.description
    return found


def test_a_training_that_fails(work: Workplace) -> None:
    commit = work.project("small", "echo 'ValueError: no column price' >&2; exit 3")
    with building(work, "small", commit) as build:
        assert both(build, Cause.ERROR).short == "ValueError: no column price"


def test_an_image_that_cannot_be_built(work: Workplace) -> None:
    commit = work.project("small", TRAINS, Dockerfile=DOCKERFILE.replace("COPY . .", "COPY . .\nRUN exit 5"))
    with building(work, "small", commit) as build:
        found = both(build, Cause.IMAGE)
        assert "RUN exit 5" in found.words
        assert "RUN exit 5" in found.short


def test_a_host_without_the_gpus_that_it_wants(work: Workplace) -> None:
    commit = work.project("small", TRAINS, config_dot_yaml=CONFIG.replace("gpus: 0", "gpus: 3"))
    with building(work, "small", commit) as build:
        both(build, Cause.NO_GPU)


def test_an_engine_without_a_driver(work: Workplace) -> None:
    commit = work.project("small", TRAINS, config_dot_yaml=CONFIG.replace("gpus: 0", "gpus: 1"))
    resources = {"trainer-1-gpu-0": ["gpu-trainer-1"]}
    with building(work, "small", commit, resources=resources, node_env={"MLOPS_GPUS": "1"}) as build:
        assert both(build, Cause.NO_GPU).short == "no GPU: no driver in Docker"


def test_a_project_that_breaks_the_contract(work: Workplace) -> None:
    commit = work.project("small", TRAINS, config_dot_yaml=CONFIG.replace("gpus: 0", "gpus: many"))
    with building(work, "small", commit) as build:
        found = both(build, Cause.REFUSED)
        assert "resources.gpus is" in found.words


@pytest.mark.parametrize("commit", ["0123; id"])
def test_a_request_that_is_refused(work: Workplace, commit: str) -> None:
    work.project("small", TRAINS)
    with building(work, "small", commit) as build:
        assert explained(build).cause is Cause.REFUSED


def test_a_stop(work: Workplace) -> None:
    commit = work.project("small", saves(0.1))
    with building(work, "small", commit, patience=1.0) as build:
        build.until("training")
        build.stop()
        found = both(build, Cause.ABORTED)
        assert [str(row.words) for row in found.evidence if row.source == "kept"] == ["checkpoint epoch-3"]


def test_a_limit_of_memory_that_was_reached(work: Workplace) -> None:
    if not work.engine.limits_memory:
        pytest.skip(skips.NO_MEMORY_LIMIT)
    commit = work.project("small", "tail /dev/zero", config_dot_yaml=CONFIG.replace("256m", "24m"))
    with building(work, "small", commit) as build:
        assert both(build, Cause.CONTAINER_MEMORY).short == "out of memory 24 MiB"
