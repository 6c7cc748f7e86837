"""Carrying out a plan: once, only while it fits, recorded before and after, with every object's own fate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from console.actions.doer import Doer, RefusedError
from console.actions.plan import Fate, Outcome, Plan, Result, Target, Tell, moved
from console.model.source import SourceError, SourceState
from console.text import Clean, clean
from tests.console.actions.acts import Lamps, Notebook


def told() -> tuple[list[str], Callable[[Clean], None]]:
    words: list[str] = []
    return words, words.append


def fates(outcome: Outcome | Plan) -> dict[str, Fate]:
    assert isinstance(outcome, Outcome)
    return {str(one.target.name): one.fate for one in outcome.results}


def quiet(_: Clean) -> None:
    """What is told is of no interest."""


async def test_it_is_done_recorded_and_told() -> None:
    act, book, refreshed = Lamps({"a", "b"}, ("a",)), Notebook(), []
    words, tell = told()
    outcome = await Doer(book, lambda: refreshed.append(len(act.on))).carry_out(await act.plan(), tell)
    assert fates(outcome) == {"a": Fate.DONE}
    assert act.on == {"b"}
    assert words == ["darkening a"]
    assert book.phases == ["begun", "ended"]
    assert refreshed == [1], "what is watched is read anew when it has been done"


async def test_the_same_plan_is_carried_out_once() -> None:
    """A key that was pressed twice, however close: the second one finds that it was agreed to."""
    act = Lamps({"a"}, ("a",))
    plan, doer = await act.plan(), Doer(Notebook())
    results = await asyncio.gather(doer.carry_out(plan, quiet), doer.carry_out(plan, quiet), return_exceptions=True)
    assert [type(one) for one in results] == [Outcome, RefusedError]
    assert act.asked == ["a"]


async def test_a_plan_that_no_longer_fits_is_made_anew_and_nothing_is_done() -> None:
    act, book = Lamps({"a", "b"}, ("a", "b")), Notebook()
    plan = await act.plan()
    act.on.discard("b")
    newer = await Doer(book).carry_out(plan, quiet)
    assert isinstance(newer, Plan)
    assert newer.moved == "b is dark already."
    assert [one.name for one in newer.doable] == ["a"]
    assert (act.asked, book.lines) == ([], [])
    # The newer one is another plan: it can be agreed to.
    assert fates(await Doer(book).carry_out(newer, quiet)) == {"a": Fate.DONE}


async def test_a_plan_of_nothing_is_refused_with_its_reason() -> None:
    act = Lamps(set(), ("a",))
    with pytest.raises(RefusedError) as refused:
        await Doer(Notebook()).carry_out(await act.plan(), quiet)
    assert refused.value.reason == "a is dark already."


async def test_objects_have_fates_of_their_own() -> None:
    act = Lamps({"a", "b", "c"}, ("a", "b", "c"))
    act.broken["b"] = SourceError(SourceState.OK, clean("b is hot."))
    book = Notebook()
    outcome = await Doer(book).carry_out(await act.plan(), quiet)
    assert fates(outcome) == {"a": Fate.DONE, "b": Fate.FAILED, "c": Fate.DONE}
    assert isinstance(outcome, Outcome)
    assert [one.words for one in outcome.failed] == ["b is hot."]
    assert outcome.worst is Fate.FAILED
    assert book.outcome.results == outcome.results


async def test_what_is_called_off_is_left() -> None:
    act = Lamps({"a", "b", "c"}, ("a", "b", "c"))
    outcome = await Doer(Notebook()).carry_out(await act.plan(), quiet, lambda: "b" in act.asked)
    assert fates(outcome) == {"a": Fate.DONE, "b": Fate.DONE, "c": Fate.LEFT}
    assert act.on == {"c"}


async def test_without_a_record_nothing_is_done() -> None:
    act = Lamps({"a"}, ("a",))
    with pytest.raises(RefusedError) as refused:
        await Doer(Notebook(full=True)).carry_out(await act.plan(), quiet)
    assert refused.value.reason == "Not done, because it cannot be recorded: the disk is full."
    assert act.asked == []


async def test_what_ends_or_frees_something_is_done_even_so_and_says_so() -> None:
    act = Lamps({"a"}, ("a",), even_unrecorded=True)
    outcome = await Doer(Notebook(full=True)).carry_out(await act.plan(), quiet)
    assert isinstance(outcome, Outcome)
    assert (fates(outcome), outcome.unrecorded) == ({"a": Fate.DONE}, "the disk is full.")


async def test_a_disk_that_fills_up_between_the_two_lines_is_told() -> None:
    act = Lamps({"a"}, ("a",))
    outcome = await Doer(Notebook(full_after=1)).carry_out(await act.plan(), quiet)
    assert isinstance(outcome, Outcome)
    assert (fates(outcome), outcome.unrecorded) == ({"a": Fate.DONE}, "the disk is full.")


async def test_what_is_broken_off_is_recorded_as_that() -> None:
    """Somebody leaves the console in the middle: what was under way may have happened."""
    act, book = Lamps({"a", "b", "c"}, ("a", "b", "c")), Notebook()
    reached, never = asyncio.Event(), asyncio.Event()
    perform = act.perform

    async def slow(plan: Plan, target: object, tell: Callable[[Clean], None]) -> object:
        if target.name == "b":  # type: ignore[attr-defined]
            reached.set()
            await never.wait()
        return await perform(plan, target, tell)  # type: ignore[arg-type]

    act.perform = slow  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(Doer(book).carry_out(await act.plan(), quiet))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fates(book.outcome) == {"a": Fate.DONE, "b": Fate.UNSURE, "c": Fate.LEFT}


async def test_a_world_that_cannot_be_looked_at_leaves_everything_as_it_is() -> None:
    act, book = Lamps({"a"}, ("a",)), Notebook()
    plan = await act.plan()

    async def away() -> Plan:
        raise SourceError(SourceState.UNREACHABLE, clean("nobody answers."))

    look, doer = act.plan, Doer(book)
    act.plan = away  # type: ignore[method-assign]
    with pytest.raises(SourceError, match="nobody answers"):
        await doer.carry_out(plan, quiet)
    assert (act.asked, book.lines) == ([], [])
    # Nothing was done, so the same plan can be agreed to when somebody answers again.
    act.plan = look  # type: ignore[method-assign]
    assert fates(await doer.carry_out(plan, quiet)) == {"a": Fate.DONE}


async def test_moved_compares_what_a_plan_rests_on() -> None:
    act = Lamps({"a", "b"}, ("a", "b"))
    before = await act.plan()
    assert moved(before, await act.plan()) is None
    act.wanted = ("a",)
    assert moved(before, await act.plan()) == "b burns again.", "a fact that is gone counts as changed"


class Street(Lamps):
    """All lamps go out with the first one."""

    dark = False

    def begun(self, _target: Target) -> bool:
        return self.dark

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        found = await super().perform(plan, target, tell)
        self.dark = True
        return found


async def test_what_is_done_with_the_first_cannot_be_called_off() -> None:
    act = Street({"hall", "attic", "cellar"}, ("hall", "attic", "cellar"))
    outcome = await Doer(Notebook()).carry_out(await act.plan(), lambda _: None, lambda: act.dark)
    assert isinstance(outcome, Outcome)
    assert [one.fate for one in outcome.results] == [Fate.DONE] * 3


async def test_what_was_begun_with_the_first_is_unsure_when_it_is_broken_off() -> None:
    act, book = Street({"hall", "attic"}, ("hall", "attic")), Notebook()

    def stop(_: str) -> None:
        act.dark = True
        raise asyncio.CancelledError

    act.before_each = stop
    with pytest.raises(asyncio.CancelledError):
        await Doer(book).carry_out(await act.plan(), lambda _: None)
    assert [one.fate for one in book.outcome.results] == [Fate.UNSURE] * 2
