"""publish: the model, its card and metrics, the log and the events of the run go to the Hub, under a tag of their own."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import build, docker, hub, inputs, start
from .finish import Result
from .problem import Exit, Problem, say
from .record import LOCAL, PUBLISHED, Folder, Record, current, known

WORK = "/work"

_MEMORY = "2g"

TOLD_SECONDS = 10.0
LEAST_TOLD = 1_000_000
"""Bytes that have to be new before they are worth a line."""


def step() -> int:
    """The program: publishes the run that JOB_NAME and BUILD_NUMBER, or RUN=local-3, name."""
    if not os.environ.get("RUN") and not os.environ.get("BUILD_NUMBER"):
        raise Problem(f"Which run? make publish RUN={LOCAL}-3; {known()}.", Exit.USAGE)
    folder = current()
    title = folder.record().title
    held = folder.lock()  # for as long as this program lives: reap leaves alone what somebody works on
    if held is None:
        raise Problem(f"{title} is in other hands: somebody trains or publishes it just now.")
    published = publish(folder)
    if published is None:
        say(f"[publish] {title}: its config.yaml has no section publish, or PUBLISH=no was set.")
    else:
        say(f"[publish] {told(published)}")
    return Exit.OK


def told(event: Mapping[str, Any]) -> str:
    """The published event as a sentence."""
    already = "was published already" if event.get("again") else "is published"
    return f"{event['repo']} {event['tag']} {already}: {event['url']}"


def publish(folder: Folder) -> dict[str, Any] | None:
    """The published event; None when nothing is to be published. Raises Problem, which says how to do it later."""
    record = folder.record()
    if record.publish is None:
        return None
    result = folder.read("result.json")
    if result is None or Result(**result).status != "ok":
        how = Result(**result).reason if result else "it has not been finished yet."
        raise Problem(f"{record.title} is not published: {how}")
    secret = hub.token(hub.WRITE)
    if secret is None:
        raise Problem(f"No Hub token to publish with: name a file with a write token in {hub.WRITE}. {later(folder)}")
    request = {
        "kind": "model",
        "repo": record.publish["repo"],
        "private": record.publish.get("private", True),
        "message": f"{record.title}, commit {record.commit[:12]}",
        "tag": record.tag,
        "run": record.run,
    }
    try:
        event = upload(record, files(folder), request, secret)
    except Problem as problem:
        raise Problem(f"{problem} {later(folder)}", problem.status) from problem
    # A training may write such an event itself: what was published is told by a file that only this program writes.
    folder.write(PUBLISHED, event)
    with (folder.out / "events.jsonl").open("a", encoding="utf-8") as events:
        events.write(json.dumps(event) + "\n")
    print(json.dumps(event), flush=True)
    return event


def later(folder: Folder) -> str:
    return f"The artifact is kept in {folder.out}; publish it later: make publish RUN={folder.path.name}"


def files(folder: Folder) -> dict[str, bytes | Path]:
    """Name in the repository -> what is there. Raises Problem when the training has left no model."""
    model = folder.out / "model"
    if not model.is_dir() or not any(model.iterdir()):
        raise Problem(f"There is no model in {model}.")
    found: dict[str, bytes | Path] = {path.name: path for path in sorted(model.iterdir())}
    found |= {name: folder.out / name for name in ("README.md", "metrics.json") if (folder.out / name).is_file()}
    found["logs/train.log"] = folder.log
    found["logs/events.jsonl"] = folder.out / "events.jsonl"
    record = folder.record()
    told = {"run": record.run, "project": record.project, "job": record.job, "build": record.build, "commit": record.commit}
    found["run.json"] = json.dumps(told, indent=1).encode() + b"\n"
    return {name: content for name, content in found.items() if not isinstance(content, Path) or content.exists()}


def upload(record: Record, content: Mapping[str, bytes | Path], request: dict[str, Any], secret: str) -> dict[str, Any]:
    """Run the publisher's container on these files; its published event. Raises Problem.

    The token goes through its stdin, so neither `docker inspect` nor a list of processes shows it.
    """
    image = build.publisher()
    # The training has given its GPU back.
    labels = {**record.labels, "mlops.purpose": "publish", "mlops.gpu": "none"}
    for left in docker.containers({**record.identity, "mlops.purpose": "publish"}):
        docker.remove(left)
    container = docker.call(
        "create",
        "--interactive",
        "--init",
        f"--user={inputs.USER}:{inputs.USER}",
        "--read-only",
        "--tmpfs=/tmp:rw,nosuid,nodev,mode=1777",
        f"--mount=type=volume,dst={WORK}",
        f"--memory={_MEMORY}",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        f"--network={start.network()}",
        *docker.options("--label", (f"{name}={value}" for name, value in labels.items())),
        *docker.options("--env", (f"{name}={value}" for name, value in start.hub_variables().items())),
        image,
    ).strip()
    total = sum(map(_bytes, content.values()))
    say(f"[publish] {_size(total)} in {len(content)} file{'s' if len(content) != 1 else ''} to {request['repo']}")
    over = threading.Event()
    watcher = threading.Thread(target=_tell_progress, args=(container, total, over), daemon=True)
    try:
        inputs.give(container, WORK, content, mode=0o444)
        watcher.start()
        return _converse(container, {**request, "folder": WORK, "token": secret})
    finally:
        over.set()
        docker.remove(container)


def _bytes(content: bytes | Path) -> int:
    if isinstance(content, bytes):
        return len(content)
    return sum(path.lstat().st_size for path in content.rglob("*")) if content.is_dir() else content.lstat().st_size


def _size(count: float) -> str:
    """`412 MB`, `1.8 GB`."""
    if count < 1000:
        return f"{count:.0f} B"
    # What would be rounded to 1000 is one of the next unit.
    power = next((at for at in range(1, 5) if count / 1000**at < 999.5), 4)
    value = count / 1000**power
    return f"{value:.{0 if value >= 9.95 else 1}f} {' kMGT'[power]}B"


def _tell_progress(container: str, total: int, over: threading.Event) -> None:
    """Say now and then how much has left the container, so that nobody takes a slow line for one that hangs.

    What the Hub has already is not sent again, so it may end far below the whole; requests and repetitions count too.
    """
    last = 0
    while not over.wait(TOLD_SECONDS):
        try:
            sent = sent_of(docker.call("stats", "--no-stream", "--format={{.NetIO}}", container))
        except Problem:
            continue  # an Engine that is busy; the upload itself tells what is wrong with it
        if sent is not None and sent - last >= LEAST_TOLD and not over.is_set():
            last = sent
            say(f"[publish] {_size(min(sent, total))} of {_size(total)} sent")


def sent_of(told: str) -> int | None:
    """Bytes sent of docker's `1.2kB / 118MB` (received and sent); None where it has no network of its own."""
    found = re.search(r"/ ([\d.]+)([kMGT]?)B\s*$", told)
    if found is None:
        return None
    return int(float(found[1]) * 1000 ** " kMGT".index(found[2] or " "))


def _converse(container: str, request: dict[str, Any]) -> dict[str, Any]:
    process = docker.start("start", "--attach", "--interactive", container, stdin=-1)
    try:
        out, said = process.communicate((json.dumps(request) + "\n").encode())
    except BaseException:
        process.kill()
        process.wait()
        raise
    events = [event for line in out.decode(errors="replace").splitlines() if (event := _event(line))]
    last = events[-1] if events else {}
    if last.get("event") == "published":
        return last
    if last.get("event") == "error":
        message = str(last.get("message"))
        raise Problem(f"{message[:1].upper()}{message[1:]}.")
    words = said.decode(errors="replace").strip().splitlines()
    raise Problem(f"The publisher ended with {process.returncode} and said nothing{': ' + words[-1] if words else ''}.")


def _event(line: str) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "event" in content else None
