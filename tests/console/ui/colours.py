"""What colours are to eyes: contrast, and how far apart they are for people who see fewer of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.color import Color, ColorSystem

# Machado, Oliveira, Fernandes 2009, severity 1.0, for linear light.
_SIGHTS = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (0.95047, 1.0, 1.08883)


def _linear(color: str) -> list[float]:
    """Light of each channel of `#rrggbb`, 0 to 1."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def _mixed(matrix: Sequence[Sequence[float]], channels: Sequence[float]) -> list[float]:
    return [sum(part * one for part, one in zip(row, channels, strict=True)) for row in matrix]


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb`, WCAG 2."""
    return _mixed(_XYZ, _linear(color))[1]


def contrast(one: str, other: str) -> float:
    """Between 1 and 21, WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def distance(one: str, other: str, sight: str) -> float:
    """CIE76 between two colours as somebody with this sight has them."""
    return math.dist(_lab(one, sight), _lab(other, sight))


def _lab(color: str, sight: str) -> tuple[float, float, float]:
    seen = [min(1.0, max(0.0, one)) for one in _mixed(_SIGHTS[sight], _linear(color))]
    x, y, z = (_root(one / white) for one, white in zip(_mixed(_XYZ, seen), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116


def emitted(color: str) -> str:
    """What a terminal with 256 colours shows of `#rrggbb`: Rich sends it the nearest by its own rule."""
    red, green, blue = Color.parse(color).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    return f"#{red:02x}{green:02x}{blue:02x}"
