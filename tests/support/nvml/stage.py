"""Scenes on a machine with NVIDIA's library: each is played in a process of its own, because a library is loaded only once.

@scene()
async def test_an_idle_card(stage: Stage) -> None: ...
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from console.sources.gpu.source import NvmlGpus
from tests.support.nvml import control, recorded

REPOSITORY = Path(__file__).parents[3]
LIBRARY = "libnvidia-ml.so.1"
NOBODY = 65534
_LIMIT = 60.0
# When the loaded card was recorded, a moment after its newest sample.
RECORDED_AT = 1795413635.2


class NoCompilerError(Exception):
    """Nothing here compiles C."""


class Libraries:
    """Builds of nvml.c: `current`, `old` (before drivers 510 and 535), `other` (for another kernel module)."""

    def __init__(self, folder: Path) -> None:
        """Compile them. Raises NoCompilerError."""
        if shutil.which("cc") is None:
            raise NoCompilerError
        self._folder = folder
        (folder / "recorded.h").write_text(recorded.header())
        for name, wants, options in (
            ("current", control.DRIVER, []),
            ("old", control.DRIVER, ["-DOLD"]),
            ("other", "570.124.06", []),
        ):
            source = Path(__file__).with_name("nvml.c")
            built = ["-o", str(folder / f"{name}.so"), str(source)]
            flags = ["-std=gnu11", "-Wall", "-Wextra", "-O1", "-shared", "-fPIC", "-Wl,-soname," + LIBRARY, f"-I{folder}"]
            subprocess.run(["cc", *flags, f'-DMODULE_WANTED="{wants}"', *options, *built], check=True)

    def put(self, name: str, folder: Path) -> None:
        """Have `folder` hold this one, or none, as an update of the driver would."""
        shown = folder / LIBRARY
        shown.unlink(missing_ok=True)
        if name != "none":
            shutil.copy(self._folder / f"{name}.so", shown)

    def play(self, test: Callable[..., object], library: str, folder: Path, *arguments: str, user: int = 0) -> None:
        """Play the scene of a test in a new process, as `user`. Raises AssertionError with what it said when it fails."""
        stage = folder / "stage"
        for made in (stage, stage / "lib", stage / "proc"):
            made.mkdir()
        (stage / "builds").symlink_to(self._folder)
        control.make(stage / "control")
        self.put(library, stage / "lib")
        if user:
            for place in (folder, *folder.parents[: len(folder.parents) - 2]):
                place.chmod(place.stat().st_mode | 0o055)
            (stage / "control").chmod(0o666)
        names = (test.__module__, test.__name__, str(stage), str(user), *arguments)
        done = subprocess.run(
            [sys.executable, "-m", __name__, *names],
            cwd=REPOSITORY,
            env={**os.environ, "LD_LIBRARY_PATH": str(stage / "lib"), "NVML_STAND_IN": str(stage / "control")},
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        assert not done.stderr, done.stderr


class Stage:
    """The machine as a scene has it in hands: `control` says what it does, `now` and `wall` what time it is there."""

    def __init__(self, folder: Path, arguments: tuple[str, ...]) -> None:
        self.folder = folder
        self.arguments = arguments
        self.control = control.load(folder / "control")
        self.proc = folder / "proc"
        self.now = 1000.0
        self.wall = RECORDED_AT
        self.in_namespace(4026531836)

    def in_namespace(self, number: int) -> None:
        """The pid namespace that /proc says the console is in; 4026531836 is the machine's own."""
        link = self.proc / "self" / "ns" / "pid"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(f"pid:[{number}]")

    def update(self, library: str) -> None:
        """Replace the library's file, as an update of the driver does."""
        shown = self.folder / "lib" / LIBRARY
        shown.unlink(missing_ok=True)
        shutil.copy(self.folder / "builds" / f"{library}.so", shown)

    def later(self, seconds: float) -> None:
        """Let time pass; samples go on coming as they were recorded."""
        self.now += seconds
        self.wall += seconds
        self.control.shift += int(seconds * 1_000_000)

    @asynccontextmanager
    async def gpus(self, *, proc: Path | None = None, patience: float = 20.0) -> AsyncIterator[NvmlGpus]:
        """The source on this machine."""
        made = NvmlGpus(proc or self.proc, patience=patience, clock=lambda: self.now, wall=lambda: self.wall)
        try:
            yield made
        finally:
            await made.aclose()


Scene = Callable[[Stage], Awaitable[None]]


def scene(library: str = "current", **machine: int) -> Callable[[Scene], Callable[[Libraries, Path], None]]:
    """A test that is played in a process of its own, on a machine that `machine` (fields of `Control`) describes."""

    def make(play: Scene) -> Callable[[Libraries, Path], None]:
        def test(libraries: Libraries, tmp_path: Path) -> None:
            libraries.play(test, library, tmp_path)

        test.__name__, test.__module__, test.__doc__ = play.__name__, play.__module__, play.__doc__
        test.play, test.machine = play, machine  # type: ignore[attr-defined]
        return test

    return make


def main(module: str, name: str, folder: str, user: str, *arguments: str) -> None:
    """In the new process: play the scene of that test."""
    test = getattr(importlib.import_module(module), name)
    stage = Stage(Path(folder), arguments)
    for field, value in test.machine.items():
        setattr(stage.control, field, value)
    if user != "0":
        # That user may not be able to read Python's own modules here.
        for needed in ("pynvml", "pwd", "ctypes.util"):
            importlib.import_module(needed)
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    played = test.play(stage)
    assert inspect.isawaitable(played)
    asyncio.run(_all(played))


async def _all(played: Awaitable[None]) -> None:
    await played


if __name__ == "__main__":
    main(*sys.argv[1:])
