"""Checkpoints that are either whole or not there, and the state that a training goes on from."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .events import python
from .problems import TrainingError

_LATEST = "latest"
_STATE = "state.json"


@dataclass
class State:
    """What a training knows besides its weights. All of it is in every checkpoint."""

    seed: int
    epoch: int = 0  # epochs that are done
    step: int = 0  # steps since the beginning, over all epochs
    step_in_epoch: int = 0  # steps done of the epoch that is under way
    history: list[dict[str, Any]] = field(default_factory=list)  # one entry for each epoch: {"epoch", metric...}
    best: dict[str, Any] | None = None  # {"metric", "value", "epoch"}
    more: dict[str, Any] = field(default_factory=dict)  # what the project adds

    def is_best(self, metric: str, value: float, *, higher: bool = False) -> bool:
        """Whether the epoch that is done is the best so far; then it is noted in `best`. What is no number is never best."""
        known = None if self.best is None else float(self.best["value"])
        better = known is None or (value > known if higher else value < known)
        if better and math.isfinite(value):
            self.best = {"metric": metric, "value": float(value), "epoch": self.epoch}
            return True
        return False


class Checkpoints:
    """A folder with the newest checkpoints: a folder for each, and `latest`, a file that names the newest whole one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._newest: Path | None = None

    def save(self, state: State, write: Callable[[Path], None]) -> Path:
        """Let `write` put the weights into a new folder, add the state, and make it the newest in one step.

        A training that is killed in here leaves the checkpoint before as the newest. The two newest stay.
        """
        name = f"epoch-{state.epoch}" + (f"-step-{state.step}" if state.step_in_epoch else "")
        if self._newest is not None and self._newest.name == name:
            return self._newest  # a stop right after an epoch: nothing has been learned since
        while (self.folder / name).exists():
            name += "+"  # of another training in the same folder, and perhaps the only one that is whole
        unfinished = self.folder / f".unfinished-{name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        write(unfinished)
        (unfinished / _STATE).write_text(json.dumps(asdict(state), default=_number), encoding="utf-8")
        for path in [*unfinished.rglob("*"), unfinished]:
            _sync(path)
        place = self.folder / name
        before = _named(self.folder)
        unfinished.rename(place)
        replace_text(self.folder / _LATEST, name + "\n")
        self._newest = place
        self._prune({name, before})
        return place

    def _prune(self, stay: set[str | None]) -> None:
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in stay:
                shutil.rmtree(path, ignore_errors=True)


def newest(folder: Path) -> tuple[Path, State]:
    """The newest whole checkpoint of a folder that `Checkpoints` has written. Raises TrainingError."""
    try:
        place = folder / (_named(folder) or _LATEST)
        state = State(**json.loads((place / _STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"there is no checkpoint to resume from in {folder}: {error}") from error
    return place, state


def _named(folder: Path) -> str | None:
    """The name in `latest`."""
    try:
        return (folder / _LATEST).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _number(value: Any) -> object:
    found = python(value)
    if found is value:
        raise TypeError(f"{type(value).__name__} cannot be kept in a checkpoint's state")
    return found


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old text or the new one, also after a power cut."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    _sync(beside)
    beside.replace(path)
    _sync(path.parent)


def size(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
