"""adopt: a training whose build has ended goes on until it ends or has used up its time; then `reap` finishes it as always.

Nothing follows it meanwhile: the log of its container keeps all that it prints, and `finish` takes the whole of it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from typing import Any

from . import docker, finish, reap
from .check import duration_words
from .problem import Exit, Problem, one_line, say
from .reap import Orphan
from .record import ADOPTED, LOCAL, RUN, Folder, runs

_LIST, _LOOK = "--list", "--look"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LONGEST_NAME = 100


def step() -> int:
    """The program: `adopt CONTAINER`. With --look before it nothing is written; `adopt --list` tells of all that were adopted.

    ADOPTED_BY may say who wants it. On stdout comes JSON: what the functions below return. JENKINS_URL,
    JENKINS_USER and JENKINS_TOKEN_FILE say where builds are asked after.
    """
    match sys.argv[1:]:
        case [word] if word == _LIST:
            _print(adopted())
        case [word, name] if word == _LOOK:
            _print(look(name))
        case [name] if _NAME.fullmatch(name):
            _print(adopt(name, os.environ.get("ADOPTED_BY", "")))
        case _:
            raise Problem("expected on the command line: adopt CONTAINER, adopt --look CONTAINER, or adopt --list", Exit.USAGE)
    return Exit.OK


def look(name: str) -> dict[str, Any]:
    """What adopting it would come to. Raises Problem where it cannot be adopted."""
    orphan = _orphan(name)
    folder = reap.own_folder(orphan)
    return _told(orphan, reap.adoption(folder, orphan), *_time(folder, orphan))


def adopt(name: str, by: str) -> dict[str, Any]:
    """Write down that it goes on; once is enough. Raises Problem where it cannot be adopted."""
    orphan = _orphan(name)
    _time(reap.own_folder(orphan), orphan)
    folder = reap.made(orphan)
    try:
        with finish.alone(folder, wait=False):
            return _adopt(folder, orphan, by)
    except BlockingIOError as error:
        raise Problem(f"{orphan.name} is being brought to its end at this moment.") from error


def adopted() -> list[dict[str, Any]]:
    """All whose adoption is written down and that nobody has finished since; they may have ended."""
    found = []
    for path in sorted(runs().glob("*-*")) if runs().is_dir() else ():
        folder = Folder(path)
        note = folder.read(ADOPTED)
        if note is None or folder.read("result.json") is not None:
            continue
        known = folder.read("run.json") or {}
        if note.get("run") == known.get("run"):
            found.append({"container": known.get("container"), "at": note.get("at"), "by": note.get("by")})
    return found


def _adopt(folder: Folder, orphan: Orphan, by: str) -> dict[str, Any]:
    # Looked at again: it may have been finished while nobody was alone with it.
    started, limit = _time(folder, orphan)
    note = reap.adoption(folder, orphan)
    if note is None:
        note = {"at": time.time(), "by": one_line(by, _LONGEST_NAME), "run": orphan.labels.get(RUN, "")}
        folder.write(ADOPTED, note)
        # A stop that somebody asked for and that never came to it must not be what it has ended by.
        (folder.path / "stop.json").unlink(missing_ok=True)
    words = duration_words(limit)
    say(f"[adopt] {orphan.name} goes on until it ends by itself, or has run for {words}; then reap keeps what it left")
    return _told(orphan, note, started, limit)


def _orphan(name: str) -> Orphan:
    """A training whose build has ended. Raises Problem for everything else."""
    known = docker.inspect("container", name) if _NAME.fullmatch(name) else None
    if known is None:
        raise Problem(f"There is no container {one_line(name, _LONGEST_NAME)}.")
    orphan = Orphan(str(known["Id"]), str(known["Name"]).lstrip("/"), dict(known["Config"]["Labels"] or {}))
    labels = orphan.labels
    job, build = labels.get("mlops.job"), labels.get("mlops.build")
    if labels.get("mlops.managed") != "true" or labels.get("mlops.purpose") != "train" or job is None or build is None:
        raise Problem(f"{orphan.name} is no training of a build.")
    if job == LOCAL:
        raise Problem(f"{orphan.name} is a run by hand: it has no build that it could outlive.")
    if reap.is_alive(orphan):
        raise Problem(f"{orphan.name} has its build: {job} #{build} still runs.")
    return orphan


def _time(folder: Folder, orphan: Orphan) -> tuple[float, int]:
    """When it was started, and for how many seconds it may run. Raises Problem where it has no time left."""
    started = reap.started_at(docker.inspect("container", orphan.container))
    if started is None:
        raise Problem(f"{orphan.name} does not run: reap keeps what it left.")
    limit = reap.time_limit(reap.record_of(folder, orphan))
    if not limit:
        raise Problem(f"Nobody knows how long {orphan.name} may run: its run folder is gone, and it does not say so itself.")
    if time.time() >= started + limit:
        raise Problem(f"{orphan.name} has run for its {duration_words(limit)} (resources.timeout): reap stops it.")
    return started, limit


def _told(orphan: Orphan, note: dict[str, Any] | None, started: float, limit: int) -> dict[str, Any]:
    """Times in unix seconds, `limit` in seconds from `started`; `at` and `by` are null where it is not adopted."""
    given = note or {}
    return {
        "container": orphan.container,
        "name": orphan.name,
        "at": given.get("at"),
        "by": given.get("by"),
        "started": started,
        "limit": limit,
    }


def _print(answer: object) -> None:
    # Not in one line: whoever shows text cuts lines that are too long.
    print(json.dumps(answer, indent=1), flush=True)
