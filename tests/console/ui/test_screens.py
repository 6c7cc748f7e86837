"""The screen as a person uses it: looking, moving, filtering, opening, leaving."""

from __future__ import annotations

import base64
import sys

import pytest
from textual import events

from console.ui.app import Wishes
from tests.console.fakes import container
from tests.console.ui.pressing import main_of, press, pressed, selected
from tests.console.ui.screenapp import app_of, screen_text, still
from tests.console.ui.worlds import fleet, world
from tests.support.waiting import until


async def test_the_first_look_answers_whether_anything_is_wrong() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        text = await pressed(pilot)
    lines = text.split("\n")
    assert lines[0].startswith(" train-01  ✓ docker  ✓ compose")
    assert lines[0].endswith("14:03")
    assert lines[1].startswith(" ✗ cache killed 2m ago: out of memory, limit 64 MiB")
    assert lines[1].endswith("+5  ! go there")
    assert selected(text.split("\n")).split()[:3] == ["▐cache", "✗", "killed"]
    assert lines[-1] == " enter open  L log  r restart  x stop  / filter  : command       ? help  q quit"


async def test_every_container_of_the_host_is_there_in_its_group() -> None:
    app = app_of(world())
    async with app.run_test(size=(120, 50)) as pilot:
        text = await pressed(pilot, "z")
    lines = [line.strip() for line in text.split("\n")]
    trainings, others = lines.index("trainings"), lines.index("containers")
    assert trainings < others
    assert any(line.startswith("mlops-project-a-128") for line in lines[trainings:others])
    assert any(line.startswith("scratch") for line in lines[others:])
    assert any(line.startswith("日本語コンテナ") for line in lines[others:])


async def test_moving_changes_what_the_pane_below_tells() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        assert " 2 cache" in await pressed(pilot)
        text = await pressed(pilot, "j", "j")
        assert selected(text.split("\n")).startswith("▐portainer")
        assert " 2 portainer" in text
        assert "E wget: can't connect to remote host" in text
        assert "the same 4 times since" in text
        text = await pressed(pilot, "G")
        assert selected(text.split("\n")).startswith("▐日本語コンテナ")
        text = await pressed(pilot, "g", "k", "up")
        assert selected(text.split("\n")).startswith("▐cache")


async def test_the_selection_follows_its_row_when_the_order_changes() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "j", "j")
        calmer = [one for one in fleet() if "cache" not in one.name]
        still(app).give(world([*calmer]))
        await pilot.pause()
        assert selected(screen_text(app).split("\n")).startswith("▐portainer")


async def test_a_row_that_goes_hands_the_selection_to_its_neighbour() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 40)) as pilot:
        await pressed(pilot, "G", "k")
        assert selected(screen_text(app).split("\n")).startswith("▐scratch")
        still(app).give(world([one for one in fleet() if one.name != "scratch"]))
        await pilot.pause()
        assert selected(screen_text(app).split("\n")).startswith("▐日本語コンテナ")


async def test_the_next_problem_is_one_key_away_worst_first() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "G")
        names = [selected(await press(pilot, "exclamation_mark")).split()[0] for _ in range(7)]
    assert names == ["▐cache", "▐flaky", "▐portainer", "▐tunnel", "▐jenkins", "▐worker", "▐cache"]


async def test_the_filter_hides_and_says_so_and_esc_brings_all_back() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "slash")
        await until(lambda: app.focused is not None, "the prompt has the focus")
        text = await pressed(pilot, "j", "e", "n")
        assert "1 Services 1 of 11" in text
        assert "/jen" in text
        assert selected(text.split("\n")).startswith("▐jenkins")
        text = await pressed(pilot, "enter")
        assert "1 of 11" in text
        assert app.focused is None
        text = await pressed(pilot, "escape")
        assert "1 Services 11" in text


async def test_a_filter_that_matches_nothing_says_how_to_get_out() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "slash")
        await until(lambda: app.focused is not None)
        text = await pressed(pilot, "v", "i", "z")
        assert 'No row matches "viz". esc shows all 11.' in text
        assert "1 Services 11" in await pressed(pilot, "escape")


async def test_orders() -> None:
    app = app_of(world())
    async with app.run_test(size=(120, 50)) as pilot:
        text = await pressed(pilot, "o")
        assert "by name" in text
        rows = [row.name for row in main_of(app).rows if row.service]
        assert rows == sorted(rows)
        await pressed(pilot, "O")
        assert [row.name for row in main_of(app).rows if row.service] == sorted(rows, reverse=True)
        await pressed(pilot, "O", "o", "o")
        assert main_of(app).rows[0].memory is not None


async def test_focus_on_the_lower_pane_turns_the_list_into_one_line() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        text = await pressed(pilot, "j", "j", "tab")
        lines = text.split("\n")
        assert lines[2].startswith(" 1 Services  ✗ cache killed   ✗ flaky restarting   ✗ portainer unhealthy   +")
        assert lines[3].startswith(" 2 portainer")
        assert "mlops-portainer-1" in text
        again = await pressed(pilot, "j")
        assert again.split("\n")[4] != lines[4]
        assert selected(await press(pilot, "1")).startswith("▐portainer")


async def test_a_pane_fills_the_screen_and_comes_back() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        before = await pressed(pilot)
        assert " 2 cache" not in await pressed(pilot, "1")
        assert await pressed(pilot, "z") == before


async def test_the_help_is_made_of_the_keys_one_has() -> None:
    app = app_of(world(), wishes=Wishes(glyphs="unicode", keys={"filter": "f"}))
    async with app.run_test(size=(120, 40)) as pilot:
        text = await pressed(pilot)
        assert "f filter" in text
        text = await pressed(pilot, "question_mark")
        line = next(line for line in text.split("\n") if "show only matching rows" in line)
        assert " f " in line
        assert "✓ good" in text
        assert "Words" in text
        assert "Help" not in await pressed(pilot, "question_mark")
        await pressed(pilot, "f")
        await until(lambda: app.focused is not None)


async def test_a_command_is_found_by_its_words() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "colon")
        await until(lambda: app.focused is not None)
        text = await pressed(pilot, *"order")
        assert "order the other way round" in text
        await pressed(pilot, "enter")
        await until(lambda: "by name" in screen_text(app))


async def test_a_name_that_is_typed_whole_comes_before_those_that_hold_it() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "colon")
        await until(lambda: app.focused is not None)
        text = await pressed(pilot, *"services")
        found = [line.split()[0] for line in text.split("\n") if line.startswith(("▐service", " service"))]
        assert found == ["▐services", "service"]


@pytest.mark.parametrize(("keys", "status"), [(("q",), 0), (("Q",), 0), (("ctrl+c", "ctrl+c"), 130)])
async def test_leaving(keys: tuple[str, ...], status: int) -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, *keys)
        await until(lambda: not app.is_running)
    assert app.return_value == status


async def test_one_ctrl_c_asks_for_another() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        assert "Press ctrl+c again to quit" in await pressed(pilot, "ctrl+c")
        assert app.is_running


async def test_q_goes_back_before_it_quits() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "tab", "q")
        assert app.is_running
        assert main_of(app).pane == "list"
        await pressed(pilot, "q")
        await until(lambda: not app.is_running)


async def test_copying_sends_plain_text_only(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        sent: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", sent.append)
        text = await pressed(pilot, "y")
    assert "copied 1 line" in text
    payload = next(part for part in sent if part.startswith("\x1b]52;c;"))
    body = base64.b64decode(payload.removeprefix("\x1b]52;c;").rstrip("\x07\x1b\\"))
    assert body.decode().startswith("cache  killed  out of memory")


async def test_reading_again_is_asked_for() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "ctrl+r")
    assert still(app).refreshed == 1


async def test_only_rows_on_the_screen_are_attended_to() -> None:
    many = [container(f"c{number:03}") for number in range(200)]
    app = app_of(world(many, project=None))
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot)
        visible, selected = still(app).shown[-1]
        assert 5 < len(visible) < 24
        assert selected == many[0].id
        await pressed(pilot, "G")
        visible, selected = still(app).shown[-1]
        assert selected == many[-1].id
        assert many[0].id not in visible


async def test_the_mouse_does_what_the_keys_do() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(offset=(5, 5))
        await pilot.pause()
        assert selected(screen_text(app).split("\n")).startswith("▐portainer")
        await pilot.click(offset=(5, 20))
        await pilot.pause()
        assert main_of(app).pane == "bottom"
        foot = screen_text(app).split("\n")[-1]
        await pilot.click(offset=(foot.index("? help"), 23))
        await pilot.pause()
        assert "Help" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50), (60, 18), (40, 10), (30, 6)])
async def test_every_size_shows_the_worst_and_the_way_out(size: tuple[int, int]) -> None:
    app = app_of(world())
    async with app.run_test(size=size) as pilot:
        text = await pressed(pilot)
        lines = text.split("\n")
        assert all(len(line) <= size[0] for line in lines)
        assert "cache killed" in text
        assert "quit" in lines[-1]
        assert selected(text.split("\n")).startswith("▐cache")
        for key in ("enter", "question_mark"):
            opened = await pressed(pilot, key)
            assert all(len(line) <= size[0] for line in opened.split("\n"))


async def test_too_small_says_so() -> None:
    app = app_of(world())
    async with app.run_test(size=(28, 5)) as pilot:
        text = await pressed(pilot)
    assert "Too small: 28x5. Try mlops-c" in text


@pytest.mark.parametrize("glyphs", ["ascii"])
async def test_a_terminal_without_unicode_gets_only_ascii(glyphs: str) -> None:
    calm = [one for one in fleet() if one.name.isascii()]
    app = app_of(world(calm), wishes=Wishes(glyphs=glyphs))
    async with app.run_test(size=(80, 24)) as pilot:
        text = await pressed(pilot, "j", "j", "enter") + await pressed(pilot, "escape", "question_mark")
    assert text.isascii()
    assert "x unhealthy" in text


async def test_text_that_never_passed_the_gate_is_stopped_by_the_net() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot)
        hostile = "before\x1b]52;c;aGk=\x07\x1b[2J\x9b6n\u202eafter"
        # Nothing in between: whatever paints the list anew would take it away.
        main_of(app).list.show([[(hostile, app.look.style())]], app.look.style())
        drawn = "".join(strip.text for strip in app.screen._compositor.render_strips())
    assert "before" in drawn
    assert "after" in drawn
    assert not set(drawn) & set("\x1b\x07\x9b\u202e")


def test_nothing_heavy_is_loaded_for_the_first_paint() -> None:
    import subprocess

    code = """
import asyncio, sys
sys.path.insert(0, '.')
from tests.console.ui.screenapp import app_of
from tests.console.ui.worlds import world
async def main():
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
asyncio.run(main())
heavy = {'docker', 'jenkins', 'httpx', 'requests', 'pydantic', 'yaml', 'sqlite3', 'click', 'msgspec', 'console.demo',
         'console.cli', 'console.doctor', 'console.logs', 'console.feeds.log_feed', 'console.sources.terminal',
         'textual.widgets', 'textual.command', 'ssl'}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.strip().strip("[]").replace("'", "").split(", ")) - {""}
    # Textual's own core loads these two; nothing of ours does.
    assert loaded <= {"textual.command", "textual.widgets", "ssl"}, loaded


@pytest.mark.parametrize("opens", ["slash", "colon"])
async def test_what_is_typed_before_a_line_of_input_has_opened_goes_into_it(opens: str) -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for key in (opens, *"cache"):
            # As from a terminal: all at once, without waiting for what each does.
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(lambda: getattr(getattr(app.screen, "prompt", None), "value", "") == "cache", "the words in the line")
        assert len(app.screen_stack) == (1 if opens == "slash" else 2)


async def test_what_is_typed_can_be_corrected() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "slash", *"abx", "backspace", "c", "left", "left", "d")
        assert main_of(app).words == "adbc"
        await pressed(pilot, "ctrl+u")
        assert main_of(app).words == "bc"
        # Keys of the list are not for somebody who types.
        text = await pressed(pilot, "tab", "enter")
        assert "/bc" in text
        assert main_of(app).pane == "list"
