"""The files that a build keeps: choose from them, and save them to the machine that the console runs on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.feeds.download import save_artifact
from console.model.build import Artifact, BuildRef
from console.model.jenkins import JenkinsError
from console.model.source import SourceStatus
from console.model.state import StateClass
from console.model.words import counted, decimal
from console.sources.newfile import SaveError
from console.text import clean
from console.ui.canvas import Line
from console.ui.frame import title
from console.ui.palette import Ground, Role
from console.ui.screens.sheet import CLOSES, Sheet

if TYPE_CHECKING:
    from console.feeds.watch import Attached
    from console.sources.protocols import ContainerEngine
    from console.ui.screens.base import ConsoleScreen

_ROWS = 10


class FilesSheet(Sheet[Sequence[Artifact]], inherit_bindings=False):
    """Answers with the files that were marked, or with the one under the cursor where none was."""

    def __init__(self, name: str, files: Sequence[Artifact]) -> None:
        super().__init__()
        self._name = name
        self._files = files
        self._marked: set[Artifact] = set()
        self._at = 0
        self._first, self._rows = 0, 1

    def lines(self, width: int, room: int) -> list[Line]:
        look = self.look
        rows = max(1, min(_ROWS, room - 2))
        first = self.first_shown(self._at, rows, len(self._files))
        self._first, self._rows = first, rows
        marked = f", {len(self._marked)} marked" if self._marked else ""
        note = f"{counted(len(self._files), 'file')} of {self._name}{marked}"
        found: list[Line] = [title("Save files", note, look, width, focused=True)]
        for number, file in enumerate(self._files[first : first + rows], start=first):
            here = number == self._at
            ground = Ground.SELECT if here else Ground.PLAIN
            mark = "*" if file in self._marked else look.glyphs.cursor if here else " "
            found.append(
                [look.part(mark, Role.ACCENT, ground), look.part(look.cut(f" {file.path}", width - 1), Role.TEXT, ground)]
            )
        line = [look.part(" ")]
        for key_id, words in (("take", "save"), ("pick", "mark"), ("pick-all", "all"), ("back", "leave it")):
            line += look.does(key_id, f" {words}  ")
        return [*found, line]

    def take_key(self, key: str, _character: str | None) -> bool:
        """Every key comes here; none goes further."""
        match self.meant(key, "take", "files", "pick", "pick-all", "quit-now", *CLOSES):
            case "take" | "files":
                self._choose()
            case "pick":
                self._marked ^= {self._files[self._at]}
                self.wheel(1)
            case "pick-all":
                self._marked = set() if len(self._marked) == len(self._files) else set(self._files)
                self.paint()
            case "quit-now":
                self.action_quit()
            case None:
                self.wheel(self.steps(key, self._rows))
            case _:
                self.dismiss(None)
        return True

    def wheel(self, by: int) -> None:
        self._at = max(0, min(self._at + by, len(self._files) - 1))
        self.paint()

    def picked(self, line: int, times: int) -> None:
        at = self._first + line - 1
        if 1 <= line <= self._rows and at < len(self._files):
            self._at = at
            self.paint()
            if times == 2:
                self._choose()

    def _choose(self) -> None:
        self.dismiss([file for file in self._files if file in self._marked] or [self._files[self._at]])


class Saving:
    """Files on their way to the disk, one after the other. `over` is called on the screen's own thread at the end."""

    def __init__(self, screen: ConsoleScreen, ref: BuildRef, files: Sequence[Artifact], folder: Path) -> None:
        self._screen = screen
        self._ref = ref
        self._files = files
        self._folder = folder
        self._failed: list[str] = []
        self._saved: list[int] = []
        self._attached: Attached | None = None
        self._told = -1

    def begin(self) -> None:
        self._attached = self._screen.console.live.attach(self._run)
        self._screen.say(StateClass.ACTIVE, f"saving {counted(len(self._files), 'file')}")

    def stop(self) -> None:
        """Save no more. What is not whole is removed."""
        if self._attached is not None:
            self._attached.let_go()

    @property
    def running(self) -> bool:
        return (
            self._attached is not None and len(self._failed) + len(self._saved) < len(self._files) and not self._attached.over
        )

    # In the back room

    async def _run(self, _engine: ContainerEngine) -> None:
        source = self._screen.console.live.jenkins
        if source is None or isinstance(source, SourceStatus):
            return
        for file in self._files:
            try:
                saved = await save_artifact(source, self._ref, file, self._folder, progress=self._progress(file))
            except (SaveError, JenkinsError) as error:
                self._failed.append(str(error.reason))
            else:
                self._saved.append(saved.size)
        self._screen.console.on_screen(self._tell)

    def _progress(self, file: Artifact) -> Callable[[int, int | None], None]:
        def told(done: int, size: int | None) -> None:
            step = done >> 24
            if step != self._told:
                self._told = step
                of = f" of {decimal(size)}" if size is not None else ""
                words = f"saving {file.name}, {decimal(done)}{of}"
                self._screen.console.on_screen(lambda: self._screen.say(StateClass.ACTIVE, words))

        return told

    def _tell(self) -> None:
        """What became of it, failures first."""
        if not self._screen.is_attached:
            return
        folder = clean(str(self._folder.absolute()))
        saved = f"saved {counted(len(self._saved), 'file')}, {decimal(sum(self._saved))}, below {folder}"
        if not self._failed:
            self._screen.say(StateClass.GOOD, saved)
            return
        more = f"  +{len(self._failed) - 1} more" if len(self._failed) > 1 else ""
        self._screen.say(StateClass.BROKEN, f"{self._failed[0]}{more}", saved if self._saved else "")
