"""What all screens are: panes placed by hand, painted from the newest world, a line for short messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from textual import events
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.timer import Timer

from console.model.cells import cut, wrapped
from console.model.state import StateClass
from console.model.words import counted, decimal
from console.model.world import World
from console.ui import frame
from console.ui.canvas import Canvas, Line, Part
from console.ui.giveway import GivesWay
from console.ui.layout import MIN_HEIGHT, MIN_WIDTH
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.tight import TightCompositor

if TYPE_CHECKING:
    from console.model.build import BuildRef
    from console.ui.app import ConsoleApp

TOAST_SECONDS = 4.0
_TOAST_ROWS = 3
DEMO_WORDS = "an invented server: nothing here is real, acts change only the demo"


class DrawnScreen(GivesWay, Screen[None], inherit_bindings=False):
    """A screen made of canvases. Subclasses say which keys work (`where`), and paint."""

    AUTO_FOCUS = None
    where: Sequence[str] = ("everywhere",)
    foot_ids: Sequence[str] = ()
    kept_free = 0
    """Lines above the footer that a short message does not cover."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = TightCompositor(lambda: self.console.terminal)
        self.top = Canvas(id="top")
        self.foot = Canvas(id="foot")
        self.toast = Canvas(id="toast")
        self.foot_spots: list[frame.FootKey] = []
        self._toast_lines: list[Line] = []
        self._toast_timer: Timer | None = None
        self._toast_log: BuildRef | None = None
        self._toast_over = False
        self._painted_at: Size | None = None
        self._is_new = False
        self.said = ""
        """The short message that stands there now."""

    @property
    def instead(self) -> str:
        """What else takes text away from this screen."""
        return ""

    def own(self, *key_ids: str) -> str:
        """The person's keys for these, as they are written: `esc`, `j k`."""
        return self.look.keys.firsts(*key_ids)

    @property
    def console(self) -> ConsoleApp:
        return cast("ConsoleApp", self.app)

    @property
    def look(self) -> Look:
        return self.console.look

    @property
    def world(self) -> World | None:
        return self.console.world

    def paint(self) -> None:
        """Draw everything from the newest facts. Cheap when nothing changed: only differences reach the terminal."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.styles.background = self.console.background
        self._painted_at, self._is_new = self.size, True
        self.paint()

    def on_resize(self, event: events.Resize) -> None:
        """Textual tells the same size three times when a screen opens."""
        if event.size != self._painted_at:
            self._painted_at = event.size
            self.paint()

    def on_screen_resume(self) -> None:
        if self._is_new:
            self._is_new = False  # it has just been painted
            return
        if self._toast_over:
            # What was said under a sheet was seen by nobody: its time begins now.
            self._toast_over = False
            self._toast_timer = self.set_timer(TOAST_SECONDS, self._fade)
        self.paint()

    def change_look(self) -> None:
        """The theme is another one."""
        self.styles.background = self.console.background
        self.paint()

    def now(self) -> datetime:
        """The moment to count durations from. A demo that stands still stands still on the screen too."""
        world = self.world
        return world.taken_at if world is not None and self.console.frozen else datetime.now(UTC)

    def banner_lines(self, width: int) -> list[Line]:
        if not self.console.demo:
            return []
        words = self.console.demo_reason or DEMO_WORDS
        return [frame.banner(words, self.look, width)]

    def header_line(self, crumbs: Sequence[Part], width: int) -> Line:
        head = frame.world_header(self.world, self.console.host, crumbs, self.now(), self.look)
        return frame.header(head, self.look, width)

    def paint_foot(self, width: int, height: int) -> None:
        acts = self.console.read_only is None
        # The tour says that this key comes back, and its strip stays on the main screen.
        back = ("back",) if self.console.tour is not None and len(self.app.screen_stack) > 1 else ()
        ids = (*back, *self.foot_ids)
        line, self.foot_spots = frame.footer(self.where, self.remapped, self.look, width, ids=ids, acts=acts)
        self.foot.place(Region(0, height - 1, width, 1))
        self.foot.show([line], self.look.style())
        lines = self._toast_lines
        self.toast.place(Region(0, height - 1 - self.kept_free - len(lines), width, len(lines)) if lines else None)
        if lines:
            self.toast.show(lines, self.look.style())

    @property
    def remapped(self) -> Mapping[str, str]:
        return self.console.remapped

    def too_small(self, width: int, height: int) -> bool:
        """Below the smallest size there is no screen worth drawing: say what is wrong and what works instead."""
        if width >= MIN_WIDTH and height >= MIN_HEIGHT:
            return False
        words = f"Too small: {width}x{height}. Try mlops-console status."
        for pane in self.query(Canvas):
            # What was placed for a larger window would stand in the middle of the sentence.
            pane.place(Region(0, 0, width, height) if pane is self.top else None)
        cut = [words[at : at + max(1, width)] for at in range(0, len(words), max(1, width))]
        self.top.show([[self.look.part(text)] for text in cut], self.look.style())
        return True

    def say(self, kind: StateClass, words: str, hint: str = "", log: BuildRef | None = None) -> None:
        """A line above the footer for four seconds; what is broken stays until a key is pressed. `hint` stands below.

        While it stands the key for logs opens the one of the build `log`.
        """
        self.said, self._toast_log = words, log
        rows = self._toast_rows(words, _TOAST_ROWS - bool(hint))
        self._toast_lines = [[self.look.part("   "), self.look.part(row, bold=True)] for row in rows]
        self._toast_lines[0] = [self.look.part(" "), self.look.glyph(kind), self.look.part(f" {rows[0]}", bold=True)]
        if log is not None:
            self._toast_lines[-1] = [*self._toast_lines[-1], self.look.part("  "), *self.look.does("log", " log")]
        if hint:
            cut_hint = cut(hint, max(8, self.size.width - 4), self.look.glyphs.ellipsis)
            self._toast_lines.append([self.look.part(f"   {cut_hint}", Role.MUTED)])
        if self._toast_timer is not None:
            self._toast_timer.stop()
            self._toast_timer = None
        self._toast_over = False
        if kind is not StateClass.BROKEN:
            self._toast_timer = self.set_timer(TOAST_SECONDS, self._fade)
        self.paint()

    def _toast_rows(self, words: str, most: int) -> list[str]:
        """The message in at most so many rows; what is left of it is cut with a sign."""
        room = max(8, self.size.width - 4 - 7 * (self._toast_log is not None))
        rows = list(wrapped(words, room)) or [""]
        if len(rows) > most:
            rows = [*rows[: most - 1], cut(" ".join(rows[most - 1 :]), room, self.look.glyphs.ellipsis)]
        return rows

    def _fade(self) -> None:
        """It has stood there long enough, if anybody could see it."""
        if self.app.screen is self:
            self.hush()
        else:
            self._toast_over = True

    def hush(self) -> None:
        if self._toast_lines:
            self._toast_lines, self._toast_log, self.said = [], None, ""
            self.paint()

    def copy(self, text: str) -> None:
        """Hand text to the clipboard of the terminal the person sits at (OSC 52)."""
        from console.ui.clipboard import HELP

        size, way = self.console.copied(text)
        whole = len(text.encode())
        if size >= whole:
            lines = counted(text.count("\n") + 1, "line")
            self.say(StateClass.GOOD, f"copied {lines}, {decimal(size)}", HELP[way] + self.instead)
        else:
            self.say(StateClass.ATTENTION, f"copied the first {decimal(size)} of {decimal(whole)}: no terminal takes more")

    def muted(self, text: str) -> Part:
        return self.look.part(text, Role.MUTED)
