"""Nodes: the machines that builds run on, and why one of them is off line."""

from __future__ import annotations

from collections.abc import Sequence

from console.feeds.jenkins_feed import Interest
from console.model.jenkins import Node
from console.model.jenkins_rows import nodes as node_rows
from console.model.state import StateClass
from console.ui import nodes
from console.ui.acting import ActingScreen, Subject
from console.ui.canvas import Line, Part, plain
from console.ui.keymap import bindings
from console.ui.palette import Role
from console.ui.screens.jenkinsbase import TableScreen
from console.ui.screens.lists import LIST
from console.ui.table import Table


class NodesScreen(TableScreen, ActingScreen, inherit_bindings=False):
    """`selected` is the name of the node to begin at."""

    where = ("list", "main", "beside", "filtered", "rows", "marks", "acts", "everywhere")
    foot_ids = ("open", "log", "acts", "filter", "palette", "builds", "zoom", "copy", "problem")
    BINDINGS = bindings(where)
    least = 5

    def __init__(self, selected: str = "") -> None:
        super().__init__()
        self.found: list[Node] = []
        self._total = 0
        if selected:
            self.cursors[LIST].selected = f"node/{selected}"

    def crumbs(self) -> Sequence[Part]:
        return [self.look.part("nodes", bold=True)]

    def refresh_rows(self) -> None:
        world = self.jenkins
        if world is None:
            return  # what was selected before Jenkins was read stays selected
        every = node_rows(world)
        self._total = len(every)
        words = self.words.split()
        pairs = [(node, nodes.table_row(node, world)) for node in every]
        kept = [(node, row) for node, row in pairs if row.matches(words)]
        self.found = [node for node, _ in kept]
        self.table_rows = [row for _, row in kept]
        self.cursors[LIST].keep([row.key for row in self.table_rows])

    def table(self, width: int, top: int) -> Table:
        sentences = self.sentences()
        stale = bool(sentences)
        if not sentences and self.jenkins is not None and not self.table_rows:
            back = self.own("back")
            words = (
                f'No row matches "{self.words}". {back} shows all {self._total}.' if self.words else "Jenkins shows no nodes."
            )
            sentences = [(words, Role.MUTED)]
        count = f"{len(self.table_rows)} of {self._total}" if self.words else str(self._total or "")
        return Table(
            title=f"1 Nodes {count}".rstrip(),
            columns=nodes.columns(self.found, width),
            rows=self.table_rows,
            selected=self.cursors[LIST].selected,
            top=top,
            focused=self.pane == LIST,
            headers={"why": "what it does", "state": ""},
            notes=[*([f"/{self.words}"] if self.words else []), *self.stale_note(), *self.marks_note(LIST)],
            sentences=sentences,
            stale=stale,
            marked=self.marked(LIST),
        )

    @property
    def node(self) -> Node | None:
        """The one that is selected."""
        return next((node for node in self.found if f"node/{node.name}" == self.cursors[LIST].selected), None)

    def bottom_title(self) -> str:
        return str(self.node.name) if self.node is not None else "Nothing selected"

    def bottom_lines(self, width: int) -> list[Line]:
        node, world = self.node, self.jenkins
        return nodes.about(node, world, self.look, width, self.now()) if node is not None and world is not None else []

    def interest(self) -> Interest:
        node = self.node
        return Interest(builds=frozenset(node.running) if node is not None else frozenset(), nodes=True)

    def subjects(self) -> Sequence[Subject]:
        chosen = self.chosen(LIST)
        return [Subject(node.name, node=node) for node in self.found if f"node/{node.name}" in chosen]

    def action_open(self) -> None:
        """What runs on it."""
        node = self.node
        if node is None or not node.running:
            self.say(StateClass.ENDED, "nothing runs there" if node is not None else "nothing is selected")
            return
        running = list(node.running)

        def step(by: int) -> object:
            running[:] = running[by % len(running) :] + running[: by % len(running)]
            return running[0]

        self.open_build(running[0], step)  # type: ignore[arg-type]

    def action_log(self) -> None:
        self._open_log(at_error=False)

    def action_log_error(self) -> None:
        self._open_log(at_error=True)

    def _open_log(self, *, at_error: bool) -> None:
        """What Jenkins says of the last try to connect."""
        if self.node is None:
            self.say(StateClass.ENDED, "nothing is selected")
            return
        from console.ui.screens.nodelog import NodeLogScreen

        self.app.push_screen(NodeLogScreen(self.node.name, at_error=at_error))

    def action_copy(self) -> None:
        node = self.node
        if node is not None:
            head = f"{node.name}  {next(row for row in self.table_rows if row.key == f'node/{node.name}').state.word}"
            self.copy(f"{head}\n{plain(self.bottom_lines(10_000))}")
