"""Programs in the place of `systemctl` and `pkcheck`: one unit, in the state that a test wants, and what was asked of them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

_SYSTEMCTL = """\
#!/bin/sh
# What systemd 252 says: of a unit that there is not, of one that there is, and to whoever may not start it.
at="${0%/*}"
echo "systemctl $*" >>"$at/asked"
case "$*" in
    show*)
        if [ -e "$at/unbooted" ]; then
            echo "System has not been booted with systemd as init system (PID 1). Can't operate." >&2
            exit 1
        fi
        cat "$at/shown" ;;
    *start*)
        if [ -e "$at/refusal" ]; then
            cat "$at/refusal" >&2
            exit 1
        fi
        sed -i 's/^ActiveState=.*/ActiveState=active/' "$at/shown"
        lock="$(cat "$at/lock")"
        if [ -n "$lock" ]; then
            setsid flock --no-fork "$lock" sleep 1000 </dev/null >/dev/null 2>&1 &
            echo $! >"$at/recorder"
            # As one of Type=notify: it answers when the unit is ready.
            while flock --nonblock "$lock" true; do sleep 0.02; done
        fi ;;
esac
"""
_PKCHECK = """\
#!/bin/sh
at="${0%/*}"
echo "pkcheck $*" >>"$at/asked"
exit "$(cat "$at/may")"
"""
NO_UNIT = "LoadState=not-found\nUnitFileState=\nActiveState=inactive\nEnvironment=\n"
REFUSED = "Failed to start mlops-console-record.service: Interactive authentication required.\n"
FAILED = (
    "Job for mlops-console-record.service failed because the control process exited with error code.\n"
    'See "systemctl status mlops-console-record.service" and "journalctl -xeu mlops-console-record.service" for details.\n'
)


class StandInUnits:
    """`folder` goes in front of PATH. Nothing of it is left running after `close`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        for name, text in (("systemctl", _SYSTEMCTL), ("pkcheck", _PKCHECK)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.shows(NO_UNIT)
        self.may(2)
        (folder / "lock").write_text("")
        (folder / "asked").write_text("")

    @property
    def path(self) -> str:
        return f"{self.folder}:{os.environ['PATH']}"

    @property
    def asked(self) -> list[str]:
        """Every call so far, with its words."""
        return (self.folder / "asked").read_text().splitlines()

    def shows(self, text: str) -> None:
        (self.folder / "shown").write_text(text)

    def unit(self, active: str, history: Path | None = None, file: str = "enabled") -> None:
        """The recorder's unit, as the role `console` installs it."""
        environment = "DOCKER_HOST=unix:///run/mlops-window.sock MLOPS_READ_ONLY=true"
        written = f' "MLOPS_HISTORY={history}"' if history is not None else ""
        self.shows(f"LoadState=loaded\nUnitFileState={file}\nActiveState={active}\nEnvironment={environment}{written}\n")

    def may(self, status: int) -> None:
        """How pkcheck ends: 0 where this user may, 2 where a password would be asked for."""
        (self.folder / "may").write_text(str(status))

    def refuses(self, words: str) -> None:
        (self.folder / "refusal").write_text(words)

    def holds(self, lock: Path) -> None:
        """What a recorder that is started holds."""
        (self.folder / "lock").write_text(str(lock))

    def close(self) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.folder / "recorder").read_text()), signal.SIGKILL)
