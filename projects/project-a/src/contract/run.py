"""One training from its environment to its exit status."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import card as cards
from . import checkpoints, settings
from .card import ModelCard
from .checkpoints import Checkpoints, State
from .events import Events
from .problems import TrainingError
from .stop import Stop, Stopped

DONE, FAILED, STOPPED = 0, 1, 143


@dataclass
class Run:
    """What a training is given, and what it tells through."""

    project: str
    job: str
    build: str
    commit: str
    out: Path
    resume: Path | None
    config: Mapping[str, Any]
    events: Events
    stop: Stop
    checkpoints: Checkpoints
    _began: float = field(default_factory=time.monotonic)

    def start(self, *, epochs: int, steps: int, device: str, resumed: State | None = None, **more: object) -> None:
        """Say what is about to be trained. `resumed` is the state of the checkpoint that it goes on from.

        From here on a stop waits for the end of a step.
        """
        self.stop.hold()
        where = {} if resumed is None else {"resumed_epoch": resumed.epoch, "resumed_step": resumed.step}
        self.events.write(
            "start",
            project=self.project,
            commit=self.commit,
            epochs=epochs,
            steps=steps,
            device=device,
            config=dict(self.config.get("train") or {}),
            **where,
            **more,
        )

    def step(self, state: State, metrics: Mapping[str, float], lr: float | None = None) -> None:
        self.events.write("step", epoch=state.epoch + 1, step=state.step, metrics=metrics, lr=lr)

    def epoch(self, state: State, epochs: int, metrics: Mapping[str, float], seconds: float, lr: float | None = None) -> None:
        """Tell of an epoch that is done; it is the newest entry of `state.history` from now on."""
        state.history.append({"epoch": state.epoch, **metrics})
        self.events.write(
            "epoch", epoch=state.epoch, epochs=epochs, step=state.step, metrics=metrics, lr=lr, seconds=round(seconds, 3)
        )

    def save(self, state: State, write: Callable[[Path], None]) -> None:
        """Write a checkpoint. `write` is given an empty folder for the weights."""
        place = self.checkpoints.save(state, write)
        path = place.relative_to(self.out).as_posix()
        self.events.write("checkpoint", epoch=state.epoch, path=path, bytes=checkpoints.size(place))

    def stop_if_asked(self, state: State, write: Callable[[Path], None]) -> None:
        """After a step: if somebody asked for it, write a checkpoint and raise Stopped."""
        if self.stop.asked is not None:
            self.save(state, write)
            raise Stopped(f"epoch {state.epoch}")

    def resumed(self) -> tuple[Path, State] | None:
        """The checkpoint to go on from, None when there is none to go on from. Raises TrainingError when it is no good."""
        return None if self.resume is None else checkpoints.newest(self.resume)

    def finish(self, state: State, card: ModelCard) -> None:
        """Write the model card and metrics.json. The model itself is in `out/model` already."""
        cards.write(card, self.out / "README.md", project=self.project, job=self.job, build=self.build, commit=self.commit)
        cards.write_metrics(card, state.history, state.best, self.out / "metrics.json")
        self.events.write("end", status="ok", best=state.best, seconds=round(time.monotonic() - self._began, 3))


def main(train: Callable[[Run], None], *, config: Path | None = None) -> int:
    """Run `train` and return the exit status: 0 done, 1 failed, 143 stopped with a checkpoint.

    `config` is config.yaml, by default the one beside the folder `src`.
    """
    out = Path(os.environ.get("OUT_DIR", "out"))
    out.mkdir(parents=True, exist_ok=True)
    events = Events(out / "events.jsonl")

    def at_once(signal: str) -> None:
        events.write("stopped", reason=signal, epoch=0)
        events.close()
        sys.stderr.flush()
        os._exit(STOPPED)

    stop = Stop(at_once)
    try:
        stop.listen()
        train(_run(out, events, stop, config or Path(__file__).parents[2] / "config.yaml"))
    except Stopped:
        last = events.last.get("checkpoint") or events.last.get("start") or {}
        events.write("stopped", reason=stop.asked or "asked", epoch=last.get("epoch", last.get("resumed_epoch", 0)))
        return STOPPED
    except TrainingError as error:
        stop.hold()
        events.write("error", error="TrainingError", message=str(error))
        return FAILED
    except Exception as error:
        stop.hold()
        traceback.print_exc(file=sys.stderr)
        events.write("error", error=type(error).__name__, message=str(error))
        return FAILED
    finally:
        events.close()
    return DONE


def _run(out: Path, events: Events, stop: Stop, config: Path) -> Run:
    env = os.environ
    resume = env.get("RESUME_DIR")
    return Run(
        project=env.get("MLOPS_PROJECT", config.resolve().parent.name),
        job=env.get("MLOPS_JOB", ""),
        build=env.get("MLOPS_BUILD", ""),
        commit=env.get("MLOPS_COMMIT", ""),
        out=out,
        resume=Path(resume) if resume else None,
        config=settings.read(config, env.get("MLOPS_OVERRIDES", "")),
        events=events,
        stop=stop,
        checkpoints=Checkpoints(out / "checkpoint"),
    )
