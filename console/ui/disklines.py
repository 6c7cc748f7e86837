"""The disk as lines: how full it is, what fills it, the objects of a row, and all about one of either. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from console.model.cells import pad
from console.model.cells import width as cells_of
from console.model.disk_rows import DiskRow
from console.model.disk_view import DiskFacts, DiskObject
from console.model.kept import ONLY_BY_NAME
from console.model.machine import Disk
from console.model.machine_words import ATTENTION, BROKEN, outlook, used_of
from console.model.pruning import Kind
from console.model.secretnames import label_value
from console.model.state import StateClass, state
from console.model.words import age, counted, day, decimal
from console.text import Clean
from console.ui.canvas import Line, Part, line_cells
from console.ui.columns import Column
from console.ui.details import fact, wrapped
from console.ui.look import Look
from console.ui.palette import GLYPH_ROLES, Role
from console.ui.table import NAME, TableRow

SIZE, CAN_GO = "size", "can go"
FIGURES = (SIZE, CAN_GO)
FILES_FROM = 80.0
"""Percent of the inodes from which they are told: long before they are gone nobody thinks of them."""

_OLD = timedelta(seconds=60)
_BAR, _LEAST_BAR, _ROW_BAR = 18, 8, 10
_WIDE = 100
_LARGEST = 12
"""Objects that the lower pane names."""
_PLAIN = state(StateClass.UNKNOWN, "")


class Order(StrEnum):
    """How rows are ordered."""

    LARGEST = "largest first"
    CAN_GO = "most to free first"
    NAME = "by name"


class ObjectOrder(StrEnum):
    """How the objects of a row are ordered."""

    LARGEST = "largest first"
    CAN_GO = "what can go first"
    OLDEST = "oldest first"
    NAME = "by name"


def head(disk: Disk | None, facts: DiskFacts | None, read: datetime | None, look: Look, width: int, now: datetime) -> Line:
    """`/var/lib/docker  1.68 of 1.84 TB  (bar) 91%`, inodes where they run out, and at the right how old the figures are.

    `disk` is what Docker's folder lies on, None where it is on another machine; `read` is when the figures were taken.
    """
    told = f"read {age((now - read).total_seconds())} ago " if read is not None and now - read > _OLD else ""
    right = look.part(told, Role.MUTED)
    before: list[Part] = []
    behind: list[Part] = []
    if disk is not None:
        before = [look.part(f" {disk.path}", bold=True), look.part(f"  {used_of(disk)}  ")]
        told = outlook(disk)
        behind = [
            look.part(f"{disk.space:.0f}%", bold=disk.space >= ATTENTION),
            *([look.part(f"  {told}")] if told else []),
            *_files(disk, look),
        ]
    elif facts is not None:
        whole = sum(row.size or 0 for row in facts.rows if row.kind is not None)
        before = [look.part(f" Docker keeps {decimal(whole)}", bold=True)]
    if facts is not None and facts.decision.bytes:
        behind.append(look.part(f"  {decimal(facts.decision.bytes)} can go"))
    # What stands last goes first where there is no room, and the bar before all of it; nothing is cut.
    while behind and line_cells([*before, *behind, right]) > width:
        behind.pop()
    bar = min(_BAR, width - line_cells([*before, *behind, right]) - 1)
    if disk is not None and bar >= _LEAST_BAR:
        filled, empty = look.glyphs.bar(disk.space / 100, bar)
        before += [look.part(filled, _role(disk.space)), look.part(f"{empty} ", Role.FAINT)]
    shown = [*before, *behind]
    return [*shown, look.part(" " * max(0, width - line_cells([*shown, right]))), right]


def _kind(full: float) -> StateClass:
    return StateClass.BROKEN if full >= BROKEN else StateClass.ATTENTION if full >= ATTENTION else StateClass.ACTIVE


def _role(full: float) -> Role:
    return GLYPH_ROLES[_kind(full)]


def _files(disk: Disk, look: Look) -> list[Part]:
    files = disk.files
    if files is None or files < FILES_FROM:
        return []
    told = f"inodes {files:.0f}%, {disk.inodes_free:,} left"
    if files < ATTENTION:
        return [look.part(f"  {told}")]
    # One part, so that the sign does not stay without its words.
    return [look.part(f"  {look.glyphs.state(_kind(files))} {told}", _role(files), bold=True)]


# Rows


def columns(rows: Sequence[DiskRow]) -> tuple[Column, ...]:
    """Names get what the longest needs, so that the notes get the rest."""
    count = max([5, *(len(f"{row.count:,}") for row in rows)])
    name = min(34, max([24, *(cells_of(row.what) for row in rows)]))
    return (
        Column(NAME, 12, name, 0, 0),
        Column("count", count, count, 0, 3, right=True),
        Column(SIZE, 7, 7, 0, 0, right=True),
        Column(CAN_GO, 7, 7, 0, 1, right=True),
        Column("bar", _ROW_BAR, _ROW_BAR, 0, 4),
        Column("note", 14, 14, 500, 2),
    )


def table_row(row: DiskRow, whole: int) -> TableRow:
    """The cells of one row; `whole` are the bytes of all rows together, of which its bar is a part."""
    unknown = f"{counted(row.unknown, 'size')} not known" if row.unknown else ""
    note = ", ".join(part for part in (str(row.note), unknown) if part)
    return TableRow(
        str(row.what),
        _PLAIN,
        {
            NAME: str(row.what),
            "count": f"{row.count:,}",
            SIZE: decimal(row.size) if row.size is not None else "n/a",
            CAN_GO: decimal(row.can_go),
            "note": note,
        },
        {"bar": (row.size or 0) / whole if whole else 0.0},
    )


def ordered(rows: Sequence[DiskRow], order: Order, *, backwards: bool) -> list[DiskRow]:
    """`rows` are the largest first; sorting keeps that among equals."""
    match order:
        case Order.LARGEST:
            found = list(rows)
        case Order.CAN_GO:
            found = sorted(rows, key=lambda row: -row.can_go)
        case Order.NAME:
            found = sorted(rows, key=lambda row: row.what.casefold())
    return found[::-1] if backwards else found


def about_row(row: DiskRow, facts: DiskFacts, look: Look, width: int, now: datetime, open_key: str) -> list[Line]:
    """What of it goes, what stays and why, then its largest objects."""
    goes, stays = facts.fates.get(row.what, (None, None))
    found: list[Line] = []
    for label, group in (("goes", goes), ("stays", stays)):
        if group is not None:
            found += _labelled(label, str(group.line), look, width)
    if row.kind is None:
        found += wrapped(str(ONLY_BY_NAME), look, width)
    else:
        found += _labelled("rule", facts.decision.rule.told, look, width)
        for note in facts.decision.notes:
            found += wrapped(str(note), look, width, Role.ATTENTION)
    objects = facts.objects.get(row.what, ())
    if not objects:
        return found
    found.append([look.part(""), look.part(" Largest", bold=True)])
    found += [_short_line(one, look, width, now) for one in objects[:_LARGEST]]
    if len(objects) > _LARGEST:
        found.append([look.part(look.cut(f" {len(objects) - _LARGEST:,} more, {open_key} lists all", width - 1), Role.MUTED)])
    return found


def _labelled(label: str, text: str, look: Look, width: int) -> list[Line]:
    rows = wrapped(text, look, max(20, width - 7))
    heads = [label, *([""] * len(rows))]
    return [[look.part(f" {pad(name, 6)}", Role.MUTED), *line] for name, line in zip(heads, rows, strict=False)]


def _short_line(one: DiskObject, look: Look, width: int, now: datetime) -> Line:
    name = min(44, max(16, width // 3))
    size = decimal(one.size) if one.size is not None else "n/a"
    shown = look.cut(one.name, name)
    rest = look.cut(fate(one), max(8, width - name - 18))
    when = age((now - one.when).total_seconds()) if one.when is not None else ""
    return [
        look.part(f" {shown} "),
        look.part(pad(size, 7, right=True)),
        look.part(f" {pad(when, 5, right=True)}  ", Role.MUTED),
        look.part(rest),
    ]


# Objects

_AGE = {Kind.IMAGE: "age", Kind.VOLUME: "age", Kind.CACHE: "used", Kind.CONTAINER: "since"}


def object_headers(kind: Kind | None) -> dict[str, str]:
    """What the columns of objects are called, where that differs from their ids."""
    return {"when": _AGE[kind] if kind is not None else "age", "users": "used by", "why": "can it go"}


def object_columns(kind: Kind | None, objects: Sequence[DiskObject], width: int) -> tuple[Column, ...]:
    """Why it stays is what people come for; names are cut in their middle before that is."""
    wide = width >= _WIDE
    most = 60 if wide else 28
    name = min(most, max([16, *(cells_of(one.name) for one in objects[:400])]))
    shared = (
        Column(NAME, 12, name, 0, 0),
        Column(SIZE, 7, 7, 0, 0, right=True),
        Column("when", 5, 5, 0, 2, right=True),
        Column("why", 18, 34 if wide else 24, 500, 1),
    )
    first, size, when, why = shared
    match kind:
        case Kind.IMAGE:
            return (
                first,
                Column("id", 12, 12, 0, 5),
                when,
                size,
                Column("alone", 7, 7, 0, 3, right=True),
                Column("users", 8, 18, 0, 6),
                why,
            )
        case Kind.CONTAINER:
            return (
                first,
                when,
                size,
                Column("wrote", 7, 7, 0, 3, right=True),
                Column("log", 7, 7, 0, 4, right=True),
                Column("image", 12, 24, 0, 6),
                why,
            )
        case Kind.VOLUME:
            # Who has it matters more than its age, and of a name of 64 figures nobody needs them all.
            named = Column(NAME, 12, min(name, 32 if wide else 28), 0, 0)
            aged = Column("when", 5, 5, 0, 3, right=True)
            return named, aged, size, Column("users", 8, 20 if wide else 16, 0, 2), why
        case Kind.CACHE:
            return first, Column("id", 12, 12, 0, 3), when, size, why
        case None:
            return first, when, size, why


def object_row(one: DiskObject, now: datetime) -> TableRow:
    wrote = None if one.size is None or one.log is None else one.size - one.log
    return TableRow(
        str(one.key),
        _PLAIN,
        {
            NAME: str(one.name),
            "id": str(one.short),
            "when": age((now - one.when).total_seconds()) if one.when is not None else "n/a",
            SIZE: _bytes(one.size),
            "alone": _bytes(one.alone),
            "wrote": _bytes(one.size if wrote is None else wrote),
            "log": _bytes(one.log),
            "image": str(one.names[0]) if one.names else "",
            "users": _several(one.users),
            "why": fate(one),
        },
    )


def _bytes(size: int | None) -> str:
    return decimal(size) if size is not None else "n/a"


def _several(names: Sequence[str]) -> str:
    return f"{names[0]} +{len(names) - 1}" if len(names) > 1 else "".join(names)


def fate(one: DiskObject) -> str:
    """`goes: built before Oct 24`, `stays: in use by train-7`."""
    return f"{'goes' if one.goes else 'stays'}: {one.reason}"


def ordered_objects(objects: Sequence[DiskObject], order: ObjectOrder, *, backwards: bool) -> list[DiskObject]:
    """`objects` are the largest first; sorting keeps that among equals."""
    match order:
        case ObjectOrder.LARGEST:
            found = list(objects)
        case ObjectOrder.CAN_GO:
            found = sorted(objects, key=lambda one: not one.goes)
        case ObjectOrder.OLDEST:
            found = sorted(objects, key=lambda one: (one.when is None, one.when.timestamp() if one.when is not None else 0.0))
        case ObjectOrder.NAME:
            found = sorted(objects, key=lambda one: one.name.casefold())
    return found[::-1] if backwards else found


def about_object(one: DiskObject, facts: DiskFacts, look: Look, width: int, now: datetime) -> list[Line]:
    """Whether it can go first, then what it is and who has it."""
    found: list[Line] = wrapped(_sentence(one), look, width)
    pairs: list[tuple[str, str]] = [("name" if n == 0 else "", str(name)) for n, name in enumerate(_names(one))]
    if one.kind not in (Kind.VOLUME, None):
        pairs.append(("id", str(one.key.partition("/")[2]).removeprefix("sha256:")))
    if one.when is not None:
        words = {Kind.CACHE: "used", Kind.CONTAINER: "since", None: "changed"}.get(one.kind, "made")
        pairs.append((words, f"{day(one.when, now)}, {age((now - one.when).total_seconds())} ago"))
    pairs.append(("size", _size_words(one)))
    pairs += [("used by" if n == 0 else "", str(name)) for n, name in enumerate(one.users)]
    pairs += _facts_of(one, facts)
    return found + [fact(name, text, look, width) for name, text in pairs if text]


def _sentence(one: DiskObject) -> str:
    if not one.goes:
        return f"It stays: {one.reason}."
    frees = f" Alone it frees {decimal(one.alone)}." if one.alone is not None else ""
    return f"It can go: {one.reason}.{frees}"


def _names(one: DiskObject) -> Sequence[str]:
    return one.names if one.kind is Kind.IMAGE and one.names else (one.name,)


def _size_words(one: DiskObject) -> str:
    """`12 GB, 2.1 GB of it alone and 9.8 GB shared`."""
    if one.size is None:
        return "n/a: the Engine does not tell it"
    whole = decimal(one.size)
    if one.kind is Kind.CONTAINER:
        return f"{whole}, {decimal(one.log)} of it the log" if one.log is not None else f"{whole} beside its image, log n/a"
    if one.alone is None or one.alone >= one.size:
        return whole
    return f"{whole}, {decimal(one.alone)} alone, {decimal(one.size - one.alone)} shared"


def _facts_of(one: DiskObject, facts: DiskFacts) -> list[tuple[str, str]]:
    """What only its kind has."""
    if (kept := facts.kept.get(one.key)) is not None:
        told = {"project": kept.project, "run": kept.name, "in": kept.place, "note": kept.note}
        return [(name, str(text)) for name, text in told.items() if text]
    disk, key = facts.known.disk, one.key.partition("/")[2]
    labels: Mapping[Clean, Clean] = {}
    found: list[tuple[str, str]] = []
    match one.kind:
        case Kind.IMAGE:
            for image in (image for image in disk.images if image.id == key):
                labels = image.labels
                found.append(("layers", f"{len(image.layers)}" if image.layers is not None else "n/a"))
        case Kind.VOLUME:
            for volume in (volume for volume in disk.volumes if volume.name == key):
                labels = volume.labels
                found.append(("driver", str(volume.driver)))
        case Kind.CACHE:
            for part in (part for part in disk.cache if part.id == key):
                found.append(("kind", str(part.kind) + (", layers of an image too" if part.shared else "")))
                found.append(("made", day(part.created, facts.taken_at)))
        case Kind.CONTAINER:
            for container in (one for one in facts.known.containers if one.id == key):
                labels = container.labels
                found += [("state", container.state.value), ("image", str(container.image))]
    return [
        *found,
        *(
            ("labels" if n == 0 else "", f"{name}={label_value(name, value)}")
            for n, (name, value) in enumerate(sorted(labels.items()))
        ),
    ]
