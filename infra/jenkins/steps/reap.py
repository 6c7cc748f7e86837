"""reap: trainings whose build no longer runs are brought to their end: stopped with grace, collected, removed.

One that was adopted goes on until it ends by itself, or until its limit in time has passed.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import docker, finish
from .check import duration_words
from .follow import moment, note_stop
from .hub import token
from .problem import Exit, Problem, say, words_of
from .record import ADOPTED, LOCAL, RUN, TIMEOUT, Folder, Record, folder_name, runs

_PATIENCE = 15.0


@dataclass(frozen=True)
class Orphan:
    container: str
    name: str
    labels: dict[str, str]


def step() -> int:
    """The program: `reap`. JENKINS_URL, JENKINS_USER and JENKINS_TOKEN_FILE say where builds are asked after."""
    bad = False
    found = orphans()
    if not found:
        say("[reap] nothing to do: no training has outlived its build")
    for orphan in found:
        try:
            say(f"[reap] {orphan.name}: {reap(orphan)}")
        except Problem as problem:
            bad = True
            say(f"[reap] {orphan.name}: {problem}")
        except Exception as defect:  # one that cannot be ended must not keep the others
            bad = True
            say(f"[reap] {orphan.name}: {type(defect).__name__}: {defect}")
    return Exit.BAD if bad else Exit.OK


def orphans() -> list[Orphan]:
    """Containers of the platform whose build has ended. One whose build cannot be asked after is left alone, and named."""
    found = []
    for container in docker.containers({"mlops.managed": "true"}):
        known = docker.inspect("container", container)
        if known is None:
            continue
        orphan = Orphan(container, str(known["Name"]).lstrip("/"), dict(known["Config"]["Labels"]))
        if "mlops.job" not in orphan.labels or "mlops.build" not in orphan.labels:
            continue
        try:
            alive = is_alive(orphan)
        except Problem as problem:
            say(f"[reap] {orphan.name} is left alone: {problem}")
            continue
        except OSError as error:  # another user's folder, for one
            say(f"[reap] {orphan.name} is left alone: {words_of(error)}.")
            continue
        if not alive:
            found.append(orphan)
    return found


def reap(orphan: Orphan) -> str:
    """End it and keep what it left; a sentence on how it ended. Raises Problem."""
    if orphan.labels.get("mlops.purpose") != "train":
        docker.remove(orphan.container)
        return "removed."
    folder = made(orphan)
    # An adoption is written down by whoever is alone with it: it comes before the stop, or is refused.
    with finish.alone(folder):
        words = _goes_on(folder, orphan)
        if words is not None:
            return words
        result = finish.finish_alone(folder)
    return f"{result.status}: {result.reason} What it left is in {folder.path}."


def _goes_on(folder: Folder, orphan: Orphan) -> str | None:
    """That it was adopted and still has time; None for one that is to be brought to its end now."""
    note = adoption(folder, orphan)
    started = started_at(docker.inspect("container", orphan.container))
    if note is None or started is None:
        return None
    limit = time_limit(folder.record())
    words = duration_words(limit)
    if time.time() < started + limit:
        return f"adopted: it goes on until it ends by itself, or has run for {words}."
    note_stop(folder, f"timed out after {words}")
    return None


def adoption(folder: Folder, orphan: Orphan) -> dict[str, Any] | None:
    """What was written down when this very training was adopted; None where nobody did so."""
    note = folder.read(ADOPTED)
    return note if note is not None and note.get("run") == orphan.labels.get(RUN, "") else None


def started_at(container: dict[str, Any] | None) -> float | None:
    """When what `docker inspect` tells of was started, in unix seconds; None for one that does not run."""
    state = (container or {}).get("State") or {}
    return moment(str(state["StartedAt"])) if state.get("Running") else None


def time_limit(record: Record) -> int:
    """resources.timeout in seconds; 0 where nobody knows it any more."""
    return int(record.resources.get("timeout") or 0)


def own_folder(orphan: Orphan) -> Folder:
    """The folder that is this very training's, or would be: its own may be gone, and another of the same number there."""
    folder = _folder(orphan)
    if _is_of(folder, orphan) or folder.read("run.json") is None:
        return folder
    return Folder(folder.path.with_name(f"{folder.path.name}-{orphan.labels.get(RUN, 'unknown')}"))


def made(orphan: Orphan) -> Folder:
    """Its folder, made out of what the container tells where it is gone."""
    folder = own_folder(orphan)
    if not _is_of(folder, orphan):
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.keep(record_of(folder, orphan))
    return folder


def record_of(folder: Folder, orphan: Orphan) -> Record:
    """What the folder has of it, else what the container itself tells."""
    return folder.record() if _is_of(folder, orphan) else _record(orphan)


def _record(orphan: Orphan) -> Record:
    """What the container itself tells, when the run folder is gone."""
    host = (docker.inspect("container", orphan.container) or {}).get("HostConfig", {})
    labels = orphan.labels
    said = labels.get(TIMEOUT, "")
    timeout = int(said) if said.isascii() and said.isdigit() else 0
    return Record(
        project=labels.get("mlops.project", "unknown"),
        commit=labels.get("mlops.commit", ""),
        job=labels["mlops.job"],
        build=int(labels["mlops.build"]),
        build_url=labels.get("mlops.build-url", ""),
        gpus=labels.get("mlops.gpu", "none"),
        resources={"memory": int(host.get("Memory") or 0), "gpus": 0, "shm": 0, "cpus": 0, "timeout": timeout},
        container=orphan.container,
        run=labels.get(RUN, ""),
    )


def _folder(orphan: Orphan) -> Folder:
    """Where a training with its job and number has its folder."""
    return Folder(runs() / folder_name(orphan.labels["mlops.job"], orphan.labels["mlops.build"]))


def _is_of(folder: Folder, orphan: Orphan) -> bool:
    """Whether the folder is this very training's: numbers come again."""
    known = folder.read("run.json")
    return known is not None and known.get("run", "") == orphan.labels.get(RUN, "")


def is_alive(orphan: Orphan) -> bool:
    """Whether its build still runs. Raises Problem when nobody can say."""
    job = orphan.labels["mlops.job"]
    folder = _folder(orphan)
    mine = _is_of(folder, orphan)
    if job == LOCAL and not mine:
        raise Problem(f"a run by hand whose folder is not in {runs()}: somebody else's, perhaps.")
    if job == LOCAL:
        return _is_held(folder)
    if mine and orphan.labels.get("mlops.purpose") == "publish" and _is_held(folder):
        return True  # somebody publishes by hand what a build has left
    path = urlsplit(orphan.labels.get("mlops.build-url", "")).path
    base = os.environ.get("JENKINS_URL")
    if not base or not path:
        raise Problem("JENKINS_URL is not set, so nobody can be asked whether its build runs.")
    # The path is Jenkins' own, below its prefix; the host may have another name here than in public.
    prefix = urlsplit(base).path.rstrip("/")
    answer = _ask(base.rstrip("/").removesuffix(prefix) + path.rstrip("/") + "/api/json?tree=building")
    building = answer.get("building") if answer is not None else False
    if not isinstance(building, bool):
        raise Problem("what answers at JENKINS_URL does not say whether its build runs.")
    return building


def _is_held(folder: Folder) -> bool:
    """Whether somebody is at work in it."""
    if not folder.path.is_dir():
        return False
    held = folder.lock()
    if held is None:
        return True
    os.close(held)
    return False


def _ask(url: str) -> dict[str, Any] | None:
    """The decoded answer; None when there is no such build. Raises Problem."""
    request = urllib.request.Request(url)  # noqa: S310  # the scheme is looked at below
    if request.type not in {"http", "https"}:
        raise Problem("JENKINS_URL is no address with http:// or https://.", Exit.USAGE)
    user, secret = os.environ.get("JENKINS_USER"), token("JENKINS_TOKEN_FILE")
    if user and secret:
        pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {pair}")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
            content = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        # Without the right to read, Jenkins says 404 too: only somebody who may read can say that a build is gone.
        if error.code == 404 and user and secret:
            return None
        raise Problem(f"Jenkins answered {error.code} when asked for its build.") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Problem(f"Jenkins cannot be asked: {getattr(error, 'reason', None) or error}.") from error
    return content if isinstance(content, dict) else {}
