"""What the demo remembers: runs that can be compared, and a day of its cards and machine with one gap in it."""

from __future__ import annotations

from datetime import timedelta

from console.demo import FrozenClock, demo_past
from console.demo.past import GAP, DemoPast
from console.demo.story import BY_NUMBER
from console.model.past import Past
from console.model.times import nanoseconds
from tests.console.demo.joining import joined
from tests.console.demo.stepping import BEGAN

DAY = 86400.0


def past_at(elapsed: float = 0.0) -> DemoPast:
    return demo_past(FrozenClock(BEGAN + timedelta(seconds=elapsed), elapsed))


def nano(elapsed: float) -> int:
    return nanoseconds(BEGAN + timedelta(seconds=elapsed))


async def test_it_is_what_a_screen_asks_of_the_past() -> None:
    past: Past = past_at()
    found = await past.runs("project-a")
    assert [str(one.key) for one in found.runs] == [
        "train#128",
        "train#125",
        "train#120",
        "train#112",
        "train#104",
        "train#96",
    ]
    assert (found.words, found.recorder) == (None, True)
    assert {str(one.project) for one in (await past.runs()).runs} >= {"project-a", "project-b", "project-c", "vision-large"}
    assert len((await past.runs(limit=3)).runs) == 3
    assert await past.run("train#7") is None
    assert await past.figures("train#7") is None
    await past.aclose()


async def test_runs_of_it_are_those_that_are_seen() -> None:
    at = await joined(0.0)
    past = past_at()
    for run in at.runs.values():
        known = await past.run(str(run.key))
        if known is None:
            continue
        assert (known.project, known.commit) == (run.project, run.commit)
        assert (known.ended is not None) == run.ended, run.shown
        if run.ended:
            assert known.state is not None
            assert (known.state.word, known.reason or "") == (run.state.word, run.why)
        assert run.container is None or known.container == run.container.name
        if run.container is not None and run.phase.name == "TRAINING":
            told, seen = await past.figures(str(run.key)), await at.figures(str(run.shown))
            assert told is not None
            assert (told.step, told.epoch) == (seen.step, seen.epoch)
            assert [curve.spots for curve in told.curves] == [curve.spots for curve in seen.curves]


async def test_runs_can_be_compared() -> None:
    past = past_at()
    first, second = await past.run("train#104"), await past.run("train#125")
    assert first is not None
    assert second is not None
    assert dict(first.parameters)["OVERRIDES"] == "lr=0.0003"  # type: ignore[index]  # a plain string finds a clean one
    assert "OVERRIDES" not in dict(second.parameters)
    for key in ("train#104", "train#125"):
        figures = await past.figures(key)
        assert figures is not None
        assert figures.step == 6330
        assert figures.loss is not None
        assert figures.score is not None
        assert figures.score.best is not None
        assert figures.loss.spots[0].value > 3 * figures.loss.last.value
    assert first.published is not None
    assert first.published.tag == "build-104"


async def test_what_goes_on_is_remembered_when_it_is_over() -> None:
    ends = BY_NUMBER[128].ends or 0.0
    before, after = await past_at().run("train#128"), await past_at(ends + 60.0).run("train#128")
    assert before is not None
    assert after is not None
    assert (before.ended, before.published, before.checkpoint and before.checkpoint.epoch) == (None, None, 14)
    assert after.ended == BEGAN + timedelta(seconds=ends)
    assert after.state is not None
    assert (after.state.word, after.published and after.published.tag) == ("published", "build-128")
    assert await past_at().run("train#129") is None, "it waits for its card"


async def test_a_day_of_cards_and_machine_has_one_gap() -> None:
    past = past_at()
    found = await past.around(nano(-DAY), nano(0.0), 144)
    assert [(one.begin, one.end) for one in found.gaps] == [(nano(GAP[0]), nano(GAP[1]))]
    assert [card.index for card in found.cards] == [0, 1]
    assert found.host is not None
    away = [at for at, value in enumerate(found.host.cpu.mean) if value is None]
    assert away == list(range(90, 94)), "forty minutes in columns of ten"
    for card in found.cards:
        for trace in (card.utilisation, card.memory, card.temperature, card.power):
            assert len(trace.mean) == len(trace.high) == 144
            assert [at for at, value in enumerate(trace.mean) if value is None] == away
            both = zip(trace.mean, trace.high, strict=True)
            assert all(mean <= high for mean, high in both if mean is not None and high is not None)
    assert found.cards[0].runs[-1] == "train#128"
    assert found.cards[1].runs[-20] == "train#126"
    assert found.cards[0].runs[-20] is None


async def test_what_nobody_can_have_seen_is_a_gap_too() -> None:
    found = await past_at().around(nano(-2 * DAY), nano(-1.5 * DAY), 10)
    assert found.host is not None
    assert set(found.host.cpu.mean) == {None}
    assert [(one.begin, one.end) for one in found.gaps] == [(nano(-2 * DAY), nano(-1.5 * DAY))]
    ahead = await past_at().around(nano(-600.0), nano(600.0), 10)
    assert ahead.host is not None
    assert [value is None for value in ahead.host.cpu.mean] == [False] * 5 + [True] * 5


async def test_what_the_list_says_of_a_run_is_what_its_log_said() -> None:
    past = past_at()
    briefs = (await past.runs("project-a")).figures
    assert len(briefs) == 5
    for key, brief in briefs.items():
        whole = await past.figures(key)
        assert whole is not None
        assert whole.loss is not None
        assert brief.loss is not None
        assert (brief.loss.name, brief.loss.last.value, brief.loss.best) == ("loss", whole.loss.last.value, whole.loss.best)
        assert brief.score is not None
        assert brief.score.name == "val_acc"
    assert (await past.runs("project-a")).figures == briefs
