"""Programs around the terminal that a person sits at: tmux, which keeps a clipboard of its own, and the pager."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TMUX_SECONDS = 2.0
# What less may do without these: shell commands, editors, other files, log files.
_SECURE = {"LESSSECURE": "1", "LESSHISTFILE": "-"}


def load_tmux_buffer(text: bytes, env: Mapping[str, str]) -> bool:
    """Give text to the tmux that this runs in, which passes it on to the terminal (`load-buffer -w`, tmux 3.2).

    False when there is no tmux around, or it is too old. The usual settings of tmux ignore what a program inside writes to
    the clipboard by itself.
    """
    if not env.get("TMUX"):
        return False
    program = shutil.which("tmux", path=env.get("PATH"))
    if program is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the words are ours
            [program, "load-buffer", "-w", "-"],
            input=text,
            env=dict(env),
            capture_output=True,
            timeout=_TMUX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def tmux_passes(env: Mapping[str, str]) -> bool:
    """Whether the tmux that this runs in hands sequences on to the terminal (`allow-passthrough`, off unless somebody has set
    it; before tmux 3.3, which has no such option, it always does)."""
    program = shutil.which("tmux", path=env.get("PATH")) if env.get("TMUX") else None
    if program is None:
        return False
    pane = ["-t", env["TMUX_PANE"]] if env.get("TMUX_PANE") else []
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the words are ours
            [program, "show-options", "-Apqv", *pane, "allow-passthrough"],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TMUX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() in ("on", "all", "")


def pager_of(env: Mapping[str, str]) -> list[str] | None:
    """The command of `$PAGER`, else less or more; None when there is none of them. Raises ValueError for a broken one."""
    wanted = env.get("PAGER", "").strip()
    if wanted:
        try:
            words = shlex.split(wanted)
        except ValueError as error:
            raise ValueError(f"PAGER is no command: {error}.") from None
        if shutil.which(words[0], path=env.get("PATH")) is None:
            raise ValueError(f"PAGER names {words[0]}, which is not installed.")
        return words
    return next(([name] for name in ("less", "more") if shutil.which(name, path=env.get("PATH"))), None)


def run_pager(command: Sequence[str], file: Path, env: Mapping[str, str]) -> int:
    """Show a file; the exit status. No shell is involved, and `less` may neither run commands nor open other files."""
    return subprocess.run([*command, str(file)], env={**env, **_SECURE}, check=False).returncode  # noqa: S603 - see above
