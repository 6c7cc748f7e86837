"""What can be said of one container of the demo, and of what happens to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from console.model.container import Health, Mount, Port

CYCLE_SECONDS = 180.0
MIB, GIB = 1 << 20, 1 << 30
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
# Failures in a row that make a container unhealthy.
RETRIES = 3


class Act(NamedTuple):
    """An event `at` seconds after each cycle's beginning: a multiple of a quarter, so that sums of times stay exact."""

    at: float
    action: str
    exit_code: int | None = None
    health: Health | None = None


class ProbeScript(NamedTuple):
    """How a container is probed and what the probe prints when it succeeds (`good`) and fails (`bad`); times in seconds.

    `{since}` in it becomes the moment from which on it is as it is.
    """

    command: str
    good: str
    bad: str = ""
    interval: float = 10.0
    start_period: float = 0.0


@dataclass(frozen=True, slots=True)
class Actor:
    """One container.

    `created`, `up` (default: since it was created) and `ended` (None: never) tell how many seconds before the demo's
    beginning it was created, last started and last ended (less than 0: it is still to come), `health_for` how long before
    its `health` began. Its load moves
    around `cpu` (percent of one core) and `memory` (bytes, growing by `leak` bytes a second, never over `limit`).
    `acts` are in order and leave it as they found it: one cycle joins the next without a seam.
    """

    name: str
    image: str
    service: str = ""
    number: int = 1
    created: float = 9 * DAY
    up: float | None = None
    ended: float | None = None
    exit_code: int | None = None
    oom: bool = False
    health: Health = Health.NONE
    health_for: float = 0.0
    probe: ProbeScript | None = None
    restarts: int = 0
    cpu: float = 0.2
    memory: int = 40 * MIB
    leak: int = 0
    limit: int | None = None
    policy: str = "unless-stopped"
    command: str = ""
    user: str = ""
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    acts: tuple[Act, ...] = ()

    @property
    def restarted_by_engine(self) -> bool:
        return self.policy in ("always", "unless-stopped")
