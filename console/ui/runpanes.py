"""The panes of a run that are drawn: its curves, and below them what cards and machine did. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.style import Style

from console.model.cells import cut_middle
from console.model.cells import width as cells_of
from console.model.history import NANO, SILENCE_SECONDS
from console.model.run_words import figure
from console.model.words import duration
from console.ui import runlines
from console.ui.canvas import Line, Part, line_cells
from console.ui.curve import points
from console.ui.look import Look
from console.ui.palette import Ground, Role
from console.ui.plot import LEFT, area, at, cells, cursor_column, inset, legend, plot, title_words
from console.ui.runcards import Quantity, history, title, value_words
from console.ui.runplots import Clock, Plot, groups
from console.ui.runview import RunView

_LEAST_NAME = 6
_LEAST_TITLE = 30
"""Cells of a title that are kept for its name and what stands behind it."""


def metrics(
    view: RunView, drawn: Plot | None, look: Look, width: int, height: int, *, number: int | None, focused: bool
) -> list[Line]:
    """The curves below their title, in `height` lines. Without a `number` no key is for this pane, and none is named."""
    name = numbered(number, "Metrics")
    if drawn is None:
        words = "Nothing was measured yet." if not view.run.ended else "Its log told no metric."
        return nothing(name, words, look, width, height, focused=focused)
    told = under(drawn, look) if drawn.view.cursor is not None else _names(drawn, look)
    more = len(groups(view.figures)) - 1 if view.figures is not None else 0
    return curves(name, told, more, drawn, look, width, height, focused=focused, keys=number is not None)


def numbered(number: int | None, name: str) -> str:
    """`1 Metrics`; the name alone where no key is for the pane."""
    return name if number is None else f"{number} {name}"


def nothing(name: str, words: str, look: Look, width: int, height: int, *, focused: bool) -> list[Line]:
    """A pane without a curve, and why."""
    return [_title(name, (), "", look, width, focused=focused), [look.part(f" {words}", Role.MUTED)]][: max(0, height)]


def curves(
    name: str,
    told: Sequence[Sequence[Part]],
    more: int,
    drawn: Plot,
    look: Look,
    width: int,
    height: int,
    *,
    focused: bool,
    keys: bool = True,
) -> list[Line]:
    """A plot below its title. `told` are items that stand in it, `more` is how many other metrics there are; with `keys` it
    says which one changes the axis."""
    if height <= 0:
        return []
    axis = "time" if drawn.view.time else drawn.view.word
    if keys:
        axis += f"  {look.keys.first('axis')} {'step' if drawn.view.time else 'time'}"
    # What is not as it was measured is said whatever else has no room.
    notes = ", ".join(title_words(drawn.traces, drawn.view))
    rest = "  ".join(part for part in (notes, axis) if part)
    others = f"+{more} more  " if more > 0 else ""
    right = f"{others}{rest}" if cells_of(others + rest) <= width - _LEAST_TITLE else rest
    head = _title(name, told, right, look, width, focused=focused)
    return [head, *plot(drawn.traces, drawn.view, width, height - 1, look)][:height]


def heading(view: RunView, look: Look, width: int, *, number: int, focused: bool) -> Line:
    """`5 project-a #128   ▸ training  48%  18m left`: over all panes of a run whose name does not stand in line 1.

    Where there is little room its name gives way in the middle, then what stands last; number and state stay.
    """
    shown = look.state(view.state, 2 + cells_of(view.state.word))
    known_as = f" {view.run.known_as}".rstrip()
    room = width - 1 - len(str(number)) - 1 - cells_of(known_as) - 3 - line_cells(shown)
    name = cut_middle(view.run.project, max(_LEAST_NAME, room), look.glyphs.ellipsis)
    told = [[look.part(words, Role.MUTED)] for words in runlines.told(view)]
    return _title(f"{number} {name}{known_as}", [shown, *told], "", look, width, focused=focused)


def _names(drawn: Plot, look: Look) -> list[list[Part]]:
    """Each curve with its sign."""
    parts = [look.part(""), *legend(drawn.traces, look)]
    return [parts[at : at + 3] for at in range(0, len(parts), 3)]


def under(drawn: Plot, look: Look) -> list[list[Part]]:
    """What stands under the crosshair, in place of the names."""
    where = drawn.view.cursor
    assert where is not None  # noqa: S101 - only asked where there is one
    words = f"at {duration(where)}" if drawn.view.time else f"{drawn.view.word} {where:,.0f}"
    found = [[look.part(words, Role.ACCENT)]]
    for name, (_, value) in at(drawn.traces, where).items():
        found.append([look.part(f"   {name} ", Role.MUTED), look.part(figure(value))])
    return found


def _title(name: str, middle: Sequence[Sequence[Part]], right: str, look: Look, width: int, *, focused: bool) -> Line:
    """Whole items only: what stands in the middle loses its end to what stands at the right."""
    ground = Ground.FOCUS if focused else Ground.BAND
    parts: list[Part] = [look.part(f" {name}   ", Role.TEXT, ground, bold=True)]
    used = cells_of(parts[0][0])
    right = f" {right} " if right and used + len(right) + 2 <= width else ""
    for item in middle:
        size = line_cells(item)
        if used + size > width - len(right):
            break
        parts += [(text, _on(style, look.style(Role.TEXT, ground))) for text, style in item]
        used += size
    parts.append(look.part(" " * max(0, width - used - len(right)), Role.MUTED, ground))
    return [*parts, look.part(right, Role.MUTED, ground)]


def _on(style: Style, ground: Style) -> Style:
    """A part that was made for the plain ground, on the ground of a title."""
    return ground if ground.reverse else ground + Style(color=style.color, bold=style.bold)


def cards(
    view: RunView,
    quantity: Quantity,
    clock: Clock,
    drawn: Plot | None,
    look: Look,
    width: int,
    height: int,
    *,
    plotted: int,
    number: int | None,
    focused: bool,
) -> list[Line]:
    """One quantity of a card or of the machine on the axis of the curves, in `height` lines; those have `plotted`."""
    if height <= 0:
        return []
    span = (drawn.view.start, drawn.view.end) if drawn is not None else (clock.knots[0][0], clock.knots[-1][0])
    left = inset(drawn.traces, drawn.view, width, plotted) if drawn is not None else LEFT
    slots = points(look.glyphs, cells(width, left))
    found = history(view, quantity, clock, span, slots)
    name, words = title(view, quantity)
    column = None
    if drawn is not None and drawn.view.cursor is not None:
        column = cursor_column(drawn.view, width, left)
        value, moment = _under_cursor(found.values, drawn.view.cursor, span, clock)
        words = value_words(quantity, value, datetime.fromtimestamp(moment / NANO, UTC))
    key = look.keys.first("next-metric")
    hint = f"{key} next" if focused and number is not None else ""
    items = [[look.part(f"{'  ' if place else ''}{one}", Role.MUTED)] for place, one in enumerate(words.split("  "))]
    head = _title(numbered(number, name), items, hint, look, width, focused=focused)
    role = Role.ACTIVE if quantity.what.value in ("util", "cpu") else Role.THIRD
    lines = area(
        found.values, found.highs, found.top, width, height - 1, look, label=found.label, cursor=column, left=left, role=role
    )
    return [head, *lines][:height]


def _under_cursor(
    values: Sequence[float | None], where: float, span: tuple[float, float], clock: Clock
) -> tuple[float | None, float]:
    """The value at a place of the axis, and when that was (nanoseconds since 1970).

    The newest one lies a moment before the end of the axis: it counts until there would be a gap.
    """
    start, end = span
    at_cursor = clock.time(where)
    if not values or end <= start:
        return None, at_cursor
    size = (end - start) / len(values)
    column = max(0, min(len(values) - 1, int((where - start) / size)))
    newest = next((place for place in range(len(values) - 1, -1, -1) if values[place] is not None), -1)
    if column <= newest or newest < 0:
        return values[column], at_cursor
    seen = clock.time(start + size * (newest + 1))
    return (values[newest], seen) if at_cursor - seen <= SILENCE_SECONDS * NANO else (None, at_cursor)
