"""Which run a word means, and which went well last."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.model.build import BuildRef
from console.model.run import Phase, Run
from console.model.state import StateClass, state
from console.runs.meant import ManyMeantError, fitting, last_good, meant, near
from console.text import clean
from tests.console.fakes import NOW


def run(key: str, project: str, ago: float = 60, *, good: bool = True, ended: bool = True) -> Run:
    """`ago` minutes before NOW it ended."""
    job, _, number = key.partition("@")[0].partition("#")
    shown = state(StateClass.GOOD, "published") if good else state(StateClass.BROKEN, "failed")
    return Run(
        clean(key),
        clean(project),
        clean(f"#{number}"),
        Phase.ENDED if ended else Phase.TRAINING,
        shown if ended else state(StateClass.ACTIVE, "training"),
        clean(""),
        ref=BuildRef(clean(job), int(number)) if job != "local" else None,
        since=NOW - timedelta(minutes=ago),
    )


NEWEST = run("train#128", "project-a", 1, ended=False)
FAILED = run("train#41", "project-b", 22, good=False)
OTHER = run("nightly#41", "project-c", 30)
HAND = run("local#3", "project-d", 40)
OLDER = run("train#120", "project-a", 300)
EVERY = [NEWEST, FAILED, OTHER, HAND, OLDER]


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("train#128", "train#128"),
        ("project-a #128", "train#128"),
        ("128", "train#128"),
        ("#128", "train#128"),
        ("project-a", "train#128"),
        ("project-d", "local#3"),
        ("local#3", "local#3"),
        ("3", None),
        ("train#7", None),
        ("project", None),
    ],
)
def test_a_run_is_called_by_key_number_or_project(word: str, key: str | None) -> None:
    found = meant(EVERY, word)
    assert (str(found.key) if found is not None else None) == key


def test_a_number_of_several_jobs_asks_which() -> None:
    with pytest.raises(ManyMeantError, match=r"^41 can be train#41, nightly#41: say which\.$"):
        meant(EVERY, "41")


def test_the_run_of_a_job_that_was_made_anew_stands_back() -> None:
    before = run("train#128@1f", "project-a")
    assert meant([before, *EVERY], "128") is NEWEST
    assert meant([before], "128") is before


def test_what_was_nearly_said_is_named() -> None:
    assert near(EVERY, "trian#128") == "train#128"
    assert near(EVERY, "projekt-b") == "project-b"
    assert near(EVERY, "zzz") is None


def test_parts_fit_and_who_is_meant_comes_first() -> None:
    assert [str(one.key) for one in fitting(EVERY, "project-a")] == ["train#128", "train#120"]
    assert [str(one.key) for one in fitting(EVERY, "120")] == ["train#120"]
    assert [str(one.key) for one in fitting(EVERY, "41")] == ["train#41", "nightly#41"]
    assert [str(one.key) for one in fitting([OLDER, NEWEST], "train#12")] == ["train#120", "train#128"]
    assert next(fitting([run("train#1280", "project-a"), NEWEST], "128")) is NEWEST
    assert len(list(fitting(EVERY, ""))) == len(EVERY)


def test_the_last_good_run_is_the_newest_before_it() -> None:
    good = [run("train#130", "project-a", 10), run("train#110", "project-a", 900), *EVERY]
    assert last_good(good, OLDER) is good[1]
    assert last_good(good, NEWEST) is good[0]
    assert last_good([*EVERY, run("train#129", "project-a", 2, good=False)], NEWEST) is OLDER
    assert last_good(EVERY, FAILED) is None, "nothing of its project went well"
    newer = run("train#50", "project-b", 5)
    assert last_good([*EVERY, newer], FAILED) is newer, "where none went well before it the newest that did"
