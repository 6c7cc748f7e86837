"""Every text can be read on every ground it may stand on, in every theme."""

from __future__ import annotations

import itertools

import pytest

from console.ui.palette import ANSI_DARK, ANSI_LIGHT, CONTRAST, DARK, LIGHT, MONO, Ground, Palette, Role, choose

TEXT_ROLES = tuple(role for role in Role if role not in (Role.FAINT, Role.HIT))


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb`, WCAG 2."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [DARK, LIGHT, CONTRAST], ids=lambda palette: palette.name)
def test_text_holds_four_and_a_half_to_one_on_every_ground(palette: Palette) -> None:
    for role, ground in itertools.product(TEXT_ROLES, Ground):
        assert contrast(palette.roles[role], palette.grounds[ground]) >= 4.5, (role, ground)
    assert contrast("#14171c", palette.roles[Role.HIT]) >= 4.5


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
        ("auto", {"TERM": "xterm-256color"}, True, "dark"),
        ("auto", {"TERM": "xterm", "COLORTERM": "truecolor", "COLORFGBG": "0;default;15"}, True, "light"),
        ("auto", {"TERM": "xterm-256color", "COLORFGBG": "15;0"}, True, "dark"),
        ("contrast", {"TERM": "xterm"}, True, "contrast"),
        ("ansi", {"TERM": "xterm-256color"}, True, "ansi-dark"),
        ("dark", {"TERM": "xterm-256color"}, False, "mono"),
    ],
)
def test_the_theme_follows_the_setting_and_then_the_terminal(
    setting: str, env: dict[str, str], color: bool, expected: str
) -> None:
    assert choose(setting, env, color=color).name == expected
