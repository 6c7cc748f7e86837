"""Run folders as the platform's own steps write them, and folders that mean no good."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.model.disk import DiskUse, Volume
from console.model.kept import NOT_READABLE, Kept, KeptKind
from console.sources.keptfolders import PARTLY, KeptFolders, own_folder
from console.text import Clean, clean
from infra.jenkins.steps.finish import Result
from infra.jenkins.steps.record import Folder, Record
from tests.support import skips
from tests.support.mounts import NoMountError, hanging

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def home(path: Path | str | None, name: str = "p_agent-work", size: int | None = 77) -> Volume:
    labels = {Clean("com.docker.compose.volume"): Clean("agent-work")}
    return Volume(clean(name), Clean("local"), labels, NOW, size, clean(str(path)) if path is not None else None)


def run(
    runs: Path, build: int, status: str | None, *, project: str = "project-a", job: str = "train", size: int = 1000
) -> Folder:
    folder = Folder(runs / f"{job}-{build}")
    (folder.out / "checkpoint" / "epoch-3").mkdir(parents=True)
    (folder.out / "model").mkdir()
    (folder.out / "checkpoint" / "epoch-3" / "weights").write_bytes(bytes(size))
    (folder.out / "checkpoint" / "latest").write_text("epoch-3")
    (folder.out / "model" / "weights").write_bytes(bytes(500))
    folder.keep(Record(project=project, commit="a" * 40, job=job, build=build))
    if status is not None:
        folder.write("result.json", asdict(Result(status, "as it is.", 0, "epoch-3")))
        os.utime(folder.path / "result.json", (1_700_000_000 + build, 1_700_000_000 + build))
    return folder


async def read(
    *volumes: Volume, local: bool = True, own: Path | None = None, most: int = 10_000
) -> dict[tuple[KeptKind, str], Kept]:
    folders = KeptFolders(local=local, own=own, most=most)
    try:
        found = await folders.kept(DiskUse((), volumes, (), {}, {}, NOW), ())
    finally:
        await folders.aclose()
    return {(one.kind, str(one.name)): one for one in found}


async def test_what_runs_have_left(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    old, broken = run(runs, 40, "failed"), run(runs, 42, "stopped")
    run(runs, 41, "ok", size=3000)
    run(runs, 9, "failed", project="project-b")
    (runs / "noise").mkdir()
    (runs / ".start").touch()
    (tmp_path / "workspace" / "train").mkdir(parents=True)
    (tmp_path / "workspace" / "train" / "file").write_bytes(bytes(123))
    found = await read(home(tmp_path))
    checkpoints = {name: (one.bytes, one.resumable) for (kind, name), one in found.items() if kind is KeptKind.CHECKPOINTS}
    latest = len("epoch-3")
    assert checkpoints == {
        "train #40": (1000 + latest, False),
        "train #41": (3000 + latest, False),
        "train #42": (1000 + latest, True),
        "train #9": (1000 + latest, True),
    }
    records = sum((broken.path / name).stat().st_size for name in ("run.json", "result.json"))
    rest = found[KeptKind.RUN, "train #42"]
    assert (rest.bytes, rest.project, rest.place) == (500 + records, "project-a", "p_agent-work")
    assert rest.at == datetime.fromtimestamp(1_700_000_042, UTC)
    assert found[KeptKind.WORKSPACE, "train"].bytes == 123
    assert len(found) == 9
    assert old.record().project == "project-a"


async def test_runs_by_hand_and_one_that_has_not_ended(tmp_path: Path) -> None:
    run(tmp_path / "runs", 3, None, job="local")
    found = await read(own=own_folder({}, tmp_path))
    assert not found[KeptKind.CHECKPOINTS, "local-3"].resumable
    assert found[KeptKind.CHECKPOINTS, "local-3"].place == str(tmp_path / "runs")
    assert own_folder({"RUNS_DIR": "x"}, tmp_path) == tmp_path / "x"
    assert own_folder({"RUNS_DIR": "/y"}, tmp_path) == Path("/y")
    assert await read(own=tmp_path / "nowhere") == {}


async def test_what_cannot_be_read_is_told_with_the_engine_s_size(tmp_path: Path) -> None:
    run(tmp_path / "runs", 1, "ok")
    (tmp_path / "link").symlink_to(tmp_path)
    for volume, local in (
        (home(tmp_path), False),
        (home("/no/such"), True),
        (home(None), True),
        (home(tmp_path / "link"), True),
    ):
        found = await read(volume, local=local)
        assert found == {
            (KeptKind.ALL, ""): Kept(KeptKind.ALL, None, Clean(""), clean("p_agent-work"), 77, NOW, note=NOT_READABLE)
        }
    assert (await read(home(None, size=None)))[KeptKind.ALL, ""].bytes is None


@pytest.fixture
def nobody() -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip(skips.NO_ROOT)
    os.setresuid(-1, 65534, -1)
    yield
    os.setresuid(-1, 0, -1)


async def test_what_only_others_may_read(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    runs = tmp_path / "in" / "runs"
    folder = run(runs, 1, "failed")
    for path in (tmp_path, *tmp_path.parents):
        if path not in (Path("/"), Path("/tmp")):
            path.chmod(0o755)
    (folder.out / "checkpoint" / "epoch-3").chmod(0o700)
    request.getfixturevalue("nobody")
    found = await read(home(tmp_path / "in"))
    kept, rest = found[KeptKind.CHECKPOINTS, "train #1"], found[KeptKind.RUN, "train #1"]
    assert (kept.bytes, kept.note, kept.resumable) == (None, PARTLY, True)
    assert rest.bytes is not None
    os.setresuid(-1, 0, -1)
    (tmp_path / "in").chmod(0o700)
    os.setresuid(-1, 65534, -1)
    assert (await read(home(tmp_path / "in")))[KeptKind.ALL, ""].note == NOT_READABLE


async def test_a_folder_that_nobody_may_look_into(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = run(tmp_path / "in" / "runs", 1, "failed")
    for path in (tmp_path, *tmp_path.parents):
        if path not in (Path("/"), Path("/tmp")):
            path.chmod(0o755)
    (tmp_path / "in" / "workspace").mkdir(mode=0o700)
    folder.out.chmod(0o700)
    request.getfixturevalue("nobody")
    found = await read(home(tmp_path / "in"), own=tmp_path / "in" / "runs")
    rest = found[KeptKind.RUN, "train #1"]
    assert (rest.bytes, rest.note) == (None, PARTLY)
    assert found[KeptKind.CHECKPOINTS, "train #1"].note == PARTLY
    assert (found[KeptKind.ALL, ""].bytes, found[KeptKind.ALL, ""].note) == (None, PARTLY)


async def test_a_file_that_goes_meanwhile_takes_no_others_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "workspace" / "train"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"f{number}").write_bytes(bytes(100))
    real = os.scandir

    @contextlib.contextmanager
    def losing(path: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        with real(path) as entries:
            yield _losing(entries)

    def _losing(entries: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        for number, one in enumerate(entries):
            if number == 5 and one.is_file():
                Path(one.path).unlink()
            yield one

    monkeypatch.setattr(os, "scandir", losing)
    found = await read(home(tmp_path))
    assert (found[KeptKind.WORKSPACE, "train"].bytes, found[KeptKind.WORKSPACE, "train"].note) == (3900, "")


async def test_too_many_files_are_not_counted(tmp_path: Path) -> None:
    folder = run(tmp_path / "runs", 1, "ok")
    for number in range(60):
        (folder.out / f"f{number}").touch()
    found = await read(home(tmp_path), most=30)
    rest = found[KeptKind.RUN, "train #1"]
    assert rest.bytes is None
    assert "not counted" in rest.note
    assert (await read(home(tmp_path), most=100))[KeptKind.RUN, "train #1"].bytes is not None


async def test_what_means_no_good(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "big").write_bytes(bytes(1 << 20))
    (outside / "run.json").write_text('{"project": "stolen", "job": "x", "build": 1}')
    folder = run(runs, 1, "ok")
    (folder.out / "all").symlink_to("/")
    os.mkfifo(folder.out / "pipe")
    os.link(folder.out / "model" / "weights", folder.out / "again")
    (runs / "train-2").symlink_to(outside)
    for number, content in (
        (3, "no json"),
        (4, "[1]"),
        (5, '{"project": 5, "job": ["x"], "build": true}'),
        (6, '{"project": "\\u001b[2J"}'),
    ):
        (runs / f"train-{number}").mkdir()
        (runs / f"train-{number}" / "run.json").write_text(content)
    (runs / "train-7").mkdir()
    os.mkfifo(runs / "train-7" / "run.json")
    (runs / "train-9" / "run.json").mkdir(parents=True)
    (runs / "train-8").mkdir()
    (runs / "train-8" / "run.json").symlink_to(outside / "run.json")
    found = await read(home(tmp_path))
    assert sorted(name for kind, name in found if kind is KeptKind.RUN) == ["train #1", "train-5", "train-6"]
    assert not [one for one in found.values() if "\x1b" in str(one) or one.project == "stolen"]
    records = sum((folder.path / name).stat().st_size for name in ("run.json", "result.json"))
    assert found[KeptKind.RUN, "train #1"].bytes == 500 + records, "a file with two names counts once"


async def test_a_disk_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.sources.keptfolders.SECONDS", 0.05)
    try:
        with hanging(tmp_path / "away") as folder:
            found = await read(home(folder))
    except NoMountError as error:
        pytest.skip(skips.NO_MOUNT.format(why=error))
    assert found[KeptKind.ALL, ""].note == "the disk does not answer"
