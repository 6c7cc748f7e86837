"""What benchmarks run beside: an Engine of their own, the environment of a person, the demo at any speed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.actions.docker.known import look
from console.demo import demo_gpus, demo_jenkins, demo_machine, demo_past, demo_reach
from console.demo.clock import Clock
from console.feeds.watch import Watch
from console.model.pruning import Usual
from console.sources.reach import Hands
from console.text import clean
from tests.console.real.program import environment
from tests.support.engine import Engine, NoEngineError
from tests.support.images import engine_with_busybox
from tests.support.scratch import Scratch

NO_ENGINE = 3
"""Exit status where no Engine can be started."""


@contextmanager
def own_engine() -> Iterator[Engine]:
    """An Engine with busybox, gone at the end. Raises SystemExit where none can be started."""
    scratch = Scratch()
    try:
        try:
            engine = engine_with_busybox()
        except NoEngineError as error:
            print(f"no Docker Engine can be started here: {error}")
            raise SystemExit(NO_ENGINE) from None
        try:
            yield engine
        finally:
            engine.close()
    finally:
        scratch.close()


def persons_environment(engine: Engine, home: Path) -> dict[str, str]:
    """What the installed program gets from a person's shell."""
    env = environment(engine, home, COLORTERM="truecolor")
    env.pop("PYTHONPATH")
    env["PATH"] = os.environ["PATH"]
    # Python writes no byte code where it is told not to, and then compiles everything at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


def demo_watch(clock: Clock, *, runs: bool = False) -> Watch:
    """The demo by this clock; with `runs` what its trainings tell, and its history, too."""
    reach = demo_reach(clock)
    return Watch(
        lambda: (reach.engine, reach.compose),
        host=clean("demo-01"),
        demo=True,
        now=clock.now,
        make_jenkins=lambda: demo_jenkins(clock),
        make_gpus=lambda: demo_gpus(clock),
        make_machine=lambda: demo_machine(clock, of=reach),
        make_hands=lambda: Hands(reach.disk, reach.acts, reach.services, reach.folders),
        read_disk=lambda reach: look(reach, Usual()),
        tunnel=True,
        trainings=runs,
        make_past=(lambda _: demo_past(clock)) if runs else None,
    )
