"""The recorder's hop: notices that did not arrive, in a history as a recorder writes it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.demo import demo_gpus, demo_instruments, demo_machine, demo_reach
from console.doctor import recorder
from console.doctor.findings import Finding, HopState
from console.doctor.visit import Visit
from console.history import Writer
from console.settings import Overrides, load
from console.sources.ownfiles import OwnFiles
from console.text import Clean

WAY = "webhook https://hooks.example.org"


def kept(arrived: bool, *, ago: timedelta = timedelta(hours=1), way: str = WAY, why: str = "") -> dict[str, object]:
    at = (datetime.now(UTC) - ago).isoformat(timespec="seconds")
    why = why or ("" if arrived else "https://hooks.example.org answered 410.")
    return {"at": at, "id": "a", "event": "failed", "words": "a run failed", "way": way, "arrived": arrived, "why": why or None}


def look(folder: Path, history: Path) -> Finding:
    loaded = load(argv=Overrides(), env={"HOME": str(folder)}, cwd=folder, etc=folder / "etc.toml")
    whole = demo_instruments(loaded, Clean("here"), demo_reach(), demo_gpus(), demo_machine())

    async def go() -> Finding:
        files = OwnFiles()
        try:
            return await recorder.look(Visit(replace(whole, history=history, files=files, demo=False)))
        finally:
            await files.aclose()

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ([], None),
        ([kept(True), kept(True)], None),
        ([kept(True), kept(False)], "1 of 2 notices did not arrive: https://hooks.example.org answered 410"),
        ([kept(False)], "1 notice did not arrive: https://hooks.example.org answered 410"),
        ([kept(False), kept(True)], None),
        ([kept(False, ago=timedelta(days=8))], None),
        ([kept(False, way="command tell", why="no time")], "1 notice did not arrive: command tell: no time"),
    ],
)
def test_notices_that_do_not_arrive_are_told(tmp_path: Path, sent: list[dict[str, object]], seen: str | None) -> None:
    writer = Writer(tmp_path / "history.db")
    try:
        writer.note("notices", json.dumps(sent))
        found = look(tmp_path, writer.path)
    finally:
        writer.close()
    if seen is None:
        assert found.state is HopState.OK
        assert found.seen.startswith("written by process ")
        return
    assert (found.state, found.seen) == (HopState.WARNING, seen)
    assert "mlops-console record --test-notification" in found.do
    assert found.command == "mlops-console record --notices"


def test_that_nobody_writes_comes_first(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "history.db")
    writer.note("notices", json.dumps([kept(False)]))
    writer.close()
    found = look(tmp_path, writer.path)
    assert found.seen.startswith(f"nobody writes {writer.path}; 1 notice did not arrive")
    assert found.command == "mlops-console record"


def test_a_history_that_cannot_be_read_says_nothing_of_notices(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    file.write_bytes(b"no history at all")
    assert look(tmp_path, file).seen == f"nobody writes {file}"
