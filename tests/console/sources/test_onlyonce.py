"""What is shown once: by one of all consoles, and always where nothing can be written down."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console.sources.onlyonce import TOUR, first_time


def ask(env: dict[str, str], name: str = TOUR) -> bool:
    return asyncio.run(first_time(name, env))


def test_it_is_the_first_time_once(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert [ask(env), ask(env), ask(env)] == [True, False, False]
    folder = tmp_path / "state" / "mlops-console"
    assert [one.name for one in folder.iterdir()] == [TOUR]
    assert stat.S_IMODE((folder / TOUR).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_something_else_is_another_first_time(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    assert ask(env)
    assert ask(env, "something-else")


def test_of_many_consoles_at_once_one_is_the_first(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: ask(env), range(64)))
    assert answers.count(True) == 1


def test_another_process_is_no_first_time_either(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    assert ask(env)
    program = (
        "import asyncio, os\n"
        "from console.sources.onlyonce import TOUR, first_time\n"
        "print(asyncio.run(first_time(TOUR, os.environ)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\n"


def test_where_nothing_can_be_written_it_is_always_the_first_time(tmp_path: Path) -> None:
    (tmp_path / "mlops-console").write_text("no folder")
    env = {"XDG_STATE_HOME": str(tmp_path)}
    assert [ask(env), ask(env)] == [True, True]
    assert ask({"XDG_STATE_HOME": "/proc/nowhere"})
    assert (tmp_path / "mlops-console").read_text() == "no folder"


def test_what_stands_there_is_left_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "other"
    folder = tmp_path / "mlops-console"
    folder.mkdir()
    (folder / TOUR).symlink_to(other)
    assert not ask({"XDG_STATE_HOME": str(tmp_path)})
    assert not other.exists()


async def test_a_disk_that_hangs_shows_nothing_and_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()
    left = []

    def hangs(*_: object) -> bool:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()
        left.append(1)
        return True

    monkeypatch.setattr("console.sources.onlyonce._made", hangs)
    assert not await first_time(TOUR, {"XDG_STATE_HOME": str(tmp_path)}, deadline=0.05)
    assert not left
    release.set()
