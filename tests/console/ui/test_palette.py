"""Every text can be read on every ground it may stand on, in every theme."""

from __future__ import annotations

import itertools

import pytest

from console.ui.palette import (
    ANSI_DARK,
    ANSI_LIGHT,
    CONTRAST,
    CONTRAST_256,
    DARK,
    DARK_256,
    LIGHT,
    LIGHT_256,
    MONO,
    Ground,
    Palette,
    Role,
    choose,
)
from tests.console.ui.colours import contrast, distance, emitted

TEXT_ROLES = tuple(role for role in Role if role not in (Role.FAINT, Role.HIT))


@pytest.mark.parametrize("palette", [DARK, LIGHT, CONTRAST], ids=lambda palette: palette.name)
def test_text_holds_four_and_a_half_to_one_on_every_ground(palette: Palette) -> None:
    for role, ground in itertools.product(TEXT_ROLES, Ground):
        assert contrast(palette.roles[role], palette.grounds[ground]) >= 4.5, (role, ground)
    assert contrast("#14171c", palette.roles[Role.HIT]) >= 4.5


@pytest.mark.parametrize("palette", [DARK_256, LIGHT_256, CONTRAST_256], ids=lambda palette: palette.name)
def test_so_does_the_nearest_of_256_colours(palette: Palette) -> None:
    grounds = {ground: emitted(color) for ground, color in palette.grounds.items()}
    assert len(set(grounds.values())) == len(Ground), "each ground can be told from the others"
    for role, ground in itertools.product(TEXT_ROLES, Ground):
        assert contrast(emitted(palette.roles[role]), grounds[ground]) >= 4.5, (role, ground)
    assert contrast(emitted("#14171c"), emitted(palette.roles[Role.HIT])) >= 4.5


@pytest.mark.parametrize("sight", ["protan", "deutan", "tritan"])
@pytest.mark.parametrize(
    ("palette", "least"), [(DARK, 17), (LIGHT, 19), (CONTRAST, 26)], ids=lambda one: getattr(one, "name", "")
)
def test_states_differ_for_people_who_see_fewer_colours(palette: Palette, least: int, sight: str) -> None:
    told = (Role.ACTIVE, Role.ATTENTION, Role.BAD, Role.GOOD)
    for one, other in itertools.combinations(told, 2):
        assert distance(palette.roles[one], palette.roles[other], sight) >= least, (one, other)


def test_of_the_terminals_own_colours_none_is_used_that_many_terminals_make_unreadable() -> None:
    assert "blue" not in ANSI_DARK.roles.values()
    assert not {"yellow", "bright_yellow", "bright_cyan", "bright_green", "white"} & set(ANSI_LIGHT.roles.values())
    for palette in (ANSI_DARK, ANSI_LIGHT):
        assert all(palette.style(role, ground).color is None for role in Role for ground in (Ground.FOCUS, Ground.SELECT))


@pytest.mark.parametrize("palette", [ANSI_DARK, ANSI_LIGHT, MONO], ids=lambda palette: palette.name)
def test_the_terminals_own_colours_keep_its_own_ground(palette: Palette) -> None:
    for role, ground in itertools.product(Role, Ground):
        style = palette.style(role, ground)
        assert style.bgcolor is None
        assert style.color is None or not style.color.name.startswith("#")
    assert palette.style(Role.TEXT, Ground.SELECT).reverse
    assert palette.style(Role.TEXT, Ground.BAND).underline


@pytest.mark.parametrize(
    ("setting", "env", "color", "expected"),
    [
        ("auto", {"TERM": "xterm"}, True, "ansi-dark"),
        ("auto", {"TERM": "linux", "COLORFGBG": "0;15"}, True, "ansi-light"),
        ("auto", {"TERM": "xterm-256color"}, True, "dark-256"),
        ("auto", {"TERM": "xterm-kitty", "COLORFGBG": "0;15"}, True, "light-256"),
        ("light", {"TERM": "screen-256color"}, True, "light-256"),
        ("contrast", {"TERM": "xterm-256color"}, True, "contrast-256"),
        ("contrast", {"TERM": "alacritty", "COLORTERM": "truecolor"}, True, "contrast"),
        ("auto", {"TERM": "xterm", "COLORTERM": "truecolor", "COLORFGBG": "0;default;15"}, True, "light"),
        ("auto", {"TERM": "xterm-256color", "COLORTERM": "24bit", "COLORFGBG": "15;0"}, True, "dark"),
        ("contrast", {"TERM": "xterm"}, True, "ansi-dark"),
        ("contrast", {"TERM": "xterm", "COLORFGBG": "0;15"}, True, "ansi-light"),
        ("light", {"TERM": "linux", "COLORFGBG": "15;0"}, True, "ansi-light"),
        ("dark", {"TERM": "linux", "COLORFGBG": "0;15"}, True, "ansi-dark"),
        ("ansi", {"TERM": "xterm-256color"}, True, "ansi-dark"),
        ("dark", {"TERM": "xterm-256color"}, False, "mono"),
    ],
)
def test_the_theme_follows_the_setting_and_then_the_terminal(
    setting: str, env: dict[str, str], color: bool, expected: str
) -> None:
    assert choose(setting, env, color=color).name == expected
