"""Why a run ended badly, or does badly: one sentence, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.text import Clean


class Cause(StrEnum):
    """What was found to be the cause. UNKNOWN is an answer: nothing that was seen names one."""

    CONTAINER_MEMORY = "container memory"
    HOST_MEMORY = "host memory"
    GPU_MEMORY = "gpu memory"
    ERROR = "error"
    NOT_FINITE = "not finite"
    ABORTED = "aborted"
    TIMED_OUT = "timed out"
    IMAGE = "image"
    NO_SPACE = "no space"
    NO_GPU = "no gpu"
    GPU_FAULT = "gpu fault"
    NODE_LOST = "node lost"
    HUB = "hub"
    REFUSED = "refused"
    PIPELINE = "pipeline"
    KILLED = "killed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line below the sentence. `source` is who says so or what it is about: `docker`, `memory`, `log`, `figures`, `gpu`,
    `host`, `jenkins`, `not`, `changed`, `kept`, `try`. `at` is when the line of the log that it quotes was written, or since
    when it is so, in nanoseconds since 1970."""

    source: Clean
    words: Clean
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """`words` is one sentence, `short` the same as a cause of at most 31 cells (`out of memory 16 GiB, epoch 9`)."""

    cause: Cause
    words: Clean
    short: Clean
    evidence: tuple[Evidence, ...] = ()
