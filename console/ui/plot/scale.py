"""Scales of a plot: where a value stands, and round labels beside and below it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from console.ui.plot.traces import View, sound

_ROWS_A_LABEL = 3
_BLANKS = 2
"""Cells between two labels below a plot, at least."""
_NEAREST = 12
"""Columns between two labels below a plot, at least."""
_SAME = 1e-9
"""A range that is so small a part of its values has no round numbers in it that a float could tell apart."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_PLAIN_FROM, _PLAIN_TO = 1e-3, 1e6
"""Between these a number is written without an exponent."""


class Scale(NamedTuple):
    """From heights (logarithms with a log scale) to dots, the lowest being 0."""

    low: float
    high: float
    dots: int

    def dot(self, height: float) -> int:
        if self.high <= self.low:
            return (self.dots - 1) // 2
        span = self.high - self.low
        # The width of a range from -1e308 to 1e308 is no float.
        part = (height - self.low) / span if span < math.inf else (height / 4 - self.low / 4) / (self.high / 4 - self.low / 4)
        return max(0, min(self.dots - 1, int(part * (self.dots - 1) + 0.5)))


def fitting(low: float, high: float, dots: int, *, log: bool) -> Scale:
    """All of the values; and 0, where it costs no more than the lower third of the room."""
    if not log and low < high:
        if 0 < low <= high / 3:
            low = 0.0
        elif 0 > high >= low / 3:
            high = 0.0
    return Scale(low, high, dots)


def labels(scale: Scale, rows: int, *, log: bool) -> list[tuple[float, str]]:
    """Heights and what to write beside them: round, three figures where these tell them apart."""
    low, high = scale.low, scale.high
    if high <= low:
        return [(low, short(_power(low) if log else low))]
    most = max(2, 1 + (rows - 1) // _ROWS_A_LABEL) if rows > 1 else 1
    if log:
        powers = range(math.ceil(low), math.floor(high) + 1)
        step = int(_nice(max(1.0, len(powers) / most)))
        if len(powers) >= 2:
            return [(float(power), short(float(f"1e{power}"))) for power in powers if power % step == 0]
        low, high = _power(low), _power(high)
    if not high - low > max(abs(low), abs(high)) * _SAME or high - low < 1e-300:
        return [(scale.low, short(low))]
    if high - low > 1e300:
        values, step_size = [low, high], (high / 4 - low / 4)
    else:
        values, step_size = _round_values(low, high, most)
    texts = written(values, step_size)
    return [(math.log10(value) if log else value, text) for value, text in zip(values, texts, strict=True)]


def _power(height: float) -> float:
    """The value of a logarithm; that of the greatest float is rounded to one that has none."""
    return float(10 ** min(height, 308.254))


def _round_values(low: float, high: float, most: int) -> tuple[list[float], float]:
    """At most so many multiples of 1, 2 or 5 times a power of ten, and their distance; two where two are allowed."""
    exponent = math.floor(math.log10((high - low) / most)) - 1
    closer: tuple[list[float], float] = ([low], high - low)
    while True:
        for factor in (1, 2, 5):
            step = float(f"{factor}e{exponent}")
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first + 1 <= most:
                if last - first >= min(1, most - 1):
                    return [number * step for number in range(first, last + 1)], step
                # Too few tell no scale: the outer two of the finer step do.
                values, step = closer
                return [values[0], values[-1]][:most], step
            if last - first < 1000:
                closer = [number * step for number in range(first, last + 1)], step
        exponent += 1


def written(values: Sequence[float], step: float) -> list[str]:
    """Numbers that are multiples of a step, with the decimals that it needs; two figures at least (`0.0 1.0 2.0`)."""
    largest = max(abs(value) for value in values)
    exponent = math.floor(math.log10(step) + 1e-9)
    if largest == 0 or (_PLAIN_FROM <= largest < _PLAIN_TO and exponent > -7):
        decimals = max(0, -exponent, 1 if largest < 10 else 0)
        return [f"{value + 0.0:.{decimals}f}" for value in values]
    digits = max(0, min(15, math.floor(math.log10(largest)) - exponent))
    return ["0" if abs(value) < step / 2 else _compact(f"{value:.{digits}e}") for value in values]


def short(value: float) -> str:
    """Three figures: `0.409`, `12.5`, `1230`, `1.23e-5`, `1e300`."""
    if value == 0:
        return "0"
    if _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        decimals = max(0, 2 - math.floor(math.log10(abs(value))))
        text = f"{value:.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return _compact(f"{value:.2e}")


def _compact(text: str) -> str:
    """`1.50e-05` as `1.5e-5`."""
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"


def below(view: View, count: int) -> str:
    """The line below a plot of `count` columns: where it begins, round places, where it ends."""
    point, alone, view = view.start, not view.start < view.end, sound(view)
    span = view.end - view.start
    size = span / count
    start, end = _place(view.start, size, time=view.time), _place(view.end, size, time=view.time)
    ending = end if view.time else f"{view.word} {end}"
    ending = next((text for text in (ending, end) if len(text) <= count), "")
    if alone and math.isfinite(point):
        text = _place(point, size, time=view.time)
        text = text if view.time else f"{view.word} {text}"
        return f"{text if len(text) <= count else '':^{count}}"
    line = [" "] * count
    line[count - len(ending) :] = ending
    free = count - len(ending) - _BLANKS
    if len(start) <= free:
        line[: len(start)] = start
    else:
        return "".join(line)
    taken = len(start) + _BLANKS
    step = _step(view, size, max(len(start), len(end)))
    # A long way from 0 the steps of a deep zoom are finer than what is written.
    for number in range(math.floor(view.start / step), math.ceil(view.end / step) + 1):
        at = number * step
        if not view.start < at < view.end:
            continue
        text = _place(at, step, time=view.time)
        left = int((at - view.start) / size - len(text) / 2)
        if left >= taken and left + len(text) <= free:
            line[left : left + len(text)] = text
            taken = left + len(text) + _BLANKS
    return "".join(line)


def _step(view: View, size: float, widest: int) -> float:
    """The finest round distance of two labels for which there is room."""
    least = size * max(_NEAREST, widest + 2 * _BLANKS)
    if view.time and least > 0.5:
        days = least / _DAY
        return next((float(one) for one in _CLOCK if one >= least), 0.0) or _DAY * _nice(days)
    return _nice(least)


def _nice(least: float) -> float:
    """The first of 1, 2, 5, 10, 20, ... that is no less."""
    exponent = math.floor(math.log10(least))
    steps = [float(f"{factor}e{exponent + more}") for more in (0, 1, 2) for factor in (1, 2, 5)]
    return next(step for step in steps if step >= least * 0.999999)


def _place(at: float, size: float, *, time: bool) -> str:
    """A step or a time, as exact as a column of this size tells it."""
    if time:
        return _clock(at, size)
    decimals = max(0, min(9, math.ceil(-math.log10(size))))
    text = f"{at:,.{decimals}f}" if abs(at) >= 10_000 else f"{at:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _clock(seconds: float, size: float) -> str:
    """`0`, `12.5s`, `10m`, `1m05s`, `1h30m`, `2d6h`: no parts that are finer than a column."""
    sign, left = ("-", -seconds) if seconds < 0 else ("", seconds)
    if size < 1 and left < _MINUTE:
        decimals = max(0, min(9, math.ceil(-math.log10(size))))
        text = f"{left:.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "0" else f"{sign}{text}s"
    unit = next((one for one in (_DAY, _HOUR, _MINUTE) if size >= one), 1)
    rest = int(left + 0.5) // unit * unit
    parts: list[str] = []
    for name, one in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE), ("s", 1)):
        count, rest = divmod(rest, one)
        if count:
            parts.append(f"{count:02}{name}" if parts and name in "ms" else f"{count}{name}")
    return sign + "".join(parts) if parts else "0"
