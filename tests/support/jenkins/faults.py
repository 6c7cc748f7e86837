"""What can go wrong between a client and the controller, for the next answers of a server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Fault(Enum):
    """HANG waits before it answers, CUT ends the connection in the middle of the body, RESET before any answer.
    LOST does what was asked for, and then ends the connection before any answer.

    OOPS is a 500 with only a logging id; PROXY_502 and PROXY_200 are html pages of a proxy without any
    mark of Jenkins; GARBAGE is a 200 of api/json whose body is no JSON.
    """

    HANG = auto()
    OOPS = auto()
    PROXY_502 = auto()
    PROXY_200 = auto()
    RESET = auto()
    LOST = auto()
    CUT = auto()
    GARBAGE = auto()


@dataclass(slots=True)
class Planned:
    """A fault for the next `count` requests whose path holds `match`; `seconds` for HANG."""

    fault: Fault
    count: int
    seconds: float
    match: str
