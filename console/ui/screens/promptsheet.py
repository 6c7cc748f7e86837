"""A sheet with a line of input below its title."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from textual.geometry import Region

from console.ui.prompt import Prompt
from console.ui.screens.sheet import Sheet

if TYPE_CHECKING:
    from textual.app import ComposeResult

T = TypeVar("T")


class PromptSheet(Sheet[T], inherit_bindings=False):
    """Subclasses make the prompt, leave the second of their lines to it, and say what comes of what was typed."""

    prompt: Prompt | None = None

    def make_prompt(self) -> Prompt:
        """Its `done` is `self.prompt_done`."""
        raise NotImplementedError

    def prompt_ended(self, prompt: Prompt, *, kept: bool) -> None:
        """A person has ended it: with enter (`kept`), or given up."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield from super().compose()
        self.prompt = self.make_prompt()
        yield self.prompt

    def on_mount(self) -> None:
        super().on_mount()
        if self.prompt is not None:
            self.prompt.focus_later()

    def paint(self) -> None:
        super().paint()
        if self.prompt is not None and self.size.width:
            top = self.canvas.region_wanted
            self.prompt.place(Region(0, top.y + 1, top.width, 1))

    def prompt_done(self, kept: bool) -> None:
        prompt = self.prompt
        # Closing the sheet takes the focus from the prompt, which then asks once more.
        if not self.is_current or prompt is None:
            return
        if kept and not prompt.entered:
            prompt.begin_anew(prompt.value)  # only the window has lost the focus: people look something up
        else:
            self.prompt_ended(prompt, kept=kept)
