"""All acts of a row, each with its key; those that cannot be done say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from console.model.asking import Stop
from console.model.build import Build, BuildRef
from console.model.cells import cut, pad
from console.model.cells import width as cells_of
from console.model.jenkins import JenkinsWorld
from console.model.jenkins_rows import with_details
from console.model.source import SourceError
from console.text import Clean, clean
from console.ui import acting, makings
from console.ui.acting import Subject
from console.ui.canvas import Line
from console.ui.frame import title
from console.ui.makings import Making
from console.ui.palette import Ground, Role
from console.ui.screens.sheet import CLOSES, Sheet

if TYPE_CHECKING:
    from console.feeds.watch import Attached
    from console.sources.protocols import ContainerEngine
    from console.ui.acting import ActingScreen

_WORDS = 24
_ENDED = "it has ended"
_RUNS = "it still runs"


@dataclass(frozen=True, slots=True)
class Choice:
    """An act that can be chosen. `key` is the id of its key, `asks` is for a text that `with_text` takes.

    `why_not` is known without asking Jenkins.
    """

    key: str
    words: str
    make: Making
    why_not: str = ""
    asks: str = ""
    with_text: Callable[[Clean], Making] | None = None


def acts_of(subjects: Sequence[Subject], world: JenkinsWorld | None) -> list[Choice]:
    """What can be done to these, as far as that is known beforehand."""
    refs = acting.refs_of(subjects)
    items = [one.item for one in subjects if one.ref is None and one.item is not None]
    nodes = [one.node for one in subjects if one.node is not None]
    found: list[Choice] = []
    if refs:
        found += _of_builds(refs, world)
    if items:
        key, words = ("cancel", "cancel") if not refs else ("cancel-queued", "cancel what is queued")
        found.append(Choice(key, words, makings.cancelling(items)))
    if nodes:
        names = [node.name for node in nodes]
        off = all(node.set_offline for node in nodes)
        on = not any(node.set_offline for node in nodes)
        found.append(
            Choice(
                "offline",
                "take off line",
                makings.setting_offline(names, clean("reason")),
                "it was taken off line already" if off else "",
                "reason",
                partial(makings.setting_offline, names),
            )
        )
        found.append(
            Choice("online", "bring on line", makings.setting_offline(names, None), "nobody took it off line" if on else "")
        )
    return found


def _of_builds(refs: Sequence[BuildRef], world: JenkinsWorld | None) -> list[Choice]:
    builds = [_known(ref, world) for ref in refs]
    ended = _ENDED if all(one is not None and not one.building for one in builds) else ""
    stage = "a freestyle build can only be stopped" if all(one is not None and not one.pipeline for one in builds) else ""
    asks = world is None or any(held.what == "input" for ref in refs if (held := world.held.get(ref)) is not None)
    silent = "" if asks else "it asks nothing"
    kept = all(one is not None and one.kept for one in builds)
    jobs = list(dict.fromkeys(ref.job for ref in refs))
    known = [world.jobs.get(job) for job in jobs] if world is not None else []
    on = all(job is None or job.buildable for job in known)
    projects = list(dict.fromkeys(clean(job.rpartition("/")[0]) for job in jobs if "/" in job))
    found = [
        Choice("again", "run again", makings.again(refs)),
        Choice("stop", "stop", makings.ending(refs, Stop.STOP), ended),
        Choice("terminate", "terminate", makings.ending(refs, Stop.TERM), ended or stage),
        Choice("kill", "kill", makings.ending(refs, Stop.KILL), ended or stage),
        Choice("answer", "approve", makings.answering(refs, yes=True), silent),
        Choice("reject", "reject", makings.answering(refs, yes=False), silent),
        Choice("keep", "keep no longer" if kept else "keep for good", makings.keeping(refs, on=not kept)),
        Choice("job-switch", "disable its job" if on else "enable its job", makings.enabling(jobs, on=not on)),
    ]
    if projects:
        found.append(Choice("scan", "scan for branches", makings.scanning(projects)))
    return found


def _known(ref: BuildRef, world: JenkinsWorld | None) -> Build | None:
    if world is None:
        return None
    job = world.jobs.get(ref.job)
    last = job.last if job is not None and job.last is not None and job.last.ref == ref else None
    found = world.details.get(ref) or last or next((one for one in world.history.get(ref.job, ()) if one.ref == ref), None)
    return with_details(world, found) if found is not None else None


class ActsSheet(Sheet[None], inherit_bindings=False):
    """Lists the acts, and asks Jenkins in the back room which of them it would refuse."""

    def __init__(
        self, screen: ActingScreen, subjects: Sequence[Subject], choices: Sequence[Choice], then: Callable[[], None]
    ) -> None:
        super().__init__()
        self._screen = screen
        self._then = then
        self._choices = choices
        first = str(subjects[0].name)
        self._about = first if len(subjects) == 1 else f"{first} and {len(subjects) - 1} more"
        self._why = {one.key: one.why_not for one in choices}
        self._at = 0
        self._asking: Attached | None = None
        self._question: Choice | None = None
        self._first, self._rows = 0, 1

    def on_mount(self) -> None:
        super().on_mount()
        self._asking = self.console.live.attach(self._ask)

    def on_unmount(self) -> None:
        if self._asking is not None:
            self._asking.let_go()

    # In the back room

    async def _ask(self, _engine: ContainerEngine) -> None:
        try:
            reach = await self._screen.console.live.reach()
        except SourceError:
            return  # choosing one of them says why
        for one in self._choices:
            if one.why_not:
                continue
            try:
                plan = await one.make.make(reach).plan()
            except SourceError as error:
                why: Clean | None = error.reason
            else:
                why = plan.why_not
            if why is not None:
                self._screen.console.on_screen(partial(self._tell, one.key, why))

    def _tell(self, key: str, why: Clean) -> None:
        if self.is_attached:
            self._why[key] = str(why)
            self.paint()

    # What is drawn

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        rows = max(1, min(len(self._choices), room - 2))
        first = self.first_shown(self._at, rows, len(self._choices))
        self._first, self._rows = first, rows
        keys = {one.key: look.keys.first(one.key) for one in self._choices}
        cells = 1 + max([1, *(cells_of(key) for key in keys.values())])
        found: list[Line] = [title("Acts", self._about, look, width, focused=True)]
        for number, one in enumerate(self._choices[first : first + rows], start=first):
            here = number == self._at
            ground = Ground.SELECT if here else Ground.PLAIN
            why = self._why[one.key]
            words = pad(cut(one.words, _WORDS, look.glyphs.ellipsis), _WORDS)
            found.append(
                [
                    look.part(look.glyphs.cursor if here else " ", Role.ACCENT, ground),
                    look.part(pad(keys[one.key], cells), Role.MUTED if why else Role.ACCENT, ground),
                    look.part(f" {words}", Role.MUTED if why else Role.TEXT, ground),
                    look.part(look.cut(why, max(1, width - _WORDS - 2 - cells)), Role.MUTED, ground),
                ]
            )
        return [*found, [look.part(" "), *look.does("take", " its plan  "), *look.does("back", " leave it")]]

    # What keys do

    def take_key(self, key: str, character: str | None) -> bool:
        """Every key comes here; none goes further."""
        chosen = next((one for one in self._choices if self.meant(key, one.key)), None)
        if chosen is not None:
            self._choose(chosen)
            return True
        match self.meant(key, "take", "acts", "quit-now", *CLOSES):
            case "take" if self._choices:
                self._choose(self._choices[self._at])
            case "quit-now":
                self.action_quit()
            case None | "take":
                self.wheel(self.steps(key, self._rows))
            case _ if not self.console.rest.again:
                self.dismiss(None)
        return True

    # What the mouse does

    def wheel(self, by: int) -> None:
        self._at = max(0, min(len(self._choices) - 1, self._at + by))
        self.paint()

    def picked(self, line: int, times: int) -> None:
        at = self._first + line - 1
        if 1 <= line <= self._rows and at < len(self._choices):
            self._at = at
            self.paint()
            if times == 2:
                self._choose(self._choices[at])

    def _choose(self, one: Choice) -> None:
        self.dismiss(None)
        if one.asks and one.with_text is not None:
            with_text = one.with_text
            self._screen.ask(one.asks, "", lambda text: acting.begin(self._screen, with_text(clean(text)), self._then))
        else:
            acting.begin(self._screen, one.make, self._then)
