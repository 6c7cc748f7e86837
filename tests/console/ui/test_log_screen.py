"""A log on the screen: following, scrolling, and how lines are shown."""

from __future__ import annotations

import pytest

from tests.console.ui.logapp import NOON, TRACEBACK, entry, log_of, numbered, with_traceback
from tests.console.ui.pressing import main_of
from tests.console.ui.screenapp import still
from tests.support.waiting import until


async def test_the_newest_lines_are_there_and_more_come_by_themselves() -> None:
    async with log_of(*numbered(100)) as (sitting, engine):
        await sitting.shows("line 99", "following")
        assert sitting.lines[-1] == " 12:01:39   line 99"
        assert len(sitting.lines) == 20
        assert " Log  100 lines, 12:00 to 12:01" in sitting.title
        engine.say(entry(100, "line 100"))
        await sitting.shows("line 100")
        assert "following" in sitting.status


async def test_scrolling_pauses_and_says_how_many_new_lines_wait() -> None:
    async with log_of(*numbered(100)) as (sitting, engine):
        await sitting.shows("line 99")
        await sitting.press("ctrl+u")
        assert sitting.lines[-1].endswith("line 89")
        assert "paused  f follow" in sitting.status
        engine.say(*numbered(37, start=100))
        await sitting.shows("paused, 37 new lines below  f follow")
        assert sitting.lines[-1].endswith("line 89"), "nothing moved under the reader's eyes"
        await sitting.press("f")
        await sitting.shows("line 136", "following")


async def test_moving_the_cursor_scrolls_only_at_the_edges() -> None:
    async with log_of(*numbered(100)) as (sitting, _):
        await sitting.shows("line 99")
        await sitting.press("k")
        assert sitting.cursor.endswith("line 98")
        assert sitting.lines[-1].endswith("line 99")
        await sitting.press(*["k"] * 20)
        assert sitting.cursor.endswith("line 78")
        assert sitting.lines[0].endswith("line 78")
        await sitting.press("j", "j")
        assert sitting.cursor.endswith("line 80")
        assert sitting.lines[0].endswith("line 78")


async def test_paging_down_to_the_end_follows_again() -> None:
    async with log_of(*numbered(100)) as (sitting, _):
        await sitting.shows("line 99")
        await sitting.press("pageup")
        assert "paused" in sitting.status
        await sitting.press("pagedown")
        assert "following" in sitting.status


async def test_older_lines_are_read_when_the_reader_comes_near_them() -> None:
    async with log_of(*numbered(3000)) as (sitting, engine):
        await sitting.shows("line 2999", "1,000+ lines")
        assert max(size or 0 for size in engine.reads) < 2500
        await sitting.press(*["pageup"] * 51)
        await sitting.shows("3,000 lines")
        await sitting.press("g")
        await until(lambda: sitting.cursor.endswith("line 0"), sitting.text)


async def test_the_first_line_of_all_is_one_key_away() -> None:
    async with log_of(*numbered(9000)) as (sitting, _):
        await sitting.shows("line 8999")
        await sitting.press("g")
        await until(lambda: sitting.cursor.endswith(" line 0"), "the first line")
        await sitting.press("G")
        await sitting.shows("line 8999", "following")


async def test_long_lines_are_cut_with_a_count_and_reached_sideways_or_wrapped() -> None:
    text = "".join(f"{number:<10}" for number in range(20))
    async with log_of(entry(0, text)) as (sitting, _):
        await sitting.shows("0         1")
        assert sitting.lines[0].endswith("⋯ +138")
        await sitting.press("l")
        assert "⋯" in sitting.lines[0][:14]
        assert "   0   " not in sitting.lines[0]
        await sitting.press("h")
        assert sitting.lines[0].endswith("⋯ +138")
        await sitting.press("w")
        assert len(sitting.lines) == 3
        assert "".join(row[12:].ljust(68) for row in sitting.lines).rstrip() == text.rstrip()


async def test_wide_characters_are_never_cut_in_half() -> None:
    text = "学習が進んでいます。" * 12
    async with log_of(entry(0, text), size=(61, 24)) as (sitting, _):
        await sitting.shows("学習")
        await sitting.press("w")
        assert "".join(row[12:] for row in sitting.lines).replace(" ", "") == text
        await sitting.press("w", "l")
        assert "⋯" in sitting.lines[0]


async def test_times_are_the_clock_none_or_an_age() -> None:
    async with log_of(*numbered(2)) as (sitting, _):
        await sitting.shows(" 12:00:01   line 1")
        await sitting.press("t")
        assert sitting.lines[-1] == "   line 1"
        await sitting.press("t")
        # The still world's clock says 14:03:46.
        assert sitting.lines[-1] == "    2h   line 1"
        await sitting.press("t")
        assert sitting.lines[-1] == " 12:00:01   line 1"


async def test_levels_and_standard_error_have_their_letters() -> None:
    lines = [
        entry(0, "plain"),
        entry(1, "WARNING:loader:slow"),
        entry(2, "ERROR:loader:broken"),
        entry(3, "to stderr", stderr=True),
        entry(4, "INFO:root:fine", stderr=True),
    ]
    async with log_of(*lines) as (sitting, _):
        await sitting.shows("INFO:root")
        assert [row[10] for row in sitting.lines] == [" ", "W", "E", "e", "I"]


async def test_lines_of_data_are_names_and_values_and_raw_one_key_away() -> None:
    data = '{"level":"info","msg":"step done","step":310,"metrics":{"train_loss":0.2310}}'
    async with log_of(entry(0, data)) as (sitting, _):
        await sitting.shows("step done  step 310  train_loss 0.2310")
        assert sitting.lines[0][10] == "I"
        await sitting.press("r")
        assert '{"level":"info"' in sitting.lines[0]
        await sitting.press("r", "enter")
        assert [row.split() for row in sitting.lines[1:]] == [["step", "310"], ["metrics.train_loss", "0.2310"]]
        await sitting.press("enter")
        assert len(sitting.lines) == 1


async def test_raw_shows_what_a_program_really_wrote() -> None:
    async with log_of(entry(0, "\x1b[31mred\x1b[0m done")) as (sitting, _):
        await sitting.shows("red done")
        await sitting.press("r")
        assert "␛[31mred␛[0m done" in sitting.lines[0]


async def test_a_traceback_is_one_row_until_it_is_unfolded() -> None:
    async with log_of(*with_traceback()) as (sitting, _):
        await sitting.shows("E RuntimeError: DataLoader worker is killed  +3 lines")
        assert "Traceback" not in sitting.text
        await sitting.press("e")
        assert sitting.cursor.startswith("12:00:30 E RuntimeError")
        await sitting.press("enter")
        assert [row[10:].rstrip() for row in sitting.lines if row[10] == "E"] == [f"E {text}" for text in TRACEBACK]
        await sitting.press("j", "j", "enter")
        await sitting.shows("+3 lines")
        assert sitting.cursor.startswith("12:00:30 E RuntimeError"), "folding from within ends on the folded row"


async def test_repeated_lines_are_one_on_demand() -> None:
    lines = [entry(0, "begin"), *(entry(1 + at, "heartbeat ok") for at in range(7)), entry(9, "end")]
    async with log_of(*lines) as (sitting, engine):
        await sitting.shows("end")
        await sitting.press("u")
        await sitting.shows("x heartbeat ok  (7 times)", "repeats collapsed")
        assert len([row for row in sitting.lines if "heartbeat" in row]) == 1
        engine.say(entry(10, "heartbeat ok"), entry(11, "heartbeat ok"))
        await sitting.shows("(2 times)")
        await sitting.press("u")
        await sitting.lacks("times)")


async def test_the_same_words_at_another_time_are_a_repeat() -> None:
    lines = [entry(at, f"2026-11-23 12:00:{at:02},123 WARNING disk is slow") for at in range(5)]
    async with log_of(*lines) as (sitting, _):
        await sitting.press("u")
        await sitting.shows("W 2026-11-23 12:00:00,123 WARNING disk is slow  (5 times)")


async def test_a_progress_bar_is_shown_as_it_is_now() -> None:
    async with log_of(*numbered(3)) as (sitting, engine):
        await sitting.shows("line 2")
        engine.say((NOON + int(4e9), False, b" 10%|#         |\r 20%|##        |"))
        await sitting.shows(" 20%|##        |")
        assert "10%" not in sitting.text
        engine.say((NOON + int(5e9), False, b"\r100%|##########|\n"))
        await sitting.shows("100%|##########|")


async def test_marks_stand_between_lines_and_are_jumped_to() -> None:
    async with log_of(*numbered(100)) as (sitting, engine):
        await sitting.shows("line 99")
        await sitting.press("m")
        await sitting.shows("mark 1")
        engine.say(*numbered(50, start=100))
        await sitting.shows("line 149")
        await sitting.lacks("mark 1")
        await sitting.press("apostrophe")
        assert sitting.cursor.endswith("line 100")
        at = next(number for number, row in enumerate(sitting.lines) if "mark 1" in row)
        assert sitting.lines[at + 1].endswith("line 100")
        await sitting.press("k", "k", "m")
        assert "mark 2" in sitting.text
        await sitting.press("m")
        assert "mark 2" not in sitting.text


@pytest.mark.parametrize(("asked", "line"), [("12:01:15", "line 75"), ("2026-11-23T12:00:10Z", "line 10"), ("11:59", "line 0")])
async def test_a_moment_is_gone_to(asked: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    class Afternoon(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 11, 23, 14, 3, 46, tzinfo=UTC)

    monkeypatch.setattr("console.ui.screens.logkeys.datetime", Afternoon)
    async with log_of(*numbered(2000)) as (sitting, _):
        await sitting.shows("line 1999")
        await sitting.press("T")
        await sitting.type(asked)
        await sitting.press("enter")
        await until(lambda: sitting.cursor.endswith(f" {line}"), sitting.text)


async def test_no_time_at_all_is_told_so() -> None:
    async with log_of(*numbered(5)) as (sitting, _):
        await sitting.press("T")
        await sitting.type("soon")
        await sitting.press("enter")
        await sitting.shows("soon is no time")


async def test_errors_are_gone_to_from_the_newest_back() -> None:
    lines = [entry(at, f"ERROR number {at}" if at % 40 == 0 else f"line {at}") for at in range(200)]
    async with log_of(*lines) as (sitting, _):
        await sitting.shows("line 199")
        await sitting.press("e")
        assert sitting.cursor.endswith("ERROR number 160")
        await sitting.press("E", "E")
        assert sitting.cursor.endswith("ERROR number 80")
        await sitting.press("e")
        assert sitting.cursor.endswith("ERROR number 120")
        await sitting.press("e", "e")
        await sitting.shows("no newer error")
        assert sitting.cursor.endswith("ERROR number 160")


async def test_a_log_without_errors_says_so() -> None:
    async with log_of(*numbered(2000)) as (sitting, _):
        await sitting.shows("line 1999")
        await sitting.press("e")
        await sitting.shows("no error in 2,000 lines")


async def test_an_error_far_back_in_history_is_found() -> None:
    lines = numbered(9000)
    lines[7] = entry(7, "ERROR the only one")
    async with log_of(*lines) as (sitting, _):
        await sitting.shows("line 8999")
        await sitting.press("e")
        await until(lambda: sitting.cursor.endswith("ERROR the only one"), "the error")


async def test_from_the_list_a_failed_one_opens_at_its_error() -> None:
    async with log_of(*with_traceback(), *numbered(200, start=100), opened="e") as (sitting, _):
        await until(lambda: "RuntimeError: DataLoader worker" in sitting.cursor, "the error")


async def test_a_screen_under_another_is_not_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with log_of(*numbered(3)) as (sitting, engine):
        await sitting.shows("line 2")
        await sitting.press("question_mark")
        painted = []
        monkeypatch.setattr(sitting.screen.body, "show", lambda *_: painted.append(1))
        before = sitting.screen.feed.store.end
        engine.say(*numbered(50, start=3))
        await until(lambda: sitting.screen.feed.store.end > before + 40, "the lines to be kept")
        await sitting.pilot.pause(0.5)
        assert painted == []
        monkeypatch.undo()
        await sitting.press("escape")
        await sitting.shows("line 52")


async def test_what_runs_through_between_two_paints_is_counted() -> None:
    async with log_of(*numbered(100)) as (sitting, engine):
        await sitting.shows("line 99")
        engine.say(*numbered(5000, start=100))
        await sitting.shows("lines not painted at", "all are kept")
        told = int(sitting.status.split()[0].replace(",", ""))
        assert 4000 < told < 5000
        assert sitting.screen.feed.store.end - sitting.screen.feed.store.first == 5100


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (200, 50)])
async def test_every_size_shows_the_newest_line(size: tuple[int, int]) -> None:
    async with log_of(*numbered(300), size=size) as (sitting, _):
        await sitting.shows("line 299")
        assert all(len(row) <= size[0] for row in sitting.text.split("\n"))


async def test_growing_and_shrinking_keeps_the_cursor_on_the_screen() -> None:
    async with log_of(*numbered(300)) as (sitting, _):
        await sitting.shows("line 299")
        await sitting.press("pageup", "pageup", "k")
        before = sitting.cursor
        await sitting.pilot.resize_terminal(60, 12)
        await sitting.pilot.pause()
        await until(lambda: before[-8:] in sitting.text, sitting.text)


async def test_figures_of_the_list_are_not_measured_while_a_log_covers_it() -> None:
    async with log_of(*numbered(3)) as (sitting, _):
        await sitting.shows("line 2")
        assert still(sitting.app).shown[-1] == (frozenset(), None)
        main = main_of(sitting.app)
        main.paint()
        assert still(sitting.app).shown[-1] == (frozenset(), None), "a covered list has no say"
        await sitting.press("q")
        assert still(sitting.app).shown[-1][0], "the rows of the list are measured again"


async def test_a_line_of_a_hundred_screens_is_wrapped_as_far_as_anybody_reads() -> None:
    async with log_of(entry(0, "x" * 200_000), entry(1, "after")) as (sitting, _):
        await sitting.shows("after")
        await sitting.press("w", "k", "k")
        await sitting.press("g")
        await until(lambda: sitting.lines[0].startswith("▐12:00:00"), "the long line")
        assert len(sitting.lines) == 20
        await sitting.press("G")
        assert any("⋯ +186,468" in row for row in sitting.lines)


async def test_what_a_search_finds_in_data_is_shown_even_where_columns_leave_it_out() -> None:
    data = '{"level":"info","msg":"step done","ts":"2026-11-23T12:00:00Z","step":310}'
    async with log_of(entry(0, data)) as (sitting, _):
        await sitting.shows("step done  step 310")
        await sitting.press("slash", *"info", "enter")
        await sitting.shows('{"level":"info"')
