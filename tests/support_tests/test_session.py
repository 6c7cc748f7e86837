"""What surrounds a run of tests, seen on runs of pytest inside this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support import leftovers, scratch
from tests.support.engine import Engine
from tests.support.waiting import until_sync

ROOT = Path(__file__).parent.parent.parent
XDIST = ("-p", "xdist", "-n", "2")
WAYS = pytest.mark.parametrize("way", [(), XDIST], ids=["alone", "xdist"])


@dataclass
class Inner:
    """A folder of tests with the fixtures and hooks of this one, and a pytest to run them."""

    folder: Path

    # Plugins that the inner tests do not use would take most of their time.
    environment: ClassVar[Mapping[str, str]] = {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "CI": "",
    }

    def write(self, tests: str) -> None:
        (self.folder / "conftest.py").write_text("from tests.conftest import *\n")
        (self.folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    gpu: needs one\n")
        (self.folder / "test_inner.py").write_text(tests)

    def start(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(self.folder)],
            cwd=self.folder,
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *options: str, **environment: str) -> tuple[int, str]:
        """Exit status and what it printed."""
        process = self.start(*options, **environment)
        printed, _ = process.communicate(timeout=60)
        return process.returncode, printed

    def told(self, name: str) -> str:
        """What an inner test wrote into a file of that name."""
        return (self.folder / name).read_text()


@pytest.fixture
def inner(tmp_path: Path) -> Inner:
    return Inner(tmp_path)


@WAYS
def test_a_clean_run_passes_and_its_scratch_is_gone(inner: Inner, way: Sequence[str]) -> None:
    inner.write(
        "import os, pathlib\n"
        "from tests.support.scratch import folder\n"
        "def test_it():\n"
        "    with folder('x') as path:\n"
        "        pathlib.Path('where').write_text(str(path.parent))\n"
    )
    status, printed = inner.run(*way)
    assert (status, "left behind" in printed) == (0, False), printed
    assert not Path(inner.told("where")).exists()
    assert not Path(inner.told("where") + ".lock").exists()


@pytest.mark.parametrize(
    ("mess", "line", "way"),
    [
        ("subprocess.Popen(['sleep', '4321'])", "process {pid}: sleep 4321", ()),
        ("subprocess.Popen(['sleep', '4321'])", "process {pid}: sleep 4321", XDIST),
        ("subprocess.Popen(['sleep', '4321'], env={})", "process {pid}: sleep 4321", ()),
        ("subprocess.run(['setsid', '--fork', 'sleep', '4321'])", " sleep 4321", ()),
        ("new_folder('forgotten')", "/forgotten-", ()),
        ("subprocess.run(['mount', '-t', 'tmpfs', 'none', new_folder('forgotten')], check=True)", "mount /", ()),
    ],
    ids=["child", "child-xdist", "unmarked-child", "daemon", "folder", "mount"],
)
def test_a_run_that_leaves_something_fails_and_says_what(inner: Inner, way: Sequence[str], mess: str, line: str) -> None:
    if "mount" in mess and os.geteuid() != 0:
        pytest.skip("mounting takes root")
    inner.write(
        "import os, subprocess, pathlib\n"
        "from tests.support.scratch import new_folder\n"
        "def test_it():\n"
        f"    made = {mess}\n"
        "    pathlib.Path('pid').write_text(str(getattr(made, 'pid', '')))\n"
        "    pathlib.Path('where').write_text(os.environ['CONSOLE_TESTS_SCRATCH'])\n"
    )
    status, printed = inner.run(*way)
    assert status == 1, printed
    assert "left behind by the tests" in printed
    assert line.format(pid=inner.told("pid")) in printed
    assert leftovers.find(Path(inner.told("where"))) == []
    assert not Path(inner.told("where")).exists()
    if inner.told("pid"):
        assert not runs(inner.told("pid"))


@WAYS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "ctrl-c"])
def test_an_interrupted_run_cleans_up(inner: Inner, engine: Engine, way: Sequence[str], number: int) -> None:
    folder = interrupted(inner, way, number)
    assert leftovers.find(folder) == []
    assert not folder.exists()


def test_the_next_run_removes_what_a_killed_one_left(inner: Inner, engine: Engine) -> None:
    folder = interrupted(inner, (), signal.SIGKILL)
    kinds = {line.split()[0] for line in leftovers.find(folder)}
    assert kinds == {"process", "mount", "cgroup", "socket", "file"}

    inner.write("def test_nothing(): pass\n")
    status, printed = inner.run()
    assert status == 0, printed
    assert leftovers.find(folder) == []
    assert not folder.exists()


def runs(pid: str) -> bool:
    """Whether the process lives; a dead one that nobody has waited for yet has no command line."""
    command = Path(f"/proc/{pid}/cmdline")
    return command.exists() and command.read_bytes() != b""


def interrupted(inner: Inner, way: Sequence[str], number: int) -> Path:
    """Send a signal to a run that has an Engine with a container; its scratch folder."""
    inner.write(
        "import os, pathlib, time\n"
        "from tests.support.composefleet import fleet_of\n"
        "def test_it(engine):\n"
        "    fleet_of(engine, 1)\n"
        "    pathlib.Path('half').write_text(os.environ['CONSOLE_TESTS_SCRATCH'])\n"
        "    pathlib.Path('half').rename('where')\n"
        "    time.sleep(1000)\n"
    )
    process = inner.start(*way)
    where = inner.folder / "where"
    until_sync(lambda: where.exists() or process.poll() is not None, "the inner test to run")
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode != 0, printed
    assert where.exists(), printed
    return Path(inner.told("where"))


def test_the_folder_of_a_living_run_stays(inner: Inner) -> None:
    with scratch.folder("alive") as path:
        inner.write("def test_nothing(): pass\n")
        assert inner.run()[0] == 0
        assert path.exists()


SKIPS = (
    "import pytest\n"
    "@pytest.mark.parametrize('number', range(3))\n"
    "def test_sea(number): pytest.skip('the sea is rough')\n"
    "@pytest.mark.gpu\n"
    "def test_gpu(): pytest.skip('no GPU')\n"
    "@pytest.mark.xfail\n"
    "def test_expected(): assert 0\n"
)


@WAYS
def test_skips_are_counted_by_reason(inner: Inner, way: Sequence[str]) -> None:
    inner.write(SKIPS)
    status, printed = inner.run(*way)
    assert status == 0, printed
    section = printed.partition("skipped and why")[2]
    assert "    3  the sea is rough\n" in section
    assert "    1  no GPU\n" in section


@WAYS
def test_ci_allows_only_skips_for_want_of_a_gpu(inner: Inner, way: Sequence[str]) -> None:
    inner.write(SKIPS)
    status, printed = inner.run(*way, CI="true")
    assert status == 1, printed
    assert "    3  the sea is rough  (not allowed with CI=true)\n" in printed
    assert "    1  no GPU\n" in printed
    assert inner.run(*way, "-k", "gpu", CI="true")[0] == 0


def test_ci_sees_a_module_that_is_skipped_whole(inner: Inner) -> None:
    inner.write("import pytest\npytest.skip('not today', allow_module_level=True)\n")
    status, printed = inner.run(CI="true")
    assert status != 0, printed
    assert "    1  not today  (not allowed with CI=true)\n" in printed


def test_tests_that_need_an_engine_are_skipped_with_the_reason(inner: Inner) -> None:
    inner.write("def test_one(engine): pass\ndef test_two(fleet): pass\ndef test_three(own_engine): pass\n")
    (inner.folder / "bin").mkdir()
    status, printed = inner.run(PATH=str(inner.folder / "bin"))
    assert status == 0, printed
    assert "    3  no Docker Engine can be started here: " in printed
