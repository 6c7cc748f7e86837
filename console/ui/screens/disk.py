"""The disk: what fills it, in rows, and the objects behind a row, each with whether it can go and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from console.model.disk_rows import KEPT, DiskRow
from console.model.disk_view import DiskFacts, DiskObject
from console.model.kept import ONLY_BY_NAME
from console.model.pruning import Kind, Rule, Why
from console.model.source import SourceState, SourceStatus
from console.model.state import StateClass
from console.model.words import age
from console.text import Clean
from console.ui import disklines
from console.ui.acting import begin
from console.ui.canvas import Line, Part, plain
from console.ui.disklines import ObjectOrder, Order
from console.ui.keymap import bindings
from console.ui.makings import pruning
from console.ui.palette import Role
from console.ui.screens.lists import BOTTOM, LIST
from console.ui.screens.tablebase import Tabled
from console.ui.standing import trouble
from console.ui.table import Table

if TYPE_CHECKING:
    from console.model.machine import Disk

_ORDERS, _OBJECT_ORDERS = tuple(Order), tuple(ObjectOrder)


class DiskPlace(Tabled, inherit_bindings=False):
    """What both screens share: what was read, how old it is, and why nothing is known."""

    shows_disk = True
    where = ("list", "main", "beside", "filtered", "ordered", "marks", "disk", "facts", "everywhere")
    foot_ids: Sequence[str] = ("open", "prune", "choose", "order", "filter", "facts", "palette", "zoom", "copy")

    @property
    def facts_read(self) -> DiskFacts | None:
        """The newest reading."""
        return self.world.disk.value if self.world is not None and self.world.disk is not None else None

    @property
    def status(self) -> SourceStatus | None:
        """How Docker does: as it answers everything else, and then as it answered this."""
        if self.world is None:
            return None
        docker = self.world.sources["docker"]
        return self.world.disk.status if docker.state is SourceState.OK and self.world.disk is not None else docker

    @property
    def read_at(self) -> datetime | None:
        return self.world.disk.status.taken_at if self.world is not None and self.world.disk is not None else None

    def above(self, width: int) -> list[Line]:
        status = self.status
        well = status is not None and status.state is SourceState.OK
        read = self.read_at if well else None
        return [disklines.head(self._disk(), self.facts_read, read, self.look, width, self.now())]

    def _disk(self) -> Disk | None:
        machine = self.world.machine if self.world is not None else None
        return next((one for one in machine.disks if one.what == "docker"), None) if machine is not None else None

    def attend(self) -> None:
        from console.feeds.jenkins_feed import Interest

        super().attend()
        self.console.attend_jenkins(self, Interest())
        self.console.attend_gpus(self, closely=False)
        self.console.attend_disk()

    def on_unmount(self) -> None:
        self.console.attend_disk()

    def sentences(self) -> list[tuple[str, Role]]:
        """Why the rows cannot be trusted, or why there are none; empty when all is well."""
        status = self.status
        reading = status is None or (status.state is SourceState.STARTING and status.reason is None)
        if reading and not self.slow:
            return []  # a quick answer needs no "Reading": the sentence would only flash
        told = trouble(status, "docker", self.now(), self.own("refresh"))
        if told is None:
            return []
        words = told + self.look.glyphs.ellipsis if reading else told
        return [(words, Role.BAD if self.facts_read is not None else Role.TEXT)]

    def _keep(self) -> None:
        self.cursors[LIST].keep([row.key for row in self.table_rows])

    def notes(self, *, order: str) -> list[str]:
        """What is in force besides the usual, for the title of the list."""
        found = [f"/{self.words}"] if self.words else []
        if order:
            found.append(order)
        status, read = self.status, self.read_at
        if status is not None and status.state not in (SourceState.OK, SourceState.STARTING) and read is not None:
            found.append(f"! {age((self.now() - read).total_seconds())} old")
        return [*found, *self.marks_note(LIST)]

    def nothing(self, total: int, otherwise: str) -> list[tuple[str, Role]]:
        """Why there are no rows, where the reading itself is fine."""
        words = f'No row matches "{self.words}". {self.own("back")} shows all {total}.' if self.words else otherwise
        return [(words, Role.MUTED)]

    def action_prune(self) -> None:
        """Show what can go: of the marked rows, or else of all that is listed here."""
        marked = len(self._marks.get(LIST, ()))
        if marked > len(self.marked(LIST)):
            self.say(StateClass.ENDED, f"marks are hidden by the filter: {self.own('back')} shows them")
        elif self.only_kept:
            self.say(StateClass.ENDED, str(ONLY_BY_NAME))
        elif not self.table_rows:
            self.say(StateClass.ENDED, "nothing is listed here")
        else:
            self.begin_prune(self.chosen_rule())

    @property
    def only_kept(self) -> bool:
        """Whether nothing is meant but what runs keep."""
        raise NotImplementedError

    def chosen_rule(self) -> Rule:
        """The usual rule, for what is meant here."""
        raise NotImplementedError

    def begin_prune(self, rule: Rule) -> None:
        """Plan it, and ask before anything goes."""
        begin(self, pruning(rule, self.console.usual.good_builds), self.unmark)

    def action_facts(self) -> None:
        """All about the selected row as text, over the whole screen."""
        whole = not (self.pane == BOTTOM and self.zoomed)
        self.pane, self.zoomed = (BOTTOM if whole else LIST), whole
        self.paint()

    def action_copy(self) -> None:
        """The row and all about it."""
        key = self.cursors[LIST].selected
        row = next((row for row in self.table_rows if row.key == key), None)
        if row is not None:
            self.copy(f"{'  '.join(text for text in row.cells.values() if text)}\n{plain(self.bottom_lines(10_000))}")

    def action_order(self, by: int) -> None:
        if by > 0:
            self.next_order()
        else:
            self.backwards = not self.backwards
        self.say(StateClass.ENDED, self.order_words)

    backwards = False

    def next_order(self) -> None:
        raise NotImplementedError

    @property
    def order_words(self) -> str:
        """The order that is in force."""
        return f"{self.order_name}{', reversed' if self.backwards else ''}"

    @property
    def order_name(self) -> str:
        raise NotImplementedError


class DiskScreen(DiskPlace, inherit_bindings=False):
    """What fills the Engine's disk."""

    BINDINGS = bindings(DiskPlace.where)

    def __init__(self) -> None:
        super().__init__()
        self.order = Order.LARGEST
        self.found: list[DiskRow] = []
        self._made_of: DiskFacts | None = None
        """What the rows are made of: a newer reading may not have been painted yet."""
        self._total = 0

    def crumbs(self) -> Sequence[Part]:
        return [self.look.part("disk", bold=True)]

    def next_order(self) -> None:
        self.order = _ORDERS[(_ORDERS.index(self.order) + 1) % len(_ORDERS)]

    @property
    def order_name(self) -> str:
        return self.order.value

    def refresh_rows(self) -> None:
        facts = self._made_of = self.facts_read or self._made_of
        if facts is None:
            return  # what was selected before anything was read stays selected
        every = disklines.ordered(facts.rows, self.order, backwards=self.backwards)
        self._total, whole = len(every), sum(row.size or 0 for row in every if row.kind is not None)
        words = self.words.split()
        pairs = [(row, disklines.table_row(row, whole)) for row in every]
        kept = [(one, row) for one, row in pairs if row.matches(words)]
        self.found = [one for one, _ in kept]
        self.table_rows = [row for _, row in kept]
        self._keep()

    def table(self, width: int, top: int) -> Table:
        sentences = self.sentences()
        stale = bool(sentences)
        if not sentences and self.facts_read is not None and not self.table_rows:
            sentences = self.nothing(self._total, "Docker keeps nothing here.")
        usual = self.order is Order.LARGEST and not self.backwards
        count = f"{len(self.table_rows)} of {self._total}" if self.words else ""
        return Table(
            title=f"1 Disk {count}".rstrip(),
            columns=disklines.columns(self.found),
            rows=self.table_rows,
            selected=self.cursors[LIST].selected,
            top=top,
            focused=self.pane == LIST,
            headers={"bar": "", "note": ""},
            notes=self.notes(order="" if usual else self.order_words),
            sentences=sentences,
            stale=stale,
            marked=self.marked(LIST),
            figures=disklines.FIGURES,
        )

    @property
    def row(self) -> DiskRow | None:
        """The one that is selected."""
        return next((row for row in self.found if row.what == self.cursors[LIST].selected), None)

    def bottom_title(self) -> str:
        return str(self.row.what) if self.row is not None else "Nothing selected"

    def bottom_lines(self, width: int) -> list[Line]:
        row, facts = self.row, self._made_of
        if row is None or facts is None:
            return []
        return disklines.about_row(row, facts, self.look, width, self.now(), self.own("open"))

    @property
    def only_kept(self) -> bool:
        marked = self.marked(LIST)
        return set(marked or [row.key for row in self.table_rows]) == {KEPT}

    def chosen_rule(self) -> Rule:
        marked, facts, rule = self.marked(LIST), self._made_of, self.console.usual.rule
        if facts is None or (not marked and not self.words):
            return rule
        meant = marked or [row.key for row in self.table_rows]
        objects = (one for what in meant for one in facts.objects.get(Clean(what), ()))
        return replace(rule, only=frozenset(one.key for one in objects if one.kind is not None))

    def action_open(self) -> None:
        """Its objects."""
        if self.row is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        self.app.push_screen(DiskObjectsScreen(self.row.what))


class DiskObjectsScreen(DiskPlace, inherit_bindings=False):
    """The objects of one row of the disk, which is called `what`."""

    BINDINGS = bindings(DiskPlace.where)
    foot_ids = ("prune", "choose", "order", "filter", "facts", "palette", "zoom", "copy")

    def __init__(self, what: Clean) -> None:
        super().__init__()
        self.what = what
        self.order = ObjectOrder.LARGEST
        self.found: list[DiskObject] = []
        self._made_of: DiskFacts | None = None
        self._made_by: tuple[object, ...] = ()
        self._keys: list[str] = []

    def crumbs(self) -> Sequence[Part]:
        look = self.look
        return [look.part(f"disk {look.glyphs.crumb} "), look.part(self.what, bold=True)]

    def next_order(self) -> None:
        self.order = _OBJECT_ORDERS[(_OBJECT_ORDERS.index(self.order) + 1) % len(_OBJECT_ORDERS)]

    @property
    def order_name(self) -> str:
        return self.order.value

    @property
    def objects(self) -> Sequence[DiskObject]:
        facts = self.facts_read
        return facts.objects.get(self.what, ()) if facts is not None else ()

    def refresh_rows(self) -> None:
        facts = self.facts_read
        now = self.now()
        # The build cache alone has thousands of parts: they are put together anew only when something about them is new.
        made_of = (self.words, self.order, self.backwards, int(now.timestamp()) // 60)
        if facts is None or (facts is self._made_of and made_of == self._made_by):
            return
        self._made_of, self._made_by = facts, made_of
        words = self.words.split()
        every = disklines.ordered_objects(self.objects, self.order, backwards=self.backwards)
        pairs = [(one, disklines.object_row(one, now)) for one in every]
        kept = [(one, row) for one, row in pairs if row.matches(words)]
        self.found = [one for one, _ in kept]
        self.table_rows = [row for _, row in kept]
        self._keep()

    def keys_in(self, pane: str) -> Sequence[str]:
        return self._keys

    def _keep(self) -> None:
        self._keys = [row.key for row in self.table_rows]
        self.cursors[LIST].keep(self._keys)

    def table(self, width: int, top: int) -> Table:
        sentences = self.sentences()
        stale = bool(sentences)
        if not sentences and self.facts_read is not None and not self.table_rows:
            sentences = self.nothing(len(self.objects), "Nothing of this is there any more.")
        usual = self.order is ObjectOrder.LARGEST and not self.backwards
        total = len(self.objects)
        count = f"{len(self.table_rows):,} of {total:,}" if self.words else f"{total:,}" if total else ""
        kind = self.objects[0].kind if self.objects else None
        what = f"{self.what[:1].upper()}{self.what[1:]}"
        return Table(
            title=f"1 {what} {count}".rstrip(),
            columns=disklines.object_columns(kind, self.found, width),
            rows=self.table_rows,
            selected=self.cursors[LIST].selected,
            top=top,
            focused=self.pane == LIST,
            headers=disklines.object_headers(kind),
            notes=self.notes(order="" if usual else self.order_words),
            sentences=sentences,
            stale=stale,
            marked=self.marked(LIST),
            figures=disklines.FIGURES,
        )

    @property
    def thing(self) -> DiskObject | None:
        """The one that is selected."""
        selected = self.cursors[LIST].selected
        return next((one for one in self.found if one.key == selected), None)

    def bottom_title(self) -> str:
        return str(self.thing.name) if self.thing is not None else "Nothing selected"

    def bottom_lines(self, width: int) -> list[Line]:
        one, facts = self.thing, self._made_of
        return disklines.about_object(one, facts, self.look, width, self.now()) if one is not None and facts is not None else []

    @property
    def only_kept(self) -> bool:
        return self.what == KEPT

    def chosen_rule(self) -> Rule:
        marked = set(self.marked(LIST))
        chosen = [one for one in self.found if not marked or one.key in marked]
        rule = replace(self.console.usual.rule, only=frozenset(one.key for one in chosen))
        if len(marked) == len(chosen) == 1 and chosen[0].kind is Kind.VOLUME and chosen[0].why is Why.BY_NAME:
            # Who marks a volume with a name names it; its name has to be typed then.
            return replace(rule, named=frozenset({chosen[0].name}))
        return rule

    def action_open(self) -> None:
        """All about it."""
        self.action_facts()
