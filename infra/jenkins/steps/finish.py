"""finish: stop the training with grace if it still runs, collect what it left, say in one sentence how it ended, remove it.

May be killed at any point and called again, also twice at once: what is whole stays, what is not is done anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from . import docker, entries, host, inputs
from .follow import dropped, note_stop
from .problem import Exit, Problem, say
from .record import Folder, Record, current
from .start import OUT, grace

_LAST_WORDS = 400
_KILLED, _STOPPED = 137, 143
_ENDLESS = 1e9  # neither epochs nor seconds of anything real


@dataclass(frozen=True)
class Result:
    """result.json. `status` is one of ok, failed, out-of-memory, stopped, timed-out, could-not-start.

    `epochs` are those that were done and `seconds` what they took, as the training says; None where it does not.
    """

    status: str
    reason: str
    exit_code: int | None = None
    checkpoint: str | None = None
    best: dict[str, Any] | None = None
    left_out: tuple[str, ...] = ()
    epochs: int | None = None
    seconds: float | None = None


def step() -> int:
    """The program. Exit status 0 ok, 143 stopped, 1 everything else."""
    folder = current()
    result = finish(folder)
    say(f"[finish] {folder.record().title}: {result.status}: {result.reason}")
    return exit_status(result)


def exit_status(result: Result) -> Exit:
    return {"ok": Exit.OK, "stopped": Exit.STOPPED}.get(result.status, Exit.BAD)


def finish(folder: Folder) -> Result:
    """Bring a run to its end, however far it came. Raises Unreachable, and Problem when the disk is full."""
    folder.record()  # where check has not been, there is nothing to hold either
    # A second one waits for the first and then finds its result.
    with alone(folder):
        return finish_alone(folder)


@contextmanager
def alone(folder: Folder, *, wait: bool = True) -> Iterator[None]:
    """Keep everybody else from finishing the run meanwhile. Raises BlockingIOError where somebody does and we do not wait."""
    number = os.open(folder.path / ".finish", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(number)


def finish_alone(folder: Folder) -> Result:
    """The same, for whoever is `alone` with it."""
    record = folder.record()
    there = docker.containers(record.identity)
    if not there:
        return _without_container(folder, record)
    container = there[0]
    state = _state(container)
    if state["Status"] == "created":
        why = record.could_not_start or "its container was made and never started."
        docker.remove(container)
        return _keep(folder, Result("could-not-start", why))
    if state["Running"]:
        note_stop(folder, "stopped")
        say(f"[finish] asking the training to stop with a checkpoint, within {grace()}s")
        docker.call("stop", f"--time={grace()}", container, limit=grace() + docker.QUICK)
        state = _state(container)
    try:
        complaint = _collect_log(folder, container)
        left_out = _collect_out(folder, container)
    except entries.Gone as error:
        raise Problem("The container was removed by somebody else while its results were collected.") from error
    except (Problem, OSError) as error:
        status = error.status if isinstance(error, Problem) else Exit.BAD
        raise Problem(
            f"{error} The container {record.name} keeps everything: call finish again when that is mended.", status
        ) from error
    result = _judge(folder, record, state, tuple(left_out), complaint)
    _keep(folder, result)
    docker.remove(container)
    return result


def _state(container: str) -> dict[str, Any]:
    found = docker.inspect("container", container)
    if found is None:
        raise Problem("The container was removed by somebody else while its results were collected.")
    state: dict[str, Any] = found["State"]
    return state


def _without_container(folder: Folder, record: Record) -> Result:
    known = folder.read("result.json")
    if known is not None:
        return Result(**{**known, "left_out": tuple(known.get("left_out") or ())})
    if record.could_not_start:
        return _keep(folder, Result("could-not-start", record.could_not_start))
    if not record.container:
        return _keep(folder, Result("could-not-start", "it was never started: see what check or build said."))
    return _keep(folder, Result("failed", "its container is gone, and with it what it had written: somebody removed it."))


def _keep(folder: Folder, result: Result) -> Result:
    folder.write("result.json", asdict(result))
    return result


def _collect_log(folder: Folder, container: str) -> str:
    """The whole log from the Engine's files, also what nobody followed; before it what only a follower has, after rotations.

    Returns its last words on stderr. The two streams have no common order, so the last line of all may be any.
    """
    beside = folder.path / ".train.log.new"
    last: bool | None = None
    begun = False
    complaint = ""
    with beside.open("wb") as file:
        for entry in entries.read(container, follow=False):
            if entry is None:
                continue
            if not begun:
                _copy_beginning(folder, dropped(folder, entry.time), file)
                begun = True
            if last is not None and last != entry.stderr:
                file.write(b"\n")
            file.write(entry.text)
            if entry.stderr and entry.text.strip():
                complaint = " ".join(entry.text.decode(errors="replace").split())
            last = None if entry.text.endswith(b"\n") else entry.stderr
        if last is not None:
            file.write(b"\n")
        if not begun:
            _copy_beginning(folder, dropped(folder, ""), file)
    beside.replace(folder.log)
    return complaint[:_LAST_WORDS]


def _copy_beginning(folder: Folder, size: int, into: BinaryIO) -> None:
    if size and folder.log.is_file():
        with folder.log.open("rb") as file:
            while size > 0 and (piece := file.read(min(size, 1 << 20))):
                into.write(piece)
                size -= len(piece)


def _collect_out(folder: Folder, container: str) -> list[str]:
    beside = folder.path / ".out.new"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    left_out = inputs.take(container, OUT, beside)
    for name in left_out:
        say(f"[finish] {ascii(name)[1:-1]} is no plain file and stays behind")
    shutil.rmtree(folder.out, ignore_errors=True)
    beside.rename(folder.out)
    return left_out


def _judge(folder: Folder, record: Record, state: dict[str, Any], left_out: tuple[str, ...], complaint: str) -> Result:
    code = int(state["ExitCode"])
    events = _events(folder)
    checkpoint = _checkpoint(folder)
    asked = (folder.read("stop.json") or {}).get("why")
    if code == _KILLED and not asked and not state.get("OOMKilled"):
        state = {**state, "OOMKilled": _ran_out_of_memory(record.container, state)}
    status, reason = _how(record, state, code, events, checkpoint, asked, complaint or _last_words(folder))
    epochs = _figure(events.get("epoch", {}).get("epoch"))
    seconds = _figure(events.get("end", {}).get("seconds"))
    return Result(
        status, reason, code, checkpoint, _best(events), left_out, int(epochs) if epochs is not None else None, seconds
    )


_NEWS_SECONDS = 2


def _ran_out_of_memory(container: str, state: dict[str, Any]) -> bool:
    """What is known of its end is enough for a sentence: an Engine that does not answer now keeps nobody from it.

    The news may still be on their way: they get a moment more.
    """
    try:
        return docker.ran_out_of_memory(container, str(state["StartedAt"]), str(int(time.time()) + _NEWS_SECONDS))
    except (Problem, KeyError):
        return False


def _how(
    record: Record,
    state: dict[str, Any],
    code: int,
    events: dict[str, dict[str, Any]],
    checkpoint: str | None,
    asked: str | None,
    words: str,
) -> tuple[str, str]:
    kept = f"its newest checkpoint is {checkpoint}" if checkpoint else "it left no checkpoint"
    if code == 0:
        return "ok", _success(events)
    if state.get("OOMKilled"):
        memory = host.human(int(record.resources["memory"]))
        return "out-of-memory", f"killed at its limit of {memory} (resources.memory); {kept}."
    if asked and asked.startswith("timed out"):
        return "timed-out", f"{asked} (resources.timeout); {kept}."
    if code == _STOPPED and (asked or "stopped" in events):
        return "stopped", f"stopped as asked; {kept}."
    if code == _KILLED and asked:
        return "stopped", f"asked to stop, not done after {grace()}s, and killed; {kept}."
    if code == _KILLED:
        return "failed", f"killed from outside (SIGKILL); {kept}."
    if code in {126, 127}:
        return "could-not-start", f"its command cannot be run (exit {code}): {words}"
    return "failed", f"exit {code}: {_error(events) or words}"


def _success(events: dict[str, dict[str, Any]]) -> str:
    best = _best(events)
    if not best:
        return "trained to the end."
    value = best.get("value")
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"best {best.get('metric')} {shown} in epoch {best.get('epoch')}."


def _best(events: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """What the contract wants there; a training may write anything."""
    best = events.get("end", {}).get("best")
    return best if isinstance(best, dict) else None


def _figure(value: object) -> float | None:
    """A number that can be meant; a training may write anything."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value < _ENDLESS else None


def _error(events: dict[str, dict[str, Any]]) -> str | None:
    error = events.get("error")
    if error is None:
        return None
    kind, message = error.get("error"), str(error.get("message") or "")
    said = message if kind == "TrainingError" else f"{kind}: {message}"
    return " ".join(said.split())[:_LAST_WORDS]


def _events(folder: Folder) -> dict[str, dict[str, Any]]:
    """The newest event of each kind, from events.jsonl, or from the log of a training that writes none."""
    found: dict[str, dict[str, Any]] = {}
    file = folder.out / "events.jsonl"
    try:
        with (file if file.is_file() else folder.log).open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith('{"event"'):
                    try:
                        event = json.loads(line)
                    except (ValueError, RecursionError):
                        continue  # cut off by a kill, or no event at all
                    if isinstance(event, dict):
                        found[str(event.get("event"))] = event
    except OSError:
        return {}
    return found


def _checkpoint(folder: Folder) -> str | None:
    try:
        name = (folder.out / "checkpoint" / "latest").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return name if re.fullmatch(r"[\w.+-]{1,100}", name) and (folder.out / "checkpoint" / name).is_dir() else None


def _last_words(folder: Folder) -> str:
    """The last line of the log that says something."""
    with folder.log.open("rb") as file:
        file.seek(max(0, folder.log.stat().st_size - 65536))
        lines = file.read().decode(errors="replace").splitlines()
    words = [" ".join(line.split()) for line in lines if line.strip() and not line.startswith('{"event"')]
    return words[-1][:_LAST_WORDS] if words else "it said nothing."
