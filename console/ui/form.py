"""The fields of a plan while a person changes them. Pure: keys go in, what was typed comes out, lines are drawn.

What was typed is kept here, whatever plans are made of it meanwhile; a newer plan brings notes, problems and marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from console.actions.plan import MASK, Entry
from console.model.asking import FieldKind
from console.model.cells import cut, cut_middle, pad
from console.model.cells import width as cells_of
from console.text import Clean
from console.ui.canvas import Line, Part
from console.ui.look import Look
from console.ui.palette import Ground, Role
from console.ui.typed import Typed

_TYPED = frozenset({FieldKind.TEXT, FieldKind.LINES, FieldKind.OTHER, FieldKind.PASSWORD})
_ON = frozenset({"true", "on", "yes", "1"})
_MARGIN = 3
_LEAST_VALUE = 12


class Columns(NamedTuple):
    """Cells of the columns of a form."""

    name: int
    value: int
    note: int


class Form:
    """`typed` has what a person put in, by the name of the field; a field that nobody touched is not in it.

    One that is again as it was stays in it: what stands there is what is sent, also where the act would have set it itself.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        self.at = next((number for number, one in enumerate(entries) if self.editable(one)), 0)
        self.typed: dict[Clean, Clean] = {}
        self._texts: dict[Clean, Typed] = {}

    def renew(self, entries: Sequence[Entry]) -> None:
        """The fields as a newer plan has them."""
        name = self.entry.name if self.at < len(self.entries) else None
        self.entries = tuple(entries)
        if name is not None:
            self.at = next((number for number, one in enumerate(entries) if one.name == name), min(self.at, len(entries) - 1))

    @staticmethod
    def editable(entry: Entry) -> bool:
        return entry.kind is not FieldKind.FILE

    @property
    def entry(self) -> Entry:
        return self.entries[self.at]

    @property
    def on_start(self) -> bool:
        """Whether the cursor stands behind the last field, where enter agrees."""
        return self.at >= len(self.entries)

    @property
    def has_lines(self) -> bool:
        return any(one.kind is FieldKind.LINES for one in self.entries)

    @property
    def enter_writes(self) -> bool:
        """Whether enter belongs to the text just now."""
        return not self.on_start and self.entry.kind is FieldKind.LINES

    @property
    def enter_starts_next(self) -> bool:
        """Whether enter agrees in the field that tab leads to."""
        stops = [number for number, one in enumerate(self.entries) if self.editable(one)] + [len(self.entries)] * self.has_lines
        after = next((stop for stop in stops if stop > self.at), stops[0])
        return after >= len(self.entries) or self.entries[after].kind is not FieldKind.LINES

    @property
    def row(self) -> int:
        """Which line of its field the cursor stands in."""
        if self.on_start or self.entry.kind is not FieldKind.LINES:
            return 0
        return self._text(self.entry).place[0]

    def value(self, entry: Entry) -> str:
        """What stands in a field now."""
        return str(self.typed.get(entry.name, entry.value))

    def step(self, by: int) -> None:
        """To the next or previous field that can be changed, around the ends."""
        stops = len(self.entries) + self.has_lines
        for _ in range(stops):
            self.at = (self.at + by) % stops
            if self.on_start or self.editable(self.entry):
                return

    def press(self, key: str, character: str | None) -> bool:
        """Whether the key changed a value. Keys that move do so, too."""
        if key in ("tab", "shift+tab"):
            self.step(1 if key == "tab" else -1)
            return False
        if self.on_start or not self.editable(self.entry):
            self._between(key)
            return False
        before = dict(self.typed)
        match self.entry.kind:
            case FieldKind.CHOICE:
                self._choose(key)
            case FieldKind.BOOLEAN:
                self._switch(key)
            case FieldKind.PASSWORD:
                self._hide(key, character)
            case _:
                self._write(key, character)
        return self.typed != before

    def paste(self, text: str) -> bool:
        """Put in what was pasted; False where nothing can be typed."""
        if self.on_start or self.entry.kind not in _TYPED:
            return False
        line = self._text(self.entry)
        line.insert(text)
        self.typed[self.entry.name] = line.value
        return True

    def _between(self, key: str) -> None:
        if key in ("up", "down"):
            self.step(1 if key == "down" else -1)

    def _choose(self, key: str) -> None:
        choices, now = self.entry.choices, self.value(self.entry)
        by = {"right": 1, "space": 1, "left": -1}.get(key)
        if by is None or not choices:
            self._between(key)
            return
        at = next((number for number, one in enumerate(choices) if one == now), 0 if by < 0 else -1)
        self.typed[self.entry.name] = choices[(at + by) % len(choices)]

    def _switch(self, key: str) -> None:
        if key in ("space", "left", "right"):
            self.typed[self.entry.name] = Clean("false" if is_on(self.value(self.entry)) else "true")
        else:
            self._between(key)

    def _hide(self, key: str, character: str | None) -> None:
        """A secret is typed blind: its letters only go on, or all at once."""
        if key in ("backspace", "ctrl+u", "delete"):
            self._texts.pop(self.entry.name, None)
            self.typed.pop(self.entry.name, None)
        elif key not in ("left", "right", "home", "end"):
            self._write(key, character)

    def _write(self, key: str, character: str | None) -> None:
        entry, line = self.entry, self._text(self.entry)
        before = line.text
        if not line.press(key, character):
            self._between(key)
        elif line.text != before:
            self.typed[entry.name] = line.value

    def _text(self, entry: Entry) -> Typed:
        found = self._texts.get(entry.name)
        if found is None:
            # What Jenkins hides cannot be gone on with: it is typed anew.
            began = "" if entry.kind is FieldKind.PASSWORD else self.value(entry)
            found = self._texts[entry.name] = Typed(began, lines=entry.kind is FieldKind.LINES)
        return found

    # What is drawn

    def shown(self, entry: Entry, cells: int, look: Look) -> list[str]:
        """The value of the field that has the cursor."""
        if entry.kind is FieldKind.PASSWORD:
            return [f"{MASK if self.value(entry) else ''}_"]
        if entry.kind in _TYPED:
            return self._text(entry).shown(cells, look.glyphs.ellipsis)
        return static(entry.kind, self.value(entry), cells, look)


def is_on(value: str) -> bool:
    """Whether Jenkins takes it for yes."""
    return value.strip().lower() in _ON


def static(kind: FieldKind, value: str, cells: int, look: Look, *, open_: bool = True) -> list[str]:
    """A value that is not being typed, cut to `cells`. `open_`: the signs that tell how to change it stand with it."""
    if kind is FieldKind.PASSWORD:
        return [str(MASK) if value else ""]
    if kind is FieldKind.BOOLEAN:
        return ["[x] yes" if is_on(value) else "[ ] no"]
    if kind is FieldKind.CHOICE and open_:
        return [f"< {cut(value, max(1, cells - 4), look.glyphs.ellipsis)} >"]
    return [cut(row, cells, look.glyphs.ellipsis) for row in value.split("\n")]


def columns(entries: Sequence[Entry], width: int) -> Columns:
    """Names get what the longest needs, values a third of the rest, notes what is left."""
    name = min(max(2 + max((cells_of(one.name) for one in entries), default=0), 8), max(10, width // 3))
    rest = max(0, width - _MARGIN - name - 1)
    value = max(_LEAST_VALUE, rest // 3)
    return Columns(name, value, max(0, rest - value - 2))


def lines(entries: Sequence[Entry], look: Look, width: int, form: Form | None = None) -> list[tuple[bool, Line]]:
    """The fields, each with whether the cursor is in it. Without `form` nobody is changing anything."""
    cells = columns(entries, width)
    found: list[tuple[bool, Line]] = []
    for number, entry in enumerate(entries):
        here = form is not None and form.at == number
        found += [(here, line) for line in _field(entry, look, width, cells, form, here=here)]
    return found


def _field(entry: Entry, look: Look, width: int, cells: Columns, form: Form | None, *, here: bool) -> list[Line]:
    note = _note(entry)
    room = cells.value if note else cells.value + 2 + cells.note
    if form is not None and here:
        rows = form.shown(entry, room, look)
    else:
        value = form.value(entry) if form is not None else str(entry.value)
        rows = static(entry.kind, value, room, look, open_=form is not None)
    notes = note.split("\n") if note else []
    found: list[Line] = []
    for number in range(max(len(rows), len(notes))):
        row = rows[number] if number < len(rows) else ""
        beside = notes[number] if number < len(notes) else ""
        found.append(_row(entry, look, width, cells, (row, beside), first=number == 0, here=here, room=room))
    return found


def _row(
    entry: Entry,
    look: Look,
    width: int,
    cells: Columns,
    told: tuple[str, str],
    *,
    first: bool,
    here: bool,
    room: int,
) -> Line:
    ground = Ground.SELECT if here else Ground.PLAIN
    value, note = told
    name = pad(cut_middle(entry.name, cells.name - 1, look.glyphs.ellipsis), cells.name) if first else " " * cells.name
    parts: list[Part] = [
        look.part(look.glyphs.cursor if here and first else " ", Role.ACCENT, ground),
        look.part("* " if entry.changed and first else "  ", Role.ATTENTION, ground, bold=True),
        look.part(name, Role.TEXT if here else Role.MUTED, ground),
        look.part(pad(cut(value, room, look.glyphs.ellipsis), room), Role.TEXT, ground, bold=entry.changed),
    ]
    left = width - _MARGIN - cells.name - room - 2
    if note and left > 0:
        role = Role.BAD if entry.problem is not None else Role.MUTED
        parts.append(look.part("  " + pad(cut(note, left, look.glyphs.ellipsis), left), role, ground))
    elif here:
        parts.append(look.part(" " * max(0, width - _MARGIN - cells.name - room), Role.TEXT, ground))
    return parts


def _note(entry: Entry) -> str:
    return str(entry.problem) if entry.problem is not None else str(entry.note)
