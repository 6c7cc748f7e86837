"""What is typed, in its order: each key goes to the line of input, the screen or the sheet that it was meant for."""

from __future__ import annotations

import time
from typing import Any

from textual import events
from textual.widget import Widget

from console.ui.keyrest import KeyRest
from console.ui.touring import TouringApp


class TypingApp(TouringApp, inherit_bindings=False):
    """Sees every key before anybody else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.rest = KeyRest(time.monotonic)
        self.pressed = ""
        """The key that was pressed last."""
        self._deaf = ""
        self._stirred = time.monotonic()

    @property
    def calm(self) -> float:
        """For how many seconds nothing has been typed, and nothing else has stirred."""
        return time.monotonic() - self._stirred

    def stir(self) -> None:
        """It is not calm now."""
        self._stirred = time.monotonic()

    def deafen(self) -> None:
        """The key pressed last has done its work: pressed again before it has rested, it does nothing."""
        self._deaf = self.pressed

    def on_key(self, event: events.Key) -> None:
        """A key that no widget took. What is typed while a line of input opens belongs to that line.

        All keys come by here in their order, also those that were typed before a screen or a sheet was there.
        """
        if not getattr(event, "typed_ahead", False):
            self.stir()
            self.rest.press(event.key)
            self.pressed = event.key
            self.watch_key(event.key)
        prompt = getattr(self.screen, "prompt", None)
        if not isinstance(prompt, Widget):
            self._take(event)
            return
        if event.key in ("ctrl+c", "escape"):
            return
        if getattr(event, "at_prompt", False):
            # Its own keys, backspace among them, come to it by what is prevented here; all others would be the screen's.
            if event.key not in prompt._bindings.key_to_bindings:
                event.prevent_default()
        elif not getattr(event, "typed_ahead", False):
            event.prevent_default()
            again = events.Key(event.key, event.character)
            again.typed_ahead = True  # type: ignore[attr-defined]  # so that it comes here only once more
            prompt.post_message(again)

    def _take(self, event: events.Key) -> None:
        """Give it to the screen in front, before its bindings."""
        if self._deaf and event.key == self._deaf and self.rest.again:
            event.prevent_default()
            return
        self._deaf = ""
        take = getattr(self.screen, "take_key", None)
        if take is not None and take(event.key, event.character):
            event.prevent_default()
