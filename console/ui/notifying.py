"""Runs that a person follows: what becomes of them is said on the screen, and to the terminal if they want that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.model.state import StateClass
from console.text import Clean, clean
from console.ui.attending import AttendingApp

if TYPE_CHECKING:
    from console.model.build import BuildRef
    from console.model.run import Run
    from console.model.world import World
    from console.ui.notify import Heard

_AT_ONCE = 3
"""More notices at a time go to the terminal as a number."""


class NotifyingApp(AttendingApp, inherit_bindings=False):
    """`rings` is the setting `notify.terminal`."""

    world: World | None
    rings: str = "off"

    def attend_to_nothing(self) -> None:
        super().attend_to_nothing()
        self._followed: Mapping[Clean, Heard] = {}

    def follows(self, key: Clean) -> bool:
        """Whether the person is told of this run."""
        return key in self._followed

    def follow(self, runs: Sequence[Run]) -> bool:
        """Follow these, or where all of them are followed, no more. Whether they are now."""
        from console.ui.notify import following

        assert self.world is not None  # noqa: S101 - runs come out of one
        on = not all(self.follows(run.key) for run in runs)
        left = {key: heard for key, heard in self._followed.items() if key not in {run.key for run in runs}}
        self._followed = {**left, **{run.key: following(run, self.world) for run in runs}} if on else left
        return on

    def follow_build(self, ref: BuildRef, shown: Clean) -> None:
        """Follow a build that a person has started here, which need not be seen yet."""
        from console.ui.notify import Heard

        key = clean(str(ref))
        self._followed = {**self._followed, key: self._followed.get(key, Heard(shown))}

    def hear(self, world: World) -> None:
        """There is a newer world: tell what became of whom the person follows."""
        if not self._followed:
            return
        from console.ui.notify import look

        self._followed, told = look(self._followed, world)
        if not told:
            return
        worst = min(told, key=lambda one: one.kind.value)
        more = f"  +{len(told) - 1} more" if len(told) > 1 else ""
        self.say(worst.kind, f"{worst.words}{more}", log=worst.ref)
        if self.rings == "off":
            return
        from console.ui.ringing import ring

        news = [str(one.words) for one in (told if len(told) <= _AT_ONCE and self.rings != "bell" else (worst,))]
        if not self.env.get("TMUX"):
            ring(self.rings, news, self.write_terminal, self.env)
            return

        def write(text: str) -> None:
            self.on_screen(partial(self.write_terminal, text))

        # What tmux lets through is asked of it: no key waits for its answer.
        threading.Thread(target=ring, args=(self.rings, news, write, self.env), name="ring", daemon=True).start()

    # What the whole app has

    def say(self, kind: StateClass, words: str, hint: str = "", log: BuildRef | None = None) -> None:
        raise NotImplementedError

    def write_terminal(self, text: str) -> None:
        raise NotImplementedError

    def on_screen(self, call: Callable[[], None]) -> None:
        raise NotImplementedError

    @property
    def env(self) -> Mapping[str, str]:
        raise NotImplementedError
