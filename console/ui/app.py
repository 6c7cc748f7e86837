"""The Textual app: thin. It hands worlds from the back room to the screens and knows what the terminal can show."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rich.color import ColorSystem
from textual import events
from textual.color import Color
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen

from console.feeds.watch import Watch
from console.model.glyphs import Glyphs, wants_unicode
from console.model.terminals import MANY, MONOCHROME, SIXTEEN, TRUE_COLOR, colors
from console.model.world import World
from console.text import Clean
from console.ui.keyboard import TypingApp
from console.ui.look import Look
from console.ui.motion import Motion
from console.ui.net import SafetyNet
from console.ui.ownkeys import OwnKeys
from console.ui.pace import ASK, CALM_INTERVAL, INTERVAL, Meter, Pace
from console.ui.palette import choose
from console.ui.screens.base import ConsoleScreen
from console.ui.screens.main import MainScreen
from console.ui.tight import Terminal
from console.ui.touring import FirstLook

if TYPE_CHECKING:
    from console.actions.audit import AuditRecorder
    from console.actions.doer import Doer
    from console.doctor.instruments import Instruments
    from console.model.build import BuildRef
    from console.model.pruning import Usual
    from console.model.state import StateClass
    from console.ui.ahead import Ahead
    from console.ui.clipboard import Way
    from console.ui.oldgarbage import OldGarbage

COLOR_SYSTEMS = {
    MONOCHROME: ColorSystem.STANDARD,  # none are used, but bold and reverse are
    SIXTEEN: ColorSystem.STANDARD,
    MANY: ColorSystem.EIGHT_BIT,
    TRUE_COLOR: ColorSystem.TRUECOLOR,
}
TICK_SECONDS = 5.0
GARBAGE_SECONDS = 3.0
INTERRUPT_SECONDS = 2.0
CALM_SECONDS = 1.0
"""How long nothing happens after the first picture, and after a key, before anything is loaded ahead."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person set about the screen. `theme`, `glyphs`, `motion` and `notify` (notify.terminal) as in the settings; `keys`
    maps the ids of the table to keys as Textual calls them."""

    theme: str = "auto"
    glyphs: str = "auto"
    color: bool = True
    mouse: bool = True
    motion: str = "auto"
    notify: str = "off"
    keys: Mapping[str, str] = field(default_factory=dict)


class ConsoleApp(TypingApp, inherit_bindings=False):
    """Shows the worlds of one Watch. `demo_watch` makes the demo's when a person asks for it and no Engine answers.

    `read_only` is what has switched acts off, None where they are on. `make_recorder` gives where acts are written
    down: the same each time, but another one once the demo has been entered; `make_usual` what the settings say of pruning,
    `make_instruments` what the doctor looks with: another set for each walk, made in a thread of its own.
    `ahead` loads what later keys need, `garbage` is collected while no key is pressed. `first_look` says whether
    the demo's tour has never been shown here.
    """

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    CSS = "Screen { layers: base; overflow: hidden; } Prompt { layer: base; }"
    TITLE = "mlops-console"

    def __init__(
        self,
        watch: Watch,
        *,
        host: Clean,
        demo: bool,
        demo_reason: str = "",
        demo_watch: Callable[[], Watch] | None = None,
        wishes: Wishes | None = None,
        env: Mapping[str, str] | None = None,
        frozen: bool = False,
        read_only: Clean | None = None,
        make_recorder: Callable[[], AuditRecorder] | None = None,
        ahead: Ahead | None = None,
        garbage: OldGarbage | None = None,
        make_usual: Callable[[], Usual] | None = None,
        make_instruments: Callable[[], Instruments] | None = None,
        first_look: FirstLook | None = None,
    ) -> None:
        wishes = wishes or Wishes()
        env = os.environ if env is None else env
        palette = choose(wishes.theme, env, color=wishes.color)
        super().__init__(ansi_color=palette.own)
        # Textual takes an empty NO_COLOR for a wish, and turns all to grey; what has no colours here is a palette.
        self.no_color = False
        self.animation_level = "none"
        self.console._color_system = COLOR_SYSTEMS[colors(env)]
        encoding = getattr(sys.__stdout__, "encoding", None) or "ascii"
        self.look = Look(palette, Glyphs(wants_unicode(env, encoding, wishes.glyphs)), OwnKeys(wishes.keys))
        self.live = watch
        self.host = host
        self.demo = demo
        self.demo_reason = demo_reason
        self.remapped = wishes.keys
        self.wishes = wishes
        self.frozen = frozen
        self.read_only = read_only
        self._make_recorder = make_recorder
        self._make_usual = make_usual
        self.make_instruments = make_instruments
        self.first_look = first_look
        self.world: World | None = watch.world
        self._demo_watch = demo_watch
        self._net = SafetyNet()
        self._env = env
        self.motion = Motion(calm=wishes.motion == "reduced")
        self.rings = wishes.notify
        self.pace = self._pace(Meter(), None)
        self.terminal = Terminal()
        self._arriving: World | None = None
        self._interrupted = 0.0
        self._home: asyncio.AbstractEventLoop | None = None
        self.attend_to_nothing()
        self._doer: Doer | None = None
        self._around: contextvars.Context | None = None
        self._ahead = ahead
        self._garbage = garbage

    @property
    def doer(self) -> Doer:
        """The one that carries out everything that is agreed to here."""
        if self._doer is None:
            from console.actions.doer import Doer
            from console.ui.doing import Unrecorded

            self._doer = Doer(self.recorder or Unrecorded(), self._read_anew, read_only=self.read_only)
        return self._doer

    def _read_anew(self) -> None:
        self.live.refresh()

    def say(self, kind: StateClass, words: str, hint: str = "", log: BuildRef | None = None) -> None:
        """Say it on the screen in front, be it under a sheet. `log` is the build whose log a key opens meanwhile."""
        if (front := self._front) is not None:
            front.say(kind, words, hint, log)

    @property
    def said(self) -> str:
        """What stands there now; empty when nothing does."""
        front = self._front
        return front.said if front is not None else ""

    @property
    def background(self) -> Color:
        color = self.look.style().bgcolor
        return Color.parse(color.name) if color is not None else Color.parse("ansi_default")

    def get_default_screen(self) -> Screen[object]:
        return MainScreen()  # type: ignore[return-value]  # Screen is invariant in its result, and this one gives none

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The second net: whatever a widget was given, no control sequence of it reaches the terminal."""
        ours = [one for one in super().get_line_filters() if not isinstance(one, NoColor | Monochrome)]
        return [*ours, self._net]

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        if found.__name__ == "LinuxDriver":
            from console.ui.driver import MeteredDriver

            return MeteredDriver
        return found

    def copy_to_clipboard(self, text: str) -> None:
        """Nothing leaves by OSC 52 but plain text."""
        self.copied(text)

    def copied(self, text: str) -> tuple[int, Way]:
        """Hand text to the clipboard of the terminal the person sits at; how many bytes went, and which way."""
        from console.ui.clipboard import copy

        return copy(text, self.write_terminal, self._env)

    def write_terminal(self, text: str) -> None:
        """Write a control sequence past the screen."""
        if self._driver is not None:
            self._driver.write(text)

    def on_screen(self, call: Callable[[], None]) -> None:
        """Have `call` run where the screen lives. From any other thread; nothing happens once the screen has been left."""
        assert self._home is not None  # noqa: S101 - set before anybody can press a key
        if self._home is asyncio._get_running_loop():  # None in a thread that has none
            call()
            return
        try:
            # Timers belong to the app that is active where they are made; another thread knows of none.
            self._home.call_soon_threadsafe(call, context=self._around)
        except RuntimeError:
            return

    @property
    def usual(self) -> Usual:
        """The rule of a prune that nobody has changed."""
        from console.model.pruning import Usual

        return self._make_usual() if self._make_usual is not None else Usual()

    @property
    def recorder(self) -> AuditRecorder | None:
        """Where acts are written down: asked for when it is needed, so that nothing of it is loaded at the start."""
        return self._make_recorder() if self._make_recorder is not None else None

    @property
    def env(self) -> Mapping[str, str]:
        return self._env

    def on_cursor_position(self, _event: events.CursorPosition) -> None:
        """The terminal has drawn everything up to the question."""
        self.pace.answered()

    def on_mount(self) -> None:
        self._home = asyncio.get_running_loop()
        self._around = contextvars.copy_context()
        self.app_resume_signal.subscribe(self, lambda _: self.come_back())
        meter = getattr(self._driver, "meter", None)
        if isinstance(meter, Meter):
            self.pace = self._pace(meter, lambda: self.write_terminal(ASK))
        if self.remapped:
            self.set_keymap(self.remapped)
        self._listen()
        self.set_interval(TICK_SECONDS, self._tick)
        if self._ahead is not None:
            self.set_timer(CALM_SECONDS, self._look_ahead)
        if self._garbage is not None:
            self._garbage.begin()
            self.set_interval(GARBAGE_SECONDS, self._look_for_garbage)

    def _look_for_garbage(self) -> None:
        assert self._garbage is not None  # noqa: S101 - no timer is set without it
        self._garbage.look(self.calm)

    def _look_ahead(self) -> None:
        """Load what later keys need, once the first rows have been there, and no key was pressed, for a while."""
        assert self._ahead is not None  # noqa: S101 - no timer is set without it
        calm = self.calm if self.world is not None else 0.0
        if calm >= CALM_SECONDS:
            self._ahead.begin()
        else:
            self.set_timer(CALM_SECONDS - calm, self._look_ahead)

    def exit(self, *result: Any, **options: Any) -> None:
        if self._ahead is not None:
            self._ahead.stop()
        super().exit(*result, **options)

    def _pace(self, meter: Meter, ask: Callable[[], None] | None) -> Pace:
        return Pace(meter, ask, least=CALM_INTERVAL if self.motion.calm else INTERVAL)

    def come_back(self) -> None:
        """Others had the terminal: everything is drawn again."""
        self.terminal.forget()
        self.refresh(repaint=True, layout=True)

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()

        def hand_over(world: World) -> None:
            # Only the newest counts: one call is under way at a time however fast they come.
            waiting, self._arriving = self._arriving, world
            if waiting is None:
                try:
                    # What a screen asks for while it closes is found in the context only: the back room has another one.
                    loop.call_soon_threadsafe(self._arrived, context=self._around)
                except RuntimeError:
                    return  # the screen has been left

        self.live.listen(hand_over)
        self.live.if_it_fails(lambda: self._soon(self._repaint))

    def _arrived(self) -> None:
        world, self._arriving = self._arriving, None
        if world is None or world is self.world or self._exit:
            return
        if self.world is None:
            self.stir()
        self.world = world
        self.hear(world)
        if self.motion.wants(world):
            self._repaint()

    def _tick(self) -> None:
        """Durations grow while nothing happens. What was not painted for calm's sake is painted now."""
        if self.live.failure is not None or self.motion.wants(self.world):
            self._repaint()

    def _repaint(self) -> None:
        if self.live.failure is not None:
            self.failed(self.live.failure)
            return
        if (front := self._front) is not None:
            front.paint()

    def use_theme(self, name: str) -> None:
        """Everything in the colours of this theme from now on: a name that `screen.theme` takes."""
        palette = choose(name, self._env, color=self.wishes.color)
        self.look = replace(self.look, palette=palette)
        self.ansi_color = palette.own
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.change_look()
        self.terminal.forget()
        self.refresh(repaint=True, layout=True)

    def close_all(self) -> None:
        """Back to the main screen, whatever is open above it."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    @property
    def has_demo(self) -> bool:
        return self._demo_watch is not None and not self.demo

    def enter_demo(self) -> bool:
        """Leave the server that does not answer and look at the demo. False when there is none."""
        if self._demo_watch is None or self.demo:
            return False
        self.live.stop()
        self.live = self._demo_watch()
        self.live.start()
        self.demo, self.world = True, None
        self.attend_to_nothing()
        self._doer = None  # what is done to the demo is written down elsewhere
        self.close_all()  # what is open there is of the other server
        self._listen()
        self._repaint()
        return True

    def interrupted(self) -> bool:
        """True when ctrl+c was pressed twice within two seconds."""
        now = time.monotonic()
        twice = now - self._interrupted < INTERRUPT_SECONDS
        self._interrupted = now
        return twice

    def clear_terminal(self) -> None:
        """Wipe what other programs may have left, before everything is drawn again."""
        self.terminal.forget()
        self.write_terminal("\x1b[2J")
