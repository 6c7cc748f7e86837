"""The screen as a person uses it: looking, moving, filtering, opening, leaving."""

from __future__ import annotations

import asyncio
import base64
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from textual import events
from textual.pilot import Pilot

from console.feeds.watch import Watch
from console.model.source import SourceState, SourceStatus
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.screens import lists
from tests.console.fakes import NOW, FakeCompose, FakeEngine, container
from tests.console.ui.pressing import main_of
from tests.console.ui.screenapp import ENV, StillWatch, app_of, screen_text, still
from tests.console.ui.worlds import fleet, world
from tests.support.waiting import until

AWAY = SourceStatus(
    SourceState.UNREACHABLE,
    clean("Docker has not answered on /var/run/docker.sock (timed out after 5s)."),
    NOW - timedelta(minutes=2),
    NOW - timedelta(seconds=40),
    NOW + timedelta(seconds=20),
)


async def press(pilot: Pilot[int], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    return screen_text(app)


def selected_line(text: str) -> str:
    return next((line for line in text.split("\n") if line.startswith("▐")), "")


async def test_the_first_look_answers_whether_anything_is_wrong() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        text = await press(pilot)
    lines = text.split("\n")
    assert lines[0].startswith(" train-01  ✓ docker  ✓ compose")
    assert lines[0].endswith("14:03")
    assert lines[1].startswith(" ✗ cache killed 2m ago: out of memory, limit 64 MiB")
    assert lines[1].endswith("+5  ! go there")
    assert selected_line(text).split()[:3] == ["▐cache", "✗", "killed"]
    assert lines[-1] == " enter open  L log  r restart  x stop  / filter  : command       ? help  q quit"


async def test_every_container_of_the_host_is_there_in_its_group() -> None:
    app = app_of(world())
    async with app.run_test(size=(120, 50)) as pilot:
        text = await press(pilot, "z")
    lines = [line.strip() for line in text.split("\n")]
    trainings, others = lines.index("trainings"), lines.index("containers")
    assert trainings < others
    assert any(line.startswith("mlops-project-a-128") for line in lines[trainings:others])
    assert any(line.startswith("scratch") for line in lines[others:])
    assert any(line.startswith("日本語コンテナ") for line in lines[others:])


async def test_moving_changes_what_the_pane_below_tells() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        assert " 2 cache" in await press(pilot)
        text = await press(pilot, "j", "j")
        assert selected_line(text).startswith("▐portainer")
        assert " 2 portainer" in text
        assert "E wget: can't connect to remote host" in text
        assert "the same 4 times since" in text
        text = await press(pilot, "G")
        assert selected_line(text).startswith("▐日本語コンテナ")
        text = await press(pilot, "g", "k", "up")
        assert selected_line(text).startswith("▐cache")


async def test_the_selection_follows_its_row_when_the_order_changes() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "j", "j")
        calmer = [one for one in fleet() if "cache" not in one.name]
        still(app).give(world([*calmer]))
        await pilot.pause()
        assert selected_line(screen_text(app)).startswith("▐portainer")


async def test_a_row_that_goes_hands_the_selection_to_its_neighbour() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, "G", "k")
        assert selected_line(screen_text(app)).startswith("▐scratch")
        still(app).give(world([one for one in fleet() if one.name != "scratch"]))
        await pilot.pause()
        assert selected_line(screen_text(app)).startswith("▐日本語コンテナ")


async def test_the_next_problem_is_one_key_away_worst_first() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "G")
        names = [selected_line(await press(pilot, "exclamation_mark")).split()[0] for _ in range(7)]
    assert names == ["▐cache", "▐flaky", "▐portainer", "▐tunnel", "▐jenkins", "▐worker", "▐cache"]


async def test_the_filter_hides_and_says_so_and_esc_brings_all_back() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash")
        await until(lambda: app.focused is not None, "the prompt has the focus")
        text = await press(pilot, "j", "e", "n")
        assert "1 Services 1 of 11" in text
        assert "/jen" in text
        assert selected_line(text).startswith("▐jenkins")
        text = await press(pilot, "enter")
        assert "1 of 11" in text
        assert app.focused is None
        text = await press(pilot, "escape")
        assert "1 Services 11" in text


async def test_a_filter_that_matches_nothing_says_how_to_get_out() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash")
        await until(lambda: app.focused is not None)
        text = await press(pilot, "v", "i", "z")
        assert 'No row matches "viz". esc shows all 11.' in text
        assert "1 Services 11" in await press(pilot, "escape")


async def test_orders() -> None:
    app = app_of(world())
    async with app.run_test(size=(120, 50)) as pilot:
        text = await press(pilot, "o")
        assert "by name" in text
        rows = [row.name for row in main_of(app).rows if row.service]
        assert rows == sorted(rows)
        await press(pilot, "O")
        assert [row.name for row in main_of(app).rows if row.service] == sorted(rows, reverse=True)
        await press(pilot, "O", "o", "o")
        assert main_of(app).rows[0].memory is not None


async def test_focus_on_the_lower_pane_turns_the_list_into_one_line() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        text = await press(pilot, "j", "j", "tab")
        lines = text.split("\n")
        assert lines[2].startswith(" 1 Services  ✗ cache killed   ✗ flaky restarting   ✗ portainer unhealthy   +")
        assert lines[3].startswith(" 2 portainer")
        assert "mlops-portainer-1" in text
        again = await press(pilot, "j")
        assert again.split("\n")[4] != lines[4]
        assert selected_line(await press(pilot, "1")).startswith("▐portainer")


async def test_a_pane_fills_the_screen_and_comes_back() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        before = await press(pilot)
        assert " 2 cache" not in await press(pilot, "1")
        assert await press(pilot, "z") == before


async def test_the_detail_hides_every_value_until_asked() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 40)) as pilot:
        text = await press(pilot, "j", "j", "enter")
        assert text.split("\n")[0].startswith(" train-01 › portainer   ✗ unhealthy  for about 11m")
        assert "Environment  1 set, hidden: v shows them" in text
        assert "s3cret-value" not in text
        assert "s3cret-value" in await press(pilot, "v")
        assert "s3cret-value" not in await press(pilot, "v")
        await press(pilot, "v", "right_square_bracket", "left_square_bracket")
        assert "s3cret-value" not in screen_text(app), "another row hides them again"


async def test_the_detail_tells_ports_mounts_labels_and_use() -> None:
    app = app_of(world())
    async with app.run_test(size=(100, 50)) as pilot:
        await press(pilot, "slash")
        await until(lambda: app.focused is not None)
        text = await press(pilot, "g", "a", "t", "e", "enter", "enter")
    assert "127.0.0.1:18080 -> 8080/tcp, 9000/udp" in text
    assert "volume mlops_gate on /data (read only)" in text
    assert "com.docker.compose.service" in text
    assert "41 of 512 MiB" in text
    assert "differs    no: what runs is what the file says" in text
    assert "7.5%" in text


async def test_the_detail_walks_through_the_list_and_comes_back() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        text = await press(pilot, "enter", "right_square_bracket")
        assert "› flaky" in text
        text = await press(pilot, "q")
        assert selected_line(text).startswith("▐flaky")
        assert app.is_running


async def test_what_happened_to_a_container_is_told() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 40)) as pilot:
        text = await press(pilot, "G", "k", "enter")
    assert "14:03:46  ended with exit code 3" in text


async def test_the_help_is_made_of_the_keys_one_has() -> None:
    app = app_of(world(), wishes=Wishes(glyphs="unicode", keys={"filter": "f"}))
    async with app.run_test(size=(120, 40)) as pilot:
        text = await press(pilot)
        assert "f filter" in text
        text = await press(pilot, "question_mark")
        line = next(line for line in text.split("\n") if "show only matching rows" in line)
        assert " f " in line
        assert "✓ good" in text
        assert "Words" in text
        assert "Help" not in await press(pilot, "question_mark")
        await press(pilot, "f")
        await until(lambda: app.focused is not None)


async def test_a_command_is_found_by_its_words() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "colon")
        await until(lambda: app.focused is not None)
        text = await press(pilot, *"order")
        assert "order the other way round" in text
        await press(pilot, "enter")
        await until(lambda: "by name" in screen_text(app))


async def test_an_engine_that_is_away_keeps_its_rows_and_says_what_is_wrong() -> None:
    app = app_of(world(docker=AWAY))
    async with app.run_test(size=(80, 24)) as pilot:
        text = await press(pilot)
    lines = text.split("\n")
    assert "✗ docker unreachable" in lines[0]
    assert lines[1].startswith(" ✗ Docker has not answered on /var/run/docker.sock")
    assert "! 40s old" in lines[2]
    assert "Next try in 20s, ctrl+r tries now." in " ".join(text.split())
    assert "▐cache" in text
    assert "? killed" in text, "what may be wrong by now is not shown as known"


async def test_an_engine_that_was_never_reached_offers_the_demo() -> None:
    never = replace(AWAY, taken_at=None)
    made: list[StillWatch] = []

    def demo() -> Watch:
        made.append(StillWatch(world(demo=True)))
        return made[0]

    start = StillWatch(world(docker=never, containers=[]))
    app = ConsoleApp(
        start,
        host=clean("train-01"),
        demo=False,
        demo_watch=demo,
        wishes=Wishes(glyphs="unicode"),
        env=ENV,
        frozen=True,
    )
    async with app.run_test(size=(80, 24)) as pilot:
        text = await press(pilot)
        assert "d       look around in the demo" in text
        assert "9       doctor" in text
        await press(pilot, "d")
        made[0].give(made[0].world or world())
        await pilot.pause()
        assert screen_text(app).split("\n")[0].startswith(" DEMO ")


async def test_a_reachable_engine_is_never_left_for_the_demo() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        text = await press(pilot, "d")
    assert "the demo is for when no Engine answers" in text
    assert not app.demo


async def test_reading_is_said_only_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(lists, "READING_SECONDS", 3600.0)
        app = app_of(None)
        async with app.run_test(size=(80, 24)) as pilot:
            assert "Reading docker" not in await press(pilot)
    app = app_of(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: "Reading docker" in screen_text(app))
        assert selected_line(await press(pilot, "j")) == ""


async def test_no_containers_at_all_is_a_sentence() -> None:
    app = app_of(world([], project=None))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "No containers on this Engine." in await press(pilot)


async def test_keys_answer_while_every_source_hangs() -> None:
    engine, release = FakeEngine(container("a")), asyncio.Event()
    engine.hang = release
    live = Watch(lambda: (engine, FakeCompose()), host=clean("h"), demo=False)
    live.start()
    app = ConsoleApp(live, host=clean("h"), demo=False, wishes=Wishes(glyphs="unicode"), env=ENV)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: "engine" in engine.asked)
        assert "Help" in await press(pilot, "question_mark")
        assert "Help" not in await press(pilot, "question_mark")
        await press(pilot, "q")
        await until(lambda: not app.is_running)
    assert not release.is_set(), "the answer came before the system did"
    assert live.stop()


@pytest.mark.parametrize(("keys", "status"), [(("q",), 0), (("Q",), 0), (("ctrl+c", "ctrl+c"), 130)])
async def test_leaving(keys: tuple[str, ...], status: int) -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)
        await until(lambda: not app.is_running)
    assert app.return_value == status


async def test_one_ctrl_c_asks_for_another() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        assert "Press ctrl+c again to quit" in await press(pilot, "ctrl+c")
        assert app.is_running


async def test_q_goes_back_before_it_quits() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "tab", "q")
        assert app.is_running
        assert main_of(app).pane == "list"
        await press(pilot, "q")
        await until(lambda: not app.is_running)


async def test_copying_sends_plain_text_only(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        sent: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", sent.append)
        text = await press(pilot, "y")
    assert "copied 1 line" in text
    payload = next(part for part in sent if part.startswith("\x1b]52;c;"))
    body = base64.b64decode(payload.removeprefix("\x1b]52;c;").rstrip("\x07\x1b\\"))
    assert body.decode().startswith("cache  killed  out of memory")


async def test_reading_again_is_asked_for() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "ctrl+r")
    assert still(app).refreshed == 1


async def test_only_rows_on_the_screen_are_attended_to() -> None:
    many = [container(f"c{number:03}") for number in range(200)]
    app = app_of(world(many, project=None))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        visible, selected = still(app).shown[-1]
        assert 5 < len(visible) < 24
        assert selected == many[0].id
        await press(pilot, "G")
        visible, selected = still(app).shown[-1]
        assert selected == many[-1].id
        assert many[0].id not in visible


async def test_the_mouse_does_what_the_keys_do() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(offset=(5, 5))
        await pilot.pause()
        assert selected_line(screen_text(app)).startswith("▐portainer")
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
        text = await press(pilot)
        lines = text.split("\n")
        assert all(len(line) <= size[0] for line in lines)
        assert "cache killed" in text
        assert "quit" in lines[-1]
        assert selected_line(text).startswith("▐cache")
        for key in ("enter", "question_mark"):
            opened = await press(pilot, key)
            assert all(len(line) <= size[0] for line in opened.split("\n"))


async def test_too_small_says_so() -> None:
    app = app_of(world())
    async with app.run_test(size=(28, 5)) as pilot:
        text = await press(pilot)
    assert "Too small: 28x5. Try mlops-c" in text


@pytest.mark.parametrize("glyphs", ["ascii"])
async def test_a_terminal_without_unicode_gets_only_ascii(glyphs: str) -> None:
    calm = [one for one in fleet() if one.name.isascii()]
    app = app_of(world(calm), wishes=Wishes(glyphs=glyphs))
    async with app.run_test(size=(80, 24)) as pilot:
        text = await press(pilot, "j", "j", "enter") + await press(pilot, "escape", "question_mark")
    assert text.isascii()
    assert "x unhealthy" in text


async def test_text_that_never_passed_the_gate_is_stopped_by_the_net() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
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
        await press(pilot, "slash", *"abx", "backspace", "c", "left", "left", "d")
        assert main_of(app).words == "adbc"
        await press(pilot, "ctrl+u")
        assert main_of(app).words == "bc"
        # Keys of the list are not for somebody who types.
        text = await press(pilot, "tab", "enter")
        assert "/bc" in text
        assert main_of(app).pane == "list"
