"""Twelve roles and what they look like: dark, light, high contrast, the terminal's own 16 colours, or none at all.

The hexadecimal values hold a contrast of 4.5:1 on every ground they may stand on; tests compute it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rich.style import Style

from console.model.state import StateClass
from console.model.terminals import MANY, MONOCHROME, SIXTEEN, colors


class Role(StrEnum):
    TEXT = "text"
    MUTED = "muted"
    FAINT = "faint"
    ACCENT = "accent"
    ACTIVE = "active"
    ATTENTION = "attention"
    BAD = "bad"
    GOOD = "good"
    THIRD = "third"
    HIT = "hit"


class Ground(StrEnum):
    """What a text stands on. `BAND` is a pane's title line, `FOCUS` that of the focused pane, `SELECT` its row."""

    PLAIN = "ground"
    BAND = "band"
    FOCUS = "focus"
    SELECT = "select"


# A plain text and a good state's word look alike: good news is quiet. Only the glyph carries the colour.
GLYPH_ROLES: Mapping[StateClass, Role] = {
    StateClass.BROKEN: Role.BAD,
    StateClass.ATTENTION: Role.ATTENTION,
    StateClass.ACTIVE: Role.ACTIVE,
    StateClass.WAITING: Role.TEXT,
    StateClass.GOOD: Role.GOOD,
    StateClass.ENDED: Role.MUTED,
    StateClass.UNKNOWN: Role.MUTED,
}
WORD_ROLES: Mapping[StateClass, Role] = {**GLYPH_ROLES, StateClass.GOOD: Role.TEXT}
LOUD = frozenset({StateClass.BROKEN, StateClass.ATTENTION})


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme, as Rich names them. `limited` is for terminals with 256 colours.

    `own` means the terminal's own colours stay where none is given.

    Without colours (`mono`) titles are underlined and the focused title and row are reversed.
    """

    name: str
    roles: Mapping[Role, str]
    grounds: Mapping[Ground, str]
    bold: frozenset[Role] = frozenset()
    own: bool = False
    limited: bool = False

    def style(self, role: Role, ground: Ground = Ground.PLAIN, *, bold: bool = False) -> Style:
        return _style(self, role, ground, bold)

    def __hash__(self) -> int:
        return hash(self.name)


@lru_cache(maxsize=512)
def _style(palette: Palette, role: Role, ground: Ground, bold: bool) -> Style:
    bold = bold or role in palette.bold
    background = palette.grounds.get(ground)
    if palette.own:
        marked = ground in (Ground.FOCUS, Ground.SELECT)
        # Reversed text keeps the terminal's two own colours, which are readable together whatever they are.
        color = None if marked else palette.roles.get(role)
        underline = ground is Ground.BAND
        return Style(
            color=color,
            bold=bold or None,
            underline=underline or None,
            reverse=(marked or role is Role.HIT) or None,
        )
    if role is Role.HIT:
        return Style(color="#14171c", bgcolor=palette.roles[Role.HIT], bold=bold)
    return Style(color=palette.roles[role], bgcolor=background, bold=bold)


_DARK_GROUNDS = {Ground.PLAIN: "#14171c", Ground.BAND: "#20262e", Ground.FOCUS: "#243650", Ground.SELECT: "#2c4466"}
_LIGHT_GROUNDS = {Ground.PLAIN: "#ffffff", Ground.BAND: "#eef1f5", Ground.FOCUS: "#d8e5f7", Ground.SELECT: "#c6daf5"}
_CONTRAST_GROUNDS = {Ground.PLAIN: "#000000", Ground.BAND: "#1c1c1c", Ground.FOCUS: "#00315e", Ground.SELECT: "#00468a"}

DARK = Palette(
    "dark",
    {
        Role.TEXT: "#d9dfe7",
        Role.MUTED: "#aab4c1",
        Role.FAINT: "#5d6875",
        Role.ACCENT: "#a9c7ff",
        Role.ACTIVE: "#8fb9ff",
        Role.ATTENTION: "#f6cf50",
        Role.BAD: "#ff9585",
        Role.GOOD: "#8eead6",
        Role.THIRD: "#d0b3ff",
        Role.HIT: "#f2d16b",
    },
    _DARK_GROUNDS,
)
LIGHT = Palette(
    "light",
    {
        Role.TEXT: "#1b2129",
        Role.MUTED: "#4b5663",
        Role.FAINT: "#a3adb8",
        Role.ACCENT: "#0b4696",
        Role.ACTIVE: "#0b2f7a",
        Role.ATTENTION: "#402a00",
        Role.BAD: "#b81c00",
        Role.GOOD: "#096858",
        Role.THIRD: "#5d34a8",
        Role.HIT: "#ffd84d",
    },
    _LIGHT_GROUNDS,
)
CONTRAST = Palette(
    "contrast",
    {
        Role.TEXT: "#ffffff",
        Role.MUTED: "#dcdcdc",
        Role.FAINT: "#8a8a8a",
        Role.ACCENT: "#9fd0ff",
        Role.ACTIVE: "#a4c3fc",
        Role.ATTENTION: "#ffe680",
        Role.BAD: "#ffa79a",
        Role.GOOD: "#8dfdf0",
        Role.THIRD: "#dcc8ff",
        Role.HIT: "#ffff5f",
    },
    _CONTRAST_GROUNDS,
)
# With 256 colours a terminal is sent the nearest, and the nearest to these grounds are all the same one, or too light for the
# text on them. These are chosen among the 256.
_BLUE_GROUNDS = {Ground.FOCUS: "#00005f", Ground.SELECT: "#000087"}
DARK_256 = Palette("dark-256", DARK.roles, {Ground.PLAIN: "#121212", Ground.BAND: "#262626", **_BLUE_GROUNDS}, limited=True)
LIGHT_256 = Palette(
    "light-256",
    {**LIGHT.roles, Role.THIRD: "#5f00af"},
    {Ground.PLAIN: "#ffffff", Ground.BAND: "#eeeeee", Ground.FOCUS: "#d7d7ff", Ground.SELECT: "#afd7ff"},
    limited=True,
)
CONTRAST_256 = Palette(
    "contrast-256", CONTRAST.roles, {Ground.PLAIN: "#000000", Ground.BAND: "#1c1c1c", **_BLUE_GROUNDS}, limited=True
)
ANSI_DARK = Palette(
    "ansi-dark",
    {
        Role.MUTED: "white",
        Role.FAINT: "bright_black",
        Role.ACCENT: "bright_cyan",
        Role.ACTIVE: "bright_cyan",
        Role.ATTENTION: "bright_yellow",
        Role.BAD: "bright_red",
        Role.GOOD: "bright_green",
        Role.THIRD: "white",
    },
    {},
    own=True,
)
ANSI_LIGHT = Palette(
    "ansi-light",
    {
        Role.FAINT: "bright_black",
        Role.ACCENT: "blue",
        Role.ACTIVE: "blue",
        Role.ATTENTION: "magenta",
        Role.BAD: "red",
    },
    {},
    frozenset({Role.ACCENT, Role.ACTIVE, Role.ATTENTION, Role.BAD}),
    own=True,
)
MONO = Palette("mono", {}, {}, frozenset({Role.ATTENTION, Role.BAD}), own=True)
PALETTES = {
    palette.name: palette for palette in (DARK, LIGHT, CONTRAST, DARK_256, LIGHT_256, CONTRAST_256, ANSI_DARK, ANSI_LIGHT, MONO)
}


def choose(setting: str, env: Mapping[str, str], *, color: bool = True) -> Palette:
    """The palette for `screen.theme` (auto, ansi, dark, light, contrast) on this terminal.

    Automatic: the terminal's own colours where it says it has no more than 16, else dark or light by COLORFGBG; none where it
    has none. Where there are only 16, every theme is made of these: the nearest of them to a colour can be the ground's.
    """
    most = colors(env)
    if not color or (setting == "auto" and most == MONOCHROME):
        return MONO
    light = setting == "light" or (setting != "dark" and _is_light(env))
    if setting == "ansi" or most <= SIXTEEN:
        return ANSI_LIGHT if light else ANSI_DARK
    chosen = setting if setting != "auto" else "light" if light else "dark"
    return PALETTES[chosen if most > MANY else f"{chosen}-256"]


def _is_light(env: Mapping[str, str]) -> bool:
    """COLORFGBG is `foreground;background` in the 16 colours; 7 and from 9 on are light backgrounds."""
    background = env.get("COLORFGBG", "").rpartition(";")[2]
    return background.isascii() and background.isdigit() and (int(background) == 7 or int(background) > 8)
