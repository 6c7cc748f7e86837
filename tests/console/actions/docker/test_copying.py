"""Files out of containers of a real Engine, onto a real disk: whole, or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.actions.docker.copying import copy_to, final_place, inside, pour_to
from console.model.source import NotThereError, SourceError
from console.sources.newfile import SaveError
from console.sources.reach import Reach
from console.text import Clean
from tests.console.actions.docker.conftest import reach_of
from tests.support.engine import Engine
from tests.support.images import BUSYBOX
from tests.support.waiting import until_sync

FILL = (
    "mkdir -p /w/sub; echo one > /w/one; echo two > /w/sub/two; chmod 4755 /w/one;"
    "ln -s ../one /w/sub/in; ln -s /etc/passwd /w/out; ln /w/one /w/same;"
    "mkfifo /w/pipe; mknod /w/null c 1 3; ln -s /w/one /alias;"
    "dd if=/dev/zero of=/big bs=1M count=96 2>/dev/null; touch /ready; exec sleep 1000"
)


def filled(engine: Engine) -> Clean:
    made = engine.docker("run", "-d", "--network=none", "--stop-timeout=0", BUSYBOX, "sh", "-c", FILL).strip()
    path = f"/containers/{made}/archive?path=/ready"
    until_sync(lambda: engine.request("GET", path, b"", "text/plain")[0] == 200, "the files to be there")
    return Clean(made)


@pytest.fixture
def box(own: Engine) -> Clean:
    return filled(own)


def here(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_folder_comes_whole_but_for_what_is_no_file(reach: Reach, box: Clean, tmp_path: Path) -> None:
    made = await copy_to(reach, box, "/w", tmp_path / "here", overwrite=False)
    new = tmp_path / "here"
    assert (new / "one").read_text() == (new / "same").read_text() == (new / "sub" / "in").read_text() == "one\n"
    assert (new / "sub" / "two").read_text() == "two\n"
    assert (new / "one").stat().st_mode & 0o7000 == 0
    assert sorted(one.partition(":")[0] for one in made.left_out) == ["null", "out", "pipe"]
    assert (made.files, made.bytes) == (3, 8)
    assert here(tmp_path) == ["here"]


async def test_a_file_and_how_far_it_has_come(reach: Reach, box: Clean, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    made = await copy_to(
        reach, box, "/big", tmp_path / "big", overwrite=False, progress=lambda done, size: told.append((done, size))
    )
    assert (made.bytes, (tmp_path / "big").stat().st_size, told[-1]) == (96 << 20, 96 << 20, (96 << 20, 96 << 20))
    got = bytearray()
    assert await pour_to(reach, box, "/w/sub/two", got.extend) == 4
    assert bytes(got) == b"two\n"


async def test_what_cannot_be_had(reach: Reach, box: Clean, tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="Could not find the file"):
        await copy_to(reach, box, "/nowhere", tmp_path / "x", overwrite=False)
    with pytest.raises(SaveError, match="alias is a link to /w/one: copy that"):
        await copy_to(reach, box, "/alias", tmp_path / "x", overwrite=False)
    with pytest.raises(SaveError, match="only a file can be written"):
        await pour_to(reach, box, "/w", bytearray().extend)
    (tmp_path / "x").write_text("mine")
    with pytest.raises(SaveError, match="not overwritten"):
        await copy_to(reach, box, "/big", tmp_path / "x", overwrite=False)
    assert (here(tmp_path), (tmp_path / "x").read_text()) == (["x"], "mine")


async def test_called_off_it_leaves_nothing(reach: Reach, box: Clean, tmp_path: Path) -> None:
    some = asyncio.Event()
    loop = asyncio.get_running_loop()

    def seen(done: int, _: int | None) -> None:
        if done > 4 << 20:
            loop.call_soon_threadsafe(some.set)

    copying = asyncio.create_task(copy_to(reach, box, "/big", tmp_path / "big", overwrite=False, progress=seen))
    waiting = asyncio.create_task(some.wait())
    await asyncio.wait({copying, waiting}, return_when=asyncio.FIRST_COMPLETED)
    assert not copying.done()
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert here(tmp_path) == []


async def test_an_engine_that_dies_meanwhile_leaves_nothing(own_engine: Engine, tmp_path: Path) -> None:
    box = filled(own_engine)
    reach = reach_of(own_engine)
    killed: list[bool] = []

    def kill(done: int, _: int | None) -> None:
        if done > 4 << 20 and not killed:
            killed.append(True)
            own_engine.kill()

    try:
        with pytest.raises(SourceError, match="has closed the connection"):
            await copy_to(reach, box, "/big", tmp_path / "big", overwrite=False, progress=kill)
        assert here(tmp_path) == []
    finally:
        await reach.aclose()


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/a/b", "/a/b"),
        ("a", "/a"),
        ("//a/./b/", "/a/b"),
        ("/a/../b", "/b"),
        ("/..", None),
        ("/", None),
        ("", None),
        ("a\0", None),
    ],
)
def test_paths_in_a_container(asked: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(SaveError):
            inside(asked)
    else:
        assert inside(asked) == meant


def test_what_it_will_be_called(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert final_place("/a/b", tmp_path) == tmp_path / "b"
    assert final_place("/a/b", tmp_path / "new") == tmp_path / "new"
    assert final_place("/a/b", tmp_path / "file") == tmp_path / "file"
    for bad in (tmp_path / "no" / "such", tmp_path / "file" / "x"):
        with pytest.raises(SaveError, match="There is no folder"):
            final_place("/a/b", bad)
    with pytest.raises(SaveError):
        final_place("/a/b", Path("x\0"))
