"""From a problem to its row, in whichever pane of the main screen that is."""

from __future__ import annotations

from console.model.state import StateClass
from console.ui.rows import rows
from console.ui.screens.lists import LIST
from console.ui.screens.maingpus import GPUS, GpuPart
from console.ui.screens.mainqueue import QUEUE
from console.ui.screens.mainruns import RUNS, RunPart
from console.ui.screens.mainservices import ServicePart


class ProblemPart(RunPart, ServicePart, GpuPart, inherit_bindings=False):
    """All lists of the main screen, and what wants a look in them."""

    def action_problem(self) -> None:
        """Select the row of the next problem, the worst first, wherever it is."""
        self.next_problem(with_nodes=True)

    def _places(self) -> dict[str, tuple[str, str]]:
        """In which pane, and under which key, the row of each problem is; one of a run is there."""
        problems = self.world.problems if self.world is not None else ()
        services = {str(row.key) for row in rows(self.world)} if self.world is not None else set()
        lists = {QUEUE: set(self.keys_in(QUEUE)), GPUS: set(self.keys_in(GPUS)), LIST: services}
        found: dict[str, tuple[str, str]] = {}
        for target in (str(one.target) for one in problems):
            if (run := self.run_at(target)) is not None:
                found[target] = (RUNS, run)
            elif (pane := next((pane for pane, keys in lists.items() if target in keys), None)) is not None:
                found[target] = (pane, target)
        return found

    def next_problem(self, *, with_nodes: bool) -> None:
        """The same; without nodes only what has a row, and with it a log."""
        problems = self.world.problems if self.world is not None else ()
        self.refresh_rows()
        places = self._places()
        # A log is of a row; of what has none its sentence can be told.
        reachable = [one for one in problems if with_nodes or one.target in places]
        if not reachable:
            self.say(StateClass.GOOD if not problems else StateClass.ENDED, "no row needs a look")
            return
        before = self._problem if self._problem not in places else None
        now = (self.listed, self.cursors[self.listed].selected)
        here = [one.target == before or (before is None and places.get(one.target) == now) for one in reachable]
        chosen = reachable[(here.index(True) + 1) % len(reachable) if any(here) else 0]
        self._problem = chosen.target
        if chosen.target.startswith("node/"):
            self.action_nodes(chosen.target.removeprefix("node/"))
        elif chosen.target in places:
            self.select_key(*places[chosen.target])
            self.paint()
        else:
            if chosen.target == "disk":
                self.action_disk()
            self.console.say(chosen.kind, chosen.sentence)

    def select_system(self, name: str) -> None:
        """The row of what is wrong with a system of line 1, where it has one."""
        problems = self.world.problems if self.world is not None else ()
        self.refresh_rows()
        rows, cards = self.keys_in(LIST), self.keys_in(GPUS)
        about = (name, f"{name}/")
        mine = [one for one in problems if one.target.startswith(about) or one.sentence.startswith(f"{name}:")]
        found = next((one for one in mine if one.target in rows or one.target in cards), None)
        if found is not None:
            self.select_key(LIST if found.target in rows else GPUS, found.target)
        elif mine:
            self.say(mine[0].kind, mine[0].sentence)
        self.paint()

    _problem: str | None = None
    """What the last problem was about, which may have no row here."""
