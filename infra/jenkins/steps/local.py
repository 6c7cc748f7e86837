"""`make train`: the whole path by hand, through the same steps that Jenkins calls, with progress for a person."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType

from console.text import clean

from . import build, check, finish, follow, publish, source, start
from .docker import Unreachable
from .finish import Result
from .problem import Exit, Problem, parameter, say
from .progress import Builder, Progress
from .record import LOCAL, Folder, Record, folder_name, new_local, root, runs


def step() -> int:
    """PROJECT, and if wanted COMMIT, RESUME_FROM, OVERRIDES, PUBLISH=no, from the environment."""
    project = parameter("PROJECT", default="")
    if not project:
        known = ", ".join(source.projects(root(), "HEAD")) or "none yet"
        raise Problem(f"Which project? make train PROJECT=name; there are: {known}.", Exit.USAGE)
    where = source.find(root(), project, _commit(project), exact=False)
    # Checked before a number is taken: a request that cannot be met leaves nothing behind.
    overrides, resume_from = os.environ.get("OVERRIDES", ""), os.environ.get("RESUME_FROM", "")
    record = check.request(where, LOCAL, 0, overrides=overrides, resume_from=resume_from, publish=check.wants_publish())
    record.build = new_local()
    folder = Folder(runs() / folder_name(LOCAL, record.build))
    held = folder.lock()
    folder.keep(record)
    try:
        say(f"[check] {record.title} at {record.commit[:12]}: {check.summary(record)}")
        return _go(folder)
    except KeyboardInterrupt:
        if folder.read("result.json") is None:
            say("[stop] nothing was started")
        raise
    finally:
        if held is not None:
            os.close(held)


def _go(folder: Folder) -> int:
    record = folder.record()
    stop = _Stop()
    with stop:
        record.image = _built(folder, record)
        folder.keep(record)
        # From here on there may be a container: it is brought to its end, whoever presses what.
        stop.training = True
        start.run(folder)
        say(f"[start] {folder.record().name} runs; ctrl+c stops it with a checkpoint")
        progress = Progress()

        def show(text: bytes) -> None:
            for line in progress.lines(text):
                print(clean(line), flush=True)

        try:
            follow.follow(folder, show, stopping=stop.asked)
        except Exception as error:
            # Nobody would keep its time limit any more: whatever broke here, a pipe or a full disk, it ends with a checkpoint.
            _tell(f"[stop] {error or type(error).__name__}; the training is asked to stop")
            result = finish.finish(folder)
            _tell(f"[finish] {result.status}: {result.reason} Log and results are in {folder.path}")
            raise
        result = finish.finish(folder)
        stop.training = False
    say(f"[finish] {result.status}: {result.reason}")
    if result.status == "ok":
        try:
            event = publish.publish(folder)
        except KeyboardInterrupt:
            say(f"[publish] interrupted. {publish.later(folder)}")
            raise
        say(f"[publish] {publish.told(event)}" if event else f"[publish] nothing: the model is in {folder.out / 'model'}")
        return Exit.OK
    _advise(folder, result)
    return Exit.INTERRUPTED if stop.asked.is_set() else finish.exit_status(result)


def _built(folder: Folder, record: Record) -> str:
    """The image. Where it cannot be built, the builder's last lines are shown. Raises Problem, which names its log."""
    path = folder.path / "build.log"
    with path.open("w", encoding="utf-8") as log:
        builder = Builder(log)
        try:
            return build.project(record, builder.take)
        except Unreachable:
            raise
        except Problem as problem:
            for line in builder.last:
                say(line)
            raise Problem(f"{problem} (all that the builder said: {path})", problem.status) from problem


def _tell(text: str) -> None:
    """To stderr: stdout may be what broke."""
    with contextlib.suppress(OSError):
        print(clean(text), file=sys.stderr, flush=True)


def _advise(folder: Folder, result: Result) -> None:
    record = folder.record()
    say(f"[finish] log and results are in {folder.path}")
    if result.checkpoint:
        overrides = f' OVERRIDES="{" ".join(record.overrides.splitlines())}"' if record.overrides else ""
        say(
            f"[finish] go on from {result.checkpoint}: "
            f"make train PROJECT={record.project} COMMIT={record.commit} RESUME_FROM={record.build}{overrides}"
        )


def _commit(project: str) -> str:
    """The commit to train: COMMIT, or the newest one, provided that nothing of the project is uncommitted."""
    named = os.environ.get("COMMIT")
    if named:
        return named
    changed = source.uncommitted(root(), project) if source.NAME.fullmatch(project) else []
    if changed:
        what = f"{changed[0]} is" if len(changed) == 1 else f"{changed[0]} and {len(changed) - 1} more are"
        commit = f"git add projects/{project} && git commit"
        # A project that no commit has cannot be trained as it was.
        known = project in source.projects(root(), "HEAD")
        or_else = f", or train the last commit as it is: make train PROJECT={project} COMMIT=HEAD" if known else "."
        raise Problem(f"{what} not committed, and what is trained is always a commit. Commit first ({commit}){or_else}")
    return "HEAD"


class _Stop:
    """ctrl+c and SIGTERM: before the training runs they end the program; from then on they ask it for its last checkpoint."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.training = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> _Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() has returned

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if not self.training:
            self.asked.set()
            raise KeyboardInterrupt
        if self.asked.is_set():
            say("[stop] still waiting for the checkpoint")
        else:
            say("")
        self.asked.set()
