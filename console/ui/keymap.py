"""Every key of the console in one table: it makes the bindings, the footer, the help, docs/keys.md and the remap setting.

Loads nothing of the screen's libraries: `mlops-console config keys` prints it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.ui import keynames

if TYPE_CHECKING:
    from textual.binding import BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """One thing a key does. `id` is its name in the `keys` setting, `keys` Textual's key names, the first is shown.

    `where` names the screens or panes it works in, `group` its column in the help, `foot` its short word in the footer
    (empty: not shown there), `priority` must win over the focused widget. What `acts` changes something: such a key is
    shown nowhere while the console is read-only, and says so when it is pressed.
    """

    id: str
    keys: str
    action: str
    words: str
    group: str
    where: str = "everywhere"
    foot: str = ""
    acts: bool = False


shown = keynames.shown
MOVE, HERE, ANYWHERE = "Move", "Here", "Anywhere"
GROUPS = (MOVE, HERE, ANYWHERE)

TABLE: tuple[Key, ...] = (
    Key("down", "j,down", "move(1)", "down", MOVE, "list"),
    Key("up", "k,up", "move(-1)", "up", MOVE, "list"),
    Key("first", "g,home", "edge(-1)", "first", MOVE, "list"),
    Key("last", "G,end", "edge(1)", "last", MOVE, "list"),
    Key("half-down", "ctrl+d", "half(1)", "half a page down", MOVE, "list"),
    Key("half-up", "ctrl+u", "half(-1)", "half a page up", MOVE, "list"),
    Key("page-down", "pagedown", "page(1)", "a page down", MOVE, "list"),
    Key("page-up", "pageup", "page(-1)", "a page up", MOVE, "list"),
    Key("next-pane", "tab,l,right", "pane(1)", "next pane", MOVE, "beside"),
    Key("previous-pane", "shift+tab,h,left", "pane(-1)", "previous pane", MOVE, "beside"),
    Key("pane-1", "1", "go(0)", "first pane, twice: full", MOVE, "main"),
    Key("pane-2", "2", "go(1)", "second pane, twice: full", MOVE, "main"),
    Key("pane-3", "3", "go(2)", "third pane, twice: full", MOVE, "main"),
    Key("pane-4", "4", "go(3)", "fourth pane, twice: full", MOVE, "main"),
    Key("pane-5", "5", "go(4)", "fifth pane, twice: full", MOVE, "main"),
    Key("dashboard", "0", "dashboard", "the main screen", MOVE),
    Key("open", "enter", "open", "open what is selected", HERE, "main", "open"),
    Key("filter", "slash", "filter", "show only matching rows", HERE, "filtered", "filter"),
    Key("go-to-blocker", "enter", "open", "go to what it waits for", HERE, "wait", "what blocks it"),
    Key("job", "b", "job", "builds of this job, and back", HERE, "builds", "its job"),
    Key("order", "o", "order(1)", "next order", HERE, "ordered", "order"),
    Key("order-back", "O", "order(-1)", "order the other way round", HERE, "ordered"),
    Key("zoom", "z", "zoom", "full screen and back", HERE, "main", "zoom"),
    Key("previous", "left_square_bracket", "step(-1)", "previous one of the list", HERE, "steps"),
    Key("next", "right_square_bracket", "step(1)", "next one of the list", HERE, "steps", "next"),
    Key("files", "s", "files", "save files that the build keeps", HERE, "build", "save files"),
    Key("its-run", "t", "run", "the training run that it is of", HERE, "build", "its run"),
    Key("copy-link", "Y", "copy_link", "copy its link", HERE, "links"),
    Key("run-pane", "tab", "pane(1)", "next pane", MOVE, "run"),
    Key("run-pane-back", "shift+tab", "pane(-1)", "previous pane", MOVE, "run"),
    Key("cross-right", "l,right", "cross(1)", "plot: crosshair to the right", MOVE, "run"),
    Key("cross-left", "h,left", "cross(-1)", "plot: crosshair to the left", MOVE, "run"),
    Key("axis", "t", "axis", "curves over steps or time", HERE, "run", "step or time"),
    Key("next-metric", "m", "metric(1)", "next metric; of the cards: memory, power, host", HERE, "run", "next metric"),
    Key("magnify", "plus,equals_sign", "magnify(1)", "curves: show less of the axis", HERE, "run"),
    Key("shrink", "minus", "magnify(-1)", "curves: show more of the axis", HERE, "run"),
    Key("log-scale", "v", "scale", "curves: logarithmic, or not", HERE, "run"),
    Key("smooth", "w", "smooth", "curves: smoothed, or as they are", HERE, "run"),
    Key("its-build", "b", "build", "its build, with all stages", HERE, "run"),
    Key("metric", "m", "metric(1)", "next metric: memory, power, heat", HERE, "gpus", "metric"),
    Key("compare", "c", "compare", "compare with last good", HERE, "compare", "compare"),
    Key("facts", "i", "facts", "all that is known of it", HERE, "facts", "facts"),
    Key("window", "t", "window(1)", "how far back: 1 min, 1 h, 1 d", HERE, "gpus", "how far back"),
    Key("log", "L", "log", "its log", HERE, "rows", "log"),
    Key("error", "e", "log_error", "its log at the newest error", HERE, "rows", "error in log"),
    Key("again", "R", "again", "run again", HERE, "runs", "run again", acts=True),
    Key("follow-run", "F", "follow_run", "tell me how this run goes on, or no longer", HERE, "runs"),
    Key("stop", "x", "stop", "stop, cancel", HERE, "runs", "stop", acts=True),
    Key("restart", "r", "restart", "restart", HERE, "services", "restart", acts=True),
    Key("service-up", "u", "up", "up: start, make what is missing", HERE, "services", acts=True),
    Key("update", "p", "update", "fetch its image, make it anew", HERE, "services", acts=True),
    Key("inside", "i", "inside", "its processes, all that Docker knows", HERE, "services", "facts"),
    Key("shell", "S", "shell", "a shell inside", HERE, "services", "shell", acts=True),
    Key("cancel", "x", "stop", "take it out of the queue", HERE, "wait", "cancel", acts=True),
    Key("answer", "A", "answer", "approve, reject", HERE, "runs", "approve", acts=True),
    # Marks alone change nothing: what is marked is compared, too.
    Key("choose", "space", "choose", "mark several rows", HERE, "marks"),
    Key("acts", "a", "row_acts", "all acts of this row", HERE, "acts", "acts", acts=True),
    Key("prune", "p", "prune", "free what can go: shows it first", HERE, "disk", "prune", acts=True),
    Key("mend", "f", "mend", "mend what can be mended safely: shows it first", HERE, "doctor", "mend", acts=True),
    Key("follow", "f", "follow", "follow the end", HERE, "log", "follow"),
    Key("search", "slash", "search", "search: a regular expression", HERE, "log", "search"),
    Key("next-hit", "n", "hit(1)", "next hit", HERE, "log"),
    Key("previous-hit", "N", "hit(-1)", "previous hit", HERE, "log"),
    Key("log-filter", "ampersand", "filter", "filter: word -word >=W", HERE, "log", "filter"),
    Key("fewer", "minus", "levels(1)", "fewer levels", HERE, "log"),
    Key("more", "plus,equals_sign", "levels(-1)", "more levels", HERE, "log"),
    Key("next-error", "e", "error(1)", "next error", HERE, "log", "next error"),
    Key("previous-error", "E", "error(-1)", "previous error", HERE, "log"),
    Key("fold", "enter", "fold", "fold, unfold a traceback or data", HERE, "log"),
    Key("fold-all", "F", "fold_all", "fold, unfold all", HERE, "log"),
    Key("collapse", "u", "collapse", "collapse repeated lines", HERE, "log"),
    Key("raw", "r", "raw", "lines as they were written", HERE, "log"),
    Key("wrap", "w", "wrap", "wrap long lines", HERE, "log", "wrap"),
    Key("sideways-right", "l,right", "sideways(1)", "to the right", MOVE, "log"),
    Key("sideways-left", "h,left", "sideways(-1)", "to the left", MOVE, "log"),
    Key("times", "t", "times", "times: off, ago, clock", HERE, "log"),
    Key("go-to-time", "T", "go_to_time", "go to a time", HERE, "log"),
    Key("mark", "m", "mark", "set a mark here", HERE, "log"),
    Key("next-mark", "apostrophe", "next_mark", "next mark", HERE, "log"),
    Key("select", "v", "select", "select lines", HERE, "log", "select"),
    Key("sources", "M", "sources", "add, mute, drop sources", HERE, "log"),
    Key("save", "s", "save", "save to a file", HERE, "log"),
    Key("pager", "P", "pager", "open in $PAGER", HERE, "log"),
    Key("log-previous", "left_square_bracket", "step(-1)", "log of the previous row", HERE, "log"),
    Key("log-next", "right_square_bracket", "step(1)", "log of the next row", HERE, "log"),
    Key("values", "v", "values", "show or hide the values of the environment", HERE, "detail", "values"),
    Key("copy-file", "F", "copy_out", "copy a file out of it", HERE, "inside", "copy a file out"),
    Key("copy", "y", "copy", "copy the row", HERE, "everywhere", "copy"),
    Key("problem", "exclamation_mark", "problem", "next problem, worst first", ANYWHERE, "everywhere", "next problem"),
    Key("builds", "6", "builds", "builds of Jenkins", ANYWHERE, "everywhere", "Builds"),
    Key("disk", "7", "disk", "what fills the disk", ANYWHERE, "everywhere", "Disk"),
    Key("nodes", "8", "nodes", "nodes of Jenkins", ANYWHERE, "everywhere", "Nodes"),
    Key("doctor", "9", "doctor", "the whole chain, hop by hop", ANYWHERE, "everywhere", "Doctor"),
    Key("palette", "colon,ctrl+p", "palette", "all commands by name", ANYWHERE, "everywhere", "command"),
    Key("refresh", "ctrl+r", "refresh", "read everything again now", ANYWHERE),
    Key("redraw", "ctrl+l", "redraw", "draw the screen again", ANYWHERE),
    Key("suspend", "ctrl+z", "suspend_process", "to the shell, fg returns", ANYWHERE),
    Key("demo", "d", "demo", "look around in the demo", ANYWHERE),
    Key("back", "escape,backspace", "back", "back, clear the filter", ANYWHERE, "everywhere", "back"),
    Key("help", "question_mark", "help", "this help", ANYWHERE, "everywhere", "help"),
    Key("quit", "q", "leave", "back, at last quit", ANYWHERE, "everywhere", "quit"),
    Key("quit-now", "Q", "quit", "quit at once", ANYWHERE),
    Key("interrupt", "ctrl+c", "interrupt", "twice: quit", ANYWHERE),
    # In sheets, which take every key themselves: their actions are the sheet's own.
    Key("agree", "enter", "", "start what adds or repeats something", HERE, "plan"),
    Key("agree-yes", "y", "", "start what ends, removes or replaces something", HERE, "plan"),
    Key("edit", "e", "", "change the fields", HERE, "plan"),
    Key("spare", "space", "", "keep this, or no longer", HERE, "plan of parts"),
    Key("unfold", "enter", "", "show each object of a group, or hide them", HERE, "plan of parts"),
    Key("whole", "i", "", "all of the requests", HERE, "plan"),
    Key("instead-last", "f", "", "take the last one that failed instead", HERE, "plan"),
    Key("instead-anew", "c", "", "begin with a checkpoint, or from the beginning", HERE, "plan"),
    Key("instead-reject", "n", "", "reject instead", HERE, "plan"),
    Key("take", "enter", "", "take what is chosen", HERE, "choice"),
    Key("pick", "space", "", "choose this one, or not", HERE, "choice"),
    Key("pick-all", "a", "", "choose all, or none", HERE, "choice of files"),
    Key("mute", "m", "", "keep its lines out of sight", HERE, "choice of logs"),
    Key("terminate", "t", "", "terminate the build", HERE, "acts of a row"),
    Key("kill", "K", "", "kill it: nothing is saved", HERE, "acts of a row"),
    Key("reject", "n", "", "say no to what it asks", HERE, "acts of a row"),
    Key("keep", "p", "", "keep the build for good, or no longer", HERE, "acts of a row"),
    Key("job-switch", "d", "", "disable, enable its job", HERE, "acts of a row"),
    Key("scan", "s", "", "scan for branches", HERE, "acts of a row"),
    Key("cancel-queued", "c", "", "take what is queued out of the queue", HERE, "acts of a row"),
    Key("offline", "o", "", "take the node off line", HERE, "acts of a row"),
    Key("online", "b", "", "bring the node on line", HERE, "acts of a row"),
    Key("adopt", "O", "", "let a training go on that has outlived its build", HERE, "acts of a row"),
    Key("container-stop", "X", "", "stop the container of a build", HERE, "acts of a container"),
    Key("pause", "P", "", "freeze the container", HERE, "acts of a container"),
    Key("unpause", "C", "", "let the container go on", HERE, "acts of a container"),
    Key("copy-out", "F", "", "copy a file out of it", HERE, "acts of a container"),
    Key("remove", "D", "", "remove the container", HERE, "acts of a loose container"),
    Key("service-start", "s", "", "start it as it was made", HERE, "acts of a service"),
    Key("recreate", "m", "", "make it anew", HERE, "acts of a service"),
    Key("fetch", "f", "", "fetch its image only", HERE, "acts of a service"),
    Key("service-down", "D", "", "end all of the Compose file", HERE, "acts of a service"),
    Key("page-on", "space", "", "a page down", MOVE, "help"),
)
_BY_ID = {key.id: key for key in TABLE}
IDS = frozenset(key.id for key in TABLE)

CLOSING = ("back", "quit", "quit-now", "interrupt")
"""What works in every sheet, too."""


@dataclass(frozen=True, slots=True)
class Place:
    """A screen or a sheet, in words. `where` names whose keys work there, `ids` some that do besides."""

    name: str
    where: tuple[str, ...]
    ids: tuple[str, ...] = ()

    @property
    def keys(self) -> list[Key]:
        """All of them, in the order of the table. Two of them may not have the same key."""
        return [key for key in TABLE if key.where in self.where or key.id in self.ids]


_SERVING = ("restart", "service-up", "stop", "shell", "acts", "take", *CLOSING)
_MENU = ("again", "stop", "answer", "acts", "take", *CLOSING)
PLACES: tuple[Place, ...] = (
    Place(
        "the main screen",
        ("list", "main", "beside", "filtered", "ordered", "rows", "runs", "services", "marks", "acts", "compare", "everywhere"),
    ),
    Place("all about a service", ("list", "steps", "detail", "rows", "runs", "services", "acts", "everywhere")),
    Place("the facts of a container", ("list", "detail", "inside", "everywhere")),
    Place("all about what waits", ("list", "steps", "acts", "wait", "everywhere")),
    Place(
        "the builds", ("list", "main", "beside", "filtered", "ordered", "rows", "runs", "marks", "acts", "builds", "everywhere")
    ),
    Place("one build", ("list", "main", "beside", "steps", "rows", "runs", "acts", "build", "links", "everywhere")),
    Place("a run", ("list", "main", "steps", "rows", "runs", "acts", "compare", "facts", "links", "run", "everywhere")),
    Place("runs beside each other", ("list", "main", "rows", "facts", "run", "everywhere")),
    Place("the nodes", ("list", "main", "beside", "filtered", "rows", "marks", "acts", "everywhere")),
    Place("the log of a node", ("list", "everywhere")),
    Place("the cards", ("list", "main", "beside", "rows", "runs", "gpus", "facts", "everywhere")),
    Place("the disk", ("list", "main", "beside", "filtered", "ordered", "marks", "disk", "facts", "everywhere")),
    Place("the audit", ("list", "main", "beside", "filtered", "everywhere")),
    Place("a log", ("list", "log", "everywhere")),
    Place("the doctor", ("list", "main", "beside", "doctor", "everywhere")),
    Place("a plan", ("list", "plan"), CLOSING),
    Place("a plan to choose from", ("list", "plan of parts"), ("agree-yes", "edit", "whole", *CLOSING)),
    Place("the acts of a build", ("list", "acts of a row", "acts of a container"), (*_MENU, "shell")),
    Place("the acts of a service", ("list", "acts of a service", "acts of a container"), (*_SERVING, "update")),
    Place("the acts of a container", ("list", "acts of a container", "acts of a loose container"), (*_SERVING, "kill")),
    Place("the acts of what waits", ("list",), ("cancel", "acts", "take", *CLOSING)),
    Place("the choice of files", ("list", "choice", "choice of files"), ("files", *CLOSING)),
    Place("the choice of logs", ("list", "choice", "choice of logs"), ("sources", *CLOSING)),
    Place("what came of an act", ("list",), ("stop", "take", *CLOSING)),
    Place("a question", (), ("agree-yes", "instead-reject", *CLOSING)),
    Place("the help", ("list", "help"), ("help", "take", *CLOSING)),
)
"""Everywhere that keys are taken. Tests hold the screens to it."""


def bindings(where: Iterable[str]) -> list[BindingType]:
    """Textual bindings for the keys of these places; the ids let people remap them."""
    from textual.binding import Binding

    places = set(where)
    return [
        Binding(key.keys, bound(key), key.words, id=key.id, show=False, priority=key.id == "interrupt")
        for key in TABLE
        if key.where in places
    ]


def bound(key: Key) -> str:
    """The action that the key is bound to. Those that act go through `acts`, which knows whether that is permitted."""
    return f"acts({key.action!r})" if key.acts else key.action


def shown_keys(where: Iterable[str], *, acts: bool) -> list[Key]:
    """The keys of these places for people to see; without those that act where `acts` is False."""
    places = set(where)
    return [key for key in TABLE if key.where in places and (acts or not key.acts)]


def the_key(key_id: str) -> Key:
    return _BY_ID[key_id]


def keys_of(key: Key, remapped: Mapping[str, str]) -> str:
    """The keys that a person has for this: their own, else ours."""
    return remapped.get(key.id, key.keys)


def markdown() -> str:
    """The table of docs/keys.md."""
    lines = [
        "| key | where | what | id |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{shown(key.keys)}` | {key.where} | {key.words} | `{key.id}` |" for key in TABLE]
    return "\n".join(lines) + "\n"
