"""The command palette: everything that works here by its words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, get_args

from textual import events

from console.model.cells import cut, pad
from console.model.cells import width as cells_of
from console.settings.description import Theme
from console.ui.canvas import Line, line_cells
from console.ui.frame import title
from console.ui.keymap import MOVE, Key, shown_keys
from console.ui.palette import Ground, Role
from console.ui.prompt import Prompt
from console.ui.screens.base import ConsoleScreen
from console.ui.screens.promptsheet import PromptSheet

if TYPE_CHECKING:
    from console.model.run import Run

_ROWS = 8
_LOGS = "logs"
_BUILDS = "builds"
_RETRIGGER = "retrigger"
_THEME = "theme"
_PRUNE = "prune"
_THEMES = {
    "auto": "as the terminal says",
    "ansi": "the terminal's own 16 colours",
    "dark": "light on dark",
    "light": "dark on light",
    "contrast": "the strongest colours, for tired eyes",
}
_ACTS = {
    _RETRIGGER: "NAME: run its last failed build again",
    "abort": "JOB N: stop this build",
    "cancel": "NAME: take it out of the queue",
    "approve": "JOB N: say yes to what it asks",
    "reject": "JOB N: say no to what it asks",
}
_PANES = {
    "runs": "what trains, how far it is, and what has ended",
    "queue": "what waits, and why",
    "services": "services and containers",
}
_SERVICE = "service"
_RUN = "run"
_COMPARE = "compare"
_ALL = "--all"
_NOT_HERE = frozenset({"palette", "interrupt", _PRUNE})
"""What is no command, and what is one with more words than its key has."""


class Entry(NamedTuple):
    """One thing to do: its name and words, the key that does it too, and the action; without one more has to be typed."""

    name: str
    words: str
    key: Key | None
    action: str


class CommandSheet(PromptSheet[str], inherit_bindings=False):
    """Answers with the action that was chosen, or None."""

    def __init__(self, where: Sequence[str], *, acts: bool = True, demo: bool = False) -> None:
        super().__init__()
        places = set(where)
        # Moving about by typing its name helps nobody.
        keys = [key for key in shown_keys(where, acts=acts) if key.group != MOVE and key.id not in _NOT_HERE]
        self._keys = [Entry(key.id, key.words, key, key.action) for key in keys]
        if "everywhere" in places:
            self._keys.append(Entry(_LOGS, "NAME...: their logs, by time", None, ""))
            self._keys.append(Entry(_RUN, "NAME: all about this training run", None, ""))
            self._keys.append(Entry(_COMPARE, "NAME NAME...: runs beside each other", None, ""))
            self._keys.append(Entry(_BUILDS, "JOB: all builds of this job", None, ""))
            self._keys += [Entry(name, words, None, "") for name, words in _ACTS.items() if acts]
            if acts:
                self._keys.append(Entry(_SERVICE, "ACT NAME...: restart, up, stop, update services", None, ""))
            self._keys += [Entry(name, words, None, f"show_pane({name!r})") for name, words in _PANES.items()]
            self._keys.append(Entry("gpus", "the cards, their past, who holds them", None, "gpus"))
            self._keys.append(Entry("df", "what fills the disk, and what can go", None, "disk"))
            if acts:
                self._keys.append(Entry(_PRUNE, "images --keep N, ...: show what goes; asks before", None, ""))
            self._keys.append(Entry(_THEME, "NAME: other colours, until the console ends", None, ""))
            self._keys.append(Entry("audit", "what was done here, when, by whom", None, "audit"))
            if demo:
                self._keys.append(Entry("tour", "five steps, ten keys", None, "tour"))
        self._acting = acts
        self._found = list(self._keys)
        self._at = 0
        self._first, self._rows = 0, 1

    def make_prompt(self) -> Prompt:
        return Prompt(f"{self.look.keys.first('palette')} type to search", "", self._typed, self.prompt_done, self.look)

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        rows = max(1, min(_ROWS, room - 3))
        first = self.first_shown(self._at, rows, len(self._found))
        self._first, self._rows = first, rows
        lines: list[Line] = [self._head(width), [look.part("")]]
        name = min(28, max([16, *(cells_of(one.name) for one in self._found[first : first + rows])]))
        for number, one in enumerate(self._found[first : first + rows], start=first):
            ground = Ground.SELECT if number == self._at else Ground.PLAIN
            keys = look.keys.every(one.key.id) if one.key is not None else ""
            mark = look.glyphs.cursor if number == self._at else " "
            words = look.cut(f"{pad(one.name, name)} {one.words}", max(10, width - 16))
            lines.append(
                [
                    look.part(mark, Role.ACCENT, ground),
                    look.part(words, Role.TEXT, ground),
                    look.part(pad(cut(keys, 13, look.glyphs.ellipsis), 15, right=True), Role.MUTED, ground),
                ]
            )
        if not self._found:
            lines.append([look.part(" Nothing is called that.", Role.MUTED)])
        lines += [[look.part("")]] * (rows - max(1, len(self._found[first : first + rows])))
        return lines

    def _head(self, width: int) -> Line:
        """The title, and the keys that work while something is typed."""
        look, ground = self.look, Ground.FOCUS
        keys = [
            *look.pressed("enter", " do it   ", ground, Role.MUTED),
            *look.pressed("escape", " close ", ground, Role.MUTED),
        ]
        size = line_cells(keys)
        note = f"{len(self._found)} of {len(self._keys)}"
        if size + 24 > width:
            return title("Commands", note, look, width, focused=True)
        return [*title("Commands", note, look, width - size, focused=True), *keys]

    def _typed(self, text: str) -> None:
        words = text.casefold().split()
        if words[:1] == [_LOGS] and (len(words) > 1 or text.endswith(" ")):
            self._found = self._logs(text.split()[1:], complete=text.endswith(" "))
        elif words[:1] == [_RUN] and (len(words) > 1 or text.endswith(" ")):
            self._found = self._run(" ".join(text.split()[1:]))
        elif words[:1] == [_COMPARE] and (len(words) > 1 or text.endswith(" ")):
            self._found = self._compared(text.split()[1:], complete=text.endswith(" "))
        elif words[:1] == [_THEME] and (len(words) > 1 or text.endswith(" ")):
            self._found = _themes(" ".join(words[1:]))
        elif words[:1] == [_BUILDS] and (len(words) > 1 or text.endswith(" ")):
            self._found = self._builds(" ".join(words[1:]))
        elif words[:1] == [_SERVICE] and self._acting and (len(words) > 1 or text.endswith(" ")):
            self._found = self._services(text.split()[1:], complete=text.endswith(" "))
        elif words[:1] and words[0] in _ACTS and self._acting and (len(words) > 1 or text.endswith(" ")):
            self._found = self._acts(words[0], text.split()[1:])
        elif words[:1] == [_PRUNE] and self._acting and (len(words) > 1 or text.endswith(" ")):
            self._found = self._prunes(words[1:])
        else:
            found = [one for one in self._keys if _matches(one, words)]
            # Whoever has typed a whole name means that one, whatever else has it inside.
            self._found = sorted(found, key=lambda one: one.name.casefold() != " ".join(words))
        self._at = 0
        self.paint()

    def _builds(self, part: str) -> list[Entry]:
        """The jobs whose builds can be meant."""
        world = self.console.world
        jobs = world.jenkins.jobs.values() if world is not None and world.jenkins is not None else ()
        fitting = sorted((job for job in jobs if part in job.shown.casefold()), key=lambda job: job.shown)
        return [Entry(f"{_BUILDS} {job.shown}", "", None, f"builds({str(job.full_name)!r})") for job in fitting]

    def _run(self, part: str) -> list[Entry]:
        """The runs that can be meant; what none of these is called the history may know."""
        found = [Entry(f"{_RUN} {one.key}", _told(one), None, f"run_of({str(one.key)!r})") for one in self._runs(part)]
        return found or ([Entry(f"{_RUN} {part}", "", None, f"run_of({part!r})")] if part else [])

    def _compared(self, names: Sequence[str], *, complete: bool) -> list[Entry]:
        """The runs that can be put beside those that were typed before; the last of them alone with the last good one."""
        before, last = (names, "") if complete or not names else (names[:-1], names[-1])
        found = []
        for one in self._runs(last):
            every = [*before, str(one.key)]
            if one.key not in before:
                found.append(Entry(" ".join([_COMPARE, *every]), _told(one), None, f"compare_of({every!r})"))
        if not found and last:
            every = [*before, last]
            found = [Entry(" ".join([_COMPARE, *every]), "", None, f"compare_of({every!r})")]
        return found

    def _runs(self, part: str) -> list[Run]:
        from console.runs.meant import fitting

        main = self.app.screen_stack[0]
        known = main.known_runs if isinstance(main, ConsoleScreen) else ()
        return list(fitting(known, part))

    def _prunes(self, words: Sequence[str]) -> list[Entry]:
        """What can go, by the words of the command line."""
        from console.ui.prunewords import offers

        return [
            Entry(f"{_PRUNE} {typed}".rstrip(), told, None, f"prune_by({typed!r})")
            for typed, told in offers(words, self.console.usual.rule)
        ]

    def _acts(self, act: str, words: Sequence[str]) -> list[Entry]:
        """What the act can be done to, as far as the typed words fit it."""
        from console.ui.actnames import named

        world = self.console.world
        known = named(act, world.jenkins) if world is not None and world.jenkins is not None else []
        every = [Entry(f"{act} {one.name}", one.words, None, f"act_on{(act, str(one.job), one.number)!r}") for one in known]
        found = [one for one in every if _matches(one, words)]
        if act == _RETRIGGER and words and not found:
            # A project is known here by the builds that were looked at; Jenkins knows the others.
            name = " ".join(words)
            found = [Entry(f"{act} {name}", "", None, f"act_on{(act, name, 0)!r}")]
        return found

    def _services(self, words: Sequence[str], *, complete: bool) -> list[Entry]:
        """First the acts, then the services that one can be done to, as far as they fit what has been typed."""
        from console.actions.docker.services import VERBS

        before, last = (words, "") if complete or not words else (words[:-1], words[-1])
        if not before:
            return [Entry(f"{_SERVICE} {verb}", told, None, "") for verb, told in VERBS.items() if last.casefold() in verb]
        verb, *named = before
        if verb not in VERBS:
            return []
        services = self.console.world.services if self.console.world is not None else ()
        known = [str(one.name) for one in services if one.declared is not None and one.name not in named]
        known = [name for name in known if last.casefold() in name.casefold()] if verb != "down" else []
        found = [Entry(" ".join([_SERVICE, verb, *named, name]), "", None, _serve(verb, [*named, name])) for name in known]
        if not named and _ALL.startswith(last):
            found.append(Entry(f"{_SERVICE} {verb} {_ALL}", "all of the Compose file", None, _serve(verb, [])))
        return found

    def _logs(self, names: Sequence[str], *, complete: bool) -> list[Entry]:
        """Whose logs can be meant by what has been typed so far."""
        from console.logs.target import LogTarget
        from console.ui.logtargets import targets

        world = self.console.world
        before, last = (names, "") if complete or not names else (names[:-1], names[-1])
        known = targets(world) if world is not None else []
        found = []
        for one in known:
            name = one.called
            if last.casefold() in name.casefold() and name not in before:
                every = [*before, name]
                found.append(
                    Entry(
                        " ".join([_LOGS, *every]),
                        _count(len(one.origins)) if isinstance(one, LogTarget) else "build",
                        None,
                        f"logs_of({every!r})",
                    )
                )
        return [*found, *self._logs_of_runs(before, last, {one.name for one in found})]

    def _logs_of_runs(self, before: Sequence[str], last: str, known: Collection[str]) -> list[Entry]:
        """The same by the names of runs, as far as something has such a log."""
        found = []
        for run in self._runs(last):
            own = run.container is not None and run.key == run.container.id
            every = [*before, str(run.key)]
            name = " ".join([_LOGS, *every])
            if (run.container is not None or run.ref is not None) and not own and run.key not in before and name not in known:
                found.append(Entry(name, _told(run), None, f"logs_of({every!r})"))
        return found

    def prompt_ended(self, prompt: Prompt, *, kept: bool) -> None:
        self._take(kept=kept)

    def _take(self, *, kept: bool) -> None:
        chosen = self._found[self._at] if kept and self._found else None
        if chosen is not None and not chosen.action and self.prompt is not None:
            self.prompt.begin_anew(f"{chosen.name} ")
            return
        self.dismiss(chosen.action if chosen is not None else None)

    def picked(self, line: int, times: int) -> None:
        at = self._first + line - 2
        if 2 <= line < 2 + self._rows and at < len(self._found):
            self._at = at
            self.paint()
            if times == 2:
                self._take(kept=True)

    def wheel(self, by: int) -> None:
        self._at = max(0, min(len(self._found) - 1, self._at + by))
        self.paint()

    def on_key(self, event: events.Key) -> None:
        step = {"down": 1, "up": -1, "ctrl+n": 1}.get(event.key)
        if step is not None and self._found:
            event.stop()
            self._at = (self._at + step) % len(self._found)
            self.paint()


def _serve(verb: str, names: Sequence[str]) -> str:
    return f"serve{(verb, list(names))!r}"


def _themes(part: str) -> list[Entry]:
    """The themes that can be meant."""
    return [
        Entry(f"{_THEME} {name}", _THEMES[name], None, f"theme({name!r})") for name in get_args(Theme) if name.startswith(part)
    ]


def _told(run: Run) -> str:
    return f"{run.shown}, {run.state.word}"


def _count(containers: int) -> str:
    return "" if containers == 1 else f"{containers} containers"


def _matches(one: Entry, words: Sequence[str]) -> bool:
    text = f"{one.name} {one.words}".casefold()
    return all(word.casefold() in text for word in words)
