"""What all screens share: panes placed by hand, painted from the newest world, a line for short messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from textual import events
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.timer import Timer

from console.actions.readonly import acts_are_off
from console.model.cells import cut, wrapped
from console.model.glyphs import SOURCE_CLASS
from console.model.source import SourceState
from console.model.state import StateClass
from console.model.words import counted, decimal
from console.model.world import World
from console.text import clean
from console.ui import frame
from console.ui.canvas import Canvas, Line, Part
from console.ui.layout import MIN_HEIGHT, MIN_WIDTH
from console.ui.look import Look
from console.ui.palette import Role
from console.ui.tight import TightCompositor

if TYPE_CHECKING:
    from console.model.build import BuildRef, Stage
    from console.model.container import Container
    from console.ui.app import ConsoleApp
    from console.ui.logtargets import LogOwner

TOAST_SECONDS = 4.0
_TOAST_ROWS = 3
WHEEL_ROWS = 3
DEMO_WORDS = "an invented server: nothing here is real, acts change only the demo"


class ConsoleScreen(Screen[None], inherit_bindings=False):
    """A screen made of canvases. Subclasses say which keys work (`where`), and paint."""

    AUTO_FOCUS = None
    where: Sequence[str] = ("everywhere",)
    foot_ids: Sequence[str] = ()

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
        self.paint()

    def on_resize(self, event: events.Resize) -> None:
        """Textual tells the same size three times when a screen opens."""
        if event.size != self._painted_at:
            self._painted_at = event.size
            self.paint()

    def on_screen_resume(self) -> None:
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
        line, self.foot_spots = frame.footer(self.where, self.remapped, self.look, width, ids=self.foot_ids, acts=acts)
        self.foot.place(Region(0, height - 1, width, 1))
        self.foot.show([line], self.look.style())
        lines = self._toast_lines
        self.toast.place(Region(0, height - 1 - len(lines), width, len(lines)) if lines else None)
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

    @property
    def _log_keys(self) -> Sequence[str]:
        return self.look.keys.of("log")

    def take_key(self, key: str, _character: str | None) -> bool:
        """A key comes here before the bindings; True when it was meant for a short message that stands there."""
        ref = self._toast_log
        if ref is None or key not in self._log_keys:
            return False
        self.hush()
        self.open_build_log(ref, at_error=False)
        return True

    def on_key(self, event: events.Key) -> None:
        meant = self._toast_log is not None and event.key in self._log_keys
        if self._toast_lines and self._toast_timer is None and not meant:
            self.hush()

    def on_click(self, event: events.Click) -> None:
        self.console.rest.click()
        x, y = event.screen_x, event.screen_y
        if y == self.size.height - 1:
            for spot in self.foot_spots:
                if spot.start <= x < spot.end:
                    self.console.simulate_key(self.look.keys.of(spot.key.id)[0])
            return
        key = self._key_at(x, y)
        if key is None:
            self.clicked(x, y, event.chain)
        elif (system := frame.system_of(key)) is not None:
            self.to_system(system)
        else:
            self.console.simulate_key(key)

    def _key_at(self, x: int, y: int) -> str | None:
        """The key that stands in a cell; a short message hides what it covers."""
        if self.toast.display and self.toast.region_wanted.contains(x, y):
            return self.toast.key_at(x, y)
        return next((key for canvas in self.query(Canvas) if (key := canvas.key_at(x, y)) is not None), None)

    def to_system(self, name: str) -> None:
        """A system of line 1 was clicked: to its problem, or else to where it is told about; it says itself what is wrong."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        if name == "jenkins":
            self.action_builds()
        elif isinstance(main, MainScreen):
            self.console.close_all()
            main.select_system(name)
        status = self.world.sources.get(name) if self.world is not None else None
        if status is not None and status.reason is not None and status.state is not SourceState.OK:
            self.console.say(SOURCE_CLASS[status.state], str(status.reason))

    def clicked(self, x: int, y: int, times: int) -> None:
        """The mouse was pressed at this cell, `times` in a row."""

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        self.wheel(WHEEL_ROWS)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        self.wheel(-WHEEL_ROWS)

    def wheel(self, by: int) -> None:
        """The wheel was turned. (Textual calls the handlers of all base classes: what is overridden is no handler.)"""
        self.action_move(by)

    def action_move(self, by: int) -> None:
        """Subclasses with something to move through do."""

    def action_refresh(self) -> None:
        self.console.live.refresh()
        self.say(StateClass.ACTIVE, "reading everything again")

    def action_redraw(self) -> None:
        self.app.refresh(repaint=True, layout=True)
        self.console.clear_terminal()

    def action_suspend_process(self) -> None:
        # A screen's keys reach the screen's own actions only.
        self.app.action_suspend_process()

    def action_help(self) -> None:
        from console.ui.screens.help import HelpSheet

        self.app.push_screen(HelpSheet(self.where, acts=self.console.read_only is None))

    def action_palette(self) -> None:
        from console.ui.screens.commands import CommandSheet

        self.app.push_screen(CommandSheet(self.where, acts=self.console.read_only is None), self._chosen)

    def _chosen(self, action: str | None) -> None:
        if action:
            self.call_next(self.run_action, action)

    async def action_acts(self, action: str) -> None:
        """What a key that acts is bound to: the action itself, unless acts are off."""
        if (where := self.console.read_only) is not None:
            self.say(StateClass.ATTENTION, acts_are_off(where))
        else:
            await self.run_action(action)

    def action_audit(self) -> None:
        """What was done with this console."""
        from console.ui.screens.audit import AuditScreen

        recorder = self.console.recorder
        if recorder is None:
            self.say(StateClass.ENDED, "nothing is written down here")
            return
        self.console.close_all()
        self.app.push_screen(AuditScreen(recorder))

    def show_row(self, key: str, container: str) -> None:
        """Go to a row of the main screen: the one of this key, or else of the service that the container is a replica of."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        if isinstance(main, MainScreen):
            self.console.close_all()
            main.go_to_row(key, container)

    def open_container_log(self, container: Container, *, at_error: bool) -> None:
        """The log of one container."""
        from console.feeds.log_feed import LogTarget
        from console.ui.screens.log import LogScreen

        name = container.name
        target = LogTarget(clean(f"container/{container.id}"), name, (container,), lambda one: one.name == name)
        self.app.push_screen(LogScreen(self.log_owner(), [target], at_error=at_error))

    def action_gpus(self, card: int = -1) -> None:
        """The cards with their past and their processes, one of them selected."""
        from console.ui.screens.gpus import GpusScreen

        self.console.close_all()
        self.app.push_screen(GpusScreen(card if card >= 0 else None))

    def action_theme(self, name: str) -> None:
        """Other colours, from now on and until the console ends."""
        if not self.console.wishes.color:
            self.say(StateClass.ENDED, "colours are off (NO_COLOR, --no-color or screen.color)")
            return
        self.console.use_theme(name)
        self.say(
            StateClass.ENDED, f"theme {self.look.palette.name.removesuffix('-256')}; for good: screen.theme in the settings"
        )

    # Jenkins

    def action_builds(self, job: str = "") -> None:
        """The list of builds, of all jobs or of one (by its full name)."""
        if not self.has_jenkins:
            self.say_no_jenkins()
            return
        from console.ui.screens.builds import BuildsScreen

        self.console.close_all()
        self.app.push_screen(BuildsScreen(clean(job) if job else None))

    def action_nodes(self, name: str = "") -> None:
        """The machines that builds run on, one of them selected."""
        if not self.has_jenkins:
            self.say_no_jenkins()
            return
        from console.ui.screens.nodes import NodesScreen

        self.console.close_all()
        self.app.push_screen(NodesScreen(name))

    def open_build(self, ref: BuildRef, step: Callable[[int], BuildRef | None] | None = None) -> None:
        """All about one build. `step` gives its neighbours in the list it was opened from."""
        from console.ui.screens.build import BuildScreen

        self.app.push_screen(BuildScreen(ref, step))

    def open_build_log(self, ref: BuildRef, *, at_error: bool, stage: Stage | None = None) -> None:
        """The log of a build, or of one of its stages."""
        from console.ui.logtargets import build_target_of
        from console.ui.screens.log import LogScreen

        target = build_target_of(self.world.jenkins if self.world is not None else None, ref, stage)
        self.app.push_screen(LogScreen(self.log_owner(), [target], at_error=at_error))

    def log_owner(self) -> LogOwner:
        """The screen that knows what comes before and after what a log is opened of here."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        assert isinstance(main, MainScreen)  # noqa: S101 - the app begins with it
        return main

    def action_act_on(self, what: str, job: str, number: int) -> None:
        """An act on something by its name, as the palette has it: a build, or with an empty `job` an item of the queue."""
        from console.ui.acting import act_on

        act_on(self, what, clean(job), number)

    @property
    def has_jenkins(self) -> bool:
        status = self.world.sources.get("jenkins") if self.world is not None else None
        return status is not None and status.state is not SourceState.OFF

    def say_no_jenkins(self) -> None:
        status = self.world.sources.get("jenkins") if self.world is not None else None
        from console.model.jenkins import NOT_CONFIGURED

        self.say(StateClass.ENDED, (status.reason if status is not None else None) or NOT_CONFIGURED)

    def action_problem(self) -> None:
        """The next problem, wherever it is: the main screen knows all of them."""
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        if isinstance(main, MainScreen):
            self.console.close_all()
            main.action_problem()

    def action_logs_of(self, names: list[str]) -> None:
        """Open the logs of these, by time."""
        from console.ui.logtargets import called
        from console.ui.screens.log import LogScreen
        from console.ui.screens.main import MainScreen

        main = self.app.screen_stack[0]
        found, unknown = called(self.world, names) if self.world is not None else ([], names)
        if unknown or not isinstance(main, MainScreen):
            self.say(StateClass.BROKEN, f"nothing here is called {unknown[0] if unknown else ''}")
            return
        self.console.close_all()
        self.app.push_screen(LogScreen(main, found))

    def action_demo(self) -> None:
        world = self.world
        state = world.sources["docker"].state if world is not None else SourceState.STARTING
        if state is SourceState.OK or not self.console.enter_demo():
            self.say(StateClass.ENDED, "the demo is for when no Engine answers: mlops-console --demo opens it any time")

    def action_interrupt(self) -> None:
        if self.console.interrupted():
            self.app.exit(130)
        else:
            self.say(StateClass.ATTENTION, f"Press {self.own('interrupt')} again to quit")

    def action_quit(self) -> None:
        self.app.exit(0)

    def action_back(self) -> None:
        self.dismiss_or_stay()

    def action_leave(self) -> None:
        self.dismiss_or_stay()

    def action_dashboard(self) -> None:
        self.console.close_all()

    def dismiss_or_stay(self) -> None:
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()

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
