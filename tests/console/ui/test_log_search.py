"""Searching and filtering a log on the screen, over everything that is kept, and while more comes."""

from __future__ import annotations

import pytest

from console.model.container import Container
from tests.console.fakes import FakeEngine, container
from tests.console.ui.logapp import Sitting, entry, log_of, looking_at, numbered
from tests.support.waiting import until


def memories(count: int = 5) -> list[object]:
    """A hundred lines for each that says memory."""
    return [entry(at, f"memory {at // 100}" if at % 100 == 50 else f"line {at}") for at in range(100 * count)]


async def search(sitting: Sitting, text: str) -> None:
    await sitting.press("slash")
    await sitting.type(text)
    await sitting.press("enter")


async def only(sitting: Sitting, text: str) -> None:
    await sitting.press("ampersand")
    await sitting.type(text)
    await sitting.press("enter")


async def test_hits_are_counted_and_gone_through_in_both_directions() -> None:
    async with log_of(*memories()) as (sitting, _):  # type: ignore[arg-type]
        await sitting.shows("line 499")
        await search(sitting, "memory")
        await sitting.shows("/memory  1 of 5   n next  N back")
        assert sitting.cursor.endswith("memory 0")
        await sitting.press("n", "n")
        assert sitting.cursor.endswith("memory 2")
        assert "3 of 5" in sitting.status
        await sitting.press("N")
        assert "2 of 5" in sitting.status
        await sitting.press("n", "n", "n", "n")
        await sitting.shows("on from the top")
        assert sitting.cursor.endswith("memory 0")


async def test_every_match_on_the_screen_is_highlighted() -> None:
    async with log_of(entry(0, "memory and Memory, twice memory"), entry(1, "none")) as (sitting, _):
        await sitting.shows("none")
        await search(sitting, "memory")
        await sitting.shows("1 of 1")
        hit = sitting.screen.look.palette.roles["hit"]  # type: ignore[index]  # a str too
        body = sitting.screen.body
        lit = [
            segment.text
            for y in range(2)
            for segment in body.render_line(y)
            if segment.style is not None and segment.style.bgcolor is not None and segment.style.bgcolor.name == hit
        ]
        assert lit == ["memory", "Memory", "memory"]


async def test_capitals_count_only_when_one_is_typed() -> None:
    async with log_of(entry(0, "Loss 1"), entry(1, "loss 2"), entry(2, "LOSS 3")) as (sitting, _):
        await search(sitting, "loss")
        await sitting.shows("1 of 3")
        await search(sitting, "Loss")
        await sitting.shows("1 of 1")


async def test_a_search_reaches_what_had_not_been_read_yet_and_what_comes_later() -> None:
    lines = numbered(60_000)
    lines[3] = entry(3, "needle one")
    async with log_of(*lines) as (sitting, engine):
        await sitting.shows("line 59999", "1,000+ lines")
        await search(sitting, "needle")
        await sitting.shows("1 of 1", "60,000 lines")
        assert sitting.cursor.endswith("needle one")
        engine.say(entry(70_000, "needle two"))
        await sitting.shows("1 of 2")
        await sitting.press("n")
        await until(lambda: sitting.cursor.endswith("needle two"), "the new hit")


async def test_hits_show_while_a_pattern_is_typed() -> None:
    async with log_of(*memories()) as (sitting, _):  # type: ignore[arg-type]
        await sitting.shows("line 499")
        await sitting.press("slash")
        await sitting.type("mem")
        await sitting.shows("/mem  5 found")
        assert sitting.screen.port.following, "nothing moves before enter"
        await sitting.press("escape")
        assert "following" in sitting.status
        assert "found" not in sitting.status


async def test_a_pattern_that_is_none_says_what_is_wrong_and_keeps_the_last_search() -> None:
    async with log_of(*memories()) as (sitting, _):  # type: ignore[arg-type]
        await search(sitting, "memory")
        await sitting.shows("1 of 5")
        await sitting.press("slash")
        await sitting.type("(mem")
        await sitting.shows("is no pattern")
        await sitting.press("enter")
        await sitting.shows("/memory")


async def test_nothing_found_is_said() -> None:
    async with log_of(*numbered(10)) as (sitting, _):
        await search(sitting, "zebra")
        await sitting.shows("no line matches zebra")
        await sitting.press("escape")
        await sitting.lacks("/zebra")
        await sitting.press("n")
        await sitting.shows("nothing is searched for")


async def test_a_hit_within_a_folded_traceback_unfolds_it() -> None:
    lines = [
        *numbered(3),
        entry(3, "Traceback (most recent call last):", stderr=True),
        entry(4, '  File "/app/loader.py", line 1, in fetch', stderr=True),
        entry(5, "ValueError: no", stderr=True),
    ]
    async with log_of(*lines) as (sitting, _):
        await sitting.shows("+2 lines")
        await search(sitting, "loader")
        await sitting.shows('File "/app/loader.py"')
        assert "loader.py" in sitting.cursor


async def test_a_filter_hides_and_says_how_many() -> None:
    lines = [entry(at, "heartbeat ok" if at % 4 else f"step {at}") for at in range(100)]
    async with log_of(*lines) as (sitting, engine):
        await sitting.shows("heartbeat")
        await only(sitting, "-heartbeat")
        await sitting.shows("& -heartbeat hides 75")
        assert all("step" in row for row in sitting.lines)
        engine.say(entry(100, "heartbeat ok"), entry(101, "step 101"))
        await sitting.shows("step 101", "hides 76")
        assert "following" in sitting.status


async def test_a_filter_reaches_what_had_not_been_read_yet() -> None:
    lines = numbered(9000)
    lines[3] = entry(3, "needle")
    async with log_of(*lines) as (sitting, _):
        await sitting.shows("line 8999", "1,000+ lines")
        await only(sitting, "needle")
        await sitting.shows("12:00:03   needle", "hides 8,999")


async def test_words_levels_and_quotes_make_a_filter() -> None:
    lines = [
        entry(0, "INFO:a:disk is full"),
        entry(1, "WARNING:a:disk is slow"),
        entry(2, "ERROR:a:net is down"),
        entry(3, "ERROR:a:disk is gone"),
    ]
    async with log_of(*lines) as (sitting, _):
        await only(sitting, ">=W disk")
        await sitting.shows("& disk >=W hides 2")
        assert [row.rsplit(" ", 1)[1] for row in sitting.lines] == ["slow", "gone"]
        await sitting.press("escape")
        await only(sitting, '"is s"')
        await sitting.shows("hides 3")


async def test_minus_and_plus_are_fewer_and_more_levels() -> None:
    lines = [entry(0, "DEBUG:a:d"), entry(1, "INFO:a:i"), entry(2, "WARNING:a:w"), entry(3, "ERROR:a:e"), entry(4, "plain")]
    async with log_of(*lines) as (sitting, _):
        await sitting.shows("plain")
        await sitting.press("minus", "minus")
        await sitting.shows("& >=W hides 3")
        assert [row[10] for row in sitting.lines] == ["W", "E"]
        await sitting.press("minus", "minus")
        await sitting.shows("only errors are shown")
        await sitting.press("plus", "plus", "plus")
        await sitting.lacks("hides")
        await sitting.press("plus")
        await sitting.shows("lines of every level are shown")


async def test_leaving_a_filter_returns_to_the_same_line_in_the_same_row() -> None:
    async with log_of(*memories()) as (sitting, _):  # type: ignore[arg-type]
        await sitting.shows("line 499")
        await sitting.press("pageup", "pageup", "k", "k")
        cursor, row = sitting.cursor, sitting.screen.port.place_of_cursor()
        await only(sitting, "memory")
        await sitting.shows("hides 495")
        assert "memory" in sitting.cursor
        await sitting.press("escape")
        await sitting.lacks("hides")
        assert (sitting.cursor, sitting.screen.port.place_of_cursor()) == (cursor, row)


async def test_a_line_found_in_a_filter_is_shown_among_its_neighbours_afterwards() -> None:
    async with log_of(*memories()) as (sitting, _):  # type: ignore[arg-type]
        await sitting.shows("line 499")
        await only(sitting, "memory")
        await sitting.shows("hides 495")
        await sitting.press("k", "k")
        assert sitting.cursor.endswith("memory 2")
        await sitting.press("escape")
        await sitting.shows("line 249", "line 251")
        assert sitting.cursor.endswith("memory 2")


async def test_a_filter_that_nothing_passes_says_how_to_see_all() -> None:
    async with log_of(*numbered(10)) as (sitting, _):
        await only(sitting, "zebra")
        await sitting.shows("No line passes. esc shows all 10.")
        await sitting.press("escape")
        await sitting.shows("line 9")


async def test_search_finds_only_what_the_filter_shows() -> None:
    lines = [entry(at, f"{'good' if at % 2 else 'bad'} memory {at}") for at in range(10)]
    async with log_of(*lines) as (sitting, _):
        await only(sitting, "-bad")
        await search(sitting, "memory")
        await sitting.shows("1 of 5")
        await sitting.press("escape")
        await sitting.lacks("/memory")
        await sitting.shows("& -bad hides 5")


async def test_a_broken_filter_says_so_and_shows_what_it_showed() -> None:
    async with log_of(*numbered(10)) as (sitting, _):
        await sitting.shows("line 9")
        await sitting.press("ampersand")
        await sitting.type("[")
        await sitting.shows("is no pattern")
        await sitting.press("enter")
        await sitting.shows("line 9")


def three() -> tuple[FakeEngine, list[Container]]:
    jenkins = container("mlops-jenkins-1", service="jenkins")
    trainer = container("mlops-project-a-128", labels={"mlops.managed": "true", "mlops.project": "project-a"})
    loader = container("zz-loader")
    engine = FakeEngine(jenkins, trainer, loader)
    engine.logs = {
        trainer.id: [entry(at, f"step {at}") for at in range(0, 40, 2)],
        jenkins.id: [entry(at, f"pipeline {at}") for at in range(1, 40, 4)],
        loader.id: [entry(at, f"shard {at}") for at in range(3, 40, 4)],
    }
    return engine, [jenkins, trainer, loader]


async def test_jenkins_is_merged_with_a_training_by_time_in_two_keys() -> None:
    engine, held = three()
    async with looking_at(engine, held, opened="") as sitting:
        await sitting.press("j", "L")
        await sitting.shows("step 38")
        await sitting.press("M")
        await sitting.shows("Sources", "jenkins")
        await sitting.press("enter")
        await sitting.shows("merged by time:  a mlops-project-a-128  b mlops-jenkins-1", "pipeline 37")
        rows = [row[10:].split() for row in sitting.lines]
        assert rows[-4:] == [["b", "pipeline", "33"], ["a", "step", "34"], ["a", "step", "36"], ["b", "pipeline", "37"]] or [
            one[-1] for one in rows
        ] == sorted((one[-1] for one in rows), key=int)
        assert {one[0] for one in rows} == {"a", "b"}


async def test_a_source_is_muted_and_heard_again() -> None:
    engine, held = three()
    async with looking_at(engine, held, opened="") as sitting:
        await sitting.press("j", "L")
        await sitting.shows("step 38")
        await sitting.press("M", "enter")
        await sitting.shows("pipeline 37")
        await sitting.press("M", "k", "m")
        await sitting.shows("muted")
        await sitting.press("enter")
        await sitting.lacks("pipeline 37")
        await sitting.shows("b mlops-jenkins-1 (muted)", "step 38")
        await sitting.press("M", "k", "m", "enter")
        await sitting.shows("pipeline 37")


async def test_sources_are_added_and_dropped_by_space() -> None:
    engine, held = three()
    async with looking_at(engine, held, opened="") as sitting:
        await sitting.press("j", "L")
        await sitting.shows("step 38")
        await sitting.press("M", "G", "space", "g", "space", "enter")
        await sitting.shows("shard 39", "› zz-loader › log")
        await sitting.lacks("step")


async def test_a_whole_compose_project_is_one_of_the_sources() -> None:
    first, second = container("p-a-1", service="a"), container("p-b-1", service="b")
    engine = FakeEngine(first, second)
    engine.logs = {first.id: [entry(0, "from a")], second.id: [entry(1, "from b")]}
    async with looking_at(engine, [first, second]) as sitting:
        await sitting.shows("from a")
        await sitting.press("M")
        await sitting.shows("all of mlops", "2 containers")


@pytest.mark.parametrize("text", ["\x1b]52;c;ZWNobw==\x07clip", "\x1b[2J\x1b[Hclear", "\u202egpj.exe", "a\x9b31mb", "bell\x07"])
async def test_nothing_that_a_log_says_reaches_the_terminal_as_a_command(text: str) -> None:
    async with log_of(entry(0, text), entry(1, "after")) as (sitting, _):
        await sitting.shows("after")
        await sitting.press("r", "k")
        for raw in (False, True):
            assert sitting.screen.dress.raw is not raw
            for y in range(3):
                shown = sitting.screen.body.render_line(y).text
                assert shown.isprintable(), repr(shown)
                assert not any(character in shown for character in "\x1b\x9b\x07\u202e")
            await sitting.press("r")


async def test_logs_are_opened_by_their_names_from_the_command_line_of_the_screen() -> None:
    engine, held = three()
    async with looking_at(engine, held, opened="") as sitting:
        await sitting.press("colon")
        await sitting.type("logs jen")
        await sitting.shows("logs jenkins")
        await sitting.press("enter")
        await sitting.shows("pipeline 37", "› jenkins › log")
        await sitting.press("colon")
        await sitting.type("logs zz-loader mlops-p")
        await sitting.shows("logs zz-loader mlops-project-a-128")
        await sitting.press("enter")
        await sitting.shows("merged by time:  a zz-loader  b mlops-project-a-128", "shard 39", "step 38")
        await sitting.press("q")
        assert "Services" in sitting.text, "one level back is the list"


async def test_the_word_logs_alone_asks_whose() -> None:
    engine, held = three()
    async with looking_at(engine, held, opened="") as sitting:
        await sitting.press("colon")
        await sitting.type("logs")
        await sitting.press("enter")
        await sitting.shows("logs mlops", "logs zz-loader")
        await sitting.press("escape")
        await sitting.lacks("Commands")
