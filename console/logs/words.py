"""What a tail says about the log itself."""

from __future__ import annotations

from console.model.container import Container
from console.model.times import clock


def ended(container: Container) -> str:
    """Why there will be no more lines."""
    return f"{container.name} has ended{_how(container)}."


def started_again(container: Container) -> str:
    return f"{container.name} was started again; its log goes on."


def lost(about: int, after: int, until: int) -> str:
    """`about` lines, 0 when their number cannot be guessed, were lost between two times (nanoseconds since 1970)."""
    many = f"About {about:,} lines" if about else "Lines"
    return f"{many} lost by rotation, {clock(after)} to {clock(until)}: Docker deleted them before they could be read."


def _how(container: Container) -> str:
    if container.exit_code is None:
        return ""
    killed = container.details is not None and container.details.oom_killed
    return f", exit {container.exit_code}" + (" (out of memory)" if killed else "")
