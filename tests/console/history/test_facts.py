"""What is known of a run: told in any order, kept without secrets, read whatever the file says."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from console.history import facts
from console.model.history import Asked, PastRun, Published, Saved
from console.model.state import State, StateClass
from console.model.times import nanoseconds
from console.text import Clean
from tests.console.history.making import BEGIN, FULL_RUN, run

TEXTS = st.one_of(st.none(), st.sampled_from([Clean("one"), Clean("two")]))
RUNS = st.builds(
    run,
    project=TEXTS,
    commit=TEXTS,
    reason=TEXTS,
    started=st.one_of(st.none(), st.just(BEGIN)),
    ended=st.one_of(st.none(), st.just(BEGIN + timedelta(hours=1))),
    checkpoint=st.one_of(st.none(), st.builds(Saved, st.integers(0, 3), st.just(7))),
    peak_memory=st.one_of(st.none(), st.integers(0, 5)),
)


@given(st.lists(st.tuples(RUNS, st.integers(0, 3)), min_size=1, max_size=4))
def test_tellings_may_come_in_any_order_and_twice(told: list[tuple[PastRun, int]]) -> None:
    tellings = [facts.telling(one, at) for one, at in told]
    ends = {facts.dumped(reduce(facts.merged, order, {})) for order in itertools.permutations(tellings)}
    ends.add(facts.dumped(reduce(facts.merged, [*tellings, *tellings], {})))
    assert len(ends) == 1


def test_nothing_is_lost_on_the_way() -> None:
    text = facts.dumped(facts.telling(FULL_RUN, 5))
    assert facts.run_of(FULL_RUN.key, facts.loaded(text), kept=False, bare=False) == FULL_RUN


def test_what_is_unknown_does_not_erase_what_is_known() -> None:
    known = facts.merged(facts.telling(run(project=Clean("a")), 1), facts.telling(run(commit=Clean("c")), 2))
    assert facts.run_of("a#1", known, kept=False, bare=False) == run(project=Clean("a"), commit=Clean("c"))


def test_the_end_counts_more_than_a_clock_that_was_ahead() -> None:
    running = run(state=State(StateClass.ACTIVE, Clean("running")), reason=None)
    ended = run(state=State(StateClass.GOOD, Clean("passed")), ended=BEGIN)
    known = facts.merged(facts.telling(ended, 5), facts.telling(running, 900))
    assert facts.run_of("a#1", known, kept=False, bare=False).state == ended.state


def test_no_secret_gets_in() -> None:
    secret = "hf_" + "x" * 20
    said = facts.telling(
        run(
            parameters={Clean("HF_TOKEN"): Clean(secret), Clean("OVERRIDES"): Clean(f"lr=1 hub.token={secret} epochs=2")},
            causes=(Clean(f"started with API_KEY={secret}"),),
            reason=Clean(f"cannot push: password={secret}"),
            published=Published(Clean("r"), Clean("v"), Clean("t"), Clean(f"https://hub/?token={secret}")),
        ),
        1,
    )
    text = facts.dumped(said)
    assert secret not in text
    found = facts.run_of("a#1", said, kept=False, bare=False)
    assert found.parameters == {"HF_TOKEN": "********", "OVERRIDES": "lr=1 hub.token=******** epochs=2"}


def test_more_parameters_than_anybody_reads_are_cut() -> None:
    many = {Clean(f"p{at:05}"): Clean("1") for at in range(5000)}
    found = facts.run_of("a#1", facts.telling(run(parameters=many), 1), kept=False, bare=False)
    assert len(found.parameters) == facts.MOST_PARAMETERS


def test_what_a_newer_version_knows_is_passed_on() -> None:
    newer = {"carbon": [True, 7, {"grams": 12}], "project": [False, 1, "a"]}
    again = facts.merged(facts.loaded(json.dumps(newer)), facts.telling(run(commit=Clean("c")), 3))
    assert facts.loaded(facts.dumped(again))["carbon"] == [True, 7, {"grams": 12}]


def test_nonsense_in_the_file_counts_as_not_told() -> None:
    for text in (
        "",
        "[]",
        "{",
        '{"project": 5}',
        '{"project": [1, 2, 3]}',
        "[" * 100_000,
        None,
        b"\x00",
        '{"a": [true, "x", 1]}',
    ):
        assert facts.loaded(text) == {}
    strange = {
        name: [False, 1, value]
        for name, value in {
            "project": 5,
            "number": "x",
            "started": 10**30,
            "ended": True,
            "parameters": [1],
            "causes": "text",
            "state": [["BROKEN"], 1],
            "published": {"repo": "r"},
            "checkpoint": {"epoch": "x", "bytes": 1},
            "asked": {"gpus": 2, "memory": "x"},
            "image": "a\x1b[31mred",
        }.items()
    }
    found = facts.run_of("a#1", strange, kept=False, bare=False)
    assert found == run(image=Clean("ared"), asked=Asked(gpus=2))
    assert type(found.image) is Clean


def test_moments_are_exact_to_the_microsecond() -> None:
    moment = datetime(2026, 11, 29, 1, 2, 3, 456789, tzinfo=UTC)
    assert facts.moment(nanoseconds(moment)) == moment
    assert facts.moment(10**30) is None
