"""Builds and their stages: what runs beside what, what is usual."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.build import BuildRef, Result, StageStatus, as_people_write, median, with_branches
from console.sources.jenkins.address import parse
from console.sources.jenkins.parse import Parser
from console.text import clean
from tests.console.fake_jenkins import NOW, build, stage
from tests.support.recorded import RECORDINGS, recorded

PARSER = Parser(parse("http://127.0.0.1:8099"))
SIDE_BY_SIDE = {
    "parallel-describe": {"unit", "lint", "skipped"},
    "parallel-describe-running": {"unit", "lint", "skipped"},
    "pipeline/fanout-build-step-running-wfapi": {"project-a", "project-c", "project-d"},
    "pipeline/fanout-build-step-wait-wfapi": {"project-a", "project-c", "project-d"},
}


def described() -> list[str]:
    """The recordings of one run's stages."""
    names = [str(path.relative_to(RECORDINGS).with_suffix("")) for path in sorted(RECORDINGS.rglob("*.json"))]
    return [name for name in names if '"stageFlowNodes"' not in (RECORDINGS / f"{name}.json").read_text() and _has_stages(name)]


def _has_stages(name: str) -> bool:
    try:
        told = recorded(name).json
    except (KeyError, TypeError, ValueError):
        return False
    return isinstance(told, dict) and bool(told.get("stages"))


DESCRIBED = described()


def test_there_are_runs_to_look_at() -> None:
    assert len(DESCRIBED) > 15
    assert SIDE_BY_SIDE.keys() <= set(DESCRIBED)


@pytest.mark.parametrize("name", DESCRIBED)
def test_only_what_ran_side_by_side_is_a_branch(name: str) -> None:
    found = PARSER.stages(recorded(name).json, BuildRef(clean("x"), 1)).stages
    assert {one.name for one in found if one.branch} == SIDE_BY_SIDE.get(name, set())


def test_while_branches_run_none_of_them_is_over() -> None:
    found = PARSER.stages(recorded("pipeline/fanout-build-step-running-wfapi").json, BuildRef(clean("x"), 1)).stages
    assert [(one.status, one.duration) for one in found] == [(StageStatus.IN_PROGRESS, None)] * 3
    nested = PARSER.stages(recorded("parallel-describe-running").json, BuildRef(clean("x"), 1)).stages
    assert [one.status.value for one in nested] == ["SUCCESS", "IN_PROGRESS", "IN_PROGRESS", "NOT_EXECUTED"]
    assert nested[1].took(NOW + timedelta(days=9)) > nested[0].took(NOW)


def test_a_branch_that_failed_stays_failed_while_the_others_run() -> None:
    listed = [
        stage("fan out", at=0, took=1),
        stage("unit", StageStatus.FAILED, at=1, took=3),
        stage("lint", StageStatus.IN_PROGRESS, at=1.1, took=None),
    ]
    assert [(one.status, one.branch) for one in with_branches(listed, running=True)] == [
        (StageStatus.SUCCESS, False),
        (StageStatus.FAILED, True),
        (StageStatus.IN_PROGRESS, True),
    ]


def test_what_comes_after_branches_ends_their_doubt() -> None:
    listed = [
        stage("fan out", at=0, took=1),
        stage("unit", at=1, took=3),
        stage("lint", at=1.1, took=2),
        stage("join", StageStatus.IN_PROGRESS, at=4.2, took=None),
    ]
    assert [one.status.value for one in with_branches(listed, running=True)][:3] == ["SUCCESS"] * 3
    assert [one.branch for one in with_branches(listed, running=True)] == [False, True, True, False]


def test_branches_that_have_all_ended_are_over_before_the_next_stage_begins() -> None:
    listed = [stage("fan out", at=0, took=1), stage("unit", at=1, took=3), stage("lint", at=1.1, took=2)]
    assert [one.status.value for one in with_branches(listed, running=True)] == ["SUCCESS"] * 3


def test_two_parallels_one_after_the_other() -> None:
    listed = [
        stage("first", at=0, took=1),
        stage("a", at=1, took=3),
        stage("b", at=1.1, took=2),
        stage("second", at=4.2, took=1),
        stage("c", at=5.2, took=3),
        stage("d", at=5.3, took=2),
        stage("end", at=8.3, took=2),
    ]
    marked = [str(one.name) for one in with_branches(listed, running=False) if one.branch]
    assert marked == ["a", "b", "c", "d"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_stages_in_a_row_are_no_branches(count: int) -> None:
    listed = [stage(f"s{at}", at=at * 5.0) for at in range(count)]
    assert with_branches(listed, running=False) == tuple(listed)


def test_the_median_is_of_those_that_went_through() -> None:
    took = [build(number=number, took=minutes) for number, minutes in enumerate((9, 1, 5))]
    assert median(took) == timedelta(minutes=5)
    assert median([*took, build(number=9, took=7)]) == timedelta(minutes=6)
    others = [build(number=10, result=result, took=99) for result in (Result.FAILURE, Result.ABORTED, Result.NOT_BUILT)]
    assert median([*took, *others, build(number=11, result=None)]) == timedelta(minutes=5)
    assert median([*took, build(number=12, result=Result.UNSTABLE, took=3)]) == timedelta(minutes=4)
    assert median(others) is None
    assert median([]) is None


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    assert build(result=None, minutes=-3).took(NOW) == timedelta(0)
    assert replace(build(), duration=timedelta(seconds=-4)).took(NOW) == timedelta(0)


@pytest.mark.parametrize(
    ("job", "shown"),
    [
        ("train", "train #3"),
        ("my-repo/feature%2Fx", "my-repo/feature/x #3"),
        ("my-repo/%E3%81%82", "my-repo/あ #3"),
        ("team/50%", "team/50% #3"),
        ("a/%1B%5B2J", "a/ #3"),
        ("a/%FF", "a/\N{REPLACEMENT CHARACTER} #3"),
    ],
)
def test_a_branch_goes_by_its_own_name(job: str, shown: str) -> None:
    assert BuildRef(clean(job), 3).shown == shown
    assert f"{as_people_write(job)} #3" == shown
