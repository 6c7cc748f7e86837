"""What the log screen is made of, how one moves in it and how its lines are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from console.feeds.log_feed import LogFeed
from console.logs.lens import Item, Lens
from console.logs.target import Target
from console.model.state import StateClass
from console.ui.logport import Placed, Port
from console.ui.logquest import Quest
from console.ui.logrows import Dress, Mark, Rows, Times
from console.ui.screens.base import ConsoleScreen

if TYPE_CHECKING:
    from console.ui.canvas import Canvas
    from console.ui.logtargets import LogOwner
    from console.ui.prompt import Prompt

_TIMES = (Times.CLOCK, Times.OFF, Times.AGO)


class LogBase(ConsoleScreen, inherit_bindings=False):
    """Moving, and how lines are shown. The screen itself paints what changes."""

    owner: LogOwner
    body: Canvas
    targets: tuple[Target, ...]
    feed: LogFeed
    lens: Lens
    rows: Rows
    port: Port
    quest: Quest

    def __init__(self) -> None:
        super().__init__()
        self.dress = Dress(80)
        self.marks = 0
        self.prompt: Prompt | None = None
        self.prompt_label = ""
        self.fault = ""
        self.on_screen: Sequence[Placed] = ()
        self.selecting: int | None = None
        """The line from which on lines are being selected by keys."""
        self._pressed: tuple[int, int] | None = None
        self._waiting: Callable[[], None] | None = None

    def begin(self, targets: Sequence[Target]) -> None:
        raise NotImplementedError

    def open_feed(self) -> None:
        raise NotImplementedError

    def look_on(self) -> None:
        raise NotImplementedError

    # Moving

    def _moved(self) -> None:
        self.quest.moved()
        self.stretch()
        self.paint()

    def action_move(self, by: int) -> None:
        self.port.move(by)
        self._moved()

    def action_half(self, way: int) -> None:
        self.port.scroll(way * max(1, self.port.height // 2))
        self._moved()

    def action_page(self, way: int) -> None:
        self.port.scroll(way * max(1, self.port.height - 1))
        self._moved()

    def action_edge(self, way: int) -> None:
        if way > 0:
            self.action_follow()
        else:
            self.quest.go_to_first()
            self.look_on()
            self.paint()

    def action_follow(self) -> None:
        self.selecting = None
        self.quest.moved()
        self.port.follow()
        self.paint()

    def wheel(self, by: int) -> None:
        self.port.scroll(by)
        self._moved()

    def action_sideways(self, way: int) -> None:
        if self.dress.wrap:
            self.say(StateClass.ENDED, f"lines are wrapped: {self.own('wrap')} shows them in one row each")
            return
        step = max(8, self.dress.room // 2)
        widest = max((one.piece.before + len(one.piece.words) for one in self.on_screen), default=0)
        if way > 0 and self.dress.shift >= widest:
            return
        self.dress = self._dressed(shift=max(0, self.dress.shift + way * step))
        self.paint()

    def _dressed(self, **changes: object) -> Dress:
        return replace(self.dress, **changes)  # type: ignore[arg-type]  # names and types are the field's own

    # How lines are shown

    def change_look(self) -> None:
        self.rows.look = self.look
        super().change_look()

    def action_wrap(self) -> None:
        self.dress = self._dressed(wrap=not self.dress.wrap, shift=0)
        sideways = self.own("sideways-left", "sideways-right")
        self.say(
            StateClass.ENDED, "long lines are wrapped" if self.dress.wrap else f"long lines are cut: {sideways} go sideways"
        )

    def action_raw(self) -> None:
        self.dress = self._dressed(raw=not self.dress.raw)
        self.say(StateClass.ENDED, "as it was written" if self.dress.raw else "data as names and values")

    def action_times(self) -> None:
        chosen = _TIMES[(_TIMES.index(self.dress.times) + 1) % len(_TIMES)]
        self.dress = self._dressed(times=chosen)
        self.say(StateClass.ENDED, {Times.OFF: "no times", Times.AGO: "how long ago", Times.CLOCK: "the clock"}[chosen])

    def action_collapse(self) -> None:
        self.quest.show_only(self.quest.filter, collapsed=not self.quest.collapsed)
        self.say(StateClass.ENDED, "repeated lines are one" if self.quest.collapsed else "every line")

    def action_fold(self) -> None:
        item = self._current()
        if item is None:
            return
        if item.block is not None:
            head = item.block.head
            folded = self.lens.fold(head)
            self.port.go(head)
            if not folded:
                self.port.show_block(item.block.numbers)
        elif item.row.text[:1] == b"{":
            self.rows.opened ^= {item.number}
            self.port.reveal(item.number)
        else:
            self.say(StateClass.ENDED, "nothing to unfold here: a traceback or a line of data has more")
            return
        self.paint()

    def action_fold_all(self) -> None:
        folded = self.lens.fold_all()
        if self.port.cursor is not None:
            self.port.go(self.port.cursor)
        self.say(StateClass.ENDED, "tracebacks are folded" if folded else "tracebacks are unfolded")

    def _current(self) -> Item | None:
        """The item that keys act on. Whoever acts on one wants it to stand still."""
        self.port.pause()
        return self.port.current

    # What others of its actions need

    def stretch(self) -> None:
        """The selection reaches from where it began to the cursor."""
        cursor = self.port.cursor
        if self.selecting is not None and cursor is not None:
            low, high = sorted((self.selecting, cursor))
            item = self.lens.at(high)
            self.port.mark = Mark((low, 0), (max(high, item.last) if item is not None else high, 0), whole=True)

    def _unselect(self) -> None:
        self.selecting, self.port.mark = None, None

    def _prompt(
        self,
        label: str,
        hint: str,
        value: str,
        changed: Callable[[str], None],
        done: Callable[[str], None],
        given_up: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask for one line in place of the footer."""
        if self.prompt is not None:
            return
        from console.ui.prompt import Prompt

        def note(text: str) -> None:
            self.quest.give_way()
            changed(text)

        def end(kept: bool) -> None:
            if self.prompt is None:
                return
            text = self.prompt.value.strip()
            self.prompt.remove()
            self.prompt = None
            if kept:
                done(text)
            else:
                given_up()
            self.look_on()
            self.paint()

        self.prompt_label = label
        self.prompt = Prompt(hint, value, note, end, self.look)
        self.mount(self.prompt)
        self.prompt.focus_later()
        self.paint()

    def wait_for_all(self, call: Callable[[], None], words: str) -> None:
        """Do something as soon as the whole log has been read."""
        self._waiting = call
        self.feed.read_all()
        self.when_whole()
        if self._waiting is not None:
            self.say(StateClass.ACTIVE, words)

    def when_whole(self) -> None:
        feed = self.feed
        if self._waiting is not None and (feed.whole or feed.failure is not None or feed.older_failed is not None):
            call, self._waiting = self._waiting, None
            self.call_next(call)

    def ask(self, label: str, hint: str, value: str, done: Callable[[str], None]) -> None:
        """Ask for one line of text that does nothing while it is typed."""
        self._prompt(label, hint, value, lambda _: None, done)
