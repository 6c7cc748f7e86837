"""Services: what a Compose file declares, joined with what runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.model.container import Container
from console.model.state import State
from console.text import Clean


@dataclass(frozen=True, slots=True)
class Declared:
    """One service of a Compose file. `scale` is how many replicas are wanted, `config_hash` what Compose would label a
    container of it with today, `image_id` the image that `image` names on this Engine now (None: not there or not asked).
    `built`: the file says how its image is made.
    """

    name: Clean
    image: Clean
    scale: int
    config_hash: Clean
    image_id: Clean | None = None
    built: bool = False


@dataclass(frozen=True, slots=True)
class ComposeProject:
    """What `docker compose config` says of a file. `warnings` are Compose's own, for example of an unset variable."""

    name: Clean
    file: Clean
    services: tuple[Declared, ...]
    warnings: tuple[Clean, ...] = ()
    volumes: tuple[Clean, ...] = ()
    """The real names of the volumes that it declares."""
    secrets: tuple[tuple[Clean, Clean], ...] = ()
    """Name and file of each secret that it declares by a file."""


CLIENT, GATE = Clean("frp_client"), Clean("gate")
WAY_IN = (CLIENT, GATE)
"""The two services of the platform that a release comes in through: the tunnel's end in here, and the gate behind it."""


class Drift(StrEnum):
    """Whether what runs is what the file says; `UNKNOWN` when the file could not be read."""

    NONE = "none"
    IMAGE = "image"
    CONFIG = "config"
    NOT_DECLARED = "not declared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Service:
    """One row of Services.

    `why` is one cause without the subject (empty when all is well), `since` when the state began and `since_exact` False when
    that is worked out from the probe's rhythm, `containers` its replicas by number, `wanted` None when the file is unknown.
    """

    project: Clean
    name: Clean
    state: State
    why: Clean
    since: datetime | None
    since_exact: bool
    containers: tuple[Container, ...]
    declared: Declared | None
    drift: Drift
    drift_detail: Clean

    @property
    def wanted(self) -> int | None:
        return self.declared.scale if self.declared else None
