"""The recorder as a program of its own beside a real training: followed, killed, begun again, and found in the history."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from console.history import HistoryError, Reader
from console.model.history import PastRun
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.waiting import until_sync

_SAY = (
    'i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo "epoch $i/40 - loss: 0.$((100-i))"; usleep 200000; done;'
    ' printf "Traceback (most recent call last):\\n'
    '  File \\"t.py\\", line 3, in <module>\\nValueError: the data set is gone\\n" >&2;'
    " exit 1"
)


def recorder(engine: Engine, folder: Path, more: str = "") -> subprocess.Popen[bytes]:
    """`more` are further settings of the history."""
    env = {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "DOCKER_HOST": f"unix://{engine.socket}",
        "MLOPS_HISTORY": str(folder / "history.db"),
    }
    (folder / "config.toml").write_text(f"[history]\ninterval = 0.3\n{more}\n")
    command = [sys.executable, "-m", "console.main", "--config", str(folder / "config.toml"), "record"]
    return subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)


def known(folder: Path) -> tuple[PastRun | None, list[float | None]]:
    reader = Reader(folder / "history.db")
    try:
        points = [point for several in reader.points("local#7").values() for point in several]
        return reader.run("local#7"), [point.epoch for point in points]
    except HistoryError:
        return None, []
    finally:
        reader.close()


def reason(folder: Path) -> str:
    run, _ = known(folder)
    return str(run.reason) if run is not None else ""


def test_a_training_is_followed_over_a_kill_and_found_in_the_history(engine: Engine, tmp_path: Path) -> None:
    labels = {"managed": "true", "project": "project-a", "job": "local", "build": "7", "run": "77aa", "purpose": "train"}
    words = [word for name, value in labels.items() for word in ("--label", f"mlops.{name}={value}")]
    name = engine.docker("run", "-d", "--network=none", "--memory=64m", *words, BUSYBOX, "sh", "-c", _SAY).strip()
    first = recorder(engine, tmp_path)
    second: subprocess.Popen[bytes] | None = None
    try:
        until_sync(lambda: known(tmp_path)[1], "the first values")
        first.send_signal(signal.SIGKILL)
        first.wait()
        second = recorder(engine, tmp_path)
        until_sync(lambda: "the data set is gone" in reason(tmp_path), "its end", 120)
        until_sync(lambda: 40.0 in known(tmp_path)[1], "the last values")
        second.terminate()
        assert second.wait(60) == 0
    finally:
        for one in (first, second):
            if one is not None:
                one.kill()
                one.wait()
        engine.docker("rm", "-f", name)
    run, epochs = known(tmp_path)
    assert run is not None
    assert run.state is not None
    assert (run.training, run.state.word, run.container) == ("77aa", "failed", name)
    assert run.ended is not None
    assert run.asked is not None
    assert run.asked.memory == 64 << 20
    assert run.peak_memory is not None
    assert epochs == [float(at) for at in range(1, 41)], "each once, also over the kill"
