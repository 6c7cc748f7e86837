"""CPU and memory from the kernel's files, both versions, from folders laid out as the kernel lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.sources.docker_engine.cgroup import CgroupReader

ID = "ab" * 32


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def reader(tmp_path: Path) -> CgroupReader:
    return CgroupReader(proc=tmp_path / "proc", cgroups=tmp_path / "cgroup")


def version_one(root: Path, *, limit: str = "67108864", joined: bool = False) -> Path:
    write(
        root / "proc" / "7" / "cgroup",
        f"4:memory:/docker/{ID}\n3:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n",
    )
    cpu = root / "cgroup" / ("cpu,cpuacct" if joined else "cpuacct") / "docker" / ID / "cpuacct.usage"
    write(cpu, "1000000000\n")
    memory = root / "cgroup" / "memory" / "docker" / ID
    write(memory / "memory.usage_in_bytes", "5000000\n")
    write(memory / "memory.limit_in_bytes", f"{limit}\n")
    write(memory / "memory.stat", "cache 2000000\ntotal_inactive_file 1000000\n")
    return cpu


@pytest.mark.parametrize("joined", [False, True])
def test_version_one(tmp_path: Path, reader: CgroupReader, joined: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = version_one(tmp_path, joined=joined)
    seconds = iter([100.0, 102.0])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    first = reader.read(ID, 7)
    assert first is not None
    assert (first.cpu, first.memory, first.memory_limit) == (None, 4_000_000, 67_108_864)
    write(cpu, "4000000000\n")
    second = reader.read(ID, 7)
    assert second is not None
    assert second.cpu == pytest.approx(150.0)


def test_version_two(tmp_path: Path, reader: CgroupReader, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"system.slice/docker-{ID}.scope"
    write(tmp_path / "proc" / "7" / "cgroup", f"0::/{path}\n")
    folder = tmp_path / "cgroup" / path
    write(folder / "cpu.stat", "usage_usec 1000000\nuser_usec 5\n")
    write(folder / "memory.current", "900\n")
    write(folder / "memory.max", "max\n")
    write(folder / "memory.stat", "anon 1\ninactive_file 200\n")
    seconds = iter([100.0, 101.0])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    first = reader.read(ID, 7)
    assert first is not None
    assert (first.memory, first.memory_limit) == (700, None)
    write(folder / "cpu.stat", "usage_usec 1030000\nuser_usec 5\n")
    second = reader.read(ID, 7)
    assert second is not None
    assert second.cpu == pytest.approx(3.0)


def test_no_limit_of_version_one_is_none(tmp_path: Path, reader: CgroupReader) -> None:
    version_one(tmp_path, limit="9223372036854771712")
    found = reader.read(ID, 7)
    assert found is not None
    assert found.memory_limit is None


def test_a_process_of_somebody_else_is_not_taken_for_the_container(tmp_path: Path, reader: CgroupReader) -> None:
    version_one(tmp_path)
    assert reader.read("cd" * 32, 7) is None


def test_a_container_that_ended_gives_nothing_and_is_looked_for_again(tmp_path: Path, reader: CgroupReader) -> None:
    cpu = version_one(tmp_path)
    assert reader.read(ID, 7) is not None
    cpu.unlink()
    assert reader.read(ID, 7) is None
    write(cpu, "5\n")
    again = reader.read(ID, 7)
    assert again is not None
    assert again.cpu is None


def test_a_row_that_was_out_of_sight_begins_anew(tmp_path: Path, reader: CgroupReader) -> None:
    version_one(tmp_path)
    reader.read(ID, 7)
    reader.keep(set())
    again = reader.read(ID, 7)
    assert again is not None
    assert again.cpu is None
