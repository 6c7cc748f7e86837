"""What state a service is in, in words, and what its probe or its log said about trouble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import compose

TUNNEL = "frp_client"

# A container that has been started anew so often will not come up by itself.
_RESTARTS = 3
_LINES = 5


@dataclass(frozen=True)
class State:
    """`words` for people. `good`: it is as it should be. `bad`: waiting does not help; neither: it is on its way."""

    words: str
    good: bool = False
    bad: bool = False


def of(container: Mapping[str, Any] | None) -> State:
    """The state of a service by its container; None when it has none."""
    if container is None:
        return State("has no container yet")
    state = container["State"]
    health = (state.get("Health") or {}).get("Status", "none")
    if state["Status"] == "exited" or state["Status"] == "dead":
        return State(f"has ended with exit status {state['ExitCode']}", bad=True)
    if state["Status"] == "paused":
        return State("is paused: docker compose unpause lets it go on", bad=True)
    if state["Status"] == "restarting" or (container.get("RestartCount", 0) >= _RESTARTS and health != "healthy"):
        return State(
            f"keeps ending, with exit status {state['ExitCode']}, and is started again",
            bad=container.get("RestartCount", 0) >= _RESTARTS,
        )
    if state["Status"] != "running":
        return State(f"is {state['Status']}, not started")
    return {
        "healthy": State("is healthy", good=True),
        "unhealthy": State("is unhealthy", bad=True),
        "starting": State("starts"),
    }.get(health, State("runs (it has no probe)", good=True))


def not_configured(settings: Mapping[str, str]) -> State | None:
    """What is said of the tunnel when there is no server to connect to: that is no trouble."""
    if settings.get("FRP_SERVER_ADDR"):
        return None
    return State("is not configured (FRP_SERVER_ADDR in infra/.env is empty): no release comes in through it", good=True)


def why(container: Mapping[str, Any]) -> list[str]:
    """The newest probe's exit status and output, or the last lines of the log of one that does not run."""
    log: Sequence[Mapping[str, Any]] = (container["State"].get("Health") or {}).get("Log") or ()
    if container["State"]["Status"] == "running" and log:
        said = str(log[-1].get("Output", "")).strip() or "nothing"
        return [f"its probe (exit status {log[-1].get('ExitCode')}) said:", *(f"  {line}" for line in said.splitlines())]
    lines = compose.last_words(str(container["Id"]), _LINES)
    return ["its log ends with:", *(f"  {line}" for line in lines)] if lines else ["its log is empty."]
