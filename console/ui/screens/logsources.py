"""Which logs are looked at together: add one, mute one, drop one."""

from __future__ import annotations

from collections.abc import Sequence

from console.logs.target import BuildTarget, LogTarget, Target
from console.model.cells import cut, pad
from console.model.world import World
from console.text import Clean
from console.ui.canvas import Line, Part
from console.ui.frame import title
from console.ui.logtargets import belonging, names, targets
from console.ui.palette import Ground, Role
from console.ui.screens.sheet import CLOSES, Sheet

_ROWS = 12
_JENKINS = "jenkins"

Chosen = tuple[tuple[Target, ...], frozenset[str]]


class SourcesSheet(Sheet[Chosen], inherit_bindings=False):
    """Lists everything that prints. Those that are looked at are marked; enter takes the row too if nothing was chosen."""

    def __init__(self, world: World, now: Sequence[Target], sources: Sequence[Clean], muted: frozenset[int]) -> None:
        super().__init__()
        here = {one.key: one for one in now}
        others = [one for one in targets(world) if one.key not in here]
        # What a training waits for and is run by is asked for most: its own build, then Jenkins itself.
        own = belonging(now)
        others.sort(key=lambda one: (not (isinstance(one, BuildTarget) and one.ref in own), _JENKINS not in one.name))
        self._all: list[Target] = [*now, *others]
        self._chosen = set(here)
        self._muted = {sources[number] for number in muted if number < len(sources)}
        self._sources = sources
        self._at = min(len(now), len(self._all) - 1)
        self._touched = False
        self._first, self._rows = 0, 1

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        count = max(1, min(_ROWS, room - 3, len(self._all)))
        first = self.first_shown(self._at, count, len(self._all))
        self._first, self._rows = first, count
        lines: list[Line] = [title("Sources", f"{len(self._chosen)} looked at", look, width, focused=True)]
        for number, one in enumerate(self._all[first : first + count], start=first):
            here = number == self._at
            ground = Ground.SELECT if here else Ground.PLAIN
            chosen = one.key in self._chosen
            called = names(one)
            word = "muted" if chosen and called and called <= self._muted else "shown" if chosen else ""
            note = _note(one)
            text = f"{pad(cut(one.name, 34, look.glyphs.ellipsis), 36)}{pad(word, 8)}{note}"
            lines.append(
                [
                    look.part(look.glyphs.cursor if here else " ", Role.ACCENT, ground),
                    look.part("* " if chosen else "  ", Role.ACCENT, ground),
                    look.part(look.cut(text, max(1, width - 3)), Role.TEXT, ground),
                ]
            )
        keys: list[Part] = []
        for key_id, words in (("pick", "add, drop"), ("mute", "mute"), ("take", "done"), ("back", "leave it")):
            keys += [look.part(" "), *look.does(key_id, f" {words} ")]
        return [*lines, keys]

    def take_key(self, key: str, _character: str | None) -> bool:
        """Every key comes here; none goes further."""
        match self.meant(key, "take", "pick", "mute", "sources", "quit-now", *CLOSES):
            case "take":
                self._take()
            case "pick":
                self._choose()
            case "mute":
                self._mute()
            case "quit-now":
                self.action_quit()
            case None:
                self.wheel(self.steps(key, self._rows))
            case _:
                self.dismiss(None)
        return True

    def picked(self, line: int, times: int) -> None:
        at = self._first + line - 1
        if 1 <= line <= self._rows and at < len(self._all):
            self._at = at
            self.paint()
            if times == 2:
                self._take()

    def wheel(self, by: int) -> None:
        self._at = max(0, min(len(self._all) - 1, self._at + by))
        self.paint()

    def _choose(self) -> None:
        self._chosen ^= {self._all[self._at].key}
        self._touched = True
        self.wheel(1)

    def _mute(self) -> None:
        one = self._all[self._at]
        if one.key not in self._chosen:
            return
        called = names(one)
        self._muted = self._muted - called if called <= self._muted else self._muted | called
        self._touched = True
        self.paint()

    def _take(self) -> None:
        if not self._touched:
            self._chosen.add(self._all[self._at].key)
        found = tuple(one for one in self._all if one.key in self._chosen)
        self.dismiss((found, frozenset(str(name) for name in self._muted)))


def _note(one: Target) -> str:
    if not isinstance(one, LogTarget):
        return "build"
    return f"{len(one.containers)} containers" if len(one.containers) != 1 else ""
