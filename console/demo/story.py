"""The trainings of the demo's story: who asked for what and when, when each begins to train, and how it ends.

Containers, builds, cards, logs and history are all made of this one table, so that they tell the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from console.demo.actor import DAY, HOUR, MINUTE

LOADING = 25.0
"""Seconds in which a training loads its model and data, before its first step."""

CHECKING = 5.0
"""Seconds at the end of each epoch in which it looks at held-back data."""

MAY_SAVE = 30
"""Seconds that a training which is asked to stop has for its checkpoint."""


class End(Enum):
    """How a training ends."""

    DONE = "done"
    MEMORY = "out of memory"
    NAN = "not a number"
    STOPPED = "stopped with a checkpoint"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Manner:
    """How the trainings of a project go: `steps` in an epoch, a line every `every` of them, and which way the curves run.

    `loss` is where it ends up, how far above that it begins, and after how many steps half of that is gone; `top` what its
    `score` comes near. `gpu` is the card, None for none, `limit` what a container may have of memory, in GiB. `events`: it
    prints those of the contract, else lines for people.
    """

    steps: int
    every: int
    loss: tuple[float, float, float]
    score: str
    top: float
    lr: float
    rate: int
    unit: str
    checkpoint: str
    checkpoint_bytes: int
    gpu: int | None = None
    events: bool = False
    limit: int = 16


@dataclass(frozen=True, slots=True)
class Training:
    """One run of the job `train`. Times are seconds after the world began, negative before; `begins` is when its container
    starts, `epoch` how many seconds one takes, `ends` when the container ends (None: it has not, and never will).

    `silent` is from when on it does nothing more. `given` are parameters beyond project, commit and delivery, `by` who asked
    where no release did. `left` is when its build ended before it did. `lasting`: Jenkins and Docker know it; of others only
    the history does.
    """

    number: int
    project: str
    commit: str
    asked: float
    begins: float
    epochs: int
    epoch: float
    ends: float | None
    end: End = End.DONE
    silent: float | None = None
    building: float = 48.0
    given: tuple[tuple[str, str], ...] = ()
    by: str = ""
    left: float | None = None
    lasting: bool = True

    @property
    def manner(self) -> Manner:
        return MANNERS[self.project]

    @property
    def key(self) -> str:
        """`project-a@7fa01469cc8e`, as the platform describes a build."""
        return f"{self.project}@{self.commit[:12]}"

    @property
    def exit_code(self) -> int | None:
        return {End.DONE: 0, End.MEMORY: 137, End.NAN: 1, End.STOPPED: 143, End.NEVER: None}[self.end]

    @property
    def memory(self) -> int:
        """GiB that its container may have: what its project wants, or what was asked for."""
        wanted = re.search(r"^resources\.memory=(\d+)g$", dict(self.given).get("OVERRIDES", ""), re.MULTILINE)
        return int(wanted[1]) if wanted is not None else self.manner.limit

    @property
    def seconds(self) -> float | None:
        """How long its container runs."""
        return None if self.ends is None else self.ends - self.begins

    def done_by(self, now: float) -> int:
        """How many epochs are whole then."""
        until = min(one for one in (now, self.ends, self.silent) if one is not None)
        return max(0, min(self.epochs, int((until - self.begins - LOADING + 1e-6) // self.epoch)))


MANNERS = {
    "project-a": Manner(
        211, 20, (0.19, 1.9, 400.0), "val_acc", 0.978, 1.7e-4, 412, "img/s", "checkpoint.pt", 98_000_000, gpu=0
    ),
    "project-b": Manner(
        100, 10, (0.22, 1.1, 260.0), "val_accuracy", 0.914, 1e-3, 0, "", "checkpoint/epoch-", 412_000_000, events=True
    ),
    "project-c": Manner(300, 10, (0.41, 1.4, 300.0), "val_f1", 0.871, 5e-4, 96, "img/s", "checkpoint.pt", 240_000_000, gpu=0),
    "vision-large": Manner(
        1000, 20, (0.55, 2.6, 1500.0), "mAP", 0.37, 1e-4, 41, "img/s", "checkpoint.pt", 2_100_000_000, gpu=1, limit=64
    ),
    "customer-churn-forecast-eu": Manner(
        20, 1, (0.31, 0.4, 300.0), "val_auc", 0.871, 1e-3, 9, "samples/s", "checkpoint.pt", 4_000_000
    ),
}


_SOON = 83.25
"""Seconds from a request that nothing holds up to its container: a build waits 5, checks, and builds an image for 72."""


def _took(
    number: int, project: str, commit: str, begins: float, epochs: int, epoch: float, asked: float | None = None
) -> Training:
    """One that trains to its end."""
    asked = begins - _SOON if asked is None else asked
    return Training(number, project, commit, asked, begins, epochs, epoch, begins + LOADING + epochs * epoch)


def _remembered(number: int, commit: str, begins: float, given: tuple[tuple[str, str], ...] = ()) -> Training:
    """One of project-a of which builds and containers are gone."""
    ends = begins + LOADING + 30 * 68.0
    return Training(number, "project-a", commit, begins - _SOON, begins, 30, 68.0, ends, given=given, lasting=False)


TRAININGS: tuple[Training, ...] = (
    _remembered(96, "2f6b8d0a4c1e3f5a7b9d0c2e4f6a8b0d1c3e5f7a", -12 * DAY),
    _remembered(104, "8c1d3e5f7a9b0c2d4e6f8a0b1c3d5e7f9a0b2c4d", -9 * DAY, (("OVERRIDES", "lr=0.0003"),)),
    _remembered(112, "4e6f8a0b1c3d5e7f9a0b2c4d6e8f0a1b3c5d7e9f", -6 * DAY, (("OVERRIDES", "batch_size=128\nlr=0.0001"),)),
    # Its build was killed with its agent away; it has gone on ever since.
    Training(
        118,
        "customer-churn-forecast-eu",
        "b0c2d4e6f8a0b1c3d5e7f9a0b2c4d6e8f0a1b3c5",
        -4.6 * DAY,
        -4.6 * DAY + _SOON,
        400,
        1800.0,
        None,
        End.NEVER,
        left=-4.6 * DAY + _SOON + 2 * HOUR,
    ),
    Training(
        119,
        "vision-large",
        "d3e5f7a9b1c3d5e7f9a1b3c5d7e9f1a3b5c7d9e1",
        -4.4 * DAY,
        -4.4 * DAY + _SOON,
        50,
        1570.0,
        -4.4 * DAY + _SOON + LOADING + 3.4 * 1570.0,
        End.STOPPED,
    ),
    _took(120, "project-a", "a41c9be07d5f2e8836b1c4d7e9f0a2b3c4d5e6f7", -4 * DAY + 73, 30, 73.0),
    Training(
        121,
        "project-c",
        "0b7d2c5e9a8f4c3d2e1f0a9b8c7d6e5f4a3b2c1d",
        -3.9 * DAY,
        -3.9 * DAY + _SOON,
        20,
        228.0,
        -3.9 * DAY + _SOON + 11 * MINUTE,
        End.NAN,
    ),
    _took(122, "project-b", "6e5d4c3b2a190817f6e5d4c3b2a190817f6e5d4c", -3.7 * DAY + 73, 12, 118.0),
    _took(123, "customer-churn-forecast-eu", "93c1e7a5b3d9f1c7e5a3b1d9f7c5e3a1b9d7f5c3", -3 * DAY + 73, 40, 77.0),
    _took(
        125,
        "project-a",
        "5be90c1d77aa0f1e2d3c4b5a69788796a5b4c3d2",
        -5 * HOUR - 38 * MINUTE - 47,
        30,
        71.0,
    ),
    # Hangs in its twelfth epoch.
    Training(
        126,
        "vision-large",
        "c0ffee5a1b2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f",
        -5 * HOUR - _SOON,
        -5 * HOUR,
        50,
        1570.0,
        None,
        End.NEVER,
        silent=-11 * MINUTE,
    ),
    Training(
        127,
        "project-b",
        "1d44b02e9c31f7a6b5c4d3e2f1a0b9c8d7e6f5a4",
        -66 * MINUTE - 6,
        -66 * MINUTE - 6 + _SOON,
        12,
        268.0,
        -66 * MINUTE - 6 + _SOON + 40 * MINUTE,
        End.MEMORY,
    ),
    _took(128, "project-a", "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21", -16 * MINUTE - 4, 30, 65.0),
    _took(129, "project-c", "9be1042ac7d85e3f6b1a0c9d8e7f6a5b4c3d2e1f", 1111.75, 20, 45.0, -3 * MINUTE - 6),
    _took(130, "project-a", "77aa5c3e1f9b7d5a3c1e9f7b5d3a1c9e7f5b3d1a", 2137.0, 30, 65.0, -MINUTE - 6),
    # project-b #127 again, with more memory and from its checkpoint.
    Training(
        131,
        "project-b",
        "1d44b02e9c31f7a6b5c4d3e2f1a0b9c8d7e6f5a4",
        -62.0,
        151.25,
        12,
        41.0,
        151.25 + LOADING + 12 * 41.0,
        building=178.0,
        given=(("OVERRIDES", "batch_size=32\nresources.memory=24g"), ("RESUME_FROM", "127")),
        by="sato",
    ),
)

BY_NUMBER = {one.number: one for one in TRAININGS}
