"""What is really painted: every screen and sheet in every theme, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from rich.segment import Segment
from rich.style import Style

from console.model.jenkins import JenkinsWorld
from console.model.state import StateClass
from console.ui.app import ConsoleApp, Wishes
from console.ui.palette import PALETTES, Role
from tests.console.ui.colours import contrast, emitted
from tests.console.ui.tour import tour, touring

TRUE = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
LIMITED = {"TERM": "xterm-256color"}


def painted(app: ConsoleApp) -> Iterator[tuple[str, Style]]:
    """Every stretch of text on the screen with how it looks, as it would be written."""
    for strip in app.screen._compositor.render_strips():
        segments = list(strip)
        for line_filter in app.get_line_filters():
            segments = line_filter.apply(segments, app.background)
        for segment in Segment.simplify(segments):
            if segment.text.strip():
                yield segment.text, segment.style or Style()


def named(color: object) -> str:
    return str(getattr(color, "name", "default"))


@pytest.mark.parametrize(("env", "size"), [(TRUE, (120, 36)), (LIMITED, (80, 24))], ids=["true colours", "256 colours"])
@pytest.mark.parametrize("theme", ["dark", "light", "contrast"])
async def test_every_text_can_be_read(jenkins: JenkinsWorld, theme: str, env: dict[str, str], size: tuple[int, int]) -> None:
    app = touring(jenkins, Wishes(theme=theme, glyphs="unicode"), env)
    faint = app.look.palette.roles[Role.FAINT]
    grounds = {*app.look.palette.grounds.values(), app.look.palette.roles[Role.HIT]}
    as_sent = emitted if app.look.palette.limited else str
    async with app.run_test(size=size) as pilot:
        async for name, text in tour(app, pilot):
            for words, style in painted(app):
                ink, ground = named(style.color), named(style.bgcolor)
                if style.reverse:
                    ink, ground = ground, ink
                assert all(re.fullmatch("#[0-9a-f]{6}", one) for one in (ink, ground)), (name, words, style, text)
                if style.color is not None and ink == faint:
                    assert not re.search(r"\w", words), (name, words, "is text in the colour of rules")
                    continue
                if not style.reverse:
                    assert ground in grounds, (name, words, ground, text)
                assert contrast(as_sent(ink), as_sent(ground)) >= 4.5, (name, words, ink, ground, text)


@pytest.mark.parametrize("env", [{"TERM": "linux"}, {"TERM": "linux", "COLORFGBG": "0;15"}], ids=["dark", "light"])
async def test_the_terminals_own_colours_stand_on_its_own_ground(jenkins: JenkinsWorld, env: dict[str, str]) -> None:
    app = touring(jenkins, Wishes(theme="ansi", glyphs="unicode"), env)
    known = {*app.look.palette.roles.values(), "default"}
    async with app.run_test(size=(80, 24)) as pilot:
        async for name, text in tour(app, pilot):
            for words, style in painted(app):
                assert named(style.bgcolor) == "default", (name, words, style, text)
                assert named(style.color) in known, (name, words, style, text)
                if style.reverse:
                    assert named(style.color) == "default", (name, words, style, text)


async def test_without_colours_there_are_none_and_what_is_marked_is_marked_otherwise(jenkins: JenkinsWorld) -> None:
    app = touring(jenkins, Wishes(color=False, glyphs="unicode"))
    async with app.run_test(size=(80, 24)) as pilot:
        async for name, text in tour(app, pilot):
            found = list(painted(app))
            for words, style in found:
                assert (named(style.color), named(style.bgcolor)) == ("default", "default"), (name, words, style, text)
            if "▐" in text:
                assert any(style.reverse for _, style in found), (name, "a row that nobody can find")
            titles = [style for words, style in found if re.match(" [123] [A-Z]", words)]
            assert all(style.underline or style.reverse for style in titles), (name, "a title that looks like a row")


async def test_no_state_is_told_by_its_colour_alone(jenkins: JenkinsWorld) -> None:
    """With and without colours the same characters stand there, and each glyph has its word or its name beside it."""
    texts: dict[bool, list[tuple[str, str]]] = {}
    for color in (True, False):
        app = touring(jenkins, Wishes(theme="dark", color=color, glyphs="unicode"))
        glyphs = "".join(app.look.glyphs.state(kind) for kind in StateClass if kind is not StateClass.ENDED)
        async with app.run_test(size=(120, 36)) as pilot:
            texts[color] = [one async for one in tour(app, pilot)]
    # How much of a log has been read differs from one time to the next.
    told = {color: [one for one in texts[color] if "Log  " not in one[1]] for color in texts}
    assert told[True] == told[False]
    assert len(told[True]) > 25
    seen = set()
    for name, text in texts[False]:
        if name == "the help":
            continue  # there a question mark is a key
        for line in text.split("\n"):
            for glyph in re.findall(f"(?<!\\S)[{re.escape(glyphs)}](?=\\s|$)(?!  )", line):
                seen.add(glyph)
            for alone in re.findall(f"(?<!\\S)[{re.escape(glyphs)}](?=  |$)", line):
                assert alone == "!", (name, line)
                assert "clock" in line, (name, line)
    assert set("✓▸◌!✗") <= seen


def test_every_palette_was_looked_at() -> None:
    looked = {f"{theme}{more}" for theme in ("dark", "light", "contrast") for more in ("", "-256")}
    assert set(PALETTES) == looked | {"ansi-dark", "ansi-light", "mono"}
