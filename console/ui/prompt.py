"""One line of input at the foot of the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import events, on
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.widgets import Input

from console.ui.palette import Ground, Role
from console.ui.touring import TouringApp

if TYPE_CHECKING:
    from console.ui.look import Look


class Prompt(Input):
    """An Input of one line. `changed` gets the text while it is typed, `done` whether it is to be kept."""

    DEFAULT_CSS = """
    Prompt { position: absolute; border: none; padding: 0 1; height: 1; background: transparent; }
    Prompt:focus { border: none; background-tint: transparent 0%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False), Binding("ctrl+c", "give_up", show=False)]

    def __init__(self, hint: str, value: str, changed: Callable[[str], None], done: Callable[[bool], None], look: Look) -> None:
        super().__init__(value=value, placeholder=hint, compact=True, select_on_focus=False)
        self._changed = changed
        self._done = done
        self._look = look
        self._ended = False
        self._goes_on = False
        self._told = value
        self.entered = False
        """Whether a person ended it with enter. It ends too when the keys go elsewhere."""

    def on_mount(self) -> None:
        style = self._look.style(Role.TEXT, Ground.BAND)
        if style.bgcolor is not None:
            self.styles.background = style.bgcolor.name
        if style.color is not None:
            self.styles.color = style.color.name
        self.cursor_blink = False
        # What is typed from here on stays in this line: nobody else would see that a key has opened it.
        if isinstance(self.app, TouringApp):
            self.app.watch_tour()

    # Textual's own theme knows nothing of ours: its cursor and its hint cannot be read on every ground.

    @property
    def rich_style(self) -> Style:
        return self._look.style(Role.TEXT, Ground.BAND)

    def get_component_rich_style(self, *names: str, partial: bool = False, default: Style | None = None) -> Style:
        if "input--cursor" in names:
            return self.rich_style + Style(reverse=True)
        if "input--selection" in names:
            return self._look.style(Role.TEXT, Ground.SELECT)
        return self._look.style(Role.MUTED, Ground.BAND)

    def place(self, region: Region) -> None:
        self.styles.offset = region.offset
        self.styles.width, self.styles.height = region.width, 1

    def focus_later(self) -> None:
        self.screen.set_focus(self, scroll_visible=False)

    @on(Input.Changed)
    def _tell(self, event: Input.Changed) -> None:
        event.stop()
        self._tell_value(event.value)

    def _tell_value(self, value: str) -> None:
        if not self._ended and value != self._told:
            self._told = value
            self._changed(value)

    def on_key(self, event: events.Key) -> None:
        """Ends at once on enter: what was typed ahead belongs to the screen, not to a line that is going away."""
        event.at_prompt = True  # type: ignore[attr-defined]  # for the app, which gets what is not taken here
        if self._ended:
            event.stop()
            event.prevent_default()
            self.app.simulate_key(event.key)
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self.entered = True
            self._end(kept=True)

    def begin_anew(self, value: str) -> None:
        """It was ended too early: go on with this text."""
        self._ended, self._goes_on = False, True
        self.value = value
        self.cursor_position = len(value)
        self.screen.set_focus(self, scroll_visible=False)

    def action_give_up(self) -> None:
        self._end(kept=False)

    def on_blur(self, _event: events.Blur) -> None:
        if self._goes_on:
            self._goes_on = False  # the focus had only been taken away by the end that was none
        elif self.is_attached:
            self._end(kept=True)

    def _end(self, *, kept: bool) -> None:
        if not self._ended:
            # Somebody who types fast presses enter before the last letters have been told.
            self._tell_value(self.value)
            self._ended = True
            self.screen.set_focus(None)
            self._done(kept)
